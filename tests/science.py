"""How the science figures are measured: the protocol that docs/measured.md states."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.svm import SVC

import keras_gans as kg
from keras_gans.training import recipe as recipes
from keras_gans.training.train import build_for, open_data, to_dataset

SEEDS = (0, 1, 2)
SAMPLES = 2000


def report(name, values, limit):
    """Prints a figure's median, range and values, and returns the median."""
    values = np.asarray(values, float)
    listed = ", ".join(f"{value:.4g}" for value in values)
    print(f"\n{name}: median {np.median(values):.4g} [{values.min():.4g}, {values.max():.4g}] of {listed}; {limit}")
    return float(np.median(values))


def trained(name, seed, data=None, callbacks=None, **changes):
    """A model trained by a recipe to its last step.

    Args:
        name: of the recipe.
        seed: of weights, data order and latents.
        data: a `kg.data.Source` to train on; the recipe's own unless given.
        callbacks: for `fit`.
        **changes: recipe fields to change.
    """
    recipe = recipes.named(name).replace(seed=seed, **changes)
    source = data or open_data(recipe)
    model = build_for(recipe, source)
    model.fit(to_dataset(recipe, source), steps_per_epoch=recipe.steps, epochs=1, verbose=0, callbacks=callbacks)
    return model


def digits_split(split):
    """(flat float images (count, 64) in [-1, 1], labels)."""
    source = kg.data.open_source("digits", split=split, labels=True)
    return source.samples.reshape(len(source), -1) / 127.5 - 1.0, np.asarray(source.labels)


class DigitMeasures:
    """The measures of 8x8 digits.

    The Fréchet distance is taken in the first 20 principal coordinates of the 1,297 training images, between 2,000
    samples and the 500 held-out images. A class counts as covered if a support vector classifier, fitted on the real
    training images, finds at least 2 % of the samples in it.
    """

    def __init__(self):
        train, labels = digits_split("train")
        self.held_out, self.held_out_labels = digits_split("test")
        self.projection = PCA(20, random_state=0).fit(train)
        self.judge = SVC(gamma=0.02, C=10.0).fit(train, labels)

    def frechet(self, flat):
        return kg.metrics.frechet_distance(self.projection.transform(flat), self.projection.transform(self.held_out))

    def covered(self, flat):
        shares = np.bincount(self.judge.predict(flat), minlength=10) / len(flat)
        return int((shares >= 0.02).sum())

    def of_model(self, model):
        """(Fréchet distance, classes covered) of a model's samples."""
        flat = model.sample(SAMPLES, seed=10_000).reshape(SAMPLES, -1) / 127.5 - 1.0
        return self.frechet(flat), self.covered(flat)
