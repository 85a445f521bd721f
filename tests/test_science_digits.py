"""The acceptance figures on handwritten digits, over three seeds."""

import numpy as np
import pytest

from tests.science import SEEDS, DigitMeasures, digits_split, report, trained

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def measures():
    return DigitMeasures()


def test_the_measures_tell_digits_from_noise(measures):
    train, _ = digits_split("train")
    noise = np.random.default_rng(0).uniform(-1, 1, (2000, 64))
    between_real = measures.frechet(train)
    print(f"\ntraining against held-out images: {between_real:.3f}, noise: {measures.frechet(noise):.1f}")
    assert between_real < 0.3 and measures.covered(train) == 10
    assert measures.frechet(noise) > 10
    # Coverage alone would not do: the classifier finds most classes in noise too.
    assert measures.covered(train[:1].repeat(2000, axis=0)) == 1
    assert measures.judge.score(measures.held_out, measures.held_out_labels) > 0.97


@pytest.mark.parametrize(
    ("recipe", "distance", "classes"),
    [
        ("gan", 1.3, 10),
        ("gan_minimax", 1.3, 10),
        ("dcgan", 1.3, 10),
        ("lsgan", 2.0, 10),
        ("lsgan_mlp", 2.0, 10),
        ("lsgan_pearson", 4.5, 7),
        ("wgan", 4.0, 10),
        ("wgan_mlp", 4.0, 10),
        ("wgan_gp", 0.6, 10),
        ("wgan_gp_mlp", 0.6, 10),
        ("sngan", 0.9, 10),
        ("dragan", 0.9, 10),
        ("r3gan", 0.5, 10),
        ("aae", 1.3, 10),
        ("vae_gan", 1.3, 10),
    ],
)
def test_digits(recipe, distance, classes, measures):
    results = [measures.of_model(trained(recipe, seed)) for seed in SEEDS]
    distances, covered = zip(*results, strict=True)
    assert report(f"{recipe}: Fréchet distance", distances, f"at most {distance}") <= distance
    assert report(f"{recipe}: classes covered", covered, f"at least {classes}") >= classes
