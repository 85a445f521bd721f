"""Multilayer perceptrons, for small images and for points."""

import math

import keras
from keras import layers

from keras_gans.errors import unknown_name
from keras_gans.layers import BatchNormalization
from keras_gans.registry import networks

_ACTIVATIONS = ("leaky_relu", "relu", "elu", "tanh")
# He et al. (2015): the scale that keeps the variance through rectifiers; Glorot and Bengio (2010) for the others.
_INITIALIZERS = {
    "leaky_relu": "glorot_uniform",
    "relu": "he_normal",
    "elu": "he_normal",
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


@networks.register("mlp_generator")
def mlp_generator(
    sample_shape,
    latent_dim=100,
    hidden_units=(128,),
    activation="relu",
    normalization=None,
    output_activation="tanh",
):
    """A generator of dense layers; the defaults are the lecture's 100-128-784 for samples of shape (28, 28, 1).

    Args:
        sample_shape: (height, width, channels) of an image, or (d,) of a point.
        latent_dim: size of a latent.
        hidden_units: units of each hidden layer.
        activation: of the hidden layers, see `activation_layer`.
        normalization: None, or "batch" after every hidden layer.
        output_activation: "tanh" for images in [-1, 1], None for points.

    Returns:
        keras.Model: (batch, latent_dim) -> (batch, *sample_shape), float32.
    """
    _check_normalization(normalization)
    latents = keras.Input((latent_dim,), name="z")
    x = latents
    for units in hidden_units:
        x = layers.Dense(units, kernel_initializer=_INITIALIZERS.get(activation), use_bias=not normalization)(x)
        x = BatchNormalization()(x) if normalization else x
        x = activation_layer(activation)(x)
    x = layers.Dense(math.prod(sample_shape))(x)
    x = layers.Reshape(sample_shape)(x)
    samples = layers.Activation(output_activation or "linear", dtype="float32", name="sample")(x)
    return keras.Model(latents, samples, name="generator")


@networks.register("mlp_discriminator")
def mlp_discriminator(sample_shape, hidden_units=(128,), activation="leaky_relu"):
    """A discriminator or critic of dense layers; the defaults are the lecture's 784-128-1.

    Args:
        sample_shape: (height, width, channels) of an image, or (d,) of a point.
        hidden_units: units of each hidden layer.
        activation: of the hidden layers, see `activation_layer`.

    Returns:
        keras.Model: (batch, *sample_shape) -> (batch, 1), float32 raw scores (logits).
    """
    samples = keras.Input(sample_shape, name="sample")
    x = layers.Flatten()(samples)
    for units in hidden_units:
        x = layers.Dense(units, kernel_initializer=_INITIALIZERS.get(activation))(x)
        x = activation_layer(activation)(x)
    scores = layers.Dense(1, dtype="float32", name="score")(x)
    return keras.Model(samples, scores, name="discriminator")


def _check_normalization(normalization):
    if normalization not in (None, "batch"):
        raise unknown_name("normalization", normalization, ("None", "batch"))
