"""Layers that compute with a function of another layer's kernel, and leave the kernel itself alone."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans.layers.upsample import Upsample2D


class KernelWrapper(keras.layers.Wrapper):
    """A dense or convolutional layer that computes with `effective_kernel()` in place of its kernel.

    Nothing is assigned in a forward pass, so that a pass in another player's turn changes nothing.

    Args:
        layer: `keras.layers.Dense`, a convolution or an `Upsample2D`.
        **kwargs: as any Keras layer.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        self.built = True

    @property
    def linear(self) -> keras.layers.Layer:
        """The layer that has the kernel."""
        return self.layer.convolution if isinstance(self.layer, Upsample2D) else self.layer

    def matrix(self) -> tf.Tensor:
        """The kernel as a float32 matrix with one column for each output channel."""
        kernel = tf.cast(tf.convert_to_tensor(self.linear.kernel), tf.float32)
        if isinstance(self.linear, keras.layers.Conv2DTranspose):
            # Its kernel's last axis is the input's.
            kernel = tf.transpose(kernel, (0, 1, 3, 2))
        return tf.reshape(kernel, (-1, kernel.shape[-1]))

    def effective_kernel(self) -> tf.Tensor:
        """What takes the kernel's place, of its shape."""
        raise NotImplementedError(f"{type(self).__name__} must define effective_kernel().")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        kernel = self.linear.kernel
        given = [(variable, variable.value) for variable in self.layer.variables if variable is not kernel]
        with keras.StatelessScope([*given, (kernel, self.effective_kernel())]):
            return self.layer(inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return self.layer.compute_output_shape(input_shape)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.layer.compute_dtype)
