"""The layers against Keras's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import UserError
from keras_gans.layers import BatchNormalization, Upsample2D

SHAPES = [(16, 5, 5, 3), (32, 7)]


def pair(shape, **arguments):
    """Our layer and Keras's, with the same weights."""
    ours = BatchNormalization(**arguments)
    keras_layer = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, **arguments)
    rng = np.random.default_rng(0)
    for layer in (ours, keras_layer):
        layer.build(shape)
    values = [rng.uniform(0.5, 2.0, variable.shape) for variable in ours.weights]
    for layer in (ours, keras_layer):
        layer.set_weights(values)
    return ours, keras_layer


def outcome(layer, inputs):
    """Output, gradients and moving statistics of one training call."""
    inputs = tf.convert_to_tensor(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
        loss = tf.reduce_sum(tf.sin(outputs) + 0.1 * outputs**3)
    gradients = tape.gradient(loss, [inputs, *(v.value for v in layer.trainable_variables)])
    return [outputs, *gradients, *layer.non_trainable_variables]


@pytest.mark.parametrize("shape", SHAPES)
def test_fused_normalization_equals_keras(shape):
    inputs = np.random.default_rng(1).normal(2.0, 3.0, shape).astype("float32")
    ours, keras_layer = pair(shape)
    for first, second in zip(outcome(ours, inputs), outcome(keras_layer, inputs), strict=True):
        np.testing.assert_allclose(first, second, rtol=2e-4, atol=2e-4)
    np.testing.assert_allclose(ours(inputs), keras_layer(inputs), rtol=1e-5, atol=1e-5)


def test_the_fused_kernel_is_what_runs():
    layer = BatchNormalization()
    layer.build((None, 4, 4, 2))
    graph = tf.function(lambda x: layer(x, training=True)).get_concrete_function(tf.TensorSpec((8, 4, 4, 2))).graph
    assert any("FusedBatchNorm" in operation.type for operation in graph.get_operations())


def test_a_frozen_layer_uses_its_moving_averages():
    layer, _ = pair((4, 3))
    layer.trainable = False
    before = [np.array(v) for v in layer.weights]
    inputs = np.random.default_rng(1).normal(5.0, 1.0, (4, 3)).astype("float32")
    np.testing.assert_allclose(layer(inputs, training=True), layer(inputs, training=False))
    for variable, value in zip(layer.weights, before, strict=True):
        np.testing.assert_array_equal(variable, value)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_in_and_out_with_statistics_in_float32(policy):
    layer = BatchNormalization(dtype=policy)
    inputs = np.random.default_rng(1).normal(2.0, 3.0, (64, 4, 4, 3)).astype("float32")
    outputs = layer(inputs, training=True)
    assert outputs.dtype == layer.compute_dtype
    assert all(v.dtype == "float32" for v in layer.weights)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * inputs.mean(axis=(0, 1, 2)), rtol=0.02)
    outputs = np.asarray(tf.cast(outputs, tf.float32))
    np.testing.assert_allclose(outputs.mean(axis=(0, 1, 2)), 0.0, atol=0.02)
    np.testing.assert_allclose(outputs.std(axis=(0, 1, 2)), 1.0, atol=0.02)


def test_replicas_share_the_statistics_of_the_global_batch(two_replicas):
    inputs = np.random.default_rng(1).normal(2.0, 3.0, (8, 2, 2, 3)).astype("float32")
    alone = BatchNormalization()
    expected = alone(inputs, training=True)
    with two_replicas.scope():
        layer = BatchNormalization()
        layer.build((None, 2, 2, 3))

    halves = tf.split(tf.constant(inputs), 2)
    shares = two_replicas.experimental_distribute_values_from_function(
        lambda context: halves[context.replica_id_in_sync_group]
    )

    @tf.function
    def step(share):
        return two_replicas.run(lambda half: layer(half, training=True), args=(share,))

    parts = two_replicas.experimental_local_results(step(shares))
    np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, alone.moving_variance, rtol=1e-5)


def test_normalization_round_trip():
    model = keras.Sequential([keras.Input((4,)), BatchNormalization(gamma_initializer="zeros")])
    copy = keras.Sequential.from_config(model.get_config())
    assert copy.layers[0].get_config() == model.layers[0].get_config()
    assert copy.layers[0].momentum == 0.9


@pytest.mark.parametrize("mode", ["deconv", "nearest", "bilinear"])
def test_upsampling_doubles_any_size(mode):
    for height, width, channels in ((4, 4, 3), (7, 5, 1)):
        layer = Upsample2D(6, mode)
        outputs = layer(np.zeros((2, height, width, channels), "float32"))
        assert outputs.shape == (2, 2 * height, 2 * width, 6)
        assert layer.compute_output_shape((None, height, width, channels)) == (None, 2 * height, 2 * width, 6)


def test_nearest_equals_upsampling2d_then_convolution():
    inputs = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    layer = Upsample2D(5, "nearest")
    outputs = layer(inputs)
    np.testing.assert_allclose(outputs, layer.convolution(keras.layers.UpSampling2D()(inputs)), atol=1e-6)


def test_resize_convolutions_draw_no_checkerboard_on_a_constant():
    # Odena et al.: on a constant input, only a deconvolution has energy at the stride's frequency.
    energy = {}
    for mode in ("deconv", "nearest", "bilinear"):
        outputs = Upsample2D(1, mode, kernel_initializer=keras.initializers.RandomNormal(stddev=1.0, seed=3))(
            np.ones((1, 12, 12, 1), "float32")
        )
        inner = np.asarray(outputs)[0, 6:-6, 6:-6, 0]
        energy[mode] = np.abs(inner[::2] - inner[1::2]).max() + np.abs(inner[:, ::2] - inner[:, 1::2]).max()
    assert energy["nearest"] < 1e-5 and energy["bilinear"] < 1e-5
    assert energy["deconv"] > 0.1


def test_an_unknown_mode_names_the_nearest():
    with pytest.raises(UserError, match="'bilinaer'.*Did you mean 'bilinear'"):
        Upsample2D(3, "bilinaer")
