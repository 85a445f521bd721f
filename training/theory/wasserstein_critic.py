"""What a critic with a gradient penalty estimates, where the Wasserstein-1 distance is known."""

import keras
import numpy as np

import keras_gans as kg
from keras_gans.drawing.plot import Curve, Panel

from .gaussian import Gaussian
from .outcome import Evidence, at_most, within
from .playing import Setting, decaying_adam, shifted_critic

STATEMENT = (
    "Under the penalty lambda (||grad f|| - 1)^2 a critic's slope is 1 + W / (2 lambda), its estimate W times that, "
    "and the estimate divided by the slope the exact Wasserstein-1 distance W."
)
SOURCE = "Gulrajani et al. 2017, equation 3; Kantorovich and Rubinstein's duality"

# (shift, lambda). Where f has one slope s, it maximises s W - lambda (s - 1)^2.
CASES = ((1.0, 10.0), (2.0, 10.0), (4.0, 10.0), (2.0, 0.1))
STEPS = 1200
_ESTIMATE_SHARE, _DISTANCE_SHARE, _NOTHING = 0.03, 0.01, 0.03


def check(setting: Setting) -> Evidence:
    """Trains critics between Gaussians whose distance is known, and at no distance at all.

    Returns:
        Evidence.
    """
    claims, points = [], []
    for shift, weight in ((4.0, 10.0),) if setting.quick else CASES:
        _, estimate, slope = shifted_critic(
            kg.schemes.WGANGP, shift, setting, optimizer(), STEPS, gradient_penalty_weight=weight
        )
        claims += _claims(
            f"shift {shift:g}, lambda {weight:g}", exact_shift(shift, setting.seed), weight, estimate, slope
        )
        points.append((shift, weight, estimate, slope))
    if not setting.quick:
        # What moves only along one axis costs what it costs on a line.
        widths = Gaussian(1.5, 1.0).quantiles(20_000), Gaussian(0.0, 0.7).quantiles(20_000)
        _, estimate, slope = shifted_critic(kg.schemes.WGANGP, 1.5, setting, optimizer(), STEPS, (0.7, 1.0))
        distance = kg.metrics.wasserstein_1(*widths)
        claims += _claims("shift 1.5, widths 1 and 0.7", distance, 10.0, estimate, slope)
        points.append((distance, 10.0, estimate, slope))
        nothing = shifted_critic(kg.schemes.WGANGP, 0.0, setting, optimizer(), STEPS)[1]
        claims.append(at_most("no shift: |estimate|", abs(nothing), _NOTHING))
    skipped = ("shifts 0, 1 and 2, lambda 0.1, and unequal widths",) if setting.quick else ()
    return Evidence(tuple(claims), _panels(points), columns=2, skipped=skipped)


def optimizer() -> keras.optimizers.Optimizer:
    """The critic's: the paper's betas, the rate falling to nothing."""
    return decaying_adam(2e-3, STEPS, beta_1=0.0, beta_2=0.9)


def exact_shift(shift: float, seed: int, count: int = 500) -> float:
    """The Wasserstein-1 distance of points of the plane and the same points moved, solved as an assignment."""
    points = np.random.default_rng([seed, 4]).normal(size=(count, 2))
    return kg.metrics.wasserstein_1(points + [shift, 0.0], points)


def _claims(case, distance, weight, estimate, slope):
    expected = distance * (1.0 + distance / (2.0 * weight))
    return [
        within(f"{case}: estimate", estimate, expected, _ESTIMATE_SHARE * expected),
        within(f"{case}: estimate / slope", estimate / slope, distance, _DISTANCE_SHARE * distance),
    ]


def _panels(points):
    distances = np.linspace(0.0, 4.5, 91)
    usual = np.array([(shift, estimate, slope) for shift, weight, estimate, slope in points if weight == 10.0]).T
    raw = [
        Curve(distances, distances, "W", kind="dashed", colour=(110, 110, 110)),
        Curve(distances, distances * (1.0 + distances / 20.0), "W (1 + W / 20)"),
        Curve(usual[0], usual[1], "estimate", kind="dots", size=9),
    ]
    corrected = [
        Curve(distances, distances, "W", colour=(110, 110, 110)),
        Curve(usual[0], usual[1] / usual[2], "lambda 10", kind="dots", size=9, colour=(213, 94, 0)),
    ]
    others = np.array([(shift, estimate / slope) for shift, weight, estimate, slope in points if weight != 10.0]).T
    if others.size:
        corrected.append(Curve(*others, "lambda 0.1", kind="dots", size=5, colour=(0, 158, 115)))
    shared = {"x_label": "exact Wasserstein-1 distance W", "height": 400, "x_range": (0, 4.5), "y_range": (0, 5.6)}
    return [
        Panel(raw, title="The critic's estimate, lambda 10", y_label="E f(x) - E f(G(z))", **shared),
        Panel(corrected, title="Divided by its slope", y_label="estimate / slope", **shared),
    ]
