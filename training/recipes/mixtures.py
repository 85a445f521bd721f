"""Gaussian mixtures, all of whose modes are to be found: a penalty on real gradients, or a discriminator of pairs.

keras-gans train r1_ring
keras-gans train r1_grid
keras-gans train pacgan_ring
"""

from ..recipe import Recipe, recipe

_POINTS = {"name": "mlp_generator", "activation": "relu", "output_activation": None}


@recipe
def r1_grid() -> "Recipe":
    """All 25 modes, 92.7 % [91.6, 93.6] of the points within three sigma of one; seeds 0 to 4. Some 2 minutes of one
    core.
    """
    # The short memory of beta_2 lets the generator's steps grow again where the gradients have become small.
    adam = {"name": "adam", "learning_rate": 1e-3, "beta_1": 0.5, "beta_2": 0.9}
    return Recipe(
        summary="twenty-five Gaussians, all of them found, by a penalty on real gradients",
        source="Mescheder et al. 2018",
        scheme={
            "name": "gan",
            "generator_objective": "non_saturating",
            "real_gradient_penalty_weight": 0.01,  # more finds the modes sooner, less makes them narrower
            "latent_prior": "uniform",  # a square can be cut into modes without thin tails
        },
        # Deep and wide, so that it can jump from one mode to the next.
        networks={
            "generator": {**_POINTS, "hidden_units": [256, 256, 256, 256]},
            "discriminator": {"name": "mlp_discriminator", "hidden_units": [256, 256, 256]},
        },
        optimizers={"generator": adam, "discriminator": adam},
        # Towards the end small steps draw the samples onto the narrow modes.
        learning_rate_schedule="cosine",
        data="grid",
        latent_dim=2,
        batch_size=256,
        steps=8000,
        steps_per_execution=25,
    )


@recipe
def r1_ring() -> "Recipe":
    """All 8 modes, 97.4 % [96.4, 98.6] of the points within three sigma of one, of 0.75 [0.51, 1.08] of the true width;
    seeds 0 to 9. Some 95 seconds of one core.
    """
    summary = "eight narrow Gaussians, likewise"
    return r1_grid().replace(summary=summary, data="ring", steps=6000)


@recipe
def pacgan_ring() -> "Recipe":
    """All 8 modes, 95 % of the points within three sigma of one; one seed. Some 30 seconds of one core."""
    adam = {"name": "adam", "learning_rate": 1e-3, "beta_1": 0.5}
    return Recipe(
        summary="eight narrow Gaussians, all of them found, by judging samples in pairs",
        source="Lin et al. 2018",
        scheme={"name": "gan", "generator_objective": "non_saturating"},
        networks={
            "generator": {**_POINTS, "hidden_units": [128, 128, 128]},
            "discriminator": {
                "name": "mlp_discriminator",
                "hidden_units": [128, 128, 128],
                "packing": 2,  # section 3: the simplest member of the family
            },
        },
        optimizers={"generator": adam, "discriminator": adam},
        learning_rate_schedule="cosine",
        data="ring",
        latent_dim=2,
        batch_size=256,
        steps=6000,
        steps_per_execution=25,
    )
