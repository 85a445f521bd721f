"""PacGAN: the discriminator judges several samples at once, so that a generator that repeats itself is found out.

keras-gans train pacgan_ring
keras-gans train pacgan_grid
"""

from ..recipe import Recipe, recipe

_ADAM = {"name": "adam", "learning_rate": 1e-3, "beta_1": 0.5}


@recipe
def pacgan_ring():
    return Recipe(
        name="pacgan_ring",
        summary="eight narrow Gaussians, all of them found, by judging samples in pairs",
        source="Lin et al. 2018",
        scheme={"name": "gan", "generator_objective": "non_saturating"},
        generator={
            "name": "mlp_generator",
            "hidden_units": [128, 128, 128],
            "activation": "relu",
            "output_activation": None,
        },
        discriminator={
            "name": "mlp_discriminator",
            "hidden_units": [128, 128, 128],
            "packing": 2,  # section 3: the simplest member of the family
        },
        optimizers={"generator": _ADAM, "discriminator": _ADAM},
        # Towards the end small steps draw the samples onto the narrow modes.
        learning_rate_schedule="cosine",
        data="ring",
        latent_dim=2,
        batch_size=256,
        steps=6000,
    )


@recipe
def pacgan_grid():
    return pacgan_ring().replace(name="pacgan_grid", summary="twenty-five Gaussians, likewise", data="grid")
