"""Measures of how near samples are to the data, each in a file of its own that names its paper.

Importing this package imports NumPy, not TensorFlow.
"""

from keras_gans.metrics.accuracy import ClassifierAccuracy
from keras_gans.metrics.divergence import (
    jensen_shannon_divergence,
    kl_divergence,
    wasserstein_1,
    wasserstein_1_of_histograms,
    wasserstein_1_of_weights,
)
from keras_gans.metrics.duplicates import DuplicateRate, duplicate_rate
from keras_gans.metrics.evaluate import Evaluation, evaluate, evaluation_of
from keras_gans.metrics.features import EXTRACTORS, Extractor, extractor, extractor_for
from keras_gans.metrics.frechet import Moments, frechet_distance
from keras_gans.metrics.inception_score import InceptionScore, inception_score
from keras_gans.metrics.kernel import KernelDistance, kernel_distance
from keras_gans.metrics.measures import MEASURES
from keras_gans.metrics.memorization import Memorization, memorization
from keras_gans.metrics.modes import (
    ModeCoverage,
    StackedModeCoverage,
    mode_coverage,
    reverse_kl,
    stacked_mode_coverage,
)
from keras_gans.metrics.precision_recall import PrecisionRecall, precision_recall
from keras_gans.metrics.protocol import Protocol, Score
from keras_gans.metrics.sentences import Comparison, SentenceEvaluation
from keras_gans.metrics.sliced_wasserstein import SlicedWasserstein, sliced_wasserstein_distance
from keras_gans.metrics.text import TextEvaluation
from keras_gans.metrics.translation import TranslationEvaluation

__all__ = [
    "Comparison",
    "EXTRACTORS",
    "MEASURES",
    "ClassifierAccuracy",
    "DuplicateRate",
    "Evaluation",
    "Extractor",
    "InceptionScore",
    "KernelDistance",
    "ModeCoverage",
    "Memorization",
    "Moments",
    "PrecisionRecall",
    "Protocol",
    "Score",
    "SentenceEvaluation",
    "SlicedWasserstein",
    "StackedModeCoverage",
    "TextEvaluation",
    "TranslationEvaluation",
    "duplicate_rate",
    "evaluate",
    "evaluation_of",
    "extractor",
    "extractor_for",
    "frechet_distance",
    "inception_score",
    "jensen_shannon_divergence",
    "kernel_distance",
    "memorization",
    "kl_divergence",
    "mode_coverage",
    "precision_recall",
    "reverse_kl",
    "sliced_wasserstein_distance",
    "stacked_mode_coverage",
    "wasserstein_1",
    "wasserstein_1_of_histograms",
    "wasserstein_1_of_weights",
]
