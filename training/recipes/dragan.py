"""DRAGAN: keras-gans train dragan"""

from ..recipe import Recipe, recipe


@recipe
def dragan() -> "Recipe":
    adam = {"learning_rate": 1e-3}
    return Recipe(
        summary="the original GAN with its slope held around the real samples, of dense layers",
        source="Kodali et al. 2017",
        scheme={"name": "dragan"},
        networks={
            "generator": {"name": "mlp_generator", "hidden_units": [128], "activation": "leaky_relu"},
            "discriminator": {"name": "mlp_discriminator", "hidden_units": [128]},
        },
        optimizers={"generator": adam, "discriminator": adam},
        steps=3000,
        steps_per_execution=25,
    )
