"""CycleGAN turns digits into digits of another style, and each stays the digit that it was: three seeds."""

import time

import numpy as np
import pytest
from sklearn.svm import SVC

import keras_gans as kg
from keras_gans.training import recipe as recipes
from keras_gans.training.train import build_for, open_data, to_dataset

SEEDS = (0, 1, 2)
# What the data set does to a digit of one style to make it one of the other.
TRUTH = {"A": lambda x: -0.8 * x - 0.2, "B": lambda x: -(x + 0.2) / 0.8}


def scaled(name):
    source = kg.data.open_source("digit_styles", split=name)
    return kg.pixels.from_uint8(source.samples).numpy(), source.labels


def judge_of(*splits):
    """A classifier of training images that the judged translations are not made from."""
    images, labels = zip(*map(scaled, splits), strict=True)
    return SVC(gamma=0.02, C=10).fit(np.concatenate(images).reshape(sum(map(len, labels)), -1), np.concatenate(labels))


def figures_of(seed, precision="float32", **scheme):
    recipe = recipes.named("cyclegan").replace(seed=seed, precision=precision)
    recipe = recipe.replace(scheme={**recipe.scheme, **scheme})
    started = time.process_time()
    source = open_data(recipe)
    model = build_for(recipe, source)
    model.fit(to_dataset(recipe, source), steps_per_epoch=recipe.steps, epochs=1, verbose=0)
    found = {"processor seconds": time.process_time() - started}
    for side, other in (("A", "B"), ("B", "A")):
        images, labels = scaled(f"test{side}")
        truth = TRUTH[side](images)
        there, back = (getattr(model, f"{one}_to_{two}".lower()) for one, two in ((side, other), (other, side)))
        translated = np.asarray(there(images, training=False))
        found[f"cycle {side}"] = np.abs(np.asarray(back(translated, training=False)) - images).mean()
        judge = judge_of(f"train{other}")
        found[f"labels {side}"] = judge.score(translated.reshape(len(images), -1), labels)
        found[f"judge {side}"] = judge.score(truth.reshape(len(images), -1), labels)
        found[f"truth {side}"] = np.abs(translated - truth).mean()
    return found


def medians(found):
    names = found[0]
    for name in names:
        values = [each[name] for each in found]
        print(f"{name}: {np.median(values):.3f} [{min(values):.3f}, {max(values):.3f}]")
    return {name: np.median([each[name] for each in found]) for name in names}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("norm", "cycle", "precision"), [("l1", 0.09, "float32"), ("l2", 0.11, "float32"), ("l1", 0.09, "bfloat16")]
)
def test_digits_survive_the_change_of_style(norm, cycle, precision):
    median = medians([figures_of(seed, precision, cycle_norm=norm) for seed in SEEDS])
    for side in "AB":
        assert median[f"cycle {side}"] <= cycle
        assert median[f"labels {side}"] >= 0.95
        assert median[f"truth {side}"] <= 0.08


@pytest.mark.slow
def test_an_identity_loss_forbids_the_inversion():
    """Where the domains differ by what it forbids, nothing is translated: the warning in the scheme's description."""
    assert figures_of(0, identity_weight=0.5)["labels A"] < 0.5
