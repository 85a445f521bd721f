"""Layers that Keras lacks, or has in a form that costs speed or cannot be exported."""

from keras_gans.layers.batch_normalization import BatchNormalization
from keras_gans.layers.upsample import Upsample2D

__all__ = ["BatchNormalization", "Upsample2D"]
