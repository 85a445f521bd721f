"""Packing and minibatch statistics, by hand."""

import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import UserError
from keras_gans.layers import MinibatchStandardDeviation, Packing


def test_a_pack_holds_its_samples_side_by_side():
    points = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])
    np.testing.assert_array_equal(Packing(2)(points), [[1, 2, 3, 4], [5, 6, 7, 8]])
    images = tf.reshape(tf.range(2 * 2 * 2 * 3, dtype=tf.float32), (2, 2, 2, 3))
    packed = Packing(2)(images)
    assert packed.shape == (1, 2, 2, 6)
    np.testing.assert_array_equal(packed[0, ..., :3], images[0])
    np.testing.assert_array_equal(packed[0, ..., 3:], images[1])


def test_the_standard_deviation_is_of_the_group_and_averaged_over_features():
    rows = tf.constant([[0.0, 1.0], [2.0, 1.0], [5.0, 5.0], [5.0, 5.0]])
    answer = MinibatchStandardDeviation(2)(rows).numpy()
    np.testing.assert_array_equal(answer[:, :2], rows)
    # Of {0, 2} it is 1, of {1, 1} it is 0: the mean is 1/2; the second group does not vary.
    np.testing.assert_allclose(answer[:, 2], [0.5, 0.5, 0.0, 0.0], atol=1e-3)
    images = MinibatchStandardDeviation(2)(tf.reshape(rows, (4, 1, 1, 2)))
    np.testing.assert_allclose(images[:, 0, 0, 2], [0.5, 0.5, 0.0, 0.0], atol=1e-3)


def test_equal_samples_have_a_finite_gradient():
    rows = tf.ones((4, 3))
    with tf.GradientTape() as tape:
        tape.watch(rows)
        total = tf.reduce_sum(MinibatchStandardDeviation(4)(rows))
    assert np.isfinite(tape.gradient(total, rows)).all()


@pytest.mark.parametrize("options", [{"packing": 2}, {"minibatch_standard_deviation": 2}])
def test_the_discriminator_sees_neighbours(options):
    network = kg.networks.mlp_discriminator((2,), **options)
    rows = np.random.default_rng(0).normal(size=(4, 2)).astype("float32")
    changed = rows.copy()
    changed[1] += 1.0
    before, after = network(rows).numpy(), network(changed).numpy()
    assert len(before) == 4 // options.get("packing", 1)
    assert before[0] != after[0], "row 0 is judged with row 1"
    assert before[-1] == after[-1], "the last row is not"


@pytest.mark.parametrize("options", [{"packing": 2}, {"minibatch_standard_deviation": 2}])
def test_two_replicas_group_as_one(options, two_replicas):
    rows = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    histories = []
    for scope in (tf.distribute.get_strategy().scope(), two_replicas.scope()):
        with scope:
            generator = kg.networks.mlp_generator((2,), 3, output_activation=None)
            generator.set_weights([np.full(w.shape, 0.1, "float32") for w in generator.weights])
            discriminator = kg.networks.mlp_discriminator((2,), **options)
            discriminator.set_weights([np.full(w.shape, 0.1, "float32") for w in discriminator.weights])
            model = kg.schemes.VanillaGAN(generator, discriminator)
            model.compile(optimizers={"generator": "sgd", "discriminator": "sgd"})
        dataset = tf.data.Dataset.from_tensors(rows).repeat()
        histories.append(model.fit(dataset, steps_per_epoch=3, verbose=0).history)
    for curve, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][curve], rtol=1e-4, atol=1e-6, err_msg=curve)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kg.networks.mlp_discriminator((2,), packing=0), "packing is a whole number from 1. Received: 0"),
        (
            lambda: kg.networks.mlp_discriminator((2,), minibatch_standard_deviation=1),
            "whole number from 2. Received: 1",
        ),
        (lambda: kg.networks.mlp_discriminator((2,), packing=2)(tf.zeros((3, 2))), "must divide by 2. Received: 3"),
        (
            lambda: kg.networks.mlp_discriminator((2,), packing=2, class_count=3, head="auxiliary"),
            "no one label.*head='auxiliary'",
        ),
        (
            lambda: kg.schemes.WGANGP(
                kg.networks.mlp_generator((2,), 3), kg.networks.mlp_discriminator((2,), packing=2)
            ),
            "Received one with Packing",
        ),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(UserError, match=message):
        make()
