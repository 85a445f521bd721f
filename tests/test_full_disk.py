"""A file system that fills up while the command line trains."""

import contextlib
import subprocess

import pytest

import keras_gans as kg
from keras_gans.files import atomically
from keras_gans.runs import run_directory
from tests.processes import HANGS, ForkedCommand, wait_until
from tests.test_training_cli import TINY, command, environment, run_here, unwrapped


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 24 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"this process may not mount a file system: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder):
    """Takes the last byte of a file system."""
    with open(folder / "filling", "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 4096):
            pass


ARGUMENTS = [*TINY, "--set", "checkpoint_every=10", "--set", "log_every=5", "--set", "picture_every=1000"]


def assert_stopped_and_goes_on(code, errors, folder, make_room):
    """One message, no torn file, and a run that goes on from its last checkpoint once there is room."""
    assert code == 1 and "Traceback" not in errors, errors
    message = errors[errors.index("Stopped:") :]
    assert errors.count("Stopped:") == 1 and "--resume" in message
    directory = next((folder / "runs").iterdir())
    saved = run_directory.checkpoints(directory)
    assert saved and all(path.name.startswith("step-") for path in (directory / "checkpoints").iterdir())
    step = run_directory.step_of(saved[-1])
    assert kg.load_run(directory).steps_taken == step
    make_room()
    code, output, errors = run_here("train", "--resume", "1", "--steps", str(step + 5), cwd=folder)
    assert code == 0 and f"going on from step {step}" in unwrapped(output), errors
    assert kg.load_run(directory).steps_taken == step + 5


@pytest.mark.slow
def test_a_disk_that_fills_up_stops_the_run_with_one_message_and_it_goes_on(small_disk):
    process = ForkedCommand("train", "dcgan", "--steps", "100000", *ARGUMENTS, cwd=small_disk)
    wait_until(lambda: list(small_disk.glob("runs/*/checkpoints/step-*.keras")), process)
    fill(small_disk)
    _, errors = process.communicate()
    assert "No space left on device" in errors
    assert_stopped_and_goes_on(process.returncode, errors, small_disk, (small_disk / "filling").unlink)


@pytest.mark.slow
def test_a_limit_on_the_size_of_files_is_met_likewise(tmp_path):
    code, _, errors = run_here("train", "dcgan", "--steps", "10", *ARGUMENTS, cwd=tmp_path)
    assert code == 0, errors
    size = next((tmp_path / "runs").glob("*/checkpoints/*.keras")).stat().st_size
    # The shell's unit is 1,024 bytes. Nothing else that a run writes is as large, nor what Keras unpacks to load one.
    limited = ["bash", "-c", f'ulimit -f {size // 1024 - 4}; exec "$@"', "bash"]
    done = subprocess.run(
        [*limited, *command("train", "--resume", "1", "--steps", "100000")],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    assert "File too large" in done.stderr
    assert_stopped_and_goes_on(done.returncode, done.stderr, tmp_path, lambda: None)


def test_an_error_names_the_file_that_was_asked_for(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError) as raised, atomically(tmp_path / "taken") as partial:
        partial.write_text("whole")
    assert raised.value.filename == str(tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
