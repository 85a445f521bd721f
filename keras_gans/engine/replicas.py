"""Several replicas of a model: means over the global batch, and what they cannot do."""

import tensorflow as tf

from keras_gans.checks import check_switch, check_whole
from keras_gans.errors import UserError
from keras_gans.private_apis import reduces_collectively

# What TensorFlow raises where another worker is gone, or no longer does the same.
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.InternalError,
)


def _over_replicas(tensor):
    """The sum of a tensor over the replicas, and how many there are; gradients pass."""
    context = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync if context else 1
    return (context.all_reduce(tf.distribute.ReduceOp.SUM, tensor) if replicas > 1 else tensor), replicas


def global_rows(rows: tf.Tensor) -> tf.Tensor:
    """The rows of the global batch, replica after replica, equal on every one of them; gradients pass.

    For what compares a batch's rows with each other.

    Args:
        rows: tensor (batch, ...) of this replica, as many rows as on the others; of numbers.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return rows
    count, others = tf.shape(rows)[0], context.num_replicas_in_sync - 1
    before = context.replica_id_in_sync_group * count
    around = [[before, others * count - before], *[[0, 0]] * (rows.shape.rank - 1)]
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.pad(rows, around))


def mean_over_replicas(value: tf.Tensor) -> tf.Tensor:
    """The mean of a scalar tensor over the replicas, equal on every one of them."""
    total, replicas = _over_replicas(value)
    return total / replicas


def batch_mean(rows: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The weighted mean row of the global batch, equal on every replica.

    Args:
        rows: float tensor (batch, d) of this replica.
        weights: float tensor (batch,), 0 or more, not all 0 over the global batch.

    Returns:
        Tensor (d,).
    """
    total, _ = _over_replicas(tf.reduce_sum(rows * weights[:, tf.newaxis], axis=0))
    weight, _ = _over_replicas(tf.reduce_sum(weights))
    return total / weight


def masked_mean(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """This replica's part of the mean of those values that the mask selects; 0 where it selects none.

    The mean of the parts over the replicas is the masked mean of the global batch, however the selected rows are
    shared out: the number of rows is counted over all replicas.

    Args:
        values: float tensor (batch,).
        mask: boolean tensor (batch,).

    Returns:
        Scalar tensor.
    """
    mask = tf.cast(mask, values.dtype)
    count, replicas = _over_replicas(tf.reduce_sum(mask))
    return tf.reduce_sum(values * mask) * replicas / tf.maximum(count, 1.0)


def check_compile(strategy: tf.distribute.Strategy, jit_compile: bool, steps_per_execution: int) -> None:
    """Refuses what TensorFlow cannot do over replicas, where its own message names neither cause nor cure.

    Args:
        strategy: the `tf.distribute.Strategy` of the model.
        jit_compile, steps_per_execution: see `keras.Model.compile`.

    Raises:
        UserError: no number of steps, or no switch; XLA over CPU replicas; several steps an execution with collective
            operations over them, or over machines.
    """
    check_whole("steps_per_execution", steps_per_execution)
    if jit_compile != "auto":
        check_switch("jit_compile", jit_compile)
    if steps_per_execution > 1 and spans_machines(strategy):
        raise UserError(
            "TensorFlow cannot take a step back inside the loop of several steps where machines step together. Leave "
            f"steps_per_execution at 1, as the command line does. Received: steps_per_execution={steps_per_execution}."
        )
    replicas = strategy.num_replicas_in_sync
    if replicas == 1 or not all("CPU" in device for device in strategy.extended.worker_devices):
        return
    if jit_compile is True:
        raise UserError(
            f"XLA cannot compile a step that is shared by {replicas} CPU replicas: each would read the others' "
            "variables. Leave jit_compile out, or train on one device. Received: jit_compile=True."
        )
    if steps_per_execution > 1 and reduces_collectively(strategy):
        raise UserError(
            "Several steps an execution fail over logical CPUs with MirroredStrategy's default collective operations. "
            "Make it with cross_device_ops=tf.distribute.HierarchicalCopyAllReduce(), or leave steps_per_execution at "
            f"1. Received: steps_per_execution={steps_per_execution} over {replicas} replicas."
        )


def check_strategy(strategy: tf.distribute.Strategy) -> None:
    """Refuses strategies under which the players' steps would not be one device's steps.

    Args:
        strategy: the `tf.distribute.Strategy` that a model is made under.

    Raises:
        UserError: a `ParameterServerStrategy`, whose workers each step by themselves, with weights of another step.
    """
    if isinstance(strategy, tf.distribute.ParameterServerStrategy):
        raise UserError(
            "The workers of a ParameterServerStrategy step by themselves, each with weights that the others change "
            "meanwhile, which no scheme here is made for. Train under tf.distribute.MultiWorkerMirroredStrategy (or "
            "by keras-gans train with TF_CONFIG set). Received: ParameterServerStrategy."
        )


def spans_machines(strategy: tf.distribute.Strategy) -> bool:
    """Whether a strategy's replicas are on several machines, where reading a mean takes all of them."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def reducible(results: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """What a training step reports, in a form that `fit` can average over machines: scalars as tensors of shape (1,).

    Keras averages over an axis there, which a scalar does not have; on one machine it takes scalars as they are.

    Args:
        results: {curve: scalar tensor}.
    """
    if spans_machines(tf.distribute.get_strategy()):
        return {name: tf.reshape(value, (1,)) for name, value in results.items()}
    return results
