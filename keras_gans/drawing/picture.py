"""The one place that draws: grids of images, points on a plane, and moving pictures of them."""

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_gans.errors import UserError
from keras_gans.files import atomically


def grid(images: np.ndarray, columns: int | None = None, gap: int = 1, width: int = 512) -> np.ndarray:
    """Images side by side, enlarged by a whole factor so that small ones can be read.

    Images below 32 pixels are enlarged smoothly: a person cannot read a digit of 8x8 square blocks.

    Args:
        images: uint8 array (count, height, width, channels), 1 or 3 channels; of others the first three, or one.
        columns: images in a row; about the square root of the count unless given.
        gap: pixels of white between images, before enlarging.
        width: the grid is enlarged towards, never past, so many pixels.

    Returns:
        uint8 array (height, width, 1 or 3).
    """
    images = np.asarray(images)
    images = images[..., :3] if images.shape[-1] >= 3 else images[..., :1]
    count = len(images)
    columns = min(count, columns or math.ceil(math.sqrt(count)))
    factor = max(1, width // (columns * (images.shape[2] + gap) + gap))
    images, gap = _enlarged(images, factor), gap * factor
    _, height, image_width, channels = images.shape
    rows = math.ceil(count / columns)
    canvas = np.full((rows * (height + gap) + gap, columns * (image_width + gap) + gap, channels), 255, np.uint8)
    for index, image in enumerate(images):
        top = gap + index // columns * (height + gap)
        left = gap + index % columns * (image_width + gap)
        canvas[top : top + height, left : left + image_width] = image
    return canvas


def captioned(images: np.ndarray, texts: Sequence[str], columns: int | None = None, width: int = 1024) -> np.ndarray:
    """Images side by side, each with its text below, in as many lines as it takes up to three.

    Args:
        images: uint8 array (count, height, width, 1 or 3).
        texts: one for each image.
        columns: images in a row; about the square root of twice the count unless given.
        width: of the picture in pixels, nearly.

    Returns:
        uint8 array (height, width, 1 or 3).
    """
    images = np.asarray(images)
    columns = min(len(images), columns or math.ceil(math.sqrt(2 * len(images))))
    factor = max(1, (width // columns - 6) // images.shape[2])
    images = _enlarged(images, factor)
    # A letter of this font is half as wide as high.
    size = 12
    letters = max(4, images.shape[2] * 2 // size)
    lines = [textwrap.wrap(text, letters, max_lines=3, placeholder=" ...") for text in texts]
    below = (size + 2) * max(1, *map(len, lines)) + 2
    labels = np.stack([_written(each, (images.shape[2], below), size) for each in lines])
    labels = np.broadcast_to(labels[..., np.newaxis], (*labels.shape, images.shape[-1]))
    return grid(np.concatenate([images, labels], axis=1), columns, gap=3, width=1)


def _written(lines, size, height):
    """Lines of text, black on white: uint8 (height, width)."""
    paper = Image.new("L", size, 255)
    ImageDraw.Draw(paper).multiline_text((1, 1), "\n".join(lines), 0, ImageFont.load_default(height), spacing=2)
    return np.asarray(paper)


def rows(images: np.ndarray, columns: int | None) -> np.ndarray:
    """Several arrays of images one below another: a row of the first, below it that row of the second, and so on.

    Args:
        images: list of uint8 arrays (count, height, width, channels), of one count and size; grey ones stand beside
            coloured ones.
        columns: images in a row, which divides the count.

    Returns:
        uint8 array (height, width, 1 or 3).
    """
    channels = max(each.shape[-1] for each in images)
    alike = [np.broadcast_to(each, (*each.shape[:-1], channels)) if each.shape[-1] == 1 else each for each in images]
    stacked = np.stack([each.reshape(-1, columns, *each.shape[1:]) for each in alike], axis=1)
    return grid(stacked.reshape(-1, *stacked.shape[3:]), columns)


def _enlarged(images, factor):
    """Images (count, height, width, channels) enlarged by a whole factor, small ones smoothly."""
    if factor == 1 or images.shape[2] >= 32:
        return images.repeat(factor, axis=1).repeat(factor, axis=2)
    size = (images.shape[2] * factor, images.shape[1] * factor)
    planes = images.transpose(0, 3, 1, 2).reshape(-1, *images.shape[1:3])
    planes = np.stack([np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC)) for plane in planes])
    return planes.reshape(len(images), -1, *size[::-1]).transpose(0, 2, 3, 1)


def points(generated: np.ndarray, real: Any = None, size: int = 512, extent: float | None = None) -> np.ndarray:
    """A scatter plot: generated points in red over real ones in grey.

    Args:
        generated: float array (count, 2); of further coordinates only the first two are drawn, and a single one is
            drawn over its share of smaller ones, from none at the bottom to all at the top.
        real: float array of the same kind, or None.
        size: height and width in pixels.
        extent: half the width of the square drawn, in data units; what holds the real points unless given.

    Returns:
        uint8 array (size, size, 3).
    """
    layers = [(real, (190, 190, 190)), (generated, (200, 30, 30))]
    known = np.asarray(generated if real is None else real)[:, :2]
    extent = extent or 1.15 * max(float(np.abs(known).max()), 1e-6)
    canvas = np.full((size, size, 3), 255, np.uint8)
    for cloud, colour in layers:
        if cloud is None:
            continue
        scaled = (_on_a_plane(np.asarray(cloud), extent) / extent + 1.0) / 2.0 * (size - 1)
        inside = scaled[np.isfinite(scaled).all(axis=1) & (np.abs(scaled - size / 2) < size / 2 - 2).all(axis=1)]
        x, y = np.rint(inside).astype(int).T
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                canvas[size - 1 - y + down, x + right] = colour
    return canvas


def _on_a_plane(cloud, extent):
    """The first two coordinates of points; of one coordinate that and its rank, spread over the square."""
    if cloud.shape[1] > 1:
        return cloud[:, :2]
    ranks = np.argsort(np.argsort(cloud[:, 0])) / max(1, len(cloud) - 1)
    return np.stack([cloud[:, 0], 0.9 * extent * (2.0 * ranks - 1.0)], axis=1)


def draw(samples: Any, real: Any = None, columns: int | None = None) -> np.ndarray:
    """A picture of samples: `grid` for images, `points` for points.

    Args:
        samples: what `sample()` returns.
        real: real samples to draw behind points, or None.
        columns: see `grid`.

    Returns:
        uint8 array (height, width, 1 or 3).
    """
    samples = np.asarray(samples)
    return grid(samples, columns) if samples.ndim == 4 else points(samples, real)


def save_png(picture: np.ndarray, path: str | Path, shades: int | None = None) -> None:
    """Writes a uint8 picture (height, width, 1 or 3) as PNG, whole or not at all.

    Args:
        picture: the pixels.
        path: of the file.
        shades: of how many different ones, up to 256, it is to be made, for a smaller file; as it is unless given.
    """
    pixels = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    if shades is not None:
        pixels = pixels.quantize(shades)
    with atomically(path) as partial:
        pixels.save(partial, format="PNG", optimize=shades is not None)


def read(path: str | Path) -> np.ndarray:
    """The pixels of an image file, uint8 (height, width, 1 or 3)."""
    with Image.open(path) as opened:
        pixels = np.asarray(opened.convert("L" if opened.mode in ("1", "L") else "RGB"))
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels


def save_image(image: np.ndarray, path: str | Path, size: tuple[int, int] | None = None) -> None:
    """Writes a uint8 image (height, width, 1 or 3) in the format of the file's ending, whole or not at all.

    Args:
        image: the pixels.
        path: of the file.
        size: (width, height) to stretch it to, if any.
    """
    pixels = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    if size is not None and size != pixels.size:
        pixels = pixels.resize(size, Image.Resampling.BICUBIC)
    with atomically(path) as partial:
        pixels.save(partial, quality=95)


def save_gif(pictures: Sequence[np.ndarray], path: str | Path, frames_per_second: float = 12) -> None:
    """Writes uint8 pictures (height, width, 1 or 3) of one shape as an endless GIF, whole or not at all.

    Args:
        pictures: a sequence of one or more.
        path: of the file.
        frames_per_second: from 0.002 to 50, which is as fast as viewers play; GIF counts in hundredths of a second, of
            which a frame has 65,535 at most.

    Raises:
        UserError: no picture, pictures of several shapes, or another speed.
    """
    shapes = {np.shape(picture) for picture in pictures}
    if len(shapes) != 1:
        raise UserError(f"A GIF takes one or more pictures of one shape. Received: {sorted(shapes) or 'none'}.")
    if not 0.002 <= frames_per_second <= 50:
        raise UserError(f"A GIF plays from 0.002 to 50 frames a second. Received: {frames_per_second!r}.")
    frames = [Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture) for picture in pictures]
    duration = 10 * round(100 / frames_per_second)
    with atomically(path) as partial:
        frames[0].save(
            partial, format="GIF", save_all=True, append_images=frames[1:], duration=duration, loop=0, optimize=False
        )
