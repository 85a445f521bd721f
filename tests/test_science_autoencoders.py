"""Autoencoders on handwritten digits, over three seeds: how near reconstructions of held-out digits come."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from tests.science import SEEDS, digits_split, report, trained

pytestmark = pytest.mark.slow


def held_out():
    """The 500 held-out digits, float32 (500, 8, 8, 1) in [-1, 1]."""
    return digits_split("test")[0].reshape(-1, 8, 8, 1).astype("float32")


def reconstruction_error(model, images=None):
    """Mean squared error a pixel of the held-out digits; `images` are what is encoded, those digits unless given."""
    clean = held_out()
    return float(np.square(model.reconstruct(clean if images is None else images) - clean).mean())


def principal_components_error(components):
    train, test = digits_split("train")[0], digits_split("test")[0]
    projection = PCA(components, random_state=0).fit(train)
    return float(np.square(projection.inverse_transform(projection.transform(test)) - test).mean())


def test_a_linear_autoencoder_is_as_good_as_eight_principal_components():
    bound = 1.04 * principal_components_error(8)
    errors = [reconstruction_error(trained("autoencoder_linear", seed)) for seed in SEEDS]
    assert report("autoencoder_linear: squared error", errors, f"at most {bound:.4f}, 4 % above PCA's") <= bound


def test_an_autoencoder_is_better_than_any_linear_one():
    errors = [reconstruction_error(trained("autoencoder", seed)) for seed in SEEDS]
    print(f"the mean image: {np.square(digits_split('train')[0].mean(axis=0) - digits_split('test')[0]).mean():.3f}")
    assert report("autoencoder: squared error", errors, "at most 0.060") <= 0.060


def test_a_denoising_autoencoder_removes_noise_that_a_plain_one_keeps():
    noise = 0.5 * np.random.default_rng(0).standard_normal(held_out().shape)
    # Clipped, as a stored picture would be.
    noisy = np.clip(held_out() + noise, -1.0, 1.0).astype("float32")
    plain, denoising = (
        [reconstruction_error(trained(name, seed), noisy) for seed in SEEDS]
        for name in ("autoencoder", "autoencoder_denoising")
    )
    plain = report("autoencoder, of noisy digits", plain, "for comparison")
    assert report("autoencoder_denoising, of noisy digits", denoising, "at most 0.8 of that") <= 0.8 * plain
