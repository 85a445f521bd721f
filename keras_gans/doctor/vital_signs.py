"""What the doctor measures at each look, and how samples are compared with data."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.stats import entropy, rankdata

from keras_gans.errors import UserError
from keras_gans.hints import Tensor
from keras_gans.metrics.duplicates import duplicate_rate
from keras_gans.metrics.features import random_extractor
from keras_gans.metrics.neighbours import distance_blocks
from keras_gans.metrics.precision_recall import precision_recall
from keras_gans.pixels import as_float, as_uint8, from_uint8, steepness, to_uint8

THUMBNAIL = 8
# Larger images are averaged down to as many pixels a side before random convolutions look at them.
_CLOSELY = 128
FEWEST = 32
# What TensorBoard draws: of samples and translations.
_DRAWN = (
    *("diversity", "coverage", "likeness", "sharpness", "distance", "duplicates", "separation"),
    *("class_entropy", "missing_classes", "classes_kept", "hidden_share"),
)


@dataclasses.dataclass(frozen=True)
class VitalSigns:
    """One look at a training run. What could not be measured is None; dictionaries have the players as keys.

    Attributes:
        step: training steps taken.
        losses: mean loss since the last look.
        gradient_norms: mean gradient norm since the last look.
        learning_rates: of each player's optimizer now.
        weight_changes: norm of the change of the trainable weights since the last look over their norm.
        sample_change: mean distance between the samples of the same latents now and at the last look, in units of the
            data's mean pairwise distance.
        diversity: mean distance between two samples over that between two real ones; 1 is the data's own.
        coverage: share of the real samples that have a generated one within the distance of their fifth nearest real
            neighbour, over the share that other real samples reach; 1, the highest, is the data's own.
        likeness: of images, the same share as `coverage` at full resolution, in features of random convolutions: how
            much of the data other real images cannot stand nearer to than the samples do. Noise, and samples with noise
            or blur, reach little of it, however they cover averages of 8x8 pixels. None of points.
        sharpness: of images, the mean difference between neighbouring pixels over the data's; 1 is the data's own,
            noise has more and blur less. None of points.
        distance: energy distance between samples and data, in units of the data's mean pairwise distance; 0 is none.
        duplicates: share of the samples that are near copies of another one, in [0, 1]; see `metrics.duplicate_rate`.
        separation: probability that the discriminator scores a real sample above a generated one, in [0, 1].
        score_spread: standard deviation of its scores over all of these, over their root mean square.
        class_entropy: entropy of the classifier's classes over the samples, over that of the data; 1 is the data's.
        missing_classes: how many of the data's classes the samples reach with less than a tenth of the data's share.
        classes_kept: {direction: share of held-out images whose class a classifier finds again in their translation,
            over the share that it finds in real ones}; see `metrics.TranslationEvaluation`.
        hidden_share: {direction: share of what a translation says about its original that slight noise destroys}.
        swaps: {direction: which classes mostly become which others, for people}.
        finite: whether all samples are finite.
    """

    step: int
    losses: dict = dataclasses.field(default_factory=dict)
    gradient_norms: dict = dataclasses.field(default_factory=dict)
    learning_rates: dict = dataclasses.field(default_factory=dict)
    weight_changes: dict = dataclasses.field(default_factory=dict)
    sample_change: float | None = None
    diversity: float | None = None
    coverage: float | None = None
    likeness: float | None = None
    sharpness: float | None = None
    distance: float | None = None
    duplicates: float | None = None
    separation: float | None = None
    score_spread: float | None = None
    class_entropy: float | None = None
    missing_classes: int | None = None
    classes_kept: dict = dataclasses.field(default_factory=dict)
    hidden_share: dict = dataclasses.field(default_factory=dict)
    swaps: dict = dataclasses.field(default_factory=dict)
    finite: bool = True

    def scalars(self) -> dict[str, float]:
        """{name: float} of what was measured of samples and translations, as TensorBoard draws it.

        Losses and gradient norms are drawn as curves already; the rest stands in the doctor's report.
        """
        flat = {}
        for name in _DRAWN:
            value = getattr(self, name)
            if isinstance(value, dict):
                flat.update({f"{direction}_{name}": float(number) for direction, number in value.items()})
            elif value is not None:
                flat[name] = float(value)
        return flat


class Reference:
    """A fixed sample of the data, with which the samples of each look are compared.

    Points are compared as they are, and images shrunk to at most 8x8 pixels, where what a whole image looks like counts
    for more than its texture; the limits of `doctor.signs` are those of this space. How like the data images look is
    told at full resolution, in the features of `metrics.features.random_extractor`. The extractor tells classes alone.

    Coverage is that of Naeem et al. (2020), see `metrics.precision_recall`; the energy distance is that of Székely and
    Rizzo, "Energy Statistics: A Class of Statistics Based on Distances" (2013), equation 1.

    Args:
        real: array of the data: uint8 images (n, height, width, channels) in 0..255, floats of that shape in [-1, 1],
            or float points (n, d); or {field: array}, with such a one as "sample".
        count: real samples to compare with, and samples to draw at a look; at most half of the data.
        extractor: `keras_gans.metrics.Extractor` with a classifier, or None, which leaves classes out.
        seed: of the choice of real samples.

    Attributes:
        count: as above.
        samples: the real samples chosen, (count, ...).
        rows: {field: the rows chosen of it}, the samples among them.
        scale: the data's mean pairwise distance.

    Raises:
        UserError: fewer than 64 real samples, samples that are all the same, or an extractor without a classifier or
            for points.
    """

    def __init__(self, real: Any, count: int = 512, extractor: Any = None, seed: int = 0):
        fields = real if isinstance(real, dict) else {"sample": real}
        # Texts come as lists.
        fields = {name: np.array(rows) if isinstance(rows, list) else rows for name, rows in fields.items()}
        real = fields["sample"]
        self.count = min(count, len(real) // 2)
        if self.count < FEWEST:
            raise UserError(
                f"The doctor compares {FEWEST} or more samples with as many real ones, and needs twice as many of "
                f"those. Received: count={count} and {len(real)} real samples."
            )
        self.extractor = extractor
        chosen = np.random.default_rng(seed).choice(len(real), 2 * self.count, replace=False)
        # In the order of the file, because the data may be a memory map; then back in that of the draw.
        taken = {
            name: np.asarray(rows[np.sort(chosen)])[np.argsort(np.argsort(chosen))] for name, rows in fields.items()
        }
        self.rows = {name: rows[: self.count] for name, rows in taken.items()}
        self.samples, others = self.rows["sample"], taken["sample"][self.count :]
        self._real, others = self.embed(self.samples), self.embed(others)
        self.scale = _mean_distance(self._real)
        if not self.scale > 0:
            raise UserError("All real samples are the same, so there is no diversity to compare with.")
        self._best_coverage = max(precision_recall(self._real, others).coverage, 1.0 / self.count)
        self._close_up = None
        if self.samples.ndim == 4:
            height, width, channels = self.samples.shape[1:]
            # Of images without any detail, one grey level between neighbours.
            self._steepness = steepness(as_uint8(self.samples)) or 1.0
            self._close_up = random_extractor((min(_CLOSELY, height), min(_CLOSELY, width), channels))
            self._close_real, others = self._closely(self.samples), self._closely(taken["sample"][self.count :])
            self._best_likeness = max(precision_recall(self._close_real, others).coverage, 1.0 / self.count)
        # Of as many samples as will be drawn, because entropy grows with their number.
        self._class_shares = None if extractor is None else self._shares_of(self.samples)

    def embed(self, samples: Any) -> np.ndarray:
        """What is compared: float64 array (n, d)."""
        samples = np.asarray(samples)
        if samples.ndim == 4:
            images = as_float(samples)
            # Area averages equal the pixels themselves where nothing shrinks.
            samples = tf.image.resize(images, [min(THUMBNAIL, side) for side in samples.shape[1:3]], method="area")
        return np.asarray(samples, np.float64).reshape(len(samples), -1)

    def compare(self, samples: Any, embedded: np.ndarray) -> dict[str, Any]:
        """The vital signs that compare samples with data.

        Args:
            samples: what the model drew, (count, ...).
            embedded: what `embed` made of them, all finite.

        Returns:
            {name of a vital sign: value}.
        """
        spread = _mean_distance(embedded)
        between = np.concatenate([block.mean(axis=1) for _, block in distance_blocks(self._real, embedded)]).mean()
        signs = {
            "diversity": float(spread / self.scale),
            "coverage": min(1.0, float(precision_recall(self._real, embedded).coverage / self._best_coverage)),
            "distance": float((2.0 * between - spread - self.scale) / self.scale),
            "duplicates": float(duplicate_rate(embedded, self._real).rate),
        }
        if self._close_up is not None:
            reached = precision_recall(self._close_real, self._closely(samples)).coverage
            signs["likeness"] = min(1.0, float(reached / self._best_likeness))
            signs["sharpness"] = steepness(as_uint8(samples)) / self._steepness
        if self._class_shares is not None:
            shares, known = self._shares_of(samples), self._class_shares > 0
            of_data = entropy(self._class_shares)
            signs["class_entropy"] = float(entropy(shares) / of_data) if of_data > 0 else 1.0
            signs["missing_classes"] = int((shares[known] < 0.1 * self._class_shares[known]).sum())
        return signs

    def _closely(self, images):
        """Images as random convolutions see them, float (n, 64)."""
        images = as_uint8(images)
        if max(images.shape[1:3]) > _CLOSELY:
            size = [min(_CLOSELY, side) for side in images.shape[1:3]]
            images = to_uint8(tf.image.resize(from_uint8(images), size, method="area")).numpy()
        return self._close_up.features(images)

    def _shares_of(self, images):
        probabilities = np.asarray(self.extractor.probabilities(images))
        return np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1]) / len(images)


def _mean_distance(x):
    """Mean distance between two different rows."""
    total = sum(float(block.sum()) for _, block in distance_blocks(x, x))
    return total / (len(x) * (len(x) - 1))


def separation(real_scores: Tensor, fake_scores: Tensor) -> float:
    """Probability that a real sample scores above a generated one, ties counting half: the area under the ROC curve.

    The Mann-Whitney statistic; it needs no threshold, so that it means the same for probabilities, least-squares
    targets and critics.

    Args:
        real_scores, fake_scores: float arrays (n,) and (m,).

    Returns:
        float in [0, 1].
    """
    ranks = rankdata(np.concatenate([real_scores, fake_scores]))
    n, m = len(real_scores), len(fake_scores)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))
