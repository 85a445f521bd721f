"""The Inception Score: are samples of clear classes, and of all of them?

Salimans et al., "Improved Techniques for Training GANs" (2016), section 4; reference implementation:
github.com/openai/improved-gan, inception_score/model.py. With the probabilities of Inception-v3 it is the published
score; with those of a classifier trained on the data itself it is the classifier score, whose classes are the data's.
"""

from typing import NamedTuple

import numpy as np

from keras_gans.errors import UserError
from keras_gans.metrics.checks import require_positive


class InceptionScore(NamedTuple):
    """What `inception_score` finds.

    Attributes:
        value: mean over the splits of exp(mean KL(p(y|x) || p(y))), from 1 to the number of classes.
        standard_deviation: over the splits, which papers print behind the sign of plus or minus.
        standard_error: the standard deviation over the root of the number of splits.
    """

    value: float
    standard_deviation: float
    standard_error: float


def inception_score(probabilities: np.ndarray, splits: int = 10) -> InceptionScore:
    """exp(E KL(p(y|x) || p(y))), taken in each of several parts of the samples.

    It looks at no real data: a generator that draws one perfect sample of each class scores best.

    Args:
        probabilities: float array (count, classes), each row summing to 1.
        splits: parts that the samples are divided into, in their order; of equal size, or one apart.

    Returns:
        InceptionScore; its deviations are 0 for one split.

    Raises:
        UserError: no probabilities, or fewer rows than splits.
    """
    require_positive(splits=splits)
    rows = np.asarray(probabilities, np.float64)
    if rows.ndim != 2 or len(rows) < splits:
        raise UserError(
            f"Probabilities must be an array (count, classes) of {splits} or more rows. Received: {rows.shape}."
        )
    if not (rows >= 0.0).all() or not np.allclose(rows.sum(axis=1), 1.0, atol=1e-3):
        raise UserError("Probabilities must be 0 or more, and each row must sum to 1.")
    scores = [_score(part) for part in np.array_split(rows, splits)]
    deviation = float(np.std(scores, ddof=1)) if splits > 1 else 0.0
    return InceptionScore(float(np.mean(scores)), deviation, deviation / np.sqrt(splits))


def _score(rows):
    marginal = rows.mean(axis=0)
    # 0 log 0 is 0, and where a marginal is 0 so is every row.
    ratio = np.divide(rows, marginal, out=np.ones_like(rows), where=rows > 0.0)
    return float(np.exp((rows * np.log(ratio)).sum(axis=1).mean()))
