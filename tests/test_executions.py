"""Several training steps in one execution change nothing that is computed or written."""

import json

import numpy as np
import pytest
from rich.console import Console

import keras_gans as kg
from keras_gans.training import recipe as recipes
from keras_gans.training import train as training
from keras_gans.training.executions import steps_at_once
from tests.small import weights

NETWORKS = {
    "generator": {"name": "mlp_generator", "hidden_units": [16]},
    "discriminator": {"name": "mlp_discriminator", "hidden_units": [16]},
}
TIMES = {"seconds", "steps_per_second", "samples_per_second", "peak_gigabytes"}


@pytest.mark.parametrize(
    ("wanted", "steps", "done", "periods", "expected"),
    [
        (32, 3000, 0, [50, 250, 500, 100], 25),
        (7, 3000, 0, [50, 250, 500, 100], 5),
        (1, 3000, 0, [50], 1),
        (32, 3001, 0, [50, 250], 1),
        (32, 3000, 40, [50, 250], 10),
        (32, 30, 0, [50], 10),
    ],
)
def test_executions_end_where_anything_is_due(wanted, steps, done, periods, expected):
    assert steps_at_once(wanted, steps, done, periods) == expected


def run_of(folder, at_once, steps=40, run=None):
    chosen = recipes.named("gan").replace(
        networks=NETWORKS, steps=steps, batch_size=8, log_every=10, picture_every=20, checkpoint_every=20, ema=0.9
    )
    chosen = chosen.replace(steps_per_execution=at_once, learning_rate_schedule="linear")
    return training.train(chosen, root=folder, run=run, doctor="off", console=Console(quiet=True)).run


def lines_of(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in TIMES} for line in lines]


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory):
    return run_of(tmp_path_factory.mktemp("one"), 1)


@pytest.mark.parametrize("at_once", [7, pytest.param(10, marks=pytest.mark.slow), 32])
def test_a_run_is_the_same_at_every_number(one_by_one, at_once, tmp_path):
    run = run_of(tmp_path, at_once)
    for name, value in weights(kg.load_run(one_by_one)).items():
        np.testing.assert_array_equal(value, weights(kg.load_run(run))[name], err_msg=name)
    assert lines_of(run) == lines_of(one_by_one)
    for folder in ("samples", "checkpoints"):
        names = [sorted(path.name for path in (each / folder).iterdir()) for each in (run, one_by_one)]
        assert names[0] == names[1]
    for path in (one_by_one / "samples").iterdir():
        assert path.read_bytes() == (run / "samples" / path.name).read_bytes()


def test_a_run_that_stopped_between_goes_on_the_same(one_by_one, tmp_path):
    run = run_of(tmp_path, 10)
    (run / "checkpoints" / "step-00000040.keras").unlink()
    again = run_of(tmp_path, 10, run=run)
    assert kg.load_run(again).steps_taken == 40
    for name, value in weights(kg.load_run(one_by_one)).items():
        np.testing.assert_array_equal(value, weights(kg.load_run(again))[name], err_msg=name)


def test_fewer_steps_at_once_than_wanted_are_said():
    console = Console(record=True, width=200, quiet=False, file=open("/dev/null", "w"))
    chosen = recipes.named("gan").replace(networks=NETWORKS, steps=33)
    model = training.build_for(chosen, training.open_data(chosen))
    training._set_steps_at_once(model, chosen, 0, 25, console)
    assert "1 training steps run at once instead of 25" in console.export_text()
