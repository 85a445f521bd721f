"""The convolutional generator and discriminator of DCGAN.

Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks" (2015).
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_gans.layers import Dropout, GaussianNoise, MinibatchStandardDeviation, augmented
from keras_gans.networks.blocks import Blocks
from keras_gans.networks.builders import builder
from keras_gans.networks.codes import check_posterior, coded, with_noise
from keras_gans.networks.labels import (
    check_labels,
    class_wise,
    label_input,
    packed,
    scored,
    with_embedding,
    with_label_map,
)
from keras_gans.networks.sizes import FROM_FOUR, doublings_of

SIZES = tuple(FROM_FOUR)  # from 4 pixels as in the paper
_KERNEL_INITIALIZER = {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.02}}
# Gain N(1, 0.02) as in the authors' code.
_GAIN_INITIALIZER = {"class_name": "RandomNormal", "config": {"mean": 1.0, "stddev": 0.02}}


def _blocks(normalization, activation, labels=None, class_count=None):
    return Blocks(normalization, activation, _KERNEL_INITIALIZER, _GAIN_INITIALIZER, labels, class_count)


@builder("dcgan_generator")
def dcgan_generator(
    sample_shape: Sequence[int],
    latent_dim: int = 64,
    base_filters: int = 64,
    upsampling: str = "deconv",
    normalization: str | None = "batch",
    activation: str = "relu",
    class_count: int | None = None,
    conditioning: str | None = None,
    full_size_filters: int = 0,
) -> keras.Model:
    """DCGAN's generator: a projection, then doublings, each with batch normalization and ReLU; tanh at the end.

    Args:
        sample_shape: (height, width, channels), square, 8, 16, 28, 32, 64 or 128 pixels, any number of channels.
        latent_dim: size of a latent; the paper's is 100.
        base_filters: filters of the last hidden layer, doubled in each layer below it; the paper's is 128 at 64x64.
        upsampling: "deconv" as in the paper, "nearest", "bilinear" or "subpixel", see `layers.Upsample2D`.
        normalization: "batch" after every layer but the last, as in the paper; another or None, see `blocks.Blocks`, as
            for the next.
        activation: of the hidden layers, "relu" as in the paper.
        class_count: number of classes, with `conditioning`.
        conditioning: None; "concat" joins the label's learned embedding to the latent; "projection" gives each class
            its own gain and offset in every batch normalization, which normalization="class_wise" does beside "concat".
        full_size_filters: filters of one more hidden layer, at the images' own size, of which a convolution over 3
            pixels makes the image; 0 as in the paper, where the last doubling does.

    Returns:
        keras.Model: (batch, latent_dim) -> (batch, *sample_shape), float32 in [-1, 1]; with `conditioning` the input is
        [latents, int labels (batch,)].

    Raises:
        UserError: a size that the network cannot make, or arguments that exclude each other.
    """
    check_labels(class_count, conditioning)
    count, start = doublings_of(sample_shape, FROM_FOUR, "DCGAN")
    initializer = keras.initializers.get(_KERNEL_INITIALIZER)
    filters = [base_filters * 2 ** (count - 1 - stage) for stage in range(count)]

    latents, labels = keras.Input((latent_dim,), name="z"), label_input() if conditioning else None
    x = with_embedding(latents, labels, class_count) if conditioning == "concat" else latents
    blocks = _blocks(class_wise(normalization, conditioning), activation, labels, class_count)
    x = blocks.dense(start * start * filters[0])(x)
    x = blocks.hidden(layers.Reshape((start, start, filters[0]))(x))
    for stage_filters in filters[1:]:
        x = blocks.hidden(blocks.upsampling(stage_filters, upsampling, kernel_initializer=initializer)(x))
    if full_size_filters:
        x = blocks.hidden(blocks.upsampling(full_size_filters, upsampling, kernel_initializer=initializer)(x))
        x = blocks.convolution(sample_shape[2], 3, hidden=False)(x)
    else:
        x = blocks.upsampling(sample_shape[2], upsampling, hidden=False, kernel_initializer=initializer)(x)
    images = layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model([latents, labels] if conditioning else latents, images, name="generator")


def _halvings(x, count, base_filters, blocks, dropout=0.0):
    """Stride-2 convolutions, each with twice the filters; what the first gives is not normalized."""
    for stage in range(count):
        here = blocks if stage else blocks.without_normalization_of_outputs()
        x = here.hidden(here.convolution(base_filters * 2**stage, 4, strides=2)(x))
        x = Dropout(dropout)(x) if dropout else x
    return x


@builder("dcgan_encoder")
def dcgan_encoder(
    sample_shape: Sequence[int],
    latent_dim: int = 64,
    base_filters: int = 64,
    posterior: str = "deterministic",
    augmentation: dict[str, Any] | None = None,
    normalization: str | None = "batch",
    activation: str = "leaky_relu",
) -> keras.Model:
    """An encoder with the layers of DCGAN's discriminator, batch normalization included, that ends in codes.

    Args:
        sample_shape: as for `dcgan_generator`.
        latent_dim: size of a code.
        base_filters: filters of the first layer, doubled in each further one.
        posterior: see `mlp.mlp_encoder`; the noise of "universal" joins the last hidden layer.
        augmentation: see `dcgan_discriminator`; a copy is of the image as it was before.
        normalization, activation: as for `dcgan_discriminator`.

    Returns:
        keras.Model, see `mlp.mlp_encoder`.

    Raises:
        UserError: a size that the network cannot take, or no such posterior, augmentation, normalization or activation.
    """
    check_posterior(posterior)
    count, _ = doublings_of(sample_shape, FROM_FOUR, "DCGAN")
    images = keras.Input(sample_shape, name="image")
    blocks = _blocks(normalization, activation)
    x = _halvings(augmented(images, augmentation), count, base_filters, blocks)
    x, noise = with_noise(layers.Flatten()(x), latent_dim, posterior)
    codes = coded(x, latent_dim, posterior, blocks, kernel_initializer=keras.initializers.get(_KERNEL_INITIALIZER))
    return keras.Model(images if noise is None else [images, noise], codes, name="encoder")


@builder("dcgan_discriminator")
def dcgan_discriminator(
    sample_shape: Sequence[int],
    base_filters: int = 64,
    normalization: str | None = "batch",
    activation: str = "leaky_relu",
    dropout: float = 0.0,
    input_noise: float = 0.0,
    augmentation: dict[str, Any] | None = None,
    packing: int = 1,
    minibatch_standard_deviation: int = 0,
    class_count: int | None = None,
    conditioning: str | None = None,
    head: str = "score",
    hidden_units: Sequence[int] = (),
) -> keras.Model:
    """DCGAN's discriminator: halvings by stride-2 convolutions with LeakyReLU(0.2), then one score.

    Args:
        sample_shape: as for `dcgan_generator`.
        base_filters: filters of the first layer, doubled in each further one.
        normalization: "batch" in all layers but the first, as in the paper; "layer", or None, for a critic with a
            gradient penalty, which must keep samples apart (Gulrajani et al., 2017, section 4); "spectral" in all
            layers (Miyato et al., 2018); or another, see `blocks.Blocks`, as for the next.
        activation: of the hidden layers.
        dropout: share of each layer's units that training drops.
        input_noise: standard deviation of the Gaussian noise that training adds to the images.
        augmentation: random changes through which all images go in training, such as {"flip": True, "shift": 0.125},
            see `layers.augmented`; None for none.
        packing: how many images one score judges together (Lin et al., 2018).
        minibatch_standard_deviation: size of the groups whose spread the last hidden layer is told, such as 4; 0 for
            none (Karras et al., 2018).
        class_count: number of classes, with `conditioning` or `head`.
        conditioning: None; "concat" adds a learned picture of the class as a channel; "projection" adds the product of
            a class's vector and the last hidden layer to the score (Miyato and Koyama, 2018).
        head: "score"; or what schemes with classes need, see `labels.scored`.
        hidden_units: units of dense layers between the convolutions and the score; none in the paper. Images of 28 or
            16 pixels are halved twice, to units that see 10 pixels across, and the score is a sum over these: of a
            shape as a whole it knows by a dense layer alone. It wants a penalty on the slope in the place of batch
            normalization, as `cgan_images` has it; beside that one run of seven collapsed (docs/measured.md).

    Returns:
        keras.Model: (batch, *sample_shape) -> (batch / packing, 1), float32 raw scores (logits), or what `head` says;
        with `conditioning` the input is [images, int labels (batch,)].

    Raises:
        UserError: a size that the network cannot take, no such normalization, or arguments that exclude each other.
    """
    check_labels(class_count, conditioning, head)
    count, _ = doublings_of(sample_shape, FROM_FOUR, "DCGAN")
    images, labels = keras.Input(sample_shape, name="image"), label_input() if conditioning else None
    x = packed(augmented(images, augmentation), packing, conditioning, head)
    x = GaussianNoise(input_noise)(x) if input_noise else x
    x = with_label_map(x, labels, class_count) if conditioning == "concat" else x
    blocks = _blocks(normalization, activation, labels, class_count)
    x = _halvings(x, count, base_filters, blocks, dropout)
    x = MinibatchStandardDeviation(minibatch_standard_deviation)(x) if minibatch_standard_deviation else x
    initializer = keras.initializers.get(_KERNEL_INITIALIZER)
    x = blocks.dense_layers(layers.Flatten()(x), hidden_units)
    outputs = scored(x, labels, class_count, conditioning, head, blocks, kernel_initializer=initializer)
    return keras.Model([images, labels] if conditioning else images, outputs, name="discriminator")
