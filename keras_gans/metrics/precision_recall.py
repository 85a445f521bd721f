"""Precision, recall, density and coverage (PRDC): how many samples look real, and how much of the data they reach.

Precision and recall: Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models"
(2019), section 2. Density and coverage: Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models"
(2020), equations 4 and 6; reference implementation: github.com/clovaai/generative-evaluation-prdc, prdc/prdc.py.
"""

from typing import Any, NamedTuple

import numpy as np

from keras_gans.errors import UserError
from keras_gans.metrics.checks import as_feature_pair, require_positive
from keras_gans.metrics.neighbours import distance_blocks, neighbour_distances


class PrecisionRecall(NamedTuple):
    """What `precision_recall` finds; a ball is all that is nearer to a vector than its k-th nearest neighbour.

    Attributes:
        precision: share of the generated vectors inside a ball of the real ones, in [0, 1].
        recall: share of the real vectors inside a ball of the generated ones, in [0, 1].
        density: how many balls of the real vectors a generated one is in on average, over k; about 1 for the data.
        coverage: share of the real vectors whose ball holds a generated one, in [0, 1].
        density_error: standard error of `density`, over the generated vectors.
    """

    precision: float
    recall: float
    density: float
    coverage: float
    density_error: float


def precision_recall(real: Any, generated: np.ndarray, k: Any = 5) -> PrecisionRecall:
    """Precision, recall, density and coverage of generated feature vectors against real ones.

    They depend on both counts: compare figures of equal counts only, and take as many generated as real vectors.
    Memory is bounded: distances are computed 1024 rows at a time.

    Args:
        real, generated: float arrays (count, d), more than k rows each.
        k: which nearest neighbour sets the radius of a vector's ball.

    Returns:
        PrecisionRecall.

    Raises:
        UserError: shapes that do not fit, too few rows, or values that are not finite.
    """
    require_positive(k=k)
    real, generated = as_feature_pair(real, generated)
    if min(len(real), len(generated)) <= k:
        raise UserError(
            f"A {k}-th neighbour needs {k + 1} or more vectors in each set. Received: {len(real)} and {len(generated)}."
        )
    real_radii, generated_radii = neighbour_distances(real, k), neighbour_distances(generated, k)
    balls = np.zeros(len(generated), np.int64)
    recalled, covered = np.zeros(len(real), bool), np.zeros(len(real), bool)
    for rows, distances in distance_blocks(real, generated):
        inside = distances < real_radii[rows, np.newaxis]
        balls += inside.sum(axis=0)
        covered[rows] = inside.any(axis=1)
        recalled[rows] = (distances < generated_radii).any(axis=1)
    return PrecisionRecall(
        precision=float((balls > 0).mean()),
        recall=float(recalled.mean()),
        density=float(balls.mean() / k),
        coverage=float(covered.mean()),
        density_error=float(balls.std(ddof=1) / k / np.sqrt(len(balls))),
    )
