"""CUT: one direction, half the cost of a cycle.

keras-gans train cut
keras-gans train cut_resnet --data "photos/summer + photos/winter" --image-size 64
"""

from ..recipe import Recipe, recipe

_SOURCE = "Park et al. 2020"


@recipe
def cut() -> "Recipe":
    """Held-out digits keep their class in 0.839 [0.829, 0.854] of the cases, by a classifier that is right on 0.965 of
    real ones; no label is used in training; seeds 0 to 4. Some 90 seconds of one core.
    """
    adam = {"name": "adam", "learning_rate": 1e-3, "beta_1": 0.5}
    return Recipe(
        summary="digits to digits over photographs, patch by patch",
        source=_SOURCE,
        scheme={"name": "cut", "nce_weight": 1.0, "identity_nce_weight": 0.0, "patches": 64, "units": 64},
        networks={
            "a_to_b": {"name": "resnet_translator", "base_filters": 24, "blocks": 2, "halvings": 1},
            "discriminator_b": {"name": "patch_discriminator", "base_filters": 32},
        },
        optimizers={"generator": adam, "discriminator": adam},
        data="digits_over_photographs",
        # Originals and translations go through the same layers.
        channels=3,
        batch_size=16,
        steps=3000,
        learning_rate_schedule="linear",
        evaluate_every=1000,
    )


@recipe
def cut_resnet() -> "Recipe":
    """The paper's networks, half as wide; not measured over seeds."""
    adam = {"name": "adam", "learning_rate": 2e-4, "beta_1": 0.5}
    return cut().replace(
        summary="any two collections of images, one direction: a residual translator, patches contrasted",
        scheme={"name": "cut"},
        a_to_b={"name": "resnet_translator", "base_filters": 32, "blocks": 9},
        discriminator_b={"name": "patch_discriminator", "base_filters": 32},
        optimizers={"generator": adam, "discriminator": adam},
        data="digit_styles",
        channels=None,
        evaluate_every=None,
        batch_size=1,
        steps=20_000,
        picture_every=500,
    )
