"""What a model answers: samples by their seeds, in Python and from the exported file."""

import tempfile
import unittest

import numpy as np
import tensorflow as tf

from keras_gans.engine.base import AdversarialModel
from keras_gans.engine.validity import VALID
from keras_gans.testing.subject import Factory, built, scheme_name

Arrays = dict[str, np.ndarray]
_ROWS = 6


def check_saved_model_answers_as_the_model(factory: Factory) -> None:
    """The exported SavedModel answers each of the `endpoints` as the model does in Python, and draws its samples."""
    model = _vivid(factory)
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        served = tf.saved_model.load(folder).signatures
        assert set(served) == set(model.endpoints()), (
            f"The SavedModel has the signatures of endpoints(). Found: {sorted(served)}."
        )
        for signature in model.endpoints():
            inputs = examples(model, signature)
            promise = f"The SavedModel answers {signature!r} as the model does"
            expected = answers(model, signature, inputs)
            if any(values.dtype.kind != "f" for values in expected.values()):
                # What is rounded to whole numbers has no tolerance, and a graph adds up in another order.
                expected = answers(model, signature, inputs, in_graph=True)
            found = _asked(served[signature], inputs)
            for side in (expected, found):
                valid = side.pop(VALID, np.True_)
                assert np.all(valid), f"{promise}. Found: valid examples are answered as invalid: {valid}."
            assert_answers(expected, found, promise)
            for name, rows in expected.items():
                alike = all(np.array_equal(rows[0], row) for row in rows[1:])
                assert not alike, f"{promise}. Found: all rows of {name!r} alike, so that the comparison says nothing."
        if model.makes is not None:
            _check_draws(model, model.makes, served["sample"])


def _check_draws(model: AdversarialModel, field: str, served: tf.types.experimental.ConcreteFunction) -> None:
    seeds = np.arange(7, 10)
    drawn = model.draw(len(seeds), seed=7)
    known = {"seed": seeds, **drawn}
    names = [spec.name for spec in model.endpoints()["sample"][1]]
    (found,) = (rows for name, rows in _asked(served, {name: known[name] for name in names}).items() if name != VALID)
    assert np.array_equal(found, drawn[field]), (
        "The SavedModel's `sample` gives what the model draws by the same seeds. Found: other samples."
    )


def check_samples_are_a_function_of_the_seed(factory: Factory) -> None:
    """`sample(count, seed)` gives rows as `fields` says, the k-th being that of `seed + k` whatever stands beside it.

    Another seed gives another sample.
    """
    model = built(factory)
    if model.makes is None:
        raise unittest.SkipTest(f"{scheme_name(model)} makes no samples: `makes` is None")
    shape = (5, *model.fields()[model.makes].shape)
    samples = model.sample(5, seed=3)
    assert samples.shape == shape, f"Five samples are of shape {shape}. Found: {samples.shape}."
    dtype = np.uint8 if len(shape) == 4 else np.float32
    assert samples.dtype == dtype, f"Samples are {np.dtype(dtype).name}. Found: {samples.dtype}."
    assert np.array_equal(samples, model.sample(5, seed=3)), "A seed gives a sample. Found: another one each time."
    assert np.array_equal(samples[2:], model.sample(3, seed=5)), (
        "The k-th sample is that of seed + k. Found: it depends on where it stands, or on its batch."
    )
    assert not np.array_equal(model.sample(1, seed=0), model.sample(1, seed=1)), (
        "Another seed gives another sample. Found: the same one."
    )


def check_every_input_is_heeded(factory: Factory) -> None:
    """Each input of each of the `endpoints` changes its answers: a label that a generator ignores fails."""
    model = _vivid(factory)
    for signature in model.endpoints():
        inputs = examples(model, signature)
        answer = answers(model, signature, inputs)
        for name, rows in inputs.items():
            other = answers(model, signature, {**inputs, name: np.roll(rows, 1, axis=0)})
            assert any(not np.array_equal(answer[key], other[key]) for key in answer), (
                f"{signature!r} heeds its input {name!r}. Found: the same answers to other values of it."
            )


def _vivid(factory: Factory) -> AdversarialModel:
    """The model with larger kernels: a convolutional generator as it starts makes pictures of almost one grey."""
    model = built(factory)
    if not model.endpoints():
        raise unittest.SkipTest(f"{scheme_name(model)} answers nothing: it has no endpoints()")
    # Of those that have begun to move by the end: codes of a text that came first would drown the latents.
    for player in model.phase_starts()[-1][0].players:
        for variable in model.variables_of(player):
            if variable.name == "kernel":
                variable.assign(20.0 * variable)
    return model


def examples(model: AdversarialModel, signature: str) -> Arrays:
    """Valid inputs of one of the model's answers."""
    return {name: np.asarray(rows) for name, rows in model.example_inputs(signature, _ROWS).items()}


def answers(model: AdversarialModel, signature: str, inputs: Arrays, in_graph: bool = False) -> Arrays:
    """What the model answers to inputs; as a graph such as the exported one, which rounds alike, where asked."""
    function, specifications = model.endpoints()[signature]
    if in_graph:
        function = tf.function(function, input_signature=specifications, autograph=False)
    outputs = function(*(tf.constant(inputs[spec.name], spec.dtype) for spec in specifications))
    return {name: np.asarray(value) for name, value in outputs.items()}


def _asked(served: tf.types.experimental.ConcreteFunction, inputs: Arrays) -> Arrays:
    specifications = served.structured_input_signature[1]
    rows = {name: tf.constant(values, specifications[name].dtype) for name, values in inputs.items()}
    return {name: value.numpy() for name, value in served(**rows).items()}


def assert_answers(expected: Arrays, found: Arrays, promise: str) -> None:
    """Raises an `AssertionError` unless answers agree, floats up to rounding and all else exactly."""
    assert expected.keys() == found.keys(), f"{promise}. Found: {sorted(found)} in place of {sorted(expected)}."
    for name, values in expected.items():
        if values.dtype.kind == "f":
            # Rounding is of the largest numbers of a sum.
            scale = max(1.0, float(np.abs(values).max(initial=0.0)))
            same = np.allclose(values, found[name], rtol=1e-5, atol=1e-5 * scale)
        else:
            same = np.array_equal(values, found[name])
        assert same, f"{promise}. Found: another {name!r}."
