"""What contrasts the patches of an image with those of its translation: features of a translator, and their heads."""

from collections.abc import Sequence

import keras
from keras import layers, ops

from keras_gans.errors import UserError
from keras_gans.hints import Tensor

# Besides the pixels themselves; the paper's encoder is asked at five places in all.
_PLACES = 4


def features_of(translator: keras.Model) -> keras.Model:
    """The features of a translator's first half, which makes an image smaller or at least no larger.

    Args:
        translator: images -> translations, of layers in a row or in blocks.

    Returns:
        keras.Model: images -> the images themselves, and what evenly spaced layers give, a list of (batch, rows,
        columns, channels). It shares the translator's layers.

    Raises:
        UserError: the translator has no hidden layer of images.
    """
    image = translator.inputs[0]
    found, smallest = [], image.shape[1]
    for layer in translator.layers[:-1]:
        output = layer.output
        if isinstance(layer, layers.InputLayer) or len(output.shape) != 4:
            continue
        # Padding makes images a little larger, upsampling doubles them.
        if output.shape[1] >= 2 * smallest:
            break
        smallest = min(smallest, output.shape[1])
        if isinstance(layer, layers.Activation | layers.ReLU | layers.LeakyReLU | layers.Add):
            found.append(output)
    if not found:
        raise UserError("The translator has no hidden layer whose features could be compared: build it of activations.")
    last = len(found) - 1
    chosen = sorted({round(place * last / (_PLACES - 1)) for place in range(_PLACES)})
    return keras.Model(translator.inputs, [image, *(found[place] for place in chosen)], name="features")


def projection_heads(features: keras.Model, units: int, seed: int) -> keras.Model:
    """Two dense layers for each of the features, whose outputs have length 1 (Park et al., 2020, section 3).

    Args:
        features: what `features_of` gives.
        units: of both layers; 256 in the paper.
        seed: of the weights.

    Returns:
        keras.Model: list of (batch, places, channels) -> list of (batch, places, units), float32.
    """
    inputs = [keras.Input((None, output.shape[-1])) for output in features.outputs]
    outputs = []
    for index, places in enumerate(inputs):
        x = places
        for layer, activation in enumerate(("relu", None)):
            initializer = keras.initializers.GlorotNormal(seed=1000 * seed + 2 * index + layer)
            x = layers.Dense(units, activation, kernel_initializer=initializer)(x)
        outputs.append(layers.UnitNormalization(dtype="float32")(x))
    return keras.Model(inputs, outputs, name="heads")


def at_places(features: Tensor, places: Tensor) -> Tensor:
    """The features at some places of every image.

    Args:
        features: (batch, rows, columns, channels).
        places: integers (n,), counted row by row.

    Returns:
        (batch, n, channels).
    """
    _, rows, columns, channels = features.shape
    return ops.take(ops.reshape(features, (-1, rows * columns, channels)), places, axis=1)


def sizes_of(features: keras.Model) -> Sequence[int]:
    """How many places each of the features has."""
    return [output.shape[1] * output.shape[2] for output in features.outputs]
