"""Padding by reflection, which draws no edge around what it pads."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans.errors import UserError
from keras_gans.hints import Tensor


@keras.saving.register_keras_serializable(package="keras_gans")
class ReflectionPadding2D(keras.layers.Layer):
    """Pads height and width on each side by what lies mirrored inside, without the edge itself.

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

    def call(self, inputs: Tensor) -> Tensor:
        sides = [self.padding, self.padding]
        return tf.pad(inputs, [[0, 0], sides, sides, [0, 0]], mode="REFLECT")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, channels = input_shape
        grown = [None if side is None else side + 2 * self.padding for side in (height, width)]
        return (batch, *grown, channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding}
