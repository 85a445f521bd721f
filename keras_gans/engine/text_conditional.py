"""Generators that take a text: how texts are read, learned and paired, and how a text is answered with a picture."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_gans import losses
from keras_gans.drawing import picture
from keras_gans.engine import show
from keras_gans.engine.kinds import Curves, Endpoints, Judged, Shown
from keras_gans.engine.phases import Phase
from keras_gans.engine.replicas import global_rows
from keras_gans.engine.two_player import GAN
from keras_gans.engine.validity import within
from keras_gans.errors import UserError
from keras_gans.fields import Field, Images, Texts
from keras_gans.hints import Tensor
from keras_gans.latent import draw_latents, latents_from_seeds, prior_named
from keras_gans.layers import Tokenizer
from keras_gans.optimizers import Adam
from keras_gans.pixels import to_uint8
from keras_gans.randomness import for_this_replica, uniform

# Captions that a model keeps of its data, for samples that nobody gave a text.
REMEMBERED = 240
# Pictures with a caption are larger than those without.
_CAPTIONED = 24


@dataclasses.dataclass(frozen=True)
class ReadTexts(Texts):
    """Texts of the data with the tokenizer that was made of them."""

    tokenizer: Tokenizer | None = None


class TextConditional:
    """What every model that makes images of texts shares; mixed into an `AdversarialModel`.

    A text encoder learns first, with an encoder of images, to give each image and its text codes that agree (Reed et
    al., "Learning Deep Representations of Fine-grained Visual Descriptions", 2016); then it is fixed. An embedding of
    the user's own is a `text_encoder` with weights, from the numbers of its own tokenizer's words, and
    `encoder_steps=0`.

    The class that mixes this in has `tokenizer`, `text_encoder`, `image_encoder`, `encoder_steps`, `captions`,
    `wrong_text_weight`, and `picture_of(latents, codes)`.
    """

    takes = {"sample": (Images,), "text": (Texts,)}
    makes = "sample"
    judged_fields = ("sample", "text")
    # Another tokenizer needs another encoder.
    option_examples = {"tokenizer": (Tokenizer(("", "[UNK]", "word"), length=997),)}

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
        if isinstance(self.encoder_steps, bool) or not isinstance(self.encoder_steps, int) or self.encoder_steps < 0:
            raise UserError(f"encoder_steps is a whole number from 0. Received: {self.encoder_steps!r}.")
        if isinstance(self.wrong_text_weight, bool) or not 0 <= self.wrong_text_weight < 1:
            raise UserError(
                f"wrong_text_weight is a share, from 0 to below 1; the papers' is 0.5. Received: "
                f"{self.wrong_text_weight!r}."
            )

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
        """The data's fields with the tokenizer that is made of their texts; see `Tokenizer.of` for its options."""
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
        loss = losses.structured_joint_embedding(texts, pictures, classes)
        return loss, {"text_retrieval": tf.reduce_mean(right)}

    def codes_of(self, tokens: Tensor) -> Tensor:
        """The codes of texts by the encoder, which no longer learns: int32 (batch, length) -> (batch, d) float32."""
        return tf.stop_gradient(tf.cast(self.text_encoder(tokens, training=False), tf.float32))

    def with_wrong_texts(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Codes of the texts, of other texts of the global batch, and which of these differ.

        Each row's other text is one of those whose words differ from its own, all equally likely.

        Args:
            tokens: int32 (batch, length).

        Returns:
            (codes (batch, d), other codes (batch, d), float32 (batch, 1): 0 where the batch has no other text, else 1).
        """
        everyone, rows = global_rows(tokens), tf.shape(tokens)[0]
        differ = tf.logical_not(_same(tokens, everyone))
        seed, count = self.next_seed(), tf.shape(everyone)[0]
        lots = for_this_replica(lambda drawn: uniform((drawn, count), seed), rows)
        chosen = tf.argmax(tf.where(differ, 1.0 + lots, lots), axis=1)
        codes = self.codes_of(tokens)
        others = tf.gather(global_rows(codes), chosen)
        return codes, others, tf.cast(tf.reduce_any(differ, axis=1, keepdims=True), tf.float32)

    def standard_normal(self, rows: Any, size: int) -> Tensor:
        """Fresh noise of a training step beside the latents, N(0, I), (rows, size)."""
        return draw_latents(rows, size, self.next_seed())

    # Sampling ---------------------------------------------------------------------------------------------------

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """The text encoder's codes of texts, float32 (texts, embedding_dim)."""
        return np.asarray(self.codes_of(self.tokenizer(tf.constant(list(texts), tf.string))))

    def call(self, inputs: Sequence[Tensor], training: bool = False) -> Tensor:
        """Images of latents (batch, latent_dim) and tokens (batch, length)."""
        latents, tokens = inputs
        return self.picture_of(latents, self.codes_of(tokens), training=training)

    def samples_from_codes(self, seeds: Tensor, codes: Tensor) -> Tensor:
        """Images for people, uint8, of int64 seeds (batch,) and codes of texts (batch, embedding_dim)."""
        latents = latents_from_seeds(seeds, self.latent_dim, self.latent_prior)
        return to_uint8(self.picture_of(latents, codes))

    def samples_from_seeds(self, seeds: Tensor, tokens: Tensor) -> Tensor:
        """The same of tokens, int32 (batch, length)."""
        return self.samples_from_codes(seeds, self.codes_of(tokens))

    def sample(
        self, count: int, seed: int = 0, labels: Any = None, *, texts: str | Sequence[str] | None = None
    ) -> np.ndarray:
        """Draws images; the k-th is what the exported model's `text` answers to the seed `seed + k` and the k-th text.

        Args:
            count: number of images.
            seed: of the first one.
            labels: none; here for a message.
            texts: one text for all, or one for each; None takes captions that the model keeps of its data, that of
                place (seed + k) modulo their number for the k-th.

        Returns:
            uint8 array (count, height, width, channels).

        Raises:
            UserError: `count` is not positive, another number of texts, or labels.
        """
        if count < 1:
            raise UserError(f"sample() draws one sample or more. Received: {count!r}.")
        if labels is not None:
            raise UserError(f"{type(self).__name__} takes texts=, not labels. Received: labels={labels!r}.")
        if self._sampler is None or self._sampled_in != self.phase:
            signature = [tf.TensorSpec((None,), tf.int64), tf.TensorSpec((None, self.tokenizer.length), tf.int32)]
            self._sampler = tf.function(self.samples_from_seeds, input_signature=signature, autograph=False)
            self._sampled_in = self.phase
        inputs = np.arange(seed, seed + count, dtype=np.int64), self._tokens(self.texts_for(count, seed, texts))
        pieces = -(-count // 256)
        chunks = zip(*(np.array_split(values, pieces) for values in inputs), strict=True)
        return np.concatenate([self._sampler(*chunk).numpy() for chunk in chunks])

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

    def draw(self, count: int, seed: int = 0) -> dict[str, np.ndarray]:
        """{"sample": images, "text": the captions that they were drawn for, "tokens": these as numbers}."""
        texts = self.texts_for(count, seed)
        return {"sample": self.sample(count, seed), "text": np.array(texts, object), "tokens": self._tokens(texts)}

    def shows(self, real: Mapping[str, np.ndarray] | None, count: int, seed: int = 0) -> Shown:
        """{"samples": a picture of samples with their captions below, "captions": those}; always the same captions."""
        texts = self.texts_for(min(count, _CAPTIONED), seed)
        samples = self.sample(len(texts), seed)
        return {"samples": picture.captioned(samples, texts), "captions": texts}

    def shows_data(self, real: Mapping[str, np.ndarray]) -> Shown:
        count = min(_CAPTIONED, len(real["sample"]))
        texts = show.as_shown(real["text"][:count], Texts())
        return {"real": picture.captioned(real["sample"][:count], texts), "real_text": texts}

    # Judging ----------------------------------------------------------------------------------------------------

    def judged(
        self, real: Mapping[str, np.ndarray], made: Mapping[str, np.ndarray] | None = None, training: bool = False
    ) -> Judged:
        images, codes = tf.convert_to_tensor(real["sample"]), self._codes_of_texts(real["text"])
        if made is None:
            latents = draw_latents(tf.shape(images)[0], self.latent_dim, self.next_seed(), self.latent_prior)
            made = {"sample": self.picture_of(latents, codes, training=training), "text": real["text"]}
        sides = (images, codes), (tf.convert_to_tensor(made["sample"]), self._codes_of_texts(made["text"]))
        return {"discriminator": tuple(self.realness(*side, training=training) for side in sides)}

    def realness(self, *values: Tensor, training: bool = False) -> Tensor:
        """As `AdversarialModel.realness`, of images with their texts, or with the texts' codes in their place."""
        images, texts = values
        return super().realness(images, self._codes_of_texts(texts), training=training)

    def _codes_of_texts(self, texts):
        texts = tf.convert_to_tensor(texts)
        return self.codes_of(self.tokenizer(texts)) if texts.dtype == tf.string else texts

    # Serving ----------------------------------------------------------------------------------------------------

    def endpoints(self) -> Endpoints:
        """What the exported model answers: {signature: (function, its input specifications)}.

        `serving_default` maps `z` and `tokens` to `image`; `sample` maps `seed` and `tokens` to a uint8 `image`; `text`
        maps `seed` and `text`, any string, to the same; `text_png` to PNG bytes.
        """
        latents = tf.TensorSpec((None, self.latent_dim), tf.float32, name="z")
        seeds = tf.TensorSpec((None,), tf.int64, name="seed")
        tokens = tf.TensorSpec((None, self.tokenizer.length), tf.int32, name="tokens")
        texts = tf.TensorSpec((None,), tf.string, name="text")

        def from_text(seed, text):
            return self.samples_from_seeds(seed, self.tokenizer(text))

        endpoints: Endpoints = {
            "serving_default": (
                lambda z, tokens: {"image": tf.cast(self([z, tokens], training=False), tf.float32)},
                [latents, tokens],
            ),
            "sample": (lambda seed, tokens: {"image": self.samples_from_seeds(seed, tokens)}, [seeds, tokens]),
            "text": (lambda seed, text: {"image": from_text(seed, text)}, [seeds, texts]),
        }
        if self.sample_shape()[-1] in (1, 3):
            endpoints["text_png"] = (
                lambda seed, text: {"image_bytes": tf.io.encode_png(from_text(seed, text))},
                [seeds, texts],
            )
        return endpoints

    def valid_rows(self, specification: tf.TensorSpec, values: Tensor) -> Tensor | None:
        """As `AdversarialModel.valid_rows`; `tokens` are numbers of the vocabulary."""
        if specification.name == "tokens":
            return within(values, 0, len(self.tokenizer.vocabulary) - 1)
        return super().valid_rows(specification, values)

    def example_input(self, specification: tf.TensorSpec, rows: int) -> np.ndarray:
        if specification.name == "text":
            return np.array([text.encode() for text in self.texts_for(rows)], object)
        if specification.name == "tokens":
            return self._tokens(self.texts_for(rows))
        return super().example_input(specification, rows)

    # Compiling --------------------------------------------------------------------------------------------------

    def compile(self, optimizers: Any = None, jit_compile: bool = False, **kwargs: Any) -> None:
        """As `AdversarialModel.compile`, but for XLA, which knows no strings."""
        if jit_compile:
            raise UserError("A step that reads texts cannot be compiled by XLA. Received: jit_compile=True.")
        super().compile(optimizers=optimizers, jit_compile=jit_compile, **kwargs)


class TextConditionalGAN(TextConditional, GAN):
    """The schedule of `GAN` with a generator G(z, t), after a phase in which the text encoder learns.

    The losses take codes of texts: `discriminator_loss(real, codes, wrong_codes, differs, fake, codes)` and
    `generator_loss(fake, codes, real, codes, wrong_codes, differs)`. Images are generated for the texts of the real
    batch beside them.

    Args:
        generator: keras.Model, [latents, codes (batch, embedding_dim)] -> images.
        discriminator: keras.Model, [images, codes] -> raw scores.
        text_encoder: keras.Model, int32 tokens (batch, length) -> codes; see `networks.text_encoder`.
        image_encoder: keras.Model, images -> codes, which the text encoder learns with.
        latent_dim: see `GAN`.
        tokenizer: `layers.Tokenizer`, texts -> tokens.
        captions: texts of the data, for samples that nobody gives a text; words of the vocabulary unless given.
        encoder_steps: training steps after which the encoders are fixed; 0 for ones that have learned before.
        wrong_text_weight: the weight w of real images with a wrong text in the discriminator's loss, generated ones
            having 1 - w; 1/2 in the papers.
        **kwargs: as `GAN`.

    Raises:
        UserError: networks that do not fit together, or options out of range.
    """

    players = {"encoder": ("text_encoder", "image_encoder"), **GAN.players}
    generator_sees_real = True
    log_names = ("text_retrieval", "real_score", "wrong_text_score", "fake_score")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        text_encoder: keras.Model,
        image_encoder: keras.Model,
        latent_dim: int | None = None,
        *,
        tokenizer: Tokenizer,
        captions: Sequence[str] = (),
        encoder_steps: int = 500,
        wrong_text_weight: float = 0.5,
        **kwargs: Any,
    ):
        super().__init__(generator, discriminator, latent_dim, **kwargs)
        self.text_encoder, self.image_encoder, self.tokenizer = text_encoder, image_encoder, tokenizer
        self.captions, self.encoder_steps, self.wrong_text_weight = tuple(captions), encoder_steps, wrong_text_weight
        self._check_reading()
        self._check_takes_codes("generator", generator)
        self._check_takes_codes("discriminator", discriminator)

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return {player: Adam(2e-4, beta_1=0.5) for player in GAN.players} | {"encoder": Adam(1e-3)}

    def phases(self) -> tuple[Phase, ...]:
        return self.reading(), Phase("adversarial", None, tuple(GAN.players))

    def play(self, images: Tensor, texts: Tensor) -> None:
        tokens = self.tokenizer(texts)
        if "encoder" in self.phase.players:
            self.update("encoder", self.encoder_loss, images, tokens)
        else:
            super().play(images, *self.with_wrong_texts(tokens))

    def generate_beside(self, real: tuple[Tensor, ...], rows: Any) -> tuple[Tensor, ...]:
        codes = real[1]
        return self.generator([self.latents(rows), codes], training=True), codes

    def picture_of(self, latents: Tensor, codes: Tensor, training: bool = False) -> Tensor:
        """Images in [-1, 1] of latents and codes, by the network that samples."""
        return (self.generator if training else self.sampling_generator)([latents, codes], training=training)

    def three_scores(
        self, real: Tensor, codes: Tensor, wrong_codes: Tensor, fake: Tensor
    ) -> tuple[tuple[Tensor, Tensor, Tensor], Curves]:
        """The discriminator's raw scores of (real, right text), (real, wrong text), (fake, right text), and curves."""
        scores = self.score([real, codes]), self.score([real, wrong_codes]), self.score([fake, codes])
        return scores, dict(zip(self.log_names[1:4], map(ops.mean, scores), strict=True))

    def after_step(self, step: Tensor) -> None:
        if "generator" in self.phase.players:
            super().after_step(step)


def remembered(texts: Any) -> tuple[str, ...]:
    """Some different texts of the data, spread evenly over them, at most `REMEMBERED`."""
    places = np.unique(np.linspace(0, len(texts) - 1, min(len(texts), 4 * REMEMBERED)).astype(int))
    rows = (texts[int(place)] for place in places)
    found = dict.fromkeys(row if isinstance(row, str) else row[0] for row in rows if len(row))
    return tuple(list(found)[:: max(1, len(found) // REMEMBERED)][:REMEMBERED])


def _words(field):
    """Texts for a vocabulary where the data have none that are known."""
    return [text.decode() for text in field.example(256)]


def _same(tokens, others):
    """Which of the texts (n, length) has the words of which of the others (m, length): boolean (n, m)."""
    return tf.reduce_all(tf.equal(tokens[:, tf.newaxis], others[tf.newaxis]), axis=-1)
