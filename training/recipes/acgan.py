"""ACGAN: the discriminator predicts the label.

keras-gans train acgan
keras-gans train acgan_mnist
"""

from ..recipe import Recipe, recipe

_SOURCE = "Odena et al. 2017"
# beta_1: appendix A; the rate was found on the digits.
_ADAM = {"name": "adam", "learning_rate": 4e-4, "beta_1": 0.5}


@recipe
def acgan() -> "Recipe":
    """Digits by label: 0.993 [0.993, 0.993] of the class asked for; seeds 0 to 2. Some 20 seconds of one core."""
    return Recipe(
        summary="the discriminator predicts the label instead of seeing it; of dense layers",
        source=_SOURCE,
        scheme={"name": "acgan"},
        networks={
            "generator": {
                "name": "mlp_generator",
                "hidden_units": [128, 128],
                "normalization": "batch",
                "conditioning": "concat",
            },
            "discriminator": {
                "name": "mlp_discriminator",
                "hidden_units": [256, 128],
                "dropout": 0.3,  # appendix A drops too, at 0.5
                "input_noise": 0.05,
                "head": "auxiliary",
            },
        },
        optimizers={"generator": _ADAM, "discriminator": _ADAM},
        batch_size=64,
        steps=3000,
        latent_dim=32,
        steps_per_execution=25,
    )


@recipe
def acgan_dcgan() -> "Recipe":
    """By convolutions: 0.995 [0.995, 0.996] of the class asked for; seeds 0 to 2. Some 80 seconds of one core."""
    adam = {**_ADAM, "learning_rate": 5e-4}  # as the recipe dcgan
    return acgan().replace(
        summary="ACGAN of convolutional networks",
        scheme={"name": "acgan", "shared_fakes": True},
        generator={"name": "dcgan_generator", "base_filters": 64, "conditioning": "concat"},
        discriminator={"name": "dcgan_discriminator", "base_filters": 64, "dropout": 0.3, "head": "auxiliary"},
        optimizers={"generator": adam, "discriminator": adam},
        latent_dim=64,
        steps_per_execution=1,
    )


@recipe
def acgan_mnist() -> "Recipe":
    """MNIST by label: 0.969 [0.959, 0.971] of the class asked for; seeds 0 to 2. Some 3 minutes of one core."""
    base = acgan_dcgan()
    return base.replace(
        summary="ACGAN for images of 28 pixels",
        generator={**base.networks["generator"], "base_filters": 32},
        discriminator={**base.networks["discriminator"], "base_filters": 32},
        data="mnist",
        steps=3000,
        # Falling rates froze the classes' spread too early; the average does what they were for.
        ema=0.998,
        steps_per_execution=1,
    )
