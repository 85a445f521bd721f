"""Sentences on the path of bounded memory: one long array of characters, a memory map where it is large."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from keras_gans.data import cache


@dataclasses.dataclass(frozen=True, eq=False)
class TextArray:
    """Rows of one or more texts each, as NumPy arrays from which TensorFlow gathers without running Python.

    Attributes:
        characters: int32 Unicode code points of all texts, one after another.
        starts: int64 (texts + 1,), where each text begins in `characters`, and where the last one ends.
        rows: int64 (rows + 1,), which text is the first of each row, and how many there are.
    """

    characters: np.ndarray
    starts: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, texts: Iterable[str | Sequence[str]]) -> "TextArray":
        """The array of texts, one row each, or of sequences of texts, such as the captions of an image."""
        several = [(row,) if isinstance(row, str) else tuple(row) for row in texts]
        flat = [text for row in several for text in row]
        starts = np.cumsum([0, *map(len, flat)], dtype=np.int64)
        counts = np.cumsum([0, *map(len, several)], dtype=np.int64)

        def fill(array):
            for text, start, stop in zip(flat, starts, starts[1:], strict=False):
                array[start:stop] = np.frombuffer(text.encode("utf-32-le"), np.int32)

        identity = lambda: "\0".join(flat)  # noqa: E731
        # A file of no bytes cannot be mapped, nor an empty tensor gathered from.
        characters = cache.filled_array((max(1, int(starts[-1])),), np.dtype(np.int32), fill, identity)
        return cls(characters, starts, counts)

    def __len__(self) -> int:
        return len(self.rows) - 1

    def __getitem__(self, row: int) -> tuple[str, ...]:
        """The texts of one row."""
        return tuple(self.text(index) for index in range(self.rows[row], self.rows[row + 1]))

    def text(self, index: int) -> str:
        """One of all texts."""
        return self.characters[self.starts[index] : self.starts[index + 1]].tobytes().decode("utf-32-le")

    def first(self, count: int) -> list[str]:
        """The first text of each of the first rows."""
        return [self.text(index) for index in self.rows[: min(count, len(self))]]

    def take(self, rows: Sequence[int]) -> "TextArray":
        """Some of the rows, in the order given."""
        return TextArray.of([self[row] for row in rows])

    @property
    def most(self) -> int:
        """The largest number of texts in a row."""
        return int(np.diff(self.rows).max())
