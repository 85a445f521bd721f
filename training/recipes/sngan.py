"""SNGAN: keras-gans train sngan"""

from ..recipe import Recipe, recipe


@recipe
def sngan() -> "Recipe":
    return Recipe(
        summary="hinge loss and spectral normalization, convolutional",
        source="Miyato et al. 2018",
        scheme={"name": "sngan"},
        networks={
            "generator": {"name": "dcgan_generator"},
            "discriminator": {"name": "dcgan_discriminator", "normalization": "spectral"},
        },
        steps=3000,
    )
