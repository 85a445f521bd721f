"""Autoencoders as one network, from samples to their reconstructions: BEGAN's discriminators."""

import math

import keras
from keras import layers

from keras_gans.networks.mlp import dense_layers
from keras_gans.registry import networks


@networks.register("mlp_autoencoder")
def mlp_autoencoder(sample_shape, latent_dim=64, hidden_units=(128,), activation="elu"):
    """An autoencoder of dense layers: down to a code, and back through the same sizes.

    Berthelot et al., "BEGAN" (2017), section 3.5: ELU, neither batch normalization nor a tanh at the end; the code
    is of the size of the generator's latents.

    Args:
        sample_shape: (height, width, channels) of an image, or (d,) of a point.
        latent_dim: size of the code.
        hidden_units: units of each hidden layer on the way to the code; those on the way back in reverse.
        activation: of the hidden layers, see `mlp.activation_layer`.

    Returns:
        keras.Model: (batch, *sample_shape) -> (batch, *sample_shape), float32 without bounds.
    """
    samples = keras.Input(sample_shape, name="sample")
    x = dense_layers(layers.Flatten()(samples), hidden_units, activation)
    x = dense_layers(layers.Dense(latent_dim, name="code")(x), hidden_units[::-1], activation)
    x = layers.Dense(math.prod(sample_shape), dtype="float32")(x)
    return keras.Model(samples, layers.Reshape(sample_shape, dtype="float32")(x), name="autoencoder")
