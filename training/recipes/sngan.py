"""keras-gans train sngan
keras-gans train sngan_paper --data cifar10
"""

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


@recipe
def sngan_paper() -> Recipe:
    """The paper's residual networks for CIFAR-10, for a GPU; not trained to its end, so no figure is expected of it."""
    adam = {"name": "adam", "learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.9}  # as WGAN-GP's authors
    return sngan().replace(
        summary="SNGAN's residual networks at the paper's size: for a GPU",
        networks={
            "generator": {"name": "resnet_generator", "base_filters": 256},
            "discriminator": {"name": "resnet_discriminator", "base_filters": 128},
        },  # table 4
        optimizers={player: adam for player in ("generator", "discriminator")},
        learning_rate_schedule="linear",
        image_size=32,
        latent_dim=128,
        steps=100_000,
    )
