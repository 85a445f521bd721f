"""Measures of how near samples are to the data."""

from keras_gans.metrics.frechet import frechet_distance
from keras_gans.metrics.modes import ModeCoverage, mode_coverage

__all__ = ["ModeCoverage", "frechet_distance", "mode_coverage"]
