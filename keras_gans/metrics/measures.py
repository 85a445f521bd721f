"""The measures that `evaluate` chooses between: what each computes, of what, and which way is better."""

import dataclasses
import math
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from keras_gans.data import embedded, naming
from keras_gans.errors import UserError, unknown_name
from keras_gans.metrics.divergence import wasserstein_1
from keras_gans.metrics.duplicates import duplicate_rate
from keras_gans.metrics.frechet import Moments
from keras_gans.metrics.inception_score import inception_score
from keras_gans.metrics.kernel import kernel_distance
from keras_gans.metrics.memorization import memorization
from keras_gans.metrics.modes import mode_coverage
from keras_gans.metrics.precision_recall import precision_recall
from keras_gans.metrics.sliced_wasserstein import sliced_wasserstein_distance

_CHUNK = 1024
# The most of each that are compared one by one.
_MANY = 10_000
_SHARES = ("precision", "recall", "density", "coverage")
# What people call them elsewhere; an error says what they are called here.
_ELSEWHERE = {
    "fid": "frechet_distance",
    "kid": "kernel_distance",
    "prdc": "precision_recall",
    "precision": "precision_recall",
    "recall": "precision_recall",
    "density": "precision_recall",
    "coverage": "precision_recall",
    "is": "classifier_score",
    "inception_score": "classifier_score",
    "swd": "sliced_wasserstein_distance",
    "modes": "mode_coverage",
    "w1": "wasserstein_1",
    "emd": "wasserstein_1",
}


class SampleSet:
    """Samples or data that measures look at, drawn a part at a time.

    Args:
        draw: function (start, stop) to the samples of these places, an array.
        count: how many there are.
        extractor: `Extractor` of images; None for points, which are their own features.
        keep_features: whether some measure needs all features at once; otherwise they are summed up as they come.
        beginning: a `SampleSet` of the first of these, whose features are taken where it keeps them.
    """

    def __init__(
        self, draw: Any, count: int, extractor: Any, keep_features: bool, beginning: "SampleSet | None" = None
    ):
        self.draw, self.count = draw, count
        self._extractor, self._keep_features = extractor, keep_features
        self._beginning = beginning if keep_features else None

    def _parts(self):
        known = 0
        if self._beginning is not None:
            known = self._beginning.count
            yield self._beginning._all
        for start in range(known, self.count, _CHUNK):
            items = self.draw(start, min(start + _CHUNK, self.count))
            if self._extractor and self._extractor.class_count:
                yield self._extractor.features_and_probabilities(items)
            else:
                found = self._extractor.features(items) if self._extractor else items
                yield found, found[:, :0]

    @cached_property
    def _all(self):
        features, probabilities = zip(*self._parts(), strict=True)
        return np.concatenate(features), np.concatenate(probabilities)

    @property
    def features(self) -> np.ndarray:
        """float (count, d)."""
        return self._all[0]

    @property
    def probabilities(self) -> np.ndarray:
        """float (count, classes)."""
        return self._all[1]

    @cached_property
    def moments(self) -> Moments:
        """`Moments` of the features; memory does not grow with the count unless the features are kept anyway."""
        moments = Moments()
        for features in [self.features] if self._keep_features else (features for features, _ in self._parts()):
            moments.update(features)
        return moments


@dataclasses.dataclass(frozen=True)
class Measure:
    """One entry of `--metrics`.

    Attributes:
        function: of two `SampleSet`s, a `Task` and the settings, to {result: (value, standard error or None)}.
        results: {result: whether higher is better}.
        of_images, of_points: what it can be taken of.
        needs: "features" for all at once, "moments" of the features, or "items" for samples as they are.
        settings: its own settings, {name: value}.
        equal_counts: whether it compares as many samples as data, and of either so many at most; None for all. The
            setting `groups` has it do so with as many further samples, up to so many times, and take the mean.
        to_training: whether it compares with training data. Its floor is that of held-out data in the samples' place,
            and only who asks for it by name has it.
        to_both: whether it compares with training data besides held-out data.
        fewest: how many held-out items it needs.
    """

    function: Callable
    results: dict
    of_images: bool = True
    of_points: bool = False
    needs: str = "features"
    settings: dict = dataclasses.field(default_factory=dict)
    equal_counts: int | None = None
    to_training: bool = False
    to_both: bool = False
    fewest: int = 1

    def counts(self, samples: Any, data: Any) -> tuple[int, int]:
        """(samples, data): how many of each the measure looks at."""
        if self.equal_counts is None:
            return samples, data
        each = min(samples, data, self.equal_counts)
        return each * min(samples // each, self.settings.get("groups", 1)), each


class Task(NamedTuple):
    """What a measure is told besides its settings.

    Attributes:
        seed: of whatever the measure draws.
        count: how many of each to look at, where it compares equal counts.
        data: name of the data set.
        training: `SampleSet` of training data, all or many, in an order by chance.
        of_training: whether the samples are the first of these.
    """

    seed: int
    count: int
    data: str
    training: Any = None
    of_training: bool = False


def _frechet_distance(samples, data, task):
    return {"frechet_distance": (samples.moments.distance(data.moments), None)}


def _frechet_distance_to_training(samples, data, task):
    # Training items are at no distance from themselves.
    compared = data if task.of_training else samples
    return {"frechet_distance_to_training": (compared.moments.distance(task.training.moments), None)}


def _kernel_distance(samples, data, task, **settings):
    return {"kernel_distance": tuple(kernel_distance(samples.features, data.features, seed=task.seed, **settings))}


def _precision_recall(samples, data, task, k, groups):
    count = min(task.count, data.count, _MANY)
    real, parts = data.features[:count], np.split(samples.features[: task.count], task.count // count)
    found = [precision_recall(real, part, k=k) for part in parts]
    means = {name: float(np.mean([getattr(each, name) for each in found])) for name in _SHARES}
    # Given the data's balls, each sample is in one or not by itself. Recall and coverage ask whether any sample hits,
    # so that only further groups tell how far they scatter.
    errors = {name: _error_over([getattr(each, name) for each in found]) for name in ("recall", "coverage")}
    errors["precision"] = error_of_share(means["precision"], task.count)
    errors["density"] = math.hypot(*(each.density_error for each in found)) / len(found)
    return {name: (means[name], errors[name]) for name in _SHARES}


def _error_over(values):
    """The standard error of the mean of some values, None of one."""
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None


def error_of_share(share: float, count: int) -> float:
    """The standard error of a share of so many, by Agresti and Coull (1998), which is not 0 at a share of 0 or 1."""
    adjusted = (share * count + 2.0) / (count + 4.0)
    return math.sqrt(adjusted * (1.0 - adjusted) / (count + 4.0))


def _classifier_score(samples, data, task, splits):
    found = inception_score(samples.probabilities, splits)
    return {"classifier_score": (found.value, found.standard_error)}


def _sliced_wasserstein_distance(samples, data, task, **settings):
    images, real = (items.draw(0, task.count) for items in (samples, data))
    found = sliced_wasserstein_distance(images, real, seed=task.seed, **settings)
    return {"sliced_wasserstein_distance": (found.value, None)}


def _duplicate_rate(samples, data, task, fraction):
    found = duplicate_rate(samples.features[: task.count], data.features[: task.count], fraction)
    return {"duplicate_rate": (found.rate, None)}


def _memorization(samples, data, task):
    parts = (each.features[:_MANY] for each in (samples, task.training, data))
    found = memorization(*parts, own=task.of_training)
    return {"memorization": (found.value, found.standard_error)}


def _mode_coverage(samples, data, task, min_share):
    found = mode_coverage(samples.features, *mixture_of(task.data), min_share=min_share)
    return {
        "modes_covered": (float(found.covered), None),
        "high_quality": (found.high_quality, error_of_share(found.high_quality, samples.count)),
        "reverse_kl": (found.reverse_kl, None),
        "total_variation": (found.total_variation, None),
    }


def _wasserstein_1(samples, data, task):
    return {"wasserstein_1": (wasserstein_1(samples.features[: task.count], data.features[: task.count]), None)}


MEASURES = {
    "frechet_distance": Measure(_frechet_distance, {"frechet_distance": False}, needs="moments", fewest=2),
    "kernel_distance": Measure(
        _kernel_distance, {"kernel_distance": False}, settings={"subsets": 100, "subset_size": 1000}, fewest=4
    ),
    "precision_recall": Measure(
        _precision_recall,
        dict.fromkeys(_SHARES, True),
        settings={"k": 5, "groups": 10},
        equal_counts=_MANY,
        fewest=6,
    ),
    "classifier_score": Measure(_classifier_score, {"classifier_score": True}, settings={"splits": 10}),
    "sliced_wasserstein_distance": Measure(
        _sliced_wasserstein_distance,
        {"sliced_wasserstein_distance": False},
        needs="items",
        settings={"patches": 128, "directions": 512},
        equal_counts=2048,
    ),
    "mode_coverage": Measure(
        _mode_coverage,
        {"modes_covered": True, "high_quality": True, "reverse_kl": False, "total_variation": False},
        of_images=False,
        of_points=True,
        settings={"min_share": 0.01},
    ),
    "wasserstein_1": Measure(
        _wasserstein_1, {"wasserstein_1": False}, of_images=False, of_points=True, equal_counts=1000
    ),
    "duplicate_rate": Measure(
        _duplicate_rate,
        {"duplicate_rate": False},
        of_points=True,
        settings={"fraction": 0.25},
        equal_counts=_MANY,
        fewest=2,
    ),
    "memorization": Measure(_memorization, {"memorization": False}, of_points=True, to_both=True),
    "frechet_distance_to_training": Measure(
        _frechet_distance_to_training,
        {"frechet_distance_to_training": False},
        needs="moments",
        to_training=True,
        fewest=2,
    ),
}
# What `sentences.SentenceEvaluation` takes of schemes that translate texts.
OF_SENTENCES = ("bleu", "chrf", "exact_match", "entropy", "likeliest_share")
# What `translation.TranslationEvaluation` takes of schemes that translate pictures, in each direction.
OF_TRANSLATIONS = (
    "classes_kept",
    "error",
    "sharpness",
    "frechet_distance",
    "sliced_wasserstein_distance",
    "cycle_error",
    "hidden_share",
)
# What `text.TextEvaluation` takes of schemes that draw images to texts.
OF_TEXTS = (
    "attribute_accuracy",
    "r_precision",
    "text_retrieval",
    "text_auc",
    "text_auc_one_wrong",
    "frechet_distance",
    "sliced_wasserstein_distance",
)


def to_training(result: str) -> bool:
    """Whether a result of that name is a comparison with training data; see `Measure.to_training`."""
    return any(measure.to_training and result in measure.results for measure in MEASURES.values())


def check_names(names: Any) -> None:
    """Raises `UserError`, naming the nearest, unless each is a measure's name; needs no TensorFlow."""
    for name in names:
        if str(name).lower() in _ELSEWHERE:
            raise UserError(
                f"Unknown metric {name!r}. Here it is {_ELSEWHERE[str(name).lower()]!r}. Known: {', '.join(MEASURES)}."
            )
        if name not in (known := list(dict.fromkeys((*MEASURES, *OF_TRANSLATIONS, *OF_TEXTS, *OF_SENTENCES)))):
            raise unknown_name("metric", name, known)
    if not names:
        raise UserError(f"Name one metric or more. Known: {', '.join(MEASURES)}.")


def chosen(names: Any, data_name: str, is_points: bool) -> dict[str, Measure]:
    """{name: Measure} of those named, or of all that fit the data and compare with what was held out.

    Args:
        names: list of names, or None for these.
        data_name: of the data set.
        is_points: whether it holds points.

    Raises:
        UserError: no such measure, or one that cannot be taken of this data.
    """
    check_names(MEASURES if names is None else names)
    fitting = {
        name: measure
        for name, measure in MEASURES.items()
        if (measure.of_points if is_points else measure.of_images)
        and (name != "mode_coverage" or is_mixture(data_name))
    }
    if names is None:
        return {name: measure for name, measure in fitting.items() if not measure.to_training}
    for name in names:
        if name not in fitting:
            raise UserError(
                f"{name!r} cannot be taken of {data_name!r}, which holds {'points' if is_points else 'images'}"
                f"{'' if name != 'mode_coverage' else ' and no mixture whose centres are known'}. "
                f"Those that can: {', '.join(fitting)}."
            )
    return {name: fitting[name] for name in MEASURES if name in names}


def is_mixture(data_name: str) -> bool:
    """Whether a data set is a mixture of Gaussians whose centres are known."""
    return naming.base_name(data_name) in ("ring", "grid") and naming.is_embedded(data_name)


def mixture_of(data_name: str) -> tuple[np.ndarray, float]:
    """(centres float (modes, 2), sigma) of "ring", "ring/wide" or "grid"."""
    if naming.base_name(data_name) == "grid":
        return embedded.grid_centres(), embedded.GRID_SIGMA
    config = data_name.partition("/")[2] or embedded.DEFAULT_CONFIG
    return embedded.ring_centres(embedded.RING_RADII[config]), embedded.RING_SIGMAS[config]
