"""How many samples are near copies of another sample, measured by the data's own spacing.

A count of near duplicates is how Arora et al., "Do GANs Learn the Distribution? Some Theory and Empirics" (2018),
section 3, size a generator's support; there a person judges, here the data's nearest neighbours do.
"""

from typing import Any, NamedTuple

import numpy as np

from keras_gans.errors import UserError
from keras_gans.metrics.checks import as_feature_pair
from keras_gans.metrics.neighbours import neighbour_distances


class DuplicateRate(NamedTuple):
    """What `duplicate_rate` finds.

    Attributes:
        rate: share of the samples whose nearest other sample is a near copy, in [0, 1].
        data_rate: the same of the data under the same threshold: what is normal.
        threshold: the distance below which another sample counts as a near copy, in units of the features.
        count: how many of each were compared.
    """

    rate: float
    data_rate: float
    threshold: float
    count: int


def duplicate_rate(samples: Any, data: Any, fraction: float = 0.25, seed: int = 0) -> DuplicateRate:
    """The share of samples whose nearest other sample is at most a threshold away.

    The threshold is `fraction` times the median distance of a data vector to its nearest other data vector. That
    distance shrinks as vectors are added, so as many vectors of each are compared: of the larger set, a random part.
    The distance is Euclidean. A sample that occurs twice counts twice, as each is the other's copy.

    Args:
        samples: float array (count, d) of generated feature vectors, or points, two or more rows.
        data: float array (count, d) of real ones.
        fraction: of the data's median nearest-neighbour distance, above 0.
        seed: of the part that is drawn from the larger set.

    Returns:
        DuplicateRate.

    Raises:
        UserError: shapes that do not fit, values that are not finite, or a fraction that is not positive.
    """
    samples, data = as_feature_pair(samples, data)
    if not fraction > 0.0:
        raise UserError(f"fraction must be above 0. Received: {fraction!r}.")
    count = min(len(samples), len(data))
    rng = np.random.default_rng(seed)
    samples, data = (
        values if len(values) == count else values[rng.choice(len(values), count, False)] for values in (samples, data)
    )
    of_data = neighbour_distances(data)
    threshold = fraction * float(np.median(of_data))
    return DuplicateRate(
        rate=float((neighbour_distances(samples) <= threshold).mean()),
        data_rate=float((of_data <= threshold).mean()),
        threshold=threshold,
        count=count,
    )
