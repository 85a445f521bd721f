"""D*(x) = p(x) / (p(x) + q(x)), and what takes its place under least squares."""

import numpy as np
from scipy import special

import keras_gans as kg
from keras_gans.drawing.plot import Curve, Panel

from .gaussian import DATA, GRID, MADE, integral, optimal_least_squares, optimal_scores
from .outcome import Claim, Evidence, at_most
from .playing import Setting, discriminator_of, scores_of

STATEMENT = "For a fixed generator the best discriminator is D* = p / (p + q); of LSGAN it is (b p + a q) / (p + q)."
SOURCE = "Goodfellow et al. 2014, proposition 1; Mao et al. 2017, equation 5"

_MEAN_LIMIT, _LARGEST_LIMIT = 0.01, 0.06
# LSGAN's targets (a, b, c), and D* under them.
CODINGS = {(0.0, 1.0, 1.0): "p / (p + q)", (-1.0, 1.0, 0.0): "(p - q) / (p + q)"}


def check(setting: Setting) -> Evidence:
    """Trains D against a generator that stands still, and compares it with D* everywhere.

    Returns:
        Evidence.
    """
    model = discriminator_of(DATA, MADE, setting, "the original GAN's D")
    found, best = special.expit(scores_of(model, GRID)), special.expit(optimal_scores(GRID))
    claims, panels = errors("GAN", found, best), [_panel("GAN", "p / (p + q)", found, best)]
    for targets in list(CODINGS)[: 1 if setting.quick else 2]:
        name, formula = f"LSGAN ({', '.join(f'{target:g}' for target in targets)})", CODINGS[targets]
        model = discriminator_of(DATA, MADE, setting, f"{name}: D", kg.schemes.LSGAN, targets=targets)
        found, best = scores_of(model, GRID), optimal_least_squares(GRID, targets)
        claims += errors(name, found, best)
        panels.append(_panel(name, formula, found, best))
    return Evidence(tuple(claims), panels, skipped=("LSGAN (-1, 1, 0)",) if setting.quick else ())


def errors(name: str, found: np.ndarray, best: np.ndarray) -> list[Claim]:
    """The two claims on |D - D*|, both arrays on `GRID`.

    The mean is over (p + q) / 2. The largest is over the middle 99 % of it: farther out there are so few points that D
    is not told its value.
    """
    mixture = (DATA.density(GRID) + MADE.density(GRID)) / 2.0
    error = np.abs(found - best)
    return [
        at_most(f"{name}: mean |D - D*|", integral(error * mixture), _MEAN_LIMIT),
        at_most(f"{name}: largest |D - D*|", error[_in_the_middle(GRID)].max(), _LARGEST_LIMIT),
    ]


def _in_the_middle(points):
    reached = (DATA.distribution(points) + MADE.distribution(points)) / 2.0
    return (reached > 0.005) & (reached < 0.995)


def _panel(name, formula, found, best):
    shown = slice(80_000, 170_001, 100)
    x = GRID[shown]
    dots, values = x[::20], found[shown][::20]
    inside = _in_the_middle(dots)
    curves = [
        Curve(x, DATA.density(x), "p, the data", kind="area", colour=(150, 150, 150)),
        Curve(x, MADE.density(x), "q, the generator", kind="area", colour=(230, 159, 0)),
        Curve(x, best[shown], f"theory: {formula}", colour=(0, 114, 178)),
        Curve(dots[inside], values[inside], "trained D", kind="dots", colour=(213, 94, 0)),
        Curve(dots[~inside], values[~inside], "beyond 99 % of both", kind="dots", colour=(235, 190, 160)),
    ]
    return Panel(curves, title=name, x_label="x", y_label="D(x), density", x_range=(-4, 5), height=300)
