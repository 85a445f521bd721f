"""Presets: each scheme has one, they load safely and everywhere, and travel over the Hub."""

import dataclasses
import json
import resource
import shutil
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

import keras_gans as kg
from keras_gans import registry
from keras_gans.errors import UserError
from keras_gans.export.report import task_of
from keras_gans.presets import loading, make, storing, weights
from keras_gans.presets.zoo import PRESETS
from keras_gans.runs import published, run_directory
from keras_gans.training.recipe import flatten
from tests.hub import TOKEN, standing_in
from tests.test_training_cli import run, run_here, unwrapped

NAMES = list(published.packaged())
LARGEST, IN_ALL = 1_000_000, 12_000_000
POINTS = "wgan_gp_ring"


@pytest.fixture
def preset(tmp_path):
    """A copy of a preset's folder, to spoil."""
    return shutil.copytree(published.packaged_folder(POINTS), tmp_path / POINTS)


def sealed(folder, **changes):
    """The folder once its description, changed, has the right hashes: what somebody would send who means harm."""
    described = json.loads((folder / published.DESCRIPTION).read_text()) | changes
    for name in described["files"]:
        path = folder / name
        described["files"][name] = {"bytes": path.stat().st_size, "sha256": published.sha256_of(path)}
    described["sha256"] = published.digest_of(described)
    (folder / published.DESCRIPTION).write_text(json.dumps(described))
    return folder


def with_recipe(folder, **changes):
    """The same with another recipe."""
    path = folder / published.RECIPE
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return sealed(folder)


def refusal(folder):
    """What is said of a folder that is not loaded, in one line."""
    with pytest.raises(UserError) as error:
        loading.load_folder(folder)
    assert "\n" not in str(error.value) and len(str(error.value)) < 600
    return str(error.value)


# What comes along ---------------------------------------------------------------------------------------------------


def test_every_scheme_has_a_preset():
    made = {published.described(folder)["scheme"] for folder in published.packaged().values()}
    # Tests register schemes of their own.
    own = {name for name, scheme in registry.schemes.items() if scheme.__module__.startswith("keras_gans.")}
    assert made == own
    assert set(NAMES) == set(PRESETS)


def test_they_are_small():
    sizes = {name: (folder / published.MODEL).stat().st_size for name, folder in published.packaged().items()}
    assert max(sizes.values()) <= LARGEST, sizes
    assert sum(path.stat().st_size for folder in published.packaged().values() for path in folder.iterdir()) <= IN_ALL


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_what_its_recipe_makes_today(name):
    folder = published.packaged_folder(name)
    described = published.check(folder)
    assert make.is_made_of(folder, PRESETS[name].trained()), f"run: python -m keras_gans.presets.make {name}"
    assert described["draws"] == PRESETS[name].draws and described["step"] == PRESETS[name].trained().steps
    card = (folder / "README.md").read_text(encoding="utf-8")
    for needed in ("license: ", "licence: ", "float16", "differs from float32", "of the data itself", "presets.make"):
        assert needed in card or needed == "differs from float32" and "as by float32" in card, needed
    assert "licence: not known" not in card


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_makes_what_it_made(name):
    model = kg.load_preset(name)
    described = published.described(published.packaged_folder(name))
    assert model.steps_taken == described["step"]
    found = storing.probe(model)
    if "texts" in found:
        assert found == described["probe"]
    else:
        # Processors round differently.
        scale = max(described["probe"]["deviation"], 1e-3)
        assert {key: value / scale for key, value in found.items()} == pytest.approx(
            {key: value / scale for key, value in described["probe"].items()}, abs=0.01
        )


def test_the_nearest_name_is_offered():
    with pytest.raises(UserError, match="Unknown preset 'dcgan_digit'. Did you mean 'dcgan_digits'"):
        kg.load_preset("dcgan_digit")
    with pytest.raises(UserError, match="Did you mean 'dcgan_digits'"):
        run_directory.resolve("preset:dcgan_digit")


def test_loading_leaves_the_users_seeds_alone():
    np.random.seed(3)
    wanted = np.random.uniform()
    np.random.seed(3)
    kg.load_preset("gan_digits")
    assert np.random.uniform() == wanted


# Damage and harm ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [published.MODEL, published.RECIPE, published.DESCRIPTION])
def test_a_flipped_byte_is_refused(preset, file):
    whole = (preset / file).read_bytes()
    for place in (0, len(whole) // 2, len(whole) - 2):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0x04
        (preset / file).write_bytes(bytes(spoilt))
        with pytest.raises(UserError) as error:
            published.check(preset)
        assert "\n" not in str(error.value) and file in str(error.value)
    (preset / file).write_bytes(whole)
    published.check(preset)


def test_what_is_missing_is_named(preset):
    (preset / published.MODEL).unlink()
    assert "model.safetensors is missing" in refusal(preset)


def test_a_recipe_imports_nothing(preset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text("raise SystemExit('it was imported')")
    assert "names no module to import" in refusal(with_recipe(preset, name="evil:recipe"))
    # Neither do the commands that read the recipe before the model.
    run_directory.import_own_module(preset)


HARMFUL = {"module": "builtins", "class_name": "function", "config": "print", "registered_name": "function"}


@pytest.mark.parametrize("where", ["activation", "hidden_units", "output_activation"])
def test_an_object_of_keras_is_no_option(preset, where):
    recipe = json.loads((preset / published.RECIPE).read_text())
    network = recipe["networks"]["generator"] | {where: [HARMFUL] if where == "hidden_units" else HARMFUL}
    said = refusal(with_recipe(preset, networks={**recipe["networks"], "generator": network}))
    assert "no object with a class_name" in said


@pytest.mark.parametrize(
    "changes",
    [
        {"scheme": {"name": "nothing_known"}},
        {"scheme": 7},
        {"networks": {"generator": "mlp_generator"}},
        {"networks": {"generator": {"name": "os.system"}, "discriminator": {"name": "mlp_discriminator"}}},
        {"optimizers": {"generator": {"name": "evil"}}},
        {"steps": "many"},
        {"further": 1},
    ],
)
def test_recipes_that_make_no_sense_are_refused(preset, changes):
    refusal(with_recipe(preset, **changes))


@pytest.mark.parametrize(
    "fields", [None, [], {"sample": {"kind": "code"}}, {"sample": {"kind": "points", "shape": [10**9]}}, {"sample": 1}]
)
def test_fields_that_make_no_sense_are_refused(preset, fields):
    refusal(sealed(preset, fields=fields))


def test_other_weights_than_the_recipes_are_refused(preset):
    arrays = safetensors.numpy.load_file(preset / published.MODEL)
    first = next(iter(arrays))
    for spoilt in ({**arrays, first: arrays[first][:1]}, {**arrays, "more": np.zeros(1, np.float16)}):
        safetensors.numpy.save_file(spoilt, preset / published.MODEL)
        assert "not those of the networks" in refusal(sealed(preset))
    (preset / published.MODEL).write_bytes(b"\x80\x04\x95pickle" * 10)
    assert "no file of safetensors" in refusal(sealed(preset))


def test_another_format_says_so(preset):
    assert "of format 2" in refusal(sealed(preset, format=2))


def test_a_step_is_a_whole_number_from_0(preset):
    assert published.step_of(sealed(preset, step=0)) == 0
    for step in (-1, 1.0, True, "7", None):
        with pytest.raises(UserError, match="has no step. Received: "):
            published.step_of(sealed(preset, step=step))


def test_a_large_file_of_json_is_left_unread_and_called_no_more_than_that(preset):
    (preset / published.RECIPE).write_bytes(b" " * ((4 << 20) + 1))
    with pytest.raises(UserError, match=r"^\S*recipe.json has 4,194,305 bytes; at most 4,194,304 are read.$"):
        published.read_json(preset / published.RECIPE)


# Storing ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    """The folder of a short run of points."""
    folder = tmp_path_factory.mktemp("small")
    options = ["--set", "generator.hidden_units=[8]", "--set", "discriminator.hidden_units=[8]", "--steps", "25"]
    code, _, errors = run_here("train", "gan_ring", *options, "--doctor", "off", cwd=folder)
    assert code == 0, errors
    return folder / "runs" / "00001-gan_ring-wide"


def test_float32_is_kept_bit_for_bit_and_float16_nearly(small_run, tmp_path):
    model = kg.load_run(small_run)
    storing.store(small_run, tmp_path / "whole", name="whole", half=False)
    np.testing.assert_array_equal(loading.load_folder(tmp_path / "whole").sample(50), model.sample(50))
    described = storing.store(small_run, tmp_path / "half", name="half")
    halved = loading.load_folder(tmp_path / "half")
    change = np.abs(halved.sample(64, seed=0) - model.sample(64, seed=0))
    assert 0 < change.max() < 0.01
    assert described["distance_from_float32"]["largest"] == pytest.approx(change.max(), rel=0.01)
    assert halved.steps_taken == 25
    assert described["weights"]["types"] == ["float16"]


def test_folders_of_this_machine_are_not_passed_on(small_run, tmp_path):
    run_folder = shutil.copytree(small_run, tmp_path / "run")
    score = {
        "name": "wasserstein_1",
        "value": 0.5,
        "standard_error": None,
        "floor": 0.1,
        "floor_samples": 9,
        "higher_is_better": False,
    }
    protocol = {"data": "/home/ada/secret/faces", "split": "test", "samples": 9, "reference_samples": 9, "seed": 0}
    record = {"checkpoint": "latest", "step": 25, "scores": [{**score, "protocol": protocol}]}
    record["against"] = {"run": "/home/ada/secret/runs/1"}
    (run_folder / "evaluation.json").write_text(json.dumps(record))
    storing.store(run_folder, tmp_path / "stored", name="stored")
    for path in (tmp_path / "stored").rglob("*"):
        assert b"secret" not in path.read_bytes(), path.name
    (kept,) = json.loads((tmp_path / "stored" / "evaluation.json").read_text())["scores"]
    assert kept == {**score, "protocol": {**protocol, "data": "faces"}}


def test_numbers_that_float16_cannot_hold_stay_as_they_are():
    class Model:
        """Two networks' worth of weights."""

    model = Model()
    large = kg.networks.mlp_generator((2,), latent_dim=2, hidden_units=[4])
    large.set_weights([np.full_like(each, 1e5) for each in large.get_weights()])
    model.generator, model.discriminator = large, kg.networks.mlp_discriminator((2,), hidden_units=[4])
    stored = weights.weights_of(model, half=True)
    assert {str(each.dtype) for name, each in stored.items() if name.startswith("generator")} == {"float32"}
    assert {str(each.dtype) for name, each in stored.items() if name.startswith("discr")} == {"float16"}
    large.set_weights([np.full_like(each, np.nan) for each in large.get_weights()])
    with pytest.raises(kg.errors.NonFiniteError, match="generator/000"):
        weights.weights_of(model, half=True)


# A preset wherever a run is taken -----------------------------------------------------------------------------------


def test_the_list_fits_a_terminal(tmp_path):
    code, output, _ = run("presets", cwd=tmp_path, COLUMNS="80")
    assert code == 0
    lines = output.splitlines()
    assert len(lines) == len(NAMES) and all(len(line) <= 80 for line in lines)
    for name, line in zip(NAMES, lines, strict=True):
        assert line.startswith(name) and " kB" in line and PRESETS[name].draws[:20] in line


def test_it_is_sampled_by_command(tmp_path):
    code, output, errors = run_here("sample", "preset:gan_digits", "--count", "9", cwd=tmp_path)
    assert code == 0, errors
    drawn = tmp_path / "runs/preset-gan_digits/samples/step-00003000-seed-0.png"
    assert drawn.is_file() and "runs/preset-gan_digits/samples" in unwrapped(output)
    # Among runs it is none: numbers and latest pass it over.
    code, _, errors = run_here("sample", "latest", cwd=tmp_path)
    assert code == 2 and "no runs" in errors


def test_what_translates_shows_data_that_it_was_not_trained_on(tmp_path):
    code, output, errors = run_here("sample", "preset:pix2pix_digits", "--count", "12", cwd=tmp_path)
    assert code == 0, errors
    (drawn,) = (tmp_path / "runs/preset-pix2pix_digits/samples").iterdir()
    assert np.asarray(Image.open(drawn)).std() > 20 and "a_to_b" in output


def test_it_is_walked_and_translates(tmp_path):
    walk = ["latent", "interpolate", f"preset:{POINTS}", "--frames", "4", "--to", "walk.png"]
    code, _, errors = run_here(*walk, cwd=tmp_path)
    assert code == 0 and (tmp_path / "walk.png").is_file(), errors
    code, output, errors = run_here("translate", "preset:adversarial_nmt_numbers", "512", cwd=tmp_path)
    assert code == 0 and output.strip() == "five hundred and twelve", errors


@pytest.mark.slow
def test_it_is_measured_and_exported(tmp_path):
    code, _, errors = run_here("evaluate", f"preset:{POINTS}", "--samples", "500", cwd=tmp_path)
    assert code == 0, errors
    scores = json.loads((tmp_path / f"runs/preset-{POINTS}/evaluation.json").read_text())["scores"]
    assert {score["name"]: score["value"] for score in scores}["modes_covered"] == 8
    code, _, errors = run_here("export", "preset:cgan_digits", "--to", "exported/cgan", cwd=tmp_path)
    assert code == 0, errors
    report = json.loads((tmp_path / "exported/cgan/1/report.json").read_text())
    assert report["scheme"] == "cgan" and report["step"] == 3000 and report["data"]["licence"] == "CC BY 4.0"


def test_no_training_goes_on_from_it(tmp_path):
    code, _, errors = run_here("train", "--resume", "preset:gan_digits", "--steps", "4000", cwd=tmp_path)
    assert code == 2 and "no optimizer's state" in unwrapped(errors) and "keras-gans train gan" in unwrapped(errors)
    code, _, errors = run_here("sample", "preset:", cwd=tmp_path)
    assert code == 2 and "Unknown preset ''" in errors


def test_a_spoilt_copy_is_mended_and_what_was_drawn_stays(tmp_path):
    folder = run_directory.resolve(f"preset:{POINTS}", tmp_path)
    drawn = folder / "samples" / "mine.png"
    drawn.parent.mkdir()
    drawn.write_bytes(b"mine")
    (folder / published.MODEL).write_bytes(b"spoilt")
    with pytest.raises(UserError, match="damaged"):
        run_directory.load_run(folder)
    assert run_directory.resolve(f"preset:{POINTS}", tmp_path) == folder
    assert run_directory.load_run(folder).steps_taken == 1500 and drawn.read_bytes() == b"mine"
    for checkpoint in ("best", "7"):
        with pytest.raises(UserError, match="1500"):
            run_directory.checkpoint_file(folder, checkpoint)


def test_a_damaged_installation_says_what_helps(tmp_path, monkeypatch):
    shutil.copytree(published.packaged_folder(POINTS), tmp_path / "zoo" / POINTS)
    monkeypatch.setattr(published, "_PRESETS", tmp_path / "zoo")
    path = tmp_path / "zoo" / POINTS / published.MODEL
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(UserError, match="Install keras_gans again"):
        run_directory.resolve(f"preset:{POINTS}", tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


# Making -------------------------------------------------------------------------------------------------------------


def test_settings_of_presets_are_settings_of_their_recipes():
    for name, preset in PRESETS.items():
        recipe = preset.trained()
        assert recipe.seed == 0 and not recipe.data.startswith("/"), name
        # These two TensorFlow Datasets downloads by their name.
        known = {*kg.data.names(), "mnist", "fashion_mnist"}
        assert recipe.data in known, f"{name} is of data that are not there for everybody"
        assert set(preset.settings) <= set(flatten(dataclasses.asdict(recipe)["networks"])) | set(
            flatten(dataclasses.asdict(recipe))
        )


def test_one_that_is_there_is_left_as_it_is(tmp_path, monkeypatch):
    def never(*arguments, **options):
        raise AssertionError("it was trained again")

    monkeypatch.setattr("keras_gans.training.train.train", never)
    assert make.make("gan_digits", tmp_path)
    with pytest.raises(UserError, match="Did you mean 'gan_digits'"):
        make.make("gan_digit", tmp_path)


def test_what_is_there_is_measured_anew(tmp_path, monkeypatch):
    folder = shutil.copytree(published.packaged_folder(POINTS), tmp_path / POINTS)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in ("evaluation.json", "README.md", "card.json"):
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8").replace("high_quality", "spoilt"), encoding="utf-8")
    monkeypatch.setattr(make, "ZOO", tmp_path)
    monkeypatch.setattr("sys.argv", ["make", POINTS, "--measure"])
    make.main()
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    figures = {"evaluation.json", "README.md", "card.json"}
    assert {name: after[name] for name in after.keys() - figures} == {n: before[n] for n in before.keys() - figures}
    scores = json.loads(after["evaluation.json"])["scores"]
    assert scores[0]["name"] == json.loads(before["evaluation.json"])["scores"][0]["name"]
    card, told = after["README.md"].decode(), json.loads(after["card.json"])
    for score in scores:
        assert f"| {score['name']} | {score['value']:.4g} |" in card
    metrics = told["metadata"]["model-index"][0]["results"][0]["metrics"]
    assert [(each["name"], each["value"]) for each in metrics] == [(each["name"], each["value"]) for each in scores]
    kept = [line for line in before["README.md"].decode().split("\n") if not line.startswith(("|", "model-index"))]
    assert [line for line in card.split("\n") if not line.startswith(("|", "model-index"))] == kept


def test_nothing_is_measured_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(make, "ZOO", tmp_path)
    with pytest.raises(UserError, match="wgan_gp_ring is not, or is of another recipe: .* makes it"):
        make.measure_again(POINTS)
    with pytest.raises(UserError, match="Did you mean 'wgan_gp_ring'"):
        make.measure_again("wgan_gp_rin")


@pytest.mark.parametrize("besides", [["--again"], ["--work", "runs"]])
def test_measuring_takes_nothing_of_training(besides, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["make", POINTS, "--measure", *besides])
    with pytest.raises(SystemExit):
        make.main()
    assert "takes neither --again nor --work" in capsys.readouterr().err


# The Hub ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server():
    pytest.importorskip("huggingface_hub", reason="pip install 'keras_gans[hub]'")
    with standing_in() as hub:
        yield hub


@pytest.fixture
def hub(server, monkeypatch):
    """The stand-in, empty, which is all of the Hub that a test sees."""
    import huggingface_hub.constants

    for held in (server.repositories, server.messages, server.asked, server.objects):
        held.clear()
    server.tampers = lambda name, content: content
    monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
    # Read when the library was imported, which in a process of its own is after the environment was set.
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", server.endpoint)
    files = server.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    # Its own protocol, of a native library, goes to another host; this is the one that Git has too.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    return server


def test_a_run_goes_there_and_back(hub, small_run, tmp_path):
    code, output, errors = run_here("push", str(small_run), "ada/ring", "--message", "Hello", cwd=tmp_path)
    assert code == 0, errors
    assert f"{hub.endpoint}/ada/ring" in output and "keras-gans pull ada/ring" in output
    files = hub.repositories["ada/ring"]
    assert set(files) == {"README.md", "card.json", "model.safetensors", "preset.json", "recipe.json", "samples.png"}
    assert hub.messages == ["Hello"]
    # The large file went as large files do.
    assert list(hub.objects.values()) == [files["model.safetensors"]]
    card = files["README.md"].decode()
    assert card.startswith("---\nlibrary_name: ") and 'license: "apache-2.0"' in card
    assert str(small_run.parent) not in b"".join(files.values()).decode("utf-8", "replace")
    code, output, errors = run_here("pull", "ada/ring", cwd=tmp_path)
    assert code == 0, errors
    assert "keras-gans sample hub:ada/ring" in output
    mine, theirs = kg.load_run(small_run), kg.load_run("hub:ada/ring", tmp_path / "runs")
    np.testing.assert_array_equal(mine.sample(20), theirs.sample(20))
    code, _, errors = run_here("sample", "hub:ada/ring", "--to", "ring.png", cwd=tmp_path)
    assert code == 0 and (tmp_path / "ring.png").is_file(), errors


def test_a_preset_goes_there_as_it_is(hub, tmp_path):
    where = kg.presets.push(published.packaged_folder(POINTS), "ada/again")
    assert where == f"{hub.endpoint}/ada/again"
    folder = published.packaged_folder(POINTS)
    assert hub.repositories["ada/again"] == {path.name: path.read_bytes() for path in folder.iterdir()}
    pulled = kg.presets.pull("ada/again", tmp_path)
    assert pulled == tmp_path / "hub-ada--again"
    assert {path.name for path in pulled.iterdir()} == {path.name for path in folder.iterdir()}
    assert hub.messages == ["Step 1,500"]


@pytest.mark.parametrize("name", NAMES)
def test_the_hub_is_told_what_a_preset_is_for(name):
    """The scheme says so, whatever its fields are called."""
    folder = published.packaged_folder(name)
    described = json.loads((folder / published.DESCRIPTION).read_text(encoding="utf-8"))
    scheme = registry.schemes[described["scheme"]]
    asked = {key: getattr(scheme, key) for key in ("makes", "takes", "translates", "translates_texts")}
    makes_images = "points" not in {field["kind"] for field in described["fields"].values()}
    task = task_of(SimpleNamespace(**asked, makes_images=makes_images))
    said = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert said["metadata"].get("pipeline_tag") == task
    ask = "translate" if scheme.translates else "sample"
    assert f"`keras-gans {ask} RUN`" in said["sections"]["How it is used"]


def test_the_card_is_one_of_the_hubs(hub):
    import huggingface_hub

    kg.presets.push(published.packaged_folder(POINTS), "ada/card")
    data = huggingface_hub.ModelCard(hub.repositories["ada/card"]["README.md"].decode()).data
    assert data.license == "apache-2.0" and data.library_name == "keras" and "wgan_gp" in data.tags
    figures = {result.metric_name: result.metric_value for result in data.eval_results}
    assert figures["modes_covered"] == 8


def test_whoever_may_not_is_told(hub, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", "hf_of_another")
    with pytest.raises(UserError, match="wants a token"):
        kg.presets.push(published.packaged_folder(POINTS), "ada/ring")
    assert not hub.repositories
    for name in ("ada", "ada/../x", "a/b/c", "preset:x/y", ""):
        with pytest.raises(UserError, match="called USER/REPO"):
            kg.presets.pull(name, tmp_path)
    with pytest.raises(UserError, match="no repository ada/nothing"):
        kg.presets.pull("ada/nothing", tmp_path)
    with pytest.raises(UserError, match="has not been pulled"):
        run_directory.resolve("hub:ada/nothing", tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_others_have_made_is_refused(hub, preset, tmp_path):
    held = {path.name: path.read_bytes() for path in preset.iterdir()}
    root = tmp_path / "runs"

    def refused(match, **files):
        hub.repositories["eve/model"] = {name: each for name, each in {**held, **files}.items() if each is not None}
        with pytest.raises(UserError, match=match) as error:
            kg.presets.pull("eve/model", root)
        assert "\n" not in str(error.value) and not root.exists()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hub.repositories["eve/model"] = {"pytorch_model.bin": b"x", "config.json": b"{}"}
        with pytest.raises(UserError, match="no model that keras-gans push has put there.*pytorch_model.bin"):
            kg.presets.pull("eve/model", root)
        refused("has no model.safetensors", **{"model.safetensors": None})
        refused("damaged", **{"model.safetensors": held["model.safetensors"][:-1] + b"\x01"})
        refused("at most", **{"recipe.json": b" " * (9 << 20)})
        recipe = json.loads(held["recipe.json"]) | {"name": "os:system"}
        spoilt = with_recipe(preset, **recipe)
        refused("names no module", **{path.name: path.read_bytes() for path in spoilt.iterdir()})
        # What came is not what was announced.
        hub.repositories["eve/model"] = held
        hub.tampers = lambda name, content: content[::-1] if name == published.MODEL else content
        with pytest.raises(UserError):
            kg.presets.pull("eve/model", root)
        assert not root.exists()


def test_only_what_is_asked_for_is_fetched(hub, tmp_path):
    kg.presets.push(published.packaged_folder(POINTS), "ada/ring")
    hub.repositories["ada/ring"] |= {"malware.py": b"print()", "sub/folder.bin": b"x"}
    hub.asked.clear()
    folder = kg.presets.pull("ada/ring", tmp_path)
    assert not (folder / "malware.py").exists() and not any("malware" in path for _, path in hub.asked)
    with pytest.raises(UserError, match="no such revision"):
        kg.presets.pull("ada/ring", tmp_path, revision="v9")
    assert published.is_published(folder)


def test_without_the_library_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"keras_gans\[hub\]"):
        kg.presets.pull("ada/ring", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_fresh_process_samples_it_in_under_ten_seconds(name, tmp_path):
    # Of the processor: a machine that does other things too takes longer.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code, _, errors = run("sample", f"preset:{name}", cwd=tmp_path, CUDA_VISIBLE_DEVICES="-1")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert code == 0, errors
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{name}: {seconds:.1f} s of the processor")
    assert seconds < 10
    assert list((tmp_path / f"runs/preset-{name}/samples").iterdir())
