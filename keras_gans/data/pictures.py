"""From any image file or array to a square of uint8 pixels, with Pillow."""

import concurrent.futures
import contextlib
import dataclasses
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from keras_gans.hints import Tensor


_GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")
# Pillow first shrinks by a whole factor to so many times the wanted side, then resamples: as good and much faster.
_REDUCING_GAP = 3.0
# As many pixels as 8,192 x 8,192 have; a file of two megabytes can hold a picture that takes gigabytes once decoded.
MAX_PIXELS = 2**26


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[Image.Image]:
    """Opens an image file with Pillow, not decoded yet.

    Raises:
        OSError: it is no regular file: reading a FIFO or a device would wait for ever.
        Exception: of many types, whatever Pillow raises for a file it cannot read.
    """
    if not is_regular(path):
        raise OSError("it is no regular file, but a FIFO, socket or device")
    with Image.open(path) as image:
        yield image


def is_regular(path: str | Path) -> bool:
    """Whether a path leads to a regular file, or nowhere, which whoever opens it will say."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return True


def check_pixels(image: Image.Image) -> None:
    """Refuses to decode a picture that is too large.

    Raises:
        ValueError: it has more than `MAX_PIXELS`.
    """
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(
            f"it has {image.width:,} x {image.height:,} pixels, more than the {MAX_PIXELS:,} that are decoded; "
            "save it smaller"
        )


@dataclasses.dataclass(frozen=True)
class Header:
    """What an image file says of itself before its pixels are read.

    Attributes:
        is_grey: whether its pixels are grey.
        size: (width, height) as stored.
    """

    is_grey: bool
    size: tuple[int, int]

    def half(self) -> "Header":
        """The header of its left or right half."""
        return Header(self.is_grey, (self.size[0] // 2, self.size[1]))


def header(path: str | Path) -> Header | None:
    """The header of an image file, or None where it cannot be read: `decode` meets the reason again, and reports it."""
    try:
        with opened(path) as image:
            return Header(image.mode in _GREY_MODES, image.size)
    except Exception:
        return None


def decode(path: str | Path, size: int, channels: int | None) -> "Tensor":
    """The first frame of an image file, upright, composited on white, cropped and resized.

    Args:
        path: of the file.
        size: side of the result in pixels.
        channels: 1 or 3.

    Returns:
        uint8 (size, size, channels).

    Raises:
        Exception: of many types, whatever Pillow raises for a file it cannot read.
    """
    with opened(path) as image:
        # Only JPEG decoders can do this: decode at a fraction of the resolution that is still ample.
        image.draft(None, (int(size * _REDUCING_GAP), int(size * _REDUCING_GAP)))
        check_pixels(image)
        image = ImageOps.exif_transpose(image)
        return fit(_opaque(image), size, channels)


def decode_halves(path: str | Path, size: int, channels: int | None) -> np.ndarray:
    """The left and the right half of an image file, each as `decode` gives a whole one.

    Args:
        path, size, channels: see `decode`.

    Returns:
        uint8 (2, size, size, channels).

    Raises:
        Exception: of many types, whatever Pillow raises for a file it cannot read; or an odd width.
    """
    with opened(path) as image:
        check_pixels(image)
        image = _opaque(ImageOps.exif_transpose(image))
    if image.width % 2:
        raise ValueError(f"its width of {image.width} pixels does not make two halves")
    middle = image.width // 2
    boxes = (0, 0, middle, image.height), (middle, 0, image.width, image.height)
    return np.stack([fit(image.crop(box), size, channels) for box in boxes])


def decode_to(path: str | Path, shape: tuple[int, int, int], crops: bool) -> tuple[np.ndarray, tuple[int, int]]:
    """The first frame of an image file, upright and composited on white, in a network's shape.

    Args:
        path: of the file.
        shape: (height, width, channels).
        crops: whether to cut the middle out in these proportions, as `decode` does for training; else the whole image
            is squeezed into them.

    Returns:
        (uint8 array of that shape, (width, height) of the upright file).

    Raises:
        Exception: of many types, whatever Pillow raises for a file it cannot read.
    """
    height, width, channels = shape
    with opened(path) as image:
        check_pixels(image)
        image = _opaque(ImageOps.exif_transpose(image))
    size = image.size
    if crops:
        scale = min(size[0] / width, size[1] / height)
        part = (max(1, round(width * scale)), max(1, round(height * scale)))
        left, top = ((whole - kept) // 2 for whole, kept in zip(size, part, strict=True))
        image = image.crop((left, top, left + part[0], top + part[1]))
    if image.size != (width, height):
        shrinks = image.width * image.height > width * height
        resample = Image.Resampling.LANCZOS if shrinks else Image.Resampling.BICUBIC
        image = image.resize((width, height), resample, reducing_gap=_REDUCING_GAP)
    return fit(image, None, channels), size


def _opaque(image):
    """The image in 8-bit mode L or RGB, its transparency composited on white."""
    if image.mode.startswith("I"):
        # Pillow's own conversion clips 16-bit grey at 255 instead of scaling it.
        return Image.fromarray(np.round(_sixteen_bit(image) / 257).astype("uint8"))
    if image.mode == "F":
        raise ValueError("floating-point pixels have no known range; save it as 8 or 16 bit")
    if image.mode == "La":
        image = image.convert("LA")
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        grey = image.mode in _GREY_MODES
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
        return image.convert("L") if grey else image
    return image.convert("L" if image.mode in _GREY_MODES else "RGB")


def _sixteen_bit(image):
    pixels = np.asarray(image)
    if pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError("grey pixels outside 0..65535; save it as 8 or 16 bit")
    return pixels


def fit(image: Any, size: int, channels: int | None) -> np.ndarray:
    """Centre-crops to a square and resizes.

    Args:
        image: Pillow image of mode L, RGB or F.
        size: side of the result in pixels; None keeps the image's shape.
        channels: 1 or 3; for mode F, 1.

    Returns:
        Array (size, size, channels), or (height, width, channels) without a size: float32 for mode F, else uint8.
    """
    if size is not None:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        if image.width != image.height:
            image = image.crop((left, top, left + side, top + side))
        if side != size:
            resample = Image.Resampling.LANCZOS if side > size else Image.Resampling.BICUBIC
            image = image.resize((size, size), resample, reducing_gap=_REDUCING_GAP)
    if image.mode != "F":
        image = image.convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(image)
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels


def fit_array(pixels: np.ndarray, size: int, channels: int | None) -> np.ndarray:
    """`fit` for one array.

    Args:
        pixels: (height, width, 1 or 3), uint8 in 0..255 or float32 in [-1, 1].
        size: as in `fit`.
        channels: 1 or 3.

    Returns:
        Array of the same dtype and range, (size, size, channels) or (height, width, channels).
    """
    if pixels.dtype == np.uint8:
        image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else np.ascontiguousarray(pixels))
        return fit(image, size, channels)
    if pixels.shape[-1] == 3 and channels == 1:
        # The weights by which Pillow turns RGB into L (ITU-R 601-2).
        pixels = pixels @ np.array([[0.299], [0.587], [0.114]], "float32")
    planes = [fit(Image.fromarray(np.ascontiguousarray(plane)), size, 1) for plane in np.moveaxis(pixels, -1, 0)]
    # Resampling overshoots at edges.
    return np.clip(np.concatenate(planes * (channels // len(planes)), axis=-1), -1.0, 1.0)


@contextlib.contextmanager
def decoding_pool() -> Iterator[concurrent.futures.ThreadPoolExecutor]:
    """A thread pool as wide as the machine: Pillow works outside Python's lock."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        yield pool


@contextlib.contextmanager
def progress_bar(description: str, total: int, shown: bool) -> Iterator[Callable[[int], None]]:
    """Yields a function to call with each number of further items done; draws on stderr if `shown`."""
    if not shown:
        yield lambda count: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from keras_gans.printing import Console

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(description, total=total)
        yield lambda count: bars.advance(task, count)
