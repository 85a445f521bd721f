"""What every kind of source is opened into: named columns, each of one kind of field."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_gans.checks import is_whole
from keras_gans.data.texts import TextArray
from keras_gans.errors import NoLabelsError, UserError
from keras_gans.fields import SAMPLE, Classes, Field, Images, Kinds, Points, Texts

MAX_IMAGE_SIZE = 4096
_NO_LABELS = "Open a source that has labels."


@dataclasses.dataclass(frozen=True, eq=False)
class Column:
    """All rows of one field.

    Attributes:
        field: what the rows are.
        values: images as uint8 (n, height, width, channels) in 0..255, or float32 in [-1, 1] where floats were given;
            float32 points (n, d); int64 labels (n,); int32 tokens (n, length); or a `TextArray`. A memory map where it
            is larger than about 1 GiB.
        group: columns of one group hold the same rows in the same order; those of two have nothing to do with each
            other, such as two collections of images of which no two belong together.
    """

    field: Field
    values: Any
    group: int = 0

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> "Column":
        """Some of the rows, in the order given."""
        values = self.values.take(rows) if isinstance(self.values, TextArray) else np.asarray(self.values[rows])
        return dataclasses.replace(self, values=values)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Source:
    """A finite collection of rows, each with named fields.

    Attributes:
        name: what it was opened from, for messages and run names.
        split: the part of it that was opened.
        columns: {field: `Column`}.
        label_hint: what would give labels, as an error says it to someone who asks for them in vain.
        held_out: rows that were set aside to measure with, see `holding_out.hold_out`; None where none were.
        note: a sentence for people on what became of the rows as they were opened, or none.
        skip_unreadable: whether image files that cannot be read were left out; so they are of its other splits.
    """

    name: str
    split: str
    columns: Mapping[str, Column]
    label_hint: str = _NO_LABELS
    held_out: "Source | None" = None
    note: str = ""
    skip_unreadable: bool = False

    @classmethod
    def of_samples(
        cls,
        name: str,
        split: str,
        samples: np.ndarray,
        labels: np.ndarray | None = None,
        class_names: Sequence[str] | None = None,
        label_hint: str = _NO_LABELS,
    ) -> "Source":
        """A source of images or points, with or without labels: fields `image` or `point`, and `label`."""
        columns = {"image" if samples.ndim == 4 else "point": sample_column(samples)}
        if labels is not None:
            columns["label"] = class_column(labels, class_names)
        return cls(name, split, columns, label_hint)

    @classmethod
    def of(cls, arrays: Mapping[str, Any], name: str = "array", split: str = "train") -> "Source":
        """A source of arrays in memory, row i of each belonging together.

        Args:
            arrays: {field: uint8 images (n, height, width, channels), or float ones in [-1, 1]; float points (n, d);
                whole numbers from 0 (n,), classes; or a list of str or of sequences of str, texts}.
            name: of the source, for messages.
            split: likewise.

        Raises:
            UserError: an array of no known kind, or arrays of several lengths.
        """
        columns = {key: _column_of(key, values) for key, values in arrays.items()}
        counts = {key: len(column) for key, column in columns.items()}
        if len(set(counts.values())) != 1 or 0 in counts.values():
            raise UserError(f"Row i of each field belongs together, so all have as many rows. Received: {counts}.")
        return cls(name, split, columns)

    def __len__(self) -> int:
        return max(map(len, self.columns.values()))

    def __repr__(self) -> str:
        kinds = ", ".join(f"{name}: {column.field.describe()}" for name, column in self.columns.items())
        return f"Source({self.name!r}, {self.split!r}: {len(self):,} rows of {kinds})"

    # Fields -----------------------------------------------------------------------------------------------------

    @property
    def fields(self) -> dict[str, Field]:
        """{name: `Field`}."""
        return {name: column.field for name, column in self.columns.items()}

    def match(self, takes: Mapping[str, Kinds]) -> dict[str, str]:
        """Which of the fields serves as what: {name in `takes`: name of the field}.

        A name that the source has is itself; for any other the only field of an accepted kind serves.

        Args:
            takes: {name: the kinds that it may be of}, as a scheme says.

        Raises:
            UserError: there is none for a name, there are several, or one would have to serve as two.
        """
        found = {name: self._match_one(name, tuple(kinds)) for name, kinds in takes.items()}
        for field in found.values():
            names = [name for name, other in found.items() if other == field]
            # One label may be that of both images of a pair.
            if len(names) > 1 and not isinstance(self.columns[field].field, Classes):
                example = "'A = B'" if isinstance(self.columns[field].field, Texts) else "'A + B' or 'A = B'"
                raise UserError(
                    f"{' and '.join(map(repr, names))} are two things, and {self.name!r} ({self.split}) has one alone: "
                    f"{field} ({self.columns[field].field.describe()}). Name the data of both, as {example}."
                )
        return found

    def _match_one(self, name: str, kinds: tuple[type[Field], ...]) -> str:
        if name in self.columns and isinstance(self.columns[name].field, kinds):
            return name
        found = [other for other, column in self.columns.items() if isinstance(column.field, kinds)]
        # Among several samples the one that has a sample's own name.
        found = [other for other in ("image", "point") if other in found][:1] or found if name == "sample" else found
        if len(found) == 1:
            return found[0]
        if not found and kinds == (Classes,):
            self.require_labels()
        held = ", ".join(f"{other} ({column.field.describe()})" for other, column in self.columns.items())
        wanted = " or ".join(kind.__name__.lower() for kind in kinds)
        many = f"several that could be ({', '.join(found)})" if found else "none"
        raise UserError(f"A field {name!r} of {wanted} is needed, and {self.name!r} ({self.split}) has {many}: {held}.")

    def fields_for(self, takes: Mapping[str, Kinds]) -> dict[str, Field]:
        """{name in `takes`: the `Field` that serves}; see `match`. Those of texts have the texts of all rows."""
        columns = {name: self.columns[field] for name, field in self.match(takes).items()}
        return {
            name: Texts(column.values) if isinstance(column.field, Texts) else column.field
            for name, column in columns.items()
        }

    def rows_for(self, takes: Mapping[str, Kinds], count: int | None = None) -> dict[str, Any]:
        """{name in `takes`: the values that serve}, of the first `count` rows where given; texts as lists of str."""
        found = {}
        for name, field in self.match(takes).items():
            values = self.columns[field].values
            if isinstance(values, TextArray):
                values = values.first(len(values) if count is None else count)
            found[name] = values if count is None else values[:count]
        return found

    def shown_rows(self, takes: Mapping[str, Kinds], count: int, seed: int = 0) -> dict[str, Any]:
        """{name in `takes`: values} of some rows drawn from all of them, to stand for the data in pictures.

        Where rows have labels, the classes take turns as long as each has some left.

        Args:
            takes: see `match`.
            count: rows at most.
            seed: of the draw.
        """
        drawn = {group: self._drawn(group, count, seed) for group in self.groups}
        found = {}
        for name, field in self.match(takes).items():
            column = self.columns[field]
            values = column.take(drawn[column.group]).values
            found[name] = values.first(len(values)) if isinstance(values, TextArray) else values
        return found

    def _drawn(self, group, count, seed):
        """Numbers of `count` of a group's rows; without labels in an order of the seed's."""
        columns = [column for column in self.columns.values() if column.group == group]
        order = np.random.default_rng([seed, group]).permutation(len(columns[0]))
        labels = next((column.values for column in columns if isinstance(column.field, Classes)), None)
        if labels is None:
            return order[:count]
        classes = np.asarray(labels)[order]
        turn = np.zeros(len(order), np.int64)
        for each in np.unique(classes):
            turn[classes == each] = np.arange(np.count_nonzero(classes == each))
        return order[np.lexsort((classes, turn))][:count]

    @property
    def groups(self) -> list[int]:
        """Numbers of the groups, see `Column`."""
        return sorted({column.group for column in self.columns.values()})

    # Of sources with one sample a row ---------------------------------------------------------------------------

    @property
    def _sample(self) -> Column:
        return self.columns[self._match_one("sample", SAMPLE)]

    @property
    def samples(self) -> np.ndarray:
        """The images, or the points."""
        return self._sample.values

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(height, width, channels) of each image, or (d,) of each point."""
        return self._sample.field.shape

    @property
    def is_points(self) -> bool:
        """True where the samples are points, which are not scaled, instead of images."""
        return isinstance(self._sample.field, Points)

    @property
    def label_column(self) -> Column | None:
        """The column of `labels`."""
        found = [column for column in self.columns.values() if isinstance(column.field, Classes)]
        return self.columns.get("label", found[0] if len(found) == 1 else None)

    @property
    def labels(self) -> np.ndarray | None:
        """int64 (n,), or None."""
        return None if self.label_column is None else self.label_column.values

    @property
    def class_names(self) -> tuple[str, ...]:
        """Label i means `class_names[i]`; none without labels."""
        return () if self.label_column is None else self.label_column.field.names

    @property
    def class_count(self) -> int:
        """How many classes the labels distinguish; 0 without labels."""
        return len(self.class_names)

    def require_labels(self) -> None:
        """Raises `UserError`, saying what would give labels, where there are none."""
        if not any(isinstance(column.field, Classes) for column in self.columns.values()):
            raise NoLabelsError(f"Labels are wanted, but {self.name!r} ({self.split}) has no labels. {self.label_hint}")

    def take(self, rows: np.ndarray) -> "Source":
        """Some of the rows, in the order given, with the names and the prior of all classes."""
        return dataclasses.replace(
            self,
            columns={name: column.take(rows) for name, column in self.columns.items()},
        )


def class_column(labels: np.ndarray, names: Sequence[str] | None = None, group: int = 0) -> Column:
    """The column of labels, int64 (n,), with their names, the numbers unless given, and shares of the data."""
    count = len(names) if names else int(labels.max()) + 1
    counts = np.bincount(labels, minlength=count)
    prior = tuple((counts / counts.sum()).tolist())
    return Column(Classes(tuple(names or map(str, range(count))), prior=prior), labels, group)


def sample_column(samples: np.ndarray, group: int = 0) -> Column:
    """The column of images or points."""
    return Column((Images if samples.ndim == 4 else Points)(tuple(samples.shape[1:])), samples, group)


def unpaired(a: Source, b: Source) -> dict[str, Column]:
    """The columns of two collections of images that do not belong together: `image_a` and `image_b`.

    Where both have labels of the same classes, there are `label_a` and `label_b` too.
    """
    columns = {}
    has_labels = a.class_names == b.class_names and a.class_count > 0
    for group, (side, source) in enumerate((("a", a), ("b", b))):
        columns[f"image_{side}"] = Column(Images(source.sample_shape), source.samples, group)
        if has_labels and source.label_column is not None:
            columns[f"label_{side}"] = dataclasses.replace(source.label_column, group=group)
    return columns


def _column_of(name: str, values: Any) -> Column:
    if isinstance(values, TextArray):
        return Column(Texts(), values)
    is_text = isinstance(values, list | tuple) and bool(values) and isinstance(values[0], str | list | tuple)
    if is_text and not isinstance(values[0], str):
        is_text = isinstance(values[0][0] if values[0] else "", str)
    if is_text:
        return Column(Texts(), TextArray.of(values))
    from keras_gans.data.arrays import check_array, check_label_array

    values = np.asanyarray(values)
    if values.ndim == 1 or np.issubdtype(values.dtype, np.integer) and values.ndim == 1:
        return class_column(check_label_array(values, len(values)))
    samples, _ = check_array(values)
    return sample_column(samples if samples.dtype == np.uint8 else samples.astype(np.float32, copy=False))


def check_image_options(image_size: int | None, channels: int | None) -> None:
    """Raises `UserError` unless `image_size` is a sensible side in pixels or None, and `channels` 1, 3 or None."""
    if image_size is not None and not (is_whole(image_size) and 1 <= image_size <= MAX_IMAGE_SIZE):
        raise UserError(
            f"image_size is the side of the square images in pixels, a whole number from 1 to {MAX_IMAGE_SIZE}. "
            f"Received: {image_size!r}."
        )
    if channels not in (None, 1, 3) or isinstance(channels, bool):
        raise UserError(f"channels is 1 (grey) or 3 (colour). Received: {channels!r}.")


def check_no_image_options(name: str, image_size: int | None, channels: int | None) -> None:
    """Raises `UserError` where images' options are given for data without images."""
    for option, value in (("image_size", image_size), ("channels", channels)):
        if value is not None:
            raise UserError(f"{name!r} holds points, not images: leave {option} out. Received: {option}={value!r}.")


def check_labels_per_class(value: Any) -> None:
    """Refuses what is no number from 1."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 1 <= value < np.inf:
        raise UserError(f"labels_per_class is a number from 1, on average over the classes. Received: {value!r}.")
