"""DF-GAN: one stage, the text fused into every block, and a discriminator that is smooth around real, matching pairs.

Tao et al., "DF-GAN: A Simple and Effective Baseline for Text-to-Image Synthesis" (2022),
https://arxiv.org/abs/2008.05865
"""

from typing import Any

import keras
from keras import ops

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.text_conditional import TextConditionalGAN
from keras_gans.hints import Loss, Tensor
from keras_gans.layers import Tokenizer
from keras_gans.optimizers import Adam
from keras_gans.penalties import check_keeps_samples_apart, check_weight, matching_slopes


@register_scheme("df_gan")
class DFGAN(TextConditionalGAN):
    """L_D = E [1 - D(x, t)]+ + w E [1 + D(x, t')]+ + (1 - w) E [1 + D(y, t)]+ + k MA-GP, L_G = -E D(y, t), y = G(z, t).

    Equation 1 of the paper; [a]+ is max(0, a). t' is a text of another image of the batch that really differs, and
    MA-GP, the matching-aware gradient penalty, E (||dD(x, t)/dx|| + ||dD(x, t)/dt||)^p over real images with their own
    texts.

    Curves: as `TextToImage`, and `gradient_penalty`, MA-GP without its weight k.

    Args:
        generator, discriminator, text_encoder, image_encoder, latent_dim, tokenizer: see `TextConditionalGAN`; a
            discriminator without batch normalization.
        gradient_penalty_weight: k, 2 in the paper; 0 leaves the penalty out.
        gradient_penalty_power: p, 6 in the paper.
        **kwargs: as `TextConditionalGAN`.

    Raises:
        UserError: as `TextConditionalGAN`, a negative number, or batch normalization in the discriminator.
    """

    log_names = (*TextConditionalGAN.log_names, "gradient_penalty")
    is_critic = True

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        text_encoder: keras.Model,
        image_encoder: keras.Model,
        latent_dim: int | None = None,
        *,
        tokenizer: Tokenizer,
        gradient_penalty_weight: float = 2.0,
        gradient_penalty_power: float = 6.0,
        **kwargs: Any,
    ):
        check_weight("gradient_penalty_weight", gradient_penalty_weight)
        check_weight("gradient_penalty_power", gradient_penalty_power)
        check_keeps_samples_apart(discriminator, "The matching-aware gradient penalty")
        super().__init__(
            generator, discriminator, text_encoder, image_encoder, latent_dim, tokenizer=tokenizer, **kwargs
        )
        self.gradient_penalty_weight, self.gradient_penalty_power = gradient_penalty_weight, gradient_penalty_power

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return {
            "encoder": Adam(1e-3),
            "discriminator": Adam(4e-4, beta_1=0.0, beta_2=0.9),
            "generator": Adam(1e-4, beta_1=0.0, beta_2=0.9),
        }

    def discriminator_loss(
        self, real: Tensor, codes: Tensor, wrong_codes: Tensor, differs: Tensor, fake: Tensor, fake_codes: Tensor
    ) -> Loss:
        scores, curves = self.three_scores(real, codes, wrong_codes, fake)
        loss = losses.matching_aware_hinge(*scores, self.wrong_text_weight, differs)
        penalty = ops.mean(
            matching_slopes(lambda *pair: self.score(list(pair)), real, codes) ** self.gradient_penalty_power
        )
        return loss + self.gradient_penalty_weight * penalty, curves | {"gradient_penalty": penalty}

    def generator_loss(
        self, fake: Tensor, codes: Tensor, real: Tensor, real_codes: Tensor, wrong_codes: Tensor, differs: Tensor
    ) -> Loss:
        scores, contrast = self.score_with_contrast(self.score, fake, codes, wrong_codes, differs)
        return losses.hinge_generator(scores) + contrast, {}
