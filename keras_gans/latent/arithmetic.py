"""Arithmetic on latents: means of exemplars of a concept, added and taken away.

Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks" (2016),
section 6.3.2: a single latent a concept was unstable, the mean over three was not. Whoever picked the exemplars there
by eye may here be a classifier, or any function that gives each sample a number, such as those of `attributes`.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans.errors import UserError
from keras_gans.latent.decoding import decode_array, seed_latents

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel
    from keras_gans.hints import Tensor


EXEMPLARS = 3
_VARIANCES = {"normal": 1.0, "uniform": 1.0 / 3.0}


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Pool:
    """Latents with the samples that they decode to, among which exemplars of a concept are looked for.

    Attributes:
        latents: float32 (n, latent_dim).
        samples: uint8 (n, height, width, channels) of images, float32 (n, d) of points.
        labels: int64 (n,) where the model is class-conditional, else None.
    """

    latents: np.ndarray
    samples: np.ndarray
    labels: np.ndarray | None = None

    def __len__(self):
        return len(self.latents)


def draw_pool(model: "AdversarialModel", count: int = 4000, seed: int = 0, labels: Any = None) -> Pool:
    """A `Pool` of the samples that `model.sample(count, seed)` draws.

    Args:
        model: `AdversarialModel`.
        count: samples; a concept of share p has about p x count exemplars among them.
        seed: of the first; the next has the next seed.
        labels: see `model.sample`.

    Returns:
        Pool.
    """
    seeds = np.arange(seed, seed + count, dtype=np.int64)
    latents = seed_latents(model, seeds)
    # A class-conditional model draws the labels that it is not given.
    labels = next(iter(model.sampled_labels(seeds, labels)), None)
    return Pool(latents, decode_array(model, latents, labels), labels)


def rows_of_class(assigned: np.ndarray, label: Any) -> np.ndarray:
    """Row numbers of the samples that a classifier puts into a class.

    Args:
        assigned: class numbers (n,); or probabilities (n, classes), of which the largest counts.
        label: the class's number.

    Returns:
        int array.
    """
    assigned = np.asarray(assigned)
    return np.flatnonzero((assigned if assigned.ndim == 1 else assigned.argmax(axis=1)) == label)


def highest_rows(scores: "Tensor", share: float = 0.1, among: Any = None) -> np.ndarray:
    """Row numbers of the samples with the highest scores; of the lowest, with `-scores`.

    Args:
        scores: float (n,).
        share: of the rows considered, in (0, 1]; at least one row.
        among: row numbers to consider, all by default.

    Returns:
        int array.
    """
    scores = np.asarray(scores, float)
    if not 0.0 < share <= 1.0:
        raise UserError(f"share is above 0 and at most 1, such as 0.1. Received: {share!r}.")
    among = np.arange(len(scores)) if among is None else np.asarray(among, int)
    count = min(len(among), max(1, round(share * len(among))))
    return among[np.argsort(-scores[among], kind="stable")[:count]]


def choose_exemplars(
    rows: Any, exemplars: int = EXEMPLARS, draws: int = 1, generator: np.random.Generator | None = None
) -> np.ndarray:
    """Exemplars chosen at random, with replacement, among the rows of a concept.

    Args:
        rows: row numbers of the concept.
        exemplars: how many for each mean.
        draws: how many means.
        generator: numpy.random.Generator; that of seed 0 unless given.

    Returns:
        int array (draws, exemplars) of row numbers.

    Raises:
        UserError: the concept has no row, or a count is below 1.
    """
    rows = np.asarray(rows, int)
    if not len(rows):
        raise UserError("A concept has no exemplar among the samples drawn. Draw more, or choose another concept.")
    if exemplars < 1 or draws < 1:
        raise UserError(f"exemplars and draws are 1 or more. Received: exemplars={exemplars!r}, draws={draws!r}.")
    return (generator or np.random.default_rng(0)).choice(rows, (draws, exemplars))


def signed_sum(latents: np.ndarray, signs: Any, chosen: Any) -> np.ndarray:
    """Sum over concepts of sign x the mean of the concept's exemplars.

    Args:
        latents: float (n, latent_dim).
        signs: 1 or -1 for each concept.
        chosen: what `choose_exemplars` returns, for each concept.

    Returns:
        float array (draws, latent_dim).
    """
    latents = np.asarray(latents)
    return sum(sign * latents[rows].mean(axis=1) for sign, rows in zip(signs, chosen, strict=True))


def combine(
    latents: np.ndarray,
    plus: Any,
    minus: Any = (),
    exemplars: int = EXEMPLARS,
    draws: int = 1,
    generator: np.random.Generator | None = None,
) -> np.ndarray:
    """mean z(plus[0]) + mean z(plus[1]) + ... - mean z(minus[0]) - ...

    DCGAN's smile is `plus=[smiling women, neutral men], minus=[neutral women]`. Three terms of three exemplars each
    have the variance of one latent.

    Args:
        latents: float (n, latent_dim).
        plus: a sequence of concepts to add, each the row numbers of its exemplars.
        minus: a sequence of concepts to take away.
        exemplars, draws, generator: see `choose_exemplars`.

    Returns:
        float array (draws, latent_dim).

    Raises:
        UserError: nothing to add, or a concept that has no row.
    """
    if not len(plus):
        raise UserError("Arithmetic on latents needs something to add: plus is empty.")
    generator = generator or np.random.default_rng(0)
    chosen = [choose_exemplars(rows, exemplars, draws, generator) for rows in [*plus, *minus]]
    return signed_sum(latents, [1] * len(plus) + [-1] * len(minus), chosen)


def typical_length(latents: np.ndarray, prior: Any = "normal") -> np.ndarray:
    """Latents with the length that latents of the prior have on average, and their own direction.

    The mean of n latents is shorter than they are by the root of n, and some generators, such as DCGAN's with its
    hundred latents, make next to nothing of latents that short. Others bear them well, and then it is no gain.

    Args:
        latents: float (n, latent_dim).
        prior: "normal", of length sqrt(latent_dim), or "uniform", of sqrt(latent_dim / 3).

    Returns:
        float array (n, latent_dim); a latent that is 0 stays 0.

    Raises:
        UserError: another prior.
    """
    check_has_length(prior)
    latents = np.asarray(latents)
    lengths = np.linalg.norm(latents, axis=1, keepdims=True)
    wanted = np.sqrt(_VARIANCES[prior] * latents.shape[1])
    return latents * np.divide(wanted, lengths, out=np.zeros_like(lengths), where=lengths > 0.0)


def check_has_length(prior: Any) -> None:
    """Raises a `UserError` unless latents of a prior have a length that is typical of them, see `typical_length`."""
    if prior not in _VARIANCES:
        raise UserError(
            f"Latents of the prior {prior!r} have no length that is typical of them, as those of "
            f"{' and '.join(_VARIANCES)} have. --own-length leaves results as long as they come out."
        )


def attribute_direction(latents: np.ndarray, scores: "Tensor", share: float = 0.1, classes: Any = None) -> np.ndarray:
    """The way from samples that have little of an attribute to those that have much, to be added to any latent.

    Radford et al. (2016), section 6.3.2, turn faces by it.

    Args:
        latents: float (n, latent_dim).
        scores: float (n,), how much of it each sample has.
        share: of the samples that count as much, and as little.
        classes: class numbers (n,). With them the direction is the mean over classes of the one within each, so that
            what some classes have more of than others does not stand for the attribute.

    Returns:
        float array (latent_dim,): mean over all that have much, minus the mean over all that have little.
    """
    scores, latents = np.asarray(scores, float), np.asarray(latents)
    groups = [None] if classes is None else [rows_of_class(classes, label) for label in np.unique(classes)]
    ends = [(highest_rows(scores, share, rows), highest_rows(-scores, share, rows)) for rows in groups]
    return np.mean([latents[much].mean(axis=0) - latents[little].mean(axis=0) for much, little in ends], axis=0)
