"""Which images a convolutional network can make, and in how many doublings."""

from keras_gans.errors import UserError


def doublings_of(image_shape, doublings, network):
    """How many times the resolution doubles, and the size that it starts from.

    Args:
        image_shape: (height, width, channels).
        doublings: {size in pixels: number of doublings}, for each size that the network knows.
        network: its name for people.

    Returns:
        (doublings, size): of 28 pixels in two doublings, (2, 7).

    Raises:
        UserError: images that are not square, or of another size.
    """
    if len(image_shape) != 3 or image_shape[0] != image_shape[1] or image_shape[0] not in doublings:
        raise UserError(
            f"{network} makes square images of {', '.join(map(str, doublings))} pixels. Received: image_shape="
            f"{tuple(image_shape)}. Resize the data (--image-size on the command line, image_size= in data.load)."
        )
    count = doublings[image_shape[0]]
    return count, image_shape[0] // 2**count
