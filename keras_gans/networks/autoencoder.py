"""Autoencoders as one network, from samples to their reconstructions: BEGAN's discriminators."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gans.networks.blocks import Blocks
from keras_gans.networks.builders import builder


@builder("mlp_autoencoder", of_points=True)
def mlp_autoencoder(
    sample_shape: Sequence[int],
    latent_dim: int = 64,
    hidden_units: Sequence[int] = (128,),
    activation: str = "elu",
    normalization: str | None = None,
) -> keras.Model:
    """An autoencoder of dense layers: down to a code, and back through the same sizes.

    Berthelot et al., "BEGAN" (2017), section 3.5: ELU, neither batch normalization nor a tanh at the end; the code
    is of the size of the generator's latents.

    Args:
        sample_shape: (height, width, channels) of an image, or (d,) of a point.
        latent_dim: size of the code.
        hidden_units: units of each hidden layer on the way to the code; those on the way back in reverse.
        activation: of the hidden layers, see `blocks.Blocks`, as for the next.
        normalization: of the hidden layers; the paper has none.

    Returns:
        keras.Model: (batch, *sample_shape) -> (batch, *sample_shape), float32 without bounds.
    """
    blocks = Blocks(normalization, activation)
    samples = keras.Input(sample_shape, name="sample")
    x = blocks.dense_layers(layers.Flatten()(samples), hidden_units)
    x = blocks.dense_layers(blocks.dense(latent_dim, hidden=False, name="code")(x), hidden_units[::-1])
    x = blocks.dense(math.prod(sample_shape), hidden=False, dtype="float32")(x)
    return keras.Model(samples, layers.Reshape(sample_shape, dtype="float32")(x), name="autoencoder")
