"""GAN-CLS and GAN-INT: a discriminator that also sees whether text and image belong together.

Reed et al., "Generative Adversarial Text to Image Synthesis" (2016), https://arxiv.org/abs/1605.05396
"""

from typing import Any

import keras
import tensorflow as tf

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.text_conditional import TextConditionalGAN
from keras_gans.hints import Loss, Tensor
from keras_gans.layers import Tokenizer
from keras_gans.penalties import check_weight


@register_scheme("text_to_image")
class TextToImage(TextConditionalGAN):
    """L_D = -log D(x, t) - w log(1 - D(x, t')) - (1 - w) log(1 - D(y, t)), L_G = -log D(y, t), with y = G(z, t).

    Algorithm 1 of the paper (GAN-CLS). t' is a text of another image of the batch that really differs. GAN-INT
    (equation 5) adds v times -log D(G(z, s), s) to L_G, where s lies in the middle between two texts of the batch,
    half as many as the batch has, as in the paper's code: there is no real image of it, and only the generator sees it.

    Curves: `text_retrieval`, the share of the batch's images with which their own text agrees most, while the encoder
    learns; then the mean raw scores `real_score`, `wrong_text_score` and `fake_score`.

    Args:
        generator, discriminator, text_encoder, image_encoder, latent_dim, tokenizer: see `TextConditionalGAN`.
        interpolation_weight: v, 1 in the paper's code; 0 is GAN-CLS alone.
        **kwargs: as `TextConditionalGAN`: `captions`, `encoder_steps`, `wrong_text_weight`, `wrong_text_candidates`,
            `normalized_codes`, `hardest_negatives`, `contrast_weight` and what `GAN` takes.

    Raises:
        UserError: as `TextConditionalGAN`, or a negative weight.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        text_encoder: keras.Model,
        image_encoder: keras.Model,
        latent_dim: int | None = None,
        *,
        tokenizer: Tokenizer,
        interpolation_weight: float = 1.0,
        **kwargs: Any,
    ):
        check_weight("interpolation_weight", interpolation_weight)
        super().__init__(
            generator, discriminator, text_encoder, image_encoder, latent_dim, tokenizer=tokenizer, **kwargs
        )
        self.interpolation_weight = interpolation_weight

    def discriminator_loss(
        self, real: Tensor, codes: Tensor, wrong_codes: Tensor, differs: Tensor, fake: Tensor, fake_codes: Tensor
    ) -> Loss:
        scores, curves = self.three_scores(real, codes, wrong_codes, fake)
        return losses.matching_aware_discriminator(*scores, self.wrong_text_weight, differs), curves

    def generator_loss(
        self, fake: Tensor, codes: Tensor, real: Tensor, real_codes: Tensor, wrong_codes: Tensor, differs: Tensor
    ) -> Loss:
        scores, contrast = self.score_with_contrast(self.score, fake, codes, wrong_codes, differs)
        loss = losses.non_saturating_generator(scores) + contrast
        if self.interpolation_weight:
            between = self.codes_between(codes)
            middle = self.generator([self.latents(tf.shape(between)[0]), between], training=True)
            loss += self.interpolation_weight * losses.non_saturating_generator(self.score([middle, between]))
        return loss, {}
