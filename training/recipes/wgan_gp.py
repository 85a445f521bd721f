"""WGAN-GP, on images and on points.

keras-gans train wgan_gp
keras-gans train wgan_gp --data my_photos --image-size 64
keras-gans train wgan_gp_ring
"""

from ..recipe import Recipe, recipe

_SOURCE = "Gulrajani et al. 2017"


@recipe
def wgan_gp() -> "Recipe":
    """Digits by convolutions. Fréchet distance in 20 principal components of the digits 0.34 [0.29, 0.37], all ten
    classes; seeds 0 to 2. Some 2 minutes of one core.
    """
    adam = {"name": "adam", "learning_rate": 5e-4, "beta_1": 0.5, "beta_2": 0.9}  # algorithm 1 has 1e-4
    return Recipe(
        summary="a critic held to a unit gradient, convolutional",
        source=_SOURCE,
        scheme={"name": "wgan_gp", "gradient_penalty_weight": 10.0, "discriminator_steps": 5},  # algorithm 1
        networks={
            "generator": {"name": "dcgan_generator", "base_filters": 64},
            "discriminator": {"name": "dcgan_discriminator", "base_filters": 64, "normalization": None},  # section 4
        },
        optimizers={"generator": adam, "discriminator": adam},
        batch_size=64,  # algorithm 1
        steps=1500,
    )


@recipe
def wgan_gp_mlp() -> "Recipe":
    """Digits of dense layers. Fréchet distance in 20 principal components of the digits 0.31 [0.29, 0.34], all ten
    classes; seeds 0 to 2. Some 10 seconds of one core.
    """
    adam = {"name": "adam", "learning_rate": 1e-3, "beta_1": 0.5, "beta_2": 0.9}
    return Recipe(
        summary="WGAN-GP of dense layers, on the digits",
        source=_SOURCE,
        scheme={"name": "wgan_gp", "gradient_penalty_weight": 10.0, "discriminator_steps": 5},
        networks={
            "generator": {"name": "mlp_generator", "hidden_units": [128], "activation": "leaky_relu"},
            "discriminator": {"name": "mlp_discriminator", "hidden_units": [128]},
        },
        optimizers={"generator": adam, "discriminator": adam},
        batch_size=64,
        steps=1500,
        steps_per_execution=25,
    )


@recipe
def wgan_gp_ring() -> "Recipe":
    """All 8 modes, 0.87 [0.82, 0.88] of the points within three sigma of one (the data: 0.99); seeds 0 to 2. Some 25
    seconds of one core.
    """
    adam = {"name": "adam", "learning_rate": 1e-3, "beta_1": 0.5, "beta_2": 0.9}
    return Recipe(
        summary="eight Gaussians, all of them found",
        source=_SOURCE,
        # The authors' code has 0.1 for toy data.
        scheme={"name": "wgan_gp", "gradient_penalty_weight": 0.1, "discriminator_steps": 5},
        networks={
            "generator": {
                "name": "mlp_generator",
                "hidden_units": [128, 128, 128],
                "activation": "relu",
                "output_activation": None,
            },
            "discriminator": {"name": "mlp_discriminator", "hidden_units": [128, 128, 128], "activation": "relu"},
        },
        optimizers={"generator": adam, "discriminator": adam},
        learning_rate_schedule="cosine",
        data="ring/wide",
        latent_dim=2,
        batch_size=256,  # the authors' code, toy data
        steps=1500,
        steps_per_execution=25,
    )


@recipe
def wgan_gp_grid() -> "Recipe":
    """Twenty-five modes by the same means; not measured over seeds. Some 50 seconds of one core."""
    return wgan_gp_ring().replace(
        summary="twenty-five Gaussians",
        data="grid",
        steps=3000,
    )
