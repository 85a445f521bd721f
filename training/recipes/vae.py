"""The variational autoencoder: what the adversarial one and VAE/GAN are compared with.

keras-gans train vae
"""

from ..recipe import Recipe, recipe


@recipe
def vae() -> "Recipe":
    """FID of samples by the digits' classifier 6.27 [6.16, 6.56], squared error 0.0317 [0.0315, 0.0324]; seeds 0 to 2.
    Some 10 seconds of one core.
    """
    return Recipe(
        summary="a variational autoencoder of dense layers, judged by its pixels",
        source="Kingma and Welling 2014",
        # About the mean squared error that it reaches on the digits, and what `vae_gan` has.
        scheme={"name": "vae", "prior_weight": 0.05},
        networks={
            "encoder": {
                "name": "mlp_encoder",
                "hidden_units": [128, 64],
                "activation": "relu",
                "posterior": "gaussian",
            },
            "decoder": {"name": "mlp_generator", "hidden_units": [64, 128], "activation": "relu"},
        },
        optimizers={"autoencoder": {"name": "adam", "learning_rate": 2e-3}},  # found on the digits
        batch_size=64,
        steps=3000,
        latent_dim=16,
        learning_rate_schedule="cosine",
        steps_per_execution=25,
    )
