"""Reading texts: the tokenizer and what it is made of, encoders that learn to agree, and texts that are wrong."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import losses
from keras_gans.checks import check_number, check_switch, check_whole
from keras_gans.engine.kinds import Curves
from keras_gans.engine.phases import Phase
from keras_gans.engine.replicas import global_rows
from keras_gans.errors import UserError
from keras_gans.fields import Field, Images, Texts
from keras_gans.hints import Tensor
from keras_gans.latent import prior_named
from keras_gans.layers import Tokenizer
from keras_gans.randomness import for_this_replica, uniform

# Captions that a model keeps of its data, for samples that nobody gave a text.
REMEMBERED = 240


@dataclasses.dataclass(frozen=True)
class ReadTexts(Texts):
    """Texts of the data with the tokenizer that was made of them."""

    tokenizer: Tokenizer | None = None


class TextReading:
    """What every model that takes texts with its images shares; mixed into an `AdversarialModel`.

    A text encoder learns first, with an encoder of images, to give each image and its text codes that agree (Reed et
    al., "Learning Deep Representations of Fine-grained Visual Descriptions", 2016); then it is fixed. A sentence
    embedding of the user's own is a `networks.sentence_encoder`, or any `text_encoder` with weights, from the numbers
    of its own tokenizer's words, and `encoder_steps=0`.

    The class that mixes this in has `tokenizer`, `text_encoder`, `image_encoder`, `encoder_steps`, `captions`,
    `wrong_text_weight`, `wrong_text_candidates`, `normalized_codes` and `hardest_negatives`.
    """

    option_examples = {
        # Another tokenizer needs another encoder.
        "tokenizer": lambda: (Tokenizer(("", "[UNK]", "word"), length=997),),
        # More than a small batch has texts are no other choice.
        "wrong_text_candidates": (1, 2),
    }

    def _check_reading(self) -> None:
        """Raises a `UserError` unless tokenizer, encoders and options fit together."""
        prior_named(self.latent_prior)
        length, texts, images = self.tokenizer.length, self.text_encoder, self.image_encoder
        if tuple(texts.input_shape[1:]) != (length,):
            raise UserError(
                f"The text encoder takes the tokenizer's {length} numbers of a text. Received one that takes "
                f"{texts.input_shape[1:]}."
            )
        if texts.output_shape != images.output_shape:
            raise UserError(
                "Codes of texts and of images are compared, so they have one size. Received: "
                f"{texts.output_shape[-1]} and {images.output_shape[-1]}. Set embedding_dim of both alike."
            )
        if tuple(images.input_shape[1:]) != tuple(self.sample_shape()):
            raise UserError(
                f"The image encoder takes images of {tuple(self.sample_shape())}. Received one that takes "
                f"{tuple(images.input_shape[1:])}."
            )
        check_whole("encoder_steps", self.encoder_steps, 0)
        check_number("wrong_text_weight", self.wrong_text_weight, 0.0, 1.0, below=True, example="the papers' 0.5")
        why = ", which is the papers' choice among all texts of the batch"
        check_whole("wrong_text_candidates", self.wrong_text_candidates, why=why)
        for name in ("normalized_codes", "hardest_negatives"):
            check_switch(name, getattr(self, name))

    def _check_takes_codes(self, role: str, network: keras.Model) -> None:
        """Raises a `UserError` unless a network's second input is the text's code."""
        inputs = [tuple(each.shape[1:]) for each in network.inputs]
        wanted = (self.text_encoder.output_shape[-1],)
        if len(inputs) < 2 or inputs[1] != wanted:
            raise UserError(
                f"The {role}'s second input is the text's code, {wanted[0]} numbers. Received inputs of {inputs}. Set "
                "embedding_dim of all networks alike."
            )

    # Of the data ------------------------------------------------------------------------------------------------

    @classmethod
    def read_data(cls, data_fields: Mapping[str, Field], tokenizer: Mapping[str, Any]) -> dict[str, Field]:
        """The data's fields with the tokenizer that is made of their texts, unless they have one.

        See `Tokenizer.of` for its options.
        """
        if getattr(data_fields["text"], "tokenizer", None) is not None:
            return dict(data_fields)
        texts = data_fields["text"].texts
        made = Tokenizer.of(texts if len(texts) else _words(data_fields["text"]), **tokenizer)
        return {**data_fields, "text": ReadTexts(texts, tokenizer=made)}

    @classmethod
    def network_arguments(cls, role: str, data_fields: Mapping[str, Field], latent_dim: int) -> dict[str, Any]:
        arguments = super().network_arguments(role, data_fields, latent_dim)
        tokenizer = data_fields["text"].tokenizer
        return arguments | {"vocabulary": tokenizer.vocabulary, "length": tokenizer.length, "level": tokenizer.level}

    @classmethod
    def scheme_arguments(cls, data_fields: Mapping[str, Field]) -> dict[str, Any]:
        field = data_fields["text"]
        return {"tokenizer": field.tokenizer, "captions": remembered(field.texts)}

    def fields(self) -> dict[str, Field]:
        return {"sample": Images(tuple(self.sample_shape())), "text": Texts(self.known_captions())}

    def known_captions(self) -> tuple[str, ...]:
        """The captions kept of the data, or of a model that has none, single words of its vocabulary."""
        return tuple(self.captions) or tuple(word for word in self.tokenizer.vocabulary[2 : 2 + REMEMBERED])

    def vocabularies(self) -> dict[str, Sequence[str]]:
        return {"vocabulary": self.tokenizer.vocabulary}

    # Learning to read -------------------------------------------------------------------------------------------

    def reading(self) -> Phase:
        """The phase in which the encoders learn."""
        return Phase("text encoder", self.encoder_steps, ("encoder",))

    def encoder_loss(self, images: Tensor, tokens: Tensor) -> tuple[Tensor, Curves]:
        """The structured joint embedding loss of the global batch; rows of one text describe each other."""
        all_tokens = global_rows(tokens)
        texts = global_rows(self.text_encoder(tokens, training=True))
        pictures = global_rows(self.image_encoder(images, training=True))
        # Of equal texts the first one's place.
        classes = tf.argmax(tf.cast(_same(all_tokens, all_tokens), tf.int32), axis=1)
        nearest = tf.argmax(tf.matmul(pictures, texts, transpose_b=True), axis=1)
        right = tf.cast(tf.equal(tf.gather(classes, nearest), classes), tf.float32)
        loss = losses.structured_joint_embedding(texts, pictures, classes, self.hardest_negatives)
        return loss, {"text_retrieval": tf.reduce_mean(right)}

    def codes_of(self, tokens: Tensor) -> Tensor:
        """The codes of texts by the encoder, which no longer learns: int32 (batch, length) -> (batch, d) float32.

        With `normalized_codes` each has the length sqrt(d), that of a standard normal vector, but for one of zeros.
        """
        return self._of_one_length(tf.stop_gradient(tf.cast(self.text_encoder(tokens, training=False), tf.float32)))

    def codes_between(self, codes: Tensor) -> Tensor:
        """Codes midway between each two rows that follow one another, (ceil(batch / 2), d); an odd last one as it is.

        With `normalized_codes` of the length that all have: the mean of two random ones is shorter by a third.
        """
        others = tf.concat([codes[1::2], codes[-1:]], axis=0)[: (tf.shape(codes)[0] + 1) // 2]
        return self._of_one_length(0.5 * codes[::2] + 0.5 * others)

    def _of_one_length(self, codes):
        if not self.normalized_codes:
            return codes
        lengths = tf.norm(codes, axis=-1, keepdims=True)
        return codes * (codes.shape[-1] ** 0.5 / tf.maximum(lengths, 1e-6))

    def with_wrong_texts(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Codes of the texts, of other texts of the global batch, and which of these differ.

        Each row's other text is one of those whose words differ from its own, all equally likely; or, of
        `wrong_text_candidates` such, the one whose code is nearest to its own.

        Args:
            tokens: int32 (batch, length).

        Returns:
            (codes (batch, d), other codes (batch, d), float32 (batch, 1): 0 where the batch has no other text, else 1).
        """
        everyone, rows = global_rows(tokens), tf.shape(tokens)[0]
        differ = tf.logical_not(_same(tokens, everyone))
        seed, count = self.next_seed(), tf.shape(everyone)[0]
        lots = for_this_replica(lambda drawn: uniform((drawn, count), seed), rows)
        lots = tf.where(differ, 1.0 + lots, lots)
        codes = self.codes_of(tokens)
        all_codes = global_rows(codes)
        if self.wrong_text_candidates == 1:
            chosen = tf.argmax(lots, axis=1)
        else:
            chosen = _nearest(lots, codes, all_codes, self.wrong_text_candidates)
        others = tf.gather(all_codes, chosen)
        return codes, others, tf.cast(tf.reduce_any(differ, axis=1, keepdims=True), tf.float32)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """The text encoder's codes of texts, float32 (texts, embedding_dim).

        Raises:
            UserError: a single text in the place of several, or what are no texts.
        """
        if isinstance(texts, str | bytes) or not all(isinstance(text, str | bytes) for text in texts):
            raise UserError(f"texts are several, such as ['a red circle']. Received: {texts!r}.")
        if not len(texts):
            return np.zeros((0, *self.codes_of(self.tokenizer(tf.constant([""]))).shape[1:]), np.float32)
        return np.asarray(self.codes_of(self.tokenizer(tf.constant(list(texts), tf.string))))

    def texts_for(self, count: int, seed: int = 0, texts: str | Sequence[str] | None = None) -> list[str]:
        """The texts that `sample` draws for."""
        if texts is None:
            known = self.known_captions()
            return [known[(seed + place) % len(known)] for place in range(count)]
        given = [texts] * count if isinstance(texts, str) else list(texts)
        if len(given) != count or not all(isinstance(text, str) for text in given):
            raise UserError(f"texts is one text, or one for each of {count} samples. Received: {texts!r}.")
        return given

    def _tokens(self, texts):
        return np.asarray(self.tokenizer(tf.constant(list(texts), tf.string)))

    def _codes_of_texts(self, texts):
        texts = tf.convert_to_tensor(texts)
        return self.codes_of(self.tokenizer(texts)) if texts.dtype == tf.string else texts


def remembered(texts: Any) -> tuple[str, ...]:
    """Some different texts of the data, spread evenly over them, at most `REMEMBERED`."""
    places = np.unique(np.linspace(0, len(texts) - 1, min(len(texts), 4 * REMEMBERED)).astype(int))
    rows = (texts[int(place)] for place in places)
    found = dict.fromkeys(row if isinstance(row, str) else row[0] for row in rows if len(row))
    return tuple(list(found)[:: max(1, len(found) // REMEMBERED)][:REMEMBERED])


def _words(field):
    """Texts for a vocabulary where the data have none that are known."""
    return [text.decode() for text in field.example(256)]


def _nearest(lots, codes, all_codes, candidates):
    """For each row the place of that one of the highest lots above 1, so many, whose code is nearest; any without one.

    Args:
        lots: float32 (rows, everyone).
        codes: (rows, d).
        all_codes: (everyone, d).
        candidates: how many.

    Returns:
        int32 (rows,).
    """
    drawn, places = tf.math.top_k(lots, tf.minimum(candidates, tf.shape(lots)[1]))
    distances = tf.norm(tf.gather(all_codes, places) - codes[:, tf.newaxis], axis=-1)
    nearest = tf.argmin(tf.where(drawn >= 1.0, distances, np.inf), axis=1)
    return tf.gather(places, nearest, batch_dims=1)


def _same(tokens, others):
    """Which of the texts (n, length) has the words of which of the others (m, length): boolean (n, m)."""
    return tf.reduce_all(tf.equal(tokens[:, tf.newaxis], others[tf.newaxis]), axis=-1)
