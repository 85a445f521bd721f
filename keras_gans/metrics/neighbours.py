"""Distances between feature vectors in blocks, so that memory does not grow with the square of their number."""

from collections.abc import Iterator
from typing import Any

import numpy as np

_BLOCK = 1024


def distance_blocks(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields (rows, distances): a slice of `x` and its Euclidean distances to all of `y`.

    Args:
        x, y: float64 arrays (n, d) and (m, d).

    Yields:
        (slice, float64 array (rows, m)); at most 1024 rows.
    """
    y_squares = np.einsum("ij,ij->i", y, y)
    for start in range(0, len(x), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(x)))
        block = x[rows]
        squares = block @ y.T
        squares *= -2.0
        squares += y_squares
        squares += np.einsum("ij,ij->i", block, block)[:, np.newaxis]
        # Rounding may leave a little less than 0.
        yield rows, np.sqrt(np.maximum(squares, 0.0, out=squares), out=squares)


def neighbour_distances(x: np.ndarray, k: Any = 1) -> np.ndarray:
    """How far each row's k-th nearest other row is.

    Args:
        x: float64 array (n, d), more than k rows.
        k: 1 for the nearest.

    Returns:
        float64 array (n,).
    """
    found = np.empty(len(x))
    for rows, distances in distance_blocks(x, x):
        # Itself, by its place: another row at the same place is a neighbour at distance 0.
        distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = np.inf
        distances.partition(k - 1, axis=1)
        found[rows] = distances[:, k - 1]
    return found
