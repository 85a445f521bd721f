"""BEGAN: the balance of the two players, by numbers derived by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import losses
from keras_gans.errors import UserError
from tests.small import BATCH, images, small_model


@pytest.mark.parametrize(
    ("k", "real", "fake", "expected"),
    [(0.0, 0.2, 0.05, 5e-5), (0.9995, 2000.0, 0.0, 1.0), (0.9995, 0.0, 1000.0, 0.0), (0.5, 0.2, 0.1, 0.5)],
)
def test_the_controller_and_its_clamp(k, real, fake, expected):
    found = losses.equilibrium_control(tf.constant(k), tf.constant(real), tf.constant(fake), 0.5, 0.001)
    assert float(found) == pytest.approx(expected, abs=1e-7)


def test_the_convergence_measure():
    # L(x) + |gamma L(x) - L(G(z))|, whichever of the two is the larger.
    assert float(losses.convergence_measure(0.2, 0.05, 0.5)) == pytest.approx(0.25)
    assert float(losses.convergence_measure(0.2, 0.3, 0.5)) == pytest.approx(0.4)


def test_the_reconstruction_error_is_the_mean_absolute_difference():
    assert float(losses.reconstruction_error(np.array([[1.0, -1.0]]), np.array([[0.0, 2.0]]))) == 2.0


class Scaling(keras.layers.Layer):
    """Multiplies by one learned number."""

    def build(self, shape):
        self.factor = self.add_weight(name="factor", shape=(), initializer=keras.initializers.Constant(0.25))

    def call(self, inputs):
        return inputs * self.factor


def constant_players(value, gamma=0.5, lambda_k=0.001, **options):
    """BEGAN on points of one coordinate: G(z) is `value`, D(v) = v / 4, so that L(v) = 3/4 |v|."""
    latents, points = keras.Input((2,)), keras.Input((1,))
    made = keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(value))
    generator = keras.Model(latents, made(latents))
    model = kg.schemes.BEGAN(
        generator, keras.Model(points, Scaling()(points)), gamma=gamma, lambda_k=lambda_k, **options
    )
    model.compile(optimizers={player: keras.optimizers.SGD(0.0) for player in model.players})
    return model


def test_one_step_moves_k_by_its_equation():
    model = constant_players(value=0.2)
    logs = model.train_step(tf.constant([[0.8], [-0.8]]))
    # L(x) = 0.6 and L(G(z)) = 0.15: k = 0.001 (0.5 * 0.6 - 0.15) = 1.5e-4, M = 0.6 + 0.15.
    assert float(model.k) == pytest.approx(1.5e-4, rel=1e-5)
    assert float(logs["convergence_measure"]) == pytest.approx(0.75)
    assert float(logs["real_error"]) == pytest.approx(0.6) and float(logs["fake_error"]) == pytest.approx(0.15)
    assert float(logs["discriminator_loss"]) == pytest.approx(0.6), "k was 0 in the discriminator's step"
    logs = model.train_step(tf.constant([[0.8], [-0.8]]))
    assert float(model.k) == pytest.approx(3e-4, rel=1e-5)
    model.reset_metrics()
    logs = model.train_step(tf.constant([[0.8], [-0.8]]))
    assert float(logs["discriminator_loss"]) == pytest.approx(0.6 - 3e-4 * 0.15, rel=1e-6)


@pytest.mark.parametrize(("value", "bound"), [(0.0, 1.0), (8.0, 0.0)])
def test_k_stays_within_its_bounds(value, bound):
    model = constant_players(value, lambda_k=100.0)
    for _ in range(2):
        model.train_step(tf.constant([[0.8], [-0.8]]))
    assert float(model.k) == bound


def test_the_discriminator_learns_to_reconstruct_and_the_generator_to_be_reconstructed():
    model = constant_players(value=1.0)
    model.compile(optimizers={player: keras.optimizers.SGD(0.1) for player in model.players})
    factor, made = model.discriminator.trainable_variables[0], model.generator.trainable_variables[1]
    model.k.assign(0.0)
    model.train_step(tf.constant([[0.8]]))
    # d |x - f x| / df = -|x|: D's copy grows; d |y - f y| / dy = 1 - f > 0, with D as it was: G's sample shrinks.
    assert float(factor) == pytest.approx(0.25 + 0.1 * 0.8)
    assert float(made[0]) == pytest.approx(1.0 - 0.1 * (1.0 - 0.25))
    # With k = 1/2 and y larger than x, D unlearns to copy that; k weighs nothing in G's own loss.
    model.k.assign(0.5)
    model.generator.trainable_variables[0].assign(tf.zeros((2, 1)))
    before, sample = float(factor), float(made[0])
    model.train_step(tf.constant([[0.1]]))
    assert float(factor) == pytest.approx(before + 0.1 * (0.1 - 0.5 * sample))
    assert float(made[0]) == pytest.approx(sample - 0.1 * (1.0 - before))


def test_loss_scales_of_its_own_for_each_player_change_nothing():
    def after(**scales):
        model = constant_players(value=1.0)
        optimizers = {player: keras.optimizers.SGD(0.1) for player in model.players}
        for player, scale in scales.items():
            optimizers[player] = keras.optimizers.LossScaleOptimizer(optimizers[player], initial_scale=scale)
        model.compile(optimizers=optimizers)
        model.k.assign(0.5)
        logs = model.train_step(tf.constant([[0.8]]))
        moved = [*model.discriminator.trainable_variables, *model.generator.trainable_variables]
        return [np.array(value) for value in (*moved, *logs.values())]

    for plain, scaled in zip(after(), after(discriminator=8.0, generator=1024.0), strict=True):
        np.testing.assert_allclose(scaled, plain, rtol=1e-6)


def test_k_is_that_of_the_global_batch_on_every_replica(two_replicas):
    batch = images(BATCH)
    # One replica's rows are far easier to copy than the other's.
    batch[: BATCH // 2] *= 0.1
    dataset = tf.data.Dataset.from_tensors(batch).repeat()
    ks = []
    for scope in (tf.distribute.get_strategy().scope(), two_replicas.scope()):
        with scope:
            model = small_model("began", rate=0.01)
            model.lambda_k = 0.5
            model.k.assign(0.5)
        keras.Model.fit(model, dataset, steps_per_epoch=2, epochs=1, verbose=0)
        values = [np.array(value) for value in getattr(model.k.value, "values", [model.k.value])]
        assert all(value == values[0] for value in values)
        ks.append(float(values[0]))
    assert 0.0 < ks[0] < 1.0
    assert ks[0] == pytest.approx(ks[1], rel=1e-5)


def test_callbacks_can_watch_the_convergence_measure(tmp_path):
    model = small_model("began")
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.keras", monitor="convergence_measure", mode="min", save_best_only=True
    )
    stop = keras.callbacks.EarlyStopping(monitor="convergence_measure", mode="min", patience=1, min_delta=100.0)
    history = model.fit(images(2 * BATCH), batch_size=BATCH, epochs=3, verbose=0, callbacks=[best, stop]).history
    assert (tmp_path / "best.keras").exists()
    assert len(history["convergence_measure"]) == 2, "a measure that does not fall by 100 ends the run after one more"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gamma": 0.0}, "gamma is a number above 0 to 1.*Received: 0.0"),
        ({"gamma": 1.5}, "gamma.*Received: 1.5"),
        ({"lambda_k": 0.0}, "lambda_k is a number above 0.*Received: 0.0"),
        ({"discriminator_steps": 2}, "one step of each player"),
        ({"shared_fakes": True}, "one step of each player"),
    ],
)
def test_arguments_that_cannot_work_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        constant_players(0.0, **options)


def test_a_discriminator_that_scores_is_refused():
    with pytest.raises(UserError, match="is an autoencoder.*Received: .*1.*mlp_autoencoder"):
        kg.schemes.BEGAN(kg.networks.mlp_generator((8, 8, 1)), kg.networks.mlp_discriminator((8, 8, 1)))


@pytest.mark.parametrize("size", [8, 16, 28, 32, 64])
@pytest.mark.parametrize("upsampling", ["nearest", "subpixel"])
def test_the_convolutional_networks_fit_each_other(size, upsampling):
    shape, sizes = (size, size, 3), {"latent_dim": 6, "base_filters": 4, "upsampling": upsampling}
    generator = kg.networks.began_generator(shape, **sizes)
    discriminator = kg.networks.began_autoencoder(shape, **sizes)
    made = generator(np.zeros((2, 6), "float32"))
    assert made.shape == discriminator(made).shape == (2, *shape) and made.dtype == "float32"
    # Filters grow with each halving on the way down, and stay as they are on the way up.
    filters = [layer.filters for layer in discriminator.layers if isinstance(layer, keras.layers.Conv2D)]
    down = filters[: filters.index(max(filters)) + 2]
    assert down == sorted(down) and max(filters) == 4 * ({8: 1, 16: 1, 28: 2, 32: 2, 64: 3}[size] + 1)


def test_a_size_that_the_networks_cannot_make_is_refused():
    with pytest.raises(UserError, match="square images of 8, 16.*Received: sample_shape=.20, 20, 1"):
        kg.networks.began_generator((20, 20, 1))
