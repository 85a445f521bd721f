"""What comes after maximum likelihood on numbers and dates, over three seeds."""

import numpy as np
import pytest

from benchmarks.after_likelihood import CONTROL, WAYS, beginning, gone_on
from keras_gans.metrics import evaluation_of
from keras_gans.training.build import scheme_of
from keras_gans.training.recipe import named
from keras_gans.training.train import open_data

SEEDS = (0, 1, 2)
UPDATES = 100


@pytest.fixture(scope="module")
def figures():
    """{seed: {way: exact matches}}, "before" being those of maximum likelihood."""
    recipe = named("adversarial_nmt")
    source = open_data(recipe)
    evaluation = evaluation_of(scheme_of(recipe), source, ["exact_match"])
    sources, _ = evaluation.held_out

    def matches(model):
        return evaluation.of_texts(model.translate(sources))["exact_match"][0]

    found = {}
    for seed in SEEDS:
        chosen = recipe.replace(seed=seed)
        begun = beginning(chosen, source)
        found[seed] = {"before": matches(begun)}
        for way in (CONTROL, "minimum_risk", "adversarial"):
            found[seed][way] = matches(gone_on(chosen, source, begun, way, UPDATES))
        print(f"seed {seed}: " + ", ".join(f"{way} {value:.4f}" for way, value in found[seed].items()))
    return found


@pytest.mark.slow
def test_maximum_likelihood_learns_numbers_and_dates(figures):
    assert np.median([each["before"] for each in figures.values()]) >= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("way", [way for way in WAYS if way in ("minimum_risk", "adversarial")])
def test_what_comes_after_loses_nothing(figures, way):
    assert all(each[way] >= each["before"] - 0.01 for each in figures.values())
