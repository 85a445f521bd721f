"""WGAN with weight clipping.

keras-gans train wgan
"""

from ..recipe import Recipe, recipe

_SOURCE = "Arjovsky et al. 2017"


@recipe
def wgan() -> "Recipe":
    """Digits by convolutions. Fréchet distance in 20 principal components of the digits 1.11 [0.94, 1.25], all ten
    classes; seeds 0 to 2. Some 2 minutes of one core.
    """
    rmsprop = {"name": "rmsprop", "learning_rate": 2e-4}  # algorithm 1 has 5e-5, slow on small images
    return Recipe(
        summary="a critic with clipped weights, convolutional",
        source=_SOURCE,
        scheme={"name": "wgan", "clip": 0.01, "discriminator_steps": 5},  # algorithm 1
        networks={
            "generator": {"name": "dcgan_generator", "base_filters": 64},
            "discriminator": {"name": "dcgan_discriminator", "base_filters": 64, "normalization": "batch"},
        },
        optimizers={"generator": rmsprop, "discriminator": rmsprop},
        batch_size=64,  # algorithm 1
        steps=1500,
    )


@recipe
def wgan_mlp() -> "Recipe":
    """Digits of dense layers. Fréchet distance in 20 principal components of the digits 2.53 [1.09, 3.29], 10 [8, 10]
    classes; seeds 0 to 2. Some 10 seconds of one core.
    """
    rmsprop = {"name": "rmsprop", "learning_rate": 5e-4, "rho": 0.9}
    return Recipe(
        summary="WGAN of dense layers, on the digits",
        source=_SOURCE,
        # A shallow critic needs a wider clip than the paper's 0.01 to say anything.
        scheme={"name": "wgan", "clip": 0.05, "discriminator_steps": 5},
        networks={
            "generator": {"name": "mlp_generator", "hidden_units": [128], "activation": "leaky_relu"},
            "discriminator": {"name": "mlp_discriminator", "hidden_units": [128]},
        },
        optimizers={"generator": rmsprop, "discriminator": rmsprop},
        batch_size=64,
        steps=1500,
        steps_per_execution=25,
    )
