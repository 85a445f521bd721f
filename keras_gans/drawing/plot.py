"""The one place that draws curves: panels of lines, points, bars and areas over axes with ticks and a legend.

    picture = plot.draw([plot.Panel([plot.Curve(steps, losses, "loss")], x_label="step")])
    picture.save_png(picture, "loss.png")

Text is set in the typeface that comes with Pillow, which has the characters of ASCII and little else: write lambda, not
its letter. The same call gives the same pixels on every machine.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_gans.drawing.axes import SCALES, Axis, bar_spacing, limits, ticks
from keras_gans.errors import UserError, unknown_name

KINDS = ("line", "dashed", "dots", "bars", "area")
# Okabe and Ito's colours, which people who see few colours tell apart too.
PALETTE = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233), (90, 90, 90))
_INK, _GREY, _PALE, _WHITE = (40, 40, 40), (110, 110, 110), (226, 226, 226), (255, 255, 255)
# Everything is drawn so many times larger and then reduced, which smooths lines that Pillow draws jagged.
_FINER = 3
_TEXT, _TITLE = 13, 16


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

    x: Sequence
    y: Sequence
    label: str = ""
    kind: str = "line"
    colour: tuple | None = None
    low: Sequence | None = None
    high: Sequence | None = None
    size: float | None = None

    def __post_init__(self):
        if self.kind not in KINDS:
            raise unknown_name("kind of curve", self.kind, KINDS)
        if (self.low is None) != (self.high is None):
            raise UserError(f"A band has a low and a high side. Received for {self.label!r}: one of the two.")
        for name in ("x", "y", "low", "high"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, np.asarray(getattr(self, name), np.float64).reshape(-1))
                if getattr(self, name).shape != self.x.shape:
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

    curves: Sequence
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

    def __post_init__(self):
        for scale, span in ((self.x_scale, self.x_range), (self.y_scale, self.y_range)):
            if scale not in SCALES:
                raise unknown_name("scale", scale, SCALES)
            if span is not None and not (span[0] < span[1] and (scale == "linear" or span[0] > 0)):
                above = "" if scale == "linear" else ", both above 0 on a logarithmic axis"
                raise UserError(f"A range is (low, high) with low < high{above}. Received: {tuple(span)}.")


def draw(panels, width=960, columns=1, title=""):
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
    if not panels or columns < 1:
        raise UserError(f"draw() takes a panel or more. Received: {len(panels)} panels in {columns} columns.")
    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    heights = [max(panel.height for panel in row) for row in rows]
    head = 2 * _TITLE if title else 0
    canvas = Image.new("RGB", (width * _FINER, (head + sum(heights)) * _FINER), _WHITE)
    if title:
        text = _Text(canvas)
        text.write(width * _FINER / 2, (head + 4) * _FINER / 2, title, "mm", _TITLE * 1.15, is_bold=True)
    top = head
    for row, height in zip(rows, heights, strict=True):
        for column, panel in enumerate(row):
            box = (width * column // columns, top, width * (column + 1) // columns, top + height)
            _draw_panel(canvas, panel, [edge * _FINER for edge in box])
        top += height
    return np.asarray(canvas.resize((width, top), Image.Resampling.BOX))


class _Text:
    """Writing on an image, in sizes of the reduced picture."""

    def __init__(self, image):
        self.image = image
        self.drawing = ImageDraw.Draw(image)

    def font(self, size=_TEXT):
        return ImageFont.load_default(size * _FINER)

    def width(self, text, size=_TEXT):
        return self.font(size).getlength(text)

    def write(self, x, y, text, anchor, size=_TEXT, colour=_INK, is_bold=False):
        # There is no bold face: written twice, a little apart, the strokes are thicker.
        for right in range(3 if is_bold else 1):
            self.drawing.text((x + right, y), text, colour, self.font(size), anchor=anchor)

    def write_over(self, x, y, text, anchor, colour):
        """Text with a white rim, so that it can be read over curves."""
        rim = {"stroke_width": 2 * _FINER, "stroke_fill": _WHITE}
        self.drawing.text((x, y), text, colour, self.font(_TEXT - 1), anchor=anchor, **rim)

    def write_upwards(self, x, y, text):
        """Text turned by a quarter, its middle at (x, y)."""
        width, height = int(self.width(text)) + 2, 2 * _TEXT * _FINER
        strip = Image.new("RGB", (width, height), _WHITE)
        ImageDraw.Draw(strip).text((width / 2, height / 2), text, _INK, self.font(), anchor="mm")
        self.image.paste(strip.rotate(90, expand=True), (int(x - height / 2), int(y - width / 2)))


def _draw_panel(canvas, panel, box):
    text, unit = _Text(canvas), _FINER
    x_axis, y_axis = Axis(limits(panel, "x"), panel.x_scale), Axis(limits(panel, "y"), panel.y_scale)
    colours = [curve.colour or PALETTE[index % len(PALETTE)] for index, curve in enumerate(panel.curves)]
    y_ticks = ticks(panel, "y", y_axis, (panel.height - 90) / 42)
    widest = max((text.width(label) for _, label in y_ticks), default=0.0)
    left = int(box[0] + (18 + (_TEXT + 8 if panel.y_label else 0)) * unit + widest)
    right = box[2] - 22 * unit
    top = box[1] + (10 + (_TITLE + 8 if panel.title else 0)) * unit
    top = int(_legend(text, panel, colours, (left, right), top))
    bottom = box[3] - (18 + _TEXT + (_TEXT + 8 if panel.x_label else 0)) * unit
    if min(right - left, bottom - top) < 40 * unit:
        size = f"{(box[2] - box[0]) // unit}x{(box[3] - box[1]) // unit}"
        raise UserError(f"A panel of {size} pixels leaves its axes no room. Draw it wider, higher or in fewer columns.")
    x_ticks = ticks(panel, "x", x_axis, (right - left) / unit / 70)
    if panel.title:
        text.write(left, box[1] + 10 * unit, panel.title, "lt", _TITLE, is_bold=True)
    x_axis.start, x_axis.end = 0.0, float(right - left)
    y_axis.start, y_axis.end = float(bottom - top), 0.0
    canvas.paste(_inside(panel, colours, x_axis, y_axis, x_ticks, y_ticks), (left, top))
    _frame(text, panel, (left, top, right, bottom), box, (x_axis, x_ticks), (y_axis, y_ticks))


def _legend(text, panel, colours, sides, top):
    """Writes the legend in rows from `top` on, and returns where the axes may begin."""
    unit, x = _FINER, sides[0]
    names = [(curve, colour) for curve, colour in zip(panel.curves, colours, strict=True) if curve.label]
    for index, (curve, colour) in enumerate(names):
        width = 28 * unit + text.width(curve.label)
        if index and x + width > sides[1]:
            x, top = sides[0], top + (_TEXT + 7) * unit
        middle = top + 0.5 * _TEXT * unit
        if curve.kind in ("bars", "area"):
            text.drawing.rectangle([x, middle - 5 * unit, x + 20 * unit, middle + 5 * unit], colour)
        elif curve.kind == "dots":
            _dots(text.drawing, np.array([x + 10.0 * unit]), np.array([middle]), colour, max(curve.size or 7, 6))
        else:
            path = np.array([[x, middle], [x + 20 * unit, middle]])
            _line(text.drawing, path, colour, curve.size or 2, curve.kind == "dashed")
        text.write(x + 26 * unit, middle, curve.label, "lm")
        x += width + 20 * unit
    return top + ((_TEXT + 12) if names else 4) * unit


def _inside(panel, colours, x_axis, y_axis, x_ticks, y_ticks):
    """What lies between the axes, as an image of its own so that nothing is drawn past them."""
    width, height = int(x_axis.end), int(y_axis.start)
    image = Image.new("RGB", (width, height), _WHITE)
    drawing = ImageDraw.Draw(image, "RGBA")
    if panel.image is not None:
        image.paste(Image.fromarray(np.asarray(panel.image, np.uint8)).resize((width, height)), (0, 0))
    else:
        for x in x_axis.pixels([value for value, _ in x_ticks]):
            drawing.line([x, 0, x, height], _PALE, _FINER)
        for y in y_axis.pixels([value for value, _ in y_ticks]):
            drawing.line([0, y, width, y], _PALE, _FINER)
    bars = [curve for curve in panel.curves if curve.kind == "bars"]
    for curve, colour in zip(panel.curves, colours, strict=True):
        _draw_curve(drawing, curve, colour, x_axis, y_axis, bars)
    for value, label in panel.references:
        y = float(y_axis.pixels(value))
        _line(drawing, np.array([[0, y], [width, y]]), _GREY, 1.2, dashed=True)
        _Text(image).write_over(width - 6 * _FINER, y - 4 * _FINER, label, "rs", _GREY)
    return image


def _draw_curve(drawing, curve, colour, x_axis, y_axis, bars):
    x, y = x_axis.pixels(curve.x), y_axis.pixels(curve.y)
    # On a logarithmic axis zero lies at the bottom.
    ground = y_axis.start if y_axis.is_log else float(y_axis.pixels(0.0))
    if curve.low is not None:
        for piece in _pieces(np.stack([x, y_axis.pixels(curve.low), y_axis.pixels(curve.high)], axis=1)):
            outline = np.concatenate([piece[:, [0, 1]], piece[::-1][:, [0, 2]]])
            drawing.polygon([tuple(point) for point in outline], (*colour, 45))
    if curve.kind == "bars":
        _bars(drawing, curve, (x, y, ground), colour, x_axis, bars)
    elif curve.kind == "dots":
        known = np.isfinite(x) & np.isfinite(y)
        _dots(drawing, x[known], y[known], colour, curve.size or 7)
    else:
        for piece in _pieces(np.stack([x, y], axis=1)):
            piece = _thinned(piece)
            if curve.kind == "area":
                outline = [(piece[0, 0], ground), *map(tuple, piece), (piece[-1, 0], ground)]
                drawing.polygon(outline, (*colour, 60))
            _line(drawing, piece, colour, curve.size or 2, curve.kind == "dashed")


def _bars(drawing, curve, pixels, colour, x_axis, bars):
    spacing = min(bar_spacing(other) for other in bars)
    whole = 0.8 * abs(float(x_axis.pixels(curve.x[0] + spacing) - x_axis.pixels(curve.x[0])))
    place = bars.index(curve)
    x, y, ground = pixels
    for left, end in zip(x - whole / 2 + whole * place / len(bars), y, strict=True):
        if np.isfinite(left) and np.isfinite(end):
            drawing.rectangle([left, min(end, ground), left + whole / len(bars), max(end, ground)], colour)


def _dots(drawing, x, y, colour, size):
    radius = size * _FINER / 2
    # Small dots come in crowds and may hide each other; large ones are told apart by their white rim.
    rim = _WHITE if size >= 5 else None
    for left, top in zip(x - radius, y - radius, strict=True):
        drawing.ellipse([left, top, left + 2 * radius, top + 2 * radius], colour, rim, _FINER if rim else 0)


def _line(drawing, points, colour, size, dashed):
    width = max(1, round(size * _FINER))
    if not dashed:
        drawing.line([tuple(point) for point in points], colour, width, joint="curve")
        return
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    period = 10.0 * _FINER
    for start in np.arange(0.0, length[-1], period)[:20_000]:
        corners = length[(length > start) & (length < start + 0.6 * period)]
        stops = np.array([start, *corners, min(start + 0.6 * period, length[-1])])
        dash = np.stack([np.interp(stops, length, points[:, k]) for k in (0, 1)], axis=1)
        drawing.line([tuple(point) for point in dash], colour, width)


def _pieces(points):
    """The stretches of an array (n, d) between rows that hold a NaN."""
    known = np.isfinite(points).all(axis=1)
    cuts = np.flatnonzero(np.diff(known.astype(int))) + 1
    return [piece for piece in np.split(points, cuts) if len(piece) and np.isfinite(piece).all()]


def _thinned(points, most=4000):
    """A long path cut to the lowest and the highest point of each stretch, which look the same."""
    if len(points) <= most:
        return points
    kept = []
    for stretch in np.array_split(np.arange(len(points)), most // 2):
        ends = stretch[[points[stretch, 1].argmin(), points[stretch, 1].argmax()]]
        kept.extend(sorted(set(ends.tolist())))
    return points[kept]


def _frame(text, panel, axes, box, x_axis_and_ticks, y_axis_and_ticks):
    """The axes' lines, ticks and labels."""
    unit, (left, top, right, bottom) = _FINER, axes
    (x_axis, x_ticks), (y_axis, y_ticks) = x_axis_and_ticks, y_axis_and_ticks
    text.drawing.line([left, top, left, bottom, right, bottom], _GREY, unit)
    for position, (_, label) in zip(x_axis.pixels([value for value, _ in x_ticks]), x_ticks, strict=True):
        text.drawing.line([left + position, bottom, left + position, bottom + 4 * unit], _GREY, unit)
        text.write(left + position, bottom + 7 * unit, label, "mt")
    for position, (_, label) in zip(y_axis.pixels([value for value, _ in y_ticks]), y_ticks, strict=True):
        text.drawing.line([left - 4 * unit, top + position, left, top + position], _GREY, unit)
        text.write(left - 7 * unit, top + position, label, "rm")
    if panel.x_label:
        text.write((left + right) / 2, box[3] - 10 * unit, panel.x_label, "ms")
    if panel.y_label:
        text.write_upwards(box[0] + (10 + _TEXT / 2) * unit, (top + bottom) / 2, panel.y_label)
