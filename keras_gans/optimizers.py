"""Adam on TensorFlow's fused kernel."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_gans.hints import Tensor
from keras_gans.private_apis import adam_moments


@keras.saving.register_keras_serializable(package="keras_gans")
class Adam(keras.optimizers.Adam):
    """Keras's Adam, each variable updated by one fused kernel in one pass over memory instead of a dozen.

    Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2014), algorithm 1 in the form of section 2's end.
    Takes the arguments of `keras.optimizers.Adam` and gives its result; `amsgrad` and sparse gradients go Keras's way.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._powers = _Powers()

    def apply(self, grads: Sequence[Tensor], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """As Keras's; the powers of both betas are the same for all variables, and computed once."""
        self._powers = _Powers()
        super().apply(grads, trainable_variables)
        self._powers = _Powers()

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: float) -> None:
        if self.amsgrad or isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        momentum, velocity = adam_moments(self, variable)
        beta_1, beta_2 = tf.cast(self.beta_1, variable.dtype), tf.cast(self.beta_2, variable.dtype)
        beta_1_power, beta_2_power = self._powers.of((beta_1, beta_2), self.iterations)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=momentum.value.handle,
            v=velocity.value.handle,
            beta1_power=beta_1_power,
            beta2_power=beta_2_power,
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )


class _Powers:
    """Both betas to the power of the steps, of one update: for each type of variable, and in each graph."""

    def __init__(self):
        self._known = {}

    def of(self, betas, iterations):
        # A branch of a graph, in which gradients are accumulated, has tensors of its own.
        place = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph(), betas[0].dtype
        if place not in self._known:
            steps = tf.cast(iterations + 1, betas[0].dtype)
            self._known[place] = [tf.pow(beta, steps) for beta in betas]
        return self._known[place]
