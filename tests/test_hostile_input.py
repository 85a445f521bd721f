"""Whatever a user types or hands over gives a right answer or one clear error, and never anything else."""

import inspect
import io
import json
import math
import subprocess

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

import keras_gans as kg
from keras_gans import data, printing, registry
from keras_gans.errors import UserError
from keras_gans.latent import expression
from keras_gans.runs import run_directory
from keras_gans.training import new_run
from keras_gans.training import recipe as recipes
from keras_gans.training.build import build_model, scheme_of
from tests.small import FIELDS, small_model
from tests.test_callbacks import events
from tests.test_training_cli import run_here

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
KEYS = st.sampled_from(
    ["steps", "scheme.name", "scheme.ema", "generator.base_filters", "networks", "optimizers.generator.name", "seed"]
) | st.text("abc._[]", max_size=12)


def answer(function, *arguments):
    """What it returns, or None for a `UserError`; anything else that it raises is the test's failure."""
    try:
        return function(*arguments)
    except UserError as error:
        assert str(error).strip() and len(str(error)) < 4000
        return None


# Recipes and settings --------------------------------------------------------------------------------------------


@FEW
@given(st.dictionaries(KEYS, VALUES, max_size=3))
def test_settings(chosen):
    found = answer(recipes.with_settings, recipes.named("dcgan"), chosen)
    if found is not None:
        assert recipes.Recipe.from_dict(json.loads(found.to_json())) == found or "NaN" in found.to_json()


@FEW
@given(st.text(max_size=30))
def test_assignments(text):
    found = answer(recipes.parse_assignment, text)
    assert (found is None) == ("=" not in text or text.startswith("="))


@pytest.mark.parametrize("value", ["{'shift': 0.1}", "{shift: 0.1}", "[a, b]", "[1,]"])
def test_an_assignment_that_is_nearly_json(value):
    with pytest.raises(UserError, match="dictionaries and lists as JSON.*double quotes"):
        recipes.parse_assignment(f"discriminator.augmentation={value}")


def test_an_assignment_nested_without_end():
    with pytest.raises(UserError, match="nested too deeply"):
        recipes.parse_assignment(f"scheme.name={'[' * 100_000}")


@FEW
@given(VALUES)
def test_recipes_from_any_json(fields):
    answer(recipes.Recipe.from_dict, fields)


@pytest.mark.parametrize("text", ["[]", "null", "{}", "7", '{"scheme": {}}', "{", "[" * 100_000])
def test_a_run_whose_recipe_is_none(tmp_path, text):
    (tmp_path / "recipe.json").write_text(text)
    with pytest.raises(UserError, match="recipe"):
        recipes.Recipe.from_dict(run_directory.read_recipe(tmp_path))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"generator.base_filters": 0}, "generator"),
        ({"discriminator.base_filters": -3}, "discriminator"),
        # It takes ten seconds.
        pytest.param({"latent_dim": 2**31 - 1}, "'dcgan_generator'.*The reason: OOM", marks=pytest.mark.slow),
        ({"generator.base_filters": "many"}, "generator.base_filters|generator"),
        ({"scheme.latent_prior": [1]}, r"latent prior \[1\]"),
        ({"scheme.ema": 5.0}, "5.0"),
        ({"scheme.dtype": "float32"}, "Unknown setting 'scheme.dtype'"),
        ({"optimizers.generator.name": "adma"}, "Unknown optimizer 'adma'.*'adam'"),
        ({"optimizers.generator.name": ["adam"]}, "optimizer"),
        ({"optimizers.generator.learning_rate": -1e-3}, "a number from 0 on.*-0.001"),
        ({"optimizers.generator.learning_rate": float("nan")}, "a number from 0 on.*nan"),
        ({"optimizers.generator.beta_1": 5}, "beta_1 lies from 0 to below 1.*5"),
        ({"optimizers.generator.epsilon": -1}, "epsilon is a number above 0.*-1"),
        ({"optimizers.generator.weight_decay": -0.1}, "weight_decay is a number from 0 on.*-0.1"),
        ({"optimizers.generator.clipnorm": 0}, "clipnorm is a number above 0.*Received: 0"),
        ({"optimizers.generator.loss_scale_factor": "x"}, "loss_scale_factor is a number above 0.*'x'"),
        ({"optimizers.generator.amsgrad": "yes"}, "amsgrad is true or false.*'yes'"),
        ({"seed": -1}, "from 0 to 2..32 - 1.*-1"),
        ({"seed": 2**32}, "from 0 to 2..32 - 1.*4294967296"),
        ({"hold_out": 1}, "share"),
    ],
)
def test_settings_that_make_no_model(changes, said):
    with pytest.raises(UserError, match=said):
        chosen = recipes.with_settings(recipes.named("dcgan"), changes)
        build_model(chosen, {name: FIELDS[name] for name in scheme_of(chosen).takes})


def test_layers_of_no_units():
    with pytest.raises(UserError, match=r"mlp_generator's hidden_units is .* from 1.*Received: \[-1\]"):
        chosen = recipes.with_settings(recipes.named("gan"), {"generator.hidden_units": [-1]})
        build_model(chosen, {"sample": FIELDS["sample"]})


def test_a_checkpoint_of_another_model_is_named(tmp_path):
    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    plain.save(tmp_path / "step-00000001.keras")
    with pytest.raises(UserError, match="holds a Sequential and no scheme"):
        run_directory.load_checkpoint(tmp_path / "step-00000001.keras")


# Networks --------------------------------------------------------------------------------------------------------


# One size that all of them make.
NEEDED = {
    "sample_shape": (8, 8, 1),
    "source_size": 9,
    "target_size": 9,
    "vocabulary": ("", "[UNK]", "word"),
    "file": "no/such.npz",
}
# Fewer of what is costly where nothing is wrong with it.
SMALL_SIZES = st.integers(-3, 6)
SIDES = [(), (28,), (28, 28, 0), (8, 8), (8, 8, 1), (7, 7, 1), [5], [None], "ab"]
NUMBERS = [0, -1, 1, 2, 3, 1.5, 2.0, 0.5, math.nan, math.inf, -0.1, 2**31, 2**70, 10**5000]
ODD = st.sampled_from([None, True, False, "x", "", {}, "concat", "gaussian", "instance", *SIDES, *NUMBERS])


@pytest.mark.parametrize("name", registry.networks)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.data())
def test_networks_of_any_arguments(name, drawn):
    build = registry.networks[name]
    parameters = inspect.signature(build).parameters
    chosen = drawn.draw(st.dictionaries(st.sampled_from(sorted(parameters)), ODD | SMALL_SIZES, min_size=1, max_size=2))
    needed = {key: value for key, value in NEEDED.items() if key in parameters}
    small = {key: 2 for key in ("base_filters", "units", "heads", "blocks") if key in parameters}
    if "class_count" in parameters and parameters["class_count"].default is inspect.Parameter.empty:
        needed["class_count"] = 3
    made = answer(lambda: build(**{**small, **needed, **chosen}))
    if made is None:
        return
    for tensor in (*made.inputs, *made.outputs) if getattr(made, "inputs", None) else ():
        assert all(side is None or side >= 1 for side in tensor.shape)
    sample_shape = {**needed, **chosen}.get("sample_shape")
    if "generator" in name or name.endswith("autoencoder"):
        assert made.outputs[0].shape[1:] == tuple(sample_shape)
    if name.endswith("translator") and sample_shape is not None:
        assert made.output_shape[1:3] == tuple(sample_shape)[:2]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        (
            "dcgan_generator",
            {"base_filters": 0},
            "base_filters is a whole number from 1. Received: 0; the nearest is 1",
        ),
        ("dcgan_generator", {"base_filters": "x"}, "base_filters is a whole number from 1. Received: 'x'"),
        ("dcgan_generator", {"base_filters": 1.5}, "Received: 1.5; the nearest is 2"),
        ("dcgan_generator", {"base_filters": True}, "Received: True"),
        ("dcgan_generator", {"upsampling": 3}, "Unknown upsampling mode 3"),
        ("dcgan_generator", {"sample_shape": "abc"}, r"sample_shape is a sequence.*\(28, 28, 1\). Received: 'abc'"),
        ("dcgan_generator", {"sample_shape": (28,)}, r"\(height, width, channels\) of images, such.*Received: \(28,\)"),
        ("dcgan_generator", {"sample_shape": (28, 28, 0)}, r"whole numbers from 1.*Received: \(28, 28, 0\)"),
        ("dcgan_generator", {"latent_dim": None}, "latent_dim is a whole number from 1. Received: None"),
        ("mlp_generator", {"sample_shape": ()}, r"or \(d,\) of points.*Received: \(\)"),
        ("mlp_generator", {"hidden_units": 5}, r"hidden_units is a sequence.*Received: 5; \[5\] is one"),
        ("mlp_generator", {"hidden_units": "ab"}, "hidden_units is a sequence.*Received: 'ab'"),
        ("mlp_generator", {"output_activation": "tahn"}, "Unknown output activation 'tahn'. Did you mean 'tanh'"),
        ("mlp_discriminator", {"silent_black": 1}, "silent_black is True or False. Received: 1"),
        ("mlp_discriminator", {"dropout": "x"}, "dropout is a number from 0.*Received: 'x'"),
        ("unet_translator", {"sample_shape": (7, 7, 1)}, "the nearest sizes are 6 and 8"),
        ("resnet_translator", {"halvings": 2**31 - 1}, "8x8 pixels 4 times at the most.*2147483647"),
        ("rnn_search", {"units": 0}, "units is a whole number from 1"),
        ("sentence_table", {"file": 5}, "file is a path.*Received: 5"),
    ],
)
def test_networks_say_which_argument_is_none(name, arguments, said):
    parameters = inspect.signature(registry.networks[name]).parameters
    needed = {key: value for key, value in NEEDED.items() if key in parameters}
    with pytest.raises(UserError, match=said):
        registry.networks[name](**{**needed, **arguments})


# Sampling --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models():
    return small_model("dcgan"), small_model("cgan"), small_model("text_to_image")


WHOLE = st.integers(-(2**70), 2**70)


@FEW
@given(
    count=st.none() | st.floats() | st.integers(-3, 4) | st.booleans() | st.text(max_size=2),
    seed=WHOLE | st.floats() | st.none(),
)
def test_sampling(models, count, seed):
    for model in (models[0], models[2]):
        found = answer(model.sample, count, seed)
        if found is not None:
            assert type(count) is int and found.shape == (count, *model.sample_shape()) and found.dtype == np.uint8


@FEW
@given(st.none() | SCALARS | st.lists(SCALARS, max_size=4))
def test_labels(models, labels):
    found = answer(models[1].sample, 3, 0, labels)
    if found is not None:
        assert labels is None or np.size(labels) in (1, 3)


@pytest.mark.parametrize("seed", [2**63, -(2**63) - 1, 2**64, 1.5, "3"])
def test_latents_of_seeds_that_are_none(models, seed):
    with pytest.raises(UserError, match="Seeds are whole numbers of 64 bits"):
        kg.latent.seed_latents(models[0], [seed])


@pytest.mark.parametrize("place", [0, 2])
def test_more_samples_than_memory_holds(models, place):
    with pytest.raises(UserError, match="1,000,000,000,000 samples .* GB, and this machine has .*Draw fewer at a time"):
        models[place].sample(10**12)


def test_the_last_seeds_there_are(models):
    ends = [models[0].sample(2, seed) for seed in (2**63 - 2, -(2**63))]
    assert all(end.shape == (2, 8, 8, 1) for end in ends)
    with pytest.raises(UserError, match="64 bits.*last of 3"):
        models[0].sample(3, 2**63 - 2)


@FEW
@given(st.text("abc+-:,0123 seeds", max_size=20))
def test_latent_expressions(text):
    answer(expression.parse, text)


# Data ------------------------------------------------------------------------------------------------------------


SHAPES = [(), (3,), (4, 2), (4, 8, 8), (4, 8, 8, 1), (4, 8, 8, 3), (4, 8, 8, 2), (0, 8, 8, 1), (2,) * 5]
TYPES = st.sampled_from(["uint8", "float32", "float64", "int64", "bool", "complex64", "object", "U3"])


@FEW
@given(st.sampled_from(SHAPES), TYPES, st.floats())
def test_arrays(shape, dtype, fill):
    with np.errstate(all="ignore"):
        try:
            values = np.full(shape, fill).astype(dtype)
        except (ValueError, OverflowError):
            return
    source = answer(data.open_source, values)
    if source is not None:
        assert len(source) == shape[0] > 0
        batch = next(iter(data.to_dataset(source, batch_size=2))).numpy()
        assert np.isfinite(batch).all()


@FEW
@given(VALUES)
def test_sources(source):
    if not isinstance(source, str):
        answer(data.open_source, source)


# The command line ------------------------------------------------------------------------------------------------


MARKUP = "[bold]x[/nonsense]"


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", MARKUP],
        ["train", "dcgan", "--data", f"./{MARKUP}/images"],
        ["train", "dcgan", "--set", f"{MARKUP}=1"],
        ["train", "dcgan", "--devices", MARKUP],
        ["train", "dcgan", "--resume", MARKUP],
        ["sample", MARKUP],
        ["evaluate", MARKUP],
        ["translate", MARKUP, "a", "b"],
        ["export", MARKUP, "--to", "x"],
    ],
)
def test_square_brackets_are_shown_as_they_were_typed(tmp_path, arguments):
    code, output, errors = run_here(*arguments, cwd=tmp_path)
    assert code == 2 and "Traceback" not in output + errors
    # Of a path whose first part is missing that part is named.
    assert MARKUP.split("/")[0] in " ".join(errors.split())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "latest", "--to", ""], "What follows --to is empty"),
        (["export", "latest", "--to="], "What follows --to is empty"),
        (["export", "latest", "--to", "x", "--runs", ""], "--runs is empty"),
        (["export", "", "--to", "x"], "export is empty"),
        (["train", "dcgan", "--data", ""], "--data is empty"),
        (["train", "dcgan", "--resume="], "--resume is empty"),
        (["train", "dcgan", "--run-dir", ""], "--run-dir is empty"),
        (["sample", "latest", "--to", ""], "--to is empty"),
        (["sample", "latest", "--texts", ""], "--texts is empty"),
        (["evaluate", "latest", "--runs", ""], "--runs is empty"),
        (["translate", "latest", "a.png", ""], "a.png is empty"),
        (["latent", "truncate", "latest", "--to", ""], "--to is empty"),
        (["verify", ""], "verify is empty"),
        (["promote", ""], "promote is empty"),
        (["rollback", ""], "rollback is empty"),
        (["serve", ""], "serve is empty"),
        (["push", "", "a/b"], "push is empty"),
        (["theory", "--to", ""], "--to is empty"),
    ],
)
def test_an_empty_path_is_not_the_working_directory(tmp_path, arguments, said):
    code, output, errors = run_here(*arguments, cwd=tmp_path)
    assert code == 2 and said in " ".join(errors.split()) and "Traceback" not in output + errors
    assert not list(tmp_path.iterdir())


def test_a_text_may_end_in_an_equals_sign(tmp_path):
    _, _, errors = run_here("sample", "latest", "--text=one =", cwd=tmp_path)
    assert "no run 'latest'" in errors and "empty" not in errors


def test_texts_may_be_empty(tmp_path):
    assert "is empty. Name something" not in run_here("sample", "latest", "--text", "", cwd=tmp_path)[2]


@pytest.mark.parametrize("seed", ["-1", "4294967296", "x"])
def test_seeds_that_are_none(tmp_path, seed):
    code, _, errors = run_here("train", "dcgan", "--seed", seed, cwd=tmp_path)
    assert code == 2 and "seed" in errors and "Traceback" not in errors


# Breaks a line, colours the terminal, and turns what follows around.
ACTING = "a\n\tb\x1b[31mc\u202ed"


def test_names_are_printed_as_they_cannot_act():
    assert printing.printable(ACTING) == r"a\n\tb\x1b[31mc\u202ed"
    assert printing.printable("a\nb\x1b", lines=True) == "a\nb\\x1b"
    assert printing.printable("Füße 日本 👩\u200d🔬 \u3000") == "Füße 日本 👩\u200d🔬 \u3000"
    assert printing.printable(b"\xff".decode("utf-8", "surrogateescape")) == r"\udcff"
    assert printing.escape("[bold]\r") == r"\[bold]\r"


def test_whatever_is_printed_cannot_act_whoever_made_its_text():
    output = io.StringIO()
    console = printing.Console(file=output, width=60, force_terminal=True)
    table = Table(ACTING)
    table.add_row(ACTING)
    with console.status(f"loading {ACTING}"):
        console.print(ACTING, table, Text(ACTING), markup=False)
    shown = output.getvalue()
    assert "\x1b[31m" not in shown and "\u202e" not in shown and shown.count(r"\x1b[31m") >= 3
    # Rich's own codes pass: those of the cursor.
    assert "\x1b[?25l" in shown


def test_texts_of_tensorboard_cannot_act(tmp_path):
    recipe = recipes.named("gan").replace(data=f"{ACTING}|x")
    new_run.write_to_tensorboard(tmp_path, "run", recipe, ("generator",))
    ((_, table),) = events(tmp_path)["recipe"]
    assert rf"| data | {printing.printable(ACTING)}\|x |" in table.item().decode().splitlines()


@pytest.mark.parametrize("name", [ACTING, "it's\n\\n", "a b", "plain", b"\xff\n".decode("utf-8", "surrogateescape")])
def test_commands_to_copy_name_the_same_file(name):
    quoted = printing.quoted(name)
    assert printing.printable(quoted) == quoted
    said = subprocess.run(["bash", "-c", f"printf %s {quoted}"], capture_output=True, check=True).stdout
    assert said == name.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "dcgan", "--data", f"./{ACTING}"],
        ["train", ACTING],
        ["sample", f"./{ACTING}"],
        ["export", ACTING, "--to", "x"],
        ["verify", f"./{ACTING}"],
    ],
)
def test_errors_do_not_act_on_the_terminal(tmp_path, arguments):
    code, output, errors = run_here(*arguments, cwd=tmp_path)
    assert code == 2 and not set(output + errors) & set("\x1b\t\u202e") and r"\x1b[31m" in errors


def test_a_folder_with_a_name_that_acts_trains_and_samples(tmp_path):
    folder = tmp_path / (MARKUP.replace("/", "_") + ACTING)
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
    for index, image in enumerate(images):
        kg.drawing.picture.save_png(image, folder / f"{index}.png")
    small = ["--steps", "2", "--batch-size", "8", "--set", "generator.base_filters=4", "--set", "picture_every=2"]
    name = f"./{folder.name}"
    code, output, errors = run_here("train", "dcgan", "--data", name, *small, cwd=tmp_path)
    assert code == 0, errors
    assert printing.printable(folder.name) in " ".join(output.split()) and "\x1b" not in output
    assert "held out to measure with" in " ".join(output.split())
    assert run_here("sample", "latest", "--count", "4", cwd=tmp_path)[0] == 0
