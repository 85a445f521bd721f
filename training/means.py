"""The curves' means between two points, which a run that goes on takes up where they were."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


class Means(keras.callbacks.Callback):
    """Has the first point of each curve after a resume be the mean of all steps since the last point before it.

    Args:
        means: what `means_of` gave; {} where nothing is to be taken up.
    """

    def __init__(self, means: Mapping[str, tuple[float, float]]):
        super().__init__()
        self.means = dict(means)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        # `fit` has just started them anew, as it does each time.
        for name, (total, count) in self.means.items():
            if name in self.model.curves:
                self.model.curves[name].total.assign(total)
                self.model.curves[name].count.assign(count)
        self.means = {}


def means_of(model: "AdversarialModel") -> dict[str, list[Any]]:
    """{curve: [sum of its values since its last point, how many]} of a model in training."""
    return {
        name: [float(tf.convert_to_tensor(part)) for part in (curve.total, curve.count)]
        for name, curve in model.curves.items()
    }
