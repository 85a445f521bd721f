"""Fréchet, kernel, sliced Wasserstein, and divergences: hand-derived numbers and SciPy's."""

import math

import numpy as np
import pytest
import scipy.linalg
import scipy.ndimage
import scipy.spatial.distance
import scipy.stats

from keras_gans import metrics
from keras_gans.errors import UserError
from keras_gans.metrics.kernel import squared_mmd
from keras_gans.metrics.sliced_wasserstein import laplacian_pyramid


def features(count, d, seed, shift=0.0, rank=None):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, rank or d)) @ rng.normal(size=(rank or d, d)) + shift


def scipys_frechet_distance(first, second):
    covariances = [np.cov(values, rowvar=False) for values in (first, second)]
    difference = first.mean(axis=0) - second.mean(axis=0)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    return float(difference @ difference + np.trace(covariances[0] + covariances[1] - 2.0 * root))


@pytest.mark.parametrize(("d", "counts"), [(3, (50, 40)), (64, (500, 2000)), (100, (300, 200))])
def test_frechet_distance_agrees_with_scipys_root(d, counts):
    first, second = features(counts[0], d, 0), features(counts[1], d, 1, shift=0.2)
    assert metrics.frechet_distance(first, second) == pytest.approx(scipys_frechet_distance(first, second), rel=1e-6)


def test_frechet_distance_of_float32_features_is_computed_in_float64():
    first, second = (features(400, 32, seed, shift=1000.0).astype("float32") for seed in (0, 1))
    expected = scipys_frechet_distance(first.astype("float64"), second.astype("float64"))
    assert metrics.frechet_distance(first, second) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_singular_covariances():
    # In coordinates x and y with no spread in y: means (0, 0) and (3, 4), standard deviations 1 and 3 of x.
    x = np.array([-1.0, 1.0]) / math.sqrt(2.0)
    first = np.stack([x, np.zeros(2)], axis=1)
    second = np.stack([3.0 * x + 3.0, np.full(2, 4.0)], axis=1)
    assert metrics.frechet_distance(first, second) == pytest.approx(25.0 + (3.0 - 1.0) ** 2, rel=1e-12)
    many = features(300, 100, 0, rank=5)
    assert metrics.frechet_distance(many, many) == pytest.approx(0.0, abs=1e-9 * np.trace(np.cov(many.T)))


@pytest.mark.parametrize("batch", [1, 7, 100, 1000])
def test_moments_of_batches_are_those_of_the_whole(batch):
    values = features(500, 6, 0, shift=1e4)
    moments = metrics.Moments()
    for start in range(0, len(values), batch):
        moments.update(values[start : start + batch])
    assert moments.count == 500
    np.testing.assert_allclose(moments.mean, values.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(moments.covariance, np.cov(values, rowvar=False), rtol=1e-9)
    other = metrics.Moments().update(features(300, 6, 1))
    assert moments.distance(other) == pytest.approx(metrics.frechet_distance(values, features(300, 6, 1)), rel=1e-9)


def test_moments_hold_no_samples():
    moments = metrics.Moments()
    for _ in range(20):
        moments.update(np.zeros((1000, 8)))
    assert sum(np.asarray(value).nbytes for value in vars(moments).values() if value is not None) < 8 * (64 + 8 + 4)


def test_moments_refuse_what_they_cannot_use():
    moments = metrics.Moments().update(np.zeros((3, 4)))
    with pytest.raises(UserError, match=r"\(count, 4\).*Received: \(2, 5\)"):
        moments.update(np.zeros((2, 5)))
    with pytest.raises(UserError, match="finite"):
        moments.update(np.full((2, 4), np.inf))
    with pytest.raises(UserError, match="two or more feature vectors. Received: 1"):
        metrics.Moments().update(np.zeros((1, 4))).distance(moments)
    with pytest.raises(UserError, match="same dimension. Received: 4 and 3"):
        moments.distance(metrics.Moments().update(np.zeros((3, 3))))


def test_squared_mmd_by_hand():
    # d = 1 and k(a, b) = (ab + 1)^3. Within x: k(0, 1) = 1. Within y: k(1, 2) = 27.
    # Between: k(0, 1), k(0, 2), k(1, 1), k(1, 2) = 1, 1, 8, 27.
    assert squared_mmd(np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])) == pytest.approx(1 + 27 - 2 * 37 / 4)


def test_squared_mmd_against_a_double_loop():
    x, y = features(6, 3, 0), features(5, 3, 1)
    k = lambda a, b: (a @ b / 3 + 1) ** 3  # noqa: E731
    within = [np.mean([k(a, b) for i, a in enumerate(v) for j, b in enumerate(v) if i != j]) for v in (x, y)]
    between = np.mean([k(a, b) for a in x for b in y])
    assert squared_mmd(x, y) == pytest.approx(sum(within) - 2 * between)


def test_kernel_distance_is_the_whole_sets_on_average_over_subsets():
    x, y = features(40, 3, 0), features(20, 3, 1, shift=0.5)
    found = metrics.kernel_distance(x, y, subsets=2000, subset_size=10)
    assert found.value == pytest.approx(squared_mmd(x, y), rel=0.1)
    # Nothing but the choice of subsets is random, and of 2,000 little is left of that.
    assert metrics.kernel_distance(x, y, subsets=3, seed=1) == metrics.kernel_distance(x, y, subsets=3, seed=1)
    assert metrics.kernel_distance(x, y, subsets=1).standard_error is None


@pytest.mark.parametrize(("counts", "size"), [((80, 80), 20), ((160, 40), 80)])
def test_the_kernel_distances_error_is_that_of_other_draws(counts, size):
    rng = np.random.default_rng(0)
    draws = [
        metrics.kernel_distance(rng.normal(0.5, 1, (counts[0], 4)), rng.normal(0, 1, (counts[1], 4)), 40, size)
        for _ in range(60)
    ]
    deviation = np.std([draw.value for draw in draws], ddof=1)
    # The plain deviation over the root of the number of subsets would be two to six times too small.
    assert np.median([draw.standard_error for draw in draws]) == pytest.approx(deviation, rel=0.35)


def test_kernel_distance_is_unbiased_where_the_frechet_distance_is_not():
    rng = np.random.default_rng(0)
    pairs = [(rng.normal(size=(50, 8)), rng.normal(size=(50, 8))) for _ in range(60)]
    values = [squared_mmd(*pair) for pair in pairs]
    assert abs(np.mean(values)) < 3.0 * np.std(values) / math.sqrt(len(values))
    assert min(metrics.frechet_distance(*pair) for pair in pairs) > 0.2


def test_kernel_distance_refuses():
    with pytest.raises(UserError, match="4 or more rows"):
        metrics.kernel_distance(np.zeros((3, 2)), np.zeros((5, 2)))
    with pytest.raises(UserError, match="subsets is a whole number from 1. Received: 0"):
        metrics.kernel_distance(np.zeros((5, 2)), np.zeros((5, 2)), subsets=0)


# Sliced Wasserstein -----------------------------------------------------------------------------------------------


def images(count, size, channels, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, channels)).astype("uint8")


def test_the_pyramid_is_that_of_the_two_dimensional_kernel_and_adds_up():
    pixels = images(3, 64, 2, 0).astype("float32")
    levels = laplacian_pyramid(pixels)
    assert [level.shape[1] for level in levels] == [64, 32, 16]
    row = np.array([1.0, 4.0, 6.0, 4.0, 1.0])
    kernel = (np.outer(row, row) / 256.0)[np.newaxis, :, :, np.newaxis]
    small = scipy.ndimage.convolve(pixels, kernel, mode="mirror")[:, ::2, ::2]
    spread = np.zeros_like(pixels)
    spread[:, ::2, ::2] = small
    np.testing.assert_allclose(levels[0], pixels - scipy.ndimage.convolve(spread, 4 * kernel, mode="mirror"), atol=1e-3)


@pytest.mark.parametrize(("size", "levels"), [(4, [4]), (8, [8]), (28, [28]), (32, [32, 16]), (100, [100, 50, 25])])
def test_levels_halve_until_they_would_be_too_small(size, levels):
    found = metrics.sliced_wasserstein_distance(images(4, size, 1, 0), images(4, size, 1, 1), directions=8)
    assert list(found.levels) == levels
    assert found.value == pytest.approx(np.mean(list(found.levels.values())))


def test_sliced_wasserstein_distance_of_one_patch_an_image():
    # Images of 2x2 are one patch each: normalise over the set, project, and take SciPy's distance on each line.
    first, second = images(30, 2, 1, 0), images(30, 2, 1, 1)
    flat = [values.reshape(30, 4).astype("float64") for values in (first, second)]
    flat = [(values - values.mean()) / values.std() for values in flat]
    axes = np.random.default_rng(5).normal(size=(4, 4000))
    axes /= np.linalg.norm(axes, axis=0)
    expected = np.mean([scipy.stats.wasserstein_distance(flat[0] @ axis, flat[1] @ axis) for axis in axes.T])
    found = metrics.sliced_wasserstein_distance(first, second, directions=4000)
    assert found.value == pytest.approx(1000.0 * expected, rel=0.02)


def test_sliced_wasserstein_distance_sees_texture_and_not_the_order_of_images():
    real = np.clip(128 + 60 * np.sin(np.arange(32) / 3)[:, np.newaxis, np.newaxis] + images(10, 32, 3, 0) / 8, 0, 255)
    real = real.astype("uint8")
    blurred = scipy.ndimage.gaussian_filter(real, (0, 1, 1, 0))
    assert metrics.sliced_wasserstein_distance(real, real[::-1], patches=676, directions=16).value == pytest.approx(
        0.0, abs=1e-2
    )
    found = metrics.sliced_wasserstein_distance(real, blurred, directions=64)
    assert found.levels[32] > 3.0 * found.levels[16] > 0.0
    floats = real.astype("float32") / 127.5 - 1.0
    assert metrics.sliced_wasserstein_distance(floats, blurred, directions=64).value == pytest.approx(
        found.value, rel=1e-3
    )


def test_sliced_wasserstein_distance_refuses():
    with pytest.raises(UserError, match="same count and shape"):
        metrics.sliced_wasserstein_distance(images(4, 8, 1, 0), images(5, 8, 1, 0))
    with pytest.raises(UserError, match="directions is a whole number"):
        metrics.sliced_wasserstein_distance(images(4, 8, 1, 0), images(4, 8, 1, 0), directions=0)


# Divergences ------------------------------------------------------------------------------------------------------


def test_divergences_by_hand():
    p, q = [0.5, 0.5], [0.25, 0.75]
    assert metrics.kl_divergence(p, q) == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3))
    assert metrics.kl_divergence([3, 3], q) == metrics.kl_divergence(p, q)
    assert metrics.kl_divergence([1, 0], [0.5, 0.5]) == pytest.approx(math.log(2))
    assert metrics.kl_divergence([0.5, 0.5], [1, 0]) == math.inf
    assert metrics.jensen_shannon_divergence([1, 0], [0, 1]) == pytest.approx(math.log(2))
    assert metrics.jensen_shannon_divergence(p, p) == 0.0
    # Half of the smallest number is 0, which must not make the divergence infinite.
    assert metrics.jensen_shannon_divergence([1.0, 5e-324], [1.0, 0.0]) == 0.0


def test_divergences_agree_with_scipy():
    rng = np.random.default_rng(0)
    for _ in range(5):
        p, q = rng.random(20), rng.random(20)
        p[3] = 0.0
        assert metrics.kl_divergence(p, q) == pytest.approx(scipy.stats.entropy(p, q))
        expected = scipy.spatial.distance.jensenshannon(p, q) ** 2
        assert metrics.jensen_shannon_divergence(p, q) == pytest.approx(expected)


def test_wasserstein_1_by_hand():
    assert metrics.wasserstein_1([0.0, 1.0], [5.0, 6.0]) == pytest.approx(5.0)
    # Half of the mass moves from 0 to 3, half stays; and on the plane two points swap nothing.
    assert metrics.wasserstein_1([0.0], [0.0, 3.0]) == pytest.approx(1.5)
    square = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert metrics.wasserstein_1(square, square[::-1]) == 0.0
    assert metrics.wasserstein_1(square, square + [3.0, 4.0]) == pytest.approx(5.0)
    assert metrics.wasserstein_1_of_histograms([1, 0, 0], [0, 0, 1], [0.0, 1.0, 10.0]) == pytest.approx(10.0)


def test_wasserstein_1_agrees_with_scipy_on_a_line():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=70), rng.normal(1.0, 2.0, 113)
    assert metrics.wasserstein_1(x, y) == pytest.approx(scipy.stats.wasserstein_distance(x, y))
    places, p, q = rng.normal(size=30), rng.random(30), rng.random(30)
    expected = scipy.stats.wasserstein_distance(places, places, p, q)
    assert metrics.wasserstein_1_of_histograms(p, q, places) == pytest.approx(expected)


def test_wasserstein_1_by_assignment_and_by_linear_programme_agree():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(25, 2)), rng.normal(0.5, 1.0, (25, 2))
    costs = scipy.spatial.distance.cdist(x, y)
    even = np.ones(25)
    assert metrics.wasserstein_1(x, y) == pytest.approx(metrics.wasserstein_1_of_weights(even, even, costs))
    # Each of the 25 twice is the same distribution, of another count.
    assert metrics.wasserstein_1(np.repeat(x, 2, axis=0), y) == pytest.approx(metrics.wasserstein_1(x, y))
    line = np.abs(x[:, :1] - y[:, 0])
    assert metrics.wasserstein_1_of_weights(even, even, line) == pytest.approx(metrics.wasserstein_1(x[:, 0], y[:, 0]))


def test_wasserstein_1_grows_where_the_divergences_do_not():
    places = np.arange(100.0)
    point = lambda at: (places == at).astype(float)  # noqa: E731
    for at in (1, 10, 50):
        assert metrics.jensen_shannon_divergence(point(0), point(at)) == pytest.approx(math.log(2))
        assert metrics.kl_divergence(point(0), point(at)) == math.inf
        assert metrics.wasserstein_1_of_histograms(point(0), point(at), places) == pytest.approx(at)


def test_divergences_refuse():
    with pytest.raises(UserError, match="same shape"):
        metrics.kl_divergence([1.0], [0.5, 0.5])
    with pytest.raises(UserError, match="0 or more"):
        metrics.jensen_shannon_divergence([-1.0, 2.0], [0.5, 0.5])
    with pytest.raises(UserError, match="100,000 pairs. Received: 400 and 500"):
        metrics.wasserstein_1(np.zeros((400, 2)), np.zeros((500, 2)))
