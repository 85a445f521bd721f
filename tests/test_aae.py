"""The adversarial autoencoder: which loss moves which network, and which way; the priors of the plane."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import UserError
from tests.small import images, small_model


class Shift(keras.layers.Layer):
    """Adds one learned number."""

    def build(self, shape):
        self.offset = self.add_weight(name="offset", shape=(), initializer="zeros")

    def call(self, inputs):
        return inputs + self.offset


def on_the_line(slope=2.0, rates=(0.0, 0.0, 0.0), discriminator=None, **options):
    """Points and codes of one coordinate: E(x) = x + a, R(z) = z + b, and D's score is `slope` times the code."""
    points, codes, judged = (keras.Input((1,)) for _ in range(3))
    scores = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(slope))(judged)
    model = kg.schemes.AdversarialAutoencoder(
        keras.Model(points, Shift()(points)),
        keras.Model(codes, Shift()(codes)),
        discriminator or keras.Model(judged, scores),
        **options,
    )
    optimizers = zip(model.players, map(keras.optimizers.SGD, rates), strict=True)
    model.compile(optimizers=dict(optimizers))
    return model


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def test_the_reconstruction_phase_moves_encoder_and_decoder_towards_the_sample():
    model = on_the_line(rates=(0.1, 0.0, 0.0))
    model.decoder.trainable_variables[0].assign(1.0)
    model.train_step(tf.constant([[3.0], [-3.0]]))
    # The error is (a + b)^2 = 1, its gradient 2 for both.
    assert float(model.encoder.trainable_variables[0]) == pytest.approx(-0.2)
    assert float(model.decoder.trainable_variables[0]) == pytest.approx(0.8)


def test_the_discriminator_takes_the_priors_draws_for_real(monkeypatch):
    model = on_the_line(slope=0.0, rates=(0.0, 0.1, 0.0))
    monkeypatch.setattr(model, "latents", lambda rows: tf.ones((rows, 1)))
    logs = model.train_step(tf.constant([[5.0], [3.0]]))
    assert float(logs["discriminator_loss"]) == pytest.approx(2 * np.log(2), abs=1e-6)
    # At w = 0 the gradient of -log s(w p) - log(1 - s(w e)) by w is (E e - E p) / 2, here (4 - 1) / 2.
    assert float(model.discriminator.trainable_variables[0][0, 0]) == pytest.approx(-0.15)


def test_the_encoder_as_generator_seeks_what_the_discriminator_calls_real():
    model = on_the_line(slope=2.0, rates=(0.0, 0.0, 0.1))
    logs = model.train_step(tf.constant([[0.0], [0.0]]))
    # d softplus(-2 (x + a)) / da = -2 s(0) = -1 at x = a = 0; the decoder stays.
    assert float(model.encoder.trainable_variables[0]) == pytest.approx(0.1)
    assert float(model.decoder.trainable_variables[0]) == 0.0
    assert float(logs["generator_loss"]) == pytest.approx(np.log(2), abs=1e-6)


def test_the_curves_are_the_probabilities_of_prior_and_codes():
    model = on_the_line(slope=2.0)
    logs = model.train_step(tf.constant([[1.5], [1.5]]))
    assert float(logs["fake_probability"]) == pytest.approx(sigmoid(3.0), abs=1e-6)
    assert float(logs["divergence_estimate"]) == pytest.approx(-3.0, abs=1e-6)
    assert 0.0 < float(logs["real_probability"]) < sigmoid(3.0)


def test_each_phase_comes_once_and_in_the_papers_order(monkeypatch):
    model, order = small_model("aae"), []
    update = model.update
    monkeypatch.setattr(model, "update", lambda player, *rest: order.append(player) or update(player, *rest))
    model.train_step(tf.constant(images(4)))
    assert order == ["autoencoder", "discriminator", "generator"]


@pytest.mark.parametrize("posterior", ["deterministic", "gaussian", "universal"])
def test_every_posterior_trains(posterior):
    recipe = {"name": "mlp_encoder", "hidden_units": [16], "posterior": posterior}
    model = small_model("aae", encoder=recipe)
    assert model.posterior == posterior
    history = model.fit(images(16), batch_size=8, epochs=1, verbose=0).history
    assert np.isfinite(list(history.values())).all()


def test_the_best_discriminator_estimates_the_divergence_from_the_prior():
    # E(x) = x, and x from N(1, 1): KL(N(1, 1) || N(0, 1)) = 1/2.
    judge = kg.networks.mlp_discriminator((1,), hidden_units=(32,), activation="tanh")
    model = on_the_line(discriminator=judge)
    still = {player: keras.optimizers.SGD(0.0) for player in ("autoencoder", "generator")}
    adam = kg.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-2, 400))
    model.compile(optimizers={"discriminator": adam, **still})
    points = 1.0 + np.random.default_rng(0).standard_normal((512 * 400, 1)).astype("float32")
    model.fit(points, batch_size=512, epochs=1, verbose=0)
    held_out = 1.0 + np.random.default_rng(1).standard_normal((200_000, 1)).astype("float32")
    assert -float(np.mean(model.discriminator(held_out))) == pytest.approx(0.5, abs=0.05)


def test_a_discriminator_of_samples_is_refused():
    with pytest.raises(UserError, match=r"takes codes of shape \(1,\). Received one that takes \(8, 8, 1\)"):
        on_the_line(discriminator=kg.networks.mlp_discriminator((8, 8, 1)))


# Priors of the plane --------------------------------------------------------------------------------------------


def drawn(prior, count=20_000):
    return kg.latent.draw_latents(count, 2, tf.constant([1, 2], tf.int64), prior).numpy()


def test_the_mixture_has_ten_petals():
    points = drawn("gaussian_mixture")
    radius, angle = np.hypot(*points.T), np.arctan2(points[:, 1], points[:, 0]) % (2 * np.pi)
    petal = np.round(angle / (2 * np.pi / 10)).astype(int) % 10
    # Half a deviation from the middle outwards, where petals are well apart.
    shares = np.bincount(petal[radius > 1.4], minlength=10) / (radius > 1.4).sum()
    np.testing.assert_allclose(shares, 0.1, atol=0.015)
    first = points[(petal == 0) & (radius > 1.0)]
    assert first[:, 1].std() == pytest.approx(0.1, abs=0.01) and abs(first[:, 1].mean()) < 0.01
    assert np.median(first[:, 0]) == pytest.approx(1.5, abs=0.05)


def test_the_swiss_roll_winds_twice_and_evenly():
    points = drawn("swiss_roll")
    radius = np.hypot(*points.T)
    # sqrt(U) of 3: half of the draws within 3 / sqrt(2), and all within 3 but for the blur.
    assert np.median(radius) == pytest.approx(3 / np.sqrt(2), abs=0.05)
    assert radius.max() < 3.5
    # Along the positive first axis the spiral passes at 1.5 and at 3, with nothing halfway.
    near = points[(points[:, 0] > 0.75) & (np.abs(points[:, 1]) < 0.1), 0]
    assert ((near > 1.2) & (near < 1.8) | (near > 2.6)).mean() > 0.99


def petal_of(points):
    angle = np.arctan2(points[:, 1], points[:, 0]) % (2 * np.pi)
    return np.round(angle / (2 * np.pi / 10)).astype(int) % 10


def test_each_class_has_a_petal_and_rows_without_a_label_all_of_them():
    labels = np.repeat([0, 3, 9, -1], 5000)
    points = kg.latent.draw_labelled_latents(tf.constant(labels), 10, tf.constant([1, 2]), "gaussian_mixture").numpy()
    outer = np.hypot(*points.T) > 1.0
    for label in (0, 3, 9):
        assert (petal_of(points[(labels == label) & outer]) == label).mean() > 0.99
    shares = np.bincount(petal_of(points[(labels == -1) & outer]), minlength=10) / ((labels == -1) & outer).sum()
    np.testing.assert_allclose(shares, 0.1, atol=0.03)


def test_each_class_has_a_stretch_of_the_swiss_roll():
    labels = np.repeat([0, 9], 5000)
    points = kg.latent.draw_labelled_latents(tf.constant(labels), 10, tf.constant([1, 2]), "swiss_roll").numpy()
    radius = np.hypot(*points.T)
    # Class k of 10 lies between radii 3 sqrt(k / 10) and 3 sqrt((k + 1) / 10), but for the blur.
    assert radius[labels == 0].max() < 3 * np.sqrt(0.1) + 0.5
    assert radius[labels == 9].min() > 3 * np.sqrt(0.9) - 0.5


def test_the_label_informed_discriminator_sees_the_rows_own_labels(monkeypatch):
    model, seen = small_model("label_informed_aae"), []
    score = model.score
    monkeypatch.setattr(model, "score", lambda codes, *labels: seen.append(labels[0].numpy()) or score(codes, *labels))
    labels = tf.constant([0, -1, 2, 1])
    model.train_step((tf.constant(images(4)), labels))
    # Of the prior and of the codes in the discriminator's step, and of the codes in the encoder's.
    assert len(seen) == 3 and all(np.array_equal(each, labels) for each in seen)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"discriminator": {"name": "mlp_discriminator"}}, "takes .codes, labels.. Received one with 1 input"),
        ({"latent_dim": 3}, "lies in the plane.*Received: 3"),
    ],
)
def test_label_informed_networks_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(UserError, match=message):
        small_model("label_informed_aae", **changes)


def test_priors_without_parts_are_refused():
    with pytest.raises(UserError, match="Only priors of the plane have a part for each class.*Received: 'normal'"):
        kg.latent.draw_labelled_latents(tf.constant([0]), 2, tf.constant([1, 2]), "normal")


@pytest.mark.parametrize("prior", ["gaussian_mixture", "swiss_roll"])
def test_one_seed_one_latent_whatever_the_batch(prior):
    seeds = np.array([5, -1, 2**62, 5])
    together = kg.latent.latents_from_seeds(seeds, 2, prior).numpy()
    alone = np.concatenate([kg.latent.latents_from_seeds(seeds[i : i + 1], 2, prior) for i in range(4)])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together[0], together[3])
    assert not np.allclose(together[0], together[1])


@pytest.mark.parametrize("prior", ["gaussian_mixture", "swiss_roll"])
def test_priors_of_the_plane_refuse_other_sizes_and_truncation(prior):
    with pytest.raises(UserError, match=f"'{prior}' lies in the plane.*size 2. Received: 1"):
        on_the_line(latent_prior=prior)
    with pytest.raises(UserError, match="Only the priors normal and uniform.*Received"):
        kg.latent.truncated_latents([0], 2, 0.5, prior)
    assert kg.latent.interpolation.mode_for(prior) == "linear"


# Those that take longest are with the slow tests.
JUDGING = [
    pytest.param(name, marks=pytest.mark.slow if name in ("adversarial_nmt", "df_gan", "stackgan", "cycada") else ())
    for name, scheme in kg.registry.schemes.items()
    if scheme.judged_fields
]


@pytest.mark.parametrize("scheme", JUDGING)
def test_scores_may_be_asked_for_in_a_graph_of_batches_of_any_size(scheme):
    # As the doctor asks.
    model = small_model(scheme)
    rows = model.example_batch(6, 0)
    signature = {name: tf.TensorSpec((None, *part.shape[1:]), part.dtype) for name, part in rows.items()}
    asked = tf.function(lambda real: model.judged(real), input_signature=[signature])
    for real_scores, fake_scores in asked(rows).values():
        assert real_scores.shape == fake_scores.shape == (6,)
