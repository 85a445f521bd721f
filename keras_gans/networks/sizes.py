"""Which images a convolutional network can make, and in how many doublings."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from keras_gans.errors import UserError

if TYPE_CHECKING:
    import keras

# How often images of these sizes double from 4 pixels, 7 of 28 and 2 of 8; and from 8 pixels, 7 of 28 and 4 of 8.
FROM_FOUR = {8: 2, 16: 2, 28: 2, 32: 3, 64: 4, 128: 5}
FROM_EIGHT = {8: 1, 16: 1, 28: 2, 32: 2, 64: 3, 128: 4}


def doublings_of(sample_shape: Sequence[int], doublings: Mapping[int, int], network: "keras.Model") -> tuple[int, int]:
    """How many times the resolution doubles, and the size that it starts from.

    Args:
        sample_shape: (height, width, channels).
        doublings: {size in pixels: number of doublings}, for each size that the network knows.
        network: its name for people.

    Returns:
        (doublings, size): of 28 pixels in two doublings, (2, 7).

    Raises:
        UserError: images that are not square, or of another size.
    """
    if len(sample_shape) != 3 or sample_shape[0] != sample_shape[1] or sample_shape[0] not in doublings:
        side = sample_shape[0] if len(sample_shape) == 3 else 0
        near = min(doublings, key=lambda size: abs(size - side))
        raise UserError(
            f"{network} makes square images of {', '.join(map(str, doublings))} pixels. Received: sample_shape="
            f"{tuple(sample_shape)}. Resize the data, such as to the nearest of these: --image-size {near} on the "
            f"command line, image_size={near} in data.load."
        )
    count = doublings[sample_shape[0]]
    return count, sample_shape[0] // 2**count
