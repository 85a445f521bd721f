"""LSGAN.

keras-gans train lsgan
"""

from ..recipe import Recipe, recipe

_SOURCE = "Mao et al. 2017"
_ADAM = {"name": "adam", "learning_rate": 1e-3, "beta_1": 0.5}  # section 4


@recipe
def lsgan() -> "Recipe":
    """Digits by convolutions. Fréchet distance in 20 principal components of the digits 0.43 [0.40, 0.46], all ten
    classes; seeds 0 to 2. Some 70 seconds of one core.
    """
    adam = {**_ADAM, "learning_rate": 5e-4}
    return Recipe(
        summary="least squares instead of cross-entropy, convolutional",
        source=_SOURCE,
        scheme={"name": "lsgan", "targets": [0.0, 1.0, 1.0], "shared_fakes": True},  # equation 9
        networks={
            "generator": {"name": "dcgan_generator", "base_filters": 64},
            "discriminator": {"name": "dcgan_discriminator", "base_filters": 64, "normalization": "batch"},
        },
        optimizers={"generator": adam, "discriminator": adam},
        batch_size=64,
        steps=3000,
    )


@recipe
def lsgan_mlp() -> "Recipe":
    """Digits of dense layers. Fréchet distance in 20 principal components of the digits 0.61 [0.61, 0.82]; seeds 0 to
    2. Some 10 seconds of one core.
    """
    return Recipe(
        summary="LSGAN of dense layers, on the digits",
        source=_SOURCE,
        scheme={"name": "lsgan", "targets": [0.0, 1.0, 1.0]},  # equation 9
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
def lsgan_pearson() -> "Recipe":
    """The targets of Pearson's divergence, whose pull on the generator is weaker. Fréchet distance in 20 principal
    components of the digits 2.85 [2.25, 3.30], 7 [6, 8] of ten classes; seeds 0 to 2. Some 10 seconds of one core.
    """
    return lsgan_mlp().replace(
        summary="LSGAN with the targets that make it Pearson's chi-squared",
        scheme={"name": "lsgan", "targets": [-1.0, 1.0, 0.0]},  # equation 8
    )
