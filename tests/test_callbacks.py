"""Pictures, curves and checkpoints, counted in the model's own steps."""

import io
import json
import os
import re

import numpy as np
import pytest
import tensorflow as tf
import typer.testing
from PIL import Image
from rich.console import Console

import keras_gans as kg
from keras_gans.errors import UserError
from keras_gans.training import cli
from keras_gans.training import recipe as recipes
from tests.small import BATCH, images, small_model


def fit(model, steps, callbacks, epochs=1):
    values = tf.data.Dataset.from_tensor_slices(images(64)).repeat().batch(BATCH, drop_remainder=True)
    model.fit(values, steps_per_epoch=steps, epochs=epochs, verbose=0, callbacks=callbacks)


def events(directory):
    """{tag: [(step, value)]} of everything in the event files."""
    found = {}
    for path in sorted(directory.glob("events*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, tf.make_ndarray(value.tensor)))
    return found


class Recorder(kg.callbacks.EveryNSteps):
    def on_step(self, step, logs):
        self.__dict__.setdefault("calls", []).append(step)


@pytest.mark.parametrize(
    ("every", "expected"), [(3, [3, 6, 7]), (7, [7]), (100, [7]), (None, [7])], ids=lambda value: str(value)
)
def test_calls_come_every_so_many_steps_and_at_the_end(every, expected):
    recorder = Recorder(every)
    fit(small_model("gan"), 7, [recorder])
    assert recorder.calls == expected


def test_counting_goes_on_over_epochs_and_over_fits():
    model, recorder = small_model("gan"), Recorder(4)
    fit(model, 3, [recorder], epochs=3)
    assert recorder.calls == [4, 8, 9]
    fit(model, 3, [recorder])
    assert recorder.calls == [4, 8, 9, 12]


def test_counting_survives_several_steps_an_execution():
    model, recorder = small_model("gan"), Recorder(4)
    model.compile(steps_per_execution=3)
    fit(model, 9, [recorder])
    assert recorder.calls == [6, 9] and int(model.step) == 9


def test_originals_stand_above_their_reconstructions(tmp_path, monkeypatch):
    model = small_model("autoencoder")
    # Pictures of one grey each, and copies in black.
    real = np.repeat(np.arange(100, 164, dtype="uint8"), 64).reshape(64, 8, 8, 1)
    monkeypatch.setattr(model, "reconstruct", lambda pictures: -np.ones(pictures.shape, "float32"))
    fit(model, 2, [kg.callbacks.ImageGrid(tmp_path, every=2, count=32, real=real)])
    drawn = np.asarray(Image.open(tmp_path / "samples" / "reconstructions-00000002.png"))
    cell = drawn.shape[0] / 4
    middles = [[drawn[int((row + 0.5) * cell), int((column + 0.5) * cell)] for column in range(8)] for row in range(4)]
    np.testing.assert_array_equal(middles, [range(100, 108), [0] * 8, range(108, 116), [0] * 8])
    assert "1 images/reconstructions" in events(tmp_path)


def test_the_image_grid_of_the_readme(tmp_path):
    model = small_model("gan")
    grid = kg.callbacks.ImageGrid(tmp_path, every=2, count=9, real=images(20))
    fit(model, 4, [grid])
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [
        "real.png",
        "step-00000002.png",
        "step-00000004.png",
    ]
    assert grid.latest == tmp_path / "samples" / "step-00000004.png"
    found = events(tmp_path)
    assert [step for step, _ in found["1 images/samples"]] == [2, 4] and [
        step for step, _ in found["1 images/real"]
    ] == [0]
    drawn = kg.picture.draw(model.sample(9))
    np.testing.assert_array_equal(np.asarray(Image.open(grid.latest)), drawn[..., 0])


def test_real_samples_may_be_a_dataset(tmp_path):
    real = tf.data.Dataset.from_tensor_slices(images(32)).batch(8)
    fit(small_model("gan"), 1, [kg.callbacks.ImageGrid(tmp_path, count=16, real=real)])
    expected = kg.picture.draw(kg.pixels.to_uint8(images(32)[:16]).numpy())
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "samples" / "real.png")), expected[..., 0])


def test_curves_reach_tensorboard_and_the_metrics_file(tmp_path):
    model = small_model("wgan_gp")
    curves = kg.callbacks.Curves(tmp_path, every=2, metrics_file=tmp_path / "metrics.jsonl")
    values = tf.data.Dataset.from_tensor_slices(images(64)).repeat().batch(BATCH, drop_remainder=True)
    model.fit(values, steps_per_epoch=5, verbose=0, callbacks=[curves])
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 5]
    expected = {"discriminator_loss", "generator_loss", "wasserstein_estimate", "gradient_penalty"}
    expected |= {"discriminator_gradient_norm", "generator_gradient_norm", "steps_per_second", "peak_gigabytes"}
    assert set(lines[0]) == expected | {"step", "seconds"}
    found = events(tmp_path)
    assert {name.split("/")[1] for name in found} == expected
    assert "4 losses/generator_loss" in found and "7 gradient norms/generator_gradient_norm" in found
    for line, (step, value) in zip(lines, found["5 scheme/wasserstein_estimate"], strict=True):
        assert (step, float(value)) == (line["step"], pytest.approx(line["wasserstein_estimate"]))


def test_a_point_is_the_mean_since_the_last_point(tmp_path):
    each, pairs = (tmp_path / name for name in ("each", "pairs"))
    for directory, every in ((each, 1), (pairs, 2)):
        fit(small_model("gan"), 4, [kg.callbacks.Curves(directory, every=every)])
    single = [float(value) for _, value in events(each)["4 losses/generator_loss"]]
    double = [float(value) for _, value in events(pairs)["4 losses/generator_loss"]]
    assert double == pytest.approx([sum(single[:2]) / 2, sum(single[2:]) / 2], rel=1e-5)
    assert single[0] != pytest.approx(single[3])


def test_a_resumed_runs_metrics_file_repeats_no_step(tmp_path):
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 2, "a": 1}\n{"step": 9, "a": 1}\n{"step": 12, "a"')
    model = small_model("gan")
    model.step.assign(4)
    fit(model, 2, [kg.callbacks.Curves(tmp_path, every=1, metrics_file=file)])
    assert [json.loads(line)["step"] for line in file.read_text().splitlines()] == [2, 5, 6]


def test_speed_and_memory_are_curves(tmp_path):
    file = tmp_path / "metrics.jsonl"
    fit(small_model("gan"), 4, [kg.callbacks.Curves(tmp_path, every=2, metrics_file=file, samples_per_step=BATCH)])
    for line in map(json.loads, file.read_text().splitlines()):
        assert line["samples_per_second"] == pytest.approx(BATCH * line["steps_per_second"])
        # TensorFlow alone takes a few hundred megabytes; no machine has a terabyte to spare for this.
        assert 0.1 < line["peak_gigabytes"] < 1000.0
    assert {"8 speed/samples_per_second", "8 speed/peak_gigabytes"} <= set(events(tmp_path))


@pytest.mark.parametrize("steps", [3, 5, 20], ids=["too few", "cut short", "whole"])
def test_a_profile_records_some_steps_and_ends(steps, tmp_path):
    fit(small_model("gan"), steps, [kg.callbacks.Profile(tmp_path, skip=4, steps=3)])
    recorded = list(tmp_path.rglob("plugins/profile/*/*.xplane.pb"))
    assert len(recorded) == (steps > 4)
    # However many steps an execution has.
    model = small_model("gan")
    model.compile(steps_per_execution=3)
    fit(model, 9, [kg.callbacks.Profile(tmp_path / "several", skip=4, steps=2)])
    assert len(list((tmp_path / "several").rglob("*.xplane.pb"))) == 1
    # A profile that had not ended would keep another from beginning.
    tf.profiler.experimental.start(str(tmp_path / "next"))
    tf.profiler.experimental.stop()


def test_the_newest_checkpoints_are_kept(tmp_path):
    fit(small_model("gan"), 5, [kg.callbacks.Checkpoint(tmp_path, every=1, keep=2)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000004.keras", "step-00000005.keras"]


def test_a_failed_save_leaves_the_old_checkpoint_and_no_rubbish(tmp_path, monkeypatch):
    model, checkpoint = small_model("gan"), kg.callbacks.Checkpoint(tmp_path, every=1)
    path = checkpoint.save(model)
    before = path.read_bytes()

    def full_disk(path, *args, **kwargs):
        path.write_bytes(before[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model, "save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(model)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name] and path.read_bytes() == before


def test_what_a_killed_process_was_saving_is_cleared(tmp_path):
    # Linux gives out numbers below 4194304, in turn: the highest is free unless millions of processes have run.
    dead, alive = tmp_path / ".4194303.partial.step-00000001.keras", tmp_path / f".{os.getpid()}.partial.other.keras"
    for path in (dead, alive):
        path.write_bytes(b"half")
    fit(small_model("gan"), 1, [kg.callbacks.Checkpoint(tmp_path, every=1)])
    assert not dead.exists() and alive.exists()


def test_bad_intervals_are_refused():
    with pytest.raises(UserError, match="every must be 1 or more.*Received: 0"):
        kg.callbacks.Curves("logs", every=0)
    with pytest.raises(UserError, match="keep must be 1 or more"):
        kg.callbacks.Checkpoint("logs", keep=0)


def test_keras_tensorboard_callback_works_too(tmp_path):
    import keras

    fit(small_model("gan"), 2, [keras.callbacks.TensorBoard(tmp_path, update_freq=1)])
    assert list(tmp_path.rglob("events*"))


def test_what_never_began_can_be_closed():
    import signal

    from keras_gans.training.interruption import Interruption

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    kg.callbacks.Progress(steps=3).close()
    Interruption().restore()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_interruption_gives_the_signals_back():
    import signal

    from keras_gans.training.interruption import Interruption

    before = signal.getsignal(signal.SIGINT)
    model, interruption = small_model("gan"), Interruption()
    stop = kg.callbacks.EveryNSteps(every=2)
    stop.on_step = lambda step, logs: signal.raise_signal(signal.SIGINT)
    fit(model, 5, [stop, interruption])
    assert model.steps_taken == 2 and interruption.signal == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("width", [80, 120])
def test_the_progress_line_keeps_count_bar_and_time_left_on_a_narrow_terminal(width):
    console = Console(width=width, force_terminal=True, file=io.StringIO())
    progress = kg.callbacks.Progress(3000, 1, console)
    progress.set_model(small_model("dcgan"))
    progress.on_train_begin()
    progress.on_step(1500, {"discriminator_loss": 1.25, "generator_loss": 0.75})
    progress.close()
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue()).replace("\r", "\n").splitlines()
    last = next(line for line in reversed(lines) if "1500" in line)
    assert last.startswith("step 1500/3000 ━") and re.search(r"(\d+:)+\d\d$|-:--:--$", last.rstrip())
    # Nothing is cut: what does not fit whole is left out.
    assert len(last) <= width and "losses: discriminator 1.250, generator 0.750" in last and "…" not in last
    assert ("steps/s" in last) == (width == 120)


def test_of_many_losses_a_narrow_terminal_shows_the_first_ones_whole():
    console = Console(width=64, force_terminal=True, file=io.StringIO())
    progress = kg.callbacks.Progress(3000, 1, console)
    progress.set_model(small_model("dcgan"))
    progress.on_train_begin()
    progress.on_step(1500, {"discriminator_loss": 1.25, "generator_loss": 0.75})
    progress.close()
    shown = console.file.getvalue().split("first step ...")[-1]
    assert "losses: discriminator 1.250" in shown and "generator" not in shown and "…" not in shown


@pytest.mark.parametrize("columns", ["20", "40"])
def test_a_terminal_that_is_too_narrow_is_no_traceback(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    result = typer.testing.CliRunner().invoke(cli.app, ["list"], catch_exceptions=False)
    assert result.exit_code == 0 and "dcgan" in result.output


def test_the_list_fits_a_narrow_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = typer.testing.CliRunner().invoke(cli.app, ["list"])
    lines = result.output.splitlines()
    names = recipes.all_names()
    assert result.exit_code == 0 and max(map(len, lines)) <= 80
    # Each recipe stands in a line of its own, its name whole; and what people come with before them.
    starts = [line.split()[0] for line in lines if line.strip()]
    assert [start for start in starts if start in names] == names, result.output
    assert lines.index(next(line for line in lines if "your own images" in line)) < starts.index(names[0])
    assert len(lines) < len(names) + 25
    # What does not fit is left out by whole words.
    cut = [line.rstrip() for line in lines if "…" in line]
    assert cut and all(line.endswith(" …") for line in cut), cut
