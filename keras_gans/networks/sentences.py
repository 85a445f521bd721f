"""A sentence embedding of the user's own as a text encoder: known sentences and the vectors that they have."""

import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans.errors import UserError, shown
from keras_gans.files import at_home
from keras_gans.layers.text import SentenceTable
from keras_gans.layers.tokenizer import Tokenizer
from keras_gans.networks.builders import builder

# Sentences that a callable is asked for at once.
_CHUNK = 256


def sentence_encoder(
    embedding: Any | Callable[[list[str]], Any], texts: Sequence[str], tokenizer: Tokenizer
) -> keras.Model:
    """A text encoder, fixed, that gives each known sentence the vector that it has in an embedding of the user's own.

    A scheme reads numbers of words, in a graph that is exported, where no such embedding could follow: what it says of
    the sentences is looked up. See `layers.SentenceTable` for sentences that are not among them.

    Args:
        embedding: float (n, d), a vector for each of the texts; or a function from a list of str to (n, d), such as the
            `encode` of a sentence transformer or a model of Keras Hub with its preprocessor.
        texts: the n sentences, the captions of the data among them; of those with the same words the first one counts.
        tokenizer: the scheme's.

    Returns:
        keras.Model: int32 (batch, length) -> (batch, d), float32, without anything to learn.

    Raises:
        UserError: no sentences, or no finite vector for each.
    """
    texts = list(texts)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise UserError(f"texts are one sentence or more, as str. Received: {texts[:3]!r}.")
    chunks = (texts[start : start + _CHUNK] for start in range(0, len(texts), _CHUNK))
    vectors = [_vectors(embedding(chunk), chunk) for chunk in chunks] if callable(embedding) else [embedding]
    vectors = _vectors(np.concatenate(vectors), texts)
    tokens = np.asarray(tokenizer(tf.constant(texts, tf.string)))
    rows = np.sort(np.unique(tokens, axis=0, return_index=True)[1])
    given = keras.Input((tokenizer.length,), dtype="int32", name="tokens")
    table = SentenceTable(len(rows), vectors.shape[-1], len(tokenizer.vocabulary), dtype="float32", name="code")
    model = keras.Model(given, table(given), name="text_encoder")
    table.fill(tokens[rows], vectors[rows])
    return model


@builder("sentence_table")
def sentence_table(vocabulary: Sequence[str], file: str, level: str = "word", length: int = 16) -> keras.Model:
    """`sentence_encoder` of a file, for a recipe: `np.savez(file, texts=[...], vectors=...)`.

    Args:
        vocabulary: `layers.Tokenizer.vocabulary`.
        file: path of a .npz file with `texts`, n strings, and `vectors`, float (n, d).
        level, length: of the tokenizer.

    Returns:
        keras.Model: int32 (batch, length) -> (batch, d), float32.

    Raises:
        UserError: no such file, or one that does not hold a finite vector for each text.
    """
    if not isinstance(file, str):
        raise UserError(f"sentence_table's file is a path, as str, of what np.savez wrote. Received: {shown(file)}.")
    try:
        with np.load(at_home(file)) as held:
            texts, vectors = held["texts"], held["vectors"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(
            f"sentence_table reads a file of np.savez with texts and vectors. Received: {file!r}, of which "
            f"{str(error).splitlines()[0]}"
        ) from None
    return sentence_encoder(vectors, [str(text) for text in texts], Tokenizer(vocabulary, length, level))


def _vectors(values, texts):
    """Vectors of texts as float32 (n, d), which they are checked to be."""
    try:
        vectors = np.asarray(values, np.float32)
    except (TypeError, ValueError):
        raise UserError(f"An embedding has a vector of numbers for each text. Received: {type(values)}.") from None
    if vectors.ndim != 2 or len(vectors) != len(texts) or not vectors.shape[1]:
        raise UserError(
            f"An embedding has one vector for each of the {len(texts)} texts, ({len(texts)}, d). Received: "
            f"{vectors.shape}."
        )
    if not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise UserError(f"An embedding's vectors are finite. Received one that is not, of {texts[row]!r}.")
    return vectors
