"""Which presets come along: a recipe, what is set otherwise in it, and what it draws."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from keras_gans.training import recipe as recipes


@dataclasses.dataclass(frozen=True)
class Preset:
    """What a preset is made from.

    Attributes:
        recipe: name of a recipe.
        draws: what it draws or does, in a few words.
        settings: what differs from the recipe, as `--set` has it.
    """

    recipe: str
    draws: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def trained(self) -> recipes.Recipe:
        """The recipe that is trained."""
        # Whatever is drawn or measured on the way goes into no preset.
        few = {"evaluate_every": None, "best": None}
        return recipes.with_settings(recipes.named(self.recipe), {**few, **self.settings})


_DIGITS = "handwritten digits of 8x8 pixels"
_SHAPES = "shapes of 16x16 pixels by sentences"
_SMALL = {"generator.base_filters": 32, "discriminator.base_filters": 32}
# By the time that they take, the shortest first.
PRESETS = {
    "gan_digits": Preset("gan", _DIGITS),
    "vae_digits": Preset("vae", f"{_DIGITS}, and codes of them"),
    "autoencoder_digits": Preset("autoencoder", "codes of eight numbers for digits, and digits of them"),
    "wgan_digits": Preset("wgan_mlp", _DIGITS),
    "wgan_gp_digits": Preset("wgan_gp_mlp", _DIGITS),
    "lsgan_digits": Preset("lsgan_mlp", _DIGITS),
    "label_informed_aae_digits": Preset("aae_labelled", "digits of codes in the plane, a petal a class"),
    "r3gan_digits": Preset("r3gan", _DIGITS),
    "began_digits": Preset("began", _DIGITS),
    "aae_digits": Preset("aae", f"{_DIGITS}, of normal codes"),
    "vae_gan_digits": Preset("vae_gan", f"{_DIGITS}, and codes of them"),
    "dragan_digits": Preset("dragan", _DIGITS),
    "cgan_digits": Preset("cgan", f"{_DIGITS} by class"),
    "acgan_digits": Preset("acgan", f"{_DIGITS} by class"),
    "wgan_gp_ring": Preset("wgan_gp_ring", "points of eight Gaussians on a ring"),
    "sgan_digits": Preset("sgan", "a classifier of digits from 100 labels, and digits"),
    "sngan_digits": Preset("sngan", _DIGITS, {"generator.base_filters": 16, "discriminator.base_filters": 16}),
    "dcgan_digits": Preset("dcgan", _DIGITS, _SMALL),
    "semi_supervised_aae_digits": Preset(
        "semi_supervised_aae", "a classifier of digits from 100 labels, and digits", {"steps": 1500}
    ),
    "pix2pix_digits": Preset("pix2pix", "digits found on photographs"),
    "cyclegan_digits": Preset("cyclegan", "bright digits to dark ones, and back"),
    "adversarial_nmt_numbers": Preset("adversarial_nmt", "numbers and dates in digits to words"),
    "cgan_fashion_mnist": Preset(
        "cgan_images",
        "clothes of 28x28 pixels by class",
        {"generator.base_filters": 24, "discriminator.base_filters": 24, "latent_dim": 64, "data": "fashion_mnist"},
    ),
    "dcgan_mnist": Preset(
        "dcgan_r1",
        "handwritten digits of 28x28 pixels",
        {"discriminator.hidden_units": [64], "latent_dim": 64, "data": "mnist"},
    ),
    "stackgan_shapes": Preset("stackgan_small", f"{_SHAPES}, small first"),
    "text_to_image_shapes": Preset("text_to_image_small", _SHAPES),
    "df_gan_shapes": Preset("df_gan_small", f"{_SHAPES}, the text in every block"),
    "cut_digits": Preset("cut", "digits to digits over photographs", {"steps": 600}),
    "cycada_digits": Preset(
        "cycada",
        "digits to digits over photographs, and back",
        {
            "steps": 850,
            "scheme.classifier_steps": 250,
            "classifier_a.base_filters": 24,
            "classifier_b.base_filters": 24,
        },
    ),
}
