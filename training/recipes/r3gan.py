"""R3GAN: keras-gans train r3gan"""

from ..recipe import Recipe, recipe


@recipe
def r3gan() -> "Recipe":
    adam = {"learning_rate": 1e-3}
    gamma = 1.0
    return Recipe(
        summary="pairs of real and generated samples, with R1 and R2, of dense layers",
        source="Huang et al. 2024",
        scheme={"name": "r3gan", "penalties": [{"name": "r1", "weight": gamma}, {"name": "r2", "weight": gamma}]},
        networks={
            "generator": {"name": "mlp_generator", "hidden_units": [128], "activation": "leaky_relu"},
            "discriminator": {"name": "mlp_discriminator", "hidden_units": [128]},
        },
        optimizers={"generator": adam, "discriminator": adam},
        steps=3000,
        steps_per_execution=25,
    )
