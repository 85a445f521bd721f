"""The sliced Wasserstein distance between the patches of two sets of images, at each scale of a Laplacian pyramid.

Karras et al., "Progressive Growing of GANs for Improved Quality, Stability, and Variation" (2018), section 5;
reference implementation: github.com/tkarras/progressive_growing_of_gans, metrics/sliced_wasserstein.py. It needs no
network: the coarse levels compare structure, the fine ones texture.
"""

from typing import NamedTuple

import numpy as np

from keras_gans.data.arrays import check_array
from keras_gans.errors import UserError
from keras_gans.metrics.checks import require_positive

PATCH = 7
_COARSEST = 16
_DIRECTIONS_AT_ONCE = 32
_TAPS = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0


class SlicedWasserstein(NamedTuple):
    """What `sliced_wasserstein_distance` finds, times 1,000 as the paper prints it.

    Attributes:
        value: mean over the levels.
        levels: {height of the level in pixels: distance}.
    """

    value: float
    levels: dict


def sliced_wasserstein_distance(
    images: np.ndarray, other_images: np.ndarray, patches: int = 128, directions: int = 512, seed: int = 0
) -> SlicedWasserstein:
    """The sliced Wasserstein distance of 7x7 patches, level by level.

    A level's patches are normalised to mean 0 and standard deviation 1 in each channel over the whole set, so that
    brightness and contrast of the set as a whole do not count. Levels halve the height until it would fall below 16;
    images smaller than that have one level, and images smaller than 7 one patch, the image.

    Memory holds every patch of both sets for one level: 200 bytes a patch and channel.

    Args:
        images, other_images: as many of each, uint8 (n, height, width, 1 or 3) in 0..255, or float in [-1, 1].
        patches: patches for an image and level, at random places; where there are no more places than that, each
            place is taken once.
        directions: random projections; the distance is the mean over them.
        seed: of places and directions.

    Returns:
        SlicedWasserstein.

    Raises:
        UserError: the sets are no images, or differ in shape or count.
    """
    require_positive(patches=patches, directions=directions)
    first, second = (check_array(values)[0] for values in (images, other_images))
    if first.ndim != 4 or first.shape != second.shape:
        raise UserError(
            f"Two sets of images of the same count and shape are compared. Received: {first.shape} and {second.shape}."
        )
    # In units of pixels' levels, so that float and uint8 images of the same content give the same.
    first, second = map(_levels_of_255, (first, second))
    rng = np.random.default_rng(seed)
    levels = {}
    for one, other in zip(laplacian_pyramid(first), laplacian_pyramid(second), strict=True):
        descriptors = [_normalised(_patches(level, patches, rng)) for level in (one, other)]
        levels[one.shape[1]] = 1000.0 * _sliced_distance(*descriptors, directions, rng)
    return SlicedWasserstein(float(np.mean(list(levels.values()))), levels)


def _levels_of_255(images):
    return images.astype("float32") if images.dtype == np.uint8 else 127.5 * (images.astype("float32") + 1.0)


def laplacian_pyramid(images: np.ndarray) -> list[np.ndarray]:
    """The Laplacian pyramid of Burt and Adelson (1983), the finest level first; the last is the small image itself.

    Args:
        images: float32 array (n, height, width, channels).

    Returns:
        List of float32 arrays, each half as high and wide as the one before.
    """
    levels = [np.asarray(images, np.float32)]
    while min(levels[-1].shape[1:3]) // 2 >= _COARSEST:
        levels.append(_smoothed(levels[-1], 1.0)[:, ::2, ::2])
        levels[-2] = levels[-2] - _enlarged(levels[-1], levels[-2].shape)
    return levels


def _smoothed(images, gain):
    """Images convolved with the 5x5 binomial kernel, mirrored at the border, times `gain`."""
    from scipy.ndimage import convolve1d

    return convolve1d(convolve1d(images, _TAPS * gain, axis=1, mode="mirror"), _TAPS, axis=2, mode="mirror")


def _enlarged(images, shape):
    spread = np.zeros(shape, images.dtype)
    spread[:, ::2, ::2] = images
    return _smoothed(spread, 4.0)


def _patches(images, patches, rng):
    """float32 (n, patches, patch height, patch width, channels)."""
    height, width = (min(PATCH, side) for side in images.shape[1:3])
    windows = np.lib.stride_tricks.sliding_window_view(images, (height, width), axis=(1, 2))
    rows, columns = windows.shape[1:3]
    if rows * columns <= patches:
        taken = windows.reshape(len(images), rows * columns, *windows.shape[3:])
    else:
        tops, lefts = (rng.integers(0, limit, (len(images), patches)) for limit in (rows, columns))
        taken = windows[np.arange(len(images))[:, np.newaxis], tops, lefts]
    return np.moveaxis(taken, 2, -1)


def _normalised(patches):
    """Flat patches (count, length) with mean 0 and standard deviation 1 in each channel over all of them."""
    axes = (0, 1, 2, 3)
    deviation = patches.std(axis=axes, dtype=np.float64)
    scaled = patches - patches.mean(axis=axes, dtype=np.float64).astype("float32")
    scaled /= np.where(deviation > 0.0, deviation, 1.0).astype("float32")
    return scaled.reshape(patches.shape[0] * patches.shape[1], -1)


def _sliced_distance(one, other, directions, rng):
    """Mean over random directions of the exact Wasserstein-1 distance of the projections."""
    total = 0.0
    for start in range(0, directions, _DIRECTIONS_AT_ONCE):
        axes = rng.normal(size=(min(_DIRECTIONS_AT_ONCE, directions - start), one.shape[1]))
        axes = (axes / np.linalg.norm(axes, axis=1, keepdims=True)).astype("float32")
        # One direction a row: sorting along rows is many times faster.
        first, second = (np.sort(axes @ values.T, axis=1) for values in (one, other))
        total += np.abs(first - second).mean(axis=1, dtype=np.float64).sum()
    return total / directions
