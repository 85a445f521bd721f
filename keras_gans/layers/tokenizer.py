"""The layer by which texts become numbers of words or characters, in a graph as `words` does it in Python."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans.checks import check_whole
from keras_gans.errors import UserError, unknown_name
from keras_gans.files import atomically
from keras_gans.hints import Tensor
from keras_gans.words import BLANKS, LEVELS, PADDING, SPECIAL, UNKNOWN, pieces, tokens_in_python, unknown_pieces

# Those of `words.SEPARATORS`, as RE2 writes them.
_SEPARATORS_OF_RE2 = r"[\x00-/:-@\[-`{-\x7f\x{a0}-\x{bf}\x{2000}-\x{206f}\x{3000}-\x{303f}]+"


@keras.saving.register_keras_serializable(package="keras_gans")
class Tokenizer(keras.layers.Layer):
    """Texts to numbers of words or characters: what is not in the vocabulary is 1, and 0 fills up.

    Upper-case A to Z become lower case. Words are what lies between blanks and punctuation marks, which are dropped;
    characters are taken as they are, runs of blanks as one. Of a text with more than `length` tokens the first ones
    count; an empty text, or one of punctuation marks alone, is all 0.

    The vocabulary is part of the configuration and no table, so that the layer saves, exports and distributes like any
    constant, and works in `tf.data`. Strings live on the host: no XLA, no TFLite.

    Args:
        vocabulary: the token of each number; the first two are "" (padding) and "[UNK]" (unknown).
        length: tokens of a text.
        level: "word" or "character".

    Input: strings (batch,), UTF-8. Output: int32 (batch, length).

    Raises:
        UserError: a vocabulary that does not begin so or holds a token twice, no positive length, no such level.
    """

    def __init__(self, vocabulary: Sequence[str], length: int, level: str = "word", **kwargs: Any):
        super().__init__(trainable=False, **kwargs)
        self.vocabulary = tuple(vocabulary)
        self.length, self.level = length, level
        if level not in LEVELS:
            raise unknown_name("level of tokens", level, LEVELS)
        check_whole("length", length, why=", the tokens of a text")
        if self.vocabulary[:2] != SPECIAL:
            raise UserError(f"A vocabulary begins with '' and '[UNK]'. Received: {list(self.vocabulary[:2])}.")
        twice = [token for token, count in Counter(self.vocabulary).items() if count > 1]
        if twice:
            raise UserError(f"A vocabulary holds each token once. Received twice: {', '.join(map(repr, twice[:5]))}.")
        self._find = _finder(self.vocabulary)
        self.built = True

    @classmethod
    def of(
        cls,
        texts: Iterable[str | Sequence[str]],
        level: str = "word",
        length: int | None = None,
        max_words: int = 20_000,
    ) -> "Tokenizer":
        """A tokenizer that knows the tokens of some texts, the most frequent first, those equally frequent by name.

        Args:
            texts: str each, or sequences of str such as the captions of an image; a `TextArray` will do.
            level: "word" or "character".
            length: tokens of a text; the longest text's unless given.
            max_words: how many tokens to know at the most; those that are left out become 1.

        Raises:
            UserError: no such level, no text with a token in it, or a number that is not positive.
        """
        if level not in LEVELS:
            raise unknown_name("level of tokens", level, LEVELS)
        check_whole("max_words", max_words)
        counts: Counter[str] = Counter()
        longest = 0
        for row in texts:
            for text in (row,) if isinstance(row, str) else row:
                found = pieces(text, level)
                counts.update(found)
                longest = max(longest, len(found))
        if not counts:
            raise UserError("A vocabulary is learned from texts. Received none that holds a word.")
        ordered = sorted(counts, key=lambda token: (-counts[token], token))[:max_words]
        return cls((*SPECIAL, *ordered), length=longest if length is None else length, level=level)

    def call(self, texts: Any) -> Tensor:
        texts = tf.strings.lower(texts)
        if self.level == "word":
            tokens = tf.strings.split(tf.strings.regex_replace(texts, _SEPARATORS_OF_RE2, " "))
        else:
            blanks = tf.strings.regex_replace(texts, BLANKS, " ")
            tokens = tf.strings.unicode_split(tf.strings.regex_replace(blanks, "^ | $", ""), "UTF-8")
        numbers = tf.ragged.map_flat_values(self._find, tokens)
        return tf.ensure_shape(numbers.to_tensor(PADDING, shape=(None, self.length)), (texts.shape[0], self.length))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """What the layer makes of texts, in Python alone: int32 array (texts, length)."""
        rows = [tokens_in_python(text, self.vocabulary, self.length, self.level) for text in texts]
        return np.array(rows, np.int32).reshape(len(rows), self.length)

    def unknown(self, text: str) -> list[str]:
        """Those tokens of a text that are not in the vocabulary, once each and in order."""
        return unknown_pieces(text, self.vocabulary, self.level)

    def write_vocabulary(self, path: str | Path) -> None:
        """Writes the vocabulary, a token a line, for `read_vocabulary`; the first line, the padding's, is empty."""
        with atomically(Path(path)) as partial:
            partial.write_bytes("".join(f"{token}\n" for token in self.vocabulary).encode())

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.length)

    def compute_output_spec(self, texts: Any) -> keras.KerasTensor:
        return keras.KerasTensor((texts.shape[0], self.length), dtype="int32")

    def get_config(self) -> dict[str, Any]:
        own = {"vocabulary": list(self.vocabulary), "length": self.length, "level": self.level}
        return {**{key: value for key, value in super().get_config().items() if key != "trainable"}, **own}


def _finder(vocabulary):
    """The function from tokens, strings (n,), to their numbers, int32 (n,)."""
    # By halving a sorted list of 63-bit fingerprints: nothing that must be initialized or tracked, unlike a table.
    buckets = 2**63 - 1
    with tf.device("CPU:0"), tf.init_scope():
        fingerprints = tf.strings.to_hash_bucket_fast(list(vocabulary), buckets).numpy()
    order = np.argsort(fingerprints, kind="stable")
    if len(np.unique(fingerprints)) < len(vocabulary):  # Once in 10**10 vocabularies of 20,000.
        raise UserError("Two tokens of the vocabulary have one fingerprint. Leave out the rarer one, by max_words.")
    ordered = np.array([token.encode() for token in vocabulary], object)[order]
    numbers = order.astype(np.int32)

    def find(tokens):
        hashes = tf.strings.to_hash_bucket_fast(tokens, buckets)
        places = tf.searchsorted(tf.constant(fingerprints[order]), hashes)
        places = tf.minimum(places, len(vocabulary) - 1)
        # The token itself decides: many that are not in the vocabulary share a fingerprint with one that is.
        is_known = tf.equal(tf.gather(tf.constant(ordered), places), tokens)
        return tf.where(is_known, tf.gather(tf.constant(numbers), places), UNKNOWN)

    return find
