"""Layers whose kernels are divided by their largest singular value."""

import keras
import tensorflow as tf

from keras_gans.layers.kernels import KernelWrapper
from keras_gans.private_apis import layers_of


@keras.saving.register_keras_serializable(package="keras_gans")
class SpectralNormalization(KernelWrapper):
    """A dense or convolutional layer with the kernel W / sigma(W), sigma(W) being W's largest singular value.

    Miyato et al., "Spectral Normalization for Generative Adversarial Networks" (2018), section 2.1 and algorithm 1: W
    as a matrix has a row for each output channel, and sigma(W) = |W^T u| with u from power iteration. The gradient
    goes through W in both places while u is held (equation 12).

    Keras's own layer iterates, and assigns the kernel, in each forward pass in training mode: also where the generator
    takes its step, and as often as the discriminator happens to be called. Here `advance` iterates, once after each of
    its player's updates, and a forward pass changes nothing; so that u is the same on all replicas, and in a file.

    Args:
        layer: `keras.layers.Dense`, a convolution or an `Upsample2D`.
        **kwargs: as any Keras layer.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        self.singular_vector = self.add_weight(
            name="singular_vector",
            shape=(self.matrix().shape[-1],),
            initializer="random_normal",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
        )

    def spectral_norm(self) -> tf.Tensor:
        """sigma(W), as well as power iteration knows it by now: never more than it is."""
        return tf.norm(tf.linalg.matvec(self.matrix(), tf.math.l2_normalize(self.singular_vector.value)))

    def effective_kernel(self) -> tf.Tensor:
        kernel = tf.convert_to_tensor(self.linear.kernel)
        return tf.cast(kernel, tf.float32) / tf.maximum(self.spectral_norm(), 1e-12)

    def advance(self) -> None:
        """One step of power iteration: v = W^T u / |W^T u|, u = W v / |W v|."""
        matrix = self.matrix()
        other = tf.math.l2_normalize(tf.linalg.matvec(matrix, self.singular_vector.value))
        self.singular_vector.assign(tf.math.l2_normalize(tf.linalg.matvec(matrix, other, transpose_a=True)))


def advance_all(network: keras.Model) -> None:
    """Calls `advance` of each `SpectralNormalization` in a network."""
    for layer in layers_of(network):
        if isinstance(layer, SpectralNormalization):
            layer.advance()
