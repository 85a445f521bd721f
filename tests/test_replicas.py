"""What replicas share: several steps an execution, half precision, uneven batches; and what TensorFlow cannot do."""

import functools
import math
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import testing
from keras_gans.engine.replicas import check_compile, global_rows
from keras_gans.errors import UserError
from tests.small import BATCH, endless, images, small_model, weights

SEVERAL = {"steps": 4, "steps_per_execution": 2}
FAST = ("dcgan",)
every_scheme = pytest.mark.parametrize(
    "scheme", [pytest.param(name, marks=[] if name in FAST else pytest.mark.slow) for name in kg.registry.schemes]
)


def trained(scope, scheme, steps, precision="float32", **compiled):
    with scope:
        model = small_model(scheme, rate=0.05, precision=precision)
        model.compile(optimizers=model.optimizers, **compiled)
    model.fit(endless(model), steps_per_epoch=steps, verbose=0)
    return weights(model)


def here():
    return tf.distribute.get_strategy().scope()


def assert_near(first, second, tolerance):
    for name, value in first.items():
        np.testing.assert_allclose(value, second[name], atol=tolerance, rtol=0.0, err_msg=name)


@every_scheme
def test_several_steps_an_execution_over_two_replicas_step_as_one(scheme):
    # Two executions. That this catches a wrong scale, `tests/test_testing.py` shows.
    testing.check_two_replicas_step_as_one(functools.partial(small_model, scheme), **SEVERAL)


def _length(values):
    return math.sqrt(sum(float(np.square(value.astype("float64")).sum()) for value in values.values()))


@pytest.mark.parametrize("scheme", ["dcgan", pytest.param("wgan_gp", marks=pytest.mark.slow)])
@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_over_two_replicas_steps_as_one(scheme, precision, two_replicas):
    # Two steps: from the first overflow on, which comes at another step to half the loss, float16 takes another course.
    one = trained(here(), scheme, 2, precision)
    two = trained(two_replicas.scope(), scheme, 2, precision, steps_per_execution=2)
    start = weights(small_model(scheme, precision=precision))
    # Of how far all moved: where a gradient is nearly nothing, Adam makes a step of its rounding. It does not see a
    # loss that forgets the division by the number of replicas, which the contract does, by gradient descent.
    apart, moved = (_length({name: one[name] - other[name] for name in one}) for other in (two, start))
    assert apart <= 0.005 * moved
    assert max(np.abs(start[name] - value).max() for name, value in one.items() if not name.endswith("step")) > 1e-3


@pytest.fixture(scope="module")
def pair(two_replicas):
    """Two equal models, on one device and over two replicas, each to be set to `start` before it trains."""
    with two_replicas.scope():
        shared = small_model("dcgan", rate=0.05)
    return small_model("dcgan", rate=0.05), shared, shared.get_weights()


def train_from(model, start, rows):
    model.set_weights(start)
    model.fit(tf.data.Dataset.from_tensor_slices(rows).batch(BATCH), verbose=0)
    return model


@pytest.mark.parametrize(("count", "steps"), [(20, 3), (19, 2), (17, 2)])
def test_a_last_batch_that_replicas_cannot_share_is_left_out(count, steps, pair):
    rows, (alone, shared, start) = images(count), pair
    assert train_from(shared, start, rows).steps_taken == steps
    train_from(alone, start, rows[: 20 if steps == 3 else 16])
    assert_near(weights(alone), weights(shared), 2e-5)
    # Scalars are counters, such as the step.
    moved = [np.abs(a - b).max() for a, b in zip(start, shared.get_weights(), strict=True) if a.ndim]
    assert max(moved) > 1e-3, "nothing moved, so the comparison says nothing"


def test_one_device_takes_a_last_batch_of_any_size():
    model = small_model("dcgan")
    model.fit(tf.data.Dataset.from_tensor_slices(images(17)).batch(BATCH), verbose=0)
    assert model.steps_taken == 3


def test_xla_over_cpu_replicas_is_refused(two_replicas):
    with two_replicas.scope():
        model = small_model("gan")
        with pytest.raises(UserError, match="shared by 2 CPU replicas.*Received: jit_compile=True"):
            model.compile(jit_compile=True)
    small_model("gan").compile(jit_compile=True)


def test_every_replica_sees_the_rows_of_all_in_their_order(two_replicas):
    def rows_here():
        index = int(tf.distribute.get_replica_context().replica_id_in_sync_group)
        return global_rows(tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]) + 10.0 * index)

    found = two_replicas.experimental_local_results(two_replicas.run(rows_here))
    expected = [[1, 2], [3, 4], [5, 6], [11, 12], [13, 14], [15, 16]]
    assert [rows.numpy().tolist() for rows in found] == [expected, expected]


def test_one_step_an_execution_is_fine_with_any_reduction(two_replicas, monkeypatch):
    monkeypatch.setattr("keras_gans.engine.replicas.reduces_collectively", lambda strategy: True)
    check_compile(two_replicas, False, 1)
    with pytest.raises(UserError, match="steps_per_execution=2 over 2 replicas"):
        check_compile(two_replicas, False, 2)


COLLECTIVE = """
import tests.conftest
import tensorflow as tf
from tests.small import endless, small_model
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = small_model("gan")
model.fit(endless(model), steps_per_epoch=2, verbose=0)
with model.distribute_strategy.scope():
    model.compile(steps_per_execution=2)
"""


@pytest.mark.slow
def test_several_steps_with_default_collectives_over_cpus_are_refused():
    # In a process of its own: a second strategy over the same CPUs would break the first one's collectives.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["."] + sys.path)}
    done = subprocess.run([sys.executable, "-c", COLLECTIVE], env=environment, capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert "UserError: Several steps an execution" in last and "HierarchicalCopyAllReduce" in last


def test_a_saved_model_compiled_with_xla_is_refused_over_replicas_too(two_replicas, tmp_path):
    model = small_model("gan")
    model.compile(jit_compile=True)
    model.save(tmp_path / "model.keras")
    with two_replicas.scope(), pytest.raises(UserError, match="jit_compile=True"):
        keras.saving.load_model(tmp_path / "model.keras")
