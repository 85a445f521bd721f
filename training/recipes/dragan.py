"""keras-gans train dragan"""

from ..recipe import Recipe, recipe


@recipe
def dragan() -> Recipe:
    """Digits of dense layers. Fréchet distance in 20 principal components of the digits 0.56 [0.52, 0.57], all ten
    classes; seeds 0 to 2, on which its settings were chosen; 0.57 [0.51, 0.72] on seeds 10 to 12. Some 10 seconds of
    one core.
    """
    mlp = {"hidden_units": [128], "activation": "leaky_relu"}
    return Recipe(
        summary="the original GAN with its slope held around the real samples, of dense layers",
        source="Kodali et al. 2017",
        scheme={"name": "dragan"},
        networks={"generator": {"name": "mlp_generator", **mlp}, "discriminator": {"name": "mlp_discriminator", **mlp}},
        optimizers={player: {"learning_rate": 1e-3} for player in ("generator", "discriminator")},
        steps_per_execution=25,
    )
