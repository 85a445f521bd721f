"""One job on several machines, here two processes of this one: the command line under TF_CONFIG."""

import json
import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.engine.replicas import check_compile, check_strategy
from keras_gans.errors import UserError
from keras_gans.training import agreement
from keras_gans.training import recipe as recipes
from keras_gans.training.agreement import compare
from keras_gans.training.strategy import Worker, this_worker
from keras_gans.training.train import _check_doctor
from tests.processes import HANGS, wait_until


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(folder, workers, *arguments):
    """Processes of `keras-gans train`, one for each worker, that write their output to `folder`."""
    places = [f"localhost:{port}" for port in free_ports(workers)]
    processes = []
    for index in range(workers):
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        if workers > 1:
            config = {"cluster": {"worker": places}, "task": {"type": "worker", "index": index}}
            environment["TF_CONFIG"] = json.dumps(config)
        command = [
            sys.executable,
            "-m",
            "keras_gans.training.cli",
            "train",
            *arguments,
            "--runs",
            str(folder / "runs"),
        ]
        with open(folder / f"{index}.log", "a") as log:
            processes.append(subprocess.Popen(command, stdout=log, stderr=log, env=environment))
    return processes


def wait(folder, processes):
    """Exit codes, and what each process printed."""
    codes = [process.wait(timeout=HANGS) for process in processes]
    # The console wraps lines anywhere.
    return codes, [" ".join((folder / f"{index}.log").read_text().split()) for index in range(len(processes))]


def assert_same_weights(first, second, tolerance):
    for one, other in zip(kg.load_run(first).weights, kg.load_run(second).weights, strict=True):
        np.testing.assert_allclose(np.array(one), np.array(other), rtol=0.0, atol=tolerance, err_msg=one.path)


SETTINGS = ["--set", "checkpoint_every=2", "--set", "log_every=2", "--set", "latent_dim=8"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "changes"),
    [("gan", []), ("wgan_gp_mlp", ["--set", "ema=0.9"]), ("sgan", []), ("dcgan", []), ("began", [])],
)
def test_two_workers_train_as_one_and_only_the_chief_writes(recipe, changes, tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for workers, folder in enumerate(folders, start=1):
        folder.mkdir()
        codes, outputs = wait(folder, start(folder, workers, recipe, "--steps", "6", *SETTINGS, *changes))
        assert codes == [0] * workers, outputs
    alone, shared = (next((folder / "runs").iterdir()) for folder in folders)
    assert len(list((tmp_path / "two" / "runs").iterdir())) == 1
    # Event files are named after the machine, the process and the time.
    names = [{path.name.split(".tfevents")[0] for path in run.iterdir()} for run in (alone, shared)]
    assert names[0] == names[1]
    curves = [
        [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()] for run in (alone, shared)
    ]
    for one, two in zip(*curves, strict=True):
        for name in one.keys() - {"seconds", "steps_per_second", "samples_per_second", "peak_gigabytes"}:
            assert two[name] == pytest.approx(one[name], rel=1e-3, abs=1e-5), name
    assert_same_weights(alone, shared, tolerance=1e-4)


@pytest.mark.slow
def test_two_workers_that_read_through_a_data_service_train_as_one_without(tmp_path, service_addresses):
    folders = [tmp_path / "one", tmp_path / "two"]
    for workers, folder in enumerate(folders, start=1):
        folder.mkdir()
        service = ["--data-service", service_addresses[1]] if workers > 1 else []
        codes, outputs = wait(folder, start(folder, workers, "gan", "--steps", "6", *SETTINGS, *service))
        assert codes == [0] * workers, outputs
    assert_same_weights(*(next((folder / "runs").iterdir()) for folder in folders), tolerance=1e-4)
    # Two workers of the service could hand the two of the cluster different batches.
    folder = tmp_path / "refused"
    folder.mkdir()
    service = ["--data-service", service_addresses[2]]
    codes, outputs = wait(folder, start(folder, 2, "gan", "--steps", "6", *SETTINGS, *service))
    assert codes == [2, 2] and all("must see the batches in the same order" in output for output in outputs), outputs
    assert not (folder / "runs").exists()


@pytest.mark.slow
def test_a_job_that_loses_a_worker_says_so_and_goes_on_where_it_was(tmp_path):
    arguments = ["gan", "--steps", "200", *SETTINGS, "--set", "checkpoint_every=20", "--resume", "auto"]
    processes = start(tmp_path, 2, *arguments)
    wait_until(lambda: list(tmp_path.glob("runs/*/checkpoints/step-*.keras")), processes[0])
    processes[1].send_signal(signal.SIGKILL)
    codes, outputs = wait(tmp_path, processes)
    assert codes[0] == 1 and "Stopped: Another worker of the cluster has stopped" in outputs[0]
    assert "Traceback" not in outputs[0]
    codes, outputs = wait(tmp_path, start(tmp_path, 2, *arguments))
    assert codes == [0, 0] and "going on from step" in outputs[0], outputs
    run = next((tmp_path / "runs").iterdir())
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    assert wait(undisturbed, start(undisturbed, 2, *arguments))[0] == [0, 0]
    # The sum of two numbers has no order, so that two workers are as exact as one.
    assert_same_weights(run, next((undisturbed / "runs").iterdir()), tolerance=0.0)
    # A third start finds nothing left to do.
    codes, outputs = wait(tmp_path, start(tmp_path, 2, *arguments))
    assert codes == [0, 0] and "nothing is left to do" in outputs[0]


@pytest.mark.slow
def test_two_workers_of_different_data_end_before_their_first_step(tmp_path):
    processes = []
    places = [f"localhost:{port}" for port in free_ports(2)]
    for index, count in enumerate((90, 70)):
        folder = tmp_path / f"images-{index}"
        for number in range(count):
            pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 1), "uint8")
            kg.drawing.picture.save_png(pixels, folder / f"{number:03d}.png")
        config = {"cluster": {"worker": places}, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_CONFIG": json.dumps(config)}
        command = [sys.executable, "-m", "keras_gans.training.cli", "train", "gan", "--data", str(folder)]
        with open(tmp_path / f"{index}.log", "w") as log:
            processes.append(
                subprocess.Popen([*command, "--batch-size", "8"], cwd=tmp_path, stdout=log, stderr=log, env=environment)
            )
    codes, outputs = wait(tmp_path, processes)
    assert codes == [2, 2], outputs
    for output in outputs:
        assert "have different data: worker 0 has 82 rows (fingerprint" in output and "Traceback" not in output
        assert "worker 1 has 64 rows" in output
    assert not list((tmp_path / "runs").glob("*"))


@pytest.mark.parametrize(
    ("workers", "said"),
    [
        ([[9, 1, 5, 0], [8, 1, 5, 0]], "different data: worker 0 has 9 rows .* worker 1 has 8 rows"),
        (
            [[9, 1, 5, 0], [9, -1, 5, 0]],
            "data: .*.fingerprint 0{15}1., worker 1 has 9 rows .fingerprint f{16}.. Give all of them the same",
        ),
        ([[9, 1, 5, 0], [9, 1, 5, 0], [9, 1, 6, 0]], "different recipes: .*worker 2 has fingerprint 0000000000000006"),
        ([[9, 1, 5, 20], [9, 1, 5, 0]], "checkpoints: worker 0 has step 20, worker 1 has step 0. Give --runs a folder"),
    ],
)
def test_workers_that_differ_are_told_how(workers, said):
    compare(np.array(workers[:1] * 3))
    with pytest.raises(UserError, match=said) as caught:
        compare(np.array(workers))
    assert "\n" not in str(caught.value)


def test_workers_compare_data_and_recipe_but_not_where_the_data_lie(monkeypatch):
    told = []
    monkeypatch.setattr(
        agreement, "over_workers", lambda _, numbers: np.array([numbers, told.append(numbers) or numbers])
    )
    recipe = recipes.named("gan")
    for changed in (recipe, recipe.replace(data="elsewhere"), recipe.replace(steps=7)):
        agreement.check_agreement(None, Worker(0, 2), changed, {"image.rows": 4, "image.content": "a"}, 0)
    agreement.check_agreement(None, Worker(0, 2), recipe, {"image.rows": 4, "image.content": "b"}, 0)
    first, elsewhere, longer, other = told
    assert first == elsewhere and first[:2] == longer[:2] and first[2] != longer[2]
    assert first[1] != other[1] and first[2] == other[2]


UNEVEN = """
import sys
import numpy as np
import tensorflow as tf
import keras_gans as kg

strategy = tf.distribute.MultiWorkerMirroredStrategy()
with strategy.scope():
    generator = kg.networks.mlp_generator((2,), latent_dim=2, hidden_units=[4])
    model = kg.schemes.VanillaGAN(generator, kg.networks.mlp_discriminator((2,), hidden_units=[4]))
    model.compile()
rows = np.zeros((8 * int(sys.argv[1]), 2), "float32")
data = tf.data.Dataset.from_tensor_slices(rows).batch(8, drop_remainder=True)
try:
    model.fit(data, epochs=1, verbose=0)
except kg.errors.LostWorkerError as error:
    print("LOST", error)
    sys.exit(3)
"""


@pytest.mark.slow
def test_workers_whose_data_end_apart_say_so_in_one_line(tmp_path):
    places = [f"localhost:{port}" for port in free_ports(2)]
    processes = []
    for index, batches in enumerate((4, 40)):
        config = {"cluster": {"worker": places}, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_CONFIG": json.dumps(config)}
        with open(tmp_path / f"{index}.log", "w") as log:
            command = [sys.executable, "-c", UNEVEN, str(batches)]
            processes.append(subprocess.Popen(command, stdout=log, stderr=log, env=environment))
    codes, outputs = wait(tmp_path, processes)
    # The one with more batches waits in vain for the other.
    assert codes[1] == 3, outputs
    assert "LOST" in outputs[1] and "data" in outputs[1] and "Traceback" not in outputs[1]


def test_a_parameter_servers_strategy_is_refused_in_one_line():
    strategy = object.__new__(tf.distribute.ParameterServerStrategy)
    with pytest.raises(UserError, match="Train under tf.distribute.MultiWorkerMirroredStrategy") as caught:
        check_strategy(strategy)
    assert "\n" not in str(caught.value)


def test_several_steps_an_execution_over_machines_are_refused_in_one_line():
    strategy = object.__new__(tf.distribute.MultiWorkerMirroredStrategy)
    with pytest.raises(UserError, match="where machines step together.*Received: steps_per_execution=8") as caught:
        check_compile(strategy, False, 8)
    assert "\n" not in str(caught.value)


def cluster(kind="worker", index=0, **places):
    return json.dumps({"cluster": places, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Worker(0, 1)),
        ("{}", Worker(0, 1)),
        (cluster(worker=["a:1"]), Worker(0, 1)),
        (cluster(index=1, worker=["a:1", "b:1"]), Worker(1, 2)),
        (cluster("chief", 0, chief=["a:1"], worker=["b:1", "c:1"]), Worker(0, 3)),
        (cluster("worker", 1, chief=["a:1"], worker=["b:1", "c:1"]), Worker(2, 3)),
    ],
)
def test_a_workers_place(text, expected, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    assert this_worker() == expected
    assert this_worker().is_chief == (expected.index == 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not the JSON of a cluster.*Received: {"),
        (cluster(index=2, worker=["a:1", "b:1"]), "worker 0 to 1. Received: worker 2"),
        (cluster("ps", 0, worker=["a:1", "b:1"]), "worker 0 to 1. Received: ps 0"),
        # As each of several lone workers it would train a run of its own.
        (cluster("ps", 0, ps=["a:1"], worker=["b:1"]), "worker 0 to 0. Received: ps 0"),
        (cluster(index=7, worker=["a:1"]), "worker 0 to 0. Received: worker 7"),
    ],
)
def test_a_tf_config_of_no_sense(text, message, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match=message):
        this_worker()


def test_in_a_cluster_the_doctor_only_watches():
    _check_doctor("roll-back", Worker(0, 1))
    _check_doctor("watch", Worker(0, 2))
    with pytest.raises(UserError, match="can only watch.*Received: 'stop'"):
        _check_doctor("stop", Worker(0, 2))
