"""Every use of what Keras, TensorFlow and TensorFlow Datasets do not publish, one function each, and why it is needed.

`setup.cfg` bounds Keras from above at the first version that nobody has tried; `tests/test_private_apis.py` calls
everything here, and fails where anything else in the project reaches for a private name. `AdversarialModel` overrides
what OVERRIDDEN lists.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

# {private method of keras.Model that the project overrides: why}.
OVERRIDDEN = {
    "_maybe_symbolic_build": "Networks and optimizers are built already; Keras would build them from a first batch, "
    "and cannot take one of samples with labels that is spread over machines.",
}


def layers_of(network: Any, include_self: bool = True) -> list[Any]:
    """All layers of a network, those inside other layers too.

    The public `layers` leaves out what a layer holds: a wrapper's layer, or those of a block.

    Args:
        network: keras.Model or keras.layers.Layer.
        include_self: whether the network itself is one of them.
    """
    return list(network._flatten_layers(include_self=include_self))


def seed_generators(layer: Any) -> list[Any]:
    """The `keras.random.SeedGenerator`s that a layer itself draws from.

    Dropout and its kin keep what they draw next in them, which would not come back with a checkpoint. Keras names
    them by no public attribute that all its random layers have.

    Args:
        layer: keras.layers.Layer.
    """
    return list(layer._seed_generators)


def without_loss_tracker(model: Any) -> None:
    """Keeps a compiled model from reporting a curve called "loss", which `compile` adds and nobody here feeds."""
    model._loss_tracker = None


def shape_to_draw(initial_value: Any) -> tuple[int, ...] | None:
    """The shape of a Keras weight whose numbers are about to be drawn, None of other variables.

    Keras tells TensorFlow no shape, only a function that draws the numbers and holds the weight.

    Args:
        initial_value: as `tf.Variable` gets it.
    """
    import keras

    for cell in getattr(initial_value, "__closure__", None) or ():
        if isinstance(cell.cell_contents, keras.Variable):
            return tuple(cell.cell_contents.shape)
    return None


def follows_a_schedule(optimizer: Any) -> bool:
    """Whether an optimizer's learning rate is a schedule, of which the public `learning_rate` shows only a value."""
    import keras

    return isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule)


def adam_moments(optimizer: Any, variable: Any) -> tuple[Any, Any]:
    """The two variables in which a `keras.optimizers.Adam` keeps a variable's moments, for TensorFlow's fused kernel.

    `optimizer.variables` holds them too, in an order that Keras does not promise.

    Args:
        optimizer: built.
        variable: keras.Variable that it trains.

    Returns:
        (first moment, second moment), keras.Variable each.
    """
    index = optimizer._get_variable_index(variable)
    return optimizer._momentums[index], optimizer._velocities[index]


def reduces_collectively(strategy: Any) -> bool:
    """Whether a `tf.distribute.MirroredStrategy` sums with collective operations, its default on CPUs.

    No public attribute says what sums, and TensorFlow does not export the class.
    """
    # Strategies of one device and of several machines have none.
    return type(getattr(strategy.extended, "_cross_device_ops", None)).__name__ == "CollectiveAllReduce"


def serialized_graph(dataset: Any) -> bytes:
    """The `GraphDef` of a `tf.data.Dataset` as TensorFlow sends it to a data service; its public functions hide it."""
    return dataset._as_serialized_graph().numpy()


def captured_tensors(dataset: Any) -> list[Any]:
    """The tensors that the functions of a `tf.data.Dataset`, and of those that it is made from, hold on to."""
    captured, waiting = [], [dataset]
    while waiting:
        current = waiting.pop()
        waiting.extend(current._inputs())
        for function in current._functions():
            captured.extend(function.function.captured_inputs)
    return captured


@contextlib.contextmanager
def cancellable() -> Iterator[Callable[[], None]]:
    """Gives a function that another thread may call to cancel the TensorFlow functions that run inside meanwhile.

    They end with `tf.errors.CancelledError`. TensorFlow exports no way to cancel a function from another thread.
    """
    from tensorflow.python.eager import cancellation

    manager = cancellation.CancellationManager()
    with cancellation.CancellationManagerContext(manager):
        yield manager.start_cancel


@contextlib.contextmanager
def watched_operations(
    callback: Callable[[str, list[int], list[Any], dict[str, Any], list[int], list[Any]], None],
) -> Iterator[None]:
    """Calls `callback` after each operation that TensorFlow runs eagerly meanwhile; it has hooks, but none in public.

    Args:
        callback: function of (type of operation, the inputs' numbers, inputs, {name: attribute}, the outputs' numbers,
            outputs). A tensor's number is its own as long as the process lives, so that none needs to be kept.
    """
    import tensorflow as tf
    from tensorflow.python.framework import op_callbacks

    def ran(op_type, inputs, attributes, outputs, op_name=None, graph=None):
        # Python's way of calling an operation gives text, TensorFlow's fast one bytes.
        pairs = zip(map(tf.compat.as_text, attributes[::2]), attributes[1::2], strict=True)
        numbers = [[tensor._id for tensor in tensors] for tensors in (inputs, outputs)]
        callback(tf.compat.as_text(op_type), numbers[0], list(inputs), dict(pairs), numbers[1], list(outputs))

    op_callbacks.add_op_callback(ran)
    try:
        yield
    finally:
        op_callbacks.remove_op_callback(ran)


@contextlib.contextmanager
def no_progress_bars() -> Iterator[None]:
    """Hides TensorFlow Datasets' progress bars for a while; whether they are shown, only a private name tells."""
    from tensorflow_datasets.core.utils import tqdm_utils

    shown = tqdm_utils._active
    tqdm_utils.display_progress_bar(False)
    try:
        yield
    finally:
        tqdm_utils.display_progress_bar(shown)


def interval_of(score: Any) -> float:
    """Half of the bootstrap's confidence interval of a sacreBLEU score, which is public only as a part of a text."""
    return float(score._ci)


def sentence_statistics(metric: Any, texts: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """What a sacreBLEU metric counts of each sentence, (sentences, counts); a corpus is the sum over its sentences."""
    return np.array(metric._extract_corpus_statistics(list(texts), [list(references)]), float)


def score_of_statistics(metric: Any, statistics: np.ndarray) -> float:
    """The corpus's score of a sacreBLEU metric, by the sum of `sentence_statistics`."""
    return float(metric._compute_score_from_stats([int(count) for count in statistics]).score)


def operation_of(tensor: Any) -> str:
    """The name of the layer that a symbolic tensor of Keras comes from."""
    return tensor._keras_history.operation.name


def origin_of(tensor: Any) -> tuple[Any, int, list[Any]]:
    """Where a symbolic tensor of Keras comes from: (its layer or operation, which of its outputs it is, its inputs)."""
    history = tensor._keras_history
    inputs = history.operation._inbound_nodes[history.node_index].input_tensors
    return history.operation, history.tensor_index, list(inputs)


@contextlib.contextmanager
def without_importing_tensorflow() -> Iterator[None]:
    """Lets TensorFlow's official messages, `tensorflow.core...._pb2`, be imported without TensorFlow.

    They lie in its package and need protobuf alone, but importing them by their names runs the package's `__init__`,
    which takes seconds. In the block a bare package of that name stands for it; behind it there is none, so that a
    later `import tensorflow` is the true one, whose messages are the same classes. Where TensorFlow is imported
    already, nothing is done.
    """
    import importlib.util
    import sys
    import types

    if "tensorflow" in sys.modules:
        yield
        return
    found = importlib.util.find_spec("tensorflow")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")
    package = types.ModuleType("tensorflow")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["tensorflow"] = package
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "tensorflow"]:
            del sys.modules[name]
