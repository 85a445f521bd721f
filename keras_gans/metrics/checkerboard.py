"""How much of a picture is checkerboard: the artefact of upsampling by two."""

from typing import Any

import numpy as np

from keras_gans.errors import UserError


def checkerboard_score(images: np.ndarray, crop: Any = 4) -> float:
    """Share of the pictures' energy, means left out, at the frequency of a change with every pixel.

    Odena et al., "Deconvolution and Checkerboard Artifacts" (2016), https://distill.pub/2016/deconv-checkerboard: an
    upsampling by two that treats even and odd pixels differently shows as energy on the lines |fx| = pi and |fy| = pi.
    White noise of n x n pixels has (2 n - 1) / (n n - 1); photographs have far less. Compare it with the data's own.

    Args:
        images: array (n, height, width, channels), uint8 or floats; a level of no change counts as no energy.
        crop: pixels left out at each border, where the edges of convolutions would count; 4 or more for deep networks.

    Returns:
        float in [0, 1].

    Raises:
        UserError: no such array, or pictures too small for the crop.
    """
    images = np.asarray(images, np.float64)
    if images.ndim != 4 or not len(images):
        raise UserError(
            f"Pictures are an array (n, height, width, channels), n of 1 or more. Received: {images.shape}."
        )
    # An even number of pixels, or no frequency would be exactly pi.
    height, width = ((side - 2 * crop) // 2 * 2 for side in images.shape[1:3])
    if crop < 0 or height < 4 or width < 4:
        raise UserError(
            f"Less than four pixels are left of pictures of {images.shape[1]} x {images.shape[2]} without a border of "
            f"{crop}. Choose a smaller crop, 0 or more."
        )
    inner = images[:, crop : crop + height, crop : crop + width]
    energy = np.square(np.abs(np.fft.fft2(inner, axes=(1, 2)))).sum(axis=(0, 3))
    constant, energy[0, 0] = energy[0, 0], 0.0
    at_every_pixel = energy[height // 2].sum() + energy[:, width // 2].sum() - energy[height // 2, width // 2]
    # Rounding is no picture.
    return float(at_every_pixel / energy.sum()) if energy.sum() > 1e-10 * constant else 0.0
