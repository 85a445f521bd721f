"""adversarial_nmt: sentences of one language in another.

keras-gans train adversarial_nmt
keras-gans train adversarial_nmt_rnn --data "train.en = train.de"
"""

from ..recipe import Recipe, recipe

_SOURCE = "Wu et al. 2017"


@recipe
def adversarial_nmt() -> "Recipe":
    """Of 600 held-out texts 0.995 [0.993, 0.997] are translated exactly, greedily, after the 500 steps of maximum
    likelihood, 20 seconds of one core; seeds 0 to 2. After the last phase it is 0.997 [0.995, 0.998], as after as much
    maximum likelihood: the discriminator finds nothing there.
    """
    return Recipe(
        summary="numbers and dates in digits to words: a small Transformer, then a discriminator's reward",
        source=_SOURCE,
        scheme={
            "name": "adversarial_nmt",
            "likelihood_steps": 500,
            "warm_up_steps": 60,
            "adversarial_share": 0.5,
            "reward": "discriminator",
        },
        networks={
            "generator": {"name": "transformer_translator", "units": 64, "layer_count": 2},
            "discriminator": {"name": "pair_grid_discriminator", "length": 24, "embedding_units": None},
        },
        optimizers={"generator": {"learning_rate": 2e-3}},
        tokenizer={"vocabulary_size": 160},
        data="numbers_and_dates",
        batch_size=64,
        steps=660,
        learning_rate_schedule="linear",
    )


@recipe
def adversarial_nmt_multi30k() -> "Recipe":
    """BLEU 36.4, 35.9 and 35.3 on the 1,000 test sentences of 2016, greedily, seeds 0 to 2, after the 4,000 steps of
    maximum likelihood, 20 minutes of one core, and not converged: 12,000 steps and dropout 0.2 had 39.0 on seed 0. The
    discriminator is right about 0.70 to 0.74 of the pairs after its 1,200 steps, 6 minutes. The last phase gains
    nothing: less as much maximum likelihood BLEU is -0.12, -0.68 and -0.09, of which the second is beyond chance.
    """
    return Recipe(
        summary="captions of Multi30k, English to German: a Transformer of 4 layers, then a discriminator's reward",
        source=_SOURCE,
        scheme={
            "name": "adversarial_nmt",
            "likelihood_steps": 4000,
            "warm_up_steps": 1200,
            "adversarial_share": 0.5,  # section 3.3
            "reward": "discriminator",
            "label_smoothing": 0.1,
        },
        networks={
            # The shape of fairseq's transformer_tiny.
            "generator": {
                "name": "transformer_translator",
                "units": 128,
                "layer_count": 4,
                "heads": 4,
                "feed_forward_units": 256,
                "dropout": 0.1,
                "tied": True,
            },
            "discriminator": {"name": "pair_grid_discriminator", "length": 40, "embedding_units": None},
        },
        optimizers={"generator": {"learning_rate": 2e-3}, "discriminator": {"learning_rate": 3e-3}},
        tokenizer={"vocabulary_size": 4000},
        data="multi30k/{split}.en.gz = multi30k/{split}.de.gz",
        batch_tokens=2048,
        steps=5600,
        learning_rate_schedule="linear",
        log_every=50,
        picture_every=500,
        checkpoint_every=500,
    )


@recipe
def adversarial_nmt_rnn() -> "Recipe":
    """The paper's sort of networks and its order of phases, a quarter as wide; not measured."""
    return Recipe(
        summary="any two files that belong together line by line: RNN-search, then a discriminator's reward",
        source=_SOURCE,
        scheme={
            "name": "adversarial_nmt",
            "likelihood_steps": 20_000,
            "warm_up_steps": 1000,
            "adversarial_share": 0.5,  # section 3.3
            "label_smoothing": 0.1,
        },
        networks={
            "generator": {"name": "rnn_search", "units": 256, "embedding_units": 256, "dropout": 0.3},
            "discriminator": {
                "name": "pair_grid_discriminator",
                "length": 50,
                "embedding_units": None,
            },  # section 4.1: 50 words
        },
        optimizers={"generator": {"learning_rate": 1e-3}},
        tokenizer={"vocabulary_size": 8000},  # section 4.1: 30,000 words
        data="{split}.en = {split}.de",
        batch_size=64,
        steps=30_000,
        learning_rate_schedule="linear",
        log_every=100,
        picture_every=1000,
        checkpoint_every=1000,
    )
