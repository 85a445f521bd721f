"""Training one player alone with the project's own schemes, by `fit`, on points whose distribution is known."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

import keras_gans as kg
from keras_gans.hints import Tensor
from keras_gans.optimizers import Adam

from .gaussian import Gaussian

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


@dataclasses.dataclass(frozen=True)
class Setting:
    """How a check is to run.

    Attributes:
        seed: of weights, data and latents.
        quick: whether to leave out what costs much and shows little more.
        watch: function of (what is being trained, its steps) that returns callbacks for `fit`.
    """

    seed: int = 0
    quick: bool = False
    watch: Callable = lambda text, steps: []


class Location(keras.layers.Layer):
    """z -> mean + deviation * z, with the mean as its only weight.

    Args:
        mean: sequence (d,).
        deviation: scalar or sequence (d,) that never changes.
    """

    def __init__(self, mean: Sequence[float], deviation: float | Sequence[float], **kwargs: Any):
        super().__init__(**kwargs)
        self.mean = self.add_weight(name="mean", shape=(len(mean),), initializer="zeros")
        self.mean.assign(mean)
        self.deviation = np.asarray(deviation, np.float32)

    def call(self, latents: Tensor) -> Tensor:
        return self.mean + self.deviation * latents


def location_generator(mean: Sequence[float], deviation: float | Sequence[float] = 1.0) -> keras.Model:
    """A generator whose samples have a known distribution, and whose gradient is that of its mean.

    Args:
        mean: sequence (d,), of the samples of latents N(0, I).
        deviation: of the samples, one number or one for each of the d coordinates.

    Returns:
        keras.Model: (batch, d) -> (batch, d).
    """
    latents = keras.Input((len(mean),), name="z")
    return keras.Model(latents, Location(mean, deviation)(latents), name="generator")


def still() -> keras.optimizers.Optimizer:
    """An optimizer under which a player takes its steps and stays where it is."""
    return keras.optimizers.SGD(0.0)


def decaying_adam(rate: float, steps: int, **options: Any) -> keras.optimizers.Optimizer:
    """Adam whose rate falls to nothing by a cosine over so many steps: what is left is the optimum, not the noise."""
    return Adam(keras.optimizers.schedules.CosineDecay(rate, steps), **options)


def normal_points(
    seed: int,
    steps: int,
    batch_size: int,
    mean: Sequence[float] = (0.0,),
    deviation: float | Sequence[float] = 1.0,
) -> np.ndarray:
    """Fresh draws of independent Gaussians for every step: float32 (steps, batch_size, d)."""
    shape = (steps, batch_size, len(mean))
    return (np.asarray(mean) + np.asarray(deviation) * np.random.default_rng(seed).normal(size=shape)).astype("float32")


def fit(
    model: "AdversarialModel", batches: np.ndarray, callbacks: Iterable[keras.callbacks.Callback] = ()
) -> dict[str, float]:
    """`model.fit` on an array of batches (steps, batch_size, d), each seen once.

    Returns:
        {curve: its mean over the steps}.
    """
    dataset = tf.data.Dataset.from_tensor_slices(batches)
    history = model.fit(dataset, verbose=0, callbacks=list(callbacks)).history
    return {name: float(values[-1]) for name, values in history.items()}


def train_discriminator(
    scheme: "type[AdversarialModel]",
    generator: keras.Model,
    discriminator: keras.Model,
    batches: np.ndarray,
    optimizer: keras.optimizers.Optimizer,
    *,
    seed: int,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    **options: Any,
) -> "AdversarialModel":
    """Trains a discriminator or critic to the end, against a generator that stays as it is.

    Args:
        scheme: class of the scheme.
        generator, discriminator: keras.Model.
        batches: float32 (steps, batch_size, d) of real points.
        optimizer: of the discriminator.
        seed: of the model.
        callbacks: for `fit`.
        **options: of the scheme.

    Returns:
        The model.
    """
    model = scheme(generator, discriminator, seed=seed, **options)
    # Many steps in one call: networks this small are trained faster than Python can ask for the next step.
    model.compile({"discriminator": optimizer, "generator": still()}, steps_per_execution=50)
    fit(model, batches, callbacks)
    return model


def scores_of(model: "AdversarialModel", points: np.ndarray) -> np.ndarray:
    """A discriminator's raw scores of points (n,) or (n, d), float64 (n,)."""
    points = np.asarray(points, np.float32)
    points = points[:, np.newaxis] if points.ndim == 1 else points
    chunks = np.array_split(points, max(1, len(points) // 25_000))
    scores = [model.score(tf.constant(chunk)).numpy()[:, 0] for chunk in chunks]
    return np.concatenate(scores).astype(np.float64)


def discriminator_of(
    data: Gaussian,
    made: Gaussian,
    setting: Setting,
    text: str,
    scheme: "type[AdversarialModel]" = kg.schemes.VanillaGAN,
    steps: int = 1500,
    **options: Any,
) -> "AdversarialModel":
    """A discriminator of points on a line, trained between two Gaussians on batches of 512.

    Args:
        data, made: of the real points and of the generator's.
        setting: its seed, and who watches.
        text: what the progress display calls it.
        scheme: class of the scheme.
        steps: of training.
        **options: of the scheme.

    Returns:
        The model.
    """
    keras.utils.set_random_seed(setting.seed)
    return train_discriminator(
        scheme,
        location_generator([made.mean], made.deviation),
        kg.networks.mlp_discriminator((1,), (64, 64)),
        normal_points([setting.seed, 1], steps, 512, [data.mean], data.deviation),
        decaying_adam(3e-3, steps, beta_1=0.9),
        seed=setting.seed,
        callbacks=setting.watch(text, steps),
        **options,
    )


def shifted_critic(
    scheme: "type[AdversarialModel]",
    shift: float,
    setting: Setting,
    optimizer: keras.optimizers.Optimizer,
    steps: int = 1200,
    deviation: Sequence[float] = (1.0, 1.0),
    **options: Any,
) -> "tuple[AdversarialModel, float, float]":
    """A critic trained between N(0, I) of the plane, moved along the first axis, and what a generator makes at 0.

    In the plane it can turn to the right direction. On a line the penalty may hold it to the wrong one: a slope of
    -(1 - W / (2 lambda)) is a minimum of its loss too.

    Args:
        scheme: class of the scheme.
        shift: how far; the exact Wasserstein-1 distance of the two where the deviations are equal.
        setting: its seed, and who watches.
        optimizer: of the critic.
        steps: of training, of 256 points each.
        deviation: of what the generator makes, along both axes.
        **options: of the scheme.

    Returns:
        (model, estimate, slope) as `estimate_and_slope` gives them, over 200,000 points.
    """
    keras.utils.set_random_seed(setting.seed)
    offset = np.array([shift, 0.0])
    model = train_discriminator(
        scheme,
        location_generator([0.0, 0.0], deviation),
        kg.networks.mlp_discriminator((2,), (64, 64)),
        normal_points([setting.seed, 1], steps, 256, offset),
        optimizer,
        seed=setting.seed,
        callbacks=setting.watch(f"{scheme.__name__}: critic, shift {shift:g}", steps),
        discriminator_steps=1,
        **options,
    )
    # Drawn apart: of the same points moved, even a critic that knows nothing would find a shift of 0.
    real = normal_points([setting.seed, 2], 1, 200_000, offset)[0]
    fake = normal_points([setting.seed, 3], 1, 200_000, (0.0, 0.0), deviation)[0]
    return model, *estimate_and_slope(model, real, fake)


def estimate_and_slope(model: "AdversarialModel", real: np.ndarray, fake: np.ndarray) -> tuple[float, float]:
    """What a critic says of two distributions.

    Args:
        model: a scheme with a critic f.
        real, fake: float32 (n, d).

    Returns:
        (E f(x) - E f(G(z)), mean of ||grad f|| on the lines between independent pairs of the two).
    """
    estimate = float(scores_of(model, real).mean() - scores_of(model, fake).mean())
    pairs = np.random.default_rng(model.seed).permutation(len(fake))
    mixed = kg.penalties.mix(tf.constant(real), tf.constant(fake[pairs]), tf.constant([model.seed, 7], tf.int64))
    return estimate, float(tf.reduce_mean(kg.penalties.gradient_norms(model.score, mixed)))
