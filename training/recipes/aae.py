"""The adversarial autoencoder.

keras-gans train aae
keras-gans train aae --set encoder.posterior=gaussian
keras-gans train aae_swiss_roll
keras-gans train aae_labelled
"""

from ..recipe import Recipe, recipe

# Found on the digits; the paper's SGD needs a schedule for each data set. An encoder that is pushed harder towards the
# prior reconstructs worse.
_RATES = {"autoencoder": 2e-3, "discriminator": 1e-3, "generator": 5e-4}


@recipe
def aae():
    return Recipe(
        name="aae",
        summary="an autoencoder whose codes a discriminator makes normal; of dense layers",
        source="Makhzani et al. 2015",
        scheme={"name": "aae", "latent_prior": "normal"},
        encoder={
            "name": "mlp_encoder",
            "hidden_units": [128, 64],
            "activation": "relu",
            "posterior": "deterministic",  # section 5: it does as well as the others
        },
        decoder={"name": "mlp_generator", "hidden_units": [64, 128], "activation": "relu"},
        discriminator={"name": "mlp_discriminator", "hidden_units": [64, 64], "activation": "leaky_relu"},
        optimizers={player: {"name": "adam", "learning_rate": rate, "beta_1": 0.5} for player, rate in _RATES.items()},
        batch_size=64,
        steps=3000,
        latent_dim=8,
        learning_rate_schedule="cosine",
    )


@recipe
def aae_mixture():
    return aae().replace(
        name="aae_mixture",
        summary="an adversarial autoencoder whose codes are ten petals of the plane",
        scheme={"name": "aae", "latent_prior": "gaussian_mixture"},  # figure 3
        latent_dim=2,
    )


@recipe
def aae_swiss_roll():
    return aae_mixture().replace(
        name="aae_swiss_roll",
        summary="an adversarial autoencoder whose codes lie on a spiral",
        scheme={"name": "aae", "latent_prior": "swiss_roll"},  # figure 3
    )


@recipe
def aae_labelled():
    base = aae_mixture()
    return base.replace(
        name="aae_labelled",
        summary="an adversarial autoencoder with a petal of the plane for each class",
        scheme={"name": "label_informed_aae", "latent_prior": "gaussian_mixture"},  # figure 4
        discriminator={**base.discriminator, "hidden_units": [128, 128], "conditioning": "concat"},
        # To part the classes in the plane takes more of the adversary than to shape all codes together.
        optimizers={
            "autoencoder": base.optimizers["autoencoder"],
            "discriminator": {**base.optimizers["discriminator"], "learning_rate": 4e-3},
            "generator": {**base.optimizers["generator"], "learning_rate": 2e-3},
        },
    )
