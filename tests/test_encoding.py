"""Encoders and decoders: the three posteriors, codes and reconstructions in Python and as served."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import losses
from keras_gans.errors import UserError
from tests.small import IMAGE_SHAPE, images, small_model

POSTERIORS = ("deterministic", "gaussian", "universal")
FLAT = (4,)


def autoencoder(posterior="deterministic", shape=FLAT, latent_dim=2, **options):
    encoder = kg.networks.mlp_encoder(shape, latent_dim, hidden_units=(8,), posterior=posterior)
    decoder = kg.networks.mlp_generator(shape, latent_dim, hidden_units=(8,), output_activation=None)
    return kg.schemes.Autoencoder(encoder, decoder, **options)


def points(count=6):
    return np.random.default_rng(0).normal(size=(count, *FLAT)).astype("float32")


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_the_encoder_says_which_posterior_it_gives(posterior):
    model = autoencoder(posterior)
    assert model.posterior == posterior
    codes = model.encode(points())
    assert codes.shape == (6, 2) and codes.dtype == np.float32
    # What is served is no draw.
    np.testing.assert_array_equal(codes, model.encode(points()))
    drawn = [model.draw_codes(points()).numpy() for _ in range(2)]
    np.testing.assert_allclose(drawn[0], drawn[1])
    model.step.assign(1)
    is_random = not np.allclose(drawn[0], model.draw_codes(tf.constant(points())))
    assert is_random == (posterior != "deterministic")


def test_a_gaussian_posterior_has_the_mean_and_the_deviation_that_its_encoder_says():
    model = autoencoder("gaussian")
    mean, log_variance = tf.fill((20_000, 2), 3.0), tf.fill((20_000, 2), np.log(0.25).astype("float32"))
    drawn = model.draw_around(mean, log_variance).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), 3.0, atol=0.02)
    np.testing.assert_allclose(drawn.std(axis=0), 0.5, atol=0.02)
    means = model.encoder(points())[0]
    np.testing.assert_allclose(model.encode(points()), means, atol=1e-6)


def test_gradients_reach_the_gaussian_posteriors_mean_and_variance():
    model = autoencoder("gaussian")
    with tf.GradientTape() as tape:
        loss, _ = model.reconstruction_loss(tf.constant(points()))
    gradients = tape.gradient(loss, model.encoder.trainable_variables)
    assert all(gradient is not None and np.abs(gradient).max() > 0 for gradient in gradients)


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_reconstructing_is_decoding_codes(posterior):
    model = autoencoder(posterior)
    np.testing.assert_allclose(model.reconstruct(points()), model.decode(model.encode(points())), atol=1e-6)
    np.testing.assert_allclose(model.decode(np.ones((3, 2))), model.decoder(np.ones((3, 2), "float32")), atol=1e-6)


def test_arrays_of_any_length_are_encoded():
    model = autoencoder()
    long = np.tile(points(), (200, 1))
    np.testing.assert_allclose(model.encode(long)[-6:], model.encode(points()), atol=1e-6)


def test_stored_pixels_are_encoded_as_images():
    model = autoencoder(shape=IMAGE_SHAPE)
    stored = np.random.default_rng(0).integers(0, 256, (3, *IMAGE_SHAPE)).astype("uint8")
    np.testing.assert_array_equal(model.encode(stored), model.encode(kg.pixels.from_uint8(stored).numpy()))


@pytest.mark.parametrize("scheme", ["autoencoder", "aae", "semi_supervised_aae", "vae", "vae_gan"])
def test_the_saved_model_encodes_decodes_and_reconstructs(scheme, tmp_path):
    model = small_model(scheme)
    model.export(tmp_path / "saved", verbose=False)
    served = tf.saved_model.load(tmp_path / "saved").signatures
    given = images(3)
    codes = served["encode"](image=tf.constant(given))["z"]
    np.testing.assert_allclose(codes, model.encode(given), atol=1e-6)
    np.testing.assert_allclose(served["decode"](z=codes)["image"], model.decode(codes), atol=1e-6)
    again = served["reconstruct"](image=tf.constant(given))["image"]
    np.testing.assert_allclose(again, model.reconstruct(given), atol=1e-6)


@pytest.mark.parametrize("posterior", ["gaussian", "universal"])
def test_a_saved_model_answers_the_same_after_loading(posterior, tmp_path):
    model = autoencoder(posterior)
    model.compile()
    model.fit(points(), batch_size=3, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(points()), model.reconstruct(points()))


# The autoencoder ------------------------------------------------------------------------------------------------


def test_the_squared_error_is_a_mean_over_pixels():
    assert float(losses.squared_reconstruction_error(np.array([[1.0, -1.0]]), np.array([[0.0, 2.0]]))) == 5.0


def test_a_denoising_autoencoder_sees_noise_and_is_asked_for_the_clean_sample(monkeypatch):
    model = autoencoder(noise=0.5)
    seen, encoder = [], model.draw_codes
    monkeypatch.setattr(model, "draw_codes", lambda samples: seen.append(samples) or encoder(samples))
    clean = tf.zeros((20_000, 4))
    loss, _ = model.reconstruction_loss(clean)
    assert np.std(seen[0]) == pytest.approx(0.5, rel=0.02)
    copies = model.decoder(encoder(seen[0]))
    # Against the noisy input it would be 0.25 more.
    assert float(loss) == pytest.approx(float(np.mean(np.square(copies))), rel=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: autoencoder(noise=-1.0), "noise, a standard deviation, is a number from 0.*Received: -1.0"),
        (lambda: autoencoder(latent_prior="normel"), "Unknown latent prior 'normel'.*Did you mean 'normal'"),
        (lambda: kg.networks.mlp_encoder(FLAT, posterior="gausian"), "Unknown posterior.*Did you mean 'gaussian'"),
        (lambda: autoencoder().encode(np.zeros((2, 5), "float32")), r"\(batch, 4\). Received: \(2, 5\)"),
        (lambda: autoencoder().decode(np.zeros((2, 5), "float32")), r"\(count, 2\). Received: \(2, 5\)"),
        (
            lambda: kg.schemes.Autoencoder(
                kg.networks.mlp_encoder(FLAT, 3), kg.networks.mlp_generator(FLAT, 2, output_activation=None)
            ),
            r"takes codes of size 2.*Received outputs of shapes \[\(3,\)\]",
        ),
        (
            lambda: kg.schemes.Autoencoder(kg.networks.mlp_encoder((5,), 2), kg.networks.mlp_generator(FLAT, 2)),
            r"samples of shape \(4,\), but the encoder takes \(5,\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_the_convolutional_encoder(posterior):
    encoder = kg.networks.dcgan_encoder((8, 8, 1), 6, base_filters=4, posterior=posterior)
    model = kg.schemes.Autoencoder(encoder, kg.networks.dcgan_generator((8, 8, 1), 6, base_filters=4))
    assert model.posterior == posterior
    assert model.reconstruct(images(2)).shape == (2, 8, 8, 1)
