"""Subwords: a vocabulary that is learned from texts, and the same reading of it in Python and in a graph.

A vocabulary is a tuple of pieces, whose places are the numbers of tokens. Its pieces are learned by byte-pair encoding
(Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units" (2016)), and a text is read by the
longest piece that fits, from the left, as WordPiece does (Wu et al., "Google's Neural Machine Translation System"
(2016)), which a graph can do too. Spaces belong to the piece behind them, so that tokens become the text
again; a run of white space is read as one space.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from keras_gans.errors import UserError

PAD, BEGIN, END, UNKNOWN = range(4)
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
# Stands for a space, as in SentencePiece.
SPACE = "\u2581"
# What decoding shows of a token that stands for no text.
REPLACEMENT = "\ufffd"
# RE2 and Python disagree on what \s is.
_WHITE = "[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000" + SPACE + "]+"
_LONGEST = 16
_FEWEST = 8


def learn(texts: Iterable[str], size: int) -> tuple[str, ...]:
    """A vocabulary of the pieces that texts are made of, by the library `tokenizers`; the same for the same texts.

    Punctuation and digits stay single, and no piece runs over a space.

    Args:
        texts: to learn from.
        size: of the vocabulary, at the most, with the four special tokens.

    Returns:
        Tuple of pieces, the special ones first, then all characters of the texts, then longer pieces.

    Raises:
        UserError: the size leaves no room for the characters, or there are no texts.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

    if isinstance(size, bool) or not isinstance(size, int) or size < _FEWEST:
        raise UserError(f"The size of a vocabulary is a whole number from {_FEWEST}. Received: {size!r}.")
    texts = [plain(text) for text in texts]
    characters = {character for text in texts for character in text.replace(" ", SPACE)} | {SPACE}
    if len(characters) == 1:
        raise UserError("There is no text to learn a vocabulary from.")
    if len(characters) + len(SPECIAL) > size:
        raise UserError(
            f"These texts have {len(characters)} different characters, and a vocabulary holds all of them: take a size "
            f"of at least {len(characters) + len(SPECIAL)}. Received: {size}."
        )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Replace(Regex(" "), SPACE)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always"),
            pre_tokenizers.Punctuation(),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(characters),
        max_token_length=_LONGEST,
        show_progress=False,
    )
    # In one piece and one thread: ties are broken by the order in which words are met.
    tokenizer.train_from_iterator(sorted(texts), trainer)
    numbers = tokenizer.get_vocab()
    return tuple(sorted(numbers, key=numbers.__getitem__))


def plain(text: str) -> str:
    """A text as it is read: every run of white space one space, and none around it."""
    return re.sub(_WHITE, " ", text).strip(" ")


class Subwords:
    """A vocabulary at work.

    Args:
        vocabulary: pieces as `learn` gives them, the four `SPECIAL` ones first.

    Raises:
        UserError: what is no such vocabulary.
    """

    def __init__(self, vocabulary: Sequence[str]):
        if isinstance(vocabulary, str | int) or tuple(vocabulary[: len(SPECIAL)]) != SPECIAL:
            shown = vocabulary if isinstance(vocabulary, str | int) else tuple(vocabulary[:5])
            raise UserError(
                f"A vocabulary begins with {', '.join(SPECIAL)}; keras_gans.subwords.learn(texts, size) gives one. "
                f"Received: {shown!r}."
            )
        self.vocabulary = tuple(vocabulary)
        self._numbers = {piece: place for place, piece in enumerate(self.vocabulary) if place >= len(SPECIAL)}
        if not self._numbers or len(self._numbers) < len(self.vocabulary) - len(SPECIAL):
            raise UserError("A vocabulary has pieces, each once. Received one that has some twice, or none.")
        self._most = max(map(len, self._numbers))
        # A table would be a resource that every graph and file must keep track of; numbers in order are constants.
        hashes = _hashes(tf.constant(list(self._numbers))).numpy()
        order = np.argsort(hashes)
        self._sorted_hashes = hashes[order]
        self._sorted_pieces = np.array([piece.encode() for piece in self._numbers], object)[order]
        self._sorted_numbers = np.array(list(self._numbers.values()), np.int32)[order]

    def __len__(self) -> int:
        return len(self.vocabulary)

    # In Python --------------------------------------------------------------------------------------------------

    def tokens(self, text: str) -> list[int]:
        """The tokens of one text, the last being that of its end."""
        rest, found = SPACE + plain(text).replace(" ", SPACE), []
        while rest:
            lengths = range(min(self._most, len(rest)), 0, -1)
            length = next((length for length in lengths if rest[:length] in self._numbers), 1)
            found.append(self._numbers.get(rest[:length], UNKNOWN))
            rest = rest[length:]
        return [*found, END]

    def unknown(self, text: str) -> list[str]:
        """The characters of a text that the vocabulary has not, each once."""
        characters = dict.fromkeys(plain(text).replace(" ", SPACE))
        return [character for character in characters if character not in self._numbers]

    def text(self, tokens: Sequence[int]) -> str:
        """The text of tokens up to the first end."""
        pieces = []
        for token in tokens:
            if token == END:
                break
            pieces.append(self._shown(token))
        return "".join(pieces).replace(SPACE, " ").strip(" ")

    def _shown(self, token):
        return {PAD: "", BEGIN: "", END: "", UNKNOWN: REPLACEMENT}.get(int(token)) or (
            self.vocabulary[token] if token >= len(SPECIAL) else ""
        )

    # In a graph -------------------------------------------------------------------------------------------------

    def encode(self, texts: tf.Tensor, length: int | None = None) -> tf.Tensor:
        """The tokens of texts, as `tokens` gives them, with padding behind the ends.

        Args:
            texts: strings (batch,); bytes that are not UTF-8 are read as unknown characters.
            length: how many tokens a row has, longer texts being cut off, without an end; as many as the longest text
                needs unless given.

        Returns:
            int32 (batch, length).
        """
        # Strings are the host's: a table on an accelerator would be asked over the bus.
        with tf.device("CPU:0"):
            texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
            texts = tf.strings.regex_replace(texts, _WHITE, " ")
            texts = SPACE + tf.strings.regex_replace(tf.strings.regex_replace(texts, "^ | $", ""), " ", SPACE)
            ends = tf.strings.length(texts, "UTF8_CHAR")
            count = tf.maximum(tf.reduce_max(ends), 0) + 1 if length is None else length
            lengths = tf.range(1, self._most + 1)

            def read(place, at, rows):
                pieces = tf.strings.substr(
                    tf.broadcast_to(texts[:, tf.newaxis], (tf.shape(texts)[0], self._most)),
                    tf.broadcast_to(tf.minimum(at, ends)[:, tf.newaxis], (tf.shape(texts)[0], self._most)),
                    tf.broadcast_to(lengths[tf.newaxis], (tf.shape(texts)[0], self._most)),
                    unit="UTF8_CHAR",
                )
                found = self._looked_up(pieces)
                # A piece that runs over the end is cut short, and is the shorter one.
                fits = (found != UNKNOWN) & (lengths <= (ends - at)[:, tf.newaxis])
                longest = tf.reduce_max(tf.where(fits, lengths, 0), axis=1)
                number = tf.gather(found, tf.maximum(longest - 1, 0), axis=1, batch_dims=1)
                number = tf.where(longest > 0, number, UNKNOWN)
                number = tf.where(at < ends, number, tf.where(at == ends, END, PAD))
                at = tf.where(at < ends, at + tf.maximum(longest, 1), at + 1)
                return place + 1, at, rows.write(place, number)

            _, _, rows = tf.while_loop(
                lambda place, at, rows: (place < count) & tf.reduce_any(at <= ends),
                read,
                (0, tf.zeros_like(ends), tf.TensorArray(tf.int32, 0, dynamic_size=True, element_shape=ends.shape)),
                parallel_iterations=1,
            )
            tokens = tf.transpose(rows.stack())
            if length is None:
                return tokens
            tokens = tf.pad(tokens, [(0, 0), (0, length - tf.shape(tokens)[1])])
            return tf.ensure_shape(tokens, (texts.shape[0], length))

    def is_empty(self, texts: tf.Tensor) -> tf.Tensor:
        """Whether there is nothing but white space in each of texts (batch,), booleans (batch,)."""
        with tf.device("CPU:0"):
            texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
            return tf.strings.regex_full_match(texts, f"({_WHITE})?")

    def _looked_up(self, pieces):
        """The numbers of pieces, `UNKNOWN` where there is none, int32 of the shape of `pieces`."""
        places = tf.searchsorted(self._sorted_hashes, tf.reshape(_hashes(pieces), (-1,)))
        places = tf.reshape(tf.minimum(places, len(self._numbers) - 1), tf.shape(pieces))
        is_it = tf.gather(tf.constant(self._sorted_pieces, tf.string), places) == pieces
        return tf.where(is_it, tf.gather(self._sorted_numbers, places), UNKNOWN)

    def decode(self, tokens: tf.Tensor) -> tf.Tensor:
        """The texts of tokens (batch, length), strings (batch,), as `text` gives them."""
        with tf.device("CPU:0"):
            shown = tf.constant([self._shown(token) for token in range(len(self))])
            after_end = tf.cumsum(tf.cast(tokens == END, tf.int32), axis=1) > 0
            pieces = tf.where(after_end, "", tf.gather(shown, tokens))
            texts = tf.strings.regex_replace(tf.strings.reduce_join(pieces, axis=1), SPACE, " ")
            return tf.strings.regex_replace(texts, "^ +| +$", "")


def _hashes(pieces):
    return tf.strings.to_hash_bucket_fast(pieces, 2**62)
