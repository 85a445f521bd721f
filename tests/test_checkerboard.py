"""The checkerboard: how much of it each upsampling draws before it has learned anything."""

import keras
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.errors import UserError
from keras_gans.layers import Upsample2D

STARTS = 20


def wave(period, size=24):
    """A picture (1, size, size, 1) that repeats itself every `period` columns."""
    row = np.cos(2 * np.pi * np.arange(size) / period)
    return np.tile(row, (size, 1))[None, :, :, None]


def test_the_score_is_the_share_of_energy_that_changes_with_every_pixel():
    assert kg.checkerboard_score(wave(2)) == pytest.approx(1.0)
    assert kg.checkerboard_score(wave(4)) == pytest.approx(0.0, abs=1e-12)
    # Energies 1 and 9 / 2, as a cosine of period 4 has half the energy of one of period 2.
    assert kg.checkerboard_score(wave(2) + 3 * wave(4) + 7.0) == pytest.approx(1 / (1 + 4.5))
    squares = np.indices((24, 24)).sum(axis=0)[None, :, :, None] % 2
    assert kg.checkerboard_score(squares) == pytest.approx(1.0)
    assert kg.checkerboard_score(np.ones((2, 16, 16, 3))) == 0.0


def test_white_noise_has_its_share():
    noise = np.random.default_rng(0).standard_normal((2000, 16, 16, 1))
    assert kg.checkerboard_score(noise) == pytest.approx(15 / 63, rel=0.02)


@pytest.mark.parametrize(
    ("images", "crop", "message"),
    [
        (np.ones((16, 16, 1)), 4, r"array \(n, height, width, channels\).*Received: \(16, 16, 1\)"),
        (np.ones((1, 8, 8, 1)), 4, "Less than four pixels are left of pictures of 8 x 8 without a border of 4"),
    ],
)
def test_pictures_that_cannot_be_judged_are_refused(images, crop, message):
    with pytest.raises(UserError, match=message):
        kg.checkerboard_score(images, crop)


def median_score(mode, inputs):
    """Of two untrained stages with ReLU in between, over `STARTS` draws of their weights."""
    scores = []
    for seed in range(STARTS):
        keras.utils.set_random_seed(seed)
        hidden = np.maximum(Upsample2D(8, mode)(inputs), 0.0)
        scores.append(kg.checkerboard_score(Upsample2D(1, mode)(hidden)))
    return np.median(scores)


def smooth(size=16, channels=4):
    """Low frequencies alone, (1, size, size, channels)."""
    rng, places = np.random.default_rng(0), 2 * np.pi * np.arange(size) / size
    rows = [np.cos(places * rng.uniform(0.3, 1.0) + rng.uniform(0, 6)) for _ in range(2 * channels)]
    stacked = [np.add.outer(a, b) for a, b in zip(rows[::2], rows[1::2], strict=True)]
    return np.stack(stacked, axis=-1)[None].astype("float32")


def test_resizing_draws_no_checkerboard_and_deconvolution_does():
    constant = np.ones((1, 16, 16, 4), "float32")
    of_smooth = {mode: median_score(mode, smooth()) for mode in kg.layers.upsample.MODES}
    print("\nmedian score of smooth inputs:", {mode: round(float(score), 4) for mode, score in of_smooth.items()})
    for mode in ("nearest", "bilinear"):
        assert median_score(mode, constant) < 1e-6
        assert of_smooth[mode] <= 0.05
        assert of_smooth["deconv"] >= 8 * of_smooth[mode]
    for mode in ("deconv", "subpixel"):
        assert median_score(mode, constant) > 0.2
        assert of_smooth[mode] >= 0.2


def test_an_untrained_generator_shows_its_upsampling():
    latents = np.random.default_rng(0).standard_normal((16, 8)).astype("float32")
    scores = {}
    for mode in kg.layers.upsample.MODES:
        keras.utils.set_random_seed(0)
        generator = kg.networks.dcgan_generator((32, 32, 1), 8, 8, upsampling=mode)
        scores[mode] = kg.checkerboard_score(generator(latents, training=True))
    print("\nuntrained DCGAN generators:", {mode: round(score, 4) for mode, score in scores.items()})
    assert min(scores["deconv"], scores["subpixel"]) >= 3 * max(scores["nearest"], scores["bilinear"])
