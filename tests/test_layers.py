"""The layers against Keras's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import UserError
from keras_gans.layers import (
    BatchNormalization,
    ClassEmbedding,
    Dropout,
    GaussianNoise,
    InstanceNormalization,
    RandomAffine,
    ReflectionPadding2D,
    SpectralNormalization,
    Upsample2D,
    WeightNormalization,
    WeightNormalizedDense,
    advance_all,
    conditional_batch_normalization,
)

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
@pytest.mark.parametrize("learned", [{}, {"center": False, "scale": False}, {"scale": False}])
def test_fused_normalization_equals_keras(shape, learned):
    inputs = np.random.default_rng(1).normal(2.0, 3.0, shape).astype("float32")
    ours, keras_layer = pair(shape, **learned)
    for first, second in zip(outcome(ours, inputs), outcome(keras_layer, inputs), strict=True):
        np.testing.assert_allclose(first, second, rtol=2e-4, atol=2e-4)
    np.testing.assert_allclose(ours(inputs), keras_layer(inputs), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("learned", [{}, {"center": False, "scale": False}])
def test_the_fused_kernel_is_what_runs(learned):
    layer = BatchNormalization(**learned)
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


def instance_pair(**arguments):
    """Our layer and Keras's, with the same weights."""
    ours = InstanceNormalization(**arguments)
    keras_layer = keras.layers.GroupNormalization(groups=-1, epsilon=1e-5, **arguments)
    for layer in (ours, keras_layer):
        layer.build((None, 6, 5, 3))
    values = [np.random.default_rng(0).uniform(0.5, 2.0, variable.shape) for variable in ours.weights]
    for layer in (ours, keras_layer):
        layer.set_weights(values)
    return ours, keras_layer


def first_and_second_gradients(function, inputs, variables):
    """The outputs, their gradients, and those of a penalty on the gradient towards the inputs."""
    inputs = tf.convert_to_tensor(inputs)
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(inputs)
            outputs = function(inputs)
            loss = tf.reduce_sum(tf.sin(outputs) + 0.1 * outputs**3)
        slopes = tape.gradient(loss, [inputs, *variables])
        penalty = tf.reduce_sum(tf.square(slopes[0]))
    return [outputs, *slopes, *outer.gradient(penalty, [inputs, *variables], unconnected_gradients="zero")]


@pytest.mark.parametrize("rows", [1, 3, 9])
@pytest.mark.parametrize("learned", [{}, {"center": False, "scale": False}])
def test_instance_normalization_equals_keras(rows, learned):
    inputs = np.random.default_rng(1).normal(2.0, 3.0, (rows, 6, 5, 3)).astype("float32")
    ours, keras_layer = instance_pair(**learned)
    found, expected = (
        first_and_second_gradients(function, inputs, [v.value for v in layer.trainable_variables])
        for layer, function in ((ours, lambda x: ours(x, training=True)), (keras_layer, keras_layer))
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(ours(inputs), keras_layer(inputs))
    # Statistics of an image are its own.
    alone = tf.concat([ours(image[np.newaxis], training=True) for image in inputs], axis=0)
    np.testing.assert_allclose(found[0], alone, atol=1e-5)


def operations_of(layer, shape):
    graph = tf.function(lambda x: layer(x, training=True)).get_concrete_function(tf.TensorSpec(shape)).graph
    return [operation.type for operation in graph.get_operations()]


def test_small_batches_of_images_are_normalized_by_the_fused_kernel():
    layer = instance_pair()[0]
    assert operations_of(layer, (2, 6, 5, 3)).count("FusedBatchNormV3") == 2
    assert not {"FusedBatchNormV3"} & {*operations_of(layer, (None, 6, 5, 3)), *operations_of(layer, (64, 6, 5, 3))}
    restored = InstanceNormalization.from_config(layer.get_config())
    assert restored.epsilon == 1e-5 and set(restored.get_config()) == set(layer.get_config())


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_instance_normalization_of_half_precision_has_statistics_in_float32(policy):
    layer = InstanceNormalization(dtype=policy)
    outputs = layer(np.random.default_rng(1).normal(2.0, 3.0, (2, 16, 16, 3)).astype("float32"), training=True)
    assert outputs.dtype == layer.compute_dtype and all(v.dtype == "float32" for v in layer.weights)
    outputs = np.asarray(tf.cast(outputs, tf.float32))
    np.testing.assert_allclose(outputs.mean(axis=(1, 2)), 0.0, atol=0.02)
    np.testing.assert_allclose(outputs.std(axis=(1, 2)), 1.0, atol=0.02)


@pytest.mark.parametrize(("size", "padding"), [((8, 9), 3), ((5, 4), 1), ((3, 3), 1), ((4, 5), 3), ((4, 4), 0)])
def test_reflection_in_training_is_tensorflows_padding(size, padding):
    """The smallest sizes for the copies, and one below them."""
    layer = ReflectionPadding2D(padding)
    inputs = np.random.default_rng(0).standard_normal((2, *size, 3)).astype("float32")
    sides = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
    found, expected = (
        first_and_second_gradients(function, inputs, [])
        for function in (lambda x: layer(x, training=True), lambda x: tf.pad(x, sides, mode="REFLECT"))
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(layer(inputs), expected[0])
    assert found[0].shape == layer.compute_output_shape(inputs.shape)
    has_padding = "MirrorPad" in operations_of(layer, (None, *size, 3))
    assert has_padding == (padding == 0 or min(size) < 2 * padding + 2)


def test_too_few_pixels_to_reflect_are_refused():
    with pytest.raises(UserError, match="A padding of 3 needs 4 pixels a side to reflect. Received: 3x8."):
        ReflectionPadding2D(3).build((None, 3, 8, 1))


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


@pytest.mark.parametrize("mode", ["deconv", "nearest", "bilinear", "subpixel"])
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


# Noise and dropout ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [GaussianNoise(0.5), Dropout(0.3)], ids=["noise", "dropout"])
def test_noise_is_a_function_of_the_steps_stream(layer):
    inputs = tf.ones((400, 50))

    def draw(step):
        with kg.randomness.stream(kg.randomness.root_seed(0, step)):
            return layer(inputs, training=True).numpy(), layer(inputs, training=True).numpy()

    first, second = draw(1)
    again, _ = draw(1)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second), "two calls of one step draw the same"
    assert not np.array_equal(first, draw(2)[0])
    np.testing.assert_array_equal(layer(inputs, training=False), inputs)


def test_noise_has_its_deviation_and_dropout_its_rate_and_mean():
    inputs = tf.ones((400, 500))
    noisy = GaussianNoise(0.5)(inputs, training=True).numpy()
    assert noisy.mean() == pytest.approx(1.0, abs=0.01) and noisy.std() == pytest.approx(0.5, abs=0.01)
    dropped = Dropout(0.3)(inputs, training=True).numpy()
    assert (dropped == 0).mean() == pytest.approx(0.3, abs=0.01)
    np.testing.assert_allclose(np.unique(dropped), [0.0, 1 / 0.7], rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"), [(lambda: GaussianNoise(-1.0), "Received: -1.0"), (lambda: Dropout(1.0), "Received: 1.0")]
)
def test_impossible_noise_is_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()


# Augmentation -----------------------------------------------------------------------------------------------------


def pictures(count=6, side=20, channels=2):
    """Smooth images of one blob each, away from the edges."""
    rng, grid = np.random.default_rng(0), np.arange(side) - (side - 1) / 2
    blobs = np.exp(-(grid[:, None] ** 2 + (grid[None, :] - 2.5) ** 2) / 4)
    return (blobs[None, :, :, None] * rng.uniform(0.5, 1.0, (count, 1, 1, channels))).astype("float32")


def test_augmentation_draws_for_each_image_from_the_steps_stream():
    images, layer = tf.constant(pictures()), RandomAffine(rotation=30, zoom=0.2, shear=0.2, translation=0.1)

    def draw(step):
        with kg.randomness.stream(kg.randomness.root_seed(0, step)):
            return layer(images, training=True).numpy()

    np.testing.assert_array_equal(draw(1), draw(1))
    assert not np.allclose(draw(1), draw(2), atol=0.01)
    np.testing.assert_array_equal(layer(images, training=False), images)
    moved = draw(1) / images.numpy().max(axis=(1, 2), keepdims=True)
    assert not np.allclose(moved[0], moved[1], atol=0.01), "two images of one batch moved alike"
    # The channels of one image move together.
    np.testing.assert_allclose(moved[..., 0], moved[..., 1], atol=1e-5)


def centre(images):
    """(across, down): the centre of mass of the first channel, in pixels from the middle; (batch, 2)."""
    mass = np.asarray(images)[..., 0]
    grid = np.arange(mass.shape[1]) - (mass.shape[1] - 1) / 2
    total = mass.sum(axis=(1, 2))
    return (
        np.stack([(mass.sum(axis=1) * grid).sum(axis=1), (mass.sum(axis=2) * grid).sum(axis=1)], axis=1)
        / total[:, None]
    )


def test_an_augmentation_moves_within_its_ranges():
    images = tf.constant(np.repeat(pictures(1), 300, axis=0))
    shifts = centre(RandomAffine(translation=0.1)(images, training=True)) - centre(images)
    # 0.1 of 20 pixels; a uniform draw's deviation is its range over the root of 3.
    assert 1.8 < np.abs(shifts).max() <= 2.05
    np.testing.assert_allclose(shifts.std(axis=0), 2 / np.sqrt(3), rtol=0.15)
    # A rotation keeps the distance from the middle, and turns by at most 40 degrees.
    turned = centre(RandomAffine(rotation=40)(images, training=True))
    np.testing.assert_allclose(np.hypot(*turned.T), np.hypot(*centre(images)[0]), rtol=0.1)
    angles = np.degrees(np.arctan2(turned[:, 1], turned[:, 0]))
    assert 35 < np.abs(angles).max() <= 42
    # Magnified by 1 / (1 - 0.5) at most and shrunk by 1 / 1.5.
    zoomed = centre(RandomAffine(zoom=0.5)(images, training=True))[:, 0] / centre(images)[0, 0]
    assert 0.6 < zoomed.min() < 0.75 and 1.5 < zoomed.max() < 2.05


def test_the_gradient_goes_through_an_augmentation_to_the_images():
    images = tf.constant(pictures())
    layer = RandomAffine(rotation=20, translation=0.1)
    with tf.GradientTape() as tape, kg.randomness.stream(kg.randomness.root_seed(0, 1)):
        tape.watch(images)
        total = tf.reduce_sum(layer(images, training=True))
    # The mass of a blob inside the image stays what it was, so that each of its pixels counts once.
    np.testing.assert_allclose(tape.gradient(total, images).numpy()[:, 8:12, 10:14], 1.0, atol=0.1)


def test_replicas_augment_as_one_device_would(two_replicas):
    images, layer = tf.constant(pictures(6)), RandomAffine(rotation=30)

    def moved(part):
        with kg.randomness.stream(kg.randomness.root_seed(0, 1)):
            return layer(part, training=True)

    halves = tf.split(images, 2)
    parts = two_replicas.run(
        lambda: moved(tf.stack(halves)[tf.distribute.get_replica_context().replica_id_in_sync_group])
    )
    joined = tf.concat(two_replicas.experimental_local_results(parts), axis=0)
    np.testing.assert_allclose(joined, moved(images), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rotation": -1}, "Received: -1"),
        ({"zoom": 1.0}, "below 1"),
        ({"shear": "much"}, "Received: 'much'"),
        ({}, "all are 0"),
    ],
)
def test_impossible_augmentations_are_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        RandomAffine(**arguments)


def test_real_and_generated_images_that_are_moved_go_through_a_discriminator_apart():
    # In one pass what a row draws would depend on how replicas share the rows.
    generator = kg.networks.dcgan_generator((8, 8, 1), 6, 4)
    passes = []
    for augmentation in (None, {"rotation": 15}):
        critic = kg.networks.dcgan_discriminator((8, 8, 1), 4, normalization=None, augmentation=augmentation)
        passes.append(kg.schemes.DCGAN(generator, critic)._one_pass)
    assert passes == [True, False]


def test_a_discriminator_names_the_augmentation_that_it_does_not_know():
    with pytest.raises(UserError, match="Did you mean 'rotation'"):
        kg.networks.dcgan_discriminator((8, 8, 1), base_filters=4, augmentation={"rotate": 15})


# Labels -----------------------------------------------------------------------------------------------------------


def test_a_class_embedding_is_a_row_of_its_table_with_a_dense_gradient():
    layer = ClassEmbedding(3, 2)
    labels = tf.constant([2, 0, 2])
    with tf.GradientTape() as tape:
        rows = layer(labels)
        total = tf.reduce_sum(rows)
    table = np.array(layer.embeddings)
    np.testing.assert_allclose(rows, table[[2, 0, 2]], rtol=1e-6)
    gradient = tape.gradient(total, layer.embeddings.value)
    assert isinstance(gradient, tf.Tensor)
    np.testing.assert_array_equal(gradient, [[1, 1], [0, 0], [2, 2]])


def test_conditional_batch_normalization_has_a_gain_and_an_offset_for_each_class():
    inputs, labels = keras.Input((4,)), keras.Input((), dtype="int64")
    network = keras.Model([inputs, labels], conditional_batch_normalization(inputs, labels, 2))
    embeddings = [layer for layer in network.layers if isinstance(layer, ClassEmbedding)]
    embeddings[0].embeddings.assign([[1.0] * 4, [3.0] * 4])
    embeddings[1].embeddings.assign([[0.0] * 4, [10.0] * 4])
    x = np.random.default_rng(0).normal(5.0, 2.0, (64, 4)).astype("float32")
    normal = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
    np.testing.assert_allclose(network([x, np.zeros(64, int)], training=True), normal, atol=1e-4)
    np.testing.assert_allclose(network([x, np.ones(64, int)], training=True), 3 * normal + 10, atol=1e-3)


# Weight normalization ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("learned", [False, True])
def test_weight_normalization_has_units_of_unit_length(learned):
    layer = WeightNormalizedDense(3, learned_scale=learned)
    layer.build((None, 5))
    layer.direction.assign(np.random.default_rng(0).normal(size=(5, 3)) * 7)
    if learned:
        layer.scale.assign([1.0, 2.0, 3.0])
    kernel = layer(np.eye(5, dtype="float32")).numpy()
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), [1, 2, 3] if learned else [1, 1, 1], rtol=1e-5)
    before = layer(np.eye(5, dtype="float32")).numpy()
    layer.direction.assign(5.0 * layer.direction)
    np.testing.assert_allclose(layer(np.eye(5, dtype="float32")), before, rtol=1e-5)


LINEAR = {
    "dense": (lambda: keras.layers.Dense(6), (9,)),
    "convolution": (lambda: keras.layers.Conv2D(6, 3, strides=2, padding="same"), (4, 4, 2)),
    "transposed": (lambda: Upsample2D(6, "deconv"), (4, 4, 2)),
    "subpixel": (lambda: Upsample2D(6, "subpixel"), (4, 4, 2)),
}


def channels_first(layer):
    """The layer's kernel with a row for each output channel."""
    kernel = np.array(layer.linear.kernel)
    if isinstance(layer.linear, keras.layers.Conv2DTranspose):
        kernel = np.swapaxes(kernel, 2, 3)
    return kernel.reshape(-1, kernel.shape[-1]).T


@pytest.mark.parametrize("kind", LINEAR)
def test_weight_normalization_gives_each_channel_a_learned_length(kind):
    make, shape = LINEAR[kind]
    layer = WeightNormalization(make())
    layer.build((None, *shape))
    scale = np.linspace(1.0, 2.0, layer.scale.shape[0])
    layer.scale.assign(scale)
    inputs = np.random.default_rng(0).normal(size=(5, *shape)).astype("float32")
    outputs = np.array(layer(inputs))
    # The layer by itself, with the kernel that is meant.
    lengths = np.linalg.norm(channels_first(layer), axis=1)
    factor = scale / lengths
    layer.linear.kernel.assign(layer.linear.kernel * (factor[:, None] if kind == "transposed" else factor))
    np.testing.assert_allclose(layer.layer(inputs), outputs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer(inputs), outputs, rtol=1e-4, atol=1e-5)


# Spectral normalization -------------------------------------------------------------------------------------------


def spectral(kind):
    make, shape = LINEAR[kind]
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape)
    network = keras.Model(inputs, SpectralNormalization(make())(inputs))
    (layer,) = [layer for layer in network.layers if isinstance(layer, SpectralNormalization)]
    return network, layer, np.random.default_rng(0).normal(size=(5, *shape)).astype("float32")


@pytest.mark.parametrize("kind", LINEAR)
def test_the_spectral_norm_is_the_largest_singular_value(kind):
    network, layer, inputs = spectral(kind)
    largest = np.linalg.svd(channels_first(layer), compute_uv=False)[0]
    assert 0.0 < float(layer.spectral_norm()) < 0.95 * largest, "one direction at random is not yet the singular one"
    for _ in range(200):
        advance_all(network)
    assert float(layer.spectral_norm()) == pytest.approx(largest, rel=1e-4)
    outputs = np.array(network(inputs, training=True))
    layer.linear.kernel.assign(layer.linear.kernel / largest)
    np.testing.assert_allclose(layer.layer(inputs), outputs, rtol=1e-3, atol=1e-5)


def test_a_forward_pass_changes_nothing_of_a_spectral_network():
    network, _, inputs = spectral("convolution")
    before = [np.array(weight) for weight in network.weights]
    network(inputs, training=True)
    network(inputs, training=False)
    for weight, value in zip(network.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)
    advance_all(network)
    pairs = zip(network.weights, before, strict=True)
    changed = [weight.path for weight, value in pairs if not np.array_equal(weight, value)]
    assert len(changed) == 1 and "singular_vector" in changed[0]


def test_the_gradient_goes_through_the_spectral_norm_with_its_direction_held():
    # Miyato et al. (2018), equation 12, of the sum of c y: (c x^T - (c^T W x / sigma) u v^T) / sigma.
    network, layer, _ = spectral("dense")
    rng = np.random.default_rng(1)
    x, c = rng.normal(size=(9,)).astype("float32"), rng.normal(size=(6,)).astype("float32")
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(c * network(x[None])[0])
    gradient = tape.gradient(total, layer.linear.kernel.value).numpy().T
    w, u = channels_first(layer), np.array(layer.singular_vector)
    u = u / np.linalg.norm(u)
    sigma = np.linalg.norm(w.T @ u)
    v = w.T @ u / sigma
    expected = (np.outer(c, x) - (c @ w @ x / sigma) * np.outer(u, v)) / sigma
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", LINEAR)
def test_a_spectral_layer_is_saved_and_computes_in_half_precision(kind, tmp_path):
    network, _, inputs = spectral(kind)
    network.save(tmp_path / "network.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "network.keras")(inputs), network(inputs))
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half, layer, _ = spectral(kind)
    finally:
        keras.config.set_dtype_policy("float32")
    assert layer.singular_vector.dtype == "float32" and half(inputs).dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(half(inputs), tf.float32), network(inputs), rtol=0.05, atol=0.05)
