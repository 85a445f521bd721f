"""Layers of networks that read numbers of words: where there is no word, 0, everything is zero."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_gans.hints import Tensor


@keras.saving.register_keras_serializable(package="keras_gans")
class TokenEmbedding(keras.layers.Layer):
    """One learned vector for each word; zeros, whatever is learned, for the padding 0.

    Its gradient is dense, unlike that of `keras.layers.Embedding`, so that replicas can add it up.

    Args:
        vocabulary_size: number of words, the padding among them.
        dimensions: size of a vector.

    Input: int32 (batch, length). Output: (batch, length, dimensions).
    """

    def __init__(self, vocabulary_size: int, dimensions: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.vocabulary_size, self.dimensions = vocabulary_size, dimensions

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.vocabulary_size, self.dimensions),
            initializer=keras.initializers.RandomNormal(stddev=self.dimensions**-0.5),
        )

    def call(self, tokens: Any) -> Tensor:
        vectors = tf.gather(_densely(tf.cast(self.embeddings, self.compute_dtype)), tokens)
        return vectors * tf.cast(tokens != 0, self.compute_dtype)[..., tf.newaxis]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape, self.dimensions)

    def compute_output_spec(self, tokens: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(tokens.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "vocabulary_size": self.vocabulary_size, "dimensions": self.dimensions}


@tf.custom_gradient
def _densely(values):
    """The values themselves; rows' gradients, which a gather gives one by one, are added up on their way back."""
    return tf.identity(values), tf.convert_to_tensor


@keras.saving.register_keras_serializable(package="keras_gans")
class Masked(keras.layers.Layer):
    """Vectors at places of a text, and zeros where it has no word.

    Input: [vectors (batch, length, d), int32 tokens (batch, length)]. Output: (batch, length, d).
    """

    def call(self, inputs: Any) -> Tensor:
        vectors, tokens = inputs
        return vectors * ops.cast(tokens != 0, vectors.dtype)[..., None]

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape[0])


@keras.saving.register_keras_serializable(package="keras_gans")
class MaskedMean(keras.layers.Layer):
    """The mean over a text's words of the vectors at their places; zeros for a text without a word.

    Input: [vectors (batch, length, d), int32 tokens (batch, length)]. Output: (batch, d).
    """

    def call(self, inputs: Any) -> Tensor:
        vectors, tokens = inputs
        mask = ops.cast(tokens != 0, vectors.dtype)[..., None]
        return ops.sum(vectors * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        vectors = input_shape[0]
        return (vectors[0], vectors[-1])


@keras.saving.register_keras_serializable(package="keras_gans")
class Positions(keras.layers.Layer):
    """Adds a learned vector for each place of a text.

    Vaswani et al., "Attention is all you need" (2017), section 3.5, table 3 row E.

    Input and output: (batch, length, d).
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.places = self.add_weight(
            name="places", shape=tuple(input_shape[1:]), initializer=keras.initializers.RandomNormal(stddev=0.02)
        )

    def call(self, vectors: Any) -> Tensor:
        return vectors + ops.cast(self.places, vectors.dtype)


@keras.saving.register_keras_serializable(package="keras_gans")
class WordsMask(keras.layers.Layer):
    """Which words each place of a text may attend to: all that there are.

    Input: int32 tokens (batch, length). Output: bool (batch, 1, length).
    """

    def call(self, tokens: Any) -> Tensor:
        return (tokens != 0)[:, None, :]

    def compute_output_spec(self, tokens: Any) -> Any:
        return keras.KerasTensor((tokens.shape[0], 1, tokens.shape[1]), dtype="bool")
