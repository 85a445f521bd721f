"""Adam on TensorFlow's fused kernel, and which optimizers and arguments of theirs are taken."""

import inspect
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_gans.checks import is_number
from keras_gans.errors import UserError, reason_of, shown, unknown_name
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


def class_named(name: Any) -> type[keras.optimizers.Optimizer]:
    """The class of a Keras optimizer by its name in any case, such as "adam" or "RMSprop".

    Raises:
        UserError: no such optimizer.
    """
    known = {
        each.lower()
        for each, value in vars(keras.optimizers).items()
        if inspect.isclass(value) and issubclass(value, keras.optimizers.Optimizer)
    } - {"optimizer", "lossscaleoptimizer"}
    if not isinstance(name, str) or name.lower() not in known:
        raise unknown_name("optimizer", name, known)
    return type(keras.optimizers.get(name))


def chosen(value: Any, player: str) -> keras.optimizers.Optimizer:
    """The optimizer that a user chose for a player.

    Args:
        value: keras.optimizers.Optimizer, its name, or its configuration as Keras has it.
        player: for people.

    Raises:
        UserError: it is none, or one with an argument out of its range; see `check_options`.
    """
    if isinstance(value, str):
        return class_named(value)()
    if not isinstance(value, keras.optimizers.Optimizer | dict):
        raise UserError(
            f"The optimizer of {player} is one of keras.optimizers or a name of theirs, such as 'adam'. Received: "
            f"{shown(value)}."
        )
    try:
        optimizer = keras.optimizers.get(value)
    except (TypeError, ValueError, KeyError) as error:
        raise UserError(f"The optimizer of {player} is not made of {shown(value)}: {reason_of(error)}") from None
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    with warnings.catch_warnings():
        # Of a rate that is a function, which could not be saved.
        warnings.simplefilter("ignore")
        options = (optimizer.inner_optimizer if scaled else optimizer).get_config()
    rate = options.get("learning_rate")
    if callable(rate):
        del options["learning_rate"]
    elif isinstance(rate, dict):
        # A schedule's rates follow from the one that it begins with.
        options["learning_rate"] = rate.get("config", {}).get("initial_learning_rate", 0.0)
    check_options(f"The optimizer of {player}: ", options)
    return optimizer


# {arguments of optimizers: (what is said of them, whether a number is one)}: Keras takes any, also a rate that climbs
# the loss, an average that diverges, weights that grow by decay.
_OF_OPTIMIZERS: dict[tuple[str, ...], tuple[str, Callable[[float], bool]]] = {
    # At 0 a player stands still, which some experiments want and the doctor names.
    ("learning_rate",): ("is a number from 0 on, such as 0.0002", lambda value: 0 <= value < math.inf),
    ("beta_1", "beta_2", "rho", "momentum", "ema_momentum"): (
        "lies from 0 to below 1, such as 0.5",
        lambda value: 0 <= value < 1,
    ),
    ("weight_decay", "initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength"): (
        "is a number from 0 on, such as 0.004",
        lambda value: 0 <= value < math.inf,
    ),
    ("epsilon", "clipnorm", "clipvalue", "global_clipnorm", "loss_scale_factor"): (
        "is a number above 0, such as 1e-07 or 1.0",
        lambda value: 0 < value < math.inf,
    ),
}
_SWITCHES = ("amsgrad", "nesterov", "centered", "use_ema", "relative_step")
_NEEDED = ("learning_rate", "beta_1", "beta_2", "rho", "momentum")


def check_options(where: str, options: Mapping[str, Any]) -> None:
    """Refuses what Keras takes without a word.

    Args:
        where: what stands before an argument's name for people, such as "optimizers.generator.".
        options: {argument of an optimizer: value}.

    Raises:
        UserError: a number out of its range, or a switch that is none.
    """
    for name, value in options.items():
        what = f"{where}{name}"
        if name in _SWITCHES and not isinstance(value, bool):
            raise UserError(f"{what} is true or false. Received: {shown(value)}.")
        if value is None and name not in _NEEDED:
            continue
        for names, (said, fits) in _OF_OPTIMIZERS.items():
            if name in names and not (is_number(value) and fits(value)):
                raise UserError(f"{what} {said}. Received: {shown(value)}.")
