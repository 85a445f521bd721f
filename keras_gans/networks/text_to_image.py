"""Convolutional networks that take the code of a text.

Reed et al., "Generative Adversarial Text to Image Synthesis" (2016).
"""

from collections.abc import Iterator, Sequence

import keras
from keras import layers, ops

from keras_gans.errors import UserError, unknown_name
from keras_gans.networks.blocks import Blocks
from keras_gans.networks.builders import builder
from keras_gans.networks.labels import CONDITIONINGS
from keras_gans.networks.sizes import doublings_of

# From 4 pixels, 7 for MNIST's and 2 for the smallest.
DOUBLINGS = {4: 1, 8: 1, 16: 2, 28: 2, 32: 3, 64: 4, 128: 5}

_TEXT_UNITS = 128


def code_input(embedding_dim: int) -> keras.KerasTensor:
    """The network input of a text's code, (batch, embedding_dim)."""
    return keras.Input((embedding_dim,), name="code")


def joined(features: keras.KerasTensor, vector: keras.KerasTensor) -> keras.KerasTensor:
    """Feature maps (batch, height, width, channels) with a vector (batch, d) beside each pixel's channels."""
    height, width = features.shape[1:3]
    tiled = layers.Reshape((height, width, vector.shape[-1]))(layers.RepeatVector(height * width)(vector))
    return layers.Concatenate()([features, tiled])


def halved(x: keras.KerasTensor, count: int, base_filters: int, blocks: Blocks) -> keras.KerasTensor:
    """Stride-2 convolutions, each with twice the filters; what the first gives is not normalized."""
    for stage in range(count):
        here = blocks if stage else blocks.without_normalization_of_outputs()
        x = here.hidden(here.convolution(base_filters * 2**stage, 4, strides=2)(x))
    return x


def scored_with_text(
    features: keras.KerasTensor,
    codes: keras.KerasTensor,
    text_units: int,
    blocks: Blocks,
    joint_filters: int = 0,
) -> keras.KerasTensor:
    """The raw score (batch, 1) of the last feature maps and a text: joined, a 1x1 convolution, and one over all pixels.

    Reed et al. (2016), section 4.1. `joint_filters` of 0 are as many as the feature maps have.
    """
    projected = blocks.hidden(blocks.dense(text_units)(codes))
    x = joined(features, projected)
    x = blocks.hidden(blocks.convolution(joint_filters or features.shape[-1], 1)(x))
    return blocks.dense(1, hidden=False, dtype="float32", name="score")(layers.Flatten()(x))


def check_conditioning(conditioning: str) -> None:
    """Raises a `UserError` unless it is one of the ways in which a label, or a text, enters a network."""
    if conditioning not in CONDITIONINGS:
        raise unknown_name("conditioning", conditioning, CONDITIONINGS)


def projected_with_text(features: keras.KerasTensor, codes: keras.KerasTensor, blocks: Blocks) -> keras.KerasTensor:
    """The raw score (batch, 1) of the last feature maps phi and a text's code t: b(phi) + <V phi, t> / sqrt(d).

    Miyato and Koyama, "cGANs with Projection Discriminator" (2018), equation 3, with the code, of d numbers, in the
    place of a class's one-hot vector, and with all pixels of phi.
    """
    flat = layers.Flatten()(features)
    alone = blocks.dense(1, hidden=False, dtype="float32", name="unconditional_score")(flat)
    wanted = blocks.dense(codes.shape[-1], hidden=False, dtype="float32", name="projection")(flat)
    agreement = layers.Dot(axes=1, dtype="float32")([wanted, codes])
    agreement = layers.Rescaling(codes.shape[-1] ** -0.5, dtype="float32")(agreement)
    return layers.Add(dtype="float32", name="score")([alone, agreement])


@builder("text_to_image_generator")
def text_to_image_generator(
    sample_shape: Sequence[int],
    latent_dim: int = 100,
    embedding_dim: int = 64,
    base_filters: int = 64,
    text_units: int = _TEXT_UNITS,
    text_in_blocks: bool = False,
    upsampling: str = "nearest",
    normalization: str | None = "batch",
    activation: str = "relu",
) -> keras.Model:
    """The generator of Reed et al. (2016): DCGAN's, of a latent joined with the projected code of a text.

    Args:
        sample_shape: (height, width, channels), square, 8, 16, 28, 32, 64 or 128 pixels.
        latent_dim: size of a latent.
        embedding_dim: size of a code.
        base_filters: filters of the last hidden layer, doubled in each layer below it; the paper's is 128 at 64 pixels.
        text_units: size of the projection, 128 in the paper.
        text_in_blocks: whether the projection also sets gain and offset of each channel of all hidden layers, see
            `modulated`: what a text says of a shape is then said once for all places of the picture, and not learned
            for each of those of the first feature maps apart. False in the paper.
        upsampling: "nearest", "bilinear" or "subpixel", or "deconv" as in the paper; see `layers.Upsample2D`.
        normalization: "batch" as in the paper, or another, see `blocks.Blocks`, as for the next.
        activation: of the hidden layers.

    Returns:
        keras.Model: [latents (batch, latent_dim), codes (batch, embedding_dim)] -> (batch, *sample_shape), float32 in
        [-1, 1].

    Raises:
        UserError: a size that the network cannot make, or no such choice.
    """
    count, start = doublings_of(sample_shape, DOUBLINGS, "text_to_image_generator")
    latents, codes = keras.Input((latent_dim,), name="z"), code_input(embedding_dim)
    projected = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(text_units)(codes))
    asked = branches(projected, count + 1 if text_in_blocks else 0)
    images = doubled(
        layers.Concatenate()([latents, next(asked)]),
        sample_shape[2],
        (start, count, base_filters),
        upsampling,
        Blocks(normalization, activation),
        asked if text_in_blocks else None,
    )
    return keras.Model([latents, codes], images, name="generator")


def branches(vector: keras.KerasTensor, modulations: int) -> Iterator[keras.KerasTensor]:
    """A vector (batch, d) for one that takes it as it is, and two more for each of so many that are `modulated` by it.

    They are slices of one repeated vector, whose gradient is their sum in one order. Of several users of one tensor
    TensorFlow's optimizer of graphs chooses the order, another one in a run that goes on than in the unbroken one,
    which would then end in other bits.
    """
    if not modulations:
        return iter([vector])
    count = 1 + 2 * modulations
    return iter(ops.unstack(layers.RepeatVector(count)(vector), count, axis=1))


def modulated(x: keras.KerasTensor, condition: Iterator[keras.KerasTensor]) -> keras.KerasTensor:
    """Each channel of feature maps times a gain plus an offset, both linear in a vector; a gain near 1 to begin with.

    Perez et al., "FiLM: Visual Reasoning with a General Conditioning Layer" (2018), equation 2.

    Args:
        x: (batch, height, width, channels).
        condition: `branches` of (batch, d), of which two are taken.
    """
    channels = x.shape[-1]
    small = keras.initializers.RandomNormal(stddev=0.02)
    gain, offset = (
        layers.Reshape((1, 1, channels))(
            layers.Dense(channels, kernel_initializer=small.clone(), bias_initializer=beginning)(next(condition))
        )
        for beginning in ("ones", "zeros")
    )
    return layers.Add()([layers.Multiply()([x, gain]), offset])


def hidden(x: keras.KerasTensor, condition: Iterator[keras.KerasTensor] | None, blocks: Blocks) -> keras.KerasTensor:
    """What a linear layer gives, normalized, `modulated` by a condition if there is one, and activated."""
    x = blocks.normalized(x)
    return blocks.activated(x if condition is None else modulated(x, condition))


def doubled(
    vector: keras.KerasTensor,
    channels: int,
    sizes: tuple[int, int, int],
    upsampling: str,
    blocks: Blocks,
    condition: Iterator[keras.KerasTensor] | None = None,
) -> keras.KerasTensor:
    """Images in [-1, 1] of a vector: a projection to small feature maps, and doublings.

    Args:
        vector: (batch, d).
        channels: of the images.
        sizes: (pixels of the first feature maps, doublings, filters after the last one).
        upsampling: see `layers.Upsample2D`.
        blocks: of the hidden layers.
        condition: `branches` of what sets gain and offset of each of their channels, (batch, d), or None.
    """

    start, count, base_filters = sizes
    filters = [base_filters * 2 ** (count - stage) for stage in range(count + 1)]
    x = blocks.dense(start * start * filters[0])(vector)
    x = hidden(layers.Reshape((start, start, filters[0]))(x), condition, blocks)
    for stage_filters in filters[1:]:
        x = hidden(blocks.upsampling(stage_filters, upsampling)(x), condition, blocks)
    x = blocks.convolution(channels, 3, hidden=False)(x)
    return layers.Activation("tanh", dtype="float32", name="image")(x)


@builder("text_to_image_discriminator")
def text_to_image_discriminator(
    sample_shape: Sequence[int],
    embedding_dim: int = 64,
    base_filters: int = 64,
    text_units: int | None = None,
    stem_filters: int = 0,
    joint_filters: int = 0,
    conditioning: str = "concat",
    normalization: str | None = "batch",
    activation: str = "leaky_relu",
) -> keras.Model:
    """The discriminator of Reed et al. (2016): the text's code is projected, tiled and joined at the last feature maps.

    Or, with `conditioning="projection"`, multiplied with what the image gives: see `projected_with_text`.

    Args:
        sample_shape: as for `text_to_image_generator`.
        embedding_dim: size of a code.
        base_filters: filters of the first layer, doubled in each further one; 64 in the paper.
        text_units: size of the text's projection, of "concat" alone; 128, as in the paper, unless given.
        stem_filters: filters of a 3x3 convolution before the first halving, for what is only a few pixels wide; 0 for
            none, as in the paper.
        joint_filters: filters of the 1x1 convolution over image and text, where they are told to belong together; 0
            for as many as the last feature maps have, as in the paper; of "concat" alone.
        conditioning: how the text enters: "concat" as in the paper, or "projection" (Miyato and Koyama, 2018), which
            tells texts apart that differ in little after a fraction of the steps.
        normalization: "batch" in all layers but the first, as in the paper; "layer" or None for a gradient penalty; or
            another, see `blocks.Blocks`, as for the next.
        activation: of the hidden layers.

    Returns:
        keras.Model: [images (batch, *sample_shape), codes (batch, embedding_dim)] -> (batch, 1), float32 raw scores.

    Raises:
        UserError: a size that the network cannot take, or no such choice.
    """
    count, _ = doublings_of(sample_shape, DOUBLINGS, "text_to_image_discriminator")
    check_conditioning(conditioning)
    if conditioning == "projection" and (joint_filters or text_units is not None):
        raise UserError(
            "conditioning='projection' joins image and text by a product alone: leave text_units out and joint_filters "
            f"at 0. Received: text_units={text_units!r}, joint_filters={joint_filters!r}."
        )
    images, codes = keras.Input(tuple(sample_shape), name="image"), code_input(embedding_dim)
    blocks, x = Blocks(normalization, activation), images
    if stem_filters:
        x = blocks.activated(blocks.without_normalization_of_outputs().convolution(stem_filters, 3)(x))
    x = halved(x, count, base_filters, blocks)
    if conditioning == "projection":
        score = projected_with_text(x, codes, blocks)
    else:
        score = scored_with_text(x, codes, text_units or _TEXT_UNITS, blocks, joint_filters)
    return keras.Model([images, codes], score, name="discriminator")
