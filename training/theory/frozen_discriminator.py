"""The best answer to a discriminator that does not move is one point."""

import keras
import numpy as np
from scipy import special

import keras_gans as kg
from keras_gans.drawing.plot import Curve, Panel
from keras_gans.optimizers import Adam

from .outcome import Evidence, at_least, at_most, exactly
from .playing import Setting, fit, location_generator, scores_of, still, train_discriminator

STATEMENT = "The best generator against a fixed discriminator puts all its samples where D is largest: a delta."
SOURCE = "Goodfellow et al. 2014, section 6 (the Helvetica scenario); lecture of 16.11.18"

_STEPS, _BATCH = 1500, 256
_SHARE, _SPREAD = 0.6, 0.5
_EXTENT = 2.0


def check(setting: Setting) -> Evidence:
    """Trains D between a ring of eight Gaussians and the square around it, then G alone against it.

    Returns:
        Evidence.
    """
    keras.utils.set_random_seed(setting.seed)
    generator = kg.networks.mlp_generator((2,), 2, (128, 128), "relu", output_activation=None)
    judge = _discriminator_of_the_ring(setting)
    before = [np.array(weight) for weight in judge.weights]
    model = kg.schemes.VanillaGAN(generator, judge, seed=setting.seed)
    model.compile({"generator": Adam(1e-3, beta_1=0.5), "discriminator": still()}, steps_per_execution=10)
    spread, start = _Spread(every=50), model.sample(2500, seed=50_000)
    fit(model, _ring(setting.seed + 1), [spread, *setting.watch("G against the frozen D", _STEPS)])
    samples, data = model.sample(2500, seed=50_000), _ring(setting.seed)[:10].reshape(-1, 2)
    moved = [np.abs(np.array(weight) - value).max() for weight, value in zip(judge.weights, before, strict=True)]
    highest, of_data = scores_of(model, _square()).max(), scores_of(model, data).mean()
    claims = (
        exactly("how far D's weights moved", max(moved), 0.0),
        at_least("share of the largest mode", _shares(samples).max(), _SHARE, 1.0),
        at_most("standard deviation of the samples", _deviation(samples), _SPREAD, 0.0),
        at_least(
            "their mean score above the data's", scores_of(model, samples).mean() - of_data, 0.0, highest - of_data
        ),
    )
    return Evidence(claims, _panels(model, start, samples, data, spread), columns=2)


class _Spread(kg.callbacks.EveryNSteps):
    """Keeps the deviation of 500 samples as it changes, as (step, deviation)."""

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.seen = [(0, _deviation(self.model.sample(500, seed=50_000)))]

    def on_step(self, step, logs):
        self.seen.append((step, _deviation(self.model.sample(500, seed=50_000))))


def _ring(seed):
    """Fresh points of "ring/wide" for every step, float32 (steps, batch, 2)."""
    radius, sigma = kg.data.RING_RADII["wide"], kg.data.RING_SIGMAS["wide"]
    points, _ = kg.data.embedded.sample_modes(kg.data.ring_centres(radius), sigma, _STEPS * _BATCH, [seed, 1])
    return points.reshape(_STEPS, _BATCH, 2)


def _discriminator_of_the_ring(setting):
    """A discriminator 2-128-1 trained between the ring and the uniform distribution over the square around it."""
    return train_discriminator(
        kg.schemes.VanillaGAN,
        location_generator([0.0, 0.0], _EXTENT),
        kg.networks.mlp_discriminator((2,), (128,)),
        _ring(setting.seed),
        Adam(1e-3, beta_1=0.5),
        seed=setting.seed,
        callbacks=setting.watch("D between the ring and its square", _STEPS),
        latent_prior="uniform",
    ).discriminator


def _square(side=161):
    """Points (side^2, 2) over the square, row by row from the top."""
    ticks = np.linspace(-_EXTENT, _EXTENT, side)
    x, y = np.meshgrid(ticks, ticks[::-1])
    return np.stack([x, y], axis=-1).reshape(-1, 2)


def _shares(samples):
    """The share of the samples whose nearest mode each of the eight is."""
    centres = kg.data.ring_centres(kg.data.RING_RADII["wide"])
    nearest = np.linalg.norm(samples[:, np.newaxis] - centres, axis=-1).argmin(axis=1)
    return np.bincount(nearest, minlength=len(centres)) / len(samples)


def _deviation(samples):
    return float(samples.std(axis=0).mean())


def _panels(model, start, samples, data, spread):
    probability = special.expit(scores_of(model, _square())).reshape(161, 161, 1)
    landscape = (255 - probability * (255 - np.array([120, 180, 225]))).astype("uint8")

    highest = _square()[probability.argmax()]

    def scatter(points, title):
        shown = Curve(*data[:1000].T, "data", kind="dots", size=1.6, colour=(120, 120, 120))
        made = Curve(*points.T, "samples", kind="dots", size=3, colour=(200, 30, 30))
        limits = {"x_range": (-_EXTENT, _EXTENT), "y_range": (-_EXTENT, _EXTENT)}
        peak = Curve(*highest[:, np.newaxis], "argmax D", kind="dots", size=11, colour=(20, 20, 20))
        return Panel([shown, made, peak], title=title, image=landscape, height=500, **limits)

    steps, deviations = np.array(spread.seen).T
    spreading = Panel(
        [Curve(steps, deviations, "samples"), Curve(steps, 0 * steps + _deviation(data), "data", kind="dashed")],
        title="Standard deviation",
        x_label="steps of G, D standing still",
        y_scale="log",
        height=300,
    )
    modes = np.arange(1, 9)
    bars = [Curve(modes, _shares(samples), "samples", kind="bars"), Curve(modes, _shares(data), "data", kind="bars")]
    sharing = Panel(bars, title="Share of each mode", x_label="mode", y_range=(0, 1.0), height=300)
    return [scatter(start, "Before: samples over D(x), dark near 1"), scatter(samples, "After"), spreading, sharing]
