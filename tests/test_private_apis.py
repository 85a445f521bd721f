"""That what Keras, TensorFlow and TensorFlow Datasets do not publish is still there, and is used in one file only."""

import ast
import configparser
import importlib.metadata
import inspect
import subprocess
import sys
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from packaging.requirements import Requirement
from packaging.version import Version

from keras_gans import optimizers, private_apis
from keras_gans.data import tfds_source

ROOT = Path(__file__).parent.parent
FOLDERS = ("keras_gans", "training", "export", "benchmarks")
FILES = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if path.name != "private_apis.py"]


def test_keras_is_one_that_was_tried_and_the_next_is_refused():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    required = [Requirement(line) for line in config["options"]["install_requires"].split("\n") if line[:1].isalpha()]
    bound = next(each.specifier for each in required if each.name == "keras")
    installed = Version(importlib.metadata.version("keras"))
    assert bound.contains(installed)
    assert not bound.contains(f"{installed.major}.{installed.minor + 1}.0")


def test_nothing_else_reaches_for_a_private_name():
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
    nodes = [(path, node) for path, tree in trees.items() for node in ast.walk(tree)]
    # What begins with an underscore and is defined here is the project's own.
    own = {node.name for _, node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    own |= {node.attr for _, node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    own |= {node.id for _, node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    offences = [
        f"{path.relative_to(ROOT)}:{node.lineno} reads {ast.unparse(node)}"
        for path, node in nodes
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        # Documented, underscore and all.
        and ast.unparse(node) != "os._exit"
        and node.attr != "_asdict"
        and (node.attr not in own or hasattr(keras.Model, node.attr))
    ]
    offences += [
        f"{path.relative_to(ROOT)}:{node.lineno} overrides {node.name}"
        for path, node in nodes
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("_")
        and not node.name.startswith("__")
        and hasattr(keras.Model, node.name)
        and node.name not in private_apis.OVERRIDDEN
    ]
    private_modules = ("keras.src", "tensorflow.python", "tensorflow_datasets.core")
    offences += [
        f"{path.relative_to(ROOT)}:{node.lineno} imports {node.module}"
        for path, node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(private_modules)
    ]
    assert not offences, "\n".join(offences)


@pytest.mark.parametrize("name", private_apis.OVERRIDDEN)
def test_what_is_overridden_is_called_by_fit(name):
    assert f"self.{name}(" in inspect.getsource(keras.Model.fit)


def test_layers_inside_layers_are_found():
    inner = keras.layers.Dense(2)
    network = keras.Sequential([keras.Input((3,)), keras.layers.SpectralNormalization(inner)])
    assert any(layer is inner for layer in private_apis.layers_of(network))
    assert network in private_apis.layers_of(network)
    assert network not in private_apis.layers_of(network, include_self=False)


def test_what_a_random_layer_draws_from_is_found():
    layer = keras.layers.Dropout(0.5)
    (generator,) = private_apis.seed_generators(layer)
    before = layer(tf.ones((4, 50)), training=True)
    generator.state.assign(keras.ops.cast((1, 2), generator.state.dtype))
    first = layer(tf.ones((4, 50)), training=True)
    generator.state.assign(keras.ops.cast((1, 2), generator.state.dtype))
    np.testing.assert_array_equal(layer(tf.ones((4, 50)), training=True), first)
    assert np.any(before != first)
    assert private_apis.seed_generators(keras.layers.Dense(1)) == []


def test_a_model_without_its_loss_tracker_reports_no_loss():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    assert [metric.name for metric in model.metrics][0] == "loss"
    private_apis.without_loss_tracker(model)
    assert "loss" not in [metric.name for metric in model.metrics]


def test_a_weights_shape_is_known_before_it_is_drawn():
    shapes = []

    def make(make_next, **arguments):
        shapes.append(private_apis.shape_to_draw(arguments["initial_value"]))
        return make_next(**arguments)

    with tf.variable_creator_scope(make):
        keras.layers.Dense(3).build((None, 2))
        tf.Variable([0.0])
        tf.Variable(lambda: [0.0])
    assert shapes == [(2, 3), (3,), None, None]


def test_a_schedule_is_told_from_a_rate():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    assert private_apis.follows_a_schedule(keras.optimizers.SGD(schedule))
    assert not private_apis.follows_a_schedule(keras.optimizers.SGD(0.1))


def test_adams_moments_are_those_of_the_variable():
    optimizer = optimizers.Adam(0.1, beta_1=0.5, beta_2=0.75)
    variables = [keras.Variable([0.0]), keras.Variable([0.0, 0.0])]
    optimizer.apply([tf.constant([1.0]), tf.constant([2.0, 4.0])], variables)
    first, second = private_apis.adam_moments(optimizer, variables[1])
    np.testing.assert_allclose(first, [1.0, 2.0])
    np.testing.assert_allclose(second, [1.0, 4.0])


def test_how_a_strategy_sums_is_known(two_replicas):
    assert private_apis.reduces_collectively(tf.distribute.MirroredStrategy(["CPU:0"]))
    assert not private_apis.reduces_collectively(two_replicas), "which copies"
    assert not private_apis.reduces_collectively(tf.distribute.get_strategy())


def test_a_function_that_waits_can_be_cancelled_from_another_thread():
    queue = tf.queue.FIFOQueue(1, [tf.float32], shapes=[()])
    with pytest.raises(tf.errors.CancelledError), private_apis.cancellable() as cancel:
        threading.Timer(0.1, cancel).start()
        tf.function(queue.dequeue)()


def test_a_data_sets_graph_and_what_it_holds_on_to_are_known():
    held = tf.constant(np.arange(6.0))
    dataset = tf.data.Dataset.range(3).map(lambda index: tf.gather(held, index)).batch(2)
    assert b"BatchDataset" in private_apis.serialized_graph(dataset)
    assert any(tensor is held for tensor in private_apis.captured_tensors(dataset))


def test_operations_are_seen_as_they_run():
    seen = []
    with private_apis.watched_operations(lambda *ran: seen.append(ran)):
        made = tf.matmul(tf.ones((2, 3)), tf.ones((4, 3)), transpose_b=True)
        tf.negative(made)
    tf.negative(made)
    (product,) = [ran for ran in seen if ran[0] == "MatMul"]
    assert product[3]["transpose_b"] and not product[3].get("transpose_a", False)
    (negative,) = [ran for ran in seen if ran[0] == "Neg"]
    assert product[4] == negative[1], "what one gives the other takes"


def test_progress_bars_come_back():
    from tensorflow_datasets.core.utils import tqdm_utils

    before = tqdm_utils._active
    with private_apis.no_progress_bars():
        assert not tqdm_utils._active
    assert tqdm_utils._active == before
    with tfds_source._hushed():
        assert not tqdm_utils._active


def test_tensorflows_messages_are_had_without_tensorflow():
    code = """
import sys
from keras_gans import private_apis
with private_apis.without_importing_tensorflow():
    from tensorflow.core.framework import types_pb2
assert types_pb2.DT_INT64 == 9
assert not [name for name in sys.modules if name.startswith("tensorflow")]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Where it is there already, it stays.
    before = {name for name in sys.modules if name.startswith("tensorflow")}
    with private_apis.without_importing_tensorflow():
        assert sys.modules["tensorflow"] is tf
    assert before <= set(sys.modules)
