"""Training on batches by tokens: over two replicas as on one device, and exactly on after a stop."""

import itertools
import json

import keras
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.data import embedded
from keras_gans.runs import run_directory
from keras_gans.training.recipe import named
from keras_gans.training.train import build_for, to_dataset
from tests.small import weights
from tests.test_training_cli import run_here

STEPS = 6
RECIPE = named("adversarial_nmt").replace(
    batch_tokens=150,
    learning_rate_schedule="constant",
    scheme={**named("adversarial_nmt").scheme, "likelihood_steps": 2, "warm_up_steps": 2},
    generator={"name": "transformer_translator", "units": 8, "layer_count": 1, "heads": 2},
)


@pytest.fixture(scope="module")
def source():
    pairs = embedded.numbers_and_dates((60,))[0]
    return kg.data.Source.of({side: [pair[place] for pair in pairs] for place, side in enumerate(("source", "target"))})


def a_model(source, rate=None):
    keras.utils.set_random_seed(0)
    model = build_for(RECIPE, source)
    if rate is not None:
        # Not Adam: it divides the scale of the gradients out, and with it a wrong number of replicas.
        model.compile(optimizers={player: keras.optimizers.SGD(rate) for player in model.players})
    return model


def train(model, source, steps):
    dataset = to_dataset(RECIPE, source, skip_batches=model.steps_taken, model=model)
    model.fit(dataset, steps_per_epoch=steps, verbose=0)
    return model


@pytest.mark.slow
def test_two_replicas_step_as_one(source, two_replicas):
    start = weights(a_model(source))
    one = weights(train(a_model(source, rate=0.1), source, STEPS))
    with two_replicas.scope():
        model = a_model(source, rate=0.1)
    batches = itertools.islice(to_dataset(RECIPE, source, model=model).as_numpy_iterator(), STEPS)
    filled = [len(texts) for texts, _ in batches if b"" in texts]
    assert filled and all(count % 2 == 0 for count in filled), "an odd batch is filled up"
    two = weights(train(model, source, STEPS))
    moved = {name: np.abs(start[name] - value).max() for name, value in one.items()}
    assert max(moved.values()) > 0.01
    for name, value in one.items():
        apart = np.abs(value - two[name]).max()
        assert apart <= 0.02 * moved[name] + 1e-6, f"{name} moved {moved[name]:.3g}, and ended {apart:.3g} apart"


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_exactly(tmp_path):
    pairs = embedded.numbers_and_dates((60,))[0]
    for side, name in enumerate(("digits", "words")):
        (tmp_path / f"{name}.txt").write_text("".join(f"{pair[side]}\n" for pair in pairs), encoding="utf-8")
    small = ["--set=generator.units=8", "--set=generator.layer_count=1", "--set=batch_tokens=150"]
    small += ["--set=scheme.likelihood_steps=2", "--set=scheme.warm_up_steps=2", "--set=log_every=1"]
    small += ["--set=learning_rate_schedule=constant"]
    data = ["adversarial_nmt", "--data", "digits.txt = words.txt"]
    for arguments in (
        (*data, "--steps", "6", *small),
        (*data, "--steps", "3", *small),
        ("--resume", "2", "--steps", "6"),
    ):
        code, _, errors = run_here("train", *arguments, cwd=tmp_path)
        assert code == 0, errors
    models = [run_directory.load_run(run) for run in sorted((tmp_path / "runs").glob("0*"))]
    assert [model.steps_taken for model in models] == [6, 6]
    for name, value in weights(models[0]).items():
        np.testing.assert_array_equal(value, weights(models[1])[name], err_msg=name)
    lines = [
        [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
        for run in sorted((tmp_path / "runs").glob("0*"))
    ]
    losses = [[point.get("generator_loss") for point in points] for points in lines]
    assert losses[0] == losses[1] and len(losses[0]) == 6
