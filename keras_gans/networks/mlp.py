"""Multilayer perceptrons, for small images and for points."""

import inspect
import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gans.errors import UserError, unknown_name
from keras_gans.layers import Dropout, GaussianNoise, MinibatchStandardDeviation
from keras_gans.networks.blocks import Blocks
from keras_gans.networks.builders import builder
from keras_gans.networks.codes import check_posterior, coded, with_noise
from keras_gans.networks.labels import check_labels, class_wise, label_input, packed, scored, with_embedding


@builder("mlp_generator", of_points=True)
def mlp_generator(
    sample_shape: Sequence[int],
    latent_dim: int = 100,
    hidden_units: Sequence[int] = (128,),
    activation: str = "relu",
    normalization: str | None = None,
    output_activation: str | None = "tanh",
    class_count: int | None = None,
    conditioning: str | None = None,
) -> keras.Model:
    """A generator of dense layers; the defaults are the lecture's 100-128-784 for samples of shape (28, 28, 1).

    Args:
        sample_shape: (height, width, channels) of an image, or (d,) of a point.
        latent_dim: size of a latent.
        hidden_units: units of each hidden layer.
        activation: of the hidden layers, see `blocks.Blocks`, as for the next.
        normalization: None, or that of every hidden layer.
        output_activation: "tanh" for images in [-1, 1], None for points.
        class_count: number of classes, with `conditioning`.
        conditioning: None; "concat" joins the label's learned embedding to the latent; "projection" gives each class
            its own gain and offset in every batch normalization, which normalization="class_wise" does beside "concat".

    Returns:
        keras.Model: (batch, latent_dim) -> (batch, *sample_shape), float32; with `conditioning` the input is
        [latents, int labels (batch,)].

    Raises:
        UserError: arguments that exclude each other.
    """
    check_labels(class_count, conditioning)
    _check_output_activation(output_activation)
    latents, labels = keras.Input((latent_dim,), name="z"), label_input() if conditioning else None
    x = with_embedding(latents, labels, class_count) if conditioning == "concat" else latents
    blocks = Blocks(class_wise(normalization, conditioning), activation, labels=labels, class_count=class_count)
    x = blocks.dense_layers(x, hidden_units)
    x = blocks.dense(math.prod(sample_shape), hidden=False)(x)
    x = layers.Reshape(sample_shape)(x)
    samples = layers.Activation(output_activation or "linear", dtype="float32", name="sample")(x)
    return keras.Model([latents, labels] if conditioning else latents, samples, name="generator")


def _check_output_activation(name):
    known = [each for each, value in vars(keras.activations).items() if inspect.isroutine(value)]
    # A gated linear unit has half of the outputs.
    known = [each for each in known if each not in ("get", "serialize", "deserialize", "glu")]
    if name is not None and name not in known:
        raise unknown_name("output activation", name, ("None", *known))


@builder("mlp_discriminator", of_points=True)
def mlp_discriminator(
    sample_shape: Sequence[int],
    hidden_units: Sequence[int] = (128,),
    activation: str = "leaky_relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    input_noise: float = 0.0,
    hidden_noise: float = 0.0,
    weight_normalization: bool = False,
    silent_black: bool = False,
    packing: int = 1,
    minibatch_standard_deviation: int = 0,
    class_count: int | None = None,
    conditioning: str | None = None,
    head: str = "score",
) -> keras.Model:
    """A discriminator or critic of dense layers; the defaults are the lecture's 784-128-1.

    Args:
        sample_shape: (height, width, channels) of an image, or (d,) of a point.
        hidden_units: units of each hidden layer.
        activation: of the hidden layers, see `blocks.Blocks`, as for the next.
        normalization: None, or that of every hidden layer; with "weight" each hidden unit's weights have length 1, and
            a learned one in the last layer, as in Salimans et al. (2016).
        dropout: share of each hidden layer's units that training drops.
        input_noise: standard deviation of the Gaussian noise that training adds to the samples.
        hidden_noise: the same for each hidden layer.
        weight_normalization: the same as normalization="weight", as recipes once had it.
        silent_black: whether images are first mapped from [-1, 1] to [0, 1], so that a black background adds nothing
            to the first layer's sums.
        packing: how many samples one score judges together (Lin et al., 2018).
        minibatch_standard_deviation: size of the groups whose spread the last hidden layer is told, such as 4; 0 for
            none (Karras et al., 2018).
        class_count: number of classes, with `conditioning` or `head`.
        conditioning: None; "concat" joins the label's learned embedding to the sample; "projection" adds the product
            of a class's vector and the last hidden layer to the score (Miyato and Koyama, 2018).
        head: "score"; or what schemes with classes need, see `labels.scored`.

    Returns:
        keras.Model: (batch, *sample_shape) -> (batch / packing, 1), float32 raw scores (logits), or what `head` says;
        with `conditioning` the input is [samples, int labels (batch,)].

    Raises:
        UserError: arguments that exclude each other.
    """
    check_labels(class_count, conditioning, head)

    if weight_normalization:
        if normalization not in (None, "weight"):
            raise UserError(
                f"weight_normalization=True is normalization='weight'. Received: {normalization!r} beside it."
            )
        normalization = "weight"
    samples, labels = keras.Input(sample_shape, name="sample"), label_input() if conditioning else None
    x = packed(samples, packing, conditioning, head)
    x = layers.Flatten()(x)
    x = layers.Rescaling(0.5, offset=0.5)(x) if silent_black else x
    x = GaussianNoise(input_noise)(x) if input_noise else x
    x = with_embedding(x, labels, class_count) if conditioning == "concat" else x
    blocks = Blocks(normalization, activation, labels=labels, class_count=class_count, unit_length=True)
    for units in hidden_units:
        x = blocks.hidden(blocks.dense(units)(x))
        x = GaussianNoise(hidden_noise)(x) if hidden_noise else x
        x = Dropout(dropout)(x) if dropout else x
    x = MinibatchStandardDeviation(minibatch_standard_deviation)(x) if minibatch_standard_deviation else x
    outputs = scored(x, labels, class_count, conditioning, head, blocks)
    return keras.Model([samples, labels] if conditioning else samples, outputs, name="discriminator")


@builder("mlp_encoder", of_points=True)
def mlp_encoder(
    sample_shape: Sequence[int],
    latent_dim: int = 8,
    hidden_units: Sequence[int] = (128, 64),
    activation: str = "relu",
    posterior: str = "deterministic",
    normalization: str | None = None,
    input_noise: float = 0.0,
) -> keras.Model:
    """An encoder of dense layers.

    Makhzani et al., "Adversarial Autoencoders" (2015), appendix A: ReLU, and no activation on the code.

    Args:
        sample_shape: (height, width, channels) of an image, or (d,) of a point.
        latent_dim: size of a code.
        hidden_units: units of each hidden layer.
        activation: of the hidden layers, see `blocks.Blocks`, as for the next.
        posterior: "deterministic"; "gaussian", whose codes have a mean and a variance for each sample; or "universal",
            where the encoder takes noise beside the sample, so that q(z|x) may be of any shape.
        normalization: None, or that of every hidden layer.
        input_noise: standard deviation of the Gaussian noise that training adds to the samples.

    Returns:
        keras.Model: (batch, *sample_shape) -> codes (batch, latent_dim), float32; "gaussian" gives [means, logarithms
        of variances], "universal" takes [samples, noise (batch, latent_dim)].

    Raises:
        UserError: no such activation, posterior or normalization.
    """
    check_posterior(posterior)
    samples = keras.Input(sample_shape, name="sample")
    x = layers.Flatten()(samples)
    x = GaussianNoise(input_noise)(x) if input_noise else x
    x, noise = with_noise(x, latent_dim, posterior)
    blocks = Blocks(normalization, activation)
    codes = coded(blocks.dense_layers(x, hidden_units), latent_dim, posterior, blocks)
    return keras.Model(samples if noise is None else [samples, noise], codes, name="encoder")
