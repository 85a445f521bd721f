"""What three distances say of distributions that share no support."""

import math

import numpy as np

import keras_gans as kg
from keras_gans.drawing.plot import Curve, Panel

from .outcome import Evidence, exactly, within
from .playing import Setting

STATEMENT = "Without common support JSD is log 2 and KL infinite however far apart; Wasserstein-1 is the distance."
SOURCE = "Arjovsky et al. 2017, example 1"

_TOLERANCE = 1e-9
_BINS, _WIDTH = 20, 3
# The lecture's die: its 4 never falls and its 6 falls twice as often.
DIE = np.array([1, 1, 1, 0, 1, 2]) / 6.0
FAIR = np.full(6, 1 / 6.0)
FACES = np.arange(1.0, 7.0)


def check(setting: Setting) -> Evidence:
    """Computes the distances of two uniform distributions as one moves away, and of the lecture's die.

    Args:
        setting: nothing here is random.

    Returns:
        Evidence.
    """
    shifts = range(_BINS - _WIDTH + 1)
    table = {shift: distances(*uniforms(shift)) for shift in shifts}
    claims = []
    # At a shift of 1 two of three bins are still shared: JSD is a third of log 2, but KL is infinite already.
    for shift, expected in ((1, math.log(2.0) / 3.0), (3, math.log(2.0)), (9, math.log(2.0))):
        kl, jsd, w1 = table[shift]
        claims += [
            exactly(f"KL at shift {shift}", kl, math.inf),
            within(f"JSD at shift {shift}", jsd, expected, _TOLERANCE),
            within(f"W1 at shift {shift}", w1, shift, _TOLERANCE),
        ]
    return Evidence((*claims, *_die_claims()), _panels(table), columns=2)


def uniforms(shift: int) -> tuple[np.ndarray, np.ndarray]:
    """Two uniform distributions over three of twenty places, `shift` apart: probabilities (20,) each."""
    first = np.zeros(_BINS)
    first[:_WIDTH] = 1.0 / _WIDTH
    return first, np.roll(first, shift)


def distances(p: np.ndarray, q: np.ndarray, places: np.ndarray | None = None) -> tuple[float, float, float]:
    """(KL(p || q), JSD, W1) of probabilities over the same places, 0, 1, 2, ... unless given."""
    places = np.arange(float(len(p))) if places is None else places
    # Every share here is so many sixths: six or more points with those shares are the distribution itself.
    points = (np.repeat(places, np.rint(6.0 * shares).astype(int)) for shares in (p, q))
    return kg.metrics.kl_divergence(p, q), kg.metrics.jensen_shannon_divergence(p, q), kg.metrics.wasserstein_1(*points)


def _die_claims():
    """By hand. Only the faces 4 and 6 differ: JSD = (2 log(4/3) / 6 + (log 2 + log(2/3)) / 6) / 2 = log(4/3) / 4.

    And the sixth that never falls on 4 goes to 6, two faces on.
    """
    kl, jsd, w1 = distances(DIE, FAIR, FACES)
    return (
        within("die: KL(die || fair)", kl, math.log(2.0) / 3.0, _TOLERANCE),
        exactly("die: KL(fair || die)", kg.metrics.kl_divergence(FAIR, DIE), math.inf),
        within("die: JSD", jsd, math.log(4.0 / 3.0) / 4.0, _TOLERANCE),
        within("die: W1", w1, 1.0 / 3.0, _TOLERANCE),
    )


def _panels(table):
    shifts = np.array(list(table), float)
    _, divergences, transported = (np.array(column) for column in zip(*table.values(), strict=True))
    growing = Panel([Curve(shifts, transported, "Wasserstein-1")], title="Still growing", x_label="shift", height=300)
    constant = Panel(
        [Curve(shifts, divergences, "JSD, in nats")],
        title="Constant; KL is infinite from a shift of 1 on",
        x_label="shift",
        y_range=(0.0, 0.8),
        references=[(math.log(2.0), "log 2")],
        height=300,
    )
    places, (first, second) = np.arange(float(_BINS)), uniforms(_WIDTH)
    apart = Panel(
        [Curve(places, first, "p", kind="bars"), Curve(places, second, "q", kind="bars")],
        title="p and q at a shift of 3",
        x_label="place",
        height=280,
    )
    dice = Panel(
        [Curve(FACES, DIE, "the lecture's die", kind="bars"), Curve(FACES, FAIR, "a fair die", kind="bars")],
        title="Where one face never falls",
        x_label="face",
        height=280,
    )
    return [growing, constant, apart, dice]
