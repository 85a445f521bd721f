"""DCGAN: arithmetic on latents, and whether one batch of fakes may serve both players."""

import numpy as np
import pytest
from sklearn.svm import SVC

import keras_gans as kg
from keras_gans.latent import arithmetic
from keras_gans.training import recipe as recipes
from tests.science import SEEDS, DigitMeasures, report, trained

pytestmark = pytest.mark.slow

POOL = 4000
DRAWS = 500
CLASSES = 4


def bordered_digits():
    """(uint8 images (720, 8, 8, 1), labels): each zero and one as it is, then again between two bright columns.

    A label is the digit plus 2 for the border.
    """
    splits = [kg.data.open_source("digits", split=split, labels=True) for split in ("train", "test")]
    images = np.concatenate([source.samples for source in splits])
    digits = np.concatenate([source.labels for source in splits])
    plain, digits = images[digits < 2], digits[digits < 2]
    bordered = plain.copy()
    bordered[:, :, [0, -1]] = 255
    return np.concatenate([plain, bordered]), np.concatenate([digits, digits + 2])


class LatentArithmetic:
    """Radford et al. (2016), section 6.3.2, with a judge instead of eyes.

    4,000 latents are decoded, with batch normalization in inference mode, and sorted by what a support vector
    classifier, fitted on the real images, calls their samples: these are the exemplars of a concept.
    """

    def __init__(self, model, judge):
        self.model = model
        self.judge = judge
        self.pool = arithmetic.draw_pool(model, POOL, seed=20_000)
        self.labels = self.judged(self.pool.samples)
        self.shares = np.bincount(self.labels, minlength=CLASSES) / POOL

    def judged(self, images):
        return self.judge.predict(images.reshape(len(images), -1) / 127.5 - 1.0)

    def success(self, exemplars, by_concept=True):
        """How often z(A, b1) - z(A, b0) + z(B, b0) is a (B, b1), over all four targets.

        Args:
            exemplars: whose latents are averaged for each of the three terms.
            by_concept: whether exemplars are what a term calls for, or, as a control, anything.
        """
        generator = np.random.default_rng(0)

        def concept(label):
            return arithmetic.rows_of_class(self.labels, label) if by_concept else np.arange(POOL)

        hits = []
        for target in range(CLASSES):
            digit, border = target % 2, target // 2
            other, without = 1 - digit, 1 - border
            plus, minus = [other + 2 * border, digit + 2 * without], [other + 2 * without]
            if not all(len(concept(label)) for label in [*plus, *minus]):
                hits.append(0.0)
                continue
            terms = [list(map(concept, labels)) for labels in (plus, minus)]
            latents = arithmetic.combine(self.pool.latents, *terms, exemplars, DRAWS, generator)
            hits.append((self.judged(kg.latent.decode_array(self.model, latents)) == target).mean())
        return float(np.mean(hits))


@pytest.fixture(scope="module")
def bordered():
    """A `LatentArithmetic` for each seed, of the dcgan recipe with half its filters and steps."""
    images, labels = bordered_digits()
    assert images.shape == (720, 8, 8, 1)
    flat = images.reshape(len(images), -1) / 127.5 - 1.0
    judge = SVC(gamma=0.02, C=10.0).fit(flat, labels)
    assert judge.score(flat, labels) > 0.99
    recipe = recipes.named("dcgan")
    changes = {
        "generator": {**recipe.networks["generator"], "base_filters": 32},
        "discriminator": {**recipe.networks["discriminator"], "base_filters": 32},
        "steps": 1500,
    }
    source = kg.data.open_source(images)
    return [LatentArithmetic(trained("dcgan", seed, data=source, **changes), judge) for seed in SEEDS]


def test_every_combination_is_generated(bordered):
    smallest = [one.shares.min() for one in bordered]
    for seed, one in zip(SEEDS, bordered, strict=True):
        print(f"\nbordered digits, seed {seed}: shares {np.round(one.shares, 3)}")
    assert report("bordered digits: smallest of four shares", smallest, "at least 0.12") >= 0.12


def test_arithmetic_averaged_latents(bordered):
    three = [one.success(3) for one in bordered]
    single = [one.success(1) for one in bordered]
    control = [one.success(3, by_concept=False) for one in bordered]
    averaged = report("latent arithmetic, 3 exemplars: success", three, "at least 0.45; chance is 0.25")
    unaveraged = report("latent arithmetic, 1 exemplar: success", single, "less than with 3")
    assert averaged >= 0.45
    assert averaged > unaveraged
    assert report("latent arithmetic, 3 exemplars of no concept: success", control, "at most 0.30") <= 0.30


@pytest.mark.parametrize("name", ["dcgan", "lsgan"])
def test_shared_fakes_do_no_harm(name):
    measures = DigitMeasures()
    recipe = recipes.named(name)
    medians = {}
    for shared in (False, True):
        scheme = {**recipe.scheme, "shared_fakes": shared}
        results = [measures.of_model(trained(name, seed, scheme=scheme)) for seed in SEEDS]
        distances, covered = zip(*results, strict=True)
        fakes = "shared" if shared else "fresh"
        medians[shared] = report(
            f"{name}, {fakes} fakes: Fréchet distance", distances, "shared at most 1.3 fresh + 0.1"
        )
        assert report(f"{name}, {fakes} fakes: classes covered", covered, "10") == 10
    assert medians[True] <= 1.3 * medians[False] + 0.1
