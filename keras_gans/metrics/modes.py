"""Which modes of a known mixture a generator reaches."""

from typing import NamedTuple

import numpy as np


class ModeCoverage(NamedTuple):
    """What `mode_coverage` finds.

    Attributes:
        covered: number of modes that at least `min_share` of the samples fall near.
        high_quality: share of samples within three sigma of some centre, in [0, 1].
        total_variation: half the sum of |share of a mode - 1/modes|, over the samples' nearest modes, in [0, 1].
        largest_share: share of the most frequent mode, in [0, 1].
    """

    covered: int
    high_quality: float
    total_variation: float
    largest_share: float


def mode_coverage(points, centres, sigma, radius=None, min_share=0.01):
    """Counts modes, high-quality samples and the balance between modes.

    Args:
        points: float array (count, d).
        centres: float array (modes, d), centres of equally likely Gaussians.
        sigma: standard deviation of each, in every coordinate.
        radius: how near a sample must be to occupy a mode; three sigma unless given.
        min_share: share of the samples that a mode needs to count as covered.

    Returns:
        ModeCoverage.
    """
    points, centres = np.asarray(points, np.float64), np.asarray(centres, np.float64)
    distances = np.linalg.norm(points[:, np.newaxis] - centres, axis=-1)
    nearest, distance = distances.argmin(axis=1), distances.min(axis=1)
    shares = np.bincount(nearest, minlength=len(centres)) / len(points)
    near = nearest[distance <= (3.0 * sigma if radius is None else radius)]
    occupied = np.bincount(near, minlength=len(centres)) / len(points)
    return ModeCoverage(
        covered=int((occupied >= min_share).sum()),
        high_quality=float((distance <= 3.0 * sigma).mean()),
        total_variation=float(0.5 * np.abs(shares - 1.0 / len(centres)).sum()),
        largest_share=float(shares.max()),
    )
