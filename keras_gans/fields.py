"""Fields: what a data set holds and a scheme takes, each of one kind, with its shape, range and names. NumPy only."""

import abc
import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_gans.errors import UserError

UNLABELLED = -1
_WORDS = ("a", "small", "red", "circle", "near", "the", "blue", "star")


class Field(abc.ABC):
    """One named part of a row of data: an image, its class, a sentence.

    Attributes:
        shape: of one row, without the batch; a tuple.
        dtype: of a batch: "float32", "int64", "int32" or "string".
    """

    shape: tuple[int, ...]
    dtype: str

    @abc.abstractmethod
    def describe(self) -> str:
        """The kind and its shape for people, such as "images of 28x28x1"."""

    @property
    def limits(self) -> tuple[float, float] | None:
        """The lowest and the highest number that a batch may hold, None where any will do."""
        return None

    @abc.abstractmethod
    def check(self, values: np.ndarray, name: str) -> None:
        """Raises a `UserError` unless `values` are a batch of this field; `name` is the field's, for the message."""

    @abc.abstractmethod
    def example(self, count: int, seed: int = 0) -> np.ndarray:
        """A batch of `count` random rows that `check` accepts."""


def _check_shape(values: np.ndarray, name: str, shape: tuple[int, ...]) -> None:
    if tuple(values.shape[1:]) == shape and values.ndim == 1 + len(shape):
        return
    expected = ", ".join(("batch", *map(str, shape)))
    raise UserError(
        f"The networks take {name} of shape ({expected}). Received: {tuple(values.shape)}."
        + _shape_hint(tuple(values.shape), shape)
    )


def _shape_hint(received: tuple[int, ...], shape: tuple[int, ...]) -> str:
    if received == shape:
        return " There is no batch axis: batch the dataset first."
    if len(shape) == 3 and received[1:] == shape[:-1] and shape[-1] == 1:
        return " The channel axis is missing: x[..., None] adds it."
    if len(received) == len(shape) + 2:
        return " There are two batch axes: the dataset is batched twice."
    return ""


def _check_finite_floats(values: np.ndarray, name: str, hint: str) -> None:
    if not np.issubdtype(values.dtype, np.floating):
        raise UserError(
            f"{name.capitalize()} must be floats{hint}. Received: {values.dtype} from {values.min()} to "
            f"{values.max()}. keras_gans.data.load scales them; by hand, x / 127.5 - 1 for uint8."
        )
    if not np.isfinite(values).all():
        count = np.count_nonzero(~np.isfinite(values))
        raise UserError(f"The first batch holds {count} NaN or infinite values among its {name}.")


@dataclasses.dataclass(frozen=True)
class Images(Field):
    """Images, float32 in [-1, 1] in a batch.

    Args:
        shape: (height, width, channels).
    """

    shape: tuple[int, ...]
    dtype = "float32"

    def describe(self) -> str:
        return f"images of {'x'.join(map(str, self.shape))}"

    @property
    def limits(self) -> tuple[float, float]:
        # Rounding may go a little beyond.
        return -1.001, 1.001

    def check(self, values: np.ndarray, name: str) -> None:
        values = np.asarray(values)
        _check_shape(values, name, self.shape)
        _check_finite_floats(values, name, " in [-1, 1]")
        if not values.size:
            return
        lowest, highest = self.limits
        if values.min() < lowest or values.max() > highest:
            raise UserError(
                f"Images must lie in [-1, 1], the generator's range. Received: {values.min():.4g} to "
                f"{values.max():.4g}. keras_gans.data.load scales them; by hand, x / 127.5 - 1 for 0 to 255."
            )
        if len(values) > 1 and values.min() >= 0.0 and values.max() > 0.0:
            warnings.warn(
                f"The first batch lies in [{values.min():.3g}, {values.max():.3g}], as if scaled to [0, 1]; the "
                "generator's range is [-1, 1]: 2 * x - 1 maps one to the other.",
                stacklevel=5,
            )

    def example(self, count: int, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).uniform(-1, 1, (count, *self.shape)).astype("float32")


@dataclasses.dataclass(frozen=True)
class Points(Field):
    """Points of a space without a range of its own, float32 as they are.

    Args:
        shape: (d,).
    """

    shape: tuple[int, ...]
    dtype = "float32"

    def describe(self) -> str:
        return f"points of {'x'.join(map(str, self.shape))}"

    def check(self, values: np.ndarray, name: str) -> None:
        values = np.asarray(values)
        _check_shape(values, name, self.shape)
        _check_finite_floats(values, name, "")

    def example(self, count: int, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).standard_normal((count, *self.shape)).astype("float32")


# Whatever single kind of sample the data have.
SAMPLE = (Images, Points)


@dataclasses.dataclass(frozen=True)
class Classes(Field):
    """Class labels, whole numbers from 0.

    Args:
        names: of the classes, label i being `names[i]`.
        allows_unlabelled: whether -1, for a row without a label, may occur.
        prior: each class's share of the data; None where it is not known.
    """

    names: tuple[str, ...]
    allows_unlabelled: bool = False
    prior: tuple[float, ...] | None = None
    shape = ()
    dtype = "int64"

    @property
    def count(self) -> int:
        """How many classes there are."""
        return len(self.names)

    def describe(self) -> str:
        return f"labels of {self.count} classes"

    @property
    def limits(self) -> tuple[float, float]:
        return UNLABELLED if self.allows_unlabelled else 0, self.count - 1

    def check(self, values: np.ndarray, name: str) -> None:
        values = np.asarray(values)
        lowest = UNLABELLED if self.allows_unlabelled else 0
        if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer):
            raise UserError(f"Labels are integers of shape (batch,). Received: {values.dtype} of shape {values.shape}.")
        if values.min(initial=lowest) < lowest or values.max(initial=0) >= self.count:
            hint = " (-1 for no label)" if self.allows_unlabelled else ""
            raise UserError(
                f"Labels lie from {lowest} to {self.count - 1}{hint}. Received: {values.min()} to {values.max()}."
            )

    def example(self, count: int, seed: int = 0) -> np.ndarray:
        labels = np.random.default_rng(seed).integers(0, self.count, count)
        if self.allows_unlabelled:
            labels[1::2] = UNLABELLED
        return labels


@dataclasses.dataclass(frozen=True)
class Texts(Field):
    """Sentences as strings, UTF-8 in a batch of TensorFlow's.

    Args:
        texts: those of the data, where they are known, for a vocabulary to be learned from: a sequence of str, or of
            sequences of str, several for a row.
        vocabulary: the pieces that they are read as, see `subwords`, where one has been learned.
    """

    texts: Any = dataclasses.field(default=(), repr=False)
    vocabulary: tuple[str, ...] = ()
    shape = ()
    dtype = "string"

    def describe(self) -> str:
        return "texts"

    def check(self, values: np.ndarray, name: str) -> None:
        values = np.asarray(values)
        if values.ndim != 1 or values.dtype.kind not in "OSUT":
            raise UserError(f"{name} are texts of shape (batch,). Received: {values.dtype} of shape {values.shape}.")

    def example(self, count: int, seed: int = 0) -> np.ndarray:
        random = np.random.default_rng(seed)
        if len(self.texts):
            chosen = (self.texts[place] for place in random.integers(0, len(self.texts), count))
            rows = [text if isinstance(text, str) else text[0] for text in chosen]
        elif self.vocabulary:
            # After the special tokens.
            pieces = self.vocabulary[4:]
            drawn = ["".join(random.choice(pieces, random.integers(2, 6))) for _ in range(count)]
            rows = [" ".join(row.replace("\u2581", " ").split()) for row in drawn]
        else:
            rows = [" ".join(random.choice(_WORDS, random.integers(2, 6))) for _ in range(count)]
        return np.array([row.encode() for row in rows], object)


@dataclasses.dataclass(frozen=True)
class Tokens(Field):
    """Sentences as numbers of words or subwords, 0 being padding.

    Args:
        length: of every row, with padding.
        vocabulary: what each number stands for.
    """

    length: int
    vocabulary: tuple[str, ...]
    dtype = "int32"

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        return (self.length,)

    def describe(self) -> str:
        return f"{self.length} tokens of a vocabulary of {len(self.vocabulary):,}"

    def check(self, values: np.ndarray, name: str) -> None:
        values = np.asarray(values)
        _check_shape(values, name, self.shape)
        known = len(self.vocabulary)
        if not np.issubdtype(values.dtype, np.integer) or values.min(initial=0) < 0 or values.max(initial=0) >= known:
            raise UserError(
                f"{name} are whole numbers from 0 to {known - 1}. Received: {values.dtype} from {values.min()} to "
                f"{values.max()}."
            )

    def example(self, count: int, seed: int = 0) -> np.ndarray:
        random = np.random.default_rng(seed)
        return random.integers(1, len(self.vocabulary), (count, self.length)).astype("int32")


Kinds = Sequence[type[Field]]


def texts_are_translated(translates: Mapping[str, tuple[str, str]], takes: Mapping[str, Kinds]) -> bool:
    """Whether what is translated are texts.

    Args:
        translates: {direction: (field it takes, field it makes)}.
        takes: {field: kinds that fit}.
    """
    return any(takes[field] == (Texts,) for fields in translates.values() for field in fields)


def sample_of(shape: Sequence[int]) -> Images | Points:
    """The field of samples of that shape: images of (height, width, channels), else points."""
    return Images(tuple(shape)) if len(shape) == 3 else Points(tuple(shape))
