"""Grids and scatter plots, the Fréchet distance and mode coverage."""

import numpy as np
import pytest
from PIL import Image
from scipy.linalg import sqrtm

from keras_gans.drawing import many, picture
from keras_gans.errors import UserError, nearest, unknown_name
from keras_gans.metrics import frechet_distance, mode_coverage
from keras_gans.pixels import to_uint8
from keras_gans.registry import Registry


def test_a_grid_shows_every_image_in_reading_order():
    images = np.stack([np.full((40, 40, 3), value, np.uint8) for value in range(0, 250, 50)])
    drawn = picture.grid(images, columns=3, gap=1, width=10)
    assert drawn.shape == (2 * 41 + 1, 3 * 41 + 1, 3)
    for index in range(5):
        row, column = divmod(index, 3)
        block = drawn[1 + 41 * row : 41 + 41 * row, 1 + 41 * column : 41 + 41 * column]
        assert (block == 50 * index).all()
    assert (drawn[42:, 83:] == 255).all(), "the empty place stays white"


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_grid_of_any_channels_can_be_saved(channels, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (7, 8, 8, channels)).astype(np.uint8)
    drawn = picture.draw(images)
    picture.save_png(drawn, tmp_path / "deep" / "grid.png")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "deep" / "grid.png")), np.squeeze(drawn))
    assert drawn.shape[-1] == (3 if channels > 2 else 1) and 256 < drawn.shape[1] <= 512


def test_points_are_drawn_where_they_are():
    drawn = picture.points(np.array([[1.0, 0.0]]), real=np.array([[0.0, 1.0], [-1.0, 0.0]]), size=101, extent=2.0)
    assert tuple(drawn[50, 75]) == (200, 30, 30)
    assert tuple(drawn[25, 50]) == (190, 190, 190) and tuple(drawn[50, 25]) == (190, 190, 190)
    assert tuple(drawn[75, 50]) == (255, 255, 255)


def test_points_outside_the_picture_or_not_finite_are_left_out():
    drawn = picture.points(np.array([[1e9, 0.0], [np.nan, 0.0], [np.inf, -np.inf]]), extent=1.0)
    assert (drawn == 255).all()


def test_frechet_distance_of_gaussians_known_in_closed_form():
    rng = np.random.default_rng(0)
    first = rng.normal(0.0, 1.0, (200_000, 2))
    second = rng.normal([3.0, 4.0], [2.0, 1.0], (200_000, 2))
    # |m1 - m2|^2 = 25; per axis (s1 - s2)^2: 1 and 0.
    assert frechet_distance(first, second) == pytest.approx(26.0, rel=0.01)
    assert frechet_distance(first, first) == pytest.approx(0.0, abs=1e-9)


def test_frechet_distance_equals_scipys_matrix_root():
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(300, 12)) @ rng.normal(size=(12, 12)), rng.normal(size=(200, 12)) + 0.3
    covariances = [np.cov(values, rowvar=False) for values in (first, second)]
    difference = first.mean(0) - second.mean(0)
    expected = difference @ difference + np.trace(sum(covariances) - 2 * sqrtm(covariances[0] @ covariances[1]).real)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("bad", [np.zeros((5, 3)), np.zeros((1, 2)), np.zeros(5), np.full((5, 2), np.nan)])
def test_frechet_distance_refuses(bad):
    with pytest.raises(UserError):
        frechet_distance(np.zeros((5, 2)), bad)


def test_mode_coverage_by_hand():
    centres = np.array([[0.0, 0.0], [10.0, 0.0]])
    points = np.array([[0.1, 0.0]] * 3 + [[0.0, 2.9]] + [[0.0, 4.0]] * 4 + [[10.0, 0.0]] * 2)
    found = mode_coverage(points, centres, sigma=1.0)
    assert found.covered == 2
    assert found.high_quality == pytest.approx(0.6)
    assert found.total_variation == pytest.approx(0.3)
    assert found.largest_share == pytest.approx(0.8)
    assert mode_coverage(points, centres, sigma=1.0, min_share=0.3).covered == 1


def test_names_are_suggested_and_duplicates_refused():
    assert nearest("WGAN-GP", ["wgan", "wgan_gp", "dcgan"])[0] == "wgan_gp"
    assert "Did you mean" not in str(unknown_name("thing", "zzz", ["abc"]))
    # Of many those that are most like it, in the order of the alphabet.
    said = str(unknown_name("thing", "w7", [f"{letter}{number}" for letter in "vw" for number in range(10, 30)]))
    assert "v12" not in said and "w10, w11" in said and "w17" in said and said.endswith(" and 16 more.")
    assert " more" not in str(unknown_name("thing", "zzz", map(str, range(24))))
    registry = Registry("thing", "keras_gans")
    registry.register("one")(object)
    with pytest.raises(ValueError, match="already registered"):
        registry.register("one")(int)
    with pytest.raises(UserError, match="Unknown thing 'onne'. Did you mean 'one'"):
        registry["onne"]


def test_what_lies_outside_of_the_range_is_clipped_and_levels_are_the_nearest():
    values = np.array([-3.0, -1.01, -1.0, -0.996, 0.0, 0.996, 1.0, 1.01, 3.0], "float32")
    assert to_uint8(values).numpy().tolist() == [0, 0, 0, 1, 128, 254, 255, 255, 255]


def test_samples_become_files_part_by_part(tmp_path):
    asked = []

    def draw(start, count):
        asked.append((start, count))
        return (np.arange(start, start + count) % 256).astype("uint8").reshape(-1, 1, 1, 1) * np.ones(
            (4, 4, 1), "uint8"
        )

    many.write_each(draw, many.PART + 3, lambda place: tmp_path / f"{place}.png")
    assert asked == [(0, many.PART), (many.PART, 3)]
    assert len(list(tmp_path.iterdir())) == many.PART + 3
    for place in (0, 255, many.PART, many.PART + 2):
        assert (np.asarray(Image.open(tmp_path / f"{place}.png")) == place % 256).all()


@pytest.mark.parametrize(
    ("shape", "most", "message"),
    [
        ((8, 8, 1), 2**26 // 81, "828,504 images of 8x8 pixels, and --separate"),
        ((3, 7, 3), 2**26 // 32, "2,097,152 images of 7x3 pixels"),
        ((2,), 10_000_000, "10,000,000 points. Received: 10,000,001"),
    ],
)
def test_one_picture_has_room_for_so_many(shape, most, message):
    many.check_fits_a_picture(most, shape)
    with pytest.raises(UserError, match=message):
        many.check_fits_a_picture(most + 1, shape)
