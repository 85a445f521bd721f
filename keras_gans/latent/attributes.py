"""Attributes of images that can be measured, so that whether an image has one is no matter of taste."""

import numpy as np

from keras_gans.errors import UserError, unknown_name


def brightness(images: np.ndarray) -> np.ndarray:
    """The mean pixel: on digits, which are white on black, how much ink there is.

    Args:
        images: uint8 (n, height, width, channels).

    Returns:
        float (n,) in [0, 1].
    """
    return _intensities(images).mean(axis=(1, 2))


def stroke_thickness(images: np.ndarray) -> np.ndarray:
    """Twice the ink over the length of its outline: the thickness of bright strokes on a dark ground.

    A stroke of length l and thickness w holds l w of ink within an outline of about 2 l. The outline's length is the
    total variation, the sum over pixels of the gradient's length, so that grey edges count as what they are.

    Args:
        images: uint8 (n, height, width, channels).

    Returns:
        float (n,), pixels; 0 for an empty image.
    """
    ink = _intensities(images)
    padded = np.pad(ink, ((0, 0), (0, 1), (0, 1)), mode="edge")
    down, right = np.diff(padded, axis=1)[:, :, :-1], np.diff(padded, axis=2)[:, :-1]
    outline, area = np.hypot(down, right).sum(axis=(1, 2)), ink.sum(axis=(1, 2))
    return np.divide(2.0 * area, outline, out=np.zeros_like(area), where=outline > 0.0)


def _intensities(images):
    images = np.asarray(images)
    if images.ndim != 4 or images.dtype != np.uint8:
        raise UserError(
            "Attributes are those of images, uint8 (n, height, width, channels). Received: "
            f"{images.dtype} of shape {images.shape}."
        )
    return images.mean(axis=3) / 255.0


ATTRIBUTES = {"brightness": brightness, "stroke_thickness": stroke_thickness}
# What a person calls the two ends of an attribute.
LEVELS = {
    "dark": ("brightness", -1.0),
    "bright": ("brightness", 1.0),
    "thin": ("stroke_thickness", -1.0),
    "thick": ("stroke_thickness", 1.0),
}


def level_scores(name: str, images: np.ndarray) -> np.ndarray:
    """How much each image is what an adjective says.

    Args:
        name: "dark", "bright", "thin" or "thick".
        images: uint8 (n, height, width, channels).

    Returns:
        float (n,), the higher the more.

    Raises:
        UserError: no such adjective.
    """
    if name not in LEVELS:
        raise unknown_name("attribute", name, LEVELS)
    attribute, sign = LEVELS[name]
    return sign * ATTRIBUTES[attribute](images)
