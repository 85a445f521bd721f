"""The convolutional generator and discriminator of DCGAN.

Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks" (2015).
"""

import keras
from keras import layers

from keras_gans.errors import UserError, unknown_name
from keras_gans.layers import BatchNormalization, Upsample2D
from keras_gans.registry import networks

SIZES = (8, 16, 28, 32, 64, 128)
_KERNEL_INITIALIZER = {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.02}}
_GAIN_INITIALIZER = {"class_name": "RandomNormal", "config": {"mean": 1.0, "stddev": 0.02}}


def _stages(image_shape):
    """How many times the resolution doubles, and the size it starts from: 8 -> (2, 2), 28 -> (2, 7), 64 -> (4, 4)."""
    if len(image_shape) != 3 or image_shape[0] != image_shape[1] or image_shape[0] not in SIZES:
        raise UserError(
            f"DCGAN makes square images of {', '.join(map(str, SIZES))} pixels. Received: image_shape="
            f"{tuple(image_shape)}. Resize the data (--image-size on the command line, image_size= in data.load)."
        )
    size = image_shape[0]
    count = {8: 2, 28: 2}.get(size, size.bit_length() - 3)
    return count, size // 2**count


def _dense(units, **arguments):
    return layers.Dense(units, kernel_initializer=keras.initializers.get(_KERNEL_INITIALIZER), **arguments)


def _batch_normalization():
    # Momentum 0.9, so that sampling does not lag behind a young generator; gain N(1, 0.02) as in the authors' code.
    return BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=keras.initializers.get(_GAIN_INITIALIZER))


@networks.register("dcgan_generator")
def dcgan_generator(image_shape, latent_dim=64, base_filters=64, upsampling="deconv"):
    """DCGAN's generator: a projection, then doublings, each with batch normalization and ReLU; tanh at the end.

    Args:
        image_shape: (height, width, channels), square, 8, 16, 28, 32, 64 or 128 pixels, any number of channels.
        latent_dim: size of a latent; the paper's is 100.
        base_filters: filters of the last hidden layer, doubled in each layer below it; the paper's is 128 at 64x64.
        upsampling: "deconv" as in the paper, "nearest" or "bilinear", see `layers.Upsample2D`.

    Returns:
        keras.Model: (batch, latent_dim) -> (batch, *image_shape), float32 in [-1, 1].

    Raises:
        UserError: a size that the network cannot make.
    """
    count, start = _stages(image_shape)
    initializer = keras.initializers.get(_KERNEL_INITIALIZER)
    filters = [base_filters * 2 ** (count - 1 - stage) for stage in range(count)]

    latents = keras.Input((latent_dim,), name="z")
    x = _dense(start * start * filters[0], use_bias=False)(latents)
    x = layers.Reshape((start, start, filters[0]))(x)
    x = layers.ReLU()(_batch_normalization()(x))
    for stage_filters in filters[1:]:
        x = Upsample2D(stage_filters, upsampling, use_bias=False, kernel_initializer=initializer)(x)
        x = layers.ReLU()(_batch_normalization()(x))
    x = Upsample2D(image_shape[2], upsampling, kernel_initializer=initializer)(x)
    images = layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model(latents, images, name="generator")


@networks.register("dcgan_discriminator")
def dcgan_discriminator(image_shape, base_filters=64, normalization="batch"):
    """DCGAN's discriminator: halvings by stride-2 convolutions with LeakyReLU(0.2), then one score.

    Args:
        image_shape: as for `dcgan_generator`.
        base_filters: filters of the first layer, doubled in each further one.
        normalization: "batch" in all layers but the first, as in the paper; "layer", or None, for a critic with a
            gradient penalty, which must keep samples apart (Gulrajani et al., 2017, section 4).

    Returns:
        keras.Model: (batch, *image_shape) -> (batch, 1), float32 raw scores (logits).

    Raises:
        UserError: a size that the network cannot take, or no such normalization.
    """
    makers = {
        "batch": _batch_normalization,
        "layer": lambda: layers.LayerNormalization(axis=(1, 2, 3)),
        None: None,
    }
    if normalization not in makers:
        raise unknown_name("normalization", normalization, map(str, makers))
    count, _ = _stages(image_shape)
    images = keras.Input(image_shape, name="image")
    x = images
    for stage in range(count):
        normalize = makers[normalization] if stage else None
        x = layers.Conv2D(
            base_filters * 2**stage,
            kernel_size=4,
            strides=2,
            padding="same",
            use_bias=normalize is None,
            kernel_initializer=keras.initializers.get(_KERNEL_INITIALIZER),
        )(x)
        x = normalize()(x) if normalize else x
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    scores = _dense(1, dtype="float32", name="score")(layers.Flatten()(x))
    return keras.Model(images, scores, name="discriminator")
