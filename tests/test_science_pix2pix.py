"""pix2pix is sharp where the same network, trained by regression alone, blurs: three seeds."""

import numpy as np
import pytest

from keras_gans.metrics import evaluation_of
from keras_gans.training import recipe as recipes
from keras_gans.training.build import scheme_of
from keras_gans.training.train import build_for, open_data, to_dataset

SEEDS = (0, 1, 2)


def figures_of(seed, **scheme):
    recipe = recipes.named("pix2pix").replace(seed=seed)
    recipe = recipe.replace(scheme={**recipe.scheme, **scheme})
    source = open_data(recipe)
    model = build_for(recipe, source)
    model.fit(to_dataset(recipe, source), steps_per_epoch=recipe.steps, epochs=1, verbose=0)
    scores = evaluation_of(scheme_of(recipe), source).of(model)
    return {score.name.removesuffix("_a_to_b"): score.value for score in scores}


def over_seeds(**scheme):
    found = [figures_of(seed, **scheme) for seed in SEEDS]
    for key in found[0]:
        values = [each[key] for each in found]
        print(f"{scheme} {key}: {np.median(values):.4f} [{min(values):.4f}, {max(values):.4f}]", flush=True)
    return {key: [each[key] for each in found] for key in found[0]}


@pytest.mark.slow
def test_the_discriminator_asks_for_what_regression_blurs():
    whole, regression = over_seeds(), over_seeds(adversarial_weight=0.0)
    assert min(whole["classes_kept"]) >= 0.9
    # Regression has the smaller error, and the distance and the sharpness that come with it.
    assert np.median(regression["error"]) < np.median(whole["error"])
    assert all(abs(sharp - 1.0) < 0.06 for sharp in whole["sharpness"])
    assert max(whole["frechet_distance"]) < min(regression["frechet_distance"])
    assert max(whole["sliced_wasserstein_distance"]) < min(regression["sliced_wasserstein_distance"])
