"""The Fréchet distance between two sets of feature vectors, each taken as a Gaussian."""

import numpy as np

from keras_gans.errors import UserError


def frechet_distance(features, other_features):
    """||m1 - m2||^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)).

    Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium" (2017),
    equation 6. The trace of the root is taken from the eigenvalues of C1^(1/2) C2 C1^(1/2), which is symmetric, so
    that nothing complex arises where a covariance is singular.

    Args:
        features, other_features: float arrays (count, d), two or more rows each.

    Returns:
        float, 0 or more.

    Raises:
        UserError: shapes that do not fit, or values that are not finite.
    """
    first, second = (np.asarray(values, np.float64) for values in (features, other_features))
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or min(len(first), len(second)) < 2:
        raise UserError(
            f"Features must be two arrays (count, d) of equal d with two or more rows. Received: {first.shape} and "
            f"{second.shape}."
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise UserError("Features must be finite; some are NaN or infinite.")
    first_covariance, second_covariance = (np.atleast_2d(np.cov(values, rowvar=False)) for values in (first, second))
    values, vectors = np.linalg.eigh(first_covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    eigenvalues = np.linalg.eigvalsh(root @ second_covariance @ root)
    trace_of_root = np.sqrt(np.maximum(eigenvalues, 0.0)).sum()
    difference = first.mean(axis=0) - second.mean(axis=0)
    distance = difference @ difference + np.trace(first_covariance + second_covariance) - 2.0 * trace_of_root
    return float(max(distance, 0.0))
