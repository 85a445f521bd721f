"""What every measure on feature vectors asks of its input."""

import numpy as np

from keras_gans.checks import check_whole
from keras_gans.errors import UserError


def as_features(features: np.ndarray, dimensions: int | None = None, least: float = 0) -> np.ndarray:
    """Feature vectors as float64 (count, d).

    Args:
        features: float array (count, d).
        dimensions: d, where it must be a certain one.
        least: the fewest rows that will do.

    Returns:
        float64 array (count, d).

    Raises:
        UserError: another shape, too few rows, or values that are not finite.
    """
    values = np.asarray(features, np.float64)
    if values.ndim != 2 or (dimensions is not None and values.shape[1] != dimensions) or len(values) < least:
        rows = f"{least} or more rows" if least else "any number of rows"
        raise UserError(
            f"Features must be an array (count, {dimensions or 'd'}) with {rows}. Received: {values.shape}."
        )
    if not np.isfinite(values).all():
        raise UserError("Features must be finite; some are NaN or infinite.")
    return values


def as_feature_pair(
    features: np.ndarray, other_features: np.ndarray, least: float = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of feature vectors of the same dimension as float64; see `as_features`."""
    first = as_features(features, least=least)
    return first, as_features(other_features, first.shape[1], least)


def require_positive(**counts: int) -> None:
    """Raises `UserError` unless each named count is a whole number of 1 or more."""
    for name, value in counts.items():
        check_whole(name, value)
