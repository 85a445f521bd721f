"""Text to image by DF-GAN.

keras-gans train df_gan
keras-gans train df_gan_small
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
        # Section 4, but for the generator, whose rate is 1e-4 there.
        optimizers={
            "generator": {"name": "adam", "learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.9},
            "discriminator": {"name": "adam", "learning_rate": 4e-4, "beta_1": 0.0, "beta_2": 0.9},
        },
        data="shapes",
        steps=6000,
        ema=0.99,
        picture_every=500,
    )


@recipe
def df_gan_small() -> "Recipe":
    """The same of 16x16 pixels, two and a half minutes of one core, by when the text is hardly followed; one seed."""
    plain = df_gan()
    return plain.replace(
        summary="small drawn shapes by their captions, the text in every block",
        scheme={**plain.scheme, "encoder_steps": 200},
        data="shapes/16",
        steps=1600,
    )
