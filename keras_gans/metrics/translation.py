"""Measuring schemes that translate images of one collection into images of another.

Whether a picture kept what it showed is read off by a classifier of each collection; whether a translation carries
what it was made from in plain sight, or in noise that nobody sees, is told by disturbing it slightly (Chu et al.,
"CycleGAN, a Master of Steganography", 2017).
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from keras_gans.data.holding_out import held_out_of
from keras_gans.data.source import Source
from keras_gans.metrics import classifiers, features, measures
from keras_gans.metrics.accuracy import check_classes
from keras_gans.metrics.on_held_out import SAMPLES, OnHeldOutData, chosen
from keras_gans.metrics.protocol import Protocol, Score, identity_of, packages
from keras_gans.pixels import as_uint8, steepness

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel

# Standard deviation of the noise that a translation has to bear, in [-1, 1]: six of 256 grey levels.
NOISE = 0.05
# Of the classes that became another one: how many are named, and from which share on.
_SWAPS, _MANY = 3, 0.25
_MOST = 10_000
_NEED_LABELS = ("classes_kept", "frechet_distance")


class Held(NamedTuple):
    """One collection's part in an evaluation.

    Attributes:
        images: held-out ones, uint8 (n, height, width, channels).
        labels: int64 (n,) or None.
        training: images of the training data, in an order of the seed's.
    """

    images: np.ndarray
    labels: np.ndarray | None
    training: np.ndarray


class TranslationEvaluation(OnHeldOutData):
    """A protocol for schemes that translate: `prepare` once, then `of(model)` as often as wanted.

    Held-out images are those that were set aside, or the data's split "test" or "validation"; where there is neither,
    one half of the training data, chosen by `seed`. The measures, of each direction:

    - "classes_kept": the share of the translations in which a classifier of the target collection, trained on its
      labelled training images and on nothing else, finds the class of the original. Its floor is what the classifier
      finds in held-out real images: no translator should be expected to pass it.
    - "error", of pairs: mean |translation - truth| over pixels in [-1, 1].
    - "sharpness", of pairs: the mean size of the difference between neighbouring pixels, over that of the truth; 1 is
      as sharp, and less is blurred.
    - "frechet_distance": between translations and held-out images of the target, in that classifier's features.
    - "sliced_wasserstein_distance": likewise, of patches.
    - "cycle_error": mean |again - original| over pixels in [-1, 1], of what is translated there and back through images
      of eight bits; 0 for a perfect cycle.
    - "hidden_share": of what the translation says about its original, the share that noise of standard deviation 0.05
      destroys: (error with noise - error) / (error of another's translation - error), from 0 to 1 and more. A cycle
      that is closed by hiding the original in what nobody sees has most of it there.

    Args:
        source: the training data: a `Source` with fields `image_a` and `image_b`, or whatever `open_source` takes.
        translates: {direction: (field it takes, field it makes)}, as the scheme says.
        metrics: names of measures; all that the data and the scheme allow unless given.
        samples: how many held-out images to translate at the most.
        seed: of the choice of data and of the noise.
        extractor: `Extractor` or its name, for the Fréchet distance; the classifier of the target unless given.
        aligned: whether row i of either field belongs to row i of the other.
        data_dir: where prepared data sets lie.
        progress: whether to draw progress bars.

    Attributes:
        names: the results in their order.
        confusions: {direction: int64 array (classes, classes), how often an image of class i became one of class j}, of
            the model measured last.

    Raises:
        UserError: no such measure, or one that these data or this scheme do not allow.
    """

    def __init__(
        self,
        source: Any,
        translates: Mapping[str, tuple[str, str]],
        metrics: Sequence[str] | None = None,
        samples: Any = SAMPLES,
        seed: int = 0,
        extractor: Any = None,
        *,
        aligned: bool = False,
        data_dir: str | Path | None = None,
        progress: bool = False,
    ):
        super().__init__(source, samples, seed, extractor, data_dir, progress)
        self.translates, self.samples, self.aligned = dict(translates), min(self.samples, _MOST), aligned
        self.measures = self._chosen(metrics)
        self.names = [name for direction in self.translates for name in self._results(direction)]
        self.confusions: dict[str, np.ndarray] = {}

    # What is measured -------------------------------------------------------------------------------------------

    @property
    def has_labels(self) -> bool:
        """Whether both collections say what their images show."""
        return {self._label_of(side) for side in "ab"} <= set(self.source.columns)

    def _label_of(self, side):
        """Name of the field that says what a side's images show; a pair may have one for both."""
        return "label" if self.aligned and "label" in self.source.columns else f"label_{side}"

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of the labels; none without."""
        return self.source.columns[self._label_of("a")].field.names if self.has_labels else ()

    def _chosen(self, metrics):
        cycles = all(back in self.translates for back in map(_back, self.translates))
        allowed = [
            name
            for name in measures.OF_TRANSLATIONS
            if (cycles or name not in ("cycle_error", "hidden_share"))
            and (self.aligned or name not in ("error", "sharpness"))
            and (self.has_labels or name not in _NEED_LABELS or name == "frechet_distance" and self._wanted)
        ]

        def needs(name):
            if name in ("error", "sharpness"):
                return "pairs"
            return "labels of both collections" if name in _NEED_LABELS else "a scheme that translates both ways"

        return chosen(metrics, measures.OF_TRANSLATIONS, "metric of translations", allowed, needs)

    def _results(self, direction):
        return [f"{name}_{direction}" for name in self.measures]

    # The data's side --------------------------------------------------------------------------------------------

    def prepare(self) -> "TranslationEvaluation":
        """Opens the held-out data and trains the classifiers, unless that has been done; returns this object."""
        for direction in self.translates:
            self._floors(direction)
        return self

    @cached_property
    def _opened(self):
        """(held-out source, name of its split)."""
        found = held_out_of(self.source, self.has_labels, self._data_dir)
        if found is not None and self.has_labels:
            for side in "ab":
                check_classes(self.source, found, self._label_of(side))
        return (self.source, f"half of {self.source.split}") if found is None else (found, found.split)

    def _held(self, side):
        found, split = self._opened
        name, label = f"image_{side}", self._label_of(side)
        order = np.random.default_rng([self.seed, 1]).permutation(len(found.columns[name]))
        training = np.random.default_rng([self.seed, 0]).permutation(len(self.source.columns[name]))
        if split.startswith("half"):
            half = len(training) // 2
            order, training = training[:half], training[half:]
        # In the order of the file, because the data may be a memory map.
        rows, others = np.sort(order[: self.samples]), np.sort(training[: self.samples])
        labels = found.columns[label].values[rows] if self.has_labels else None
        return Held(
            as_uint8(found.columns[name].values[rows]), labels, as_uint8(self.source.columns[name].values[others])
        )

    @cached_property
    def _sides(self):
        return {field: self._held(field[-1]) for pair in self.translates.values() for field in pair}

    @cached_property
    def _judges(self):
        """{field: `Extractor` that classifies the images of that collection}, for each that is translated to."""
        judges = {}
        for field in {made for _, made in self.translates.values()} if self.has_labels else ():
            label = self.source.columns[self._label_of(field[-1])]
            own = Source(
                f"{self.source.name}, {field}",
                self.source.split,
                {"image": self.source.columns[field], "label": label},
            )
            network, record = classifiers.for_images(own, self._progress)
            judges[field] = features.Extractor(f"classifier of {field}", network, class_names=record["class_names"])
        return judges

    def _extractor(self, field):
        if isinstance(self._wanted, str):
            self._wanted = features.extractor(self._wanted, data_dir=self._data_dir, progress=self._progress)
        return self._wanted or self._judges[field]

    def _floors(self, direction):
        """{result: (the figure of the data itself, of how many)}."""
        target = self._sides[self.translates[direction][1]]
        found = self._of_images(direction, target.training, target.labels)
        floors = {name: (value, len(target.training)) for name, value in found.items()}
        if self.aligned:
            floors["sharpness"] = steepness(target.training) / steepness(target.images), len(target.training)
        if "classes_kept" in self.measures:
            right = self._predicted(direction, target.images) == target.labels
            floors["classes_kept"] = float(right.mean()), len(right)
        return {name: floors.get(name, (0.0, len(target.images))) for name in self.measures}

    # The model's side -------------------------------------------------------------------------------------------

    def of(self, model: "AdversarialModel") -> list[Score]:
        """Translates the held-out images with a model and measures what comes of it.

        Args:
            model: anything with `translate(images, direction)`.

        Returns:
            List of `Score`.
        """
        scores = []
        for direction, (taken, _) in self.translates.items():
            held, floors = self._sides[taken], self._floors(direction)
            translated = model.translate(held.images, direction)
            values = self._of_images(direction, translated, held.labels)
            if "classes_kept" in self.measures:
                found = self._predicted(direction, translated)
                self.confusions[direction] = _confusion(held.labels, found, len(self.class_names))
                values["classes_kept"] = float((found == held.labels).mean())
            if self.aligned:
                truth = self._sides[self.translates[direction][1]].images
                values["error"] = float(np.abs(translated.astype(np.float32) - truth).mean() / 127.5)
                values["sharpness"] = steepness(translated) / steepness(truth)
            if {"cycle_error", "hidden_share"} & set(self.measures):
                values |= self._of_cycle(model, direction, held.images, translated)
            scores += [
                Score(
                    name=f"{name}_{direction}",
                    value=values[name],
                    standard_error=measures.error_of_share(values[name], len(translated))
                    if name == "classes_kept"
                    else None,
                    floor=floors[name][0],
                    floor_samples=floors[name][1],
                    higher_is_better=name in ("classes_kept", "sharpness"),
                    protocol=self.protocols()[f"{name}_{direction}"],
                )
                for name in self.measures
            ]
        return scores

    def _predicted(self, direction, images):
        return self._judges[self.translates[direction][1]].probabilities(images).argmax(axis=1)

    def _of_images(self, direction, images, labels):
        """The measures that compare images with held-out ones of the target."""
        field = self.translates[direction][1]
        target, found = self._sides[field].images, {}
        task = measures.Task(self.seed, min(len(images), len(target), 2048), self.source.name)
        for name in ("frechet_distance", "sliced_wasserstein_distance"):
            if name in self.measures:
                extractor = self._extractor(field) if name == "frechet_distance" else None
                sets = [
                    measures.SampleSet(lambda start, stop, rows=rows: rows[start:stop], len(rows), extractor, False)
                    for rows in (images, target)
                ]
                measure = measures.MEASURES[name]
                found[name] = measure.function(*sets, task, **measure.settings)[name][0]
        return found

    def _of_cycle(self, model, direction, originals, translated):
        back, generator = _back(direction), np.random.default_rng([self.seed, 2])
        scale = originals.astype(np.float32)

        def error(images, rows=slice(None)):
            again = model.translate(images, back).astype(np.float32)
            return float(np.abs(again - scale[rows]).mean() / 127.5)

        noise = generator.normal(0.0, NOISE * 127.5, translated.shape)
        noisy = np.clip(np.round(translated + noise), 0, 255).astype(np.uint8)
        own, disturbed = error(translated), error(noisy)
        # Each original beside the translation of the next one.
        other = error(np.roll(translated, 1, axis=0))
        return {"cycle_error": own, "hidden_share": max(0.0, disturbed - own) / max(other - own, 1e-6)}

    # How --------------------------------------------------------------------------------------------------------

    def protocols(self) -> dict[str, Protocol]:
        """{result: Protocol} of what `of` will return."""
        return {
            f"{name}_{direction}": self._protocol(name, *fields)
            for direction, fields in self.translates.items()
            for name in self.measures
        }

    def _protocol(self, name, taken, made):
        uses = self._extractor(made) if name == "frechet_distance" else None
        uses = self._judges[made] if name == "classes_kept" else uses
        held = self._sides
        return Protocol(
            data=self.source.name,
            split=self._opened[1],
            data_identity=identity_of(held[made].images),
            reference_samples=len(held[made].images),
            samples=len(held[taken].images),
            resize="none",
            extractor=uses and uses.name,
            extractor_identity=uses and uses.identity,
            seed=self.seed,
            settings=(("noise", NOISE),) if name == "hidden_share" else (),
            packages=packages(),
        )

    @property
    def swaps(self) -> dict[str, str]:
        """{direction: the classes that were most often found to be one other class, "3 -> 8 (71 %)"}."""
        names, found = self.class_names, {}
        for direction, counts in self.confusions.items():
            shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
            np.fill_diagonal(shares, 0.0)
            worst = sorted(range(len(names)), key=lambda row: -shares[row].max())
            pairs = [(row, shares[row].argmax()) for row in worst[:_SWAPS] if shares[row].max() >= _MANY]
            found[direction] = ", ".join(f"{names[a]} -> {names[b]} ({100 * shares[a, b]:.0f} %)" for a, b in pairs)
        return found


def _back(direction):
    return "_to_".join(reversed(direction.split("_to_")))


def _confusion(labels, found, count):
    """int64 (count, count): how often an image of class i became one of class j."""
    counts = np.zeros((count, count), np.int64)
    np.add.at(counts, (labels, found), 1)
    return counts
