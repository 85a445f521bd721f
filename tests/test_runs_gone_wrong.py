"""Runs that go wrong: damaged files, two that write to one run, signals, and what a run leaves behind all the same."""

import contextlib
import dataclasses
import errno
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import types
import warnings

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from rich.console import Console

import keras_gans as kg
from keras_gans.callbacks.metrics_file import MetricsFile
from keras_gans.errors import DamageWarning, NonFiniteError, UserError
from keras_gans.runs import run_directory
from keras_gans.runs.lock import locked
from keras_gans.training import cli, event_files, new_run
from keras_gans.training import recipe as recipes
from keras_gans.training import train as training
from keras_gans.training.going_on import check_resumable
from keras_gans.training.interruption import Interruption
from tests.small import small_model, weights
from tests.test_callbacks import events, fit
from tests.test_training_cli import run_here, unwrapped


def small_recipe(pictures, steps, **changes):
    """The `gan` recipe, with smaller networks, of a folder of pictures."""
    chosen = recipes.named("gan").replace(data=str(pictures), image_size=8, batch_size=8, steps=steps)
    networks = {role: {**network, "hidden_units": [8]} for role, network in chosen.networks.items()}
    periods = {"log_every": 2, "checkpoint_every": 2, "picture_every": 4, "steps_per_execution": 1}
    return chosen.replace(networks=networks, **{**periods, **changes})


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of eighty pictures of noise."""
    folder = tmp_path_factory.mktemp("pictures")
    for index, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (80, 8, 8), "uint8")):
        Image.fromarray(pixels).save(folder / f"{index:03d}.png")
    return folder


@pytest.fixture(scope="module")
def six_steps(pictures, tmp_path_factory):
    """The folder of a run of six steps with its checkpoints of steps 2, 4 and 6."""
    root = tmp_path_factory.mktemp("six") / "runs"
    return training.train(small_recipe(pictures, 6), root=root, doctor="off").run


@pytest.fixture
def six(six_steps, tmp_path):
    """A copy of it in a folder `runs` of its own."""
    return shutil.copytree(six_steps, tmp_path / "runs" / six_steps.name)


def checkpoint(run, step):
    return run / "checkpoints" / f"step-{step:08d}.keras"


def a_plain_model(path):
    import keras

    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)


# Checkpoints ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_bytes(b"rubbish"), "is damaged"),
        (lambda path: shutil.make_archive(str(path)[:-6], "zip", path.parent.parent / "samples"), "is damaged"),
        (a_plain_model, "holds a Sequential and no scheme"),
        (lambda path: shutil.copy(checkpoint(path.parent.parent, 2), path), "holds step 2, not the one in its name"),
    ],
    ids=["rubbish", "another archive", "another model", "another step"],
)
def test_what_is_called_the_last_checkpoint_is_read_before_it_is_trusted(damage, said, six):
    damage(checkpoint(six, 6))
    if (archive := checkpoint(six, 6).with_suffix(".zip")).exists():
        archive.replace(checkpoint(six, 6))
    with pytest.warns(DamageWarning, match=f"step-00000006.keras {said}"):
        assert kg.load_run(six).steps_taken == 4


def test_a_job_started_again_believes_no_files_name(six, tmp_path):
    checkpoint(six, 6).write_bytes(b"rubbish")
    code, output, errors = run_here("train", "gan", "--resume", "auto", "--doctor", "off", cwd=tmp_path)
    assert code == 0 and "going on from step 4" in unwrapped(output)
    assert errors.count("Damaged:") == 1 and "step-00000006.keras is damaged" in errors and "Warning" not in errors
    assert kg.load_run(six).steps_taken == 6
    # Now it is finished, and what says so has been read.
    code, output, _ = run_here("train", "gan", "--resume", "auto", cwd=tmp_path)
    assert code == 0 and "has taken 6 steps: nothing is left to do" in unwrapped(output)


def test_a_job_with_nothing_left_to_read_begins_anew_and_says_so(six, tmp_path):
    for path in run_directory.checkpoints(six):
        path.write_bytes(b"rubbish")
    code, _, errors = run_here("train", "--resume", "1", cwd=tmp_path)
    assert (
        code == 2 and "has no checkpoint that can be read" in errors and len(list((tmp_path / "runs").iterdir())) == 1
    )
    code, output, errors = run_here("train", "gan", "--resume", "auto", "--doctor", "off", cwd=tmp_path)
    assert code == 0, errors
    assert "has no checkpoint that can be read" in unwrapped(output) and "So a new run begins" in unwrapped(output)
    anew = run_directory.resolve("latest", tmp_path / "runs")
    assert anew != six and kg.load_run(anew).steps_taken == 6


def test_rotation_deletes_only_what_is_ours(tmp_path):
    kept = [tmp_path / name for name in ("step-00000002-keep-me.keras", "step-1.keras.bak", "my-step-00000001.keras")]
    later = tmp_path / "step-00000009.keras"
    for path in (*kept, later):
        path.write_bytes(b"mine")
    fit(small_model("gan"), 4, [kg.callbacks.Checkpoint(tmp_path, every=1, keep=1)])
    # The damaged one of a later step takes no place from those that can be read.
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in (*kept, later)} | {
        "step-00000004.keras"
    }


# Records --------------------------------------------------------------------------------------------------------------

SOUND = [{"step": step, "a": 1.5, "evaluation": {"score": {"value": 1.0}}} for step in (2, 4)]


def test_a_record_cut_anywhere_is_read_up_to_the_cut(tmp_path):
    file = tmp_path / "metrics.jsonl"
    whole = "".join(json.dumps(line) + "\n" for line in SOUND).encode()
    for cut in range(len(whole) + 1):
        file.write_bytes(whole[:cut])
        expected = [
            line
            for line in SOUND
            if len(json.dumps(line)) <= cut - (0 if line is SOUND[0] else cut and len(json.dumps(SOUND[0])) + 1)
        ]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            kg.callbacks.metrics_file.MetricsFile(file).drop_after(9)
        assert [json.loads(line) for line in file.read_bytes().splitlines()] == expected, cut
        is_cut = whole[:cut].rstrip(b"\n").count(b"\n") + bool(cut) > len(expected)
        assert len(caught) == is_cut, cut


@pytest.mark.parametrize(
    "line", [b"\xff\xfe\x00", b"[1]", b"null", b'{"a": 1}', b'{"step": "2"}', b"[" * 5000, b"\x00" * 99]
)
def test_other_bytes_in_a_record_are_left_out_with_a_message(line, tmp_path):
    file = tmp_path / "metrics.jsonl"
    sound = [json.dumps(each).encode() for each in SOUND]
    file.write_bytes(b"\n".join([sound[0], line, sound[1], b""]))
    with pytest.warns(DamageWarning, match="metrics.jsonl: 1 line cannot be read and is left out, .* line 2"):
        kg.callbacks.metrics_file.MetricsFile(file).drop_after(9)
    assert file.read_bytes().splitlines() == sound


@pytest.mark.parametrize(
    "garbage", [b"\xff\xfe", b'{"step": 4, "treated": false, "losses": "high"}', b'{"step": 1}', b'{"step": 4, "tre']
)
def test_garbage_in_the_doctors_report_costs_a_run_nothing_but_that_look(garbage, tmp_path):
    file = tmp_path / "doctor.jsonl"
    model = small_model("gan")
    fit(model, 4, [kg.callbacks.Doctor(every=2, report_file=file)])
    sound = file.read_bytes().splitlines()
    assert [json.loads(line)["step"] for line in sound] == [0, 2, 4]
    file.write_bytes(b"\n".join([*sound[:-1], garbage]))
    doctor = kg.callbacks.Doctor(every=2, report_file=file)
    with pytest.warns(DamageWarning, match="doctor.jsonl: 1 line"):
        fit(model, 2, [doctor])
    assert [signs.step for signs in doctor.history] == [0, 2, 6]


# Pictures that are none -----------------------------------------------------------------------------------------------


def test_a_fifo_among_the_pictures_is_passed_over(pictures, tmp_path):
    folder = shutil.copytree(pictures, tmp_path / "pictures")
    os.mkfifo(folder / "pipe.png")
    with pytest.warns(DamageWarning, match="pipe.png is no image but a FIFO"):
        assert len(kg.data.open_source(folder, image_size=8)) == 80
    code, _, errors = run_here("train", "--data", str(folder), "--batch-size", "1000", cwd=tmp_path)
    assert code == 2 and errors.count("pipe.png is no image but a FIFO") == 1
    # A picture that is named by itself, as for `translate`, is no reason to wait for ever either.
    with pytest.raises(OSError, match="no regular file, but a FIFO"):
        kg.data.pictures.decode_to(folder / "pipe.png", (8, 8, 1), crops=True)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    # Larger than what Pillow warns of, too.
    Image.new("1", (9600, 9500)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    warned = pytest.warns(Image.DecompressionBombWarning)
    with warned, pytest.raises(UserError, match=r"bomb.png \(it has 9,600 x 9,500 pixels, more than the 67,108,864"):
        kg.data.open_source(tmp_path, image_size=8)
    code, _, errors = run_here("train", "gan", "--data", ".", cwd=tmp_path)
    assert code == 2 and "bomb.png (it has" in errors and "Warning" not in errors


def test_a_name_that_is_not_utf_8_is_refused_before_training(pictures, tmp_path):
    for name in (b"cats", b"h\xe9l\xe8ne"):
        folder = os.fsencode(tmp_path / "classes") + b"/" + name
        os.makedirs(folder)
        shutil.copy(pictures / "000.png", os.path.join(os.fsdecode(folder), "0.png"))
    with pytest.raises(UserError, match=r"class's folder .*h\\xe9l\\xe8ne is not valid UTF-8.*Rename it"):
        kg.data.open_source(tmp_path / "classes", image_size=8, labels=True)
    code, _, errors = run_here("train", "gan", "--data", os.fsdecode(folder), cwd=tmp_path)
    assert code == 2 and "not valid UTF-8" in unwrapped(errors) and not (tmp_path / "runs").exists()


# Two at once ----------------------------------------------------------------------------------------------------------


def test_a_second_process_is_told_who_is_at_work(six, tmp_path):
    with locked(six):
        code, _, errors = run_here("train", "--resume", "1", "--steps", "8", cwd=tmp_path)
        assert code == 2
        assert f"is being written to by process {os.getpid()} on {socket.gethostname()} since 20" in unwrapped(errors)
    code, _, errors = run_here("train", "--resume", "1", "--steps", "8", "--doctor", "off", cwd=tmp_path)
    assert code == 0, errors
    assert not (six / ".lock").exists()


def test_a_run_that_is_being_trained_is_locked_from_its_beginning(pictures, tmp_path, monkeypatch):
    seen = []

    def write_recipe(run, recipe):
        if (run / ".lock").exists():
            with pytest.raises(UserError, match="is being written to"), locked(run):
                pass
            seen.append(run)
        return write(run, recipe)

    write = training.new_run.write_recipe
    monkeypatch.setattr(training.new_run, "write_recipe", write_recipe)
    assert training.train(small_recipe(pictures, 1), root=tmp_path, doctor="off").run == seen[0]


def test_a_dead_process_holds_no_lock(tmp_path):
    code = f"import os, sys; from keras_gans.runs.lock import locked\nwith locked({str(tmp_path)!r}): os._exit(0)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert json.loads((tmp_path / ".lock").read_text())["process"] != os.getpid()
    with locked(tmp_path):
        assert json.loads((tmp_path / ".lock").read_text())["process"] == os.getpid()
    assert not list(tmp_path.iterdir())


def test_where_there_are_no_locks_that_is_said(tmp_path, monkeypatch):
    def flock(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.warns(DamageWarning, match="cannot be locked .No locks available.: see to it that no other"):
        with locked(tmp_path):
            pass
    assert not list(tmp_path.iterdir())


# Ends that come early -------------------------------------------------------------------------------------------------


class Closed(io.StringIO):
    """A pipe that somebody reads so many lines of."""

    def __init__(self, lines):
        super().__init__()
        self.lines = lines

    def write(self, text):
        if self.lines <= self.getvalue().count("\n"):
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        return super().write(text)


def test_a_closed_pipe_ends_a_run_as_a_signal_does(pictures, tmp_path, monkeypatch):
    recipe = small_recipe(pictures, 1000, checkpoint_every=1000, picture_every=1000)
    monkeypatch.setattr("keras_gans.training.recipe.recipes", {"gan": lambda: recipe})
    monkeypatch.setattr(sys, "stdout", Closed(lines=1))
    errors = io.StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    monkeypatch.setattr(sys, "argv", ["keras-gans", "train", "gan", "--doctor", "off"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 128 + signal.SIGPIPE
    saved = run_directory.latest_checkpoint(next((tmp_path / "runs").iterdir()))
    # Progress is printed at a tenth of the way, which is when the pipe is found closed.
    assert run_directory.step_of(saved) == 100
    said = unwrapped(errors.getvalue())
    assert "Interrupted after step 100 and saved" in said and "keras-gans train --resume runs/00001" in said


@pytest.fixture
def hang_up_ends():
    """SIGHUP as a terminal leaves it: whoever runs the tests behind nohup has it ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_up_ends")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_each_signal_that_ends_a_job_saves_it(number, six, tmp_path, monkeypatch):
    append = kg.callbacks.metrics_file.MetricsFile.append

    def raising(self, step, *rest):
        append(self, step, *rest)
        if step == 12:
            signal.raise_signal(number)

    monkeypatch.setattr(kg.callbacks.metrics_file.MetricsFile, "append", raising)
    code, output, errors = run_here("train", "--resume", "1", "--steps", "10000", "--doctor", "off", cwd=tmp_path)
    assert code == 128 + number, errors
    assert "Interrupted after step 12 and saved" in output and kg.load_run(six).steps_taken == 12


def test_nohup_keeps_its_word():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        interruption = Interruption()
        interruption.set_model(types.SimpleNamespace())
        interruption.on_train_begin()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) == interruption._note
        interruption.restore()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_signal_ends_a_run_at_once():
    interruption = Interruption()
    interruption._note(signal.SIGTERM, None)
    assert interruption.signal == signal.SIGTERM
    with pytest.raises(KeyboardInterrupt) as raised:
        interruption._note(signal.SIGHUP, None)
    assert interruption.signal == signal.SIGTERM and raised.value.args == (signal.SIGHUP,)


def test_a_second_signal_is_told_by_the_exit_code(pictures, tmp_path, monkeypatch):
    def fit(*arguments, **options):
        raise KeyboardInterrupt(signal.SIGTERM)

    monkeypatch.setattr("keras_gans.training.train._fit", fit)
    code, _, errors = run_here("train", "gan", "--data", str(pictures), "--image-size", "8", cwd=tmp_path)
    assert (code, errors) == (128 + signal.SIGTERM, "Interrupted.\n")


def test_ctrl_c_while_modules_are_imported_is_one_line(tmp_path):
    (tmp_path / "slow_module.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nimport nothing")
    code = "from keras_gans.quiet import import_quietly; import_quietly('slow_module')"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "Interrupted before anything began.\n")


@pytest.mark.parametrize(
    "where",
    ["training.recipe.named", "training.train.make_strategy", "training.train.build_for", "training.train._fit"],
)
def test_ctrl_c_at_any_other_moment_is_one_line_and_leaves_nothing(where, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(f"keras_gans.{where}", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    code, _, errors = run_here("train", "gan", "--data", str(pictures), "--image-size", "8", cwd=tmp_path)
    assert (code, errors) == (130, "Interrupted.\n")
    assert not list(tmp_path.glob("runs/*")) and signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_where_python_can_raise_nothing_ends_the_process_all_the_same():
    code = """
import signal
from keras_gans.quiet import raising_if_interrupted
class Finalized:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
with raising_if_interrupted():
    Finalized()
    print("went on")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


@pytest.mark.parametrize(("when", "code"), [("before", 2), ("after", 130)])
def test_ctrl_c_once_the_command_is_done_is_one_line_at_most(when, code):
    script = f"""
import atexit, signal, sys
from keras_gans.training import command
register = lambda: atexit.register(signal.raise_signal, signal.SIGINT)
sys.argv = ["keras-gans", "train", "--no-such-option"]
# What is registered before is called last, when Python clears up.
if {when == "before"}:
    register()
try:
    command.main()
finally:
    if {when == "after"}:
        register()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, "Interrupted." in done.stderr) == (code, code == 130) and "Traceback" not in done.stderr


def test_weights_that_are_infinite_at_the_end_are_one_message(pictures, tmp_path, monkeypatch):
    def save(self, path):
        raise NonFiniteError(f"{path} was not written.")

    monkeypatch.setattr(kg.engine.AdversarialModel, "save", save)
    with pytest.raises(NonFiniteError, match="was not written. There is no checkpoint yet"):
        training.train(small_recipe(pictures, 2), root=tmp_path)


# Another experiment ---------------------------------------------------------------------------------------------------


def change_recipe(run, **changes):
    fields = json.loads((run / "recipe.json").read_text())
    fields["optimizers"]["generator"]["learning_rate"] = changes.pop("rate", 1e-3)
    (run / "recipe.json").write_text(json.dumps({**fields, **changes}))


def test_the_recipe_in_the_checkpoint_decides(six, tmp_path):
    change_recipe(six, rate=0.5, batch_size=16, seed=3, steps=8)
    before = {path: path.read_bytes() for path in six.rglob("*") if path.is_file()}
    code, _, errors = run_here("train", "--resume", "1", cwd=tmp_path)
    assert code == 2
    for line in ("batch_size: 8 -> 16", "seed: 0 -> 3", "optimizers.generator.learning_rate: 0.001 -> 0.5"):
        assert line in errors
    assert "steps" not in errors.split("What differs")[1] and "Put recipe.json and the data back" in errors
    assert {path: path.read_bytes() for path in six.rglob("*") if path.is_file()} == before
    # More steps are no other experiment.
    change_recipe(six, batch_size=8, seed=0, steps=8)
    code, _, errors = run_here("train", "--resume", "1", "--doctor", "off", cwd=tmp_path)
    assert code == 0, errors
    assert kg.load_run(six).steps_taken == 8


@pytest.mark.parametrize("text", ["[]", "null", "", "{", "{}", '{"steps": "many"}', "[" * 100_000])
def test_a_run_whose_recipe_is_damaged_goes_on_from_what_its_checkpoint_notes(text, six, tmp_path):
    before = (six / "recipe.json").read_text()
    (six / "recipe.json").write_text(text)
    code, output, errors = run_here("train", "--resume", "auto", "--steps", "7", "--doctor", "off", cwd=tmp_path)
    assert code == 0 and "going on from step 6" in unwrapped(output), errors
    said = unwrapped(errors)
    assert (
        said.count("Damaged:") == 1 and "recipe.json" in said and "step-00000006.keras was saved with was taken" in said
    )
    assert json.loads((six / "recipe.json").read_text()) == {**json.loads(before), "steps": 7}


def test_a_damaged_recipe_without_a_checkpoint_that_notes_one_is_an_error(six, tmp_path):
    (six / "recipe.json").write_text("[]")
    for path in (six / "checkpoints").iterdir():
        path.write_bytes(b"rubbish")
    code, _, errors = run_here("train", "--resume", "auto", cwd=tmp_path)
    assert code == 2 and "does not hold a recipe" in unwrapped(errors)
    # With a recipe named there is something to begin.
    code, output, errors = run_here("train", "gan", "--resume", "auto", "--dry-run", cwd=tmp_path)
    assert code == 0 and "does not hold a recipe" in unwrapped(output) and "So a new run begins" in unwrapped(output)


@pytest.mark.parametrize("change", ["half of them deleted", "one changed", "two swapped"])
def test_a_run_does_not_go_on_with_other_data(change, pictures, tmp_path):
    folder = shutil.copytree(pictures, tmp_path / "pictures")
    run = training.train(small_recipe(folder, 2), root=tmp_path / "runs", doctor="off").run
    files = sorted(folder.iterdir())
    if change == "half of them deleted":
        for path in files[::2]:
            path.unlink()
    elif change == "one changed":
        Image.new("L", (8, 8)).save(files[17])
    else:
        files[3].rename(folder / "a.png")
    expected = "data: image.rows: 70 -> 38" if "half" in change else "data: image.content: '"
    with pytest.raises(UserError, match=expected):
        training.train(small_recipe(folder, 4), run=run, doctor="off")


def test_a_fingerprint_reads_all_that_is_small_and_a_sample_of_what_is_large(monkeypatch):
    values = np.zeros((5000, 2), "float32")
    first = kg.data.fingerprint(kg.data.Source.of({"point": values}))
    assert first["point.rows"] == 5000 and first["point.kind"] == "points of 2"
    changed = values.copy()
    changed[2501] = 1.0
    assert kg.data.fingerprint(kg.data.Source.of({"point": changed})) != first
    monkeypatch.setattr("keras_gans.data.fingerprinting._WHOLE_BYTES", 1000)
    last = values.copy()
    last[-1] = 1.0
    small, other = (kg.data.fingerprint(kg.data.Source.of({"point": each})) for each in (values, last))
    assert small != other
    names = [kg.data.fingerprint(kg.data.Source.of({"a": ["x", "y", each]}))["a.content"] for each in "zw"]
    assert names[0] != names[1]


# What a run leaves behind all the same --------------------------------------------------------------------------------


class Killed(BaseException):
    """Ends a process where it stands: nothing that a run does on its way out happens."""


def kill_at(step, monkeypatch):
    """Has the run end, as by a kill, once it has written the curves of a step."""
    append = kg.callbacks.metrics_file.MetricsFile.append

    def dying(self, at, *rest):
        append(self, at, *rest)
        if at == step:
            raise Killed

    monkeypatch.setattr(kg.callbacks.metrics_file.MetricsFile, "append", dying)


def interrupt_at(step, monkeypatch):
    """Has SIGTERM arrive in the step before."""
    after_step = training.Interruption.on_train_batch_end

    def interrupted(self, batch, logs=None):
        if self.model.steps_taken == step:
            self._note(signal.SIGTERM, None)
        after_step(self, batch, logs)

    monkeypatch.setattr(training.Interruption, "on_train_batch_end", interrupted)


# Seconds and rates are of the clock.
OF_TIME = ("seconds", "steps_per_second", "samples_per_second", "peak_gigabytes")


def record(run):
    """Everything in a run directory, times aside: {what: its content}."""
    found = {}
    for path in sorted(run.rglob("*")):
        name = str(path.relative_to(run))
        if path.is_file() and path.suffix == ".keras":
            model = run_directory.load_checkpoint(path)
            found[name] = {key: value.tolist() for key, value in weights(model).items()}
        elif path.suffix == ".jsonl":
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            found[name] = [{key: value for key, value in line.items() if key not in OF_TIME} for line in lines]
        elif path.is_file() and not path.name.startswith("events.out") and path.name != "environment.json":
            found[name] = path.read_bytes()
    for tag, points in events(run).items():
        if not tag.endswith(OF_TIME) and "hparams" not in tag:
            found[tag] = sorted((step, str(value.tolist())) for step, value in points)
    return found


@pytest.fixture(scope="module")
def undisturbed(pictures, tmp_path_factory):
    """The record of ten steps without a disturbance, a checkpoint after every third and a look after every step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_looks_every", lambda recipe: 3)
        run = training.train(ten_steps(pictures), root=tmp_path_factory.mktemp("undisturbed")).run
    return record(run)


def ten_steps(pictures):
    return small_recipe(pictures, 10, checkpoint_every=3, log_every=4, picture_every=2)


@pytest.mark.parametrize("disturbances", [[(kill_at, 4)], [(interrupt_at, 5)], [(interrupt_at, 4), (kill_at, 8)]])
def test_after_any_end_a_run_leaves_what_the_undisturbed_one_leaves(
    disturbances, undisturbed, pictures, tmp_path, monkeypatch
):
    monkeypatch.setattr(training, "_looks_every", lambda recipe: 3)
    run = None
    for disturb, step in disturbances:
        with monkeypatch.context() as patch:
            disturb(step, patch)
            with contextlib.suppress(Killed):
                training.train(ten_steps(pictures), root=tmp_path, run=run)
        run = next(path for path in tmp_path.iterdir())
        # What a killed process was writing, in a container where the next one has its number.
        (run / "checkpoints" / f".{os.getpid()}.partial.step-00000009.keras").write_bytes(b"half")
    training.train(ten_steps(pictures), run=run)
    found, expected = record(run), dict(undisturbed)
    assert found.keys() == expected.keys()
    for what, content in expected.items():
        assert found[what] == content, what


# What a run that goes on keeps ------------------------------------------------------------------------------------


def test_a_record_keeps_the_step_that_a_run_goes_on_from_and_no_later_one(tmp_path):
    file = MetricsFile(tmp_path / "metrics.jsonl")
    for step in (1, 2, 3):
        file.append(step, 0.0, {})
    file.drop_after(2)
    assert [json.loads(line)["step"] for line in file.path.read_text().splitlines()] == [1, 2]


def test_event_files_keep_the_step_that_a_run_goes_on_from_and_no_later_one(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default():
        for step in (1, 2, 3, 4):
            tf.summary.scalar("curve", float(step), step=step)
    writer.close()
    event_files.drop_after(tmp_path, 2)
    assert [step for step, _ in events(tmp_path)["curve"]] == [1, 2]


@pytest.mark.parametrize(
    ("schedule", "said"), [("constant", "--steps 12 goes on"), ("linear", "a longer run is a new one")]
)
def test_a_finished_run_says_how_a_longer_one_is_made(schedule, said, pictures, tmp_path):
    recipe = dataclasses.replace(small_recipe(pictures, 6), learning_rate_schedule=schedule)
    run = training.train(recipe, root=tmp_path, doctor="off").run
    with pytest.raises(UserError, match=f"has taken 6 of 6 steps already; .*{said}"):
        training.train(recipe, run=run, doctor="off")


@pytest.mark.parametrize(("schedule", "may"), [("constant", True), ("linear", False), ("cosine", False)])
def test_more_steps_are_another_recipe_where_the_rate_depends_on_them(schedule, may, tmp_path):
    recipe = recipes.named("gan").replace(learning_rate_schedule=schedule, steps=100)
    new_run.write_recipe(tmp_path, recipe)
    with contextlib.nullcontext() if may else pytest.raises(UserError, match="steps: 100 -> 200\nIts learning rate"):
        check_resumable(tmp_path, recipe.replace(steps=200))
    check_resumable(tmp_path, recipe)


# Too little for the doctor --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["stop", "roll-back"])
def test_a_doctor_that_is_to_act_needs_enough_to_judge_by(mode, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (63, 8, 8, 3), "uint8")
    for index, pixels in enumerate(images):
        Image.fromarray(pixels).save(tmp_path / f"{index:03d}.png")
    recipe = small_recipe(tmp_path, 2).replace(hold_out=0, batch_size=8)
    with pytest.raises(UserError, match=f"judges by 64 rows and more, and there are 63 .* leave --doctor {mode} out"):
        training.train(recipe, root=tmp_path / "runs", doctor=mode)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("count", "is_said"), [(63, True), (64, False)])
def test_a_run_that_no_doctor_watches_says_so(count, is_said, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), "uint8")
    for index, pixels in enumerate(images):
        Image.fromarray(pixels).save(tmp_path / f"{index:03d}.png")
    recipe = small_recipe(tmp_path, 2).replace(hold_out=0, batch_size=8)
    console = Console(width=200, file=io.StringIO())
    run = training.train(recipe, root=tmp_path / "runs", console=console).run
    assert ("No doctor watches this run: it judges by 64 rows" in console.file.getvalue()) == is_said
    assert (run / "doctor.jsonl").exists() != is_said
