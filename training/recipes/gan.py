"""The original GAN.

keras-gans train gan
"""

from ..recipe import Recipe, recipe

_SOURCE = "Goodfellow et al. 2014"
# Adam is the lecture's choice; this rate and momentum were found on the digits, where 2e-4 is too slow.
_ADAM = {"name": "adam", "learning_rate": 1e-3, "beta_1": 0.5}


@recipe
def gan() -> "Recipe":
    """Digits of dense layers. Fréchet distance in 20 principal components of the digits 0.63 [0.60, 0.71], all ten
    classes; seeds 0 to 2. Some 10 seconds of one core.
    """
    return Recipe(
        summary="the original GAN, non-saturating, of dense layers",
        source=_SOURCE,
        scheme={"name": "gan", "generator_objective": "non_saturating"},  # section 3, end
        # The lecture's 100-128-784 and 784-128-1, for whatever size the data has.
        networks={
            "generator": {"name": "mlp_generator", "hidden_units": [128], "activation": "leaky_relu"},
            "discriminator": {"name": "mlp_discriminator", "hidden_units": [128]},
        },
        optimizers={"generator": _ADAM, "discriminator": _ADAM},
        batch_size=64,
        steps=3000,
        steps_per_execution=25,
    )


@recipe
def gan_minimax() -> "Recipe":
    """The same with the loss of equation 1. Fréchet distance in 20 principal components of the digits 0.57 [0.49,
    0.59]; seeds 0 to 2. Some 10 seconds of one core.
    """
    return gan().replace(
        summary="the original GAN as the minimax game it is derived from",
        scheme={"name": "gan", "generator_objective": "minimax"},  # equation 1
    )


@recipe
def gan_ring() -> "Recipe":
    """A slow discriminator, and so a collapse: 2 [1, 2] of 8 modes at the most; seeds 0 to 2. Some 10 seconds of one
    core.
    """
    return Recipe(
        summary="eight Gaussians and a slow discriminator: mode collapse to look at",
        source=_SOURCE,
        scheme={"name": "gan", "generator_objective": "non_saturating"},
        networks={
            "generator": {
                "name": "mlp_generator",
                "hidden_units": [128, 128],
                "activation": "relu",
                "output_activation": None,
            },
            "discriminator": {"name": "mlp_discriminator", "hidden_units": [128]},
        },
        # A discriminator this slow is what lets the generator run to one mode (section 6, "the Helvetica scenario").
        optimizers={"generator": _ADAM, "discriminator": {**_ADAM, "learning_rate": 5e-5}},
        data="ring/wide",
        latent_dim=2,
        batch_size=256,
        steps=3000,
        steps_per_execution=25,
    )
