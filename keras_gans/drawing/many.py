"""Samples as files: a picture of them all, or a file for each, whose number may be larger than memory."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from keras_gans.drawing import picture
from keras_gans.errors import UserError

# Samples that are drawn at once: memory grows with them.
PART = 256
# Of one picture: most programs that show pictures, this one too, refuse larger ones.
MOST_PIXELS = 2**26
MOST_POINTS = 10_000_000


def check_fits_a_picture(count: int, sample_shape: Sequence[int]) -> None:
    """Checks how many samples one picture is to show, before any is drawn.

    Args:
        count: how many.
        sample_shape: of one, (height, width, channels) of an image or (d,) of a point.

    Raises:
        UserError: more than `MOST_PIXELS` of images, or more than `MOST_POINTS`.
    """
    if len(sample_shape) != 3:
        most, instead = MOST_POINTS, ""
    else:
        # Each with the line of white beside and below it.
        most = MOST_PIXELS // ((sample_shape[0] + 1) * (sample_shape[1] + 1))
        instead = ", and --separate writes each to a file of its own"
    if count > most:
        what = "points" if len(sample_shape) != 3 else f"images of {sample_shape[1]}x{sample_shape[0]} pixels"
        raise UserError(f"One picture has room for {most:,} {what}{instead}. Received: {count:,}.")


def write_each(
    draw: Callable[[int, int], np.ndarray],
    count: int,
    file_of: Callable[[int], Path],
    console: Console | None = None,
) -> None:
    """Draws samples part by part, and writes each to a PNG file of its own.

    Args:
        draw: function (number of the first, how many) -> uint8 (how many, height, width, channels).
        count: of samples in all.
        file_of: function of a sample's number, counted from 0: its file.
        console: to show on how many are done and how long the rest takes, where it is a terminal.
    """
    columns = (TextColumn("drawing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    is_shown = console is not None and console.is_terminal
    with Progress(*columns, console=console, disable=not is_shown, transient=True) as bar:
        task = bar.add_task("", total=count)
        for start in range(0, count, PART):
            for place, image in enumerate(draw(start, min(PART, count - start)), start):
                picture.save_png(picture.draw(image[None]) if image.shape[-1] == 2 else image, file_of(place))
                bar.advance(task)
