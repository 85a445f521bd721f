"""Layers that Keras lacks, or has in a form that costs speed, exactness or the export."""

from keras_gans.layers.augmentation import RandomAffine, augmented
from keras_gans.layers.batch_normalization import BatchNormalization
from keras_gans.layers.conditioning import ClassEmbedding, ConditioningAugmentation, conditional_batch_normalization
from keras_gans.layers.diversity import MinibatchStandardDeviation, Packing
from keras_gans.layers.instance_normalization import InstanceNormalization
from keras_gans.layers.noise import Dropout, GaussianNoise, RandomLayer, check_is_random
from keras_gans.layers.padding import ReflectionPadding2D
from keras_gans.layers.random_changes import (
    RandomColour,
    RandomCutout,
    RandomFlip,
    RandomShift,
    Sometimes,
    is_adaptive,
)
from keras_gans.layers.spectral_normalization import SpectralNormalization, advance_all
from keras_gans.layers.text import Masked, MaskedMean, Positions, SentenceTable, TokenEmbedding, WordsMask
from keras_gans.layers.tokenizer import Tokenizer
from keras_gans.layers.translators import PairConvolution, PairGrid, RNNSearch, Transformer, Translator
from keras_gans.layers.upsample import Upsample2D
from keras_gans.layers.weight_normalization import WeightNormalization, WeightNormalizedDense
from keras_gans.words import read_vocabulary, tokens_in_python

__all__ = [
    "BatchNormalization",
    "ClassEmbedding",
    "ConditioningAugmentation",
    "Dropout",
    "GaussianNoise",
    "Masked",
    "MaskedMean",
    "InstanceNormalization",
    "MinibatchStandardDeviation",
    "Packing",
    "PairConvolution",
    "PairGrid",
    "Positions",
    "RNNSearch",
    "RandomAffine",
    "RandomColour",
    "RandomCutout",
    "RandomFlip",
    "RandomLayer",
    "RandomShift",
    "SentenceTable",
    "Sometimes",
    "SpectralNormalization",
    "ReflectionPadding2D",
    "TokenEmbedding",
    "Tokenizer",
    "Transformer",
    "Translator",
    "Upsample2D",
    "WeightNormalization",
    "WeightNormalizedDense",
    "WordsMask",
    "advance_all",
    "augmented",
    "check_is_random",
    "conditional_batch_normalization",
    "is_adaptive",
    "read_vocabulary",
    "tokens_in_python",
]
