"""How much of its training data a generator repeats: is the nearest real image one that it has seen?

After Meehan et al., "A Non-Parametric Test to Detect Data-Copying in Generative Models" (2020), section 3, who compare
distances to training and to held-out data; here each sample by itself says which of them it is nearer to.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from keras_gans.errors import UserError
from keras_gans.metrics.checks import as_feature_pair, as_features
from keras_gans.metrics.neighbours import distance_blocks

# Share of the held-out vectors whose distance to training data counts as usual.
_USUAL = 0.95


class Memorization(NamedTuple):
    """What `memorization` finds.

    Attributes:
        value: 0 where samples are no nearer to training than to held-out data, 1 where all repeat training data;
            slightly below 0 by chance. Of samples in few places only, as a collapsed generator's, it tells what these
            happen to lie near: read it beside a coverage that is not small.
        standard_error: over the samples.
        nearest: share of the samples whose nearest real vector is a training one, in [0, 1]; of a sample that is
            farther from all real ones than 95 of 100 held-out ones are from training data, `expected` counts.
        expected: that share where it is chance: of N training and n held-out vectors N / (N + n).
    """

    value: float
    standard_error: float
    nearest: float
    expected: float


def memorization(samples: Any, training: Any, held_out: Any, own: bool = False) -> Memorization:
    """How much more often a sample's nearest real vector is a training one than chance would have it.

    The distance is Euclidean; of a sample that is as near to either, half counts.

    Args:
        samples: float array (count, d) of generated feature vectors, or points, one or more rows.
        training: float array (N, d) of what the generator learned from, or a random part of it.
        held_out: float array (n, d) of real vectors that it did not.
        own: whether `samples` are the first rows of `training` itself; each then leaves itself out, so that they show
            what a generator that repeats nothing would score.

    Returns:
        Memorization.

    Raises:
        UserError: shapes that do not fit, values that are not finite, or too few rows.
    """
    samples, training = as_feature_pair(samples, training, least=1)
    held_out = as_features(held_out, samples.shape[1], least=1)
    count = len(training) - own
    if count < 1:
        raise UserError("Of one training vector none is left beside itself. Received: training of 1 row and own=True.")
    to_training, to_held_out = _nearest(samples, training, leave_out=own), _nearest(samples, held_out)
    expected = count / (count + len(held_out))
    shares = (to_training < to_held_out) + 0.5 * (to_training == to_held_out)
    # The nearest of all to what is far from all is the same few, by no merit of the sample's.
    is_far = np.minimum(to_training, to_held_out) > np.quantile(_nearest(held_out, training), _USUAL)
    nearest = float(np.mean(np.where(is_far, expected, shares)))
    error = math.sqrt(nearest * (1.0 - nearest) / len(samples))
    return Memorization((nearest - expected) / (1.0 - expected), error / (1.0 - expected), nearest, expected)


def _nearest(samples, real, leave_out=False):
    """The distance of each sample to its nearest real vector, of another row where `leave_out`."""
    found = np.empty(len(samples))
    for rows, distances in distance_blocks(samples, real):
        if leave_out:
            distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = np.inf
        found[rows] = distances.min(axis=1)
    return found
