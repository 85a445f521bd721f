"""What adversarial translation reaches on numbers and dates, over three seeds."""

import numpy as np
import pytest

import keras_gans as kg
from keras_gans.fields import Texts
from keras_gans.schemes.adversarial_nmt import ADVERSARIAL
from keras_gans.training.recipe import named
from keras_gans.training.train import build_for, open_data, to_dataset

SEEDS = (0, 1, 2)
SIDES = {"source": (Texts,), "target": (Texts,)}


def exact_match(model):
    rows = kg.data.open_source("numbers_and_dates", split="test").rows_for(SIDES)
    return np.mean([one == other for one, other in zip(model.translate(rows["source"]), rows["target"], strict=True)])


@pytest.fixture(scope="module")
def figures():
    """{seed: (exact matches after maximum likelihood, and at the end)}."""
    found = {}
    for seed in SEEDS:
        recipe = named("adversarial_nmt").replace(seed=seed)
        source = open_data(recipe)
        model = build_for(recipe, source)
        ends = [model.likelihood_steps + model.warm_up_steps, recipe.steps]
        matches = []
        for end in ends:
            rows = to_dataset(recipe, source, skip_batches=model.steps_taken)
            model.fit(rows, steps_per_epoch=end - model.steps_taken, verbose=0)
            matches.append(exact_match(model))
        assert model.phase.name == ADVERSARIAL
        found[seed] = matches
        print(f"seed {seed}: {matches[0]:.4f} after maximum likelihood, {matches[1]:.4f} at the end")
    return found


@pytest.mark.slow
def test_maximum_likelihood_learns_numbers_and_dates(figures):
    assert np.median([first for first, _ in figures.values()]) >= 0.98


@pytest.mark.slow
def test_the_adversarial_phase_loses_nothing(figures):
    assert all(last >= first - 0.01 for first, last in figures.values())
