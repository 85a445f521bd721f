"""Shapes, ranges and the papers' architectures."""

import keras
import numpy as np
import pytest

from keras_gans import networks
from keras_gans.errors import UserError
from keras_gans.layers import BatchNormalization, ClassEmbedding, SpectralNormalization, WeightNormalizedDense
from keras_gans.networks.blocks import NORMALIZATIONS, Blocks
from keras_gans.networks.dcgan import SIZES


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("family", "channels"), [("dcgan", 1), ("dcgan", 3), ("dcgan", 4), ("resnet", 3)])
def test_convolutions_make_every_size(size, family, channels):
    shape = (size, size, channels)
    generator = getattr(networks, f"{family}_generator")(shape, latent_dim=5, base_filters=2)
    discriminator = getattr(networks, f"{family}_discriminator")(shape, base_filters=2)
    images = generator(np.random.default_rng(0).normal(size=(2, 5)).astype("float32"))
    assert images.shape == (2, *shape)
    assert discriminator(images).shape == (2, 1)


def test_dcgan_at_64_is_the_papers_figure_1():
    generator = networks.dcgan_generator((64, 64, 3), latent_dim=100, base_filters=128)
    widths = [layer.output.shape[1:] for layer in generator.layers if isinstance(layer, keras.layers.ReLU)]
    assert widths == [(4, 4, 1024), (8, 8, 512), (16, 16, 256), (32, 32, 128)]
    discriminator = networks.dcgan_discriminator((64, 64, 3), base_filters=128)
    widths = [layer.output.shape[-1] for layer in discriminator.layers if isinstance(layer, keras.layers.Conv2D)]
    assert widths == [128, 256, 512, 1024]
    slopes = {layer.negative_slope for layer in discriminator.layers if isinstance(layer, keras.layers.LeakyReLU)}
    assert slopes == {0.2}


def test_the_residual_networks_at_32_are_sngans_table_4():
    generator = networks.resnet_generator((32, 32, 3), latent_dim=128, base_filters=256)
    sums = [layer.output.shape[1:] for layer in generator.layers if isinstance(layer, keras.layers.Add)]
    assert sums == [(8, 8, 256), (16, 16, 256), (32, 32, 256)]
    # 3 blocks of two convolutions and a shortcut, a gain and an offset at each of 7 places, the ends; biases only where
    # no normalization follows.
    blocks = 3 * (2 * 9 * 256 * 256 + 256 * 256) + 7 * 2 * 256
    ends = 128 * 16 * 256 + 9 * 256 * 3 + 3
    assert sum(np.prod(weight.shape) for weight in generator.trainable_weights) == blocks + ends
    discriminator = networks.resnet_discriminator((32, 32, 3), base_filters=128)
    sums = [layer.output.shape[1:] for layer in discriminator.layers if isinstance(layer, keras.layers.Add)]
    assert sums == [(16, 16, 128), (8, 8, 128), (8, 8, 128), (8, 8, 128)]
    inner = 9 * 3 * 128 + 7 * 9 * 128 * 128 + 8 * 128
    shortcuts = 3 * 128 + 128 * 128 + 2 * 128
    assert sum(np.prod(weight.shape) for weight in discriminator.trainable_weights) == inner + shortcuts + 129


def test_a_residual_block_without_its_convolutions_is_its_shortcut():
    generator = networks.resnet_generator((8, 8, 1), latent_dim=3, base_filters=4, normalization=None)
    two_wide = [layer for layer in generator.layers if getattr(layer, "kernel_size", None) in (3, (3, 3))]
    for layer in two_wide[:-1]:
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    images = generator(np.random.default_rng(0).normal(size=(5, 3)).astype("float32"))
    # Two doublings of pixels that shortcuts repeat; only the last convolution looks beyond a square of four.
    assert np.ptp(images[:, 1:3, 1:3], axis=(1, 2)).max() < 1e-6 < np.std(images)


def test_a_residual_score_is_of_features_summed_over_the_image():
    discriminator = networks.resnet_discriminator((8, 8, 1), base_filters=4, head="features", normalization=None)
    images = np.random.default_rng(0).normal(size=(5, 8, 8, 1)).astype("float32")
    score, features = discriminator(images)
    last = [layer for layer in discriminator.layers if isinstance(layer, keras.layers.ReLU)][-1]
    summed = keras.Model(discriminator.inputs, last.output)(images).numpy().sum(axis=(1, 2))
    np.testing.assert_allclose(features, summed, rtol=1e-5)
    kernel, bias = discriminator.get_layer("score").get_weights()
    np.testing.assert_allclose(score, summed @ kernel + bias, rtol=1e-5)


def test_dcgan_normalizes_all_but_the_generators_output_and_the_discriminators_input():
    generator = networks.dcgan_generator((32, 32, 3), base_filters=4)
    discriminator = networks.dcgan_discriminator((32, 32, 3), base_filters=4)
    assert sum(isinstance(layer, BatchNormalization) for layer in generator.layers) == 3
    assert sum(isinstance(layer, BatchNormalization) for layer in discriminator.layers) == 2
    convolutions = [layer for layer in discriminator.layers if isinstance(layer, keras.layers.Conv2D)]
    # A bias next to a normalization is lost in it.
    assert [layer.use_bias for layer in convolutions] == [True, False, False]
    assert np.std(convolutions[2].kernel) == pytest.approx(0.02, rel=0.1)


def test_a_hidden_layer_at_full_size_is_made_into_the_image_by_a_convolution():
    generator = networks.dcgan_generator((28, 28, 3), base_filters=4, full_size_filters=5)
    *_, convolution, image = generator.layers
    assert isinstance(convolution, keras.layers.Conv2D) and convolution.kernel.shape == (3, 3, 5, 3)
    assert convolution.input.shape == (None, 28, 28, 5) and convolution.use_bias and image.name == "image"
    # What it convolves is normalized and rectified, as in the other hidden layers.
    hidden = keras.Model(generator.inputs, convolution.input)(np.ones((2, 64), np.float32))
    assert np.min(hidden) == 0.0
    assert sum(isinstance(layer, BatchNormalization) for layer in generator.layers) == 3


def how_far_from_a_sum(discriminator):
    """What two distant parts of 28x28 pixels change in a score together, without what each changes: a share of that."""
    for kernel in discriminator.trainable_weights:
        kernel.assign(10.0 * kernel)
    rng = np.random.default_rng(0)
    images = np.zeros((4, 28, 28, 1), np.float32)
    images[2:, :4, :4] = rng.uniform(-1.0, 1.0, (4, 4, 1))
    images[1::2, -4:, -4:] = rng.uniform(-1.0, 1.0, (4, 4, 1))
    neither, last, first, both = np.asarray(discriminator(images), np.float64)[:, 0]
    alone = min(abs(last - neither), abs(first - neither))
    assert alone > 1e-3
    return abs((both - neither) - (last - neither) - (first - neither)) / alone


def test_a_dense_layer_lets_the_score_be_more_than_a_sum_over_parts():
    keras.utils.set_random_seed(0)
    parts = networks.dcgan_discriminator((28, 28, 1), base_filters=8, normalization=None)
    whole = networks.dcgan_discriminator((28, 28, 1), base_filters=8, normalization=None, hidden_units=(32, 16))
    assert how_far_from_a_sum(parts) < 1e-3 < 1e-2 < how_far_from_a_sum(whole)
    assert [layer.units for layer in whole.layers if isinstance(layer, keras.layers.Dense)] == [32, 16, 1]
    features = networks.dcgan_discriminator((28, 28, 1), base_filters=8, head="features", hidden_units=(32,))
    assert [output.shape for output in features.outputs] == [(None, 1), (None, 32)]


def test_a_critic_for_the_gradient_penalty_keeps_samples_apart():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(4, 16, 16, 1)).astype("float32")
    for normalization in ("layer", None):
        critic = networks.dcgan_discriminator((16, 16, 1), base_filters=4, normalization=normalization)
        np.testing.assert_allclose(critic(images, training=True)[:1], critic(images[:1], training=True), atol=1e-5)
    critic = networks.dcgan_discriminator((16, 16, 1), base_filters=4, normalization="batch")
    assert np.abs(critic(images, training=True)[:1] - critic(images[:1], training=True)).max() > 1e-4


def test_the_lectures_perceptron():
    generator = networks.mlp_generator((28, 28, 1))
    discriminator = networks.mlp_discriminator((28, 28, 1))
    assert [layer.units for layer in generator.layers if isinstance(layer, keras.layers.Dense)] == [128, 784]
    assert generator.input_shape == (None, 100)
    assert [layer.units for layer in discriminator.layers if isinstance(layer, keras.layers.Dense)] == [128, 1]


def test_images_are_bounded_and_points_are_not():
    latents = 100.0 * np.random.default_rng(0).normal(size=(64, 100)).astype("float32")
    images = np.asarray(networks.mlp_generator((8, 8, 1))(latents))
    points = np.asarray(networks.mlp_generator((2,), output_activation=None)(latents))
    assert np.abs(images).max() <= 1.0 and np.abs(points).max() > 5.0
    assert points.shape == (64, 2)


@pytest.mark.parametrize("build", [networks.mlp_discriminator, networks.dcgan_discriminator])
def test_scores_are_raw(build):
    scores = build((8, 8, 1))(1000.0 * np.random.default_rng(0).normal(size=(64, 8, 8, 1)).astype("float32"))
    assert np.abs(scores).max() > 1.0, "a sigmoid or tanh at the end would bound the scores"


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_outputs_are_float32_under_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        built = [
            networks.mlp_generator((8, 8, 1)),
            networks.mlp_discriminator((8, 8, 1)),
            networks.dcgan_generator((8, 8, 1)),
            networks.dcgan_discriminator((8, 8, 1)),
        ]
    finally:
        keras.config.set_dtype_policy("float32")
    for network in built:
        assert network.output.dtype == "float32"
        hidden = [layer for layer in network.layers if isinstance(layer, (keras.layers.Dense, keras.layers.Conv2D))]
        assert hidden[0].compute_dtype == policy.removeprefix("mixed_")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: networks.dcgan_generator((20, 20, 3)), r"20, 20, 3.*image-size"),
        (lambda: networks.dcgan_generator((2,)), "of images, such as"),
        (lambda: networks.dcgan_discriminator((8, 8, 1), normalization="bach"), "'bach'.*Did you mean 'batch'"),
        (lambda: networks.mlp_generator((2,), normalization="layers"), "Unknown normalization 'layers'.*'layer'"),
        (lambda: networks.mlp_generator((2,), normalization="instance"), "a dense layer has one number in each"),
        (lambda: networks.dcgan_encoder((8, 8, 1), normalization="class_wise"), "sees the label by its conditioning"),
        (lambda: networks.mlp_autoencoder((2,), activation="swish"), "Unknown activation 'swish'"),
        (
            lambda: networks.mlp_discriminator((2,), normalization="batch", weight_normalization=True),
            "weight_normalization=True is normalization='weight'. Received: 'batch'",
        ),
        (lambda: networks.mlp_generator((2,), activation="rellu"), "Did you mean 'relu'"),
        (lambda: networks.dcgan_generator((8, 8, 1), upsampling="deconvolution"), "Did you mean 'deconv'"),
    ],
)
def test_mistakes_are_named(build, message):
    with pytest.raises(UserError, match=message):
        build()


@pytest.mark.parametrize("conditioning", ["concat", "projection"])
@pytest.mark.parametrize("build", [networks.mlp_generator, networks.dcgan_generator])
def test_a_conditional_generator_answers_to_the_label(build, conditioning):
    batch = {"normalization": "batch"} if build is networks.mlp_generator else {}
    generator = build((8, 8, 1), latent_dim=4, class_count=3, conditioning=conditioning, **batch)
    if conditioning == "projection":
        # At the start every class has the same offset and nearly the same gain.
        for layer in generator.layers:
            if isinstance(layer, ClassEmbedding):
                layer.embeddings.assign(np.arange(layer.embeddings.shape[0])[:, None] * np.ones(layer.embeddings.shape))
    latents = np.ones((3, 4), "float32")
    samples = generator([latents, np.arange(3)]).numpy()
    assert samples.shape == (3, 8, 8, 1)
    assert not np.allclose(samples[0], samples[1]) and not np.allclose(samples[1], samples[2])


def test_a_projection_discriminator_adds_the_class_vector_times_the_features():
    discriminator = networks.mlp_discriminator((2,), (4,), class_count=3, conditioning="projection")
    points, labels = np.random.default_rng(0).normal(size=(5, 2)).astype("float32"), np.array([0, 1, 2, 0, 1])
    features = keras.Model(discriminator.inputs[0], discriminator.get_layer("unconditional_score").input)(points)
    (embedding,) = [layer for layer in discriminator.layers if isinstance(layer, ClassEmbedding)]
    expected = (np.array(features) * np.array(embedding.embeddings)[labels]).sum(axis=1, keepdims=True)
    expected += np.array(discriminator.get_layer("unconditional_score")(features))
    np.testing.assert_allclose(discriminator([points, labels]), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build", [networks.mlp_discriminator, networks.dcgan_discriminator])
@pytest.mark.parametrize(
    ("head", "shapes"),
    [("auxiliary", [(2, 1), (2, 5)]), ("classes", [(2, 5), (2, None)]), ("classes_and_fake", [(2, 6), (2, None)])],
)
def test_heads_end_in_what_they_say(build, head, shapes):
    outputs = build((8, 8, 1), class_count=5, head=head)(np.zeros((2, 8, 8, 1), "float32"))
    assert all(
        wanted in (None, got)
        for output, shape in zip(outputs, shapes, strict=True)
        for got, wanted in zip(output.shape, shape, strict=True)
    )


BUILDERS = {
    "mlp_generator": (networks.mlp_generator, {"hidden_units": (6,)}),
    "mlp_discriminator": (networks.mlp_discriminator, {"hidden_units": (6,)}),
    "mlp_encoder": (networks.mlp_encoder, {"hidden_units": (6,)}),
    "mlp_autoencoder": (networks.mlp_autoencoder, {"hidden_units": (6,)}),
    "dcgan_generator": (networks.dcgan_generator, {"base_filters": 4}),
    "dcgan_generator at full size": (networks.dcgan_generator, {"base_filters": 4, "full_size_filters": 3}),
    "dcgan_discriminator": (networks.dcgan_discriminator, {"base_filters": 4}),
    "dcgan_encoder": (networks.dcgan_encoder, {"base_filters": 4}),
    "began_generator": (networks.began_generator, {"base_filters": 4}),
    "began_autoencoder": (networks.began_autoencoder, {"base_filters": 4}),
}
LINEAR = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2DTranspose)


@pytest.mark.parametrize("normalization", [None, *NORMALIZATIONS])
@pytest.mark.parametrize("name", BUILDERS)
def test_every_network_takes_every_normalization(name, normalization, tmp_path):
    build, options = BUILDERS[name]
    labelled = {"class_count": 3, "conditioning": "concat"} if normalization == "class_wise" else {}
    if name in ("mlp_encoder", "mlp_autoencoder", "dcgan_encoder", "began_generator", "began_autoencoder") and labelled:
        pytest.skip("sees no labels")
    if normalization == "instance" and name.startswith("mlp"):
        pytest.skip("of images")
    network = build((8, 8, 1), normalization=normalization, **options, **labelled)
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(4, *shape.shape[1:])).astype("float32") for shape in network.inputs[:1]]
    inputs += [np.arange(4) % 3] if labelled else []
    given = inputs if labelled else inputs[0]
    assert np.isfinite(network(given, training=True)).all()
    linear = [layer for layer in network._flatten_layers() if isinstance(layer, LINEAR)]
    normal = [layer for layer in network._flatten_layers() if "Normalization" in type(layer).__name__]
    if normalization is None:
        assert linear and not normal and all(layer.use_bias for layer in linear)
    elif normalization == "spectral":
        # Of every linear layer, the first and the last included.
        assert [layer.linear for layer in normal if isinstance(layer, SpectralNormalization)] == linear
    elif normalization == "weight":
        dense = [layer for layer in network._flatten_layers() if isinstance(layer, WeightNormalizedDense)]
        assert len(normal) == len(linear) and dense
    else:
        # A bias before a normalization is lost in it; what stands last, or first in a discriminator, has none.
        assert len(normal) == sum(not layer.use_bias for layer in linear) > 0
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(given, training=False), network(given, training=False))


@pytest.mark.parametrize(
    ("normalization", "axes"), [("layer", (1, 2, 3)), ("instance", (1, 2)), ("group", (1, 2, 4)), ("batch", (0, 1, 2))]
)
def test_what_each_normalization_takes_together(normalization, axes):
    x = keras.Input((5, 5, 8))
    normalize = keras.Model(x, Blocks(normalization).normalized(x))
    outputs = np.array(
        normalize(np.random.default_rng(0).normal(3.0, 2.0, (6, 5, 5, 8)).astype("float32"), training=True)
    )
    if normalization == "group":
        # Eight channels make four groups of two.
        outputs = outputs.reshape(6, 5, 5, 4, 2)
    np.testing.assert_allclose(outputs.mean(axis=axes), 0.0, atol=1e-4)
    np.testing.assert_allclose(outputs.std(axis=axes), 1.0, atol=1e-2)


def test_class_wise_normalization_goes_with_a_joined_label():
    generator = networks.mlp_generator((2,), normalization="class_wise", class_count=3, conditioning="concat")
    # A gain and an offset, and the label's embedding.
    assert sum(isinstance(layer, ClassEmbedding) for layer in generator.layers) == 3


@pytest.mark.parametrize("given", [{"weight_normalization": True}, {"normalization": "weight"}])
def test_the_former_name_of_weight_normalization_still_builds(given):
    discriminator = networks.mlp_discriminator((2,), (5,), **given)
    hidden, last = [layer for layer in discriminator.layers if isinstance(layer, WeightNormalizedDense)]
    assert (hidden.learned_scale, last.learned_scale) == (False, True)
