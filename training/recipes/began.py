"""BEGAN: a balance of two players, whose convergence measure falls as the samples improve.

keras-gans train began
keras-gans train began --set scheme.gamma=0.3
keras-gans train began_mnist
"""

from ..recipe import Recipe, recipe

# beta_1 as in the best-known public code; the rate was found on the digits.
_ADAM = {"name": "adam", "learning_rate": 5e-4, "beta_1": 0.5}


@recipe
def began() -> "Recipe":
    """All ten digits on each of seeds 0 to 4, the rarest 2.4 % of 5,000 samples; Frechet distance by the digits'
    classifier 5.6 [5.1, 6.2]. Some 10 seconds of one core.
    """
    return Recipe(
        summary="an autoencoding discriminator, balanced by a controller; of dense layers",
        source="Berthelot et al. 2017",
        # lambda_k: ten times the paper's 0.001, for a run of 5,000 steps. At 0.5, the paper's gamma, few kinds appear.
        scheme={"name": "began", "gamma": 0.9, "lambda_k": 0.01},
        # Section 3.5: ELU, no tanh at the end. Where the paper's players are alike, here the autoencoder is the weaker
        # one: what it reconstructs badly tells the generator of kinds that it lacks.
        networks={
            "generator": {
                "name": "mlp_generator",
                "hidden_units": [256, 256],
                "activation": "elu",
                "output_activation": None,
            },
            "discriminator": {"name": "mlp_autoencoder", "hidden_units": [32], "activation": "elu"},
        },
        optimizers={"generator": _ADAM, "discriminator": _ADAM},
        batch_size=64,
        steps=5000,
        latent_dim=16,
        learning_rate_schedule="halving",  # section 4.1 halves when the convergence measure stalls
        steps_per_execution=25,
    )


@recipe
def began_mnist() -> "Recipe":
    """All ten digits of MNIST on each of seeds 0 to 4, the rarest 1.3 % of 2,000 samples or more; Fréchet distance by
    MNIST's classifier 8.9 [8.3, 10.1], coverage 0.47. Two minutes of one core.
    """
    base = began()
    generator = {**base.networks["generator"], "normalization": "batch", "output_activation": "tanh"}
    return base.replace(
        summary="BEGAN on MNIST, of dense layers",
        # Section 3.4's rate of k: at ten times it one seed of five drew a single picture.
        scheme={**base.scheme, "lambda_k": 0.001},
        # Without batch normalization the generator draws one digit alone. The paper's falling rates come too early for
        # it: kinds keep joining while it trains.
        networks={**base.networks, "generator": generator},
        data="mnist",
        latent_dim=64,
        learning_rate_schedule="constant",
        steps=40_000,
    )


@recipe
def began_conv() -> "Recipe":
    """The paper's networks, small; not measured over seeds. Some 75 seconds of one core."""
    base = began()
    return base.replace(
        summary="BEGAN of convolutional networks",
        # At 0.5, or at five times this rate, all samples became one.
        scheme={**base.scheme, "gamma": 0.7},
        optimizers={player: {**_ADAM, "learning_rate": 1e-4} for player in base.optimizers},  # section 4.1
        generator={"name": "began_generator", "base_filters": 16, "upsampling": "nearest"},  # figure 1
        discriminator={"name": "began_autoencoder", "base_filters": 16, "upsampling": "nearest"},
        batch_size=16,  # section 4.1
        steps=3000,
        latent_dim=32,
        steps_per_execution=1,
    )
