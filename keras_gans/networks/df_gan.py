"""The one-stage networks of DF-GAN, in which the text changes every block of the generator.

Tao et al., "DF-GAN: A Simple and Effective Baseline for Text-to-Image Synthesis" (2022).
"""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans.layers import Upsample2D
from keras_gans.networks.blocks import Blocks
from keras_gans.networks.builders import builder
from keras_gans.networks.sizes import doublings_of
from keras_gans.networks.text_to_image import DOUBLINGS, check_conditioning, code_input, joined, projected_with_text

# The papers' generators and discriminators have at most eight times the filters of their thinnest layer.
_WIDEST = 8


@builder("df_gan_generator")
def df_gan_generator(
    sample_shape: Sequence[int],
    latent_dim: int = 100,
    embedding_dim: int = 64,
    base_filters: int = 32,
    text_units: int = 64,
    upsampling: str = "nearest",
) -> keras.Model:
    """DF-GAN's generator: residual blocks in which gains and offsets of all channels are functions of text and latent.

    Section 3.4: a block is twice (affine, LeakyReLU, affine, LeakyReLU, convolution) beside a shortcut. No
    normalization. The latent joins the text in the affine layers, as in the authors' later code.

    Args:
        sample_shape: (height, width, channels), square, of 4, 8, 16, 28, 32, 64 or 128 pixels.
        latent_dim: size of a latent; 100 in the paper.
        embedding_dim: size of a code.
        base_filters: filters of the last block, doubled in each below it up to eight times as many; 32 in the paper.
        text_units: size of the hidden layer that gains and offsets come from, 256 in the paper.
        upsampling: see `layers.Upsample2D`; "nearest" as in the paper.

    Returns:
        keras.Model: [latents (batch, latent_dim), codes (batch, embedding_dim)] -> (batch, *sample_shape), float32 in
        [-1, 1].

    Raises:
        UserError: a size that the network cannot make, or no such upsampling.
    """
    count, start = doublings_of(sample_shape, DOUBLINGS, "df_gan_generator")
    latents, codes = keras.Input((latent_dim,), name="z"), code_input(embedding_dim)
    condition = layers.Concatenate()([latents, codes])
    filters = [base_filters * min(_WIDEST, 2 ** (count - stage)) for stage in range(count + 1)]
    x = layers.Reshape((start, start, filters[0]))(layers.Dense(start * start * filters[0])(latents))
    for before, after in zip(filters, filters[1:], strict=False):
        x = Upsample2D(before, upsampling, kernel_initializer="glorot_uniform")(x)
        x = _fusion_block(x, condition, after, text_units)
    x = layers.Conv2D(sample_shape[2], 3, padding="same")(layers.LeakyReLU(negative_slope=0.2)(x))
    images = layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model([latents, codes], images, name="generator")


def _fusion_block(x, condition, filters, text_units):
    shortcut = x if x.shape[-1] == filters else layers.Conv2D(filters, 1)(x)
    for _ in range(2):
        for _ in range(2):
            x = layers.LeakyReLU(negative_slope=0.2)(_affine(x, condition, text_units))
        x = layers.Conv2D(filters, 3, padding="same")(x)
    return layers.Add()([shortcut, x])


def _affine(x, condition, text_units):
    """Each channel times a gain plus an offset, both functions of the condition; a gain of about 1 to begin with."""
    channels = x.shape[-1]
    gain, offset = (
        layers.Dense(
            channels, kernel_initializer=keras.initializers.RandomNormal(stddev=0.02), bias_initializer=beginning
        )(layers.Dense(text_units, activation="relu")(condition))
        for beginning in ("ones", "zeros")
    )
    gain, offset = (layers.Reshape((1, 1, channels))(each) for each in (gain, offset))
    return layers.Add()([layers.Multiply()([x, gain]), offset])


@builder("df_gan_discriminator")
def df_gan_discriminator(
    sample_shape: Sequence[int],
    embedding_dim: int = 64,
    base_filters: int = 32,
    conditioning: str = "concat",
) -> keras.Model:
    """DF-GAN's one-way discriminator: residual halvings, the text joined at the end, one score and no normalization.

    Section 3.3. The paper's learned weight of each residual, which starts at 0, is left out.

    Args:
        sample_shape: as for `df_gan_generator`.
        embedding_dim: size of a code.
        base_filters: filters of the first layer, doubled in each block up to eight times as many; 32 in the paper.
        conditioning: how the text enters: "concat" as in the paper, or "projection", see
            `text_to_image.projected_with_text`.

    Returns:
        keras.Model: [images (batch, *sample_shape), codes (batch, embedding_dim)] -> (batch, 1), float32 raw scores.

    Raises:
        UserError: a size that the network cannot take, or no such conditioning.
    """
    check_conditioning(conditioning)
    count, _ = doublings_of(sample_shape, DOUBLINGS, "df_gan_discriminator")
    images, codes = keras.Input(tuple(sample_shape), name="image"), code_input(embedding_dim)
    blocks = Blocks(None, "leaky_relu")
    x = blocks.convolution(base_filters, 3)(images)
    for stage in range(count):
        filters = base_filters * min(_WIDEST, 2 ** (stage + 1))
        y = blocks.activated(blocks.convolution(filters, 4, strides=2)(x))
        y = blocks.activated(blocks.convolution(filters, 3)(y))
        x = layers.Add()([layers.AveragePooling2D(2)(blocks.convolution(filters, 1)(x)), y])
    if conditioning == "projection":
        return keras.Model(
            [images, codes], projected_with_text(blocks.activated(x), codes, blocks), name="discriminator"
        )
    x = blocks.activated(blocks.convolution(2 * base_filters, 3)(joined(x, codes)))
    score = blocks.dense(1, hidden=False, dtype="float32", name="score")(layers.Flatten()(x))
    return keras.Model([images, codes], score, name="discriminator")
