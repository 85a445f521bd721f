"""Mode collapse, made on purpose: a discriminator too slow to follow."""

import numpy as np

import keras_gans as kg
from keras_gans.drawing.plot import Curve, Panel

from ..recipe import named
from ..train import build_for, open_data, to_dataset
from .outcome import Evidence, at_least, at_most
from .playing import Setting

STATEMENT = "A generator that runs ahead of its discriminator gives up most modes, and hops from one to the next."
SOURCE = "Goodfellow et al. 2014, section 6 (the Helvetica scenario); recipe gan_ring"

_LOOKS, _MOST_MODES = 10, 3


def check(setting: Setting) -> Evidence:
    """Trains the recipe gan_ring and counts the modes it holds at the last five of ten looks.

    Returns:
        Evidence.
    """
    recipe = named("gan_ring").replace(seed=setting.seed)
    source = open_data(recipe)
    model = build_for(recipe, source)
    looks = _Looks(every=recipe.steps // _LOOKS)
    callbacks = [looks, *setting.watch("G ahead of a slow D", recipe.steps)]
    model.fit(to_dataset(recipe, source), steps_per_epoch=recipe.steps, epochs=1, verbose=0, callbacks=callbacks)
    late = [found.covered for _, _, found in looks.seen[-5:]]
    claims = (
        at_most("most modes at the last five of ten looks", max(late), _MOST_MODES, 1.0),
        # A generator that reaches no mode has not collapsed: it has not learned.
        at_least("most modes at any look", max(found.covered for _, _, found in looks.seen), 1.0, 1.0),
    )
    return Evidence(claims, _panels(looks, source.samples), columns=2)


class _Looks(kg.callbacks.EveryNSteps):
    """Keeps (step, samples, coverage) every so many steps."""

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.seen = []

    def on_step(self, step, logs):
        samples = self.model.sample(2500, seed=50_000)
        centres, sigma = kg.data.ring_centres(kg.data.RING_RADII["wide"]), kg.data.RING_SIGMAS["wide"]
        # Wider than three sigma: what counts is where the samples are, not how sharp.
        self.seen.append((step, samples, kg.metrics.mode_coverage(samples, centres, sigma, radius=0.4 / 1.414)))


def _panels(looks, data):
    steps = np.array([step for step, _, _ in looks.seen])
    covered = np.array([found.covered for _, _, found in looks.seen])
    shares = np.array([found.largest_share for _, _, found in looks.seen])
    counted = Panel(
        [Curve(steps, covered, "modes with 1 % of the samples or more", kind="bars")],
        title="Modes held",
        x_label="step",
        y_range=(0, 9.5),
        references=[(8, "the data"), (_MOST_MODES, "bound")],
        height=300,
    )
    shared = Panel(
        [Curve(steps, shares, "share of the largest mode")],
        title="Largest mode",
        x_label="step",
        y_range=(0, 1.05),
        references=[(1 / 8, "the data")],
        height=300,
    )
    return [counted, shared, *(_scatter(looks.seen[index], data) for index in (-2, -1))]


def _scatter(look, data):
    step, samples, _ = look
    curves = [
        Curve(*np.asarray(data)[:1000].T, "data", kind="dots", size=1.6, colour=(120, 120, 120)),
        Curve(*samples.T, "samples", kind="dots", size=3, colour=(200, 30, 30)),
    ]
    return Panel(curves, title=f"Step {step:,}", x_range=(-2.2, 2.2), y_range=(-2.2, 2.2), height=500)
