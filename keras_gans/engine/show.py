"""What a scheme shows of the data, by each field's kind: pictures of images and points, sentences as they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans.drawing import picture
from keras_gans.engine.kinds import Shown
from keras_gans.fields import Field, Images, Points, Texts
from keras_gans.files import atomically
from keras_gans.pixels import to_uint8

# One point says nothing.
_POINTS_FOR_AN_IMAGE = 32


def write(shown: np.ndarray | list[str], place: Path) -> Path:
    """Writes a picture as PNG, or texts a line each; returns the file's path, `place` with the ending of its kind."""
    path = place.with_name(f"{place.name}.{'txt' if isinstance(shown, list) else 'png'}")
    if isinstance(shown, list):
        with atomically(path) as partial:
            partial.write_text("".join(f"{line}\n" for line in shown), encoding="utf-8")
    else:
        picture.save_png(shown, path)
    return path


def rows_for(field: Field, count: int) -> int:
    """How many rows of a field stand where `count` images would."""
    return _POINTS_FOR_AN_IMAGE * count if isinstance(field, Points) else count


def as_shown(values: Any, field: Field) -> np.ndarray | list[str]:
    """Rows of a field as they are shown: images as uint8, texts as str."""
    if isinstance(field, Texts):
        return [value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in values]
    values = np.asarray(values)
    return to_uint8(values).numpy() if isinstance(field, Images) and values.dtype != np.uint8 else values


def data(real: Mapping[str, Any], fields: dict[str, Field]) -> Shown:
    """What is drawn of the data: {"real": ...}, or of several fields {"real_NAME": ...}.

    Args:
        real: {field: rows, as `as_shown` gives them}.
        fields: {field: its kind}.

    Returns:
        {tag: uint8 picture (height, width, channels) of images or points; list of str of texts}.
    """
    shown = {name: field for name, field in fields.items() if isinstance(field, Images | Points | Texts)}
    tags = {name: "real" if len(shown) == 1 else f"real_{name}" for name in shown}
    is_text = {name: isinstance(field, Texts) for name, field in shown.items()}
    return {tags[name]: real[name] if is_text[name] else picture.draw(real[name]) for name in shown}
