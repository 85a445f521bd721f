"""Curves are drawn where their numbers say."""

import math
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_gans.drawing import picture, plot
from keras_gans.drawing.plot import Curve, Panel
from keras_gans.errors import UserError

RED = (200, 0, 0)
BLUE = (0, 0, 200)


def coloured(drawn, colour=RED):
    """Row and column numbers of the pixels of a colour."""
    return np.nonzero((drawn == colour).all(axis=-1))


def centre(drawn, colour):
    return tuple(float(np.mean(numbers)) for numbers in coloured(drawn, colour))


def dots(places, **options):
    """Where dots at (x, y) come to lie: [(row, column)]."""
    return [
        centre(plot.draw([Panel([Curve([x], [y], kind="dots", colour=RED, size=9)], **options)]), RED)
        for x, y in places
    ]


def test_names_that_look_like_formulas_are_drawn_as_they_are():
    counts = np.eye(2, dtype=int)
    drawn = plot.confusion(counts, ["$1_$", "a^"], "of $x_ to $y")
    assert drawn.shape == plot.confusion(counts, ["1__1", "a^"], "of x_ to y").shape
    assert (drawn != plot.confusion(counts, ["", ""], "of $x_ to $y")).any()


def test_equal_differences_are_equal_distances():
    found = dots([(0, 0), (1, 2), (2, 4)], x_range=(-1, 4), y_range=(-1, 6))
    (row_0, column_0), (row_1, column_1), (row_2, column_2) = found
    assert row_0 - row_1 == pytest.approx(row_1 - row_2, abs=1.0) and row_0 > row_1 + 30
    assert column_1 - column_0 == pytest.approx(column_2 - column_1, abs=1.0) and column_1 > column_0 + 30


def test_equal_ratios_are_equal_distances_on_a_logarithmic_axis():
    found = dots([(1, 1), (1, 100), (1, 1e4)], x_range=(0, 2), y_range=(0.1, 1e5), y_scale="log")
    rows = [row for row, _ in found]
    assert rows[0] - rows[1] == pytest.approx(rows[1] - rows[2], abs=1.0) and rows[0] > rows[1] + 30


def test_a_gap_in_the_numbers_is_a_gap_in_the_line():
    y = np.where(np.abs(np.arange(100) - 50) < 20, np.nan, 1.0)
    drawn = plot.draw([Panel([Curve(np.arange(100), y, colour=RED, size=3)], x_range=(0, 99), y_range=(0, 2))])
    columns = np.unique(coloured(drawn)[1])
    assert np.diff(columns).max() > 0.35 * (columns.max() - columns.min()), "where there is no number there is no line"
    # Zero and less have no place on a logarithmic axis.
    curve = Curve([1, 2, 3, 4], [1.0, 0.0, -1.0, 1.0], colour=RED)
    assert not len(coloured(plot.draw([Panel([curve], y_scale="log", y_range=(0.1, 10))]))[0])


def test_bars_stand_on_zero_side_by_side():
    bars = [Curve([1, 2], [1.0, -1.0], kind="bars", colour=RED), Curve([1, 2], [0.5, 0.5], kind="bars", colour=BLUE)]
    drawn = plot.draw([Panel(bars, y_range=(-2, 2))])
    red, blue = coloured(drawn), coloured(drawn, BLUE)
    left, right = red[1] < np.median(red[1]), red[1] > np.median(red[1])
    assert red[0][left].max() == pytest.approx(red[0][right].min(), abs=2), "one ends above zero, one below it"
    assert blue[0].max() == pytest.approx(red[0][left].max(), abs=2)
    assert not set(red[1]) & set(blue[1])


def test_a_spike_of_a_long_curve_is_not_lost():
    y = np.zeros(100_000)
    y[54_321] = 1.0
    panel = Panel([Curve(np.arange(len(y)), y, colour=RED, size=3)], x_range=(0, 1e5), y_range=(-0.1, 1.1))
    rows, columns = coloured(plot.draw([panel]))
    assert rows.min() < np.median(rows) - 150
    highest = columns[rows == rows.min()].mean()
    assert (highest - columns.min()) / (columns.max() - columns.min()) == pytest.approx(0.54321, abs=0.01)


def test_a_band_lies_between_its_sides():
    curve = Curve([0, 1], [0, 0], low=[-1, -1], high=[1, 1], colour=RED)
    drawn = plot.draw([Panel([curve], x_range=(0, 1), y_range=(-2, 2))]).astype(int)
    middle = drawn[:, 500]
    reddish = np.flatnonzero((middle[:, 0] > middle[:, 1] + 10) & (middle[:, 1] > 100))
    line = np.flatnonzero((middle == RED).all(axis=-1))
    assert reddish.min() < line.min() - 40 and reddish.max() > line.max() + 40
    assert line.mean() == pytest.approx((reddish.min() + reddish.max()) / 2, abs=2)


def texts_of(axis):
    """What is written at an axis's ticks, those outside of its range left out."""
    low, high = axis.get_view_interval()
    ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
    return [text.get_text() for place, text in ticks if low <= place <= high]


def test_ticks_are_round_numbers_that_a_person_reads():
    (axes,) = plot.figure([Panel([Curve([0, 120_000], [0, 0.3])], x_range=(-3, 120_000))]).axes
    assert texts_of(axes.xaxis) == ["0", "20,000", "40,000", "60,000", "80,000", "100,000", "120,000"]
    assert "0.1" in texts_of(axes.yaxis)


@pytest.mark.parametrize(
    ("limits", "written"),
    [
        ((1, 1e4), ["1", "10", "100", "1,000", "10,000"]),
        ((3, 60), ["5", "10", "20", "50"]),
        ((2, 5), ["2", "2.5", "3", "3.5", "4", "4.5", "5"]),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_numbers_that_a_person_reads(limits, written):
    (axes,) = plot.figure([Panel([Curve(limits, limits)], y_scale="log", y_range=limits)]).axes
    low, high = limits
    ticks = [*axes.yaxis.get_major_ticks(), *axes.yaxis.get_minor_ticks()]
    texts = {tick.get_loc(): tick.label1.get_text() for tick in ticks if low <= tick.get_loc() <= high}
    assert [texts[place] for place in sorted(texts) if texts[place]] == written


def test_ticks_are_those_given_or_one_under_each_bar():
    ticks = [(1, "one"), (2, "two")]
    (axes,) = plot.figure([Panel([Curve([1, 3], [1, 10])], x_ticks=ticks, y_ticks=[(3, "III")], y_scale="log")]).axes
    assert texts_of(axes.xaxis) == ["one", "two"] and texts_of(axes.yaxis) == ["III"]
    (axes,) = plot.figure([Panel([Curve([1, 2, 5], [1, 2, 3], kind="bars")])]).axes
    assert texts_of(axes.xaxis) == ["1", "2", "5"] and list(axes.get_xticks()) == [1, 2, 5]


def boxes(panel, width=960):
    """(axes, legend, title), each as its box in pixels."""
    figure = plot.figure([panel], width=width)
    renderer = figure.canvas.get_renderer()
    (axes,), (title,) = figure.axes, figure.texts
    return axes.get_window_extent(), axes.get_legend().get_tightbbox(renderer), title.get_window_extent(renderer)


@pytest.mark.parametrize("width", [220, 960])
def test_the_legend_and_the_title_stand_above_the_axes_and_hide_nothing(width):
    curves = [Curve([0, 1], [0, index], f"a curve with a name, number {index}") for index in range(5)]
    axes, legend, title = boxes(Panel(curves, title="a title of some length", y_label="y", height=400), width)
    assert axes.y1 < legend.y0 and legend.y1 <= title.y0 + 1 and title.y1 <= 400
    assert legend.x1 <= width and axes.x0 > 0 and axes.width > 0.6 * width and title.x1 <= width


def test_each_curve_has_its_name_in_the_legend_and_each_axis_its_label():
    panel = Panel(
        [Curve([0], [0], "seen", kind="dots"), Curve([0], [0]), Curve([0], [1], "too")], x_label="x", y_label="y"
    )
    (axes,) = plot.figure([panel]).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["seen", "too"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")


def test_axes_hold_every_curve_with_its_band_and_every_reference():
    curve = Curve([1, 2], [1, 2], low=[-1, 1], high=[2, 5])
    (axes,) = plot.figure([Panel([curve], references=[(9.0, "far")])]).axes
    low, high = axes.get_ylim()
    assert low < -1 and 9 < high < 10 and axes.get_xlim() == (1, 2)
    (axes,) = plot.figure([Panel([Curve([1, 2], [1, 2], kind="area")], y_scale="linear")]).axes
    assert axes.get_ylim()[0] == 0.0, "an area stands on zero"


def test_an_image_fills_the_axes_with_its_first_row_on_top():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0] = RED
    drawn = plot.draw([Panel([Curve([0, 1], [0, 1], colour=BLUE)], image=image)])
    rows, columns = coloured(drawn)
    assert rows.max() < 200 and columns.max() - columns.min() > 850
    assert (drawn == 0).all(axis=-1).sum() > 50_000


def test_pyplot_is_left_alone():
    code = "import sys; from keras_gans.drawing import plot as p; assert 'matplotlib' not in sys.modules"
    code += "; p.draw([p.Panel([p.Curve([0, 1], [0, 1])])]); assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_panels_stand_in_rows_and_columns():
    panels = [Panel([Curve([0, 1], [0, 1])], height=height, title="title", x_label="x") for height in (200, 260, 180)]
    assert plot.draw(panels, width=500).shape == (640, 500, 3)
    assert plot.draw(panels, width=700, columns=2, title="all").shape == (260 + 180 + 32, 700, 3)


def test_it_is_a_picture_and_the_same_each_time(tmp_path):
    panel = Panel([Curve([0, 1, 2], [1, 2, 1], "line"), Curve([0, 2], [1, 1], "dashed", kind="dashed")], y_label="y")
    drawn = plot.draw([panel])
    np.testing.assert_array_equal(drawn, plot.draw([panel]))
    picture.save_png(drawn, tmp_path / "curve.png")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "curve.png")), drawn)


@pytest.mark.parametrize(
    "curve",
    [Curve([], []), Curve([1], [math.nan]), Curve([1], [5.0]), Curve([1, 2], [3, 3]), Curve([1], [2], kind="bars")],
)
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_little_or_nothing_can_be_drawn_too(curve, scale):
    assert plot.draw([Panel([curve], y_scale=scale)]).shape == (340, 960, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Curve([1, 2], [1]), "must be of one length. Received: 2 and 1"),
        (lambda: Curve([1], [1], kind="dotted"), "Unknown kind of curve 'dotted'. Did you mean 'dots'"),
        (lambda: Curve([1], [1], low=[0]), "a low and a high side"),
        (lambda: Panel([], y_scale="logarithmic"), "Unknown scale 'logarithmic'. Known: linear, log"),
        (lambda: Panel([], x_range=(2, 1)), r"low < high. Received: \(2, 1\)"),
        (lambda: Panel([], y_range=(0, 1), y_scale="log"), "both above 0"),
        (lambda: plot.draw([]), "Received: 0 panels"),
        (lambda: plot.draw([Panel([Curve([0], [0])])] * 9, width=300, columns=9), "no room"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()
