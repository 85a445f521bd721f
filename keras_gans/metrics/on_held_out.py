"""What all evaluations against held-out data are asked, and how it is checked before any work."""

import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans.checks import is_whole
from keras_gans.data.opening import open_source
from keras_gans.data.source import Source
from keras_gans.errors import UserError, unknown_name
from keras_gans.metrics import features

SAMPLES = 5000
FEWEST_SAMPLES, MOST_SAMPLES = 10, 10_000_000


class OnHeldOutData:
    """An evaluation's data and options.

    Args:
        source: the training data: a `Source`, or whatever `keras_gans.data.open_source` takes.
        samples: how many to measure, from 10 to 10,000,000.
        seed: whole number from 0 to 2**31 - 1, of whatever is drawn.
        extractor: `Extractor`, the name of one, or None.
        data_dir, progress: as `keras_gans.data.open_source`.

    Attributes:
        class_names: of the data's classes, where the evaluation tells them apart.
        confusions: {what was read off: int64 array (classes, classes), how often class i was taken for j}, of the model
            measured last.
        swaps: {direction: which classes became which, in words}, of the model measured last.
        floor_means: what the column of floors is, for people.

    Raises:
        UserError: an option out of its range, or an extractor that does not exist.
    """

    class_names: tuple[str, ...] = ()
    confusions: Mapping[str, np.ndarray] = types.MappingProxyType({})
    swaps: Mapping[str, str] = types.MappingProxyType({})
    floor_means = (
        "'the data' is the same figure with training items in the samples' place: do not expect a run to pass it."
    )

    def __init__(
        self, source: Any, samples: Any, seed: Any, extractor: Any, data_dir: str | Path | None, progress: bool
    ):
        if not is_whole(samples) or not FEWEST_SAMPLES <= samples <= MOST_SAMPLES:
            raise UserError(
                f"samples must be a whole number from {FEWEST_SAMPLES} to {MOST_SAMPLES:,}. Received: {samples!r}."
            )
        if not is_whole(seed) or not 0 <= seed < 2**31:
            raise UserError(f"seed must be a whole number from 0 to 2**31 - 1. Received: {seed!r}.")
        if extractor is not None and not isinstance(extractor, features.Extractor):
            features.check_name(extractor)
        if not isinstance(source, Source):
            source = open_source(source, data_dir=data_dir, progress=progress)
        self.source, self.samples, self.seed = source, samples, seed
        self._wanted, self._data_dir, self._progress = extractor, data_dir, progress


def chosen(
    metrics: Sequence[str] | None,
    known: Sequence[str],
    kind: str,
    allowed: Sequence[str] | None = None,
    needs: Callable[[str], str] = str,
) -> list[str]:
    """Names of measures that were asked for, in the order of those that there are.

    Args:
        metrics: names; all that are allowed unless given.
        known: all that there are.
        kind: what they are called in a message.
        allowed: those that the data and the scheme allow; all unless given.
        needs: function of the name of one that is not allowed: what it needs.

    Raises:
        UserError: one that does not exist or is not allowed.
    """
    allowed = known if allowed is None else allowed
    for name in metrics or ():
        if name not in known:
            raise unknown_name(kind, name, known)
        if name not in allowed:
            raise UserError(f"{name!r} needs {needs(name)}. Those that can be taken here: {', '.join(allowed)}.")
    return [name for name in allowed if metrics is None or name in metrics]
