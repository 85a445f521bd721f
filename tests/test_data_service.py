"""Batches through a real tf.data service on this machine."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.data.service import check_service, through_service
from keras_gans.errors import UserError
from tests.processes import HANGS, wait_until
from tests.services import start_services
from tests.small import BATCH, endless, images, small_model, weights
from tests.test_many_workers import free_ports
from tests.test_training_cli import TINY, environment, run_here


@pytest.fixture(scope="module")
def address(service_addresses):
    return service_addresses[1]


def numbers(count=40):
    """A source whose images are all different."""
    values = np.linspace(-1, 1, count, dtype="float32")[:, None, None, None]
    return kg.data.open_source(np.broadcast_to(values, (count, 8, 8, 1)).copy())


def test_the_batches_and_their_order_are_the_data_sets_own(address):
    plain = kg.data.to_dataset(numbers(), batch_size=BATCH, repeat=True, skip_batches=3)
    through = through_service(plain, address)
    assert through.element_spec == plain.element_spec and through.cardinality() == plain.cardinality()
    for ours, theirs in zip(plain.take(60), through.take(60), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_finite_data_set_ends(address):
    plain = kg.data.to_dataset(numbers(), batch_size=BATCH, shuffle=False)
    seen = [np.array(batch) for batch in through_service(plain, address)]
    np.testing.assert_array_equal(np.concatenate(seen), np.concatenate([np.array(batch) for batch in plain]))


@pytest.mark.parametrize(
    "scheme", ["sgan", *(pytest.param(name, marks=pytest.mark.slow) for name in ("dcgan", "wgan_gp"))]
)
def test_training_and_resuming_are_bit_for_bit_what_they_are_without(scheme, address, tmp_path):
    whole = small_model(scheme)
    whole.fit(endless(whole), steps_per_epoch=6, verbose=0)
    half = small_model(scheme)
    half.fit(through_service(endless(half), address), steps_per_epoch=3, verbose=0)
    half.save(tmp_path / "half.keras")
    resumed = keras.saving.load_model(tmp_path / "half.keras")
    resumed.fit(through_service(endless(resumed, skip_steps=3), address), steps_per_epoch=3, verbose=0)
    for name, value in weights(whole).items():
        np.testing.assert_array_equal(value, weights(resumed)[name], err_msg=name)


def test_with_several_workers_every_batch_comes_once(service_addresses):
    plain = kg.data.to_dataset(numbers(), batch_size=BATCH, repeat=True)
    known = {np.array(batch).tobytes() for batch in plain.take(400)}
    seen = [np.array(batch).tobytes() for batch in through_service(plain, service_addresses[2]).take(40)]
    assert len(set(seen)) == 40 and set(seen) <= known
    with pytest.raises(UserError, match="Received one that ends, for 2 workers.*repeat=True"):
        through_service(kg.data.to_dataset(numbers(), batch_size=BATCH), service_addresses[2])
    with pytest.raises(UserError, match="The 2 workers of a training cluster.*with 2 workers"):
        check_service(service_addresses[2], training_workers=2)


@pytest.mark.parametrize("text", ["data-host:5050", "grpc://data-host", "grpc://data-host:99999", "http://a:1", 5050])
def test_an_address_of_another_form_is_refused(text):
    with pytest.raises(UserError, match="grpc://host:port. Received: "):
        check_service(text)


def test_a_dispatcher_without_workers_is_refused(service_addresses):
    with pytest.raises(UserError, match="no worker, so that no batch would ever come"):
        check_service(service_addresses[0])


@pytest.mark.parametrize(
    "make",
    [
        lambda: tf.data.Dataset.from_generator(
            lambda: iter(images(8)), output_signature=tf.TensorSpec((8, 8, 1), tf.float32)
        ).batch(4),
        lambda: tf.data.Dataset.range(8).map(lambda i: tf.numpy_function(lambda x: x, [i], tf.int64)),
        lambda: tf.data.Dataset.range(8).map(lambda i: tf.py_function(lambda x: x, [i], tf.int64)),
    ],
)
def test_a_data_set_that_runs_python_code_is_refused(make, address):
    with pytest.raises(UserError, match="Python code does not exist.*PyFunc"):
        through_service(make(), address)


def test_a_data_set_too_large_to_travel_is_refused(address, monkeypatch):
    monkeypatch.setattr("keras_gans.data.service._LARGEST_BYTES", 40 * 8 * 8 * 4 - 1)
    with pytest.raises(UserError, match="less than 2 GiB"):
        through_service(kg.data.to_dataset(numbers(), batch_size=BATCH), address)


@pytest.mark.slow
def test_the_command_line_trains_through_a_service_and_goes_on_without(address, tmp_path):
    arguments = ["train", "dcgan", *TINY, "--set", "log_every=2"]
    codes = [
        run_here(*arguments, "--steps", "4", "--data-service", address, "--runs", "through", cwd=tmp_path),
        run_here("train", "--resume", "through/00001-dcgan-digits", "--steps", "6", cwd=tmp_path),
        run_here(*arguments, "--steps", "6", "--runs", "plain", cwd=tmp_path),
    ]
    assert [code for code, _, _ in codes] == [0, 0, 0], codes
    through, plain = (kg.load_run(next((tmp_path / root).iterdir())) for root in ("through", "plain"))
    for name, value in weights(plain).items():
        np.testing.assert_array_equal(value, weights(through)[name], err_msg=name)


@pytest.mark.slow
def test_a_service_that_does_not_answer_is_one_message_and_no_run(tmp_path):
    nowhere = f"grpc://localhost:{free_ports(1)[0]}"
    code, _, errors = run_here("train", "dcgan", "--data-service", nowhere, cwd=tmp_path)
    assert code == 2 and "Traceback" not in errors
    assert f"No tf.data service's dispatcher answers at {nowhere}" in errors.replace("\n", " ")
    assert not list(tmp_path.iterdir())


WATCHED = """
import sys
from keras_gans.data import service
from keras_gans.training import cli, service_watch
# A service that is gone refuses at once; one on a busy machine may take its time.
service_watch.PATIENCE_SECONDS, service._ANSWER_SECONDS = 2.0, 60.0
sys.argv[0] = "keras-gans"
cli.main()
"""


@pytest.mark.slow
def test_a_service_that_goes_away_ends_the_run_with_a_message_and_a_checkpoint(tmp_path):
    service, places = start_services()
    place = places[1]
    arguments = ["train", "dcgan", *TINY, "--steps", "1000000", "--set", "checkpoint_every=20", "--data-service", place]
    training = subprocess.Popen(
        [sys.executable, "-c", WATCHED, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment()
    )
    checkpoints = tmp_path / "runs" / "00001-dcgan-digits" / "checkpoints"
    wait_until(lambda: any(checkpoints.glob("step-*")), training)
    service.kill()
    service.communicate()
    _, errors = training.communicate(timeout=HANGS)
    assert training.returncode == 1
    assert "Traceback" not in errors and f"No tf.data service's dispatcher answers at {place}" in errors
    assert "The last checkpoint is runs/00001-dcgan-digits/checkpoints/step-" in errors
    assert "keras-gans train --resume runs/00001-dcgan-digits" in errors
    assert kg.load_run(tmp_path / "runs" / "00001-dcgan-digits").steps_taken >= 20
