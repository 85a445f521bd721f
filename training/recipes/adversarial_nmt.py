"""adversarial_nmt: sentences of one language in another.

keras-gans train adversarial_nmt
keras-gans train adversarial_nmt_transformer --data "train.en = train.de"
"""

from ..recipe import Recipe, recipe

_SOURCE = "Wu et al. 2017"


@recipe
def adversarial_nmt() -> "Recipe":
    """Not measured."""
    return Recipe(
        summary="numbers and dates in digits to words: a small Transformer, then a discriminator's reward",
        source=_SOURCE,
        scheme={
            "name": "adversarial_nmt",
            "vocabulary_size": 160,
            "likelihood_steps": 500,
            "warm_up_steps": 60,
            "adversarial_share": 0.5,
            "reward": "discriminator",
        },
        networks={
            "generator": {"name": "transformer_translator", "units": 64, "layer_count": 2},
            "discriminator": {"name": "pair_grid_discriminator", "length": 24},
        },
        optimizers={"generator": {"learning_rate": 2e-3}},
        data="numbers_and_dates",
        batch_size=64,
        steps=660,
        learning_rate_schedule="linear",
    )
