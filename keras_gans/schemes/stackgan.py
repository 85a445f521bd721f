"""StackGAN: a small picture of a text first, then a large one of the small one and the text.

Zhang et al., "StackGAN: Text to Photo-realistic Image Synthesis with Stacked Generative Adversarial Networks" (2017),
https://arxiv.org/abs/1612.03242
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_gans import losses
from keras_gans.checks import check_whole
from keras_gans.engine.base import AdversarialModel, register_scheme
from keras_gans.engine.given import check_raw_scores
from keras_gans.engine.kinds import Judged
from keras_gans.engine.phases import Phase
from keras_gans.engine.serving import Sampler
from keras_gans.engine.text_conditional import TextConditional
from keras_gans.errors import UserError
from keras_gans.fields import Field
from keras_gans.hints import Loss, Tensor
from keras_gans.layers import Tokenizer
from keras_gans.optimizers import Adam
from keras_gans.penalties import check_weight

STAGE_1, STAGE_2 = ("stage_1_discriminator", "stage_1_generator"), ("discriminator", "generator")


@register_scheme("stackgan")
class StackGAN(TextConditional, Sampler, AdversarialModel):
    """Three phases: the text encoder learns; then stage I, on images made smaller; then stage II, stage I being fixed.

    Both stages: L_D = -log D(x, t) - 1/2 log(1 - D(x, t')) - 1/2 log(1 - D(y, t)) with t' another text of the batch,
    and L_G = -log D(y, t) + lambda KL(N(mu(t), sigma(t)^2) || N(0, I)) (equations 3 to 6, with the code's wrong texts).
    y is G_1(z, c) in stage I and G_2(G_1(z, c_1), c_2) in stage II, with no latent of its own, and c = mu + sigma e. In
    stage II nothing of stage I changes, batch statistics neither.

    A latent is z and behind it the noises e of both stages, so that a text and a latent give one picture, and samples
    are as different as in training; zeros in place of e give c = mu. Before stage II samples are stage I's, enlarged.

    Curves: `text_retrieval` while the encoder learns; then those of either stage: the mean raw scores `real_score`,
    `wrong_text_score` and `fake_score`, and `augmentation_divergence`, the KL.

    Args:
        stage_1_generator: keras.Model, [latents, codes, noise] -> [small images, mean, log deviation], see
            `networks.stackgan_stage_1_generator`.
        stage_1_discriminator: keras.Model, [small images, codes] -> raw scores.
        generator: keras.Model, [small images, codes, noise] -> [images, mean, log deviation], see
            `networks.stackgan_generator`.
        discriminator: keras.Model, [images, codes] -> raw scores.
        text_encoder, image_encoder, tokenizer, captions, encoder_steps: see
            `engine.text_conditional.TextConditionalGAN`.
        wrong_text_weight, wrong_text_candidates, normalized_codes, hardest_negatives, contrast_weight: likewise.
        stage_1_steps: training steps of stage I; all that follow are stage II's.
        divergence_weight: lambda, 2 in the authors' code.
        latent_prior: see `GAN`; of "uniform" the noises are brought to a deviation of 1.
        seed: see `AdversarialModel`.

    Raises:
        UserError: networks that do not fit together, or options out of range.
    """

    players = {
        "encoder": ("text_encoder", "image_encoder"),
        "stage_1_discriminator": ("stage_1_discriminator",),
        "stage_1_generator": ("stage_1_generator",),
        "discriminator": ("discriminator",),
        "generator": ("generator",),
    }
    rivals = {"stage_1_generator": ("stage_1_discriminator",), "generator": ("discriminator",)}
    log_names = ("text_retrieval", "real_score", "wrong_text_score", "fake_score", "augmentation_divergence")
    option_examples = {"latent_prior": ("normal", "uniform")}

    def __init__(
        self,
        stage_1_generator: keras.Model,
        stage_1_discriminator: keras.Model,
        generator: keras.Model,
        discriminator: keras.Model,
        text_encoder: keras.Model,
        image_encoder: keras.Model,
        *,
        tokenizer: Tokenizer,
        captions: Sequence[str] = (),
        encoder_steps: int = 500,
        stage_1_steps: int = 3000,
        wrong_text_weight: float = 0.5,
        wrong_text_candidates: int = 1,
        normalized_codes: bool = False,
        hardest_negatives: bool = False,
        divergence_weight: float = 2.0,
        contrast_weight: float = 0.0,
        latent_prior: str = "normal",
        seed: int = 0,
        name: str | None = None,
    ):
        super().__init__(seed=seed, name=name)
        self.stage_1_generator, self.stage_1_discriminator = stage_1_generator, stage_1_discriminator
        self.generator, self.discriminator = generator, discriminator
        self.text_encoder, self.image_encoder, self.tokenizer = text_encoder, image_encoder, tokenizer
        self.captions, self.encoder_steps, self.stage_1_steps = tuple(captions), encoder_steps, stage_1_steps
        self.wrong_text_weight, self.divergence_weight = wrong_text_weight, divergence_weight
        self.wrong_text_candidates, self.normalized_codes = wrong_text_candidates, normalized_codes
        self.hardest_negatives = hardest_negatives
        self.latent_prior = latent_prior
        self.contrast_weight = contrast_weight
        for weight in ("divergence_weight", "contrast_weight"):
            check_weight(weight, getattr(self, weight))
        self._check_reading()
        self._check_stages()
        takers = (stage_1_generator, 0), (stage_1_generator, 2), (generator, 2)
        self._parts = [network.inputs[place].shape[-1] for network, place in takers]
        self.latent_dim = sum(self._parts)

    def _check_stages(self):
        check_whole("stage_1_steps", self.stage_1_steps, 0)
        for role in (*STAGE_1, *STAGE_2):
            self._check_takes_codes(role, getattr(self, role))
        for generator in (self.stage_1_generator, self.generator):
            if len(generator.inputs) != 3 or len(generator.outputs) != 3:
                sizes = len(generator.inputs), len(generator.outputs)
                raise UserError(
                    "A generator of StackGAN takes [latents or small images, codes, noise] and gives [images, mean, "
                    f"log deviation]. Received one of {sizes[0]} inputs and {sizes[1]} outputs."
                )
        for judge, _ in (STAGE_1, STAGE_2):
            check_raw_scores(judge, getattr(self, judge))
        small, large = self.small_shape(), self.sample_shape()
        pairs = {
            "stage II takes": (tuple(self.generator.inputs[0].shape[1:]), small),
            "stage_1_discriminator takes": (tuple(self.stage_1_discriminator.inputs[0].shape[1:]), small),
            "discriminator takes": (tuple(self.discriminator.inputs[0].shape[1:]), large),
        }
        for what, (found, wanted) in pairs.items():
            if found != wanted:
                raise UserError(f"The {what} images of {found}, but the generator before it makes {wanted}.")
        if large[0] % small[0] or large[1] % small[1]:
            raise UserError(f"The large image is a whole number of times the small one. Received: {small} to {large}.")

    def sample_shape(self) -> tuple[int, ...]:
        return tuple(self.generator.outputs[0].shape[1:])

    def small_shape(self) -> tuple[int, ...]:
        """Shape of stage I's images."""
        return tuple(self.stage_1_generator.outputs[0].shape[1:])

    @classmethod
    def network_arguments(cls, role: str, data_fields: Mapping[str, Field], latent_dim: int) -> dict[str, Any]:
        arguments = super().network_arguments(role, data_fields, latent_dim)
        if role in STAGE_1:
            height, width, channels = arguments["sample_shape"]
            arguments["sample_shape"] = height // 2, width // 2, channels
        return arguments

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return {player: Adam(2e-4, beta_1=0.5) for player in self.players} | {"encoder": Adam(1e-3)}

    # Playing ----------------------------------------------------------------------------------------------------

    def phases(self) -> tuple[Phase, ...]:
        return (
            self.reading(),
            Phase("stage I", self.stage_1_steps, STAGE_1),
            Phase("stage II", None, STAGE_2),
        )

    def play(self, images: Tensor, texts: Tensor) -> None:
        tokens = self.tokenizer(texts)
        if "encoder" in self.phase.players:
            self.update("encoder", self.encoder_loss, images, tokens)
            return
        judge, maker = self.phase.players
        codes, wrong_codes, differs = self.with_wrong_texts(tokens)
        real = self.smaller(images) if judge in STAGE_1 else images
        self.update(judge, self.discriminator_loss, getattr(self, judge), real, codes, wrong_codes, differs)
        self.update(maker, self.generator_loss, getattr(self, judge), codes, wrong_codes, differs)

    def discriminator_loss(
        self, judge: keras.Model, real: Tensor, codes: Tensor, wrong_codes: Tensor, differs: Tensor
    ) -> Loss:
        """The loss and curves of either stage's discriminator, GAN-CLS's; real and generated pairs pass apart."""
        fake = ops.stop_gradient(self.made(codes)[0])
        pairs = [real, codes], [real, wrong_codes], [fake, codes]
        scores = [judge(pair, training=True) for pair in pairs]
        curves = dict(zip(self.log_names[1:4], map(ops.mean, scores), strict=True))
        return losses.matching_aware_discriminator(*scores, self.wrong_text_weight, differs), curves

    def generator_loss(self, judge: keras.Model, codes: Tensor, wrong_codes: Tensor, differs: Tensor) -> Loss:
        """The loss and curves of either stage's generator."""
        fake, mean, log_deviation = self.made(codes)
        divergence = losses.augmentation_divergence(mean, log_deviation)
        score = functools.partial(judge, training=True)
        scores, contrast = self.score_with_contrast(score, fake, codes, wrong_codes, differs)
        loss = losses.non_saturating_generator(scores) + contrast
        return loss + self.divergence_weight * divergence, {"augmentation_divergence": divergence}

    def made(self, codes: Tensor) -> list[Tensor]:
        """[images, mean, log deviation] of the stage that learns, from fresh latents and noise."""
        rows = tf.shape(codes)[0]
        is_first = "stage_1_generator" in self.phase.players
        z, noise, later_noise = self.parts_of(self.latents(rows))
        first = self.stage_1_generator([z, codes, noise], training=is_first)
        if is_first:
            return first
        return self.generator([ops.stop_gradient(first[0]), codes, later_noise], training=True)

    def parts_of(self, latents: Tensor) -> list[Tensor]:
        """[stage I's z, its noise e, stage II's noise e] of latents (batch, latent_dim)."""
        z, *noises = tf.split(latents, self._parts, axis=-1)
        # U(-1, 1) has a variance of 1/3.
        scale = 3.0**0.5 if self.latent_prior == "uniform" else 1.0
        return [z, *(scale * noise for noise in noises)]

    def smaller(self, images: Tensor) -> Tensor:
        """Images at stage I's size: each pixel the mean of those that it stands for."""
        ratio = self.sample_shape()[0] // self.small_shape()[0]
        return tf.nn.avg_pool2d(images, ratio, ratio, "VALID")

    # Sampling and judging ---------------------------------------------------------------------------------------

    def picture_of(self, latents: Tensor, codes: Tensor, training: bool = False) -> Tensor:
        """Images in [-1, 1] of latents and codes: of stage II, or of stage I enlarged while that is still to come."""
        small = self.small_picture_of(latents, codes)
        if "generator" in self.phase.players:
            return self.generator([small, codes, self.parts_of(latents)[2]], training=training)[0]
        ratio = self.sample_shape()[0] // self.small_shape()[0]
        return tf.repeat(tf.repeat(small, ratio, axis=1), ratio, axis=2)

    def small_picture_of(self, latents: Tensor, codes: Tensor) -> Tensor:
        """Stage I's images in [-1, 1] of latents and codes."""
        z, noise, _ = self.parts_of(latents)
        return self.stage_1_generator([z, codes, noise], training=False)[0]

    def realness(self, *values: Tensor, training: bool = False) -> Tensor:
        images, codes = values[0], self._codes_of_texts(values[1])
        # Before its phase stage II's judge knows nothing.
        is_second = "generator" in self.phase.players
        judge = self.discriminator if is_second else self.stage_1_discriminator
        images = images if is_second else self.smaller(images)
        return tf.reshape(judge([images, codes], training=training), [-1])

    def judged(
        self, real: Mapping[str, np.ndarray], made: Mapping[str, np.ndarray] | None = None, training: bool = False
    ) -> Judged:
        scores = super().judged(real, made, training)["discriminator"]
        return {"discriminator" if "generator" in self.phase.players else "stage_1_discriminator": scores}
