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


def as_float(images: np.ndarray) -> "Tensor":
    """Images that are uint8 or float in [-1, 1] already, as float32 in [-1, 1], any shape."""
    import tensorflow as tf

    return from_uint8(images) if images.dtype == np.uint8 else tf.cast(images, tf.float32)


def to_uint8(images: np.ndarray) -> "Tensor":
    """Float images in [-1, 1] as uint8 in [0, 255], rounded to the nearest level and clipped, any shape."""
    import tensorflow as tf

    return tf.cast(tf.clip_by_value(tf.round((tf.cast(images, tf.float32) + 1.0) * 127.5), 0.0, 255.0), tf.uint8)


def as_uint8(images: np.ndarray) -> np.ndarray:
    """Images that are uint8 already or float in [-1, 1], as uint8 arrays of any shape."""
    images = np.asarray(images)
    return images if images.dtype == np.uint8 else to_uint8(images).numpy()


def steepness(images: np.ndarray) -> float:
    """Mean size of the difference between neighbouring pixels of uint8 images (n, height, width, channels), in grey
    levels: noise has much of it, blur little.
    """
    images = images.astype(np.float32)
    sizes = [np.abs(np.diff(images, axis=axis)).mean() for axis in (1, 2) if images.shape[axis] > 1]
    return float(np.mean(sizes)) if sizes else 0.0
