import errno
import json
import os
import shutil
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.metadata import EXPERIMENT_TAG, SESSION_START_INFO_TAG
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from keras_gans import networks, schemes
from keras_gans.errors import UserError
from keras_gans.runs import run_directory
from keras_gans.training import going_on, new_run
from keras_gans.training.recipe import named


def make_run(root, name):
    run = root / name
    (run / "checkpoints").mkdir(parents=True)
    (run / "recipe.json").write_text(json.dumps({"scheme": name.split("-")[1]}))
    return run


@pytest.fixture
def root(tmp_path):
    for name in ("00003-gan-digits", "00007-wgan_gp-digits", "00010-wgan_gp-ring"):
        make_run(tmp_path / "runs", name)
    return tmp_path / "runs"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A checkpoint of step 30 with optimizer state, and the model."""
    model = schemes.VanillaGAN(networks.mlp_generator((2,), latent_dim=4), networks.mlp_discriminator((2,)))
    model.compile()
    model.fit(np.zeros((4, 2), "float32"), batch_size=4, epochs=1, verbose=0)
    model.step.assign(30)
    path = tmp_path_factory.mktemp("checkpoint") / "whole.keras"
    model.save(path)
    return path, model


@pytest.mark.parametrize("run", ["7", "00007", 7, "00007-wgan_gp-digits"])
def test_a_run_is_found_by_number_or_name(root, run):
    assert run_directory.resolve(run, root) == root / "00007-wgan_gp-digits"


def test_a_run_is_found_by_path_wherever_it_is(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_directory.resolve("runs/00003-gan-digits", "elsewhere").samefile(root / "00003-gan-digits")
    assert run_directory.resolve(root / "00003-gan-digits") == root / "00003-gan-digits"


def test_a_run_whose_name_is_a_number_is_found_where_no_run_has_that_number(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(root / "00003-gan-digits", tmp_path / "12")
    assert run_directory.resolve("12", root).samefile(tmp_path / "12")
    assert run_directory.resolve("7", root) == root / "00007-wgan_gp-digits"


def test_runs_that_begin_at_once_have_numbers_of_their_own(tmp_path):
    chosen = [named(name) for name in ("gan", "dcgan", "wgan_gp", "lsgan_mlp")]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda place: new_run.create(chosen[place % 4], tmp_path), range(40)))
    assert sorted(int(run.name[:5]) for run in made) == list(range(1, 41))


def test_latest_is_the_highest_number_that_is_a_run(root):
    (root / "00011-gan-digits").mkdir()
    (root / "notes").mkdir()
    assert run_directory.resolve("latest", root) == root / "00010-wgan_gp-ring"


def test_latest_is_no_run_that_did_not_begin(root, tmp_path):
    for name in ("00010-wgan_gp-ring", "00007-wgan_gp-digits"):
        (root / name / run_directory.NOT_BEGUN).touch()
    assert run_directory.resolve("latest", root) == root / "00003-gan-digits"
    assert run_directory.resolve("10", root) == root / "00010-wgan_gp-ring"
    (root / "00003-gan-digits" / run_directory.NOT_BEGUN).touch()
    with pytest.raises(UserError, match="none has taken a training step"):
        run_directory.resolve("latest", root)


def test_an_unknown_run_names_the_nearest(root, tmp_path):
    with pytest.raises(UserError, match="Did you mean '00007-wgan_gp-digits'"):
        run_directory.resolve("00007-wgan-digits", root)
    with pytest.raises(UserError, match="latest are 00003-gan-digits, 00007-wgan_gp-digits, 00010-wgan_gp-ring"):
        run_directory.resolve("99", root)
    with pytest.raises(UserError, match="holds no runs"):
        run_directory.resolve("latest", tmp_path / "nothing")
    with pytest.raises(UserError, match="is not a run directory"):
        run_directory.resolve(str(tmp_path), root)


def test_one_number_for_two_runs_is_refused(root):
    make_run(root, "00007-gan-ring")
    with pytest.raises(UserError, match="ambiguous.*00007-gan-ring, 00007-wgan_gp-digits"):
        run_directory.resolve("7", root)


def test_the_latest_checkpoint_has_the_highest_step(root):
    folder = root / "00007-wgan_gp-digits" / "checkpoints"
    # By text, 9 comes last; the temporary file of a trainer that was killed counts for nothing.
    for name in ("step-9.keras", "step-00000100.keras", "step-123456789.keras", "step-999999999.keras.tmp"):
        (folder / name).touch()
    assert run_directory.latest_checkpoint(folder.parent).name == "step-123456789.keras"
    assert run_directory.step_of(folder / "step-00000100.keras") == 100


def test_a_run_without_a_checkpoint_says_so(root):
    with pytest.raises(UserError, match="has no checkpoint yet"):
        run_directory.load_run("7", root)


def test_a_recipe_is_read_or_its_absence_explained(root):
    assert run_directory.read_recipe(root / "00003-gan-digits") == {"scheme": "gan"}
    (root / "00003-gan-digits" / "recipe.json").write_text("{")
    with pytest.raises(UserError, match="not valid JSON"):
        run_directory.read_recipe(root / "00003-gan-digits")
    (root / "00003-gan-digits" / "recipe.json").write_text('["gan"]')
    with pytest.raises(UserError, match=r"does not hold a recipe.*object of JSON. Received: \['gan'\]"):
        run_directory.read_recipe(root / "00003-gan-digits")
    with pytest.raises(UserError, match="no recipe.json"):
        run_directory.read_recipe(root)


def test_a_loaded_run_is_the_compiled_model_with_its_optimizers(root, checkpoint):
    path, model = checkpoint
    shutil.copy(path, root / "00007-wgan_gp-digits" / "checkpoints" / "step-00000030.keras")
    loaded = run_directory.load_run("7", root)
    assert int(loaded.step) == 30
    np.testing.assert_array_equal(loaded.sample(3), model.sample(3))
    for player, optimizer in model.optimizers.items():
        for kept, before in zip(loaded.optimizers[player].variables, optimizer.variables, strict=True):
            np.testing.assert_array_equal(kept, before)


def test_a_chosen_checkpoint_is_that_one_or_said_to_be_damaged(root, checkpoint, monkeypatch):
    path, _ = checkpoint
    run, imported = root / "00007-wgan_gp-digits", []
    for step in (20, 30):
        shutil.copy(path, run / "checkpoints" / f"step-{step:08d}.keras")
    (run / "checkpoints" / "step-00000040.keras").write_bytes(path.read_bytes()[:-200])
    # What a checkpoint is made of may be registered by the module that its recipe comes from.
    monkeypatch.setattr(run_directory, "import_own_module", imported.append)
    assert run_directory.load_chosen(run, "20").steps_taken == 30 and imported == [run]
    with pytest.raises(UserError, match=r"step-00000040.keras is damaged. Take another checkpoint.$"):
        run_directory.load_chosen(run, "40")


def test_the_last_of_several_checkpoints_is_named(root):
    run = root / "00007-wgan_gp-digits"
    assert going_on.last_checkpoint(run) == "There is no checkpoint yet."
    for step in (10, 20, 30):
        (run / "checkpoints" / f"step-{step:08d}.keras").touch()
    assert going_on.last_checkpoint(run) == f"The last checkpoint is {run}/checkpoints/step-00000030.keras."


def test_a_run_has_begun_once_it_has_taken_a_step(tmp_path):
    recipe = named("gan_ring")
    runs = [new_run.create(recipe, tmp_path / "new" / "runs") for _ in range(2)]
    assert [run.name for run in runs] == ["00001-gan_ring-wide", "00002-gan_ring-wide"]
    with pytest.raises(UserError, match="none has taken a training step"):
        run_directory.resolve("latest", tmp_path / "new" / "runs")
    begin = new_run.Begin(runs[0])
    for batch in (0, 1):
        begin.on_train_batch_end(batch)
        assert run_directory.resolve("latest", tmp_path / "new" / "runs") == runs[0]
    assert going_on.recipe_of(runs[0]) == recipe


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(root, checkpoint, damage):
    path, _ = checkpoint
    folder = root / "00007-wgan_gp-digits" / "checkpoints"
    shutil.copy(path, folder / "step-00000030.keras")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged = {"truncated": path.read_bytes()[:-200], "flipped": bytes(content), "empty": b""}[damage]
    (folder / "step-00000040.keras").write_bytes(damaged)
    with pytest.warns(UserWarning, match="step-00000040.keras is damaged"):
        assert int(run_directory.load_run("7", root).step) == 30

    (folder / "step-00000030.keras").unlink()
    with pytest.warns(UserWarning), pytest.raises(UserError, match="no checkpoint that can be read"):
        run_directory.load_run("7", root)


def test_a_checkpoint_of_unknown_classes_is_explained(root):
    @keras.saving.register_keras_serializable(package="elsewhere")
    class Own(keras.layers.Layer):
        def call(self, inputs):
            return inputs

    inputs = keras.Input((2,))
    path = root / "00007-wgan_gp-digits" / "checkpoints" / "step-00000001.keras"
    keras.Model(inputs, Own()(inputs)).save(path)
    del keras.saving.get_custom_objects()["elsewhere>Own"]
    with pytest.raises(UserError, match="does not load: Could not locate class 'Own'.*import") as raised:
        run_directory.load_run("7", root)
    assert len(str(raised.value)) < 600


def test_a_checkpoint_that_there_is_no_room_to_unpack_is_not_called_damaged(root, checkpoint, monkeypatch):
    path, _ = checkpoint
    shutil.copy(path, root / "00007-wgan_gp-digits" / "checkpoints" / "step-00000030.keras")

    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(keras.saving, "load_model", full)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(OSError, match="step-00000030.keras could not be loaded.*No space left.*set TMPDIR"):
            run_directory.load_run("7", root)


def test_the_module_imports_without_tensorflow_and_loads_every_class_without_starting_it(root, checkpoint):
    path, _ = checkpoint
    shutil.copy(path, root / "00007-wgan_gp-digits" / "checkpoints" / "step-00000030.keras")
    code = (
        "import sys; from keras_gans.runs import run_directory; assert 'tensorflow' not in sys.modules, 'slow';"
        # Who starts TensorFlow fixes its devices, and no process may be forked any more.
        "import keras_gans.schemes, keras_gans.networks, keras_gans.layers;"
        "from tensorflow.python.eager import context;"
        "assert context.context()._context_handle is None, 'importing started TensorFlow';"
        f"assert int(run_directory.load_run({str(root / '00007-wgan_gp-digits')!r}).step) == 30"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})


def test_tensorboards_table_of_runs_has_the_runs_name_and_the_figures_that_matter(tmp_path):
    recipe = named("dcgan").replace(seed=7, batch_size=48)
    new_run.write_to_tensorboard(tmp_path, "00003-dcgan-digits", recipe, ("discriminator", "generator"))
    metadata = EventAccumulator(str(tmp_path)).Reload().SummaryMetadata
    tags = SESSION_START_INFO_TAG, EXPERIMENT_TAG
    started, table = (HParamsPluginData.FromString(metadata(tag).plugin_data.content) for tag in tags)
    assert started.session_start_info.group_name == "00003-dcgan-digits"
    settings = started.session_start_info.hparams
    assert settings["name"].string_value == "dcgan" and settings["batch_size"].number_value == 48
    assert set(settings) <= {column.name for column in table.experiment.hparam_infos}
    shown = [column.display_name for column in table.experiment.metric_infos]
    assert shown[:4] == ["Fréchet distance", "coverage", "discriminator's loss", "generator's loss"]
