"""The moving average of the generator's weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import UserError
from tests.small import BATCH, batch_for, images, small_model


def fit(model, steps):
    batch = batch_for(model, BATCH * model.batches_per_step())
    dataset = tf.data.Dataset.from_tensors(batch).repeat()
    keras.Model.fit(model, dataset, steps_per_epoch=steps, epochs=1, verbose=0)
    return model


def values(network):
    return [np.array(weight) for weight in network.weights]


def test_the_average_follows_the_recursion_with_its_warm_start():
    model = small_model("dcgan", rate=0.1, ema=0.9)
    expected = values(model.generator)
    for step in range(4):
        fit(model, 1)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = [decay * old + (1 - decay) * new for old, new in zip(expected, values(model.generator), strict=True)]
    for mean, want in zip(values(model.generator_average), expected, strict=True):
        np.testing.assert_allclose(mean, want, atol=1e-6)
    assert any(np.abs(a - b).max() > 1e-4 for a, b in zip(values(model.generator), expected, strict=True))


def test_samples_and_exports_are_the_averages(tmp_path):
    model = fit(small_model("gan", rate=0.1, ema=0.9), 3)
    latents = tf.random.stateless_normal((2, 6), (1, 2))
    np.testing.assert_array_equal(model(latents), model.generator_average(latents))
    assert not np.allclose(model(latents), model.generator(latents))
    model.export(tmp_path / "saved", verbose=False)
    served = tf.saved_model.load(tmp_path / "saved").signatures["serving_default"]
    np.testing.assert_allclose(served(z=latents)["image"], model(latents), atol=1e-6)


def test_no_player_moves_the_average_and_training_ignores_it():
    plain, averaged = fit(small_model("dcgan", rate=0.1), 3), fit(small_model("dcgan", rate=0.1, ema=0.99), 3)
    for first, second in zip(values(plain.generator), values(averaged.generator), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not averaged.generator_average.trainable_variables


def test_the_average_resumes_bit_for_bit(tmp_path):
    whole = fit(small_model("gan", rate=0.1, ema=0.9), 5)
    half = fit(small_model("gan", rate=0.1, ema=0.9), 2)
    half.save(tmp_path / "half.keras")
    resumed = fit(keras.saving.load_model(tmp_path / "half.keras"), 3)
    for first, second in zip(values(whole.generator_average), values(resumed.generator_average), strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_average_is_the_same_on_two_replicas(two_replicas):
    one = fit(small_model("dcgan", rate=0.05, ema=0.9), 3)
    with two_replicas.scope():
        model = small_model("dcgan", rate=0.05, ema=0.9)
    two = fit(model, 3)
    for first, second in zip(values(one.generator_average), values(two.generator_average), strict=True):
        np.testing.assert_allclose(first, second, atol=2e-5)


def test_the_semi_supervised_classifier_is_averaged_too():
    model = fit(small_model("sgan", rate=0.1, ema=0.9), 3)
    logits = model.discriminator_average(images(4))[0]
    np.testing.assert_allclose(model.classify(images(4)), tf.nn.softmax(logits), atol=1e-6)
    assert not np.allclose(logits, model.discriminator(images(4))[0])


@pytest.mark.parametrize("decay", [1.0, -0.1])
def test_a_decay_out_of_range_is_refused(decay):
    generator = kg.networks.mlp_generator((8, 8, 1), 6)
    with pytest.raises(UserError, match=f"such as 0.999.*Received: {decay}"):
        kg.schemes.VanillaGAN(generator, kg.networks.mlp_discriminator((8, 8, 1)), ema=decay)
