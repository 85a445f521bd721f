"""The kernel distance between two sets of feature vectors (KID): the squared maximum mean discrepancy, unbiased.

Bińkowski et al., "Demystifying MMD GANs" (2018), section 4; reference implementation: github.com/mbinkowski/MMD-GAN,
gan/compute_scores.py. Unlike the Fréchet distance it has no bias that depends on the number of samples.
"""

import math
from typing import NamedTuple

import numpy as np

from keras_gans.metrics.checks import as_feature_pair, require_positive


class KernelDistance(NamedTuple):
    """What `kernel_distance` finds.

    Attributes:
        value: mean of the unbiased estimates over the subsets; it may be slightly below 0.
        standard_error: of the estimate from all vectors, over other draws of both sets; None from one subset.
    """

    value: float
    standard_error: float | None


def polynomial_kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(x . y / d + 1)^3 of every pair of rows: float (n, d) and (m, d) to (n, m)."""
    base = x @ y.T / x.shape[1] + 1.0
    # NumPy's power is ten times slower.
    return base * base * base


def squared_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """The unbiased estimate of the squared maximum mean discrepancy under `polynomial_kernel`.

    Gretton et al., "A Kernel Two-Sample Test" (2012), lemma 6: pairs of a vector with itself are left out.

    Args:
        x, y: float arrays (n, d) and (m, d), two or more rows each.

    Returns:
        float, whose expectation is 0 where both come from one distribution.

    Raises:
        UserError: shapes that do not fit, or values that are not finite.
    """
    x, y = as_feature_pair(x, y)
    n, m = len(x), len(y)
    xx, yy = polynomial_kernel(x, x), polynomial_kernel(y, y)
    within_x = (xx.sum() - np.trace(xx)) / (n * (n - 1))
    within_y = (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(within_x + within_y - 2.0 * polynomial_kernel(x, y).mean())


def kernel_distance(
    features: np.ndarray, other_features: np.ndarray, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> KernelDistance:
    """The kernel distance, averaged over random subsets so that memory is bounded.

    Each subset takes the same share f of both sets, which leaves the mean unbiased and makes the standard error the
    delete-d jackknife's (Shao and Wu, "A General Theory for Jackknife Variance Estimation", 1989): the subsets overlap,
    so that their deviation s over the root of their number would be too small by far. The squared error is
    s^2 f / (1 - f), and s^2 / subsets for the choice of subsets.

    Args:
        features, other_features: float arrays (count, d), four or more rows each.
        subsets: how many subsets to average over.
        subset_size: vectors drawn from the larger set, without repetition; of the smaller in proportion, but two at
            least. At most half of each set is drawn.
        seed: of the subsets.

    Returns:
        KernelDistance.

    Raises:
        UserError: shapes that do not fit, values that are not finite, or a count that is not sensible.
    """
    sets = as_feature_pair(features, other_features, least=4)
    require_positive(subsets=subsets, subset_size=subset_size)
    share = min(0.5, subset_size / max(map(len, sets)))
    sizes = [max(2, round(share * len(values))) for values in sets]
    rng = np.random.default_rng(seed)
    estimates = []
    for _ in range(subsets):
        drawn = [values[rng.choice(len(values), size, False)] for values, size in zip(sets, sizes, strict=True)]
        estimates.append(squared_mmd(*drawn))
    if subsets == 1:
        return KernelDistance(estimates[0], None)
    error = np.std(estimates, ddof=1) * math.sqrt(share / (1.0 - share) + 1.0 / subsets)
    return KernelDistance(float(np.mean(estimates)), float(error))
