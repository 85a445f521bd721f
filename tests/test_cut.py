"""CUT: the contrast of patches by hand, what it is a function of, and whom its gradient reaches."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import losses
from keras_gans.engine.contrasting import at_places, features_of, sizes_of
from keras_gans.errors import UserError
from tests.small import small_model
from tests.test_cyclegan import images


def test_the_contrast_of_patches_by_hand():
    # Four orthogonal keys, each the query of its own place: log(1 + 3 e^(-1/tau)).
    keys = np.eye(4, dtype="float32")[np.newaxis]
    assert float(losses.patch_nce(keys, keys, 1.0)) == pytest.approx(np.log(1.0 + 3.0 * np.exp(-1.0)), rel=1e-6)
    assert float(losses.patch_nce(keys, keys, 0.07)) == pytest.approx(np.log1p(3.0 * np.exp(-1.0 / 0.07)), abs=1e-6)
    moved = np.roll(keys, 1, axis=1)
    assert float(losses.patch_nce(moved, keys, 1.0)) == pytest.approx(np.log(np.e + 3.0), rel=1e-6)
    alike = np.ones((2, 5, 4), "float32") / 2.0
    assert float(losses.patch_nce(alike, alike)) == pytest.approx(np.log(5.0), rel=1e-5)


def test_negatives_are_of_the_same_image():
    keys = np.eye(4, dtype="float32")
    both = np.stack([keys[:2], keys[2:]])
    assert float(losses.patch_nce(both, both, 1.0)) == pytest.approx(np.log(1.0 + np.exp(-1.0)), rel=1e-6)


def test_no_gradient_reaches_the_keys():
    queries, keys = (tf.Variable(images(2, seed, (3, 4))) for seed in (0, 1))
    with tf.GradientTape() as tape:
        loss = losses.patch_nce(queries, keys)
    of_queries, of_keys = tape.gradient(loss, [queries, keys])
    assert of_keys is None and np.abs(of_queries.numpy()).max() > 0


def test_the_features_are_of_the_half_that_does_not_enlarge():
    translator = kg.networks.resnet_translator((16, 16, 3), base_filters=4, blocks=2)
    features = features_of(translator)
    assert features.outputs[0].shape[1:] == (16, 16, 3), "the pixels themselves"
    assert sizes_of(features) == [256, 256, 16, 16, 16]
    assert not set(map(id, features.weights)) - set(map(id, translator.weights))
    places = tf.constant([0, 17, 255])
    np.testing.assert_array_equal(
        at_places(images(2, shape=(16, 16, 3)), places)[:, 1], images(2, shape=(16, 16, 3))[:, 1, 1]
    )


def test_a_translation_of_the_same_patches_has_less_contrast_than_one_of_others():
    model = small_model("cut")
    a = images(8)
    with kg.randomness.stream(kg.randomness.root_seed(0, 0)):
        same = float(model.contrast(tf.constant(a), tf.constant(a)))
    with kg.randomness.stream(kg.randomness.root_seed(0, 0)):
        other = float(model.contrast(tf.constant(a), tf.constant(a[::-1].copy())))
    assert same < 0.8 * other and other > np.log(16.0) * 0.8


def test_the_heads_move_with_the_generator_and_are_saved(tmp_path):
    model = small_model("cut")
    assert set(map(id, model.heads.trainable_variables)) <= set(map(id, model.variables_of("generator")))
    before = [np.array(v) for v in model.heads.trainable_variables]
    model.fit(tf.data.Dataset.from_tensors((images(8), images(8, 1))), verbose=0)
    after = [np.array(v) for v in model.heads.trainable_variables]
    assert all(not np.array_equal(*pair) for pair in zip(before[::2], after[::2], strict=True))
    model.save(tmp_path / "cut.keras")
    loaded = keras.saving.load_model(tmp_path / "cut.keras")
    for one, other in zip(after, loaded.heads.trainable_variables, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_does_not_fit_is_refused():
    grey, colour = (kg.networks.patch_discriminator((8, 8, channels), 4) for channels in (1, 3))
    with pytest.raises(UserError, match="discriminator_b is shown images"):
        kg.schemes.CUT(kg.networks.plain_translator((8, 8, 1)), colour)
    with pytest.raises(UserError, match="both collections in grey or both in colour"):
        kg.schemes.CUT(kg.networks.plain_translator((8, 8, 3), 1), grey)
    with pytest.raises(UserError, match="patches is a whole number from 1. Received: 0"):
        kg.schemes.CUT(kg.networks.plain_translator((8, 8, 1)), grey, patches=0)
    inputs = keras.Input((8, 8, 1))
    flat = keras.Model(inputs, keras.layers.Conv2D(1, 3, padding="same")(inputs))
    with pytest.raises(UserError, match="no hidden layer"):
        kg.schemes.CUT(flat, grey)
