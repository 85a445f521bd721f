"""The semi-supervised GAN: a classifier from a few labels.

keras-gans train sgan
keras-gans train sgan --labels-per-class 1
keras-gans train sgan_mnist
keras-gans train sgan_mnist_mlp
"""

from ..recipe import Recipe, recipe

_ADAM = {"name": "adam", "learning_rate": 1e-3, "beta_1": 0.5}  # beta_1: the authors' code


@recipe
def sgan() -> "Recipe":
    """A hundred labels of 1,000 digits: 0.947 [0.929, 0.966] of those held out are right, 0.898 on the labels alone;
    seeds 0 to 4. Some 30 seconds of one core.
    """
    return Recipe(
        summary="a classifier from ten labels a class, with feature matching",
        source="Salimans et al. 2016",
        scheme={"name": "sgan", "objective": "salimans", "generator_objective": "feature_matching"},
        networks={
            "generator": {"name": "mlp_generator", "hidden_units": [256, 256], "normalization": "batch"},
            "discriminator": {
                "name": "mlp_discriminator",
                "hidden_units": [256, 128],
                "input_noise": 0.3,  # the authors' code for MNIST, as is the next
                "hidden_noise": 0.5,
                "head": "classes",
            },
        },
        optimizers={"generator": _ADAM, "discriminator": _ADAM},
        batch_size=128,
        steps=2000,
        latent_dim=50,
        labels_per_class=10,
        learning_rate_schedule="linear",
        steps_per_execution=25,
    )


@recipe
def sgan_odena() -> "Recipe":
    """A hundred labels of 1,000 digits: 0.946 [0.895, 0.969] right, 0.896 on the labels alone; seeds 0 to 4. Some 25
    seconds of one core.
    """
    base = sgan()
    return base.replace(
        summary="a classifier from ten labels a class, with K + 1 learned logits",
        source="Odena 2016",
        scheme={"name": "sgan", "objective": "odena", "generator_objective": "adversarial"},
        discriminator={**base.networks["discriminator"], "head": "classes_and_fake"},
    )


@recipe
def sgan_mnist() -> "Recipe":
    """A hundred labels of MNIST: 0.974 [0.971, 0.985] right, 0.944 on the labels alone with moved images; seeds 0 to 4.
    Some 6 minutes of one core.
    """
    base = sgan()
    return base.replace(
        summary="MNIST from ten labels a class: convolutions that agree with themselves about moved images",
        source="Salimans et al. 2016; Laine and Aila 2016",
        scheme={**base.scheme, "consistency_weight": 10.0},
        generator={**base.networks["generator"], "hidden_units": [500, 500]},
        discriminator={
            "name": "dcgan_discriminator",
            "base_filters": 32,
            "dropout": 0.1,
            # Two pixels of 28. Ranges two thirds larger were worse.
            "augmentation": {"rotation": 15, "zoom": 0.15, "shear": 0.2, "translation": 0.07},
            "head": "classes",
        },
        data="mnist",
        batch_size=100,
        latent_dim=100,
        ema=0.998,  # the authors' code tests with averaged weights too
        steps=2500,
        steps_per_execution=1,
    )


@recipe
def sgan_mnist_mlp() -> "Recipe":
    """The authors' own networks, of images that are not moved. A hundred labels of MNIST: 0.882 [0.869, 0.912] right,
    0.765 by all but the GAN; seeds 0 to 4. The authors train 45 times as long. Some 3 minutes of one core.
    """
    base = sgan_mnist()
    small = sgan()
    return base.replace(
        summary="MNIST from ten labels a class, with the authors' own networks",
        source=small.source,
        scheme=small.scheme,
        discriminator={
            **small.networks["discriminator"],
            "hidden_units": [1000, 500, 250, 250, 250],
            "normalization": "weight",
            "silent_black": True,
        },
        optimizers={player: {**_ADAM, "learning_rate": 3e-3} for player in base.optimizers},
        steps=4000,
        steps_per_execution=25,
    )
