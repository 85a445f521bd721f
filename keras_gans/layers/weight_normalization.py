"""Layers whose weight vectors have a length of their own."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans.hints import Tensor
from keras_gans.layers.kernels import KernelWrapper


@keras.saving.register_keras_serializable(package="keras_gans")
class WeightNormalizedDense(keras.layers.Layer):
    """A dense layer with w = g v / ||v|| for each unit, so that a step turns weights and does not lengthen them.

    Salimans and Kingma, "Weight Normalization" (2016), equation 2. With g fixed at 1, as in the hidden layers of the
    semi-supervised discriminator of Salimans et al. (2016), a unit cannot outgrow the noise that is added to it.

    Args:
        units: number of units.
        learned_scale: whether g is learned, starting from 1; fixed at 1 otherwise.
        **kwargs: as any Keras layer.

    Input: (batch, d). Output: (batch, units).
    """

    def __init__(self, units: int, learned_scale: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.learned_scale = learned_scale

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        initializer = keras.initializers.RandomNormal(stddev=0.1)
        self.direction = self.add_weight(name="direction", shape=(input_shape[-1], self.units), initializer=initializer)
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        if self.learned_scale:
            self.scale = self.add_weight(name="scale", shape=(self.units,), initializer="ones")

    def call(self, inputs: Tensor) -> Tensor:
        # The length in float32: half precision's sum of many squares is coarse. It divides the sums of products rather
        # than the weights, which are many times more.
        length = tf.norm(tf.cast(self.direction, tf.float32), axis=0)
        scale = (self.scale if self.learned_scale else 1.0) / tf.maximum(length, 1e-12)
        products = tf.matmul(inputs, tf.cast(self.direction, self.compute_dtype))
        return products * tf.cast(scale, self.compute_dtype) + tf.cast(self.bias, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "learned_scale": self.learned_scale}


@keras.saving.register_keras_serializable(package="keras_gans")
class WeightNormalization(KernelWrapper):
    """A convolutional layer with w = g v / ||v|| for each output channel, g learned from 1.

    Salimans and Kingma, "Weight Normalization" (2016), equation 2; for dense layers see `WeightNormalizedDense`.

    Args:
        layer: a convolution or an `Upsample2D`.
        **kwargs: as any Keras layer.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        self.scale = self.add_weight(name="scale", shape=(self.matrix().shape[-1],), initializer="ones")

    def effective_kernel(self) -> tf.Tensor:
        scale = tf.cast(self.scale.value, tf.float32) / tf.maximum(tf.norm(self.matrix(), axis=0), 1e-12)
        if isinstance(self.linear, keras.layers.Conv2DTranspose):
            scale = scale[:, tf.newaxis]
        return tf.cast(tf.convert_to_tensor(self.linear.kernel), tf.float32) * scale
