"""Autoencoders: what the adversarial ones are compared with.

keras-gans train autoencoder
keras-gans train autoencoder_denoising
"""

from ..recipe import Recipe, recipe

# The rate was found on the digits.
_ADAM = {"name": "adam", "learning_rate": 2e-3}


@recipe
def autoencoder() -> "Recipe":
    """Digits in eight numbers: squared error of held-out ones 0.0538 [0.0527, 0.0543]; seeds 0 to 2. Some 10 seconds of
    one core.
    """
    return Recipe(
        summary="an autoencoder of dense layers with a code of eight numbers",
        source="Hinton and Salakhutdinov 2006",
        scheme={"name": "autoencoder", "noise": 0.0},
        networks={
            "encoder": {"name": "mlp_encoder", "hidden_units": [128, 64], "activation": "relu"},
            "decoder": {"name": "mlp_generator", "hidden_units": [64, 128], "activation": "relu"},
        },
        optimizers={"autoencoder": _ADAM},
        batch_size=64,
        steps=3000,
        latent_dim=8,
        learning_rate_schedule="cosine",
        steps_per_execution=25,
    )


@recipe
def autoencoder_denoising() -> "Recipe":
    """Squared error of digits under noise of deviation 0.5: 0.076 [0.075, 0.077], of the plain one 0.114; seeds 0 to 2.
    Some 10 seconds of one core.
    """
    return autoencoder().replace(
        summary="an autoencoder that takes noise off its input",
        source="Vincent et al. 2008",
        scheme={"name": "autoencoder", "noise": 0.5},
    )


@recipe
def autoencoder_linear() -> "Recipe":
    """Squared error 0.0986 [0.0986, 0.0993]; eight principal components have 0.0980; seeds 0 to 2. Some 5 seconds of
    one core.
    """
    base = autoencoder()
    return base.replace(
        summary="an autoencoder without hidden layers, which finds the principal components",
        source="Baldi and Hornik 1989",
        encoder={**base.networks["encoder"], "hidden_units": []},
        decoder={**base.networks["decoder"], "hidden_units": [], "output_activation": None},
        optimizers={"autoencoder": {**_ADAM, "learning_rate": 1e-2}},
    )
