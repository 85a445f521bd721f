"""Divergences between discrete distributions, and the exact Wasserstein-1 distance of small samples, in natural units.

Kullback and Leibler, "On Information and Sufficiency" (1951); Lin, "Divergence Measures Based on the Shannon Entropy"
(1991); Villani, "Optimal Transport" (2009), chapter 6. Reference implementations: scipy.special.rel_entr,
scipy.spatial.distance.jensenshannon (whose square is the divergence) and scipy.stats.wasserstein_distance.
"""

import numpy as np

from keras_gans.errors import UserError
from keras_gans.metrics.checks import as_feature_pair

_MOST_PAIRS = 100_000


def kl_divergence(p: np.ndarray, q: np.ndarray) -> float:
    """KL(p || q) = sum p log(p / q) in nats; infinite where q is 0 and p is not.

    Args:
        p, q: non-negative arrays of the same shape with a positive sum; counts are normalised.

    Returns:
        float, 0 or more.

    Raises:
        UserError: shapes that do not fit, or no distributions.
    """
    p, q = _distributions(p, q)
    held = p > 0.0
    if (q[held] == 0.0).any():
        return float("inf")
    return float(max(0.0, np.sum(p[held] * (np.log(p[held]) - np.log(q[held])))))


def jensen_shannon_divergence(p: np.ndarray, q: np.ndarray) -> float:
    """KL(p || m) / 2 + KL(q || m) / 2 with m = (p + q) / 2, in nats; log 2 on disjoint supports.

    Args and errors as `kl_divergence`.

    Returns:
        float in [0, log 2].
    """
    p, q = _distributions(p, q)
    # Half of the smallest numbers would be 0, and the divergence from it infinite.
    p, q = (np.where(values < 1e-300, 0.0, values) for values in (p, q))
    middle = (p + q) / 2.0
    return 0.5 * kl_divergence(p, middle) + 0.5 * kl_divergence(q, middle)


def _distributions(p, q):
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    if p.shape != q.shape or p.size == 0:
        raise UserError(f"Two distributions must have the same shape. Received: {p.shape} and {q.shape}.")
    for values in (p, q):
        if not np.isfinite(values).all() or values.min() < 0.0 or values.sum() <= 0.0:
            raise UserError("A distribution's values must be finite and 0 or more, and their sum positive.")
    return p / p.sum(), q / q.sum()


def wasserstein_1(x: np.ndarray, y: np.ndarray) -> float:
    """The exact Wasserstein-1 distance between two samples, with Euclidean cost.

    In one dimension it is the area between the distribution functions, for any counts. In more, equal counts are
    solved as an assignment (cubic in the count: about a second for 2,000), and unequal ones as a linear programme of
    at most 100,000 pairs.

    Args:
        x, y: float arrays (n, d) and (m, d), or (n,) and (m,).

    Returns:
        float, 0 or more, in the samples' units.

    Raises:
        UserError: shapes that do not fit, values that are not finite, or unequal counts too large to solve.
    """
    x, y = (values[:, np.newaxis] if values.ndim == 1 else values for values in map(np.asarray, (x, y)))
    x, y = as_feature_pair(x, y, least=1)
    if x.shape[1] == 1:
        return _on_a_line(x[:, 0], y[:, 0])
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    if len(x) != len(y) and len(x) * len(y) > _MOST_PAIRS:
        raise UserError(
            f"Samples of unequal counts are solved up to {_MOST_PAIRS:,} pairs. Received: {len(x):,} and {len(y):,}. "
            f"Take {min(len(x), len(y)):,} of each."
        )
    costs = cdist(x, y)
    if len(x) == len(y):
        return float(costs[linear_sum_assignment(costs)].mean())
    return wasserstein_1_of_weights(np.full(len(x), 1.0 / len(x)), np.full(len(y), 1.0 / len(y)), costs)


def _on_a_line(x, y):
    places = np.sort(np.concatenate([x, y]))
    below_x, below_y = (np.searchsorted(np.sort(values), places[:-1], "right") / len(values) for values in (x, y))
    return float(np.sum(np.abs(below_x - below_y) * np.diff(places)))


def wasserstein_1_of_histograms(p: np.ndarray, q: np.ndarray, positions: np.ndarray) -> float:
    """The exact Wasserstein-1 distance of two distributions over the same places on a line.

    Args:
        p, q: non-negative arrays (places,); normalised.
        positions: float array (places,), in any order.

    Returns:
        float, 0 or more, in the units of `positions`.

    Raises:
        UserError: shapes that do not fit, or no distributions.
    """
    p, q = _distributions(p, q)
    positions = np.asarray(positions, np.float64)
    if positions.shape != p.shape or p.ndim != 1:
        raise UserError(f"Each place needs one position. Received: {p.shape} and {positions.shape}.")
    order = np.argsort(positions, kind="stable")
    gaps = np.abs(np.cumsum((p - q)[order]))[:-1]
    return float(np.sum(gaps * np.diff(positions[order])))


def wasserstein_1_of_weights(p: np.ndarray, q: np.ndarray, costs: np.ndarray) -> float:
    """The cheapest transport of weights `p` to weights `q`, as a linear programme.

    Args:
        p, q: non-negative arrays (n,) and (m,); normalised.
        costs: float array (n, m), what it costs to move one unit.

    Returns:
        float.

    Raises:
        UserError: shapes that do not fit, weights that are none, or more than 100,000 pairs.
    """
    from scipy.optimize import linprog
    from scipy.sparse import identity, kron, vstack

    p, q, costs = (np.asarray(values, np.float64) for values in (p, q, costs))
    if costs.shape != (p.size, q.size) or costs.size > _MOST_PAIRS:
        raise UserError(
            f"costs must have the shape ({p.size}, {q.size}) and at most {_MOST_PAIRS:,} entries. "
            f"Received: {costs.shape}."
        )
    (p, _), (q, _) = _distributions(p, p), _distributions(q, q)
    leaving = kron(identity(len(p)), np.ones((1, len(q))))
    arriving = kron(np.ones((1, len(p))), identity(len(q)))
    constraints = vstack([leaving, arriving], format="csr")
    solved = linprog(costs.ravel(), A_eq=constraints, b_eq=np.concatenate([p, q]), bounds=(0.0, None), method="highs")
    if solved.status != 0:
        raise ArithmeticError(f"The transport could not be solved: {solved.message}")
    return float(solved.fun)
