"""The one conversion between stored pixels (uint8, 0 to 255) and the networks' images (float, -1 to 1).

TensorFlow is imported once something is converted: what only names measures must not wait for it.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from keras_gans.hints import Tensor


def from_uint8(pixels: np.ndarray) -> "Tensor":
    """uint8 pixels in [0, 255] as float32 in [-1, 1], any shape."""
    import tensorflow as tf

    return tf.cast(pixels, tf.float32) / 127.5 - 1.0


def to_uint8(images: np.ndarray) -> "Tensor":
    """Float images in [-1, 1] as uint8 in [0, 255], rounded to the nearest level and clipped, any shape."""
    import tensorflow as tf

    return tf.cast(tf.clip_by_value(tf.round((tf.cast(images, tf.float32) + 1.0) * 127.5), 0.0, 255.0), tf.uint8)
