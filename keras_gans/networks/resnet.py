"""The residual generator and discriminator of SNGAN.

Miyato et al., "Spectral Normalization for Generative Adversarial Networks" (2018), table 4, after Gulrajani et al.,
"Improved Training of Wasserstein GANs" (2017), appendix F; with labels as in Miyato and Koyama, "cGANs with Projection
Discriminator" (2018), figure 1.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_gans.layers import augmented
from keras_gans.networks.blocks import Blocks
from keras_gans.networks.builders import builder
from keras_gans.networks.labels import (
    check_labels,
    class_wise,
    label_input,
    packed,
    scored,
    with_embedding,
    with_label_map,
)
from keras_gans.networks.sizes import FROM_EIGHT, FROM_FOUR, doublings_of

# Blocks that keep the size, below those of the discriminator that halve it.
_KEEPING = 2


@builder("resnet_generator")
def resnet_generator(
    sample_shape: Sequence[int],
    latent_dim: int = 64,
    base_filters: int = 64,
    upsampling: str = "nearest",
    normalization: str | None = "batch",
    activation: str = "relu",
    class_count: int | None = None,
    conditioning: str | None = None,
) -> keras.Model:
    """SNGAN's generator: a projection, then residual blocks that double the size, of equally many filters.

    A block is twice (normalization, activation, convolution), the size doubled before the first convolution, beside a
    shortcut of one pixel's kernel.

    Args:
        sample_shape: (height, width, channels), square, 8, 16, 28, 32, 64 or 128 pixels, any number of channels.
        latent_dim: size of a latent; the paper's is 128.
        base_filters: filters of every block; the paper's is 256 at 32 pixels.
        upsampling: of the blocks' convolutions, "nearest" as in the paper, "bilinear", "deconv" or "subpixel", see
            `layers.Upsample2D`; shortcuts repeat pixels.
        normalization: "batch" as in the paper; another or None, see `blocks.Blocks`, as for the next.
        activation: of the hidden layers, "relu" as in the paper.
        class_count, conditioning: see `dcgan.dcgan_generator`.

    Returns:
        keras.Model: (batch, latent_dim) -> (batch, *sample_shape), float32 in [-1, 1]; with `conditioning` the input is
        [latents, int labels (batch,)].

    Raises:
        UserError: a size that the network cannot make, or arguments that exclude each other.
    """
    check_labels(class_count, conditioning)
    count, start = doublings_of(sample_shape, FROM_FOUR, "resnet_generator")
    latents, labels = keras.Input((latent_dim,), name="z"), label_input() if conditioning else None
    x = with_embedding(latents, labels, class_count) if conditioning == "concat" else latents
    blocks = Blocks(class_wise(normalization, conditioning), activation, labels=labels, class_count=class_count)
    x = layers.Reshape((start, start, base_filters))(blocks.dense(start * start * base_filters)(x))
    for _ in range(count):
        inner = blocks.upsampling(base_filters, upsampling)(blocks.hidden(x))
        inner = blocks.convolution(base_filters, 3)(blocks.hidden(inner))
        shortcut = blocks.upsampling(base_filters, "nearest", kernel_size=1, kernel_initializer="glorot_uniform")(x)
        x = layers.Add()([shortcut, inner])
    x = blocks.convolution(sample_shape[2], 3, hidden=False)(blocks.hidden(x))
    images = layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model([latents, labels] if conditioning else latents, images, name="generator")


@builder("resnet_discriminator")
def resnet_discriminator(
    sample_shape: Sequence[int],
    base_filters: int = 64,
    normalization: str | None = "spectral",
    activation: str = "relu",
    augmentation: dict[str, Any] | None = None,
    packing: int = 1,
    class_count: int | None = None,
    conditioning: str | None = None,
    head: str = "score",
) -> keras.Model:
    """SNGAN's discriminator: residual blocks that halve the size to 8 pixels, two that keep it, then one score.

    A block is twice (activation, convolution) beside a shortcut; the first begins with its convolution. The score is of
    the last features summed over the image.

    Args:
        sample_shape: as for `resnet_generator`.
        base_filters: filters of every block; the paper's is 128 at 32 pixels.
        normalization: "spectral" as in the paper; None or "layer" for a critic with a gradient penalty; or another, see
            `blocks.Blocks`, as for the next.
        activation: of the hidden layers, "relu" as in the paper.
        augmentation, packing, class_count, conditioning, head: see `dcgan.dcgan_discriminator`.

    Returns:
        keras.Model: (batch, *sample_shape) -> (batch / packing, 1), float32 raw scores (logits), or what `head` says;
        with `conditioning` the input is [images, int labels (batch,)].

    Raises:
        UserError: a size that the network cannot take, no such normalization, or arguments that exclude each other.
    """
    check_labels(class_count, conditioning, head)
    count, size = doublings_of(sample_shape, FROM_EIGHT, "resnet_discriminator")
    images, labels = keras.Input(sample_shape, name="image"), label_input() if conditioning else None
    x = packed(augmented(images, augmentation), packing, conditioning, head)
    x = with_label_map(x, labels, class_count) if conditioning == "concat" else x
    blocks = Blocks(normalization, activation, labels=labels, class_count=class_count)
    for stage in range(count + _KEEPING):
        first = x if stage == 0 else blocks.hidden(x)
        inner = blocks.convolution(base_filters, 3)(first)
        inner = blocks.convolution(base_filters, 3)(blocks.hidden(inner))
        shortcut = x
        if stage < count:
            inner, shortcut = layers.AveragePooling2D(2)(inner), layers.AveragePooling2D(2)(x)
            shortcut = blocks.convolution(base_filters, 1, kernel_initializer="glorot_uniform")(shortcut)
        x = layers.Add()([shortcut, inner])
    x = layers.Rescaling(size * size)(layers.GlobalAveragePooling2D()(blocks.hidden(x)))
    outputs = scored(x, labels, class_count, conditioning, head, blocks)
    return keras.Model([images, labels] if conditioning else images, outputs, name="discriminator")
