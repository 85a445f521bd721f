"""Schemes that translate sentences: their vocabularies, translating, what they show and answer."""

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import randomness
from keras_gans.checks import check_number, check_whole
from keras_gans.drawing import plot
from keras_gans.engine import decoding
from keras_gans.engine.base import AdversarialModel
from keras_gans.engine.kinds import Endpoints, Shown
from keras_gans.engine.validity import within
from keras_gans.errors import UserError, unknown_name
from keras_gans.fields import Field, Texts
from keras_gans.hints import Tensor
from keras_gans.layers import Transformer, Translator
from keras_gans.subwords import BEGIN, PAD, Subwords, learn, plain

METHODS = ("greedy", "beam")
_VOCABULARY_SIZE = 8000
_BATCH = 64
_SHOWN = 16
_DIRECTION = "source_to_target"


class TextTranslatingModel(AdversarialModel):
    """A translator of sentences, with the vocabularies that it reads and writes.

    Strings are cut into subwords within the graph, see `keras_gans.subwords`. Pairs of which one has more than
    `max_length` tokens, with its end, are left out of training; translating takes sentences of any length.

    Args:
        generator: a `layers.Translator`.
        source_vocabulary, target_vocabulary: pieces, as `subwords.learn` gives them.
        beam_width: of the beam search of `translate` and the exported model.
        length_penalty: the power a of beam search's normalization, see `decoding.beam`; 0.6 as Vaswani et al. (2017).
        seed: see `AdversarialModel`.

    Raises:
        UserError: vocabularies that are none or not the network's, or numbers that are not sensible.
    """

    network_kinds = {"generator": Translator}
    takes = {"source": (Texts,), "target": (Texts,)}
    translates = {_DIRECTION: ("source", "target")}

    def __init__(
        self,
        generator: keras.Model,
        source_vocabulary: Sequence[str],
        target_vocabulary: Sequence[str],
        *,
        beam_width: int = 4,
        length_penalty: float = 0.6,
        seed: int = 0,
        name: str | None = None,
    ):
        super().__init__(seed=seed, name=name)
        self.source_subwords, self.target_subwords = Subwords(source_vocabulary), Subwords(target_vocabulary)
        self.source_vocabulary = self.source_subwords.vocabulary
        self.target_vocabulary = self.target_subwords.vocabulary
        known = {"source": generator.source_size, "target": generator.target_size}
        for side, subwords in (("source", self.source_subwords), ("target", self.target_subwords)):
            if len(subwords) != known[side]:
                raise UserError(
                    f"The generator knows {known[side]} {side} tokens. Received a {side}_vocabulary of {len(subwords)}."
                )
        check_whole("beam_width", beam_width)
        check_number("length_penalty", length_penalty, example="0.6")
        self.generator, self.beam_width, self.length_penalty = generator, beam_width, length_penalty
        self._functions: dict[str, Any] = {}

    @property
    def max_length(self) -> int:
        """How many tokens either sentence has in training at the most, with its end."""
        raise NotImplementedError(f"{type(self).__name__} must define max_length.")

    # Of the data ------------------------------------------------------------------------------------------------

    @classmethod
    def read_data(cls, data_fields: Mapping[str, Field], tokenizer: Mapping[str, Any]) -> dict[str, Field]:
        """The data's fields with the vocabulary of each, learned from its texts unless it has one.

        Args:
            data_fields: see `AdversarialModel.read_data`.
            tokenizer: {"vocabulary_size": pieces of each at the most}, 8,000 unless given.
        """
        options = {"vocabulary_size": _VOCABULARY_SIZE, **tokenizer}
        size = options.pop("vocabulary_size")
        if options:
            raise UserError(
                f"{cls.__name__} reads texts as subwords, whose only option is vocabulary_size. Received: "
                f"{', '.join(map(repr, options))}."
            )
        read = {side: field.vocabulary or learn(_all_texts(field), size) for side, field in data_fields.items()}
        known: dict[str, Any] = dict(data_fields)
        return {side: dataclasses.replace(known[side], vocabulary=pieces) for side, pieces in read.items()}

    @classmethod
    def network_arguments(cls, role: str, data_fields: Mapping[str, Field], latent_dim: int) -> dict[str, Any]:
        return {f"{side}_size": len(data_fields[side].vocabulary) for side in cls.takes}

    @classmethod
    def scheme_arguments(cls, data_fields: Mapping[str, Field]) -> dict[str, Any]:
        return {f"{side}_vocabulary": data_fields[side].vocabulary for side in cls.takes}

    def fields(self) -> dict[str, Field]:
        return {"source": Texts(vocabulary=self.source_vocabulary), "target": Texts(vocabulary=self.target_vocabulary)}

    def check_batch(self, batch: Mapping[str, np.ndarray]) -> None:
        super().check_batch(batch)
        is_short = self.read(tf.constant(batch["source"]), tf.constant(batch["target"]))["is_short"].numpy()
        # Empty ones fill a batch up.
        is_short = is_short[[all(text.strip() for text in pair) for pair in zip(*batch.values(), strict=True)]]
        if not is_short.any():
            raise UserError(
                f"All {len(is_short)} pairs of the first batch are longer than {self.max_length} tokens, and none of "
                "them could be learned from. Take longer sentences into the networks, or a larger vocabulary."
            )
        if is_short.mean() < 0.9:
            warnings.warn(
                f"{len(is_short) - is_short.sum()} of the {len(is_short)} pairs of the first batch are longer than "
                f"{self.max_length} tokens; such pairs are left out of training.",
                stacklevel=4,
            )

    def read(self, source: Tensor, target: Tensor) -> dict[str, Tensor]:
        """A batch of strings as tokens.

        Args:
            source, target: strings (batch,).

        Returns:
            {"source", "target": int32 (batch, length), padding behind the ends, each as long as its longest sentence
            that is learned from; "previous": the targets one place later, with the beginning; "is_short": booleans
            (batch,), False for a pair that is left out, because it is too long or a side of it is empty}.
        """
        sides = {"source": (self.source_subwords, source), "target": (self.target_subwords, target)}
        tokens = {side: subwords.encode(texts, self.max_length + 1) for side, (subwords, texts) in sides.items()}
        fits = [rows[:, -1] == PAD for rows in tokens.values()]
        is_short = tf.reduce_all([*fits, *(~subwords.is_empty(texts) for subwords, texts in sides.values())], axis=0)
        tokens = {side: trimmed(tf.where(is_short[:, tf.newaxis], rows, PAD)) for side, rows in tokens.items()}
        return {**tokens, "previous": shifted(tokens["target"]), "is_short": is_short}

    def pair_lengths(self, rows: Mapping[str, Sequence[str]]) -> np.ndarray:
        """Tokens of the longer side of each pair, with its end, int64 (rows,); 0 for a pair that is left out.

        Args:
            rows: {"source", "target": list of str}.
        """
        sides = ((self.source_subwords, rows["source"]), (self.target_subwords, rows["target"]))
        counts = [[len(subwords.tokens(text)) if plain(text) else 0 for text in texts] for subwords, texts in sides]
        longest, shortest = np.max(counts, axis=0), np.min(counts, axis=0)
        return np.where((longest <= self.max_length) & (shortest > 0), longest, 0)

    def vocabularies(self) -> dict[str, Sequence[str]]:
        return {"source_vocabulary": self.source_vocabulary, "target_vocabulary": self.target_vocabulary}

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        """Logits of the next tokens, of [source, previous] tokens."""
        return self.generator(inputs, training=training)

    # Translating ------------------------------------------------------------------------------------------------

    def translate(
        self, texts: Sequence[str] | np.ndarray, direction: str = _DIRECTION, method: str = "greedy"
    ) -> list[str]:
        """Translates sentences of any length; an empty one stays empty.

        Args:
            texts: list or array of str, or of UTF-8 bytes.
            direction: a key of `translates`.
            method: "greedy", the likeliest token at each place, or "beam", see `beam_width`.

        Returns:
            List of str.

        Raises:
            UserError: no such direction or method, or what are no texts.
        """
        if direction not in self.translates:
            raise unknown_name("direction", direction, self.translates)
        if method not in METHODS:
            raise unknown_name("method", method, METHODS)
        texts = [text.encode() for text in self._texts(texts)]
        found = [""] * len(texts)
        # Sentences of like lengths together, for little padding.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            translated = self._function(method)(tf.constant([texts[place] for place in places]))["text"].numpy()
            for place, text in zip(places, translated, strict=True):
                found[place] = text.decode()
        return found

    def _texts(self, texts):
        if isinstance(texts, str | bytes) or not all(isinstance(text, str | bytes) for text in texts):
            raise UserError(f"Texts to translate are a list of str. Received: {texts!r:.80}.")
        return [text.decode(errors="replace") if isinstance(text, bytes) else text for text in texts]

    def peakiness(self, sources: Sequence[str], targets: Sequence[str], seed: int = 0) -> tuple[float, float]:
        """How sure the policy is: (its entropy a token, in nats, behind the targets' tokens; share of likeliest draws).

        Args:
            sources, targets: pairs of str.
            seed: of the translations that are drawn.

        Returns:
            The share is that of drawn translations which are what greedy decoding finds, token by token.
        """
        totals = np.zeros(3)
        for start in range(0, len(sources), _BATCH):
            rows = [[text.encode() for text in side[start : start + _BATCH]] for side in (sources, targets)]
            found = self._function("peakiness")(*map(tf.constant, rows), randomness.root_seed(seed, start))
            totals += np.array(found)
        entropies, words, alike = totals.tolist()
        return entropies / max(words, 1), alike / max(len(sources), 1)

    def _peakiness(self, text, target, seed):
        source, targets = self.source_subwords.encode(text), self.target_subwords.encode(target)
        logits = self.generator([source, shifted(targets)], training=False)
        entropy = tf.reduce_sum(tf.exp(tf.nn.log_softmax(logits)) * -tf.nn.log_softmax(logits), axis=-1)
        is_token = tf.cast(targets != PAD, tf.float32)
        greedy, _ = decoding.greedy(self.generator, source, self.max_length)
        drawn = decoding.sample(self.generator, source, self.max_length, seed)
        alike = tf.cast(tf.reduce_all(greedy == drawn, axis=1), tf.float32)
        return tf.reduce_sum(entropy * is_token), tf.reduce_sum(is_token), tf.reduce_sum(alike)

    def remarks(self, text: str) -> list[str]:
        """What a user should know of a sentence before trusting its translation; nothing for most."""
        found, unknown = [], self.source_subwords.unknown(text)
        if unknown:
            shown = ", ".join(map(repr, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
            found.append(f"no training sentence had {shown}, which is read as an unknown character")
        count = len(self.source_subwords.tokens(text))
        if count > self.max_length:
            found.append(f"{count} tokens long, and no training sentence had more than {self.max_length}")
        return found

    def _function(self, method):
        if method not in self._functions:
            signature = [tf.TensorSpec((None,), tf.string, name="text")]
            if method == "peakiness":
                signature = [*signature, tf.TensorSpec((None,), tf.string), tf.TensorSpec((2,), tf.int64)]
            answer = {"greedy": self._greedy, "beam": self._beam, "peakiness": self._peakiness}[method]
            self._functions[method] = tf.function(answer, input_signature=signature, autograph=False)
        return self._functions[method]

    def _lengths(self, source):
        """(tokens that each translation may have, the most of them): long sentences get long translations."""
        count = tf.reduce_sum(tf.cast(source != PAD, tf.int32), axis=1)
        limits = tf.where(count > self.max_length, 2 * count + 10, self.max_length)
        return limits, tf.maximum(tf.reduce_max(limits), 1)

    def _written(self, text, tokens, limits):
        """The texts of tokens, each within its limit, so that a row does not depend on those beside it."""
        tokens = tf.where(tf.range(tf.shape(tokens)[1]) < limits[:, tf.newaxis], tokens, PAD)
        return tf.where(self.source_subwords.is_empty(text), "", self.target_subwords.decode(tokens))

    def _greedy(self, text):
        source = self.source_subwords.encode(text)
        limits, most = self._lengths(source)
        tokens, _ = decoding.greedy(self.generator, source, most)
        return {"text": self._written(text, tokens, limits)}

    def _beam(self, text):
        source = self.source_subwords.encode(text)
        limits, _ = self._lengths(source)
        tokens, scores = decoding.beam(self.generator, source, limits, self.beam_width, self.length_penalty)
        return {"text": self._written(text, tokens[:, 0], limits), "score": scores[:, 0]}

    # What may be asked ------------------------------------------------------------------------------------------

    def shows(self, real: Mapping[str, Any] | None, count: int, seed: int = 0) -> Shown:
        """Sentences, their translations and the references; and what the first translation attends to."""
        if real is None:
            return {}
        sources, targets = (list(real[side])[: min(count, _SHOWN)] for side in ("source", "target"))
        translated = self.translate(sources)
        lines = [f"{a} -> {b} ({c})" for a, b, c in zip(sources, translated, targets, strict=True)]
        weights, columns, rows = self.attention(sources[0])
        return {"translations": lines, "attention": plot.attention(weights, columns, rows)}

    def attention(self, text: str) -> tuple[np.ndarray, list[str], list[str]]:
        """(weights (t, s), the s source pieces, the t pieces of the translation) of one sentence, token by token."""
        source = tf.constant([self.source_subwords.tokens(text)])
        tokens, attention = decoding.greedy(self.generator, source, self.max_length)
        count = max(1, int(np.count_nonzero(tokens[0] != PAD)))
        pieces = [self.source_vocabulary[token] for token in source[0].numpy()]
        written = [self.target_vocabulary[token] for token in tokens.numpy()[0, :count]]
        return attention.numpy()[0, :count], pieces, written

    def endpoints(self) -> Endpoints:
        """Raw strings in and out: `translate_text` is greedy, as is `serving_default`; `translate_text_beam` searches.

        All take `text` and give `text`, the latter with its `score`, log p(y|x) normalized as `decoding.beam` says;
        `translate_tokens` maps `tokens` of the source vocabulary, int32 (batch, s), to those of the target's, (batch,
        max_length).
        """
        texts = [tf.TensorSpec((None,), tf.string, name="text")]
        tokens = [tf.TensorSpec((None, None), tf.int32, name="tokens")]
        return {
            "serving_default": (self._greedy, texts),
            "translate_text": (self._greedy, texts),
            "translate_text_beam": (self._beam, texts),
            "translate_tokens": (self._greedy_tokens, tokens),
        }

    def not_in_tflite(self) -> dict[str, str]:
        if isinstance(self.generator, Transformer):
            return {}
        return {"translate_tokens": "Keras's GRU keeps what it has written in lists of tensors, which TFLite lacks"}

    def _greedy_tokens(self, tokens):
        # TFLite's and ONNX's runtimes write other tokens, or none, where a state grows.
        return {"tokens": decoding.greedy(self.generator, tokens, self.max_length, has_room=True)[0]}

    def valid_rows(self, specification: tf.TensorSpec, values: Tensor) -> Tensor | None:
        """As `AdversarialModel.valid_rows`; `tokens` are numbers of the source vocabulary."""
        if specification.name == "tokens":
            return within(values, 0, len(self.source_vocabulary) - 1)
        return super().valid_rows(specification, values)

    def example_input(self, specification: tf.TensorSpec, rows: int) -> np.ndarray:
        texts = Texts(vocabulary=self.source_vocabulary).example(rows)
        if specification.name == "text":
            return texts
        if specification.name == "tokens":
            return self.source_subwords.encode(tf.constant(texts)).numpy()
        return super().example_input(specification, rows)


def _all_texts(field):
    """All texts of a field, of which a row has one or several."""
    rows = (field.texts[place] for place in range(len(field.texts)))
    return [text for row in rows for text in ((row,) if isinstance(row, str) else row)]


def trimmed(tokens: Tensor) -> Tensor:
    """Tokens (batch, t) without the places at which all have padding; one place at least is left."""
    length = tf.reduce_max(tf.reduce_sum(tf.cast(tokens != PAD, tf.int32), axis=1))
    return tokens[:, : tf.maximum(length, 1)]


def shifted(tokens: Tensor) -> Tensor:
    """What stands before each token, int32 (batch, t), the beginning before the first."""
    return tf.concat([tf.fill((tf.shape(tokens)[0], 1), BEGIN), tokens[:, :-1]], axis=1)
