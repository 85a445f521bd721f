"""The Fréchet distance between two sets of feature vectors, each taken as a Gaussian.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium" (2017), equation 6;
reference implementation: github.com/bioinf-jku/TTUR, fid.py. With the features of Inception-v3 it is known as FID.
"""

from typing import Any

import numpy as np

from keras_gans.errors import UserError
from keras_gans.metrics.checks import as_feature_pair, as_features


class Moments:
    """Mean and covariance of feature vectors that come in batches, in float64.

    Memory is one (d, d) matrix and one batch, however many vectors come. Batches are merged by the pairwise formula of
    Chan et al., "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances" (1979), equation 2.1,
    which keeps its digits where sums of squares would lose them.

    Args:
        dimensions: d; taken from the first batch unless given.

    Attributes:
        count: vectors seen.
        mean: float64 (d,), once a batch has been seen.
    """

    def __init__(self, dimensions: int | None = None):
        self.dimensions = dimensions
        self.count = 0
        self.mean = None
        self._scatter: Any = None

    def update(self, features: np.ndarray) -> "Moments":
        """Takes in a batch of features, float (n, d); returns this object.

        Raises:
            UserError: another shape, or values that are not finite.
        """
        batch = as_features(features, self.dimensions)
        if len(batch):
            self._merge(batch)
        return self

    def _merge(self, batch):
        mean = batch.mean(axis=0)
        centred = batch - mean
        if self.count == 0:
            self.dimensions = batch.shape[1]
            self.mean, self._scatter = np.zeros_like(mean), np.zeros((self.dimensions, self.dimensions))
        total = self.count + len(batch)
        shift = mean - self.mean
        self._scatter += centred.T @ centred + np.outer(shift, shift) * (self.count * len(batch) / total)
        self.mean = self.mean + shift * (len(batch) / total)
        self.count = total

    @property
    def covariance(self) -> np.ndarray:
        """The unbiased covariance, float64 (d, d), divided by `count - 1`.

        Raises:
            UserError: fewer than two vectors have been seen.
        """
        if self.count < 2:
            raise UserError(f"A covariance needs two or more feature vectors. Received: {self.count}.")
        return self._scatter / (self.count - 1)

    def distance(self, other: Any) -> float:
        """The Fréchet distance to other moments; see `frechet_distance`.

        Raises:
            UserError: another dimension, or fewer than two vectors in either.
        """
        first, second = self.covariance, other.covariance
        if first.shape != second.shape:
            raise UserError(
                f"Two sets of features must have the same dimension. Received: {len(first)} and {len(second)}."
            )
        difference = self.mean - other.mean
        distance = difference @ difference + np.trace(first + second) - 2.0 * _trace_of_root(first, second)
        return float(max(distance, 0.0))


def _trace_of_root(first, second):
    """Tr((C1 C2)^(1/2)), as the sum of the singular values of R1^T R2, where C = R R^T.

    They are the roots of the eigenvalues of C1 C2. Nothing complex arises, and no small eigenvalue loses half of its
    digits to a root.
    """
    return np.linalg.svd(_factor(first).T @ _factor(second), compute_uv=False).sum()


def _factor(covariance):
    """R (d, rank) with R R^T = C."""
    values, vectors = np.linalg.eigh(covariance)
    # Of a singular covariance, what rounding left in place of 0.
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    return vectors[:, kept] * np.sqrt(values[kept])


def frechet_distance(features: np.ndarray, other_features: np.ndarray) -> float:
    """||m1 - m2||^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)).

    Heusel et al. (2017), equation 6. For features that come in batches, see `Moments`.

    Args:
        features, other_features: float arrays (count, d), two or more rows each.

    Returns:
        float, 0 or more.

    Raises:
        UserError: shapes that do not fit, or values that are not finite.
    """
    first, second = as_feature_pair(features, other_features)
    return Moments().update(first).distance(Moments().update(second))
