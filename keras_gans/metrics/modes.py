"""Which modes of a known mixture a generator reaches, and how evenly.

Srivastava et al., "VEEGAN" (2017), section 4.1, and Lin et al., "PacGAN: The Power of Two Samples in Generative
Adversarial Networks" (2018), section 4.1; reference implementation: github.com/fjxmlzn/PacGAN,
synthetic_data_experiments/PacGAN/pacgan/extensions.py. Stacked digits: Metz et al., "Unrolled GANs" (2017), 3.3.1.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammaincinv

from keras_gans.errors import UserError
from keras_gans.metrics.divergence import kl_divergence


class ModeCoverage(NamedTuple):
    """What `mode_coverage` finds.

    Attributes:
        covered: number of modes that at least `min_share` of the samples fall near.
        high_quality: share of samples within three sigma of some centre, in [0, 1].
        total_variation: half the sum of |share of a mode - 1/modes|, over the samples' nearest modes, in [0, 1].
        largest_share: share of the most frequent mode, in [0, 1].
        reverse_kl: KL(generated || data) in nats, between the shares of the modes among the samples that are near
            one, and even shares; 0 at best, log(modes) where one mode has all, infinite where no sample is near any.
        width: how wide the modes are for the true width: the median distance from a mode's centre among its samples,
            over that of a Gaussian, and of this the median over the covered modes. 1 is true, 0 is one point, and
            stragglers between modes hardly count. Not a number where none is covered.
    """

    covered: int
    high_quality: float
    total_variation: float
    largest_share: float
    reverse_kl: float
    width: float


def mode_coverage(
    points: np.ndarray, centres: np.ndarray, sigma: float, radius: float | None = None, min_share: float = 0.01
) -> ModeCoverage:
    """Counts modes, high-quality samples and the balance between modes.

    The published counts take a mode as covered by a single sample: `min_share=0` together with three sigma.

    Args:
        points: float array (count, d).
        centres: float array (modes, d), centres of equally likely Gaussians.
        sigma: standard deviation of each, in every coordinate.
        radius: how near a sample must be to occupy a mode; three sigma unless given.
        min_share: share of the samples that a mode needs to count as covered; one sample at least.

    Returns:
        ModeCoverage.

    Raises:
        UserError: shapes that do not fit.
    """
    points, centres = np.asarray(points, np.float64), np.asarray(centres, np.float64)
    if points.ndim != 2 or centres.ndim != 2 or points.shape[1] != centres.shape[1] or 0 in points.shape:
        raise UserError(
            f"Points (count, d) and centres (modes, d) must have the same d. Received: {points.shape} and "
            f"{centres.shape}."
        )
    nearest, distance = _nearest_centres(points, centres)
    shares = np.bincount(nearest, minlength=len(centres)) / len(points)
    near = nearest[distance <= (3.0 * sigma if radius is None else radius)]
    occupied = np.bincount(near, minlength=len(centres))
    covered = np.flatnonzero(occupied >= max(1.0, min_share * len(points)))
    return ModeCoverage(
        covered=len(covered),
        high_quality=float((distance <= 3.0 * sigma).mean()),
        total_variation=float(0.5 * np.abs(shares - 1.0 / len(centres)).sum()),
        largest_share=float(shares.max()),
        reverse_kl=reverse_kl(occupied),
        width=_width(points, distance, nearest, covered, sigma),
    )


def _width(points, distance, nearest, covered, sigma):
    medians = [np.median(distance[nearest == mode]) for mode in covered]
    of_gaussian = sigma * np.sqrt(2.0 * gammaincinv(points.shape[1] / 2.0, 0.5))  # squared, it follows chi-squared
    return float(np.median(medians) / of_gaussian) if medians else float("nan")


def _nearest_centres(points, centres):
    """(index of the nearest centre, distance to it) of each point, a block of points at a time."""
    blocks = np.array_split(points, -(-len(points) // 4096))
    distances = [np.linalg.norm(block[:, np.newaxis] - centres, axis=-1) for block in blocks]
    return tuple(np.concatenate([pick(block) for block in distances]) for pick in (_first_least, _least))


def _first_least(distances):
    return distances.argmin(axis=1)


def _least(distances):
    return distances.min(axis=1)


def reverse_kl(counts: np.ndarray, data_counts: np.ndarray | None = None) -> float:
    """KL(generated || data) in nats, between the shares of modes.

    Reverse, because it punishes a generator for modes that it over-represents, however many it lacks.

    Args:
        counts: array (modes,), generated samples at each mode.
        data_counts: the data's; even unless given.

    Returns:
        float, 0 or more; infinite where no sample is at any mode, or one is where the data has none.

    Raises:
        UserError: shapes that do not fit.
    """
    counts = np.asarray(counts, np.float64)
    data_counts = np.ones_like(counts) if data_counts is None else data_counts
    return kl_divergence(counts, data_counts) if counts.sum() > 0.0 else float("inf")


class StackedModeCoverage(NamedTuple):
    """What `stacked_mode_coverage` finds.

    Attributes:
        covered: modes, of classes cubed, with at least one sample of which the classifier is sure.
        named: modes that it names for at least one sample, sure or not, as published counts have it. Noise is named
            too: of uniformly random pixels nine modes of ten.
        sure: share of the samples of which it is sure, in [0, 1]; to be held against the data's own.
        reverse_kl: KL(generated || data) in nats between the sure samples' modes and the data's, see `reverse_kl`.
        largest_share: share of the most frequent mode among the sure samples, in [0, 1]; 0 where there is none.
        modes: how many modes there are.
        count: how many samples were looked at; coverage rises with it, and published counts take 25,600 or 26,000.
    """

    covered: int
    named: int
    sure: float
    reverse_kl: float
    largest_share: float
    modes: int
    count: int


def stacked_mode_coverage(
    images: np.ndarray, extractor: Any, data_counts: np.ndarray | None = None, sure_from: float = 0.9
) -> StackedModeCoverage:
    """Counts the modes of images that stack a digit in each of three channels: 1,000 for ten digits.

    Each channel is classified by itself; a sample's mode is 100 a + 10 b + c. A classifier names whatever it is shown,
    so that only samples of which it is sure count.

    Args:
        images: uint8 (count, height, width, 3) in 0..255, or float of that shape in [-1, 1].
        extractor: an `Extractor` that classifies the grey images of one channel.
        data_counts: array (modes,) of the data's own counts; even unless given.
        sure_from: probability in [0, 1] that the likeliest class of every channel must have.

    Returns:
        StackedModeCoverage.

    Raises:
        UserError: the images have not three channels, or the extractor is no classifier.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3:
        raise UserError(f"Stacked images have three channels: (count, height, width, 3). Received: {images.shape}.")
    classes = [extractor.probabilities(images[..., channel : channel + 1]) for channel in range(3)]
    labels, probability = (np.stack([pick(rows, axis=1) for rows in classes]) for pick in (np.argmax, np.max))
    kinds, sure = classes[0].shape[1], (probability >= sure_from).all(axis=0)
    names = (labels[0] * kinds + labels[1]) * kinds + labels[2]
    counts = np.bincount(names[sure], minlength=kinds**3)
    return StackedModeCoverage(
        covered=int((counts > 0).sum()),
        named=len(np.unique(names)),
        sure=float(sure.mean()),
        reverse_kl=reverse_kl(counts, data_counts),
        largest_share=float(counts.max() / max(counts.sum(), 1)),
        modes=kinds**3,
        count=len(images),
    )
