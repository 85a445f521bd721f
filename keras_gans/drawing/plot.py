"""The one place that draws curves: panels of lines, points, bars and areas over axes with ticks and a legend.

    picture = plot.draw([plot.Panel([plot.Curve(steps, losses, "loss")], x_label="step")])
    picture.save_png(picture, "loss.png")

Drawn by matplotlib, which is imported with the first picture. Neither its windows nor its global state
(`matplotlib.pyplot`) are touched; `figure` gives its own `Figure` for whoever wants to change it or save it as SVG.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans.errors import UserError, unknown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = ("line", "dashed", "dots", "bars", "area")
SCALES = ("linear", "log")
# Okabe and Ito's colours, which people who see few colours tell apart too.
PALETTE = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233), (90, 90, 90))
_INK, _GREY, _PALE = "#282828", "#6e6e6e", "#e2e2e2"
_DOTS_PER_INCH = 100
# Sizes are given in pixels; matplotlib's unit is a seventy-second of an inch.
_PIXEL = 72 / _DOTS_PER_INCH
_TEXT, _TITLE, _HEADING = 13, 16, 18
# In widths of the line.
_DASHES = (0, (4, 2.5))


@dataclasses.dataclass(frozen=True, eq=False)
class Curve:
    """One series of a panel.

    Attributes:
        x, y: float arrays (n,). A NaN or an infinity interrupts a line, as does what a logarithmic axis cannot show.
        label: its name in the legend; none leaves it out.
        kind: one of `KINDS`. Bars and areas stand on zero; bars of several curves stand side by side.
        colour: (red, green, blue) in 0..255; the next of `PALETTE` unless given.
        low, high: float arrays (n,) that bound a shaded band around the curve, such as the range over seeds; or None.
        size: width of a line, or diameter of a dot, in pixels.
    """

    x: Sequence | np.ndarray
    y: Sequence | np.ndarray
    label: str = ""
    kind: str = "line"
    colour: tuple | None = None
    low: Sequence | np.ndarray | None = None
    high: Sequence | np.ndarray | None = None
    size: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise unknown_name("kind of curve", self.kind, KINDS)
        if (self.low is None) != (self.high is None):
            raise UserError(f"A band has a low and a high side. Received for {self.label!r}: one of the two.")
        for name in ("x", "y", "low", "high"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, np.asarray(getattr(self, name), np.float64).reshape(-1))
                if len(getattr(self, name)) != len(self.x):
                    shapes = f"{len(self.x)} and {len(getattr(self, name))}"
                    raise UserError(f"x and {name} of {self.label!r} must be of one length. Received: {shapes}.")


@dataclasses.dataclass(frozen=True, eq=False)
class Panel:
    """One pair of axes.

    Attributes:
        curves: list of `Curve`, the first at the back.
        title, x_label, y_label: text; empty leaves it out.
        x_scale, y_scale: one of `SCALES`.
        x_range, y_range: (low, high) of the axes; what holds every curve and reference unless given.
        x_ticks, y_ticks: list of (value, text); round numbers, and on a logarithmic axis powers of ten, unless given.
            Under bars each bar has one.
        references: list of (y, text): thin horizontal lines to compare with.
        image: uint8 array (height, width, 3) spread over the axes behind the curves, the first row on top; or None.
        height: in pixels, titles and labels included.
    """

    curves: Sequence[Curve]
    title: str = ""
    x_label: str = ""
    y_label: str = ""
    x_scale: str = "linear"
    y_scale: str = "linear"
    x_range: tuple | None = None
    y_range: tuple | None = None
    x_ticks: Sequence | None = None
    y_ticks: Sequence | None = None
    references: Sequence = ()
    image: np.ndarray | None = None
    height: int = 340

    def __post_init__(self) -> None:
        for scale, span in ((self.x_scale, self.x_range), (self.y_scale, self.y_range)):
            if scale not in SCALES:
                raise unknown_name("scale", scale, SCALES)
            if span is not None and not (span[0] < span[1] and (scale == "linear" or span[0] > 0)):
                above = "" if scale == "linear" else ", both above 0 on a logarithmic axis"
                raise UserError(f"A range is (low, high) with low < high{above}. Received: {tuple(span)}.")


def draw(panels: Sequence[Panel], width: int = 960, columns: int = 1, title: str = "") -> np.ndarray:
    """Draws panels in reading order.

    Args:
        panels: list of `Panel`; those of a row are as high as the highest.
        width: of the picture, in pixels.
        columns: panels in a row.
        title: text over them all.

    Returns:
        uint8 array (height, width, 3).

    Raises:
        UserError: no panel, or panels so small that their axes have no room.
    """
    canvas: Any = figure(panels, width, columns, title).canvas
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def figure(panels: Sequence[Panel], width: int = 960, columns: int = 1, title: str = "") -> Figure:
    """The same as a `matplotlib.figure.Figure`, each panel's axes in its `axes`; arguments as `draw`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not panels or columns < 1:
        raise UserError(f"draw() takes a panel or more. Received: {len(panels)} panels in {columns} columns.")
    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    heights = [max(panel.height for panel in row) for row in rows]
    head = 2 * _TITLE if title else 0
    height = head + sum(heights)
    drawn = Figure(figsize=(width / _DOTS_PER_INCH, height / _DOTS_PER_INCH), dpi=_DOTS_PER_INCH, facecolor="white")
    FigureCanvasAgg(drawn)
    if title:
        style: dict[str, Any] = {"size": _HEADING * _PIXEL, "color": _INK, "weight": "bold"}
        drawn.text(0.5, 1.0 - 0.5 * (head + 4) / height, title, ha="center", va="center", **style)
    top = head
    for row, row_height in zip(rows, heights, strict=True):
        for column, panel in enumerate(row):
            left, right = width * column // columns, width * (column + 1) // columns
            _add_panel(drawn, panel, (left, height - top - row_height, right, height - top))
        top += row_height
    return drawn


def confusion(
    counts: np.ndarray,
    names: Sequence[str],
    title: str = "",
    row: str = "class of the original",
    column: str = "class found in the translation",
    same: str = "kept",
) -> np.ndarray:
    """Draws how often each class (row) was found to be each other one (column), as shares of the row.

    Args:
        counts: int (classes, classes).
        names: of the classes.
        title: text over it.
        row, column: what a row and a column are.
        same: what is said of the share on the diagonal.

    Returns:
        uint8 array (height, width, 3).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(4.0, 0.42 * len(counts) + 1.4)
    drawn = Figure((side, side), dpi=_DOTS_PER_INCH, facecolor="white", layout="constrained")
    canvas = FigureCanvasAgg(drawn)
    axes = drawn.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    kept = np.trace(counts) / max(counts.sum(), 1)
    axes.set_title(f"{_plain(title)}: {100 * kept:.0f} % {same}", fontsize=_TITLE * _PIXEL, color=_INK)
    axes.set_xlabel(f"{column}, % of the row", fontsize=_TEXT * _PIXEL, color=_INK)
    axes.set_ylabel(row, fontsize=_TEXT * _PIXEL, color=_INK)
    turn = 90 if max(map(len, names)) > 2 else 0
    names = list(map(_plain, names))
    axes.set_xticks(range(len(names)), names, rotation=turn, fontsize=_TEXT * _PIXEL)
    axes.set_yticks(range(len(names)), names, fontsize=_TEXT * _PIXEL)
    for row, column in np.argwhere(shares >= 0.005):
        ink = "white" if shares[row, column] > 0.5 else _INK
        text = f"{100 * shares[row, column]:.0f}"
        axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=(_TEXT - 2) * _PIXEL)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def _plain(text):
    """A text in which no dollar begins a formula."""
    return text.replace("$", r"\$")


def attention(weights: np.ndarray, columns: Sequence[str], rows: Sequence[str]) -> np.ndarray:
    """Draws how much each token of a translation (row) looked at each of its source (column).

    Args:
        weights: float (rows, columns), from 0 to 1.
        columns, rows: the tokens.

    Returns:
        uint8 array (height, width, 3).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = [1.6 + 0.26 * count for count in (len(columns), len(rows))]
    drawn = Figure(size, dpi=_DOTS_PER_INCH, facecolor="white", layout="constrained")
    canvas = FigureCanvasAgg(drawn)
    axes = drawn.add_subplot()
    axes.imshow(weights, cmap="Blues", vmin=0.0, vmax=1.0)
    axes.xaxis.tick_top()
    names = [list(map(_plain, tokens)) for tokens in (columns, rows)]
    axes.set_xticks(range(len(columns)), names[0], rotation=90, fontsize=_TEXT * _PIXEL)
    axes.set_yticks(range(len(rows)), names[1], fontsize=_TEXT * _PIXEL)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def _add_panel(drawn: Figure, panel: Panel, box: tuple) -> None:
    """Adds axes, title and legend inside a box (left, bottom, right, top), in pixels from the figure's lower left."""
    axes = drawn.add_axes((0.0, 0.0, 1.0, 1.0))
    _style(axes, panel)
    pairs = zip(panel.curves, _colours(panel), strict=True)
    handles = [_add_curve(axes, curve, colour, panel) for curve, colour in pairs]
    _set_limits(axes, panel)
    _add_references(axes, panel)
    if panel.image is not None:
        sides = (*axes.get_xlim(), *axes.get_ylim())
        axes.imshow(np.asarray(panel.image, np.uint8), extent=sides, aspect="auto", zorder=0)
    _set_ticks(axes, panel)

    left, bottom, right, top = box[0] + 14, box[1] + 12, box[2] - 22, box[3] - 10
    title_top = top
    top -= _TITLE + 8 if panel.title else 0
    _place(axes, (left, bottom, right, top))
    # What stands left of the axes and below them takes as much room as its text does.
    left, bottom = left + (left - _extent(axes.yaxis).x0), bottom + (bottom - _extent(axes.xaxis).y0)
    _place(axes, (left, bottom, right, top))
    named = [(handle, curve) for handle, curve in zip(handles, panel.curves, strict=True) if curve.label]
    top -= _add_legend(axes, named, (left, top, right)) if named else 4
    if min(right - left, top - bottom) < 40:
        size = f"{box[2] - box[0]}x{box[3] - box[1]}"
        raise UserError(f"A panel of {size} pixels leaves its axes no room. Draw it wider, higher or in fewer columns.")
    _place(axes, (left, bottom, right, top))
    if panel.title:
        text = drawn.text(left, title_top, panel.title, va="top", transform=None, color=_INK, weight="bold")
        _fit(text, _TITLE, right - left)


def _style(axes: Axes, panel: Panel) -> None:
    axes.set_xscale(panel.x_scale)
    axes.set_yscale(panel.y_scale)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_GREY)
    axes.tick_params(which="both", labelsize=(_TEXT - 1) * _PIXEL, labelcolor=_INK, color=_GREY)
    # Minor ticks are shorter by so much; all numbers of an axis stand on one line.
    axes.tick_params(which="minor", pad=5.0)
    axes.set_axisbelow(True)
    if panel.image is None:
        axes.grid(color=_PALE, linewidth=_PIXEL)
    for set_label, text in ((axes.set_xlabel, panel.x_label), (axes.set_ylabel, panel.y_label)):
        set_label(text, size=_TEXT * _PIXEL, color=_INK)


def _colours(panel: Panel) -> list:
    chosen = [curve.colour or PALETTE[index % len(PALETTE)] for index, curve in enumerate(panel.curves)]
    return [tuple(part / 255 for part in colour) for colour in chosen]


def _shown(values: Any, scale: str) -> np.ndarray:
    """Numbers, NaN for those that an axis of the scale cannot show."""
    values = np.asarray(values, np.float64)
    return np.where(np.isfinite(values) & ((values > 0) | (scale == "linear")), values, np.nan)


def _add_curve(axes: Axes, curve: Curve, colour: tuple, panel: Panel) -> Any:
    """Adds a curve, and returns what stands for it in the legend."""
    x, y = _shown(curve.x, panel.x_scale), _shown(curve.y, panel.y_scale)
    if curve.low is not None:
        low, high = _shown(curve.low, panel.y_scale), _shown(curve.high, panel.y_scale)
        axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    if curve.kind == "bars":
        bars = [other for other in panel.curves if other.kind == "bars"]
        whole = 0.8 * min(map(_bar_spacing, bars))
        places = x - whole / 2 + whole * (bars.index(curve) + 0.5) / len(bars)
        return axes.bar(places, y, whole / len(bars), color=colour)
    if curve.kind == "dots":
        size = (curve.size or 7) * _PIXEL
        # Small dots come in crowds and may hide each other; large ones are told apart by their white rim.
        rim = _PIXEL if size >= 5 * _PIXEL else 0.0
        return axes.plot(x, y, "o", color=colour, markersize=size, markeredgecolor="white", markeredgewidth=rim)[0]
    if curve.kind == "area":
        axes.fill_between(x, y, color=colour, alpha=0.24, linewidth=0)
    style: dict[str, Any] = {"linestyle": _DASHES if curve.kind == "dashed" else "-", "solid_capstyle": "round"}
    return axes.plot(x, y, color=colour, linewidth=(curve.size or 2) * _PIXEL, **style)[0]


def _bar_spacing(curve: Curve) -> float:
    """The distance in x between neighbouring bars of a curve."""
    places = np.unique(np.asarray(curve.x)[np.isfinite(curve.x)])
    return float(np.diff(places).min()) if len(places) > 1 else 1.0


_SIDES: dict[str, tuple[str, ...]] = {"x": (), "y": ("low", "high")}


def _set_limits(axes: Axes, panel: Panel) -> None:
    """What holds every curve and reference, with some air but at a line's ends and under what stands on zero."""
    kinds = {curve.kind for curve in panel.curves}
    axes.margins(x=0.04 if kinds & {"bars", "dots"} else 0.0, y=0.06)
    for value, _ in panel.references:
        axes.update_datalim([(np.nan, value)], updatex=False)
    axes.autoscale_view()
    for direction, given, set_limits in (("x", panel.x_range, axes.set_xlim), ("y", panel.y_range, axes.set_ylim)):
        scale = getattr(panel, f"{direction}_scale")
        arrays = [getattr(curve, name) for curve in panel.curves for name in (direction, *_SIDES[direction])]
        values = np.concatenate([_shown(values, scale) for values in arrays if values is not None] or [np.zeros(0)])
        if given is not None:
            set_limits(*given)
        elif not np.isfinite(values).any():
            set_limits(*((0.1, 1.0) if scale == "log" else (0.0, 1.0)))
        elif direction == "y" and scale == "linear" and kinds & {"bars", "area"} and np.nanmin(values) >= 0.0:
            axes.set_ylim(bottom=0.0)


def _add_references(axes: Axes, panel: Panel) -> None:
    from matplotlib.patheffects import withStroke

    for value, text in panel.references:
        axes.axhline(value, color=_GREY, linewidth=1.2 * _PIXEL, linestyle=_DASHES)
        # At the right end of its line, with a white rim so that it can be read over curves.
        rim = [withStroke(linewidth=4 * _PIXEL, foreground="white")]
        style: dict[str, Any] = {"size": (_TEXT - 1) * _PIXEL, "color": _GREY, "path_effects": rim}
        place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
        axes.annotate(text, (1.0, value), (-6 * _PIXEL, 4 * _PIXEL), ha="right", va="bottom", **place, **style)


def _set_ticks(axes: Axes, panel: Panel) -> None:
    """As given; else one for each bar where they have room; else matplotlib's round numbers."""
    bars = [curve.x for curve in panel.curves if curve.kind == "bars"]
    places = np.unique(np.concatenate(bars)) if bars else np.zeros(0)
    under_bars = [(place, f"{place:g}") for place in places] if 0 < len(places) <= 25 else None
    for axis, given, scale in (
        (axes.xaxis, panel.x_ticks or under_bars, panel.x_scale),
        (axes.yaxis, panel.y_ticks, panel.y_scale),
    ):
        if given is not None:
            axis.set_ticks([value for value, _ in given], [text for _, text in given])
            axis.set_ticks([], minor=True)
        else:
            _set_round_ticks(axis, scale)


def _set_round_ticks(axis: Any, scale: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, MaxNLocator, NullLocator

    low, high = axis.get_view_interval()
    decades = np.log10(high / low) if scale == "log" else 0.0
    if decades < 0.5:
        axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10]))
        axis.set_minor_locator(NullLocator())
    powers = LogFormatterMathtext()
    powers.axis = axis

    def text_of(value: float, _: Any) -> str:
        is_plain = decades < 0.5 or (1e-3 <= low and high <= 1e5)
        return f"{value:,.10g}" if is_plain else powers(value)

    def text_between(value: float, _: Any) -> str:
        # Between the powers of ten, where an axis has few of them.
        return text_of(value, None) if decades < 1.5 and f"{value:e}"[0] in "25" else ""

    axis.set_major_formatter(FuncFormatter(text_of))
    axis.set_minor_formatter(FuncFormatter(text_between))


def _place(axes: Axes, box: tuple) -> None:
    """Moves axes to a box (left, bottom, right, top), in pixels."""
    width, height = axes.figure.bbox.size
    left, bottom, right, top = box
    # While what stands beside them is measured, they may have no room yet.
    right, top = max(right, left + 1), max(top, bottom + 1)
    axes.set_position((left / width, bottom / height, (right - left) / width, (top - bottom) / height))


def _fit(text: Any, size: float, width: float) -> None:
    """Sets a text so large, in pixels, or smaller where it would be wider than so many."""
    text.set_size(size * _PIXEL)
    text.set_size(size * _PIXEL * min(1.0, width / _extent(text).width))


def _extent(artist: Any) -> Any:
    """How many pixels an artist takes."""
    return artist.get_tightbbox(artist.get_figure(root=True).canvas.get_renderer())


def _add_legend(axes: Axes, named: list, place: tuple) -> float:
    """Writes a legend above the axes, and returns how many pixels high it is.

    Args:
        axes: of the panel.
        named: list of (handle, curve), each curve with a label.
        place: (left, top, right), in pixels.
    """
    from matplotlib.transforms import IdentityTransform

    left, top, right = place
    columns = len(named)
    for columns in range(len(named), 0, -1):
        # Over the axes, never in them: it hides no curve.
        legend = axes.legend(
            [handle for handle, _ in named],
            [curve.label for _, curve in named],
            loc="upper left",
            bbox_to_anchor=(left, top),
            bbox_transform=IdentityTransform(),
            ncols=columns,
            frameon=False,
            fontsize=_TEXT * _PIXEL,
            labelcolor=_INK,
            borderaxespad=0.0,
            borderpad=0.0,
            columnspacing=1.5,
            handlelength=1.7,
        )
        handles: Any = legend.legend_handles
        for (_, curve), handle in zip(named, handles, strict=True):
            if curve.kind == "dots":
                handle.set_markersize(max(curve.size or 7, 6) * _PIXEL)
        if _extent(legend).width <= right - left:
            break
    texts = legend.get_texts()
    keys = _extent(legend).width - max(_extent(text).width for text in texts)
    for text in texts if columns == 1 else ():
        _fit(text, _TEXT, right - left - keys)
    return _extent(legend).height + 8
