"""The convolutional networks of BEGAN.

Berthelot et al., "BEGAN: Boundary Equilibrium Generative Adversarial Networks" (2017), figure 1 and section 3.5: two
3x3 convolutions with ELU at each resolution, no normalization, no dropout, and no activation at the end.
"""

import keras
from keras import layers

from keras_gans.layers import Upsample2D
from keras_gans.networks.sizes import doublings_of
from keras_gans.registry import networks

# From 8 pixels as in the paper; from 4 and 7 for images of 8 and 28.
_DOUBLINGS = {8: 1, 16: 1, 28: 2, 32: 2, 64: 3, 128: 4}


def _convolved(x, filters, **arguments):
    return layers.Activation("elu")(layers.Conv2D(filters, 3, padding="same", **arguments)(x))


def _decoded(codes, image_shape, base_filters, upsampling):
    """Images of codes, without bounds: the generator, and the second half of the discriminator."""
    count, start = doublings_of(image_shape, _DOUBLINGS, "BEGAN")
    x = layers.Dense(start * start * base_filters)(codes)
    x = layers.Reshape((start, start, base_filters))(x)
    x = _convolved(_convolved(x, base_filters), base_filters)
    for _ in range(count):
        x = layers.Activation("elu")(Upsample2D(base_filters, upsampling)(x))
        x = _convolved(x, base_filters)
    x = layers.Conv2D(image_shape[2], 3, padding="same")(x)
    return layers.Activation("linear", dtype="float32")(x)


@networks.register("began_generator")
def began_generator(image_shape, latent_dim=64, base_filters=64, upsampling="nearest"):
    """BEGAN's generator: the architecture of its discriminator's decoder.

    Args:
        image_shape: (height, width, channels), square, 8, 16, 28, 32, 64 or 128 pixels, any number of channels.
        latent_dim: size of a latent; the paper's is 64.
        base_filters: the paper's n, filters of every convolution; 64, and 128 for large images.
        upsampling: "nearest" as in the paper, "bilinear", "deconv" or "subpixel", see `layers.Upsample2D`.

    Returns:
        keras.Model: (batch, latent_dim) -> (batch, *image_shape), float32 without bounds.

    Raises:
        UserError: a size that the network cannot make, or no such upsampling.
    """
    latents = keras.Input((latent_dim,), name="z")
    return keras.Model(latents, _decoded(latents, image_shape, base_filters, upsampling), name="generator")


@networks.register("began_autoencoder")
def began_autoencoder(image_shape, latent_dim=64, base_filters=64, upsampling="nearest"):
    """BEGAN's discriminator: filters grow by `base_filters` with each halving, down to a code and back.

    Args:
        image_shape, base_filters, upsampling: as for `began_generator`.
        latent_dim: size of the code, the generator's latents' as in the paper.

    Returns:
        keras.Model: (batch, *image_shape) -> (batch, *image_shape), float32 without bounds.

    Raises:
        UserError: a size that the network cannot take, or no such upsampling.
    """
    count, _ = doublings_of(image_shape, _DOUBLINGS, "BEGAN")
    images = keras.Input(image_shape, name="image")
    x = _convolved(images, base_filters)
    for stage in range(1, count + 2):
        x = _convolved(_convolved(x, stage * base_filters), stage * base_filters)
        x = _convolved(x, (stage + 1) * base_filters, strides=2) if stage <= count else x
    codes = layers.Dense(latent_dim, name="code")(layers.Flatten()(x))
    return keras.Model(images, _decoded(codes, image_shape, base_filters, upsampling), name="autoencoder")
