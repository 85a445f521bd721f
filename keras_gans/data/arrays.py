"""Arrays in memory: images or points, with or without labels."""

import hashlib
import warnings
from typing import Any

import numpy as np

from keras_gans.data import cache, pictures
from keras_gans.data.source import Source, check_no_image_options
from keras_gans.errors import NoSplitError, UserError

_NAME = "array"
_HINT = "Pass a tuple: (images, labels)."
_CHUNK = 1024


def open_array(
    array: Any, *, split: str = "train", image_size: int | None = None, channels: int | None = None
) -> "Source":
    """Opens images or points that are in memory.

    Args:
        array: uint8 images in 0..255 or float images in [-1, 1], (n, height, width, 1 or 3) or (n, height, width);
            or float points (n, dimensions); or a tuple of one of these and n whole numbers, the labels.
        split: "train", the only one an array has.
        image_size: side of the squares to crop and resize images to; None keeps their shape.
        channels: 1 or 3; None keeps the images'.

    Returns:
        A `Source`.

    Raises:
        UserError: the array is none of these.
    """
    images, labels = check_array(array)
    if split != "train":
        raise NoSplitError(f"An array has one split, 'train'. Received: split={split!r}.")
    if images.ndim == 2:
        check_no_image_options(_NAME, image_size, channels)
        return Source.of_samples(_NAME, split, _as_float32(images), labels, None, _HINT)
    if images.dtype != np.uint8:
        images = _as_float32(images)
    return Source.of_samples(_NAME, split, _fitted(images, image_size, channels), labels, None, _HINT)


def check_array(array: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """(images (n, height, width, channels) or points (n, dimensions), labels or None) of whatever `open_array` takes.

    Raises:
        UserError: it is nothing that `open_array` takes.
    """
    images, labels = array if isinstance(array, tuple) and len(array) == 2 else (array, None)
    images = _as_array(images, "images or points")
    floats = np.issubdtype(images.dtype, np.floating)
    if images.ndim == 3:
        images = images[..., np.newaxis]
    is_points = images.ndim == 2 and floats
    is_images = images.ndim == 4 and images.shape[-1] in (1, 3) and (floats or images.dtype == np.uint8)
    if not (is_points or is_images) or 0 in images.shape:
        raise UserError(
            "An array of images is uint8 in 0..255 or float in [-1, 1], of shape (n, height, width, 1 or 3) or "
            "(n, height, width); an array of points is float, of shape (n, dimensions). "
            f"Received: {images.dtype} of shape {images.shape}."
        )
    if floats:
        _check_range(images, is_points)
    return images, None if labels is None else check_label_array(labels, len(images))


def _as_array(values, what):
    try:
        return np.asanyarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise UserError(f"No array of {what} can be made of what was given: {str(error).splitlines()[0]}") from None


def _check_range(images, is_points):
    low, high = float(images.min()), float(images.max())
    with np.errstate(over="ignore"):
        if not np.isfinite(np.array([low, high], np.float32)).all():
            raise UserError("The array holds NaN or infinite values, or numbers that float32 cannot hold.")
    if is_points:
        return
    if low < -1.0 or high > 1.0:
        raise UserError(
            f"Float images lie in [-1, 1]; these lie in [{low:.4g}, {high:.4g}]. Pass uint8 images in 0..255, or "
            "scale them first."
        )
    if low >= 0.0:
        warnings.warn(
            f"The float images lie in [{low:.4g}, {high:.4g}] and are taken to be in [-1, 1] already. If they are in "
            "[0, 1], pass 2 * images - 1.",
            stacklevel=4,
        )


def check_label_array(labels: Any, count: int) -> np.ndarray:
    """The labels as int64 (count,).

    Raises:
        UserError: they are not `count` whole numbers from 0.
    """
    labels = _as_array(labels, "labels")
    if labels.shape == (count, 1):
        labels = labels[:, 0]
    whole = np.issubdtype(labels.dtype, np.integer)
    if labels.shape != (count,) or not whole or labels.min(initial=0) < 0:
        raise UserError(
            f"The labels of {count} images are {count} whole numbers from 0. "
            f"Received: {labels.dtype} of shape {labels.shape}."
        )
    return labels.astype("int64")


def _as_float32(array):
    return array if array.dtype == np.float32 else array.astype("float32")


def _fitted(images, image_size, channels):
    """The images cropped, resized and converted, or the very same array where nothing differs."""
    channels = images.shape[-1] if channels is None else channels
    height, width = images.shape[1:3] if image_size is None else (image_size, image_size)
    shape = (len(images), height, width, channels)
    if shape == images.shape:
        return images

    def fill(array):
        with pictures.decoding_pool() as pool:
            for start in range(0, len(images), _CHUNK):
                chunk = images[start : start + _CHUNK]
                fitted = pool.map(lambda pixels: pictures.fit_array(pixels, image_size, channels), chunk)
                array[start : start + len(chunk)] = list(fitted)

    def identity():
        digest = hashlib.sha256(repr(images.shape).encode())
        for start in range(0, len(images), _CHUNK):
            digest.update(np.ascontiguousarray(images[start : start + _CHUNK]))
        return digest.hexdigest()

    return cache.filled_array(shape, images.dtype, fill, identity)
