"""Layers of networks that read numbers of words: where there is no word, 0, everything is zero."""

from typing import Any

import keras
import numpy as np
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

    def compute_output_spec(self, tokens: Any) -> keras.KerasTensor:
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


# Numbers that a sentence is known by, and how much its words' places weigh in them beside the words themselves.
_SIGNATURE, _OF_PLACES = 128, 0.1


@keras.saving.register_keras_serializable(package="keras_gans")
class SentenceTable(keras.layers.Layer):
    """The vector of the known sentence that is most like the one given: that sentence's own where it is known.

    Most like is the one with most words in common, then with most of them at the same places: sentences are compared by
    the cosine between sums of random vectors, one for each word and one for each word at its place (a random projection
    of the words' counts, as Achlioptas, "Database-friendly random projections", 2003).

    Args:
        sentences: how many are known.
        dimensions: size of a vector.
        vocabulary_size: number of words, padding and unknown among them.

    Input: int32 tokens (batch, length). Output: (batch, dimensions).
    """

    def __init__(self, sentences: int, dimensions: int, vocabulary_size: int, **kwargs: Any):
        super().__init__(trainable=False, **kwargs)
        self.sentences, self.dimensions, self.vocabulary_size = sentences, dimensions, vocabulary_size

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        random, length = np.random.default_rng(0), input_shape[-1]
        words = random.choice([-1.0, 1.0], (self.vocabulary_size, _SIGNATURE))
        words[0] = 0.0
        places = 1.0 + _OF_PLACES * random.choice([-1.0, 1.0], (length, _SIGNATURE))
        self._words, self._places = words.astype(np.float32), places.astype(np.float32)
        self.signatures = self.add_weight(name="signatures", shape=(_SIGNATURE, self.sentences), initializer="zeros")
        self.vectors = self.add_weight(name="vectors", shape=(self.sentences, self.dimensions), initializer="zeros")

    def fill(self, tokens: Any, vectors: Any) -> None:
        """Makes these the known sentences: int (sentences, length), and float (sentences, dimensions)."""
        self.signatures.assign(tf.transpose(self._signatures(tf.convert_to_tensor(tokens))))
        self.vectors.assign(vectors)

    def _signatures(self, tokens):
        return tf.math.l2_normalize(tf.reduce_sum(tf.gather(self._words, tokens) * self._places, axis=1), axis=-1)

    def call(self, tokens: Any) -> Tensor:
        nearest = tf.argmax(tf.matmul(self._signatures(tokens), self.signatures), axis=-1, output_type=tf.int32)
        return tf.gather(tf.convert_to_tensor(self.vectors), nearest)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.dimensions)

    def compute_output_spec(self, tokens: Any) -> keras.KerasTensor:
        return keras.KerasTensor((tokens.shape[0], self.dimensions), dtype="float32")

    def get_config(self) -> dict[str, Any]:
        own = {key: getattr(self, key) for key in ("sentences", "dimensions", "vocabulary_size")}
        return {**{key: value for key, value in super().get_config().items() if key != "trainable"}, **own}


@keras.saving.register_keras_serializable(package="keras_gans")
class WordsMask(keras.layers.Layer):
    """Which words each place of a text may attend to: all that there are.

    Input: int32 tokens (batch, length). Output: bool (batch, 1, length).
    """

    def call(self, tokens: Any) -> Tensor:
        return (tokens != 0)[:, None, :]

    def compute_output_spec(self, tokens: Any) -> keras.KerasTensor:
        return keras.KerasTensor((tokens.shape[0], 1, tokens.shape[1]), dtype="bool")
