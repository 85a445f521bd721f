"""From data to pixels along one axis of a plot: its range, its scale and its ticks."""

import math

import numpy as np

SCALES = ("linear", "log")


class Axis:
    """From data to pixels along one direction.

    Args:
        limits: (low, high) in the data's units.
        scale: one of `SCALES`.

    Attributes:
        start, end: pixels of the two limits; to be set once the room for the axis is known.
    """

    def __init__(self, limits, scale):
        self.is_log = scale == "log"
        self.low, self.high = self._internal(np.asarray(limits, np.float64))
        self.start, self.end = 0.0, 1.0

    def _internal(self, values):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(np.where(values > 0, values, np.nan)) if self.is_log else values

    def pixels(self, values):
        """Pixel positions, NaN where there is none; far outside they are cut, for Pillow counts in 32 bits."""
        values = self._internal(np.asarray(values, np.float64))
        position = self.start + (values - self.low) / (self.high - self.low) * (self.end - self.start)
        return np.where(np.isfinite(values), np.clip(position, -1e6, 1e6), np.nan)

    def ticks(self, room):
        """[(value, text)] of at most about `room` ticks inside the axis."""
        if self.is_log and self.high - self.low >= 1.0:
            stride = max(1, math.ceil((self.high - self.low) / max(room, 1)))
            exponents = range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1)
            return [(10.0**e, _power_text(e)) for e in exponents if e % stride == 0]
        low, high = (10.0**self.low, 10.0**self.high) if self.is_log else (self.low, self.high)
        step = _nice_step((high - low) / max(room, 1))
        values = [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
        decimals = max(0, -math.floor(math.log10(step) + 1e-9) + (1 if f"{step:e}".startswith("2.5") else 0))
        if decimals > 5 or max(abs(low), abs(high)) >= 1e7:
            return [(value, f"{value:.3g}") for value in values]
        return [(value, f"{value + 0.0:,.{decimals}f}") for value in values]


def _power_text(exponent):
    return f"{10.0**exponent:g}" if -4 <= exponent <= 3 else f"1e{exponent}"


def _nice_step(least):
    """The least of 1, 2, 2.5, 5 times a power of ten that is `least` or more."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= least * (1 - 1e-9))


def limits(panel, direction):
    """(low, high) of an axis: as given, or what holds all that is drawn, with a little air."""
    given, scale = getattr(panel, f"{direction}_range"), getattr(panel, f"{direction}_scale")
    if given is not None:
        return given
    arrays = [getattr(curve, direction) for curve in panel.curves]
    stands_on_zero = False
    if direction == "y":
        arrays += [side for curve in panel.curves if curve.low is not None for side in (curve.low, curve.high)]
        arrays += [np.asarray([value for value, _ in panel.references], np.float64)]
        stands_on_zero = scale == "linear" and any(curve.kind in ("bars", "area") for curve in panel.curves)
    values = np.concatenate([*arrays, np.zeros(int(stands_on_zero))])
    values = values[np.isfinite(values) & ((values > 0) | (scale == "linear"))]
    if not len(values):
        return (0.1, 1.0) if scale == "log" else (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if scale == "log":
        air = max(0.05 * math.log10(high / low), 0.1)
        return low / 10.0**air, high * 10.0**air
    is_line = direction == "x" and not any(curve.kind in ("bars", "dots") for curve in panel.curves)
    widest_bar = max((bar_spacing(curve) for curve in panel.curves if curve.kind == "bars"), default=0.0)
    air = 0.5 * widest_bar if direction == "x" else 0.0
    air = max(air, 0.0 if is_line else 0.06 * (high - low)) or (0.0 if high > low else 0.5 * abs(high) or 0.5)
    return (0.0 if stands_on_zero and low == 0.0 else low - air), high + air


def bar_spacing(curve):
    """The distance in x between neighbouring bars of a curve."""
    places = np.unique(curve.x[np.isfinite(curve.x)])
    return float(np.diff(places).min()) if len(places) > 1 else 1.0


def ticks(panel, direction, axis, room):
    """[(value, text)] of an axis: as given, one for each bar, or at most about `room` round numbers."""
    given = getattr(panel, f"{direction}_ticks")
    if given is not None:
        return list(given)
    bars = [curve.x for curve in panel.curves if curve.kind == "bars"] if direction == "x" else []
    places = np.unique(np.concatenate(bars)) if bars else []
    return [(place, f"{place:g}") for place in places] if 0 < len(places) <= 2 * room else axis.ticks(room)
