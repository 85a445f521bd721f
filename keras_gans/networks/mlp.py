"""Multilayer perceptrons, for small images and for points."""

import functools
import math

import keras
from keras import layers

from keras_gans.errors import UserError, unknown_name
from keras_gans.layers import (
    BatchNormalization,
    Dropout,
    GaussianNoise,
    MinibatchStandardDeviation,
    WeightNormalizedDense,
)
from keras_gans.networks.codes import check_posterior, coded, with_noise
from keras_gans.networks.labels import check_labels, label_input, normalized, packed, scored, with_embedding
from keras_gans.registry import networks

_ACTIVATIONS = ("leaky_relu", "relu", "elu", "tanh")
# He et al. (2015): the scale that keeps the variance through rectifiers; Glorot and Bengio (2010) for the others. With
# He's scale, BEGAN's ELU networks collapsed on the digits in one run of two.
_INITIALIZERS = {
    "leaky_relu": "glorot_uniform",
    "relu": "he_normal",
    "elu": "glorot_uniform",
    "tanh": "glorot_uniform",
}


def activation_layer(name):
    """A hidden layer's activation.

    Args:
        name: "leaky_relu" (slope 0.2, as in the papers; Keras's default is 0.3), "relu", "elu" or "tanh".

    Raises:
        UserError: no such activation.
    """
    if name not in _ACTIVATIONS:
        raise unknown_name("activation", name, _ACTIVATIONS)
    return layers.LeakyReLU(negative_slope=0.2) if name == "leaky_relu" else layers.Activation(name)


def dense_layers(x, hidden_units, activation, normalization=None):
    """A symbolic tensor (batch, d) after dense layers of `hidden_units`, each with the activation of that name.

    With normalization="batch", batch normalization stands before each activation.
    """
    _check_normalization(normalization)
    for units in hidden_units:
        x = layers.Dense(units, kernel_initializer=_INITIALIZERS.get(activation), use_bias=not normalization)(x)
        x = BatchNormalization()(x) if normalization else x
        x = activation_layer(activation)(x)
    return x


@networks.register("mlp_generator")
def mlp_generator(
    sample_shape,
    latent_dim=100,
    hidden_units=(128,),
    activation="relu",
    normalization=None,
    output_activation="tanh",
    class_count=None,
    conditioning=None,
):
    """A generator of dense layers; the defaults are the lecture's 100-128-784 for samples of shape (28, 28, 1).

    Args:
        sample_shape: (height, width, channels) of an image, or (d,) of a point.
        latent_dim: size of a latent.
        hidden_units: units of each hidden layer.
        activation: of the hidden layers, see `activation_layer`.
        normalization: None, or "batch" after every hidden layer.
        output_activation: "tanh" for images in [-1, 1], None for points.
        class_count: number of classes, with `conditioning`.
        conditioning: None; "concat" joins the label's learned embedding to the latent; "projection" gives each class
            its own gain and offset in every batch normalization.

    Returns:
        keras.Model: (batch, latent_dim) -> (batch, *sample_shape), float32; with `conditioning` the input is
        [latents, int labels (batch,)].

    Raises:
        UserError: arguments that exclude each other.
    """
    _check_normalization(normalization)
    check_labels(class_count, conditioning)
    if conditioning == "projection" and normalization != "batch":
        raise UserError(
            "A generator's conditioning='projection' acts through batch normalization: set normalization='batch', or "
            f"take conditioning='concat'. Received: normalization={normalization!r}."
        )
    latents, labels = keras.Input((latent_dim,), name="z"), label_input() if conditioning else None
    x = with_embedding(latents, labels, class_count) if conditioning == "concat" else latents
    for units in hidden_units:
        x = layers.Dense(units, kernel_initializer=_INITIALIZERS.get(activation), use_bias=not normalization)(x)
        x = normalized(x, labels, class_count, conditioning) if normalization else x
        x = activation_layer(activation)(x)
    x = layers.Dense(math.prod(sample_shape))(x)
    x = layers.Reshape(sample_shape)(x)
    samples = layers.Activation(output_activation or "linear", dtype="float32", name="sample")(x)
    return keras.Model([latents, labels] if conditioning else latents, samples, name="generator")


@networks.register("mlp_discriminator")
def mlp_discriminator(
    sample_shape,
    hidden_units=(128,),
    activation="leaky_relu",
    dropout=0.0,
    input_noise=0.0,
    hidden_noise=0.0,
    weight_normalization=False,
    silent_black=False,
    packing=1,
    minibatch_standard_deviation=0,
    class_count=None,
    conditioning=None,
    head="score",
):
    """A discriminator or critic of dense layers; the defaults are the lecture's 784-128-1.

    Args:
        sample_shape: (height, width, channels) of an image, or (d,) of a point.
        hidden_units: units of each hidden layer.
        activation: of the hidden layers, see `activation_layer`.
        dropout: share of each hidden layer's units that training drops.
        input_noise: standard deviation of the Gaussian noise that training adds to the samples.
        hidden_noise: the same for each hidden layer.
        weight_normalization: whether each unit's weights have unit length (a learned one in the last layer).
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

    def dense(units):
        if weight_normalization:
            return WeightNormalizedDense(units)
        return layers.Dense(units, kernel_initializer=_INITIALIZERS.get(activation))

    samples, labels = keras.Input(sample_shape, name="sample"), label_input() if conditioning else None
    x = packed(samples, packing, conditioning, head)
    x = layers.Flatten()(x)
    x = layers.Rescaling(0.5, offset=0.5)(x) if silent_black else x
    x = GaussianNoise(input_noise)(x) if input_noise else x
    x = with_embedding(x, labels, class_count) if conditioning == "concat" else x
    for units in hidden_units:
        x = dense(units)(x)
        x = activation_layer(activation)(x)
        x = GaussianNoise(hidden_noise)(x) if hidden_noise else x
        x = Dropout(dropout)(x) if dropout else x
    x = MinibatchStandardDeviation(minibatch_standard_deviation)(x) if minibatch_standard_deviation else x
    last = functools.partial(WeightNormalizedDense, learned_scale=True) if weight_normalization else layers.Dense
    outputs = scored(x, labels, class_count, conditioning, head, last)
    return keras.Model([samples, labels] if conditioning else samples, outputs, name="discriminator")


@networks.register("mlp_encoder")
def mlp_encoder(
    sample_shape,
    latent_dim=8,
    hidden_units=(128, 64),
    activation="relu",
    posterior="deterministic",
    normalization=None,
    input_noise=0.0,
):
    """An encoder of dense layers.

    Makhzani et al., "Adversarial Autoencoders" (2015), appendix A: ReLU, and no activation on the code.

    Args:
        sample_shape: (height, width, channels) of an image, or (d,) of a point.
        latent_dim: size of a code.
        hidden_units: units of each hidden layer.
        activation: of the hidden layers, see `activation_layer`.
        posterior: "deterministic"; "gaussian", whose codes have a mean and a variance for each sample; or "universal",
            where the encoder takes noise beside the sample, so that q(z|x) may be of any shape.
        normalization: None, or "batch" after every hidden layer.
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
    codes = coded(dense_layers(x, hidden_units, activation, normalization), latent_dim, posterior)
    return keras.Model(samples if noise is None else [samples, noise], codes, name="encoder")


def _check_normalization(normalization):
    if normalization not in (None, "batch"):
        raise unknown_name("normalization", normalization, ("None", "batch"))
