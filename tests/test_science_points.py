"""The acceptance figures on Gaussians, where the truth is known."""

import keras
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.training.theory.playing import Setting, shifted_critic
from tests.science import SEEDS, report, trained
from tests.test_theory import assert_medians_hold

pytestmark = pytest.mark.slow


def test_wgans_estimate_is_the_distance_times_the_critics_slope():
    raw = []
    for shift in (1.0, 2.0, 4.0):
        ratios, estimates = [], []
        for seed in SEEDS:
            rmsprop = keras.optimizers.RMSprop(5e-4)
            model, estimate, slope = shifted_critic(kg.schemes.WGAN, shift, Setting(seed), rmsprop, clip=0.01)
            ratios.append(estimate / slope)
            estimates.append(estimate)
            entries = np.concatenate([np.abs(v).ravel() for v in model.discriminator.trainable_variables])
            assert entries.max() <= 0.01 + 1e-9
            assert (entries > 0.0099).mean() >= 0.9, "the critic does not use the constraint"
        assert report(f"wgan, shift {shift:g}: estimate / slope", ratios, "within 10 %") == pytest.approx(
            shift, rel=0.1
        )
        raw.append(report(f"wgan, shift {shift:g}: estimate", estimates, "rising with the shift"))
    assert raw[0] < raw[1] < raw[2]


@pytest.mark.parametrize("name", ["wasserstein_critic", "frozen_discriminator", "slow_discriminator"])
def test_what_is_trained_meets_the_theory(name):
    assert_medians_hold(name)


@pytest.mark.parametrize(("name", "modes"), [("r1_ring", 8), ("r1_grid", 25)])
def test_the_default_recipes_for_mixtures_find_every_mode_on_every_seed(name, modes):
    centres, sigma = {
        "r1_ring": (kg.data.ring_centres(), kg.data.RING_SIGMAS["narrow"]),
        "r1_grid": (kg.data.grid_centres(), kg.data.GRID_SIGMA),
    }[name]
    found = [
        kg.metrics.mode_coverage(trained(name, seed).sample(2500, seed=1_000_000), centres, sigma, min_share=0.0)
        for seed in range(5)
    ]
    report(f"{name}: modes", [each.covered for each in found], f"{modes}, each of five")
    report(f"{name}: within three sigma", [each.high_quality for each in found], "above 0.90, each of five")
    report(f"{name}: reverse KL", [each.reverse_kl for each in found], "reported")
    assert all(each.covered == modes and each.high_quality > 0.90 for each in found)


def ring_coverage(model):
    centres = kg.data.ring_centres(kg.data.RING_RADII["wide"])
    return kg.metrics.mode_coverage(model.sample(2500, seed=50_000), centres, kg.data.RING_SIGMAS["wide"])


def test_wgan_gp_covers_the_ring():
    found = [ring_coverage(trained("wgan_gp_ring", seed)) for seed in SEEDS]
    assert report("wgan_gp_ring: modes", [f.covered for f in found], "8 of 8") == 8
    assert report("wgan_gp_ring: high quality", [f.high_quality for f in found], "at least 0.70") >= 0.70
    assert report("wgan_gp_ring: total variation", [f.total_variation for f in found], "at most 0.10") <= 0.10
