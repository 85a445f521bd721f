"""Translators between images: ResNet, U-Net and the small pair of the digits; and the discriminator of patches.

Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (2017), appendix 7.2;
Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks" (2017), appendix 6.1.
"""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans.errors import UserError
from keras_gans.layers import Dropout, ReflectionPadding2D
from keras_gans.networks.blocks import Blocks
from keras_gans.networks.builders import builder

_KERNEL_INITIALIZER = {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.02}}


def _reflected(blocks, x, filters, kernel_size, hidden=True):
    """A convolution of stride 1 with reflection padding."""
    padded = ReflectionPadding2D(kernel_size // 2)(x)
    return blocks.convolution(filters, kernel_size, hidden=hidden, padding="valid")(padded)


def _as_image(blocks, x, output_channels, kernel_size):
    x = _reflected(blocks, x, output_channels, kernel_size, hidden=False)
    return layers.Activation("tanh", dtype="float32", name="translation")(x)


def _check_divides(sample_shape, halvings, network):
    height, width = sample_shape[:2]
    most = max(height, width).bit_length()
    if halvings > most:
        raise UserError(f"{network} halves {height}x{width} pixels {most} times at the most. Received: {halvings=}.")
    factor = 2**halvings
    if height % factor or width % factor or min(height, width) < 2 * factor:
        lower = max(2 * factor, height // factor * factor)
        raise UserError(
            f"{network} halves images and doubles them again: height and width are multiples of {factor}, of "
            f"{2 * factor} or more. Received: {height}x{width}; the nearest sizes are {lower} and {lower + factor}."
        )


@builder("resnet_translator", blocks=0, halvings=0)
def resnet_translator(
    sample_shape: Sequence[int],
    output_channels: int | None = None,
    base_filters: int = 64,
    blocks: int = 9,
    halvings: int = 2,
    upsampling: str = "deconv",
    normalization: str | None = "instance",
) -> keras.Model:
    """CycleGAN's generator: c7s1-64, d128, d256, residual blocks, u128, u64, c7s1-3 (appendix 7.2).

    Args:
        sample_shape: (height, width, channels) of the images to translate, multiples of 2 ** halvings.
        output_channels: of the translations; as many as the images have unless given.
        base_filters: of the first layer, doubled by each halving; the paper's is 64.
        blocks: residual blocks; the paper has 6 at 128 pixels and 9 at 256.
        halvings: of the size before the blocks; the paper's is 2.
        upsampling: "deconv" as in the paper, "nearest", "bilinear" or "subpixel", see `layers.Upsample2D`.
        normalization: "instance" as in the paper, another or None, see `blocks.Blocks`.

    Returns:
        keras.Model: (batch, height, width, channels) -> (batch, height, width, output_channels), float32 in [-1, 1].

    Raises:
        UserError: a size that does not divide.
    """
    _check_divides(sample_shape, halvings, "resnet_translator")
    blocks_of = Blocks(normalization, "relu", _KERNEL_INITIALIZER)
    images = keras.Input(tuple(sample_shape), name="image")
    x = blocks_of.hidden(_reflected(blocks_of, images, base_filters, 7))
    for stage in range(halvings):
        x = blocks_of.hidden(blocks_of.convolution(base_filters * 2 ** (stage + 1), 3, strides=2)(x))
    filters = base_filters * 2**halvings
    for _ in range(blocks):
        inner = blocks_of.hidden(_reflected(blocks_of, x, filters, 3))
        x = layers.Add()([x, blocks_of.normalized(_reflected(blocks_of, inner, filters, 3))])
    for stage in reversed(range(halvings)):
        x = blocks_of.hidden(blocks_of.upsampling(base_filters * 2**stage, upsampling)(x))
    return keras.Model(images, _as_image(blocks_of, x, output_channels or sample_shape[-1], 7), name="translator")


@builder("unet_translator")
def unet_translator(
    sample_shape: Sequence[int],
    output_channels: int | None = None,
    base_filters: int = 64,
    halvings: int | None = None,
    dropout: float = 0.0,
    upsampling: str = "deconv",
    normalization: str | None = "instance",
) -> keras.Model:
    """The U-Net of pix2pix: halvings down to a few pixels and doublings back, each joined with its mirror's features.

    Args:
        sample_shape: (height, width, channels) of the images to translate, multiples of 2 ** halvings.
        output_channels: of the translations; as many as the images have unless given.
        base_filters: of the first halving, doubled up to eight times as many; the paper's is 64.
        halvings: as many as leave one pixel in the paper; down to 2 pixels or more unless given.
        dropout: rate in the first three doublings, 0.5 in the paper, whose only noise it is.
        upsampling: see `layers.Upsample2D`.
        normalization: of all layers but the first and the innermost, see `blocks.Blocks`.

    Returns:
        keras.Model: (batch, height, width, channels) -> (batch, height, width, output_channels), float32 in [-1, 1].

    Raises:
        UserError: a size that does not divide.
    """
    side = min(sample_shape[:2])
    if halvings is None:
        counts = range(side.bit_length(), -1, -1)
        # An odd number of pixels cannot be halved, which the check says.
        halvings = next((count for count in counts if side % 2**count == 0 and side >> count > 1), 0) or 1
    _check_divides(sample_shape, halvings, "unet_translator")
    down = Blocks(normalization, "leaky_relu", _KERNEL_INITIALIZER)
    up = Blocks(normalization, "relu", _KERNEL_INITIALIZER)
    images = keras.Input(tuple(sample_shape), name="image")
    filters = [base_filters * min(8, 2**stage) for stage in range(halvings)]
    x, features = images, []
    for stage, count in enumerate(filters):
        # The first sees pixels, and the innermost has so few of them that normalized they would vanish.
        here = down if 0 < stage < halvings - 1 else down.without_normalization_of_outputs()
        x = here.normalized(here.convolution(count, 4, strides=2)(down.activated(x) if stage else x))
        features.append(x)
    for stage in reversed(range(halvings - 1)):
        x = up.normalized(up.upsampling(filters[stage], upsampling)(up.activated(x)))
        if dropout and stage >= halvings - 4:
            x = Dropout(dropout)(x)
        x = layers.Concatenate()([x, features[stage]])
    x = up.activated(up.upsampling(base_filters, upsampling, hidden=False)(up.activated(x)))
    return keras.Model(images, _as_image(up, x, output_channels or sample_shape[-1], 3), name="translator")


@builder("plain_translator", hidden_layers=0)
def plain_translator(
    sample_shape: Sequence[int],
    output_channels: int | None = None,
    base_filters: int = 24,
    hidden_layers: int = 3,
    normalization: str | None = None,
) -> keras.Model:
    """Convolutions 3x3 of stride 1 and nothing else: each pixel from its neighbourhood, for images of a few pixels.

    Args:
        sample_shape: (height, width, channels), any size.
        output_channels: of the translations; as many as the images have unless given.
        base_filters: of each hidden layer.
        hidden_layers: how many, before the one that gives the image.
        normalization: see `blocks.Blocks`.

    Returns:
        keras.Model: images -> images of the same size, float32 in [-1, 1].
    """
    blocks = Blocks(normalization, "leaky_relu")
    x = images = keras.Input(tuple(sample_shape), name="image")
    for _ in range(hidden_layers):
        x = blocks.hidden(blocks.convolution(base_filters, 3)(x))
    x = blocks.convolution(output_channels or sample_shape[-1], 3, hidden=False)(x)
    return keras.Model(images, layers.Activation("tanh", dtype="float32", name="translation")(x), name="translator")


@builder("patch_discriminator")
def patch_discriminator(
    sample_shape: Sequence[int],
    base_filters: int = 64,
    halvings: int | None = None,
    normalization: str | None = "instance",
) -> keras.Model:
    """PatchGAN: C64-C128-C256-C512 of 4x4 convolutions, each score of a patch of 70x70 pixels (appendix 7.2).

    Images below 128 pixels get fewer halvings, and so smaller patches: 34 pixels at 64, 16 at 28 and 32.

    Args:
        sample_shape: (height, width, channels).
        base_filters: of the first layer, doubled by each further one up to eight times as many; the paper's is 64.
        halvings: convolutions of stride 2; the paper's 3 at 128 pixels or more, else fewer, unless given.
        normalization: of all layers but the first and the last, see `blocks.Blocks`.

    Returns:
        keras.Model: images -> raw scores (batch, rows, columns, 1), float32.

    Raises:
        UserError: too many halvings for the size.
    """
    side = min(sample_shape[:2])
    if halvings is None:
        halvings = 3 if side >= 128 else 2 if side >= 48 else 1
    if side >> halvings < 3:
        raise UserError(f"{halvings} halvings leave too little of {side} pixels. Give fewer. Received: {halvings}.")
    blocks = Blocks(normalization, "leaky_relu", _KERNEL_INITIALIZER)
    first = blocks.without_normalization_of_outputs()
    images = keras.Input(tuple(sample_shape), name="image")
    x = first.hidden(first.convolution(base_filters, 4, strides=2)(images))
    for stage in range(1, halvings + 1):
        filters = base_filters * min(8, 2**stage)
        x = blocks.hidden(blocks.convolution(filters, 4, strides=2 if stage < halvings else 1)(x))
    x = blocks.convolution(1, 4, hidden=False)(x)
    return keras.Model(images, layers.Activation("linear", dtype="float32", name="score")(x), name="discriminator")


@builder("image_classifier", halvings=0)
def image_classifier(
    sample_shape: Sequence[int],
    class_count: int,
    base_filters: int = 32,
    halvings: int | None = None,
    normalization: str | None = "layer",
) -> keras.Model:
    """A classifier of images for the semantic loss: a convolution 3x3, then pairs of them of which the second halves.

    Args:
        sample_shape: (height, width, channels).
        class_count: number of classes.
        base_filters: of the first layer, doubled by each halving up to four times as many.
        halvings: down to 7 pixels or fewer unless given.
        normalization: of all convolutions, see `blocks.Blocks`; "batch" would go on changing where nothing is learned.

    Returns:
        keras.Model: images -> raw class logits (batch, class_count), float32.
    """
    side = min(sample_shape[:2])
    if halvings is None:
        halvings = next(count for count in range(12) if -(-side // 2**count) <= 7)
    blocks = Blocks(normalization, "relu")
    images = keras.Input(tuple(sample_shape), name="image")
    x = blocks.hidden(blocks.convolution(base_filters, 3)(images))
    for stage in range(1, halvings + 1):
        filters = base_filters * min(4, 2**stage)
        x = blocks.hidden(blocks.convolution(filters, 3)(x))
        x = blocks.hidden(blocks.convolution(filters, 3, strides=2)(x))
    x = blocks.hidden(blocks.dense(2 * base_filters)(layers.Flatten()(x)))
    x = blocks.dense(class_count, hidden=False)(x)
    return keras.Model(images, layers.Activation("linear", dtype="float32", name="class_logits")(x), name="classifier")
