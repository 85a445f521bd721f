"""The conditional GAN: digits by label.

keras-gans train cgan
keras-gans train cgan_projection
keras-gans train cgan_images --data my_photos
keras-gans train cgan_mnist --data fashion_mnist
"""

from ..recipe import Recipe, recipe
from .dcgan import held_by_r1

_SOURCE = "Mirza and Osindero 2014"
# beta_1 as DCGAN's; the rate was found on the digits.
_ADAM = {"name": "adam", "learning_rate": 4e-4, "beta_1": 0.5}


@recipe
def cgan() -> "Recipe":
    """Digits by label: 0.982 [0.981, 0.985] are of the class asked for by a classifier that never saw them; seeds 0 to
    2. Some 20 seconds of one core.
    """
    return Recipe(
        summary="generator and discriminator both see the label; of dense layers",
        source=_SOURCE,
        scheme={"name": "cgan"},
        networks={
            "generator": {
                "name": "mlp_generator",
                "hidden_units": [128, 128],
                "normalization": "batch",
                "conditioning": "concat",  # section 3.2: label and latent are joined
            },
            "discriminator": {
                "name": "mlp_discriminator",
                "hidden_units": [256, 128],
                "dropout": 0.3,  # section 4.1 drops too, at 0.5
                "input_noise": 0.05,
                "conditioning": "concat",
            },
        },
        optimizers={"generator": _ADAM, "discriminator": _ADAM},
        batch_size=64,
        steps=3000,
        latent_dim=32,
        steps_per_execution=25,
    )


@recipe
def cgan_projection() -> "Recipe":
    """Convolutions with a projected label: 0.991 [0.990, 0.992] of the class asked for; seeds 0 to 2. Some 85 seconds
    of one core.
    """
    adam = {**_ADAM, "learning_rate": 5e-4}  # as the recipe dcgan
    return Recipe(
        summary="a convolutional conditional GAN: class-wise batch normalization, projection discriminator",
        source="Miyato and Koyama 2018",
        scheme={"name": "cgan", "shared_fakes": True},
        networks={
            "generator": {"name": "dcgan_generator", "base_filters": 64, "conditioning": "projection"},
            "discriminator": {"name": "dcgan_discriminator", "base_filters": 64, "conditioning": "projection"},
        },
        optimizers={"generator": adam, "discriminator": adam},
        batch_size=64,
        steps=3000,
        latent_dim=64,
    )


@recipe
def cgan_images() -> "Recipe":
    """Any images in classes, of half of `cgan_projection`'s filters. CIFAR-10 (JPEG copy) after twenty minutes of
    the processor, 17,221 to 18,155 steps: Fréchet distance in features of its own classes 0.79, 0.86 and 0.65 (with
    batch normalization in the place of the penalty 1.09, 1.62 and 0.82, `dcgan` 3.89, 4.56 and 2.60), coverage 0.95 on
    each; seeds 0 to 2. `train --data` takes up to 30,000 steps of many images; 10,000 are some seven to eleven minutes
    of one core.
    """
    base = cgan_projection()
    thin = {player: {**network, "base_filters": 32} for player, network in base.networks.items()}
    return held_by_r1(base.replace(networks=thin)).replace(
        summary="for your own images in class folders: slopes held at real ones, an average of the weights",
        ema=0.999,
        learning_rate_schedule="linear",
        steps=10_000,
        steps_per_execution=5,
    )


@recipe
def cgan_mnist() -> "Recipe":
    """MNIST by label: 0.980 [0.980, 0.989] of the class asked for; seeds 0 to 2. Some 2 minutes of one core."""
    base = cgan_projection()
    return base.replace(
        summary="a convolutional conditional GAN for images of 28 pixels",
        generator={**base.networks["generator"], "base_filters": 32, "conditioning": "concat"},
        discriminator={**base.networks["discriminator"], "base_filters": 32},
        learning_rate_schedule="linear",
        data="mnist",
        steps=2000,
    )
