"""Generators that take a text: how a text is answered with a picture, how that is judged, and the schedule."""

from collections.abc import Callable, Mapping, Sequence
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
from keras_gans.engine.text_reading import TextReading
from keras_gans.engine.two_player import GAN
from keras_gans.engine.validity import within
from keras_gans.errors import UserError
from keras_gans.fields import Images, Texts
from keras_gans.hints import Tensor
from keras_gans.latent import draw_latents, latents_from_seeds
from keras_gans.layers import Tokenizer
from keras_gans.limits import check_drawn
from keras_gans.optimizers import Adam
from keras_gans.penalties import check_weight
from keras_gans.pixels import to_uint8

# Pictures with a caption are larger than those without.
_CAPTIONED = 24


class TextConditional(TextReading):
    """What every model that makes images of texts shares; mixed into an `AdversarialModel`.

    The class that mixes this in has what `TextReading` wants, and `picture_of(latents, codes)`.
    """

    takes = {"sample": (Images,), "text": (Texts,)}
    makes = "sample"
    judged_fields = ("sample", "text")

    def score_with_contrast(
        self,
        judge: Callable[[list[Tensor]], Tensor],
        fake: Tensor,
        codes: Tensor,
        wrong_codes: Tensor,
        differs: Tensor,
    ) -> tuple[Tensor, Tensor | float]:
        """A judge's raw scores of generated images with their texts, and their contrast to wrong texts by its weight.

        Args:
            judge: function of [images, codes] to raw scores in training mode.
            fake: the generated images.
            codes, wrong_codes, differs: see `with_wrong_texts`.
        """
        scores = judge([fake, codes])
        if not self.contrast_weight:
            return scores, 0.0
        contrast = losses.matching_contrast(scores, judge([fake, wrong_codes]), differs)
        return scores, self.contrast_weight * contrast

    # Sampling ---------------------------------------------------------------------------------------------------

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
            UserError: `count` is not positive or more than memory holds, another number of texts, or labels.
        """
        check_drawn(count, seed)
        self.check_holds(count)
        if labels is not None:
            raise UserError(f"{type(self).__name__} takes texts=, not labels. Received: labels={labels!r}.")
        if self._sampler is None or self._sampled_in != self.phase:
            signature = [tf.TensorSpec((None,), tf.int64), tf.TensorSpec((None, self.tokenizer.length), tf.int32)]
            self._sampler = tf.function(self.samples_from_seeds, input_signature=signature, autograph=False)
            self._sampled_in = self.phase
        inputs = np.int64(seed) + np.arange(count, dtype=np.int64), self._tokens(self.texts_for(count, seed, texts))
        pieces = -(-count // 256)
        chunks = zip(*(np.array_split(values, pieces) for values in inputs), strict=True)
        return np.concatenate([self._sampler(*chunk).numpy() for chunk in chunks])

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
        wrong_text_candidates: of how many texts, drawn from those of the batch that differ, the one whose code is
            nearest to the right one is the wrong text; 1 in the papers. Near texts differ in little, and that is what
            the discriminator then has to look at (hard negatives, as Faghri et al., "VSE++", 2018, section 3.2). Of too
            many one may be the right text in other words.
        normalized_codes: whether codes are brought to the length sqrt(d) after the encoder, whose own are short: what
            a text changes is then as large as what a latent does, and a gradient penalty on codes leaves room for it.
        hardest_negatives: whether the encoders learn of each row from the one wrong text and the one wrong image alone
            that agree best with it, see `losses.structured_joint_embedding`: codes of texts that differ in little, as
            small circles and squares, then lie further apart. False in the papers.
        contrast_weight: weight of `losses.matching_contrast` in the generator's loss, with the wrong texts that the
            discriminator sees; 0 in the papers. Where a discriminator takes a picture for real, the papers' loss no
            longer asks whether it shows what its text says; this one does.
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
        wrong_text_candidates: int = 1,
        normalized_codes: bool = False,
        hardest_negatives: bool = False,
        contrast_weight: float = 0.0,
        **kwargs: Any,
    ):
        check_weight("contrast_weight", contrast_weight)
        super().__init__(generator, discriminator, latent_dim, **kwargs)
        self.contrast_weight = contrast_weight
        self.text_encoder, self.image_encoder, self.tokenizer = text_encoder, image_encoder, tokenizer
        self.captions, self.encoder_steps, self.wrong_text_weight = tuple(captions), encoder_steps, wrong_text_weight
        self.wrong_text_candidates, self.normalized_codes = wrong_text_candidates, normalized_codes
        self.hardest_negatives = hardest_negatives
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
