"""Doubling height and width, with or without the checkerboard."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_gans.errors import unknown_name
from keras_gans.hints import Tensor

MODES = ("deconv", "nearest", "bilinear", "subpixel")
# Those that resize first.
RESIZES = ("nearest", "bilinear")


@keras.saving.register_keras_serializable(package="keras_gans")
class Upsample2D(keras.layers.Layer):
    """Doubles height and width and maps to `filters` channels.

    Odena et al., "Deconvolution and Checkerboard Artifacts" (2016): a deconvolution overlaps unevenly unless its
    kernel divides by its stride, and tends to the checkerboard even so; a resize followed by a convolution does not. A
    sub-pixel convolution (Shi et al., 2016) makes the four pixels of a square by kernels of their own, and tends to it
    as a deconvolution does.

    Args:
        filters: channels out.
        mode: "deconv" (transposed convolution, stride 2); "nearest" or "bilinear" (resize, then a convolution);
            "subpixel" (a convolution to four times the channels, which become squares of four pixels).
        kernel_size: of the convolution; 4 for "deconv" and 3 for the others unless given.
        use_bias: whether the convolution has a bias; leave it out before batch normalization.
        kernel_initializer: of the convolution.
        **kwargs: as any Keras layer.

    Input: (batch, height, width, channels), height and width known.
    Output: (batch, 2 height, 2 width, filters).

    Raises:
        UserError: `mode` is none of the four.
    """

    def __init__(
        self,
        filters: int,
        mode: str = "deconv",
        kernel_size: int | None = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if mode not in MODES:
            raise unknown_name("upsampling mode", mode, MODES)
        self.filters = filters
        self.mode = mode
        self.kernel_size = kernel_size or (4 if mode == "deconv" else 3)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        arguments = {
            "padding": "same",
            "use_bias": use_bias,
            "kernel_initializer": self.kernel_initializer,
            "dtype": self.dtype_policy,
        }
        if mode == "deconv":
            self.convolution = keras.layers.Conv2DTranspose(filters, self.kernel_size, strides=2, **arguments)
        else:
            channels = 4 * filters if mode == "subpixel" else filters
            self.convolution = keras.layers.Conv2D(channels, self.kernel_size, **arguments)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        batch, height, width, channels = input_shape
        factor = 2 if self.mode in RESIZES else 1
        self.convolution.build((batch, factor * height, factor * width, channels))

    def call(self, inputs: Tensor) -> Tensor:
        if self.mode in RESIZES:
            # Not UpSampling2D: TFLite cannot convert its nearest form with a free batch.
            height, width = inputs.shape[1:3]
            inputs = ops.image.resize(inputs, (2 * height, 2 * width), interpolation=self.mode)
        outputs = self.convolution(inputs)
        return tf.nn.depth_to_space(outputs, 2) if self.mode == "subpixel" else outputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, _ = input_shape
        return (batch, 2 * height, 2 * width, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "mode": self.mode,
            "kernel_size": self.kernel_size,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
