"""Names for what the engine's functions hand to each other, for hints."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf


class Sometimes(NamedTuple):
    """A scalar that is known only where `known`, a bool scalar tensor, is true; means are taken of these."""

    value: tf.Tensor
    known: tf.Tensor


# {curve: scalar}, what a loss reports beside its value.
Curves = dict[str, tf.Tensor | Sometimes]
# {judge: (scores of the data, scores of what is to pass for them)}.
Judged = dict[str, tuple[tf.Tensor, tf.Tensor]]
# {tag: uint8 picture (height, width, channels), or texts}.
Shown = dict[str, np.ndarray | list[str]]
# {signature: (function, its input specifications)}.
Endpoints = dict[str, tuple[Callable[..., dict[str, tf.Tensor]], Sequence[tf.TensorSpec]]]
