"""What holds a discriminator's slope: gradient penalties and weight clipping."""

import keras
import tensorflow as tf

from keras_gans.errors import UserError
from keras_gans.layers import MinibatchStandardDeviation, Packing
from keras_gans.randomness import for_this_replica, uniform


def mix(real, fake, seed):
    """Points on the straight lines between pairs of real and generated samples.

    Gulrajani et al., "Improved Training of Wasserstein GANs" (2017), algorithm 1, lines 4 and 6: one
    epsilon ~ U[0, 1] a sample, shared by all of the sample's entries.

    Args:
        real, fake: float tensors of one shape, the batch first.
        seed: integer tensor of shape (2,).

    Returns:
        float32 tensor of the same shape.
    """
    real, fake = tf.cast(real, tf.float32), tf.cast(fake, tf.float32)
    ones = (1,) * (real.shape.rank - 1)
    epsilon = for_this_replica(lambda rows: uniform((rows, *ones), seed), tf.shape(real)[0])
    return epsilon * real + (1.0 - epsilon) * fake


def gradient_norms(critic, samples):
    """Each sample's norm of the critic's gradient with respect to that sample.

    Args:
        critic: function of a batch that returns one score a sample and keeps samples apart (no batch
            normalization).
        samples: float32 tensor, the batch first.

    Returns:
        float32 tensor (batch,).
    """
    with tf.GradientTape() as tape:
        tape.watch(samples)
        # The sum, not the mean: each sample's own gradient must not shrink with the batch.
        total = tf.reduce_sum(critic(samples))
    gradient = tf.cast(tape.gradient(total, samples), tf.float32)
    squares = tf.reduce_sum(tf.square(gradient), axis=list(range(1, samples.shape.rank)))
    # The root has no finite gradient at zero, and a critic may well be flat at its start.
    return tf.sqrt(squares + 1e-12)


def gradient_penalty(critic, real, fake, seed):
    """E (||grad f(x_hat)||_2 - 1)^2 over points x_hat between real and generated samples.

    Gulrajani et al. (2017), equation 3, without its weight lambda.

    Args:
        critic: see `gradient_norms`.
        real, fake: float tensors of one shape, the batch first.
        seed: integer tensor of shape (2,) for the mixing weights.

    Returns:
        Scalar float32 tensor.
    """
    return tf.reduce_mean(tf.square(gradient_norms(critic, mix(real, fake, seed)) - 1.0))


def real_gradient_penalty(discriminator, real):
    """E ||grad D(x)||_2^2 over real samples x, which the discriminator's raw score must not slope at: R1.

    Mescheder et al., "Which Training Methods for GANs do actually Converge?" (2018), equation 9, without its factor
    gamma / 2.

    Args:
        discriminator: see `gradient_norms`.
        real: float tensor, the batch first.

    Returns:
        Scalar float32 tensor.
    """
    return tf.reduce_mean(tf.square(gradient_norms(discriminator, tf.cast(real, tf.float32))))


def check_weight(name, weight):
    """Refuses a penalty's weight that is no number of 0 or more."""
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not weight >= 0:
        raise UserError(f"{name} must be 0 or more. Received: {weight!r}.")


def check_keeps_samples_apart(discriminator, scheme):
    """Refuses a discriminator in which one sample's score depends on another sample.

    Args:
        discriminator: keras.Model.
        scheme: name of what needs the penalty, for people.

    Raises:
        UserError: batch normalization, packing or minibatch statistics: the gradient at each sample by itself, which
            the penalty is defined by, does not exist (Gulrajani et al., 2017, section 4).
    """
    mixing = (keras.layers.BatchNormalization, MinibatchStandardDeviation, Packing)
    found = [type(layer).__name__ for layer in discriminator._flatten_layers() if isinstance(layer, mixing)]
    if found:
        raise UserError(
            f"{scheme} penalises the gradient at each sample by itself, so the discriminator must not use batch "
            f"normalization, packing or minibatch statistics. Received one with {found[0]}. Build it with "
            "normalization='layer' or normalization=None."
        )


def clip_weights(variables, limit):
    """Clips every entry of every variable to [-limit, limit].

    Arjovsky et al., "Wasserstein GAN" (2017), algorithm 1, line 7.

    Args:
        variables: list of `keras.Variable`.
        limit: the paper's c.
    """

    def clip(strategy, tensors):
        for tensor in tensors:
            strategy.extended.update(
                tensor, lambda value: value.assign(tf.clip_by_value(value, -limit, limit)), group=False
            )

    tensors = [variable.value for variable in variables]
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        for tensor in tensors:
            tensor.assign(tf.clip_by_value(tensor, -limit, limit))
    else:
        # Mirrored variables may only be written for all replicas together.
        context.merge_call(clip, args=(tensors,))
