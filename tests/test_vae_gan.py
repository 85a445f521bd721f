"""VAE/GAN: which loss moves which network, by numbers derived by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import losses
from keras_gans.errors import UserError
from tests.small import images, small_model


@pytest.mark.parametrize(
    ("mean", "log_variance", "expected"),
    [(0.0, 0.0, 0.0), (1.0, 0.0, 0.5), (0.0, 1.0, 0.5 * (np.e - 2.0)), (2.0, 0.0, 2.0)],
)
def test_the_divergence_is_summed_over_coordinates(mean, log_variance, expected):
    mean, log_variance = np.full((4, 3), mean, "float32"), np.full((4, 3), log_variance, "float32")
    found = losses.divergence_from_standard_normal(mean, log_variance)
    assert float(found) == pytest.approx(3 * expected, abs=1e-5)


def test_the_feature_error_is_summed_over_features():
    assert float(losses.feature_error(np.zeros((2, 3)), np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 1.0]]))) == 2.5


class Affine(keras.layers.Layer):
    """w x + b, of one coordinate."""

    def __init__(self, weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.start = weight

    def build(self, shape):
        self.w = self.add_weight(name="w", shape=(), initializer=keras.initializers.Constant(self.start))
        self.b = self.add_weight(name="b", shape=(), initializer="zeros")

    def call(self, inputs):
        return self.w * inputs + self.b


def on_the_line(rates=(0.0, 0.0, 0.0), spread=-60.0, **options):
    """Points of one coordinate: q(z|x) = N(x, e^spread), R(z) = z, features f(x) = x and the score is -f(x)."""
    points, codes, judged = (keras.Input((1,)) for _ in range(3))
    silent = keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(spread))
    encoder = keras.Model(points, [Affine()(points), silent(points)])
    features = Affine(name="features")(judged)
    discriminator = keras.Model(judged, [Affine(-1.0)(features), features])
    model = kg.schemes.VAEGAN(encoder, keras.Model(codes, Affine()(codes)), discriminator, **options)
    optimizers = zip(model.players, map(keras.optimizers.SGD, rates), strict=True)
    model.compile(optimizers=dict(optimizers))
    return model


def values(network):
    return [float(np.squeeze(variable)) for variable in network.trainable_variables]


def softplus(x):
    return np.log1p(np.exp(x))


def test_the_encoder_minimises_divergence_and_feature_error_and_hears_nothing_of_realism():
    model = on_the_line(prior_weight=0.5)
    model.decoder.trainable_variables[1].assign(1.0)
    real = tf.constant([[2.0]])
    with tf.GradientTape() as tape:
        found, logs = model.player_losses(real)
        loss = found["encoder"]
    # KL of N(2, e^-60): (4 - 1 + 60) / 2; the copy is one too large: 1 / 2.
    assert float(logs["divergence"]) == pytest.approx(31.5, rel=1e-5)
    assert float(logs["feature_error"]) == pytest.approx(0.5, rel=1e-5)
    assert float(loss) == pytest.approx(0.5 * 31.5 + 0.5, rel=1e-5)
    gradient = tape.gradient(loss, model.encoder.trainable_variables)
    # By the mean's b: 0.5 * 2 of the divergence and 1 of the error; the score's slope would show here.
    assert float(gradient[1]) == pytest.approx(2.0, rel=1e-5)


def test_the_decoder_minimises_likeness_and_realism_of_both_kinds_of_sample(monkeypatch):
    model = on_the_line(gamma=3.0)
    monkeypatch.setattr(model, "latents", lambda rows: tf.fill((rows, 1), -1.0))
    model.decoder.trainable_variables[1].assign(1.0)
    with tf.GradientTape() as tape:
        loss = model.player_losses(tf.constant([[2.0]]))[0]["decoder"]
    # x~ = 3 and x_p = 0 score -3 and 0.
    assert float(loss) == pytest.approx(3.0 * 0.5 + 0.5 * (softplus(3.0) + softplus(0.0)), rel=1e-5)
    gradient = tape.gradient(loss, model.decoder.trainable_variables)
    # By b: gamma (x~ - x), and half of s(3) and of s(0) each.
    assert float(gradient[1]) == pytest.approx(3.0 + 0.5 * (1 / (1 + np.exp(-3.0)) + 0.5), rel=1e-5)


def test_the_discriminator_takes_both_for_fakes_and_is_not_moved_by_likeness(monkeypatch):
    model = on_the_line(gamma=3.0)
    monkeypatch.setattr(model, "latents", lambda rows: tf.fill((rows, 1), -1.0))
    found, logs = model.player_losses(tf.constant([[2.0]]))
    loss = found["discriminator"]
    # x and x~ = 2 score -2, x_p = -1 scores 1.
    assert float(loss) == pytest.approx(softplus(2.0) + 0.5 * (softplus(-2.0) + softplus(1.0)), rel=1e-5)
    half = 0.5 * (1 / (1 + np.exp(2.0)) + 1 / (1 + np.exp(-1.0)))
    assert float(logs["fake_probability"]) == pytest.approx(half, rel=1e-5)
    with tf.GradientTape() as tape:
        loss = model.player_losses(tf.constant([[2.0]]))[0]["discriminator"]
    # By the score's b alone: -s(2) for x, and half of s(-2) and s(1).
    gradient = tape.gradient(loss, model.discriminator.trainable_variables)
    assert float(gradient[3]) == pytest.approx(-1 / (1 + np.exp(-2.0)) + half, rel=1e-5)


@pytest.mark.parametrize("player", ["encoder", "decoder", "discriminator"])
def test_each_step_moves_one_network(player):
    rates = [0.1 * (name == player) for name in ("encoder", "decoder", "discriminator")]
    model = on_the_line(rates, gamma=1.0, spread=0.0)
    before = {name: values(getattr(model, name)) for name in model.players}
    model.train_step(tf.constant([[2.0], [0.5]]))
    moved = {name for name in model.players if values(getattr(model, name)) != before[name]}
    assert moved == {player}


def test_all_players_move_by_gradients_of_one_forward_pass(monkeypatch):
    """Larsen et al., algorithm 1: no player sees what another one's move made of it."""
    model, together = on_the_line((0.1, 0.1, 0.1), gamma=1.0, spread=0.0), {}
    real = tf.constant([[2.0], [0.5]])
    model.train_step(real)
    for index, player in enumerate(model.players):
        alone = on_the_line([0.1 * (place == index) for place in range(3)], gamma=1.0, spread=0.0)
        alone.train_step(real)
        together[player] = values(getattr(alone, player))
    for player, expected in together.items():
        np.testing.assert_allclose(values(getattr(model, player)), expected, rtol=1e-6)


def test_each_network_runs_once_on_each_kind_of_sample(monkeypatch):
    model, calls = small_model("vae_gan"), []
    for role in model.network_names():
        network = getattr(model, role)
        monkeypatch.setattr(
            network, "call", lambda *a, role=role, call=network.call, **k: calls.append(role) or call(*a, **k)
        )
    model.train_step(tf.constant(images(4)))
    assert sorted(calls) == ["decoder"] * 2 + ["discriminator"] * 3 + ["encoder"]


def test_it_is_made_of_convolutions_too():
    shape = (8, 8, 1)
    model = kg.schemes.VAEGAN(
        kg.networks.dcgan_encoder(shape, 6, 4, posterior="gaussian"),
        kg.networks.dcgan_generator(shape, 6, 4),
        kg.networks.dcgan_discriminator(shape, 4, head="features"),
    )
    model.compile()
    assert np.isfinite(list(model.fit(images(8), batch_size=4, verbose=0).history.values())).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder": {"name": "mlp_encoder"}}, "Gaussian posterior.*Received: posterior 'deterministic'"),
        ({"discriminator": {"name": "mlp_discriminator"}}, "score and features.*head='features'"),
    ],
)
def test_networks_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(UserError, match=message):
        small_model("vae_gan", **changes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gamma": -1.0}, "gamma is a number from 0, such as 1.0. Received: -1.0"),
        ({"prior_weight": -1.0}, "prior_weight is a number from 0"),
        ({"latent_prior": "uniform"}, "normal prior.*latent_prior='uniform'"),
    ],
)
def test_arguments_that_cannot_work_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        on_the_line(**options)
