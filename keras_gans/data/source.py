"""What every kind of source is opened into."""

import dataclasses

import numpy as np

from keras_gans.errors import UserError

MAX_IMAGE_SIZE = 4096


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Source:
    """A finite collection of images, or of points, with or without labels.

    Attributes:
        name: what it was opened from, for messages and run names.
        split: the part of it that was opened.
        images: uint8 (n, height, width, channels) in 0..255; float32 of the same shape in [-1, 1] where floats were
            given; float32 (n, dimensions) for points. A memory map where it is larger than about 1 GiB.
        labels: int64 (n,), or None.
        class_names: tuple of str such that label i means `class_names[i]`, or None.
        label_hint: what would give labels, as an error says it to someone who asks for them in vain.
    """

    name: str
    split: str
    images: np.ndarray
    labels: np.ndarray | None = None
    class_names: tuple | None = None
    label_hint: str = "Open a source that has labels."

    def __len__(self):
        return len(self.images)

    def __repr__(self):
        kind = "points" if self.is_points else "images"
        classes = "no labels" if self.labels is None else f"{self.class_count} classes"
        return f"Source({self.name!r}, {self.split!r}: {len(self):,} {kind} of shape {self.image_shape}, {classes})"

    @property
    def image_shape(self):
        """(height, width, channels) of each image, or (dimensions,) of each point."""
        return tuple(self.images.shape[1:])

    @property
    def is_points(self):
        """True where the items are points, which are not scaled, instead of images."""
        return self.images.ndim == 2

    @property
    def class_count(self):
        """How many classes the labels distinguish; 0 without labels."""
        if self.labels is None:
            return 0
        return len(self.class_names) if self.class_names else int(self.labels.max()) + 1

    def require_labels(self):
        """Raises `UserError`, saying what would give labels, where there are none."""
        if self.labels is None:
            raise UserError(f"labels=True, but {self.name!r} ({self.split}) has no labels. {self.label_hint}")


def check_image_options(image_size, channels):
    """Raises `UserError` unless `image_size` is a sensible side in pixels or None, and `channels` 1, 3 or None."""
    if image_size is not None and not (is_whole(image_size) and 1 <= image_size <= MAX_IMAGE_SIZE):
        raise UserError(
            f"image_size is the side of the square images in pixels, a whole number from 1 to {MAX_IMAGE_SIZE}. "
            f"Received: {image_size!r}."
        )
    if channels not in (None, 1, 3) or isinstance(channels, bool):
        raise UserError(f"channels is 1 (grey) or 3 (colour). Received: {channels!r}.")


def check_no_image_options(name, image_size, channels):
    """Raises `UserError` where images' options are given for points."""
    for option, value in (("image_size", image_size), ("channels", channels)):
        if value is not None:
            raise UserError(f"{name!r} holds points, not images: leave {option} out. Received: {option}={value!r}.")


def is_whole(value):
    """True for a whole number, Python's or NumPy's; a bool is none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_labels_per_class(value):
    """Refuses what is no number from 1."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 1 <= value < np.inf:
        raise UserError(f"labels_per_class is a number from 1, on average over the classes. Received: {value!r}.")
