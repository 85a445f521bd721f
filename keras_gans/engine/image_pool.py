"""A history of generated images, so that a discriminator does not forget what it has learned to reject.

Shrivastava et al., "Learning from Simulated and Unsupervised Images through Adversarial Training" (2017), section 2.3,
in the form of the authors' code of CycleGAN (Zhu et al., 2017, section 4): each image of a batch in its turn.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans.hints import Tensor
from keras_gans.randomness import fold_in, integers, uniform


@keras.saving.register_keras_serializable(package="keras_gans")
class ImagePool(keras.layers.Layer):
    """Keeps up to `size` images; until it is full it gives back what it gets, then in half of the cases an older one.

    An older image that is given back makes room for the new one. What it holds is saved with the weights, so that a
    resumed run goes on with the same history; over replicas every one of them holds the whole batch's.

    Args:
        size: how many images; 50 in the papers. 0 keeps none and gives back what it gets.
        image_shape: (height, width, channels).
        **kwargs: as any Keras layer.
    """

    def __init__(self, size: int, image_shape: Sequence[int], **kwargs: Any):
        super().__init__(trainable=False, dtype="float32", **kwargs)
        self.size, self.image_shape = size, tuple(image_shape)
        options = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        if size:
            self.images = self.add_weight(name="images", shape=(size, *self.image_shape), **options)
            self.filled = self.add_weight(name="filled", shape=(), dtype="int64", **options)
        self.built = True

    def exchange(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The images to show to the discriminator instead of those that were just generated.

        Args:
            images: float tensor (batch, *image_shape) of this replica.
            seed: integer tensor (2,), the same on all replicas.

        Returns:
            Tensor of the same shape, without a gradient.
        """
        images = tf.stop_gradient(tf.cast(images, tf.float32))
        if not self.size:
            return images
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync if context else 1
        everyone = context.all_gather(images, axis=0) if replicas > 1 else images
        shown, kept, filled = _exchanged(tf.shape(everyone)[0], self.size, tf.convert_to_tensor(self.filled), seed)
        known = tf.concat([tf.convert_to_tensor(self.images), everyone], axis=0)
        given = tf.gather(known, shown)
        self.images.assign(tf.gather(known, kept))
        self.filled.assign(filled)
        if replicas == 1:
            return tf.ensure_shape(given, images.shape)
        # Rows are gathered in the order of the replicas.
        first = context.replica_id_in_sync_group * tf.shape(images)[0]
        return tf.ensure_shape(given[first : first + tf.shape(images)[0]], images.shape)

    def call(self, images: np.ndarray) -> Tensor:
        """What it gets: a pool acts in training only, see `exchange`."""
        return images

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "image_shape": self.image_shape}


def _exchanged(count, size, filled, seed):
    """Which of [the pool's images, the new images] are shown, which stay, and how many places are taken then.

    Args:
        count: int32 scalar, new images.
        size: places of the pool.
        filled: int64 scalar, places taken.
        seed: integer tensor (2,).

    Returns:
        int32 tensors (count,) and (size,), and an int64 scalar.
    """
    swaps = uniform([count], fold_in(seed, 0)) < 0.5
    # Whole numbers of 32 bits modulo at most a few hundred: no place is measurably favoured.
    places = tf.cast(
        tf.math.floormod(tf.cast(integers([count], fold_in(seed, 1), tf.uint32), tf.int64), size), tf.int32
    )

    def one_image(index, shown, kept, taken):
        new = size + index
        has_room = taken < size
        place = tf.where(has_room, tf.cast(tf.minimum(taken, size - 1), tf.int32), places[index])
        is_older = tf.logical_and(tf.logical_not(has_room), swaps[index])
        shown = shown.write(index, tf.where(is_older, kept[place], new))
        is_stored = tf.logical_or(has_room, is_older)
        kept = tf.where(tf.logical_and(tf.range(size) == place, is_stored), new, kept)
        return index + 1, shown, kept, tf.minimum(taken + 1, size)

    start = (tf.constant(0), tf.TensorArray(tf.int32, size=count), tf.range(size), filled)
    _, shown, kept, taken = tf.while_loop(lambda index, *_: index < count, one_image, start)
    return shown.stack(), kept, taken
