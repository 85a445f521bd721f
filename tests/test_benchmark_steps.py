"""The benchmarks' workloads: every scheme has one, and its plain loop trains."""

import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from benchmarks import machine, whole_run
from benchmarks.cases import CASES, Case, step_of
from benchmarks.peers import plain_loops

SMALL = {
    name: next(case for case in CASES.values() if case.scheme == name)
    for name in {case.scheme for case in CASES.values()}
}


def test_every_scheme_has_a_case_and_a_plain_loop():
    own = {name for name, scheme in kg.registry.schemes.items() if scheme.__module__.startswith("keras_gans.")}
    missing = own - set(SMALL)
    assert not missing, f"add a line to benchmarks.cases.CASES for {missing}"
    missing = own - set(plain_loops)
    assert not missing, f"add a plain Keras loop to one of benchmarks.plain_* for {missing}"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", sorted(SMALL))
def test_both_loops_of_a_case_train_every_player(scheme):
    case = Case(SMALL[scheme].recipe, (8, 8, 1), batch_size=8, settings=SMALL[scheme].settings)
    ours, plain = case.model(), plain_loops[scheme](case)
    plain.compile()
    for model, batches in ((ours, ours.batches_per_step()), (plain, 1)):
        roles = [role for player in ours.phase.players for role in ours.players[player]]
        before = {role: [np.array(v) for v in getattr(model, role).trainable_variables] for role in roles}
        values = step_of(model, case.batch(batches))()
        assert all(np.isfinite(value) for value in values.values())
        for role, old in before.items():
            new = getattr(model, role).trainable_variables
            assert sum(np.array_equal(*pair) for pair in zip(old, new, strict=True)) < 0.5 * len(new), role
    counts = [
        sum(int(np.prod(v.shape)) for v in getattr(m, r).trainable_variables) for m in (ours, plain) for r in roles
    ]
    assert counts[: len(roles)] == counts[len(roles) :]
    assert Case.from_dict(case.to_dict()) == case


def test_a_steps_operations_are_counted():
    first, second = tf.random.normal((3, 5)), tf.Variable(tf.random.normal((5, 7)))
    image, kernel = tf.random.normal((2, 8, 8, 3)), tf.Variable(tf.random.normal((4, 4, 3, 6)))

    def loss_of():
        return tf.reduce_sum(first @ second) + tf.reduce_sum(tf.nn.conv2d(image, kernel, 2, "SAME"))

    def step():
        with tf.GradientTape() as tape:
            tape.watch([first, image])
            loss = loss_of()
        return tape.gradient(loss, wanted)

    product, convolution = 2 * 3 * 5 * 7, 2 * 2 * 4 * 4 * 6 * 4 * 4 * 3
    # Forward, and backward to both arguments.
    wanted = [first, second, image, kernel]
    assert machine.operations_of(lambda: (loss_of(), step())) == 3 * (product + convolution)
    # The gradients do not depend on the sums, and nobody asks for those towards the samples.
    wanted = [second, kernel]
    assert machine.operations_of(step) == product + convolution
    assert machine.operations_of(lambda: second.assign(second * tf.reduce_sum(first @ second))) == product
    assert machine.operations_of(lambda: tf.matmul(first, first, transpose_a=True)) == 2 * 5 * 5 * 3


@pytest.mark.parametrize("name", ["gan28", "dcgan28"])
def test_the_operations_counted_are_those_that_the_graph_runs(name):
    case = Case(CASES[name].recipe, (8, 8, 1), 16)
    plain = plain_loops[case.scheme]
    for make in (case.model, lambda: plain(case)):
        model, counted = make(), make()
        if make != case.model:
            model.compile()
        batch = case.batch()
        step, tensors = step_of(model, batch), tf.constant(batch)
        step()
        needed = machine._needed_products(lambda counted=counted, tensors=tensors: counted.train_step(tensors))
        assert len(needed) == machine.products_run(step)


@pytest.mark.slow
def test_the_time_of_products_is_most_of_a_step_that_multiplies_and_little_of_one_that_does_not():
    matrix = tf.random.normal((1024, 1024))
    product = tf.function(lambda: tf.reduce_sum(matrix @ matrix @ matrix))
    other = tf.function(lambda: tf.reduce_sum(tf.sort(matrix)) + tf.reduce_sum(matrix[:4] @ matrix))
    for function in (product, other):
        function()
    # On several cores the operations of one step overlap.
    assert 0.5 < machine.arithmetic_share(lambda: float(product()))
    assert 0.0 < machine.arithmetic_share(lambda: float(other())) < 0.3


@pytest.mark.slow
def test_a_whole_runs_time_is_shared_out_among_what_watches_it():
    milliseconds, shares = whole_run.measure("gan", "digits", 40)
    assert {"Doctor", "Checkpoint", "ImageGrid", "Curves"} <= set(shares)
    assert all(share > 0 for share in shares.values()) and sum(shares.values()) < 1 and milliseconds > 0
