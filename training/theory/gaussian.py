"""Gaussians of one dimension: densities on a grid, and points that make a mean an integral."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import special

# Wide and fine enough that the trapezoidal rule on it is exact to about 1e-11 for what is integrated here.
GRID = np.linspace(-12.0, 12.0, 240_001)


class Gaussian(NamedTuple):
    """N(mean, deviation^2).

    Attributes:
        mean: of the distribution.
        deviation: its standard deviation.
    """

    mean: float
    deviation: float

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """log p at each of `points`."""
        standard = (points - self.mean) / self.deviation
        return -0.5 * np.square(standard) - math.log(self.deviation * math.sqrt(2.0 * math.pi))

    def density(self, points: np.ndarray) -> np.ndarray:
        """p at each of `points`."""
        return np.exp(self.log_density(points))

    def distribution(self, points: np.ndarray) -> np.ndarray:
        """The distribution function, P(X <= x), at each of `points`."""
        return special.ndtr((points - self.mean) / self.deviation)

    def quantiles(self, count: int = 200_000) -> np.ndarray:
        """Points in the middle of so many equally likely intervals: a mean over them is an integral to about 1e-6."""
        return self.mean + self.deviation * special.ndtri((np.arange(count) + 0.5) / count)


# The pair of most checks: the data, and what the generator makes.
DATA = Gaussian(0.0, 1.0)
MADE = Gaussian(1.5, 0.7)


def integral(values: np.ndarray, grid: np.ndarray = GRID) -> float:
    """The trapezoidal rule on an even grid at whose ends `values` are nothing."""
    return float(np.sum(values) * (grid[1] - grid[0]))


def optimal_scores(points: np.ndarray, data: Gaussian = DATA, made: Gaussian = MADE) -> np.ndarray:
    """The logits of D* = p / (p + q): log p - log q. Goodfellow et al. (2014), proposition 1."""
    return data.log_density(points) - made.log_density(points)


def optimal_least_squares(
    points: np.ndarray, targets: Any, data: Any = DATA, made: Mapping[str, Any] | None = MADE
) -> np.ndarray:
    """D* = (b p + a q) / (p + q) for targets (a, b, c). Mao et al. (2017), equation 5."""
    a, b, _ = targets
    share = special.expit(optimal_scores(points, data, made))
    return b * share + a * (1.0 - share)
