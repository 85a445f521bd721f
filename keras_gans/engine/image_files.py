"""Image files, read in a graph: bytes of PNG, JPEG, GIF or BMP to what networks take."""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_gans.engine.kinds import Endpoints
from keras_gans.engine.validity import VALID
from keras_gans.pixels import to_uint8

# Of the file, not of the network: a few bytes may claim any size, and reading takes the memory that they claim.
PIXEL_LIMIT = 2**24
_PNG, _JPEG = b"\x89PNG", b"\xff\xd8"
# What the eye sees of red, green and blue, ITU-R BT.601.
_LUMA = (0.299, 0.587, 0.114)
FILES = tf.TensorSpec((None,), tf.string, name="image_bytes")


def images_from_files(files: tf.Tensor, shape: tuple[int, ...]) -> tuple[tf.Tensor, tf.Tensor]:
    """Images of a network's size, each stretched to it, and which of the files could be read.

    Of an animation it is the first frame; transparency and a camera's note of which way is up are not heeded.

    Args:
        files: strings (batch,), each a PNG, JPEG, GIF or BMP file of at most `PIXEL_LIMIT` pixels.
        shape: (height, width, channels) of an image, of 1 or 3 channels.

    Returns:
        (float32 (batch, height, width, channels) in [-1, 1], bool (batch,)): black where a file could not be read,
        which does not keep the others from being read.
    """
    return _reader(tuple(shape))(files)


@functools.lru_cache(maxsize=64)
def _reader(shape):
    # A graph of its own, made once: eagerly each row of each call would be traced again.
    def decoded(data):
        fits = tf.debugging.Assert(_pixels(data) <= PIXEL_LIMIT, ["too large"])
        with tf.control_dependencies([fits]):
            image = _read(data, shape[-1])
        image = tf.image.resize(image, shape[:2], antialias=True)
        return tf.ensure_shape(image / 127.5 - 1.0, shape), True

    def first_of(data):
        # A graph has no exceptions; what is left of one element whose reading may fail, with another behind it, has.
        read = tf.data.Dataset.from_tensors(data).map(decoded).ignore_errors()
        unread = tf.data.Dataset.from_tensors((-tf.ones(shape), False))
        return read.concatenate(unread).take(1).get_single_element()

    specification = tf.TensorSpec(shape, tf.float32), tf.TensorSpec((), tf.bool)

    def read(files):
        return tf.map_fn(first_of, files, fn_output_signature=specification)

    return tf.function(read, input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False)


def endpoints_of_files(endpoints: Endpoints, shape: tuple[int, ...]) -> Endpoints:
    """{signature with _png behind: the same of image files}, of those of some endpoints that take nothing but images.

    Args:
        endpoints: what takes `image` float32 in [-1, 1]. An `image` that it gives becomes PNG, `image_bytes`.
        shape: (height, width, channels) of the images; where it has other than 1 or 3 channels, there are no files.
    """
    if len(shape) != 3 or shape[-1] not in (1, 3):
        return {}
    return {f"{name}_png": (_of_files(function, shape), [FILES]) for name, (function, _) in endpoints.items()}


def example_files(images: np.ndarray) -> np.ndarray:
    """PNG files of float images in [-1, 1], an array of objects (batch,)."""
    return np.array([tf.io.encode_png(image).numpy() for image in to_uint8(images)], object)


def _of_files(function: Callable[..., dict[str, tf.Tensor]], shape):
    def answer(image_bytes):
        images, valid = images_from_files(image_bytes, shape)
        outputs = dict(function(images))
        if "image" in outputs:
            outputs = {"image_bytes": tf.io.encode_png(to_uint8(outputs.pop("image"))), **outputs}
        return {**outputs, VALID: valid}

    return answer


def _starts(data, text):
    return tf.equal(tf.strings.substr(data, 0, len(text)), text)


def _read(data, channels):
    """Levels from 0 to 255, float32 (height, width, channels)."""

    def of_photograph():
        # Whatever the file holds, TensorFlow turns it into so many channels.
        return tf.cast(tf.image.decode_image(data, channels, expand_animations=False), tf.float32)

    def of_other():
        # Of these only into as many as the file has: one, three or four.
        levels = tf.cast(tf.image.decode_image(data, expand_animations=False), tf.float32)
        levels = tf.cond(_is_indexed_bmp(data), lambda: _colours_of(levels, data), lambda: levels)
        colour = tf.cond(tf.equal(tf.shape(levels)[-1], 1), lambda: tf.repeat(levels, 3, -1), lambda: levels[..., :3])
        return tf.reduce_sum(colour * _LUMA, axis=-1, keepdims=True) if channels == 1 else colour

    def of_photograph_of_inks():
        # Four inks make colours, and no levels of grey.
        colour = tf.cast(tf.image.decode_jpeg(data, 3), tf.float32)
        return tf.reduce_sum(colour * _LUMA, axis=-1, keepdims=True) if channels == 1 else colour

    cases = [(_starts(data, _PNG), of_photograph), (_is_of_inks(data), of_photograph_of_inks)]
    return tf.case([*cases, (_starts(data, _JPEG), of_photograph)], default=of_other)


def _is_of_inks(data):
    def has_four():
        return tf.equal(tf.image.extract_jpeg_shape(data, tf.int32)[2], 4)

    return tf.cond(_starts(data, _JPEG), has_four, lambda: tf.constant(False))


def _number(data, start, count, big_endian=False):
    """A whole number that stands in a file, int64 scalar."""
    digits = tf.cast(tf.io.decode_raw(tf.strings.substr(data, start, count), tf.uint8), tf.int64)
    return tf.reduce_sum(digits * 256 ** tf.range(count, dtype=tf.int64)[:: -1 if big_endian else 1])


def _is_indexed_bmp(data):
    # Eight bits a pixel or fewer are a place in a table of colours, also of grey ones. Other files may end before that.
    return tf.cond(_starts(data, b"BM"), lambda: _number(data, 28, 2) <= 8, lambda: tf.constant(False))


def _colours_of(places, data):
    """The colours of a BMP file's table, which TensorFlow passes over, at (height, width, 1) places in it."""
    start = 14 + _number(data, 14, 4)
    length = tf.minimum(_number(data, 10, 4), start + 4 * 256) - start
    table = tf.io.decode_raw(tf.strings.substr(data, start, tf.maximum(length, 0)), tf.uint8)
    # Blue, green, red and nothing.
    table = tf.reshape(table[: tf.size(table) // 4 * 4], (-1, 4))[:, 2::-1]
    return tf.cast(tf.gather(table, tf.cast(places[..., 0], tf.int32)), tf.float32)


def _pixels(data):
    """Width times height of a file's first image as it says itself, int64 scalar; too many of any other file."""

    def of_jpeg():
        return tf.reduce_prod(tf.cast(tf.image.extract_jpeg_shape(data, tf.int32)[:2], tf.int64))

    def of_bmp():
        # A negative height says that the first row is the top one.
        height = _number(data, 22, 4)
        return _number(data, 18, 4) * tf.minimum(height, 2**32 - height)

    cases = [
        (_starts(data, _PNG), lambda: _number(data, 16, 4, True) * _number(data, 20, 4, True)),
        (_starts(data, _JPEG), of_jpeg),
        (_starts(data, b"GIF"), lambda: _pixels_of_gif(data)),
        (_starts(data, b"BM"), of_bmp),
    ]
    return tf.case(cases, default=lambda: tf.constant(PIXEL_LIMIT + 1, tf.int64))


def _pixels_of_gif(data):
    """Of the screen or the first image, whichever has more: TensorFlow makes room for the image."""
    read = tf.cast(tf.io.decode_raw(data, tf.uint8), tf.int64)
    size = tf.size(read, tf.int64)

    def at(place):
        return read[tf.minimum(place, size - 1)]

    def is_before_the_image(place, in_extension):
        return (place < size) & (in_extension | tf.equal(at(place), 0x21))

    def further(place, in_extension):
        # An extension is two bytes and blocks that each begin with their length, the last with 0.
        after = tf.where(in_extension, place + 1 + at(place), place + 2)
        return after, tf.logical_not(in_extension) | tf.greater(at(place), 0)

    flags = at(tf.constant(10, tf.int64))
    colours = tf.where(tf.greater(flags & 128, 0), 3 * 2 ** ((flags & 7) + 1), 0)
    place, _ = tf.while_loop(is_before_the_image, further, (13 + colours, tf.constant(False)))
    screen = _number(data, 6, 2) * _number(data, 8, 2)

    def of_image():
        return tf.maximum(screen, _number(data, place + 5, 2) * _number(data, place + 7, 2))

    is_image = (place + 9 < size) & tf.equal(at(place), 0x2C)
    return tf.cond(is_image, of_image, lambda: tf.constant(PIXEL_LIMIT + 1, tf.int64))
