"""Precision, recall, density, coverage and duplicates: hand-placed points and scikit-learn's neighbours."""

import math
import tracemalloc

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

from keras_gans import metrics
from keras_gans.errors import UserError
from keras_gans.metrics import neighbours


def column(*values):
    return np.array(values, float)[:, np.newaxis]


def test_precision_and_its_kin_by_hand():
    # k = 1. Balls of the real: 0 and 1 have radius 1, 10 and 12 radius 2. Balls of the generated: 0.5 and 2 have 1.5,
    # 20 and 30 have 10. A ball ends before its radius: 2 is not in that of 1, and 10 not in that of 20.
    found = metrics.precision_recall(column(0, 1, 10, 12), column(0.5, 2, 20, 30), k=1)
    assert found.precision == pytest.approx(1 / 4), "0.5 lies in the balls of 0 and of 1; the others in none"
    assert found.density == pytest.approx((2 + 0 + 0 + 0) / 4)
    assert found.coverage == pytest.approx(2 / 4), "the balls of 0 and 1 hold 0.5"
    assert found.recall == pytest.approx(3 / 4), "0 and 1 are in the ball of 0.5, 12 in that of 20"
    assert found.density_error == pytest.approx(np.std([2, 0, 0, 0], ddof=1) / 2)


@pytest.mark.parametrize(("counts", "k"), [((60, 80), 3), ((1500, 1100), 5)])
def test_precision_and_its_kin_agree_with_scikit_learns_neighbours(counts, k):
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(counts[0], 6)), rng.normal(0.3, 0.8, (counts[1], 6))
    # The nearest neighbour that a fit finds of each of its own points is the point itself.
    radii = [NearestNeighbors(n_neighbors=k + 1).fit(v).kneighbors(v)[0][:, -1] for v in (real, generated)]
    distances = pairwise_distances(real, generated)
    in_real, in_generated = distances < radii[0][:, np.newaxis], distances < radii[1]
    found = metrics.precision_recall(real, generated, k=k)
    assert found.precision == pytest.approx(in_real.any(axis=0).mean())
    assert found.recall == pytest.approx(in_generated.any(axis=1).mean())
    assert found.density == pytest.approx(in_real.sum() / k / counts[1])
    assert found.coverage == pytest.approx(in_real.any(axis=1).mean())


def test_what_the_four_say_of_known_failures():
    rng = np.random.default_rng(0)
    real, again = rng.normal(size=(400, 4)), rng.normal(size=(400, 4))
    good = metrics.precision_recall(real, again)
    assert min(good.precision, good.recall, good.coverage) > 0.8 and 0.8 < good.density < 1.2
    collapsed = metrics.precision_recall(real, 0.05 * again)
    assert collapsed.precision == 1.0 and collapsed.density > 1.2
    assert collapsed.recall < 0.1 and collapsed.coverage < 0.5
    far = metrics.precision_recall(real, again + 100.0)
    assert far[:4] == (0.0, 0.0, 0.0, 0.0)


def test_equal_vectors_are_neighbours_at_distance_zero():
    assert neighbours.neighbour_distances(column(0, 0, 5)).tolist() == [0.0, 0.0, 5.0]
    assert neighbours.neighbour_distances(column(0, 0, 5), k=2).tolist() == [5.0, 5.0, 5.0]


def test_memory_does_not_grow_with_the_square_of_the_count():
    values = np.random.default_rng(0).normal(size=(4096, 2))
    tracemalloc.start()
    neighbours.neighbour_distances(values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.2 * 8 * 1024 * len(values), "two blocks of 1,024 rows, not the four that make the square"
    blocks = [distances.shape for _, distances in neighbours.distance_blocks(values, values)]
    assert blocks == [(1024, 4096)] * 4


def test_precision_recall_refuses():
    with pytest.raises(UserError, match="5-th neighbour needs 6 or more.*Received: 5 and 9"):
        metrics.precision_recall(np.zeros((5, 2)), np.zeros((9, 2)))
    with pytest.raises(UserError, match="k is a whole number from 1. Received: 0"):
        metrics.precision_recall(np.zeros((5, 2)), np.zeros((9, 2)), k=0)
    with pytest.raises(UserError, match=r"\(count, 2\).*Received: \(9, 3\)"):
        metrics.precision_recall(np.zeros((9, 2)), np.zeros((9, 3)))


def test_duplicate_rate_by_hand():
    # The data's nearest neighbours are 4, 4, 8 and 8 away: the median is 6, and a quarter of it 1.5.
    data = column(0, 4, 20, 28)
    found = metrics.duplicate_rate(column(0, 1.5, 10, 11.6), data)
    assert found == (0.5, 0.0, 1.5, 4)
    assert metrics.duplicate_rate(column(0, 1.5, 10, 11.6), data, fraction=0.27).rate == 1.0
    assert metrics.duplicate_rate(column(7, 7, 7, 7), data).rate == 1.0


def test_duplicate_rate_compares_equal_counts():
    rng = np.random.default_rng(0)
    data, samples = rng.normal(size=(200, 3)), rng.normal(size=(5000, 3))
    found = metrics.duplicate_rate(samples, data)
    assert found.count == 200
    # A quarter of the median distance in three dimensions: about 1 - 2^(-1/64) of the neighbours are as near.
    assert found.rate == pytest.approx(1 - 2 ** (-1 / 64), abs=0.03)
    assert found.data_rate == pytest.approx(1 - 2 ** (-1 / 64), abs=0.03)
    few = samples[rng.integers(0, 40, 5000)]
    assert metrics.duplicate_rate(few, data).rate > 0.95


def test_duplicate_rate_refuses():
    with pytest.raises(UserError, match="fraction must be above 0. Received: 0"):
        metrics.duplicate_rate(np.zeros((5, 2)), np.zeros((5, 2)), fraction=0)
    with pytest.raises(UserError, match="2 or more rows"):
        metrics.duplicate_rate(np.zeros((1, 2)), np.zeros((5, 2)))


def test_memorization_by_hand():
    training, held_out = column(0, 10, 20), column(4, 16)
    # Nearest are 0, 4, 10, 16 and, as near to 20 as to 16, a half: 2.5 of 5 where 3 of 5 are training data.
    found = metrics.memorization(column(1, 3, 11, 15, 18), training, held_out)
    assert (found.nearest, found.expected) == (0.5, 0.6)
    assert found.value == pytest.approx(-0.25) and found.standard_error == pytest.approx(np.sqrt(0.25 / 5) / 0.4)
    assert metrics.memorization(training, training, held_out).value == 1.0
    # Beside themselves, 0 is nearest to 4 and 20 to 16; 10 is farther than 4 from all and so counts as chance, 1 in 2.
    assert metrics.memorization(training, training, held_out, own=True).nearest == pytest.approx(0.5 / 3)
    assert metrics.memorization(held_out, training, held_out).nearest == 0.0
    # Held-out data are 4 from training data: what is farther from all says nothing, and so counts as chance.
    assert metrics.memorization(column(-5, 25), training, held_out).value == pytest.approx(0)
    assert metrics.memorization(column(-3, 25), training, held_out).nearest == pytest.approx((1 + 0.6) / 2)


def test_memorization_is_0_of_new_draws_1_of_copies_and_between_of_some():
    rng = np.random.default_rng(0)
    training, held_out, new = (rng.normal(size=(count, 3)) for count in (900, 300, 2000))
    assert metrics.memorization(new, training, held_out).value == pytest.approx(0, abs=0.1)
    assert metrics.memorization(training, training, held_out, own=True).value == pytest.approx(0, abs=0.1)
    copies = training[rng.integers(0, 900, 2000)] + rng.normal(0, 1e-3, (2000, 3))
    assert metrics.memorization(copies, training, held_out).value > 0.99
    half = np.concatenate([copies[:1000], new[:1000]])
    assert metrics.memorization(half, training, held_out).value == pytest.approx(0.5, abs=0.1)


def test_memorization_refuses():
    with pytest.raises(UserError, match="1 or more rows"):
        metrics.memorization(np.zeros((2, 2)), np.zeros((0, 2)), np.zeros((2, 2)))
    with pytest.raises(UserError, match="none is left"):
        metrics.memorization(np.zeros((1, 2)), np.zeros((1, 2)), np.zeros((2, 2)), own=True)


# Modes ------------------------------------------------------------------------------------------------------------


def test_reverse_kl_of_modes_by_hand():
    centres = np.array([[0.0, 0.0], [10.0, 0.0]])
    points = np.array([[0.1, 0.0]] * 3 + [[0.0, 2.9]] + [[0.0, 4.0]] * 4 + [[10.0, 0.0]] * 2)
    # Near a centre are 4 and 2, so shares of 2/3 and 1/3 against 1/2 each.
    expected = 2 / 3 * math.log(4 / 3) + 1 / 3 * math.log(2 / 3)
    assert metrics.mode_coverage(points, centres, sigma=1.0).reverse_kl == pytest.approx(expected)
    one = metrics.mode_coverage(points[:4], centres, sigma=1.0)
    assert one.reverse_kl == pytest.approx(math.log(2)) and one.covered == 1
    none = metrics.mode_coverage(points + 100.0, centres, sigma=1.0)
    assert none.reverse_kl == math.inf and none.covered == 0 and none.high_quality == 0.0
    assert metrics.reverse_kl([1, 3], [1, 3]) == 0.0 and metrics.reverse_kl([1, 1], [2, 0]) == math.inf


def test_a_mode_needs_a_sample_even_where_no_share_is_asked():
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]])
    points = np.array([[0.0, 0.0]] * 999 + [[10.0, 0.0]])
    assert metrics.mode_coverage(points, centres, sigma=1.0, min_share=0.0).covered == 2
    assert metrics.mode_coverage(points, centres, sigma=1.0).covered == 1


def test_mode_coverage_works_in_blocks_and_refuses():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(25, 2)) * 10
    points = centres[np.arange(10_000) % 25] + rng.normal(0, 0.01, (10_000, 2))
    found = metrics.mode_coverage(points, centres, sigma=0.01)
    assert found.covered == 25 and found.reverse_kl < 1e-4
    # Three sigma of a Gaussian on the plane hold 1 - exp(-9 / 2).
    assert found.high_quality == pytest.approx(1 - math.exp(-4.5), abs=0.005)
    assert found.width == pytest.approx(1.0, abs=0.02)
    narrow = metrics.mode_coverage(centres[np.arange(100) % 25], centres, sigma=0.01)
    assert (narrow.covered, narrow.width) == (25, 0.0)
    half = metrics.mode_coverage(np.concatenate([centres + (points[:25] - centres) / 2] * 40), centres, sigma=0.01)
    assert half.width == pytest.approx(0.5, abs=0.1)
    assert math.isnan(metrics.mode_coverage(points + 1e3, centres, sigma=0.01).width)
    with pytest.raises(UserError, match=r"same d. Received: \(10000, 2\) and \(25, 3\)"):
        metrics.mode_coverage(points, np.zeros((25, 3)), sigma=1.0)


class Reader:
    """Stands for a classifier: a channel's class is its top left pixel, and how sure it is, its last."""

    def probabilities(self, images):
        sure = images[:, -1, -1, 0] / 100.0
        rows = np.repeat((1.0 - sure)[:, np.newaxis] / 9.0, 10, axis=1)
        rows[np.arange(len(images)), images[:, 0, 0, 0]] = sure
        return rows


def test_stacked_modes_are_classified_channel_by_channel():
    images = np.full((4, 8, 8, 3), 95, np.uint8)
    images[:, 0, 0] = [[1, 2, 3], [1, 2, 3], [3, 2, 1], [0, 0, 0]]
    images[3, -1, -1, 1] = 50
    found = metrics.stacked_mode_coverage(images, Reader())
    # The fourth is half sure in one channel: it is named and not covered.
    assert (found.covered, found.named, found.modes, found.count) == (2, 3, 1000, 4)
    assert found.largest_share == pytest.approx(2 / 3) and found.sure == 0.75
    # Shares 2/3 and 1/3 against 1/1000.
    assert found.reverse_kl == pytest.approx(2 / 3 * math.log(2000 / 3) + 1 / 3 * math.log(1000 / 3))
    assert metrics.stacked_mode_coverage(images, Reader(), sure_from=0.5).covered == 3
    none = metrics.stacked_mode_coverage(images[3:], Reader())
    assert (none.covered, none.named, none.sure, none.largest_share) == (0, 1, 0.0, 0.0)
    counts = np.zeros(1000)
    counts[[123, 321]] = [2, 1]
    assert metrics.stacked_mode_coverage(images, Reader(), counts).reverse_kl == pytest.approx(0.0)
    with pytest.raises(UserError, match="three channels"):
        metrics.stacked_mode_coverage(images[..., :1], Reader())


# Inception Score --------------------------------------------------------------------------------------------------


def test_inception_score_by_hand():
    # Certain and even over k classes: exp(log k). Certain of one class, or the same doubt everywhere: 1.
    assert metrics.inception_score(np.eye(10)[np.arange(1000) % 10]).value == pytest.approx(10.0)
    assert metrics.inception_score(np.eye(10)[np.zeros(100, int)]).value == pytest.approx(1.0)
    assert metrics.inception_score(np.full((100, 10), 0.1)).value == pytest.approx(1.0)
    # Rows (1, 0) and (1/2, 1/2), marginal (3/4, 1/4).
    kl = [math.log(4 / 3), 0.5 * math.log(2 / 3) + 0.5 * math.log(2)]
    found = metrics.inception_score(np.array([[1.0, 0.0], [0.5, 0.5]]), splits=1)
    assert found == (pytest.approx(math.exp(np.mean(kl))), 0.0, 0.0)


def test_inception_scores_deviation_is_over_the_splits():
    rows = np.concatenate([np.eye(2)[[0, 1]], np.eye(2)[[0, 0]]])
    found = metrics.inception_score(rows, splits=2)
    assert found.value == pytest.approx(1.5)
    assert found.standard_deviation == pytest.approx(np.std([2.0, 1.0], ddof=1))
    assert found.standard_error == pytest.approx(0.5)


def test_inception_score_refuses():
    with pytest.raises(UserError, match="10 or more rows"):
        metrics.inception_score(np.eye(3))
    with pytest.raises(UserError, match="each row must sum to 1"):
        metrics.inception_score(np.ones((20, 3)))
