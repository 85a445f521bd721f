"""pix2pix: a picture for a picture.

keras-gans train pix2pix
keras-gans train pix2pix_unet --data "drawings = photos" --image-size 64
keras-gans train pix2pix_unet --data reversed-halves:facades --image-size 256
"""

from ..recipe import Recipe, recipe

_SOURCE = "Isola et al. 2017"


@recipe
def pix2pix() -> "Recipe":
    """Held-out digits are found with 0.985 [0.981, 0.988] of the truth's sharpness and a Fréchet distance of 0.135
    [0.121, 0.139]; regression alone has 0.954 and 0.165; seeds 0 to 2. Some 40 seconds of one core.
    """
    adam = {"name": "adam", "learning_rate": 1e-3, "beta_1": 0.5}
    return Recipe(
        summary="digits over photographs to the digits alone",
        source=_SOURCE,
        scheme={"name": "pix2pix", "error_weight": 10.0},
        networks={
            "a_to_b": {"name": "unet_translator", "base_filters": 32, "dropout": 0.5},
            "discriminator": {"name": "patch_discriminator", "base_filters": 32},
        },
        optimizers={"generator": adam, "discriminator": adam},
        data="photographed_digits",
        batch_size=32,
        steps=2000,
        learning_rate_schedule="linear",
    )


@recipe
def pix2pix_unet() -> "Recipe":
    """The paper's networks, half as wide; not measured over seeds."""
    adam = {"name": "adam", "learning_rate": 2e-4, "beta_1": 0.5}  # section 3.3
    return pix2pix().replace(
        summary="any pairs of images: a U-Net, and a discriminator of patches that sees both",
        scheme={"name": "pix2pix", "error_weight": 100.0},  # section 6.2
        a_to_b={"name": "unet_translator", "base_filters": 32, "dropout": 0.5},  # appendix 6.1: 64 filters
        discriminator={"name": "patch_discriminator", "base_filters": 32},
        optimizers={"generator": adam, "discriminator": adam},
        batch_size=4,
        steps=20_000,
        picture_every=500,
    )
