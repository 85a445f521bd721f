"""What `keras-gans latent invert` computes, shows and says."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from keras_gans import data, latent
from keras_gans.data import pictures
from keras_gans.drawing import picture
from keras_gans.errors import NoSplitError, UserError
from keras_gans.fields import SAMPLE
from keras_gans.latent import inversion
from keras_gans.printing import escape

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel
    from keras_gans.training.recipe import Recipe


_COLUMNS = 12
_WIDTH = 960


@dataclasses.dataclass(frozen=True)
class Targets:
    """Images, or points, to invert.

    Attributes:
        name: for people.
        images: as `keras_gans.data.Source` has them.
        labels: int64 (n,) where the model is class-conditional, else None.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray | None


def targets_of(
    model: "AdversarialModel", recipe: "Recipe", images: np.ndarray, splits: int, count: int, label: Any
) -> list[Targets]:
    """What to invert.

    Args:
        model: the run's model.
        recipe: the run's, as a dict.
        images: path of an image or of a folder, or None for the run's data.
        splits: parts of the run's data; None for test, where there is one, and train.
        count: images at most of each.
        label: class of `images` where the model is class-conditional.

    Returns:
        list of `Targets`.

    Raises:
        UserError: data that cannot be opened or are of another shape, or labels missing.
    """
    if images is not None:
        return [_own(model, images, count, label)]
    if label is not None:
        raise UserError("--label is for images of your own: the run's data bring their labels.")
    found = []
    if not splits and (training := _held_out(model, recipe)) is not None:
        return [Targets(source.split, *_some(model, source, count)) for source in (training.held_out, training)]
    for split in splits or ("test", "train"):
        try:
            source = data.open_source(
                recipe["data"],
                split=split,
                image_size=recipe["image_size"],
                channels=recipe["channels"],
                labels=model.takes_labels,
                skip_unreadable=recipe.get("skip_unreadable", False),
            )
        except NoSplitError:
            # A folder without subfolders has no test split; what was asked for by name must be there.
            if splits or split == "train":
                raise
            continue
        if split == "train":
            # What was held out is no training data.
            source = data.hold_out(source, recipe.get("hold_out", 0.0))
        found.append(Targets(split, *_some(model, source, count)))
    return found


def _some(model, source, count):
    """(samples, their labels or None) drawn from all rows of a source."""
    rows = source.shown_rows(type(model).takes, count)
    return rows["sample"], rows["label"] if model.takes_labels else None


def _held_out(model, recipe):
    """The run's training data where a share was held out of them, else None."""
    source = data.open_source(
        recipe["data"],
        image_size=recipe["image_size"],
        channels=recipe["channels"],
        labels=model.takes_labels,
        skip_unreadable=recipe.get("skip_unreadable", False),
    )
    training = data.hold_out(source, recipe.get("hold_out", 0.0))
    return None if training.held_out is None else training


def _own(model, path, count, label):
    shape = model.sample_shape()
    if len(shape) != 3 or shape[0] != shape[1] or shape[2] not in (1, 3):
        raise UserError(f"Image files become squares of 1 or 3 channels, and this run makes samples of shape {shape}.")
    if path.is_dir():
        own = data.open_source(path, image_size=shape[0], channels=shape[2])
        images = own.shown_rows({"sample": SAMPLE}, count)["sample"]
    else:
        try:
            images = pictures.decode(path, shape[0], shape[2])[np.newaxis]
        except Exception as error:  # Pillow's plug-ins raise anything at all on damaged files.
            raise UserError(f"The image {path} cannot be read: {error or type(error).__name__}.") from None
    return Targets(path.name, np.asarray(images), latent.decoding.labels_for(model, label, len(images)))


def inversion_report(model: "AdversarialModel", targets: Any, *, steps: int, restarts: int) -> tuple[Table, np.ndarray]:
    """Inverts and compares.

    Args:
        model: the run's model.
        targets: list of `Targets`.
        steps, restarts: see `keras_gans.latent.inversion.invert_each`.

    Returns:
        (rich.table.Table of errors, uint8 picture).
    """
    starts = "1 start" if restarts == 1 else f"the best of {restarts} starts"
    table = Table(
        "images",
        "count",
        "mean squared error",
        "standard error",
        "lowest",
        "highest",
        title=f"Reconstruction after {steps} steps from {starts}",
        title_justify="left",
    )
    if restarts > 1:
        table.add_column("first start alone")
    rows = []
    for target in targets:
        latents, errors = inversion.invert_each(model, target.images, steps, restarts=restarts, labels=target.labels)
        found = inversion.best_of(latents, errors)
        loss = inversion.summary(found.errors)
        figures = (loss.mean, loss.standard_error, loss.errors.min(), loss.errors.max())
        alone = [f"{errors[0].mean():.4f}"] if restarts > 1 else []
        table.add_row(escape(target.name), str(len(loss.errors)), *(f"{value:.4f}" for value in figures), *alone)
        labels = None if target.labels is None else target.labels[:_COLUMNS]
        made = latent.decode_array(model, found.latents[:_COLUMNS], labels)
        rows.append((target.images[:_COLUMNS], made))
    return table, _picture(rows)


def _picture(rows):
    if rows[0][1].ndim != 4:
        # Points: what was asked for in grey, what came of it in red.
        return picture.points(np.concatenate([made for _, made in rows]), np.concatenate([real for real, _ in rows]))
    columns = max(len(made) for _, made in rows)
    blank = np.full((1, *rows[0][1].shape[1:]), 255, np.uint8)
    tiles = [tile for pair in rows for part in pair for tile in (part, *[blank] * (columns - len(part)))]
    return picture.grid(np.concatenate(tiles), columns=columns, width=_WIDTH)
