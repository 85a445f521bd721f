"""What the semi-supervised adversarial autoencoder promises: unlabelled images help, and a code names its class.

The protocol on the digits is that of the semi-supervised GAN in `test_science_labels`.
"""

import numpy as np
import pytest

import keras_gans as kg
from keras_gans.training import recipe as recipes
from tests.science import SEEDS, DigitMeasures, report, trained
from tests.test_science_labels import (
    from_labels_alone,
    mnist,
    report_gains,
    shuffled_digits,
    trained_on,
    without_the_gan,
)

pytestmark = pytest.mark.slow

BASELINE_STEPS = 1000


def figures(recipe, source, held_out):
    """Accuracy on held-out images at the end: (the scheme's, all but the adversaries', the same encoder's on the labels
    alone).
    """
    scaled = kg.pixels.from_uint8(held_out.samples).numpy()
    models = trained_on(recipe, source), trained_on(without_the_gan(recipe), source)
    alone = from_labels_alone(recipe, source, BASELINE_STEPS, role="encoder").predict(scaled, verbose=0)
    answers = (*(model.classify(scaled) for model in models), alone)
    return [(answer.argmax(axis=1) == held_out.labels).mean() for answer in answers]


@pytest.mark.parametrize("labels_per_class", [1, 2.5, 10])
def test_unlabelled_digits_help_the_classifier(labels_per_class):
    found = []
    for seed in range(5):
        source, held_out = shuffled_digits(seed)
        recipe = recipes.named("semi_supervised_aae").replace(seed=seed, labels_per_class=labels_per_class)
        found.append(figures(recipe, source, held_out))
    ours, _, gains = report_gains(f"semi_supervised_aae, {10 * labels_per_class:g} labels", found)
    if labels_per_class == 10:
        assert np.mean(gains) >= 0.020 and np.median(ours) >= 0.94


def test_the_decoded_digit_is_mostly_of_the_class_that_its_code_names():
    judge, agreement = DigitMeasures().judge, []
    for seed in SEEDS:
        source, _ = shuffled_digits(seed)
        model = trained("semi_supervised_aae", seed, data=source)
        # Figure 7 of the paper: one style a row, one class a column.
        styles = np.random.default_rng(0).standard_normal((100, 1, model.latent_dim - 10)).repeat(10, axis=1)
        classes = np.broadcast_to(np.eye(10), (100, 10, 10))
        drawn = model.decode(np.concatenate([classes, styles], axis=-1).reshape(1000, -1)).reshape(1000, -1)
        agreement.append((judge.predict(drawn) == np.tile(np.arange(10), 100)).mean())
    assert report("semi_supervised_aae: decoded digits of the class asked for", agreement, "at least 0.60") >= 0.60


@pytest.mark.parametrize(("labels_per_class", "gain"), [(10, 0.005), (100, 0.001)])
def test_unlabelled_images_of_mnist_help_the_classifier(labels_per_class, gain):
    source, held_out, found = mnist("train"), mnist("test"), []
    for seed in SEEDS:
        recipe = recipes.named("semi_supervised_aae_mnist").replace(seed=seed, labels_per_class=labels_per_class)
        found.append(figures(recipe, source, held_out))
    gains = report_gains(f"semi_supervised_aae_mnist, {10 * labels_per_class} labels", found)[2]
    assert np.mean(gains) >= gain
