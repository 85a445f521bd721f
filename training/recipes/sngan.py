"""keras-gans train sngan"""

from ..recipe import Recipe, recipe


@recipe
def sngan() -> Recipe:
    """Digits by convolutions. Fréchet distance in 20 principal components of the digits 0.47 [0.35, 0.55], all ten
    classes; seeds 0 to 2, on which its settings were chosen; 0.52 [0.50, 0.53] on seeds 10 to 12. Some 50 seconds of
    one core.
    """
    return Recipe(
        summary="hinge loss and spectral normalization, convolutional",
        source="Miyato et al. 2018",
        scheme={"name": "sngan", "discriminator_steps": 5},  # section 4
        networks={
            "generator": {"name": "dcgan_generator", "base_filters": 32},
            "discriminator": {"name": "dcgan_discriminator", "base_filters": 32, "normalization": "spectral"},
        },
        optimizers={player: {"learning_rate": 1e-3} for player in ("generator", "discriminator")},  # 2e-4 is slow here
        steps=1500,
    )
