"""How many of the data a model that classifies gets right: of the rows whose labels it was given, and of others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_gans.data.holding_out import held_out_of
from keras_gans.data.source import Source
from keras_gans.errors import UserError
from keras_gans.fields import Kinds
from keras_gans.metrics.measures import error_of_share
from keras_gans.pixels import from_uint8

LABELLED, HELD_OUT = "labelled", "held_out"
_MOST = 10_000


class Accuracy(NamedTuple):
    """The share of rows that are classified right.

    Attributes:
        name: "labelled" or "held_out".
        value: in [0, 1].
        standard_error: of that, over other rows of the same kind.
        count: of the rows.
        split: where they come from.
    """

    name: str
    value: float
    standard_error: float
    count: int
    split: str


class ClassifierAccuracy:
    """What a model's `classify` is asked: the rows whose labels it trains on, and the held-out ones where there are.

    Held-out are the rows that were set aside before training, else the split "test" or "validation"; see
    `data.holding_out.held_out_of`.

    Args:
        source: the training data, a `Source` with labels.
        takes: the scheme's, as `Source.match` takes it.
        labels_per_class: how many items of each class keep their label, see `data.labelled_subset`; None for all.
        seed: of the choice of these, and of the rows where there are more than are asked about.
        data_dir: where prepared data sets lie.

    Raises:
        UserError: there are no labels, or held-out data have a class that the training data do not.
    """

    def __init__(
        self,
        source: Source,
        takes: Mapping[str, Kinds],
        labels_per_class: float | None = None,
        seed: int = 0,
        data_dir: str | Path | None = None,
    ):
        # It imports TensorFlow, which this package does not.
        from keras_gans.data.semi_supervised import labelled_subset

        source.require_labels()
        labelled = source if labels_per_class is None else labelled_subset(source, labels_per_class, seed)
        self._rows = {LABELLED: _rows_of(labelled, takes, seed)}
        self._splits = {LABELLED: source.split}
        held_out = held_out_of(source, labels=True, data_dir=data_dir)
        if held_out is not None:
            check_classes(source, held_out)
            self._rows[HELD_OUT] = _rows_of(held_out, takes, seed)
            self._splits[HELD_OUT] = held_out.split

    def of(self, model: Any, most: int = _MOST) -> list[Accuracy]:
        """The accuracy on the labelled rows, then on the held-out ones where there are any.

        Args:
            model: with `classify(samples)`, as `engine.Classifier` has it.
            most: rows of each at most.
        """
        found = []
        for name, (samples, labels) in self._rows.items():
            images = from_uint8(samples[:most]) if samples.dtype == np.uint8 else samples[:most]
            right = np.argmax(model.classify(np.asarray(images)), axis=1) == labels[:most]
            share = float(right.mean())
            found.append(Accuracy(name, share, error_of_share(share, len(right)), len(right), self._splits[name]))
        return found


def sentence(accuracies: list[Accuracy]) -> str:
    """Accuracies as a sentence for people."""
    parts = [
        f"{each.value:.3f} ± {each.standard_error:.3f} of the {each.count:,} held out ({each.split})"
        if each.name == HELD_OUT
        else f"{each.value:.3f} of the {each.count:,} labelled"
        for each in reversed(accuracies)
    ]
    ending = "" if len(accuracies) > 1 else "; nothing was held out, so this says little"
    return f"classified right: {' and '.join(parts)}{ending}"


def _rows_of(source, takes, seed):
    """(samples, labels) of at most `_MOST` rows in an order of the seed's, so that the first few stand for all."""
    rows = source.rows_for(takes)
    order = np.random.default_rng([seed, 2]).permutation(len(rows["label"]))[:_MOST]
    in_file = np.sort(order)
    samples = np.asarray(rows["sample"][in_file])[np.searchsorted(in_file, order)]
    return samples, np.asarray(rows["label"])[order]


def check_classes(source: Source, other: Source, label: str | None = None) -> None:
    """Raises a `UserError` where a split has classes that the training data do not.

    Args:
        source: the training data.
        other: the split, as `data.holding_out.held_out_of` gives it.
        label: name of the labels; the only ones unless given.
    """
    known, found = (each.class_names if label is None else each.columns[label].field.names for each in (source, other))
    if unknown := sorted(set(found) - set(known)):
        raise UserError(
            f"The split {other.split!r} of {source.name!r} has classes that the training data do not: "
            f"{', '.join(unknown)}. The training data have {', '.join(known)}."
        )
