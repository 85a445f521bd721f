"""Measuring schemes that draw images to texts: is what the text says to be seen, and does the judge hear it?

Reed et al., "Generative Adversarial Text to Image Synthesis" (2016); R-precision after Xu et al., "AttnGAN" (2018),
section 4.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans.data.opening import open_source
from keras_gans.data.source import Source
from keras_gans.errors import NoSplitError, UserError
from keras_gans.fields import Classes
from keras_gans.metrics import classifiers, features, measures
from keras_gans.metrics.captioned import Captioned, drawn_from, groups_of, with_captions
from keras_gans.metrics.frechet import frechet_distance
from keras_gans.metrics.on_held_out import MOST_SAMPLES, SAMPLES, OnHeldOutData, chosen
from keras_gans.metrics.protocol import Protocol, Score, identity_of, packages
from keras_gans.metrics.sliced_wasserstein import sliced_wasserstein_distance
from keras_gans.pixels import as_uint8, from_uint8

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel

# Among how many texts the right one is looked for.
CANDIDATES = 100
HELD_OUT = "held_out"
_MOST, _CHUNK = 10_000, 256
_NEED_ATTRIBUTES = ("attribute_accuracy", "text_auc_one_wrong")


class TextEvaluation(OnHeldOutData):
    """A protocol for schemes that draw images to texts: `prepare` once, then `of(model)` as often as wanted.

    Texts and images are those of the data's split "test", or "validation", or one half of the training data, chosen by
    `seed`. Where the data have a split "held_out", of combinations that were never trained on, it is measured too:
    figures of it end in `_held_out`. Whatever columns of classes the data have besides are the texts' attributes. The
    measures:

    - "attribute_accuracy": the share of the images drawn in which a classifier, trained on the labelled training images
      and on nothing else, finds the attribute that the text says; NAME_accuracy for each, and `all_accuracy` for all at
      once. The floor is what the classifier finds in real images that were held out.
    - "r_precision": how often the right one of 100 texts, the others of which describe other images, agrees best with
      the image drawn, by encoders that were trained on the training data for this alone. The floor is that of real
      images.
    - "text_retrieval": how often the text of a held-out real image is the one of 100 that agrees best with it, by the
      scheme's own encoders. The floor is what those encoders reach that were trained for this.
    - "text_auc": how often, of a held-out real image with its own text and another one with a text that does not
      describe it, the scheme's judge prefers the first; 0.5 by chance. The floor is what the same encoders reach.
    - "text_auc_one_wrong": the same with texts that are wrong in one attribute.
    - "frechet_distance": between the images drawn and the real ones, in the features of those encoders of images.
    - "sliced_wasserstein_distance": likewise, of patches.

    Args:
        source: the training data: a `Source` with fields `image` and `text`, or whatever `open_source` takes.
        metrics: names of measures; all that the data allow unless given.
        samples: to how many of the texts to draw at the most, an image each.
        seed: of the choice of data, the captions and the samples.
        extractor: `Extractor` or its name, for the Fréchet distance.
        data_dir: where prepared data sets lie.
        progress: whether to draw progress bars.

    Attributes:
        names: the results in their order.
        confusions: {attribute: int64 array (classes, classes), how often an image of text i was found to show j}, of
            the model measured last.

    Raises:
        UserError: no images with texts, no such measure, or one that these data do not allow.
    """

    floor_means = (
        "'the data' is the same figure with real held-out images in the samples' place; of text_retrieval and text_auc "
        "it is what encoders reach that were trained for this alone: do not expect a run to pass it."
    )

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
        self.source, self.samples = with_captions(self.source), min(self.samples, _MOST)
        known = measures.OF_TEXTS
        allowed = [name for name in known if self.attributes or name not in _NEED_ATTRIBUTES]
        needs = "data with columns of classes that say what the texts say"
        self.measures = chosen(metrics, known, "metric of images drawn to texts", allowed, lambda name: needs)

    # What is measured -------------------------------------------------------------------------------------------

    @cached_property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """{attribute: names of its values}."""
        columns = self.source.columns
        return {name: column.field.names for name, column in columns.items() if isinstance(column.field, Classes)}

    @property
    def names(self) -> list[str]:
        """The results in their order."""
        return [name for measure in self.measures for name in self._results(measure)]

    def _results(self, measure):
        if measure not in ("attribute_accuracy", "r_precision", "text_retrieval"):
            return [measure]
        by_attribute = [f"{name}_accuracy" for name in (*self.attributes, "all")]
        own = by_attribute if measure == "attribute_accuracy" else [measure]
        return [f"{name}{ending}" for ending in self._endings for name in own]

    # The data's side --------------------------------------------------------------------------------------------

    @cached_property
    def _opened(self):
        """{ending of figures: (held-out source, name of its split)}."""
        set_aside = self.source.held_out
        found = (set_aside, set_aside.split) if set_aside else self._other("test") or self._other("validation")
        opened = {"": found or (self._halves[0], f"half of {self.source.split}")}
        if held_out := self._other(HELD_OUT):
            opened[f"_{HELD_OUT}"] = held_out
        return opened

    @property
    def _endings(self):
        return list(self._opened)

    def _other(self, split):
        """(the data of another split in the same shape, its name), or None."""
        if self.source.name == "array" or split == self.source.split:
            return None
        height, width, channels = self.source.columns["image"].field.shape
        options = {"image_size": height if height == width else None, "channels": channels}
        options["skip_unreadable"] = self.source.skip_unreadable
        try:
            found = with_captions(open_source(self.source.name, split=split, data_dir=self._data_dir, **options))
        except NoSplitError:
            return None
        same = set(found.columns) == set(self.source.columns)
        return (found, split) if same and found.fields["image"] == self.source.fields["image"] else None

    @cached_property
    def _halves(self):
        order = np.random.default_rng([self.seed, 0]).permutation(len(self.source))
        half = len(order) // 2
        return self.source.take(np.sort(order[:half])), self.source.take(np.sort(order[half:]))

    @cached_property
    def _training(self):
        """What classifiers and encoders may learn from."""
        is_half = self._opened[""][1].startswith("half")
        return self._halves[1] if is_half else self.source

    @cached_property
    def _held(self) -> dict[str, Captioned]:
        return {ending: self._of_rows(found, ending) for ending, (found, _) in self._opened.items()}

    def _of_rows(self, found, ending):
        random = np.random.default_rng([self.seed, 1, len(ending)])
        rows = np.sort(random.permutation(len(found))[: self.samples])
        return drawn_from(found.take(rows), tuple(self.attributes), random)

    @cached_property
    def _judges(self):
        """{attribute: `Extractor` that classifies images by it}."""
        judges = {}
        for name in self.attributes:
            columns = {"image": self._training.columns["image"], "label": self._training.columns[name]}
            own = Source(f"{self.source.name}, {name}", self._training.split, columns)
            network, record = classifiers.for_images(own, self._progress)
            judges[name] = features.Extractor(f"classifier of {name}", network, class_names=record["class_names"])
        return judges

    @cached_property
    def _matcher(self):
        from keras_gans.metrics.matching import matcher_of

        return matcher_of(self._training, groups_of(self._training, tuple(self.attributes)), self._progress)

    @cached_property
    def _extractor(self):
        if isinstance(self._wanted, str):
            return features.extractor(self._wanted, data_dir=self._data_dir, progress=self._progress)
        return self._wanted or features.Extractor("image encoder", self._matcher.images)

    def prepare(self) -> "TextEvaluation":
        """Opens the held-out data, trains classifiers and encoders, unless that has been done; returns this object."""
        self._floors  # noqa: B018
        return self

    @cached_property
    def _floors(self):
        """{result: (the figure of the data itself, of how many)}."""
        floors = {}
        for ending, held in self._held.items():
            found = self._of_images(held, held.images, ending)[0]
            if "text_retrieval" in self.measures:
                found[f"text_retrieval{ending}"] = self._precision(held, held.images, ending)
            floors |= {name: (value, len(held.images)) for name, value in found.items()}
        held = self._held[""]
        rows = np.random.default_rng([self.seed, 0]).permutation(len(self._training))[: len(held.images)]
        training = as_uint8(self._training.columns["image"].values[np.sort(rows)])
        floors |= {name: (value, len(training)) for name, value in self._distances(training).items()}
        if {"text_auc", "text_auc_one_wrong"} & set(self.measures):
            codes = self._matcher.image_codes(held.images), self._matcher.text_codes(held.texts)

            def agreement(rows, others):
                return (codes[0][rows] * codes[1][others]).sum(axis=1)

            floors |= {name: (value, len(held.images)) for name, value in self._of_judge(agreement).items()}
        return floors

    # The model's side -------------------------------------------------------------------------------------------

    def of(self, model: "AdversarialModel") -> list[Score]:
        """Draws an image to each of the held-out texts and measures what comes of it.

        Args:
            model: anything with `sample(count, seed, texts=...)`, `sample_shape()`, `realness(images, texts)` and, for
                "text_retrieval", `encode_text(texts)` and `image_encoder`.

        Returns:
            List of `Score`.

        Raises:
            UserError: the model's images have another shape than the data's.
        """
        shape, made = self.source.columns["image"].field.shape, tuple(model.sample_shape())
        if made != shape:
            raise UserError(
                f"The model makes samples of shape {made}, but {self.source.name!r} has {shape}. "
                "Open the data with the image_size and channels that the model was trained on."
            )
        floors, values, self.confusions = self._floors, {}, {}
        for ending, held in self._held.items():
            drawn = model.sample(len(held.texts), seed=self.seed * MOST_SAMPLES, texts=held.texts)
            found, confusions = self._of_images(held, drawn, ending)
            values |= found
            if "text_retrieval" in self.measures:
                codes = _codes_of_images(model.image_encoder, held.images), model.encode_text(held.texts)
                values[f"text_retrieval{ending}"] = self._share_found(held, *codes, ending)
            if not ending:
                values |= self._distances(drawn)
                self.confusions = confusions
        if {"text_auc", "text_auc_one_wrong"} & set(self.measures):
            values |= self._of_judge(self._realness_by(model))
        return [
            Score(
                name=name,
                value=values[name],
                standard_error=measures.error_of_share(values[name], self._count_of(name))
                if name.endswith(_SHARES)
                else None,
                floor=floors[name][0],
                floor_samples=floors[name][1],
                higher_is_better=not name.endswith("distance"),
                protocol=self.protocols()[name],
            )
            for name in self.names
        ]

    def _of_images(self, held, images, ending):
        """({result: figure}, {attribute: counts}) of images that stand for those of a split."""
        found, confusions = {}, {}
        if "attribute_accuracy" in self.measures:
            right = np.ones(len(images), bool)
            for name, names in self.attributes.items():
                seen = self._judges[name].probabilities(images).argmax(axis=1)
                confusions[name] = _confusion(held.attributes[name], seen, len(names))
                found[f"{name}_accuracy{ending}"] = float((seen == held.attributes[name]).mean())
                right &= seen == held.attributes[name]
            found[f"all_accuracy{ending}"] = float(right.mean())
        if "r_precision" in self.measures:
            found[f"r_precision{ending}"] = self._precision(held, images, ending)
        return found, confusions

    def _precision(self, held, images, ending):
        return self._share_found(held, self._matcher.image_codes(images), self._matcher.text_codes(held.texts), ending)

    def _share_found(self, held, pictures, texts, ending):
        """The share of images whose own text agrees best among `CANDIDATES`."""
        random = np.random.default_rng([self.seed, 2, len(ending)])
        agreement, best = pictures @ texts.T, 0
        for row, agreements in enumerate(agreement):
            others = np.flatnonzero(held.groups != held.groups[row])
            others = random.choice(others, min(CANDIDATES - 1, len(others)), replace=False)
            best += agreements[row] > agreements[others].max()
        return float(best / len(pictures))

    def _distances(self, images):
        """{measure: figure} of images against real ones."""
        target, found = self._held[""].images, {}
        if "frechet_distance" in self.measures:
            found["frechet_distance"] = frechet_distance(*map(self._extractor.features, (images, target)))
        if "sliced_wasserstein_distance" in self.measures:
            count = min(len(images), len(target), 2048)
            settings = measures.MEASURES["sliced_wasserstein_distance"].settings
            distance = sliced_wasserstein_distance(images[:count], target[:count], seed=self.seed, **settings)
            found["sliced_wasserstein_distance"] = distance.value
        return found

    def _of_judge(self, judged):
        """{measure: area under the curve} of a judge, a function from rows of images and rows of texts to scores."""
        held, found = self._held[""], {}
        rows = np.arange(len(held.texts))
        right = judged(rows, rows)
        if "text_auc" in self.measures:
            found["text_auc"] = area_under_curve(right, judged(rows, held.wrong))
        if "text_auc_one_wrong" in self.measures:
            rows = np.flatnonzero(held.one_wrong >= 0)
            wrong = judged(rows, held.one_wrong[rows])
            found["text_auc_one_wrong"] = area_under_curve(right[rows], wrong)
        return found

    def _realness_by(self, model):
        import tensorflow as tf

        held = self._held[""]

        def realness(rows, others):
            scores = []
            for start in range(0, len(rows), _CHUNK):
                images = from_uint8(held.images[rows[start : start + _CHUNK]])
                texts = tf.constant([held.texts[other] for other in others[start : start + _CHUNK]], tf.string)
                scores.append(np.asarray(model.realness(images, texts)).reshape(len(images)))
            return np.concatenate(scores) if scores else np.zeros(0)

        return realness

    # How --------------------------------------------------------------------------------------------------------

    def _count_of(self, name):
        return len(self._held[f"_{HELD_OUT}" if name.endswith(f"_{HELD_OUT}") else ""].texts)

    def protocols(self) -> dict[str, Protocol]:
        """{result: Protocol} of what `of` will return."""
        return {name: self._protocol(measure, name) for measure in self.measures for name in self._results(measure)}

    def _protocol(self, measure, name):
        ending = f"_{HELD_OUT}" if name.endswith(f"_{HELD_OUT}") else ""
        held, count = self._held[ending], self._count_of(name)
        uses = identity = None
        if measure == "attribute_accuracy":
            used = [self._judges[each] for each in self.attributes if name.startswith((f"{each}_", "all_"))]
            uses = used[0].name if len(used) == 1 else "classifiers of all attributes"
            identity = hashlib.sha256(" ".join(each.identity for each in used).encode()).hexdigest()[:16]
            identity = used[0].identity if len(used) == 1 else identity
        elif measure == "r_precision":
            uses, identity = "encoders of texts and images", self._matcher.identity
        elif measure == "frechet_distance":
            uses, identity = self._extractor.name, self._extractor.identity
        return Protocol(
            data=self.source.name,
            split=self._opened[ending][1],
            data_identity=identity_of(held.images),
            reference_samples=len(held.images),
            samples=count,
            resize="none",
            extractor=uses,
            extractor_identity=identity,
            seed=self.seed,
            settings=(("candidates", CANDIDATES),) if measure in ("r_precision", "text_retrieval") else (),
            packages=packages(),
        )


_SHARES = ("accuracy", "r_precision", "text_retrieval", HELD_OUT)


def area_under_curve(right: np.ndarray, wrong: np.ndarray) -> float:
    """The share of pairs, one of either, in which the right one has the higher score, equal ones counting half.

    The area under the curve of receiver operating characteristics, as Hanley and McNeil (1982) read it.

    Args:
        right, wrong: scores, (n,) and (m,); `nan` is returned where there are none.
    """
    if not len(right) or not len(wrong):
        return float("nan")
    ordered = np.sort(wrong)
    below, up_to = (np.searchsorted(ordered, right, side) for side in ("left", "right"))
    return float((below + up_to).mean() / (2 * len(wrong)))


def _codes_of_images(encoder, images):
    chunks = (images[start : start + _CHUNK] for start in range(0, len(images), _CHUNK))
    return np.concatenate([np.asarray(encoder(from_uint8(chunk), training=False)) for chunk in chunks])


def _confusion(labels, found, count):
    counts = np.zeros((count, count), np.int64)
    np.add.at(counts, (labels, found), 1)
    return counts
