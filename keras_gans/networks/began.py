"""The convolutional networks of BEGAN.

Berthelot et al., "BEGAN: Boundary Equilibrium Generative Adversarial Networks" (2017), figure 1 and section 3.5: two
3x3 convolutions with ELU at each resolution, no normalization, no dropout, and no activation at the end.
"""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans.networks.blocks import Blocks
from keras_gans.networks.builders import builder
from keras_gans.networks.sizes import FROM_EIGHT, doublings_of


def _convolved(blocks, x, filters, **arguments):
    return blocks.hidden(blocks.convolution(filters, 3, **arguments)(x))


def _decoded(blocks, codes, sample_shape, base_filters, upsampling):
    """Images of codes, without bounds: the generator, and the second half of the discriminator."""
    count, start = doublings_of(sample_shape, FROM_EIGHT, "BEGAN")
    x = blocks.dense(start * start * base_filters, hidden=False)(codes)
    x = layers.Reshape((start, start, base_filters))(x)
    x = _convolved(blocks, _convolved(blocks, x, base_filters), base_filters)
    for _ in range(count):
        x = blocks.hidden(blocks.upsampling(base_filters, upsampling)(x))
        x = _convolved(blocks, x, base_filters)
    x = blocks.convolution(sample_shape[2], 3, hidden=False)(x)
    return layers.Activation("linear", dtype="float32")(x)


@builder("began_generator")
def began_generator(
    sample_shape: Sequence[int],
    latent_dim: int = 64,
    base_filters: int = 64,
    upsampling: str = "nearest",
    normalization: str | None = None,
    activation: str = "elu",
) -> keras.Model:
    """BEGAN's generator: the architecture of its discriminator's decoder.

    Args:
        sample_shape: (height, width, channels), square, 8, 16, 28, 32, 64 or 128 pixels, any number of channels.
        latent_dim: size of a latent; the paper's is 64.
        base_filters: the paper's n, filters of every convolution; 64, and 128 for large images.
        upsampling: "nearest" as in the paper, "bilinear", "deconv" or "subpixel", see `layers.Upsample2D`.
        normalization: of the hidden layers, see `blocks.Blocks`, as for the next; the paper has none.
        activation: of the hidden layers.

    Returns:
        keras.Model: (batch, latent_dim) -> (batch, *sample_shape), float32 without bounds.

    Raises:
        UserError: a size that the network cannot make, or no such upsampling, normalization or activation.
    """
    latents = keras.Input((latent_dim,), name="z")
    images = _decoded(Blocks(normalization, activation), latents, sample_shape, base_filters, upsampling)
    return keras.Model(latents, images, name="generator")


@builder("began_autoencoder")
def began_autoencoder(
    sample_shape: Sequence[int],
    latent_dim: int = 64,
    base_filters: int = 64,
    upsampling: str = "nearest",
    normalization: str | None = None,
    activation: str = "elu",
) -> keras.Model:
    """BEGAN's discriminator: filters grow by `base_filters` with each halving, down to a code and back.

    Args:
        sample_shape, base_filters, upsampling, normalization, activation: as for `began_generator`.
        latent_dim: size of the code, the generator's latents' as in the paper.

    Returns:
        keras.Model: (batch, *sample_shape) -> (batch, *sample_shape), float32 without bounds.

    Raises:
        UserError: a size that the network cannot take, or no such upsampling, normalization or activation.
    """
    blocks = Blocks(normalization, activation)
    count, _ = doublings_of(sample_shape, FROM_EIGHT, "BEGAN")
    images = keras.Input(sample_shape, name="image")
    x = _convolved(blocks, images, base_filters)
    for stage in range(1, count + 2):
        x = _convolved(blocks, _convolved(blocks, x, stage * base_filters), stage * base_filters)
        x = _convolved(blocks, x, (stage + 1) * base_filters, strides=2) if stage <= count else x
    codes = blocks.dense(latent_dim, hidden=False, name="code")(layers.Flatten()(x))
    return keras.Model(images, _decoded(blocks, codes, sample_shape, base_filters, upsampling), name="autoencoder")
