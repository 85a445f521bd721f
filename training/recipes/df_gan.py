"""Text to image by DF-GAN.

keras-gans train df_gan
"""

from ..recipe import Recipe, recipe
from .text_to_image import ENCODERS


@recipe
def df_gan() -> "Recipe":
    """Drawn shapes of 32x32 pixels and their captions; not measured."""
    return Recipe(
        summary="drawn shapes by their captions, the text in every block",
        source="Tao et al. 2022",
        scheme={"name": "df_gan", "encoder_steps": 500, "gradient_penalty_weight": 2.0, "gradient_penalty_power": 6.0},
        networks={
            **ENCODERS,
            "generator": {"name": "df_gan_generator", "base_filters": 16},
            "discriminator": {"name": "df_gan_discriminator", "base_filters": 16},
        },
        data="shapes",
        steps=6000,
        picture_every=500,
    )
