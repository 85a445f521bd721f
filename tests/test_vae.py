"""The variational autoencoder: its lower bound, by numbers derived by hand."""

import keras
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import UserError
from tests.small import images, small_model


def on_the_line(mean, spread, **options):
    """Points of one coordinate: q(z|x) = N(mean, e^spread), R(z) = z."""

    def constant(value):
        return keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(value))

    points, codes = keras.Input((1,)), keras.Input((1,))
    encoder = keras.Model(points, [constant(mean)(points), constant(spread)(points)])
    decoder = keras.Model(codes, keras.layers.Dense(1, kernel_initializer="ones")(codes))
    return kg.schemes.VAE(encoder, decoder, **options)


def test_the_loss_is_the_weighted_divergence_and_half_the_squared_error():
    model = on_the_line(mean=2.0, spread=-60.0, prior_weight=0.5)
    loss, logs = model.lower_bound_loss(tf.constant([[5.0], [1.0]]))
    # KL of N(2, e^-60): (4 - 1 + 60) / 2. Errors of 3 and 1: (9 + 1) / 2 / 2.
    assert float(logs["divergence"]) == pytest.approx(31.5, rel=1e-5)
    assert float(logs["pixel_error"]) == pytest.approx(2.5, rel=1e-5)
    assert float(loss) == pytest.approx(0.5 * 31.5 + 2.5, rel=1e-5)


def test_codes_are_drawn_not_their_means():
    model = on_the_line(mean=0.0, spread=0.0)
    # E (x - z)^2 / 2 of z from N(0, 1) at x = 0.
    _, logs = model.lower_bound_loss(tf.zeros((50_000, 1)))
    assert float(logs["pixel_error"]) == pytest.approx(0.5, rel=0.03)


def test_a_large_weight_makes_the_posterior_the_prior():
    divergences = []
    for weight in (0.01, 10_000.0):
        model = small_model("vae")
        model.prior_weight = weight
        model.compile(optimizers={"autoencoder": kg.optimizers.Adam(1e-2)})
        divergences.append(model.fit(images(64), batch_size=8, epochs=8, verbose=0).history["divergence"][-1])
    assert divergences[1] < 0.1 * divergences[0]


def test_a_posterior_without_a_variance_is_refused():
    with pytest.raises(UserError, match="Gaussian posterior.*Received: posterior 'deterministic'"):
        small_model("vae", encoder={"name": "mlp_encoder"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prior_weight": 0.0}, "prior_weight, a variance, is a number above 0.*Received: 0.0"),
        ({"latent_prior": "uniform"}, "normal prior.*latent_prior='uniform'"),
    ],
)
def test_arguments_that_cannot_work_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        on_the_line(mean=0.0, spread=0.0, **options)
