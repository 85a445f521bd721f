"""The semi-supervised adversarial autoencoder: which rows and which part of a code each phase sees."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import UserError
from tests.small import IMAGE_SHAPE, images, small_model

CLASSES = 3


class Shift(keras.layers.Layer):
    """Adds learned numbers."""

    def build(self, shape):
        self.offset = self.add_weight(name="offset", shape=(shape[-1],), initializer="zeros")

    def call(self, inputs):
        return inputs + self.offset


def constant_judge(size, weights):
    """A discriminator whose score is the product with these weights."""
    codes = keras.Input((size,))
    kernel = keras.initializers.Constant(np.reshape(weights, (size, 1)))
    return keras.Model(codes, keras.layers.Dense(1, use_bias=False, kernel_initializer=kernel)(codes))


def on_the_line(rates, style=(2.0,), classes=(0.0, 0.0, 0.0)):
    """Points and codes of four coordinates, three logits and a style: E(x) = x + a, R(z) = z + b."""
    points, codes = keras.Input((4,)), keras.Input((4,))
    model = kg.schemes.SemiSupervisedAAE(
        keras.Model(points, Shift()(points)),
        keras.Model(codes, Shift()(codes)),
        constant_judge(1, style),
        constant_judge(3, classes),
        class_count=CLASSES,
    )
    model.compile(optimizers={player: keras.optimizers.SGD(rates.get(player, 0.0)) for player in model.players})
    return model


def offset(network):
    return network.trainable_variables[0].numpy()


def test_a_code_is_the_classes_probabilities_and_the_style():
    model = on_the_line({})
    codes = model.encode(np.array([[0.0, np.log(2.0), 0.0, 0.7]], "float32"))
    np.testing.assert_allclose(codes, [[0.25, 0.5, 0.25, 0.7]], atol=1e-6)
    np.testing.assert_allclose(model.reconstruct(np.zeros((1, 4), "float32")), [[1 / 3, 1 / 3, 1 / 3, 0.0]], atol=1e-6)


def test_the_prior_is_one_hot_and_normal():
    drawn = kg.latent.draw_latents(20_000, 12, tf.constant([1, 2]), "categorical_10").numpy()
    classes, style = drawn[:, :10], drawn[:, 10:]
    assert set(np.unique(classes)) == {0.0, 1.0} and (classes.sum(axis=1) == 1.0).all()
    np.testing.assert_allclose(classes.mean(axis=0), 0.1, atol=0.01)
    np.testing.assert_allclose([style.mean(), style.std()], [0.0, 1.0], atol=0.02)
    # The style tells nothing of the class.
    assert abs(np.corrcoef(classes[:, 0], style[:, 0])[0, 1]) < 0.03
    together = kg.latent.latents_from_seeds(np.array([5, 7]), 12, "categorical_10").numpy()
    np.testing.assert_array_equal(together[1:], kg.latent.latents_from_seeds(np.array([7]), 12, "categorical_10"))


def test_only_labelled_rows_teach_the_class():
    model = on_the_line({"classifier": 0.1})
    rows = tf.constant([[0.0, 0.0, 0.0, 1.0], [9.0, 0.0, 0.0, 1.0]])
    logs = model.train_step((rows, tf.constant([2, -1])))
    assert float(logs["supervised_loss"]) == pytest.approx(np.log(3.0), abs=1e-6)
    # The gradient by the logits of the first row alone: its probabilities less its one-hot label.
    np.testing.assert_allclose(offset(model.encoder), [-0.1 / 3, -0.1 / 3, 0.2 / 3, 0.0], atol=1e-6)


def test_only_unlabelled_rows_are_reconstructed_and_regularized():
    seen, model = {}, on_the_line({})
    update = model.update

    def watched(player, loss, rows, *rest):
        seen[player] = rows.numpy()[:, 3].tolist()
        return update(player, loss, rows, *rest)

    model.update = watched
    rows = np.zeros((4, 4), "float32")
    rows[:, 3] = [1.0, 2.0, 3.0, 4.0]
    model.train_step((tf.constant(rows), tf.constant([0, -1, 1, -1])))
    unlabelled = {player: [2.0, 4.0] for player in ("autoencoder", "discriminator", "class_discriminator", "generator")}
    assert seen == {**unlabelled, "classifier": [1.0, 3.0]}
    # In the paper's order.
    assert list(seen) == ["autoencoder", "discriminator", "class_discriminator", "generator", "classifier"]


@pytest.mark.parametrize("labels", [[0, 1, 2, 0], [-1, -1, -1, -1]])
def test_batches_of_one_kind_of_row_train(labels):
    model = small_model("semi_supervised_aae")
    before = [variable.numpy() for variable in model.trainable_variables]
    logs = model.train_step((tf.constant(images(4)), tf.constant(labels)))
    assert np.isfinite([float(value) for value in logs.values()]).all()
    after = [variable.numpy() for variable in model.trainable_variables]
    assert any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_encoder_fools_both_discriminators():
    model = on_the_line({"generator": 0.1}, style=(2.0,), classes=(1.0, 0.0, 0.0))
    logs = model.train_step((tf.zeros((2, 4)), tf.constant([-1, -1])))
    expected = np.log(2.0) + np.log1p(np.exp(-1 / 3))
    assert float(logs["generator_loss"]) == pytest.approx(expected, abs=1e-6)
    moved = offset(model.encoder)
    # d softplus(-2 z) / dz = -1 at 0; the class that its judge takes for real gains on the others.
    assert moved[3] == pytest.approx(0.1, abs=1e-6)
    assert moved[0] > 0.0 > moved[1] == pytest.approx(moved[2])
    model = on_the_line({"generator": 0.1}, style=(2.0,), classes=(1.0, 0.0, 0.0))
    model.adversarial_weight = 0.0
    model.train_step((tf.zeros((2, 4)), tf.constant([-1, -1])))
    assert not offset(model.encoder).any()


def test_the_class_discriminator_takes_one_hot_vectors_for_real():
    model = on_the_line({"class_discriminator": 0.1}, classes=(0.0, 0.0, 0.0))
    # Codes of the first class alone, where the prior has a third of each.
    rows = tf.constant([[50.0, 0.0, 0.0, 0.0]] * 3000)
    logs = model.train_step((rows, tf.fill((3000,), -1)))
    assert float(logs["class_discriminator_loss"]) == pytest.approx(2 * np.log(2.0), abs=1e-5)
    # At w = 0 the gradient is (E y - E p) / 2 = (1 - 1/3, -1/3, -1/3) / 2.
    weights = model.class_discriminator.trainable_variables[0].numpy()[:, 0]
    np.testing.assert_allclose(weights, [-0.1 / 3, 0.1 / 6, 0.1 / 6], atol=0.002)


def test_a_latent_without_a_style_is_refused():
    with pytest.raises(UserError, match="latent_dim is 4 or more. Received: 3"):
        small_model("semi_supervised_aae", latent_dim=3)


def test_another_prior_is_refused():
    model = small_model("semi_supervised_aae")
    networks = [getattr(model, name) for name in model.network_names()]
    with pytest.raises(UserError, match="prior of 3 classes is 'categorical_3'. Received: 'normal'"):
        kg.schemes.SemiSupervisedAAE(*networks, class_count=3, latent_prior="normal")


def test_a_gaussian_posterior_is_refused():
    shape = IMAGE_SHAPE
    with pytest.raises(UserError, match="deterministic posterior. Received: 'gaussian'"):
        kg.schemes.SemiSupervisedAAE(
            kg.networks.mlp_encoder(shape, 5, posterior="gaussian"),
            kg.networks.mlp_generator(shape, 5),
            kg.networks.mlp_discriminator((2,)),
            kg.networks.mlp_discriminator((3,)),
            class_count=3,
        )


def test_a_prior_without_room_for_a_style_is_refused():
    with pytest.raises(UserError, match="latents of size 11 or more. Received: 10"):
        kg.latent.draw_latents(2, 10, tf.constant([1, 2]), "categorical_10")


def test_without_a_label_there_is_no_class_to_learn(monkeypatch):
    """A mean over all rows would take the label of a row that has none for class 0."""
    model = small_model("semi_supervised_aae")
    logits = np.log(np.array([[1, 2, 1], [8, 1, 1], [8, 1, 1], [1, 1, 6]], "float32"))
    monkeypatch.setattr(type(model), "class_logits", lambda self, samples: tf.constant(logits))
    real = tf.constant(images(4))
    loss, curves = model.classification_loss(real, tf.constant([-1, -1, -1, -1], tf.int64))
    assert float(loss) == 0.0 and float(curves["labelled_accuracy"]) == 0.0
    loss, curves = model.classification_loss(real, tf.constant([1, -1, -1, 0], tf.int64))
    # Of the two rows with a label the one is right, with a probability of 2/4, and the other has 1/8.
    assert float(loss) == pytest.approx((np.log(2) + np.log(8)) / 2, rel=1e-5)
    assert float(curves["labelled_accuracy"]) == 0.5
