"""Exponential moving averages of a network's weights, which sample better than the weights themselves.

Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992); for generators Karras et al.,
"Progressive Growing of GANs" (2018), section 5.
"""

import keras
import tensorflow as tf

from keras_gans.checks import check_number


def check_decay(decay: float) -> None:
    """Raises a `UserError` unless `decay` is 0 (off) or between 0 and 1."""
    what = "ema, the share of the average that a step keeps and 0 for none,"
    check_number(what, decay, 0.0, 1.0, below=True, example="0.999")


def average_of(network: keras.Model) -> keras.Model:
    """A copy of a network that holds its average, and that no optimizer moves."""
    average = keras.models.clone_model(network)
    average.set_weights(network.get_weights())
    average.trainable = False
    return average


def update(average: keras.Model, network: keras.Model, decay: float, step: tf.Tensor) -> None:
    """Moves the average one step towards the network: w' <- d w' + (1 - d) w.

    The decay d grows from 0.1 to `decay` over the first steps, as (1 + step) / (10 + step), so that a short run does
    not keep its random start. The moving averages of batch normalization are averaged alike.

    Args:
        average: what `average_of` returned.
        network: the keras.Model being trained.
        decay: share that a step keeps.
        step: integer scalar, training steps taken before this one.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        _assign_all(average, network, _warm(decay, step), lambda variable, assign, args: assign(variable, *args))
        return

    def merged(strategy, steps):
        now = strategy.experimental_local_results(steps)[0]
        _assign_all(
            average,
            network,
            _warm(decay, now),
            lambda variable, assign, args: strategy.extended.update(variable, assign, args=args),
        )

    # Trainable variables may be assigned to only outside the replicas.
    context.merge_call(merged, args=(tf.identity(step),))


def _warm(decay, step):
    step = tf.cast(step, tf.float32)
    return tf.minimum(decay, (1.0 + step) / (10.0 + step))


def _assign_all(average, network, decay, apply):
    for mean, weight in zip(average.weights, network.weights, strict=True):
        is_float = "float" in mean.dtype
        apply(mean.value, _move if is_float else _copy, (weight.value, decay))


def _move(mean, weight, decay):
    return mean.assign(mean + tf.cast(1.0 - decay, mean.dtype) * (tf.cast(weight, mean.dtype) - mean))


def _copy(mean, weight, decay):
    return mean.assign(weight)
