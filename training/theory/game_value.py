"""V(G, D*) = -log 4 + 2 JSD(p || q), least where q = p."""

import math

import numpy as np
import tensorflow as tf

import keras_gans as kg
from keras_gans.drawing.plot import Curve, Panel

from .gaussian import DATA, GRID, MADE, Gaussian, optimal_scores
from .outcome import Evidence, within
from .playing import Setting, discriminator_of, scores_of

STATEMENT = "Against the best discriminator the game's value is -log 4 + 2 JSD(p || q), and -log 4 where q = p."
SOURCE = "Goodfellow et al. 2014, theorem 1"

_TRAINED_TOLERANCE, _QUADRATURE_TOLERANCE = 0.005, 1e-4


def check(setting: Setting) -> Evidence:
    """Computes the value by quadrature all the way from q = p outwards, and by trained discriminators on it.

    Returns:
        Evidence.
    """
    way = np.linspace(0.0, 2.0, 41)
    divergences = np.array([divergence(DATA, made_at(t)) for t in way])
    values = np.array([value_of_best(DATA, made_at(t)) for t in way])
    gaps = np.abs(values + math.log(4.0) - 2.0 * divergences)
    claims = [
        within("V(D*) at q = p", values[0], -math.log(4.0), 1e-6),
        within("V(D*) + log 4 at q = N(1.5, 0.7)", *_sides(MADE), _QUADRATURE_TOLERANCE),
        within("largest |V(D*) + log 4 - 2 JSD|", gaps.max(), 0.0, _QUADRATURE_TOLERANCE),
    ]
    places = (0.0,) if setting.quick else (0.0, 0.5, 1.0, 2.0)
    trained = []
    for t in places:
        made = made_at(t)
        model = discriminator_of(DATA, made, setting, f"D against q = {text_of(made)}")
        scores = (scores_of(model, gaussian.quantiles()) for gaussian in (DATA, made))
        trained.append(value_of(*scores))
        expected = -math.log(4.0) + 2.0 * divergence(DATA, made)
        label = "V(D) at q = p" if t == 0.0 else f"V(D) at q = {text_of(made)}"
        claims.append(within(label, trained[-1], expected, _TRAINED_TOLERANCE))
    panel = _panel(way, divergences, values, places, np.array(trained))
    skipped = ("trained D anywhere but at q = p",) if setting.quick else ()
    return Evidence(tuple(claims), [panel], skipped=skipped)


def made_at(t: float) -> Gaussian:
    """q on a way that leaves p at t = 0 and passes N(1.5, 0.7) at t = 1."""
    return Gaussian(1.5 * t, 1.0 - 0.3 * t)


def text_of(gaussian: Gaussian) -> str:
    """N(mean, deviation)."""
    return f"N({gaussian.mean:g}, {gaussian.deviation:g})"


def divergence(data: Gaussian, made: Gaussian) -> float:
    """JSD(p || q) in nats, by quadrature."""
    return kg.metrics.jensen_shannon_divergence(data.density(GRID), made.density(GRID))


def value_of(real_scores: np.ndarray, fake_scores: np.ndarray) -> float:
    """V(D), the negative of the discriminator's loss, from its scores."""
    return -float(kg.losses.minimax_discriminator(tf.constant(real_scores), tf.constant(fake_scores)))


def value_of_best(data: Gaussian, made: Gaussian) -> float:
    """V(D*) from the scores of D* at the quantiles of both."""
    return value_of(*(optimal_scores(gaussian.quantiles(), data, made) for gaussian in (data, made)))


def _sides(made):
    return value_of_best(DATA, made) + math.log(4.0), 2.0 * divergence(DATA, made)


def _panel(way, divergences, values, places, trained):
    curves = [
        Curve(way, 2.0 * divergences, "2 JSD(p || q), by quadrature", size=6, colour=(170, 205, 230)),
        Curve(way, values + math.log(4.0), "V(D*) + log 4, from the loss", kind="dashed", colour=(40, 40, 40)),
        Curve(places, trained + math.log(4.0), "V(trained D) + log 4", kind="dots", size=9),
    ]
    return Panel(
        curves,
        title="The value of the game",
        x_label="t, where p = N(0, 1) and q = N(1.5 t, 1 - 0.3 t)",
        y_label="nats above -log 4",
        references=[(math.log(4.0), "log 4: no common support")],
        x_range=(-0.05, 2.05),
        height=400,
    )
