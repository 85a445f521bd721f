"""Measuring a model against data that it was not trained on, with what the data itself would score beside it.

How: docs/evaluate.md. Which measures: `keras_gans.metrics.measures`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans.data.holding_out import held_out_of
from keras_gans.errors import UserError
from keras_gans.fields import Texts, texts_are_translated
from keras_gans.metrics import classifiers, features, measures
from keras_gans.metrics.on_held_out import MOST_SAMPLES, SAMPLES, OnHeldOutData
from keras_gans.metrics.protocol import Protocol, Score, identity_of, packages
from keras_gans.metrics.sentences import SentenceEvaluation
from keras_gans.metrics.text import TextEvaluation
from keras_gans.metrics.translation import TranslationEvaluation

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


_MOST_REFERENCE = 10_000


def evaluate(
    model: "AdversarialModel",
    source: Any,
    metrics: Sequence[str] | None = None,
    samples: Any = SAMPLES,
    seed: int = 0,
    extractor: Any = None,
) -> "list[Score]":
    """Measures a model's samples against held-out data.

    Args:
        model: an `AdversarialModel`, or anything with `sample(count, seed)`, `sample_shape()`, and empty `translates`
            and `takes`.
        source: the data that the model was trained on: a `Source`, or a name, folder or array as
            `keras_gans.data.open_source` takes.
        metrics, samples, seed, extractor: see `Evaluation`.

    Returns:
        List of `Score`, each with its protocol and its floor.

    Raises:
        UserError: see `Evaluation`.
    """
    return evaluation_of(type(model), source, metrics, samples, seed, extractor).of(model)


def evaluation_of(
    scheme: "type[AdversarialModel]", source: Any, metrics: Sequence[str] | None = None, *args: Any, **options: Any
) -> "Evaluation | SentenceEvaluation | TextEvaluation | TranslationEvaluation":
    """The evaluation that fits what a scheme does: a `SentenceEvaluation` or `TranslationEvaluation` where it
    `translates` texts or pictures, a `TextEvaluation` where it draws samples to texts.

    Args:
        scheme: the class of the models to measure.
        source, metrics: see `Evaluation`; the scheme's own `measures` unless given.
        *args, **options: the further arguments of `Evaluation`.
    """
    # What `evaluate` takes need not be a scheme.
    if texts_are_translated(scheme.translates, scheme.takes):
        return SentenceEvaluation(source, scheme.translates, metrics, *args, **options)
    if scheme.translates:
        return TranslationEvaluation(source, scheme.translates, metrics, *args, aligned=scheme.aligned, **options)
    if Texts in scheme.takes.get("text", ()):
        return TextEvaluation(source, metrics or scheme.measures, *args, **options)
    return Evaluation(source, metrics or scheme.measures, *args, **options)


class Evaluation(OnHeldOutData):
    """A protocol: the data's side is computed once (`prepare`), then `of(model)` as often as wanted.

    Samples are compared with the rows that were held out of the training data, or the data set's split "test" or
    "validation"; where there is neither, with one half of the training data, chosen by `seed`. The floor is what as
    many training items (of the other half, there) score in the samples' place: no generator should be expected to pass
    it. "frechet_distance_to_training", which has to be asked for, compares with up to 10,000 training items, as the
    literature often does; its floor is what the held-out ones score, and copies of training items are at no distance.

    Args:
        source: the training data: a `Source`, or whatever `keras_gans.data.open_source` takes.
        metrics: names of measures (see `measures.MEASURES`); all that fit the data and compare with what was held out
            unless given.
        samples: how many to draw from the model.
        seed: of the samples, the choice of data and whatever a measure draws. Seed s takes the sample seeds from
            10,000,000 s on, so that two evaluations share none.
        extractor: `Extractor` or the name of one; unless given the one that fits the data, see `features.name_for`. For
            images only.
        data_dir: where prepared data sets lie.
        progress: whether to draw progress bars while an extractor is trained.

    Attributes:
        names: the results in their order.
        extractor: the `Extractor` once prepared, or None for points and where no measure needs one.

    Raises:
        UserError: a metric or extractor that does not exist or does not fit the data, or too few samples.
    """

    def __init__(
        self,
        source: Any,
        metrics: Sequence[str] | None = None,
        samples: Any = SAMPLES,
        seed: int = 0,
        extractor: Any = None,
        *,
        data_dir: str | Path | None = None,
        progress: bool = False,
    ):
        super().__init__(source, samples, seed, extractor, data_dir, progress)
        self._measures = measures.chosen(metrics, self.source.name, self.source.is_points)
        if self.source.is_points and extractor is not None:
            raise UserError(f"{self.source.name!r} holds points, which need no extractor. Received: {extractor!r}.")
        self._leave_out_class_scores(metrics)
        self.names = [result for measure in self._measures.values() for result in measure.results]
        self._needs = {measure.needs for measure in self._measures.values()}
        self.extractor = self._floor = self._training = None

    def prepare(self) -> "Evaluation":
        """Computes the data's side, unless that has been done; returns this object.

        `of`, `of_samples` and `protocols` do it at their first call. It may train a classifier, and takes seconds.

        Raises:
            UserError: the extractor's data set or weights are not there and cannot be fetched, or fewer items were held
                out than a measure needs.
        """
        if self._floor is None:
            held_out, split, training = _held_out(self.source, self.seed, self._data_dir)
            self._check_enough(len(held_out), split)
            self.extractor = self._opened_extractor()
            some = training[:_MOST_REFERENCE]
            self._reference = self._set_of(held_out)
            of_training = self._set_of(some[: self.samples])
            self._training = self._set_of(some, beginning=of_training)
            self._compared = {False: (split, identity_of(held_out), len(held_out))}
            if any(measure.to_training or measure.to_both for measure in self._measures.values()):
                trained = f"the other {split}" if split.startswith("half of") else self.source.split
                self._compared[True] = (trained, identity_of(some[0 : len(some)]), len(some))
            self._floor, self._floor_samples = self._values(of_training, of_training=True), of_training.count
        return self

    def _check_enough(self, count, split):
        wanting = {name: each.fewest for name, each in self._measures.items() if each.fewest > count}
        if wanting:
            enough = [name for name in self._measures if name not in wanting]
            others = f", or measure by others: keras-gans evaluate --metrics {','.join(enough)}" if enough else ""
            needs = ", ".join(f"{name} {fewest}" for name, fewest in wanting.items())
            raise UserError(
                f"{self.source.name!r} has {count} held-out item{'s' * (count > 1)} ({split}) to compare with, and at "
                f"least so many are needed: {needs}. Train with more held out, such as --hold-out 0.3{others}."
            )

    def _leave_out_class_scores(self, asked):
        """Without the classifier score, where the extractor is no classifier; refuses one that cannot be trained."""
        if self.source.is_points or isinstance(self._wanted, features.Extractor):
            return
        if self._extractor_name() == features.OWN_CLASSES:
            features.check_own_classes(self.source)
        if self._extractor_name() not in features.WITHOUT_CLASSES:
            return
        if asked and "classifier_score" in asked:
            raise UserError(
                f"'classifier_score' needs a classifier, and there is none for {self.source.name!r}. Give --extractor "
                f"(extractor=) the name of one: {', '.join(classifiers.CLASSIFIERS)}, inception."
            )
        self._measures = {name: each for name, each in self._measures.items() if name != "classifier_score"}

    def _opened_extractor(self):
        if self.source.is_points or self._needs == {"items"}:
            return None
        if isinstance(self._wanted, features.Extractor):
            return self._wanted
        options = {"data_dir": self._data_dir, "progress": self._progress}
        return features.made_for(self.source, self._extractor_name(), **options)

    def _extractor_name(self):
        return features.name_for(self.source) if self._wanted is None else self._wanted

    def _set_of(self, items, beginning=None):
        return self._sample_set(lambda start, stop: items[start:stop], len(items), beginning)

    def _sample_set(self, draw, count, beginning=None):
        return measures.SampleSet(draw, count, self.extractor, "features" in self._needs, beginning)

    def of(self, model: "AdversarialModel") -> "list[Score]":
        """Draws the samples from a model and measures them.

        Args:
            model: anything with `sample(count, seed)` and `sample_shape()`.

        Returns:
            List of `Score`.

        Raises:
            UserError: the model's samples have another shape than the data, or are not finite.
        """
        shape = tuple(model.sample_shape())
        if shape != self.source.sample_shape:
            raise UserError(
                f"The model makes samples of shape {shape}, but {self.source.name!r} has {self.source.sample_shape}. "
                "Open the data with the image_size and channels that the model was trained on."
            )
        self.prepare()
        first = self.seed * MOST_SAMPLES
        return self._scores(lambda start, stop: model.sample(stop - start, seed=first + start), self.samples)

    def of_samples(self, samples: Any) -> "list[Score]":
        """Measures samples that are there already, an array as `sample()` returns; see `of`."""
        samples = np.asarray(samples)
        if samples.shape[1:] != self.source.sample_shape:
            raise UserError(
                f"Samples must have the data's shape {self.source.sample_shape}. Received: {samples.shape}."
            )
        self.prepare()
        return self._scores(lambda start, stop: samples[start:stop], len(samples))

    def _scores(self, draw, count):
        values = self._values(self._sample_set(draw, count))
        return [
            Score(
                name=result,
                value=values[result][0],
                standard_error=values[result][1],
                floor=self._floor[result][0],
                floor_samples=self._floor_count(measure),
                higher_is_better=higher,
                protocol=self._protocol(measure, count),
            )
            for measure in self._measures.values()
            for result, higher in measure.results.items()
        ]

    def _floor_count(self, measure):
        if measure.to_training:
            return self._reference.count
        return measure.counts(self._floor_samples, self._reference.count)[0]

    def _values(self, samples, of_training=False):
        """{result: (value, standard error)} of a `SampleSet`."""
        values = {}
        for measure in self._measures.values():
            count, _ = measure.counts(samples.count, self._reference.count)
            task = measures.Task(self.seed, count, self.source.name, self._training, of_training)
            values.update(measure.function(samples, self._reference, task, **measure.settings))
        return values

    def protocols(self) -> "dict[str, Protocol]":
        """{result: Protocol} of what `of` will return, known before any sample is drawn."""
        self.prepare()
        return {
            result: self._protocol(measure, self.samples)
            for measure in self._measures.values()
            for result in measure.results
        }

    def _protocol(self, measure, count):
        uses = self.extractor if measure.needs != "items" else None
        split, identity, compared = self._compared[measure.to_training]
        samples, reference = measure.counts(count, compared)
        settings = dict(measure.settings)
        if measure.to_both:
            _, settings["training_identity"], settings["training_samples"] = self._compared[True]
        return Protocol(
            data=self.source.name,
            split=split,
            data_identity=identity,
            reference_samples=reference,
            samples=samples,
            resize=_resize(self.source.sample_shape, uses),
            extractor=uses and uses.name,
            extractor_identity=uses and uses.identity,
            seed=self.seed,
            settings=tuple(settings.items()),
            packages=packages(),
        )


def _resize(image_shape, extractor):
    if extractor is None or extractor.image_shape == tuple(image_shape):
        return "none"
    shapes = " to ".join("x".join(map(str, shape)) for shape in (image_shape, extractor.image_shape))
    return f"{shapes}: {features.RESIZE_RULE}"


def _held_out(source, seed, data_dir):
    """(items to compare with, name of their split, training items for the floor), both in an order of the seed's."""
    order = np.random.default_rng([seed, 0]).permutation(len(source))
    held_out = held_out_of(source, data_dir=data_dir)
    if held_out is None:
        half = len(source) // 2
        reference, training = order[:half][:_MOST_REFERENCE], order[half:]
        return source.samples[reference], f"half of {source.split}", _Reordered(source.samples, training)
    chosen = np.random.default_rng([seed, 1]).permutation(len(held_out))[:_MOST_REFERENCE]
    return held_out.samples[chosen], held_out.split, _Reordered(source.samples, order)


class _Reordered:
    """An array's rows in another order, gathered only where they are asked for: the data may not fit in memory."""

    def __init__(self, array, order):
        self._array, self._order = array, order

    def __len__(self):
        return len(self._order)

    def __getitem__(self, rows):
        if isinstance(rows, slice) and rows.start is None:
            return _Reordered(self._array, self._order[rows])
        return self._array[self._order[rows]]
