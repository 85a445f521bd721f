"""Protocols, evaluating a model, the callback that keeps the best checkpoint, and the command."""

import dataclasses
import json
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from typer.testing import CliRunner

import keras_gans as kg
from keras_gans import data, metrics
from keras_gans.callbacks.evaluate import Evaluate, as_line
from keras_gans.data.holding_out import held_out_of
from keras_gans.data.source import Source
from keras_gans.errors import UserError
from keras_gans.metrics import Evaluation, Protocol, Score, evaluation_of, measures
from keras_gans.metrics.features import Extractor
from keras_gans.runs import run_directory
from tests.small import BATCH, images, small_model

PROTOCOL = Protocol("digits", "test", "00", 500, 1000, "none", "digits", "ab", 0, settings=(("k", 5),))
QUICK = ["frechet_distance", "duplicate_rate"]


def score(value, higher=False, **changes):
    return Score("frechet_distance", value, None, 0.1, 1000, higher, dataclasses.replace(PROTOCOL, **changes))


@pytest.fixture(scope="module")
def extractor():
    """Features of 8x8 images that need no training: random projections, and classes that are as random."""
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 1))
    features = keras.layers.Dense(8, activation="tanh")(keras.layers.Flatten()(inputs))
    return Extractor("random", keras.Model(inputs, [features, keras.layers.Dense(4, activation="softmax")(features)]))


@pytest.fixture(scope="module")
def evaluation(extractor):
    return Evaluation("digits", QUICK, samples=200, extractor=extractor)


class Drawing:
    """Stands for a model: its samples are rows of an array, the seed the first row."""

    translates = {}
    takes = {}

    def __init__(self, items):
        self.items, self.seeds = items, []

    def sample_shape(self):
        return self.items.shape[1:]

    def sample(self, count, seed):
        self.seeds.append((seed, count))
        return self.items[(seed + np.arange(count)) % len(self.items)]


# Protocols --------------------------------------------------------------------------------------------------------


def test_better_is_lower_or_higher_as_the_figure_has_it():
    assert score(1.0).better_than(score(2.0)) and not score(2.0).better_than(score(2.0))
    assert score(2.0, True).better_than(score(1.0, True)) and not score(1.0, True).better_than(score(2.0, True))
    assert score(1.0).better_than(score(math.nan)) and not score(math.nan).better_than(score(1.0))
    assert not score(math.nan).better_than(score(math.nan))


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Protocol) if f.name != "packages"])
def test_figures_of_two_protocols_are_not_compared(field):
    changed = {"settings": (("k", 3),)}.get(field, 7 if isinstance(getattr(PROTOCOL, field), int) else "other")
    with pytest.raises(UserError, match=f"(?s)different protocols.*{field}: .* -> .*{re.escape(str(changed))}"):
        score(1.0).better_than(score(2.0, **{field: changed}))


def test_new_packages_are_no_new_protocol_but_another_figure_is_no_comparison():
    assert score(1.0).better_than(score(2.0, packages=(("numpy", "9.9"),)))
    with pytest.raises(UserError, match="'frechet_distance' and 'recall'"):
        score(1.0).better_than(dataclasses.replace(score(2.0), name="recall"))


def test_scores_survive_json():
    kept = dataclasses.replace(score(0.25, packages=(("numpy", "2.4"),)), standard_error=0.01)
    assert Score.from_dict(json.loads(json.dumps(kept.to_dict()))) == kept
    read = Score.from_dict(json.loads(json.dumps(kept.to_dict())))
    assert read.protocol.packages == kept.protocol.packages and not read.better_than(kept)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_numbers_that_json_has_not_are_text_there(value):
    text = json.dumps(score(value).to_dict(), allow_nan=False)
    read = Score.from_dict(json.loads(text)).value
    assert read == value or math.isnan(read) and math.isnan(value)
    json.dumps(as_line([score(value)]), allow_nan=False)


# evaluate() -------------------------------------------------------------------------------------------------------


def test_the_figures_are_the_measures_own(evaluation, extractor):
    made = (127.5 * (images(200) + 1)).astype("uint8")
    found = {each.name: each for each in evaluation.of_samples(made)}
    held_out = data.open_source("digits", split="test").samples
    expected = metrics.frechet_distance(extractor.features(made), extractor.features(held_out))
    assert found["frechet_distance"].value == pytest.approx(expected, rel=1e-6)
    protocol = found["frechet_distance"].protocol
    assert (protocol.data, protocol.split, protocol.samples, protocol.reference_samples) == ("digits", "test", 200, 500)
    assert (protocol.extractor, protocol.extractor_identity) == ("random", extractor.identity)
    assert found["duplicate_rate"].protocol.reference_samples == 200, "it compares equal counts"
    assert evaluation.protocols() == {name: each.protocol for name, each in found.items()}


def test_the_floor_is_what_training_data_scores(evaluation, extractor):
    train = data.open_source("digits").samples
    # Which 200 of the training images is the seed's choice; any 200 give about the same.
    floors = [
        metrics.frechet_distance(extractor.features(train[at : at + 200]), evaluation.prepare()._reference.features)
        for at in range(0, 1200, 200)
    ]
    found = evaluation.of_samples(np.zeros((200, 8, 8, 1), np.uint8))[0]
    assert min(floors) / 2 < found.floor < 2 * max(floors)
    assert found.value > 10 * found.floor and found.floor_samples == 200


def test_the_distance_to_the_training_data_has_to_be_asked_for(extractor):
    name = "frechet_distance_to_training"
    assert name not in Evaluation("digits", extractor=extractor).names
    asked = Evaluation("digits", ["frechet_distance", name], samples=200, extractor=extractor)
    train, held_out = data.open_source("digits"), data.open_source("digits", split="test")
    known, unknown = (extractor.features(each.samples) for each in (train, held_out))
    made = (127.5 * (images(200) + 1)).astype("uint8")
    far, copied = ({each.name: each for each in asked.of_samples(some)} for some in (made, train.samples))
    assert far[name].value == pytest.approx(metrics.frechet_distance(extractor.features(made), known), rel=1e-5)
    assert copied[name].value < 1e-3 * far[name].value
    # What the held-out digits have in the samples' place, as all training digits are at no distance from themselves.
    assert far[name].floor == pytest.approx(metrics.frechet_distance(unknown, known), rel=1e-4)
    assert far[name].floor_samples == len(held_out)
    protocol = far[name].protocol
    assert (protocol.split, protocol.reference_samples, protocol.samples) == ("train", len(train), 200)
    assert protocol.data_identity != far["frechet_distance"].protocol.data_identity
    assert asked.protocols() == {each: score.protocol for each, score in far.items()}


def test_without_a_held_out_split_it_is_to_the_other_half(extractor):
    source = data.open_source(np.asarray(data.open_source("digits").samples[:100]))
    asked = Evaluation(source, ["frechet_distance", "frechet_distance_to_training"], samples=50, extractor=extractor)
    splits = [each.split for each in asked.protocols().values()]
    assert splits == ["half of train", "the other half of train"]


@pytest.mark.parametrize("samples", [200, 5000])
def test_each_real_image_is_looked_at_once(extractor, samples, monkeypatch):
    """The floor's images are the first of those that memorization looks at."""
    looked_at = []
    plain = Extractor.features_and_probabilities
    monkeypatch.setattr(
        Extractor, "features_and_probabilities", lambda self, items: looked_at.append(len(items)) or plain(self, items)
    )
    Evaluation("digits", ["frechet_distance", "memorization"], samples=samples, extractor=extractor).prepare()
    digits = data.open_source("digits")
    assert sum(looked_at) == len(digits) + len(held_out_of(digits))


def test_training_images_as_samples_score_as_the_floor(evaluation):
    real = evaluation.of_samples(data.open_source("digits").samples[:200])
    assert real[0].value < 3 * real[0].floor


def test_shares_of_many_samples_are_means_over_groups_as_large_as_the_held_out_data(extractor):
    ready = Evaluation("digits", ["precision_recall"], samples=1700, extractor=extractor)
    digits = data.open_source("digits").samples
    drawn = digits[np.random.default_rng(0).integers(0, len(digits), 1700)]
    scores = {each.name: each for each in ready.of_samples(drawn)}
    real, features = ready._reference.features, extractor.features(drawn)
    parts = [metrics.precision_recall(real, features[start : start + 500]) for start in (0, 500, 1000)]
    for name, found in scores.items():
        each = [getattr(part, name) for part in parts]
        assert found.value == pytest.approx(np.mean(each)), name
        assert (found.protocol.samples, found.protocol.reference_samples, found.floor_samples) == (1500, 500, 1000)
        if name in ("recall", "coverage"):
            assert found.standard_error == pytest.approx(np.std(each, ddof=1) / math.sqrt(3))
    errors = [part.density_error for part in parts]
    assert scores["density"].standard_error == pytest.approx(np.sqrt(np.sum(np.square(errors))) / 3)
    of_one = {each.name: each for each in ready.of_samples(drawn[:600])}
    assert of_one["coverage"].value == parts[0].coverage and of_one["coverage"].standard_error is None


def test_samples_are_drawn_by_seed_and_never_twice(extractor):
    model = Drawing(data.open_source("digits").samples)
    for seed in (0, 3):
        Evaluation("digits", ["frechet_distance"], 3000, seed, extractor).of(model)
    drawn = [place for first, count in model.seeds for place in range(first, first + count)]
    assert len(drawn) == len(set(drawn)) == 6000
    assert drawn[0] == 0 and drawn[3000] == 30_000_000
    assert max(count for _, count in model.seeds) <= 1024, "a part at a time, so that memory does not grow"


def test_an_evaluation_is_a_function_of_its_seed(evaluation, extractor):
    model = small_model("gan")
    first = evaluation.of(model)
    assert first == evaluation.of(model) == metrics.evaluate(model, "digits", QUICK, 200, 0, extractor)
    other = metrics.evaluate(model, "digits", QUICK, 200, 1, extractor)
    assert other[0].value != first[0].value
    with pytest.raises(UserError, match="seed: 1 -> 0"):
        other[0].better_than(first[0])


def test_all_measures_of_images(extractor):
    ready = Evaluation("digits", samples=120, extractor=extractor)
    real = {each.name: each for each in ready.of_samples(data.open_source("digits").samples[:120])}
    noise = {each.name: each for each in ready.of_samples((127.5 * (images(120) + 1)).astype("uint8"))}
    assert (
        list(real)
        == ready.names
        == [
            "frechet_distance",
            "kernel_distance",
            "precision",
            "recall",
            "density",
            "coverage",
            "classifier_score",
            "sliced_wasserstein_distance",
            "duplicate_rate",
            "memorization",
        ]
    )
    for name in ("frechet_distance", "kernel_distance", "coverage", "sliced_wasserstein_distance"):
        assert real[name].better_than(noise[name])
    assert real["sliced_wasserstein_distance"].protocol.extractor is None
    collapsed = ready.of_samples(np.repeat(data.open_source("digits").samples[:1], 120, axis=0))
    assert {each.name: each.value for each in collapsed}["duplicate_rate"] == 1.0
    copies = {each.name: each for each in ready.of_samples(data.open_source("digits").samples[:120])}["memorization"]
    # Of 120 samples the standard error is 0.15.
    assert copies.value == 1.0 and abs(copies.floor) < 0.45


@pytest.mark.parametrize(
    ("name", "modes"),
    [pytest.param("ring", 8, marks=pytest.mark.slow), pytest.param("grid", 25, marks=pytest.mark.slow)],
)
def test_all_measures_of_points(name, modes):
    ready = Evaluation(name, samples=300)
    found = {each.name: each for each in ready.of_samples(data.open_source(name, split="test").samples[:300])}
    assert found["modes_covered"].value == modes == found["modes_covered"].floor
    assert found["high_quality"].standard_error == pytest.approx(0.0073, rel=0.5), "of a share of 0.988 and 300 samples"
    assert found["high_quality"].value > 0.96 and found["reverse_kl"].value < 0.05
    assert found["wasserstein_1"].value < 3 * found["wasserstein_1"].floor
    assert found["duplicate_rate"].protocol.extractor is None
    one = np.repeat(data.open_source(name).samples[:1], 300, axis=0)
    collapsed = {each.name: each.value for each in ready.of_samples(one)}
    assert collapsed["modes_covered"] == 1.0 and collapsed["reverse_kl"] == pytest.approx(math.log(modes))
    assert collapsed["duplicate_rate"] == 1.0


@pytest.mark.parametrize(
    ("name", "modes", "farthest", "sigma"),
    [("ring", 8, 1.0, 0.01), ("ring/wide", 8, 2 / 1.414, 0.1 / 1.414), ("grid", 25, 4 * math.sqrt(2), 0.05)],
)
def test_the_mixtures_are_those_of_the_builders(name, modes, farthest, sigma):
    centres, found = measures.mixture_of(name)
    assert centres.shape == (modes, 2) and found == sigma
    assert np.linalg.norm(centres, axis=1).max() == pytest.approx(farthest)


def test_data_without_a_held_out_split_is_halved(extractor):
    train = data.open_source("digits").samples[:400]
    found = metrics.evaluate(Drawing(train), train, ["frechet_distance"], 300, 0, extractor)[0]
    assert found.protocol.split == "half of train" and found.protocol.reference_samples == 200
    assert found.floor_samples == 200


def test_the_protocol_knows_the_data_by_its_content(extractor):
    train = data.open_source("digits").samples[:400]
    first, second = (
        Evaluation(values, ["frechet_distance"], 50, 0, extractor).protocols()["frechet_distance"]
        for values in (train, 255 - train)
    )
    assert [line.split(":")[0] for line in first.differences(second)] == ["data_identity"]


def test_memorization_of_other_training_images_is_another_figure(extractor):
    """Both are compared with the same held-out images."""
    digits = data.open_source("digits")
    columns = {name: column.take(np.arange(300)) for name, column in digits.columns.items()}
    fewer = dataclasses.replace(digits, columns=columns)
    names = ["frechet_distance", "memorization"]
    all_of_them, some = (Evaluation(source, names, 50, 0, extractor).protocols() for source in (digits, fewer))
    assert not all_of_them["frechet_distance"].differences(some["frechet_distance"])
    (line,) = all_of_them["memorization"].differences(some["memorization"])
    assert line.startswith("settings: ") and line.count("training_identity") == 2
    assert dict(some["memorization"].settings)["training_samples"] == 300


def test_images_of_another_size_than_the_extractors_say_so(extractor):
    source = data.open_source("digits", image_size=16)
    protocol = Evaluation(source, ["frechet_distance"], 50, 0, extractor).protocols()["frechet_distance"]
    assert protocol.resize.startswith("16x16x1 to 8x8x1: ") and "antialiasing" in protocol.resize
    assert protocol.split == "test", "the held-out images were opened in the same size"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": ["fid"]}, "Unknown metric 'fid'. Here it is 'frechet_distance'"),
        ({"metrics": ["kernel_distnace"]}, "Did you mean 'kernel_distance'"),
        ({"metrics": []}, "Name one metric or more"),
        ({"metrics": ["mode_coverage"]}, "'mode_coverage' cannot be taken of 'digits'.*no mixture"),
        ({"samples": 3}, "samples must be a whole number from 10.*Received: 3"),
        ({"seed": -1}, "seed must be.*Received: -1"),
        ({"extractor": "digit"}, "Unknown extractor 'digit'. Did you mean 'digits'"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_evaluated_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        Evaluation("digits", **options)


def test_points_need_no_extractor_and_shapes_must_fit(evaluation):
    with pytest.raises(UserError, match="'ring' holds points, which need no extractor"):
        Evaluation("ring", extractor="digits")
    points = Source.of_samples("array", "train", np.zeros((100, 2), np.float32))
    with pytest.raises(UserError, match="'mode_coverage' cannot be taken of 'array'"):
        Evaluation(points, ["mode_coverage"])
    with pytest.raises(UserError, match=r"makes samples of shape \(28, 28, 1\), but 'digits' has \(8, 8, 1\)"):
        evaluation.of(Drawing(np.zeros((5, 28, 28, 1), np.uint8)))


# The callback -----------------------------------------------------------------------------------------------------


def fit(model, steps, *callbacks):
    values = tf.data.Dataset.from_tensor_slices(images(64)).repeat().batch(BATCH, drop_remainder=True)
    model.fit(values, steps_per_epoch=steps, verbose=0, callbacks=list(callbacks))


class Scripted:
    """Stands for an evaluation: gives the values it was told to, in order."""

    def __new__(cls, evaluation, values, **changes):
        made = object.__new__(type("Scripted", (Evaluation,), {"of": cls.of, "protocols": cls.protocols}))
        made.values, made.names, made._floor = list(values), ["frechet_distance"], {}
        made.protocol = dataclasses.replace(PROTOCOL, **changes)
        return made

    def of(self, model):
        return [dataclasses.replace(score(self.values.pop(0)), protocol=self.protocol)]

    def protocols(self):
        return {"frechet_distance": self.protocol}


def best_of(folder):
    record = json.loads((folder / "best.json").read_text())
    return record["step"], record["score"]["value"]


def test_figures_reach_tensorboard_and_the_metrics_file(tmp_path, evaluation):
    from tests.test_callbacks import events

    model, file = small_model("gan"), tmp_path / "metrics.jsonl"
    callback = Evaluate(tmp_path / "board", evaluation, every=2, metrics_file=file)
    fit(model, 5, kg.callbacks.Curves(tmp_path / "curves", every=2, metrics_file=file), callback)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines = [line for line in lines if "evaluation" in line]
    assert [line["step"] for line in lines] == [2, 4, 5]
    assert lines[-1]["frechet_distance"] == callback.latest[0].value
    assert Score.from_dict(lines[-1]["evaluation"]["frechet_distance"]) == callback.latest[0]
    found = events(tmp_path / "board")
    assert set(found) == {f"2 evaluation/{name}{whose}" for whose in ("", " of the data") for name in QUICK}
    assert [step for step, _ in found["2 evaluation/frechet_distance"]] == [2, 4, 5]
    assert float(found["2 evaluation/frechet_distance of the data"][0][1]) == pytest.approx(callback.latest[0].floor)


def test_the_best_checkpoint_is_kept_and_a_resumed_run_keeps_what_was_best(tmp_path, evaluation):
    model, options = small_model("gan"), {"every": 1, "best": "frechet_distance", "checkpoints": tmp_path}
    fit(model, 3, Evaluate(tmp_path / "board", Scripted(evaluation, [3.0, 1.0, 2.0]), **options))
    assert best_of(tmp_path) == (2, 1.0)
    assert run_directory.load_checkpoint(tmp_path / "best.keras").steps_taken == 2
    fit(model, 2, Evaluate(tmp_path / "board", Scripted(evaluation, [1.5, 1.0]), **options))
    assert best_of(tmp_path) == (2, 1.0), "neither is better than what was best before"
    fit(model, 1, Evaluate(tmp_path / "board", Scripted(evaluation, [0.5]), **options))
    assert best_of(tmp_path) == (6, 0.5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.json", "best.keras", "board"]


def test_a_run_of_its_own_does_not_inherit_another_ones_best(tmp_path, evaluation):
    options = {"every": 1, "best": "frechet_distance", "checkpoints": tmp_path}
    fit(small_model("gan"), 1, Evaluate(tmp_path / "board", Scripted(evaluation, [1.0]), **options))
    fit(small_model("gan"), 1, Evaluate(tmp_path / "board", Scripted(evaluation, [5.0]), **options))
    assert best_of(tmp_path) == (1, 5.0)


def test_resuming_under_another_protocol_is_refused_before_a_step(tmp_path, evaluation):
    model, options = small_model("gan"), {"every": 1, "best": "frechet_distance", "checkpoints": tmp_path}
    fit(model, 1, Evaluate(tmp_path / "board", Scripted(evaluation, [1.0]), **options))
    other = Evaluate(tmp_path / "board", Scripted(evaluation, [0.1], samples=77), **options)
    with pytest.raises(
        UserError, match="(?s)another protocol.*samples: 1000 -> 77.*move best.keras and best.json away"
    ):
        fit(model, 1, other)
    assert model.steps_taken == 1 and best_of(tmp_path) == (1, 1.0)


def test_the_callback_refuses_early(tmp_path):
    with pytest.raises(UserError, match="Here it is 'frechet_distance'"):
        Evaluate(tmp_path, "digits", metrics=["fid"])
    with pytest.raises(UserError, match="best checkpoint by 'recal'. Did you mean 'recall'"):
        Evaluate(tmp_path, "digits", metrics=["precision_recall"], best="recal", checkpoints=tmp_path)
    with pytest.raises(UserError, match="pass checkpoints"):
        Evaluate(tmp_path, "digits", best="recall")
    with pytest.raises(UserError, match="best checkpoint by 'modes_covered'"):
        fit(small_model("gan"), 1, Evaluate(tmp_path, "digits", best="modes_covered", checkpoints=tmp_path, samples=50))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 3}, "samples must be a whole number from 10.*Received: 3"),
        ({"samples": 10**8}, "to 10,000,000. Received: 100000000"),
        ({"seed": -1}, "seed must be.*Received: -1"),
        ({"seed": 0.5}, "seed must be.*Received: 0.5"),
    ],
)
@pytest.mark.parametrize("scheme", ["dcgan", "text_to_image", "cyclegan", "adversarial_nmt"])
def test_every_evaluation_refuses_the_same_before_it_opens_data(scheme, options, message):
    with pytest.raises(UserError, match=message):
        evaluation_of(kg.registry.schemes[scheme], "./not opened", **options)


# The command ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of the ring with two steps behind it, and a best checkpoint of its first step."""
    from keras_gans.training import recipe, train

    root = tmp_path_factory.mktemp("runs")
    chosen = recipe.named("gan_ring").replace(data="ring", steps=2, checkpoint_every=1)
    folder = train.train(chosen, root=root, devices="cpu").run
    first = folder / "checkpoints" / "step-00000001.keras"
    (folder / "checkpoints" / "best.keras").write_bytes(first.read_bytes())
    return folder


def command(*arguments):
    import typer

    from keras_gans.training.evaluate_command import evaluate_command

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(evaluate_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_prints_the_data_beside_the_run_and_writes_the_protocol(run):
    result = command(run, "--samples", 300, "--seed", 2)
    assert result.exit_code == 0, result.exception
    for wanted in (
        "the data",
        "modes_covered",
        "wasserstein_1",
        "split 'test'",
        "300 samples against 10,000",
        "seed 2",
    ):
        assert wanted in result.stdout
    record = json.loads((run / "evaluation.json").read_text())
    assert (record["checkpoint"], record["step"]) == ("latest", 2)
    scores = {each["name"]: Score.from_dict(each) for each in record["scores"]}
    assert scores["modes_covered"].floor == 8.0 and scores["modes_covered"].protocol.seed == 2
    best = command(run, "--samples", 300, "--checkpoint", "best", "--metrics", "wasserstein_1, mode_coverage")
    assert best.exit_code == 0 and "best checkpoint, step 1" in best.stdout
    record = json.loads((run / "evaluation.json").read_text())
    assert len(record["scores"]) == 5 and record["checkpoint"] == "best"


@pytest.mark.parametrize(
    ("distance", "floor", "others", "said"),
    [(2.5, 1.4, ["kernel_distance"], True), (2.9, 1.4, ["kernel_distance"], False), (2.5, 1.4, ["coverage"], False)],
)
def test_a_distance_that_training_data_have_too_points_to_the_kernel_distance(distance, floor, others, said):
    from keras_gans.training.evaluate_command import _of_few_items

    named = [SimpleNamespace(name="frechet_distance", value=distance, floor=floor)]
    lines = list(_of_few_items([*named, *(SimpleNamespace(name=name, value=0.0, floor=0.0) for name in others)]))
    assert [("1.4 of 2.5" in line and "kernel distance is not" in line) for line in lines] == [True] * said


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (
            1,
            "1 held-out item .*: frechet_distance 2, kernel_distance 4, precision_recall 6.*--hold-out 0.3, or measure",
        ),
        (5, "5 held-out items .*: precision_recall 6. .*evaluate --metrics frechet_distance,kernel_distance,"),
    ],
)
def test_too_few_held_out_items_are_told_before_any_work(count, message, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), np.uint8)
    source = kg.data.open_source(images)
    source = dataclasses.replace(source.take(np.arange(count, 60)), held_out=source.take(np.arange(count)))
    monkeypatch.setattr(Evaluation, "_opened_extractor", None)
    with pytest.raises(UserError, match=message):
        Evaluation(source).prepare()


def test_as_many_held_out_items_as_are_said_to_be_needed_are_enough():
    from keras_gans.metrics.measures import MEASURES

    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), np.uint8)
    source = kg.data.open_source(images)
    names = [name for name, each in MEASURES.items() if each.of_images and name != "classifier_score"]
    for fewest in {MEASURES[name].fewest for name in names}:
        some = dataclasses.replace(source.take(np.arange(fewest, 60)), held_out=source.take(np.arange(fewest)))
        asked = [name for name in names if MEASURES[name].fewest <= fewest]
        scores = Evaluation(some, asked, samples=30).of_samples(images[:30])
        assert all(np.isfinite(score.value) for score in scores)


def test_a_distance_to_training_data_says_that_copies_win(evaluation):
    from keras_gans.training.evaluate_command import _explanation

    held_out, told = (score(2.0, samples=count) for count in (100, 100))
    told = dataclasses.replace(told, name="frechet_distance_to_training", floor_samples=30)
    lines = list(_explanation([dataclasses.replace(held_out, floor_samples=100), told], evaluation))
    assert [("30 held-out" in line and "memorization" in line) for line in lines].count(True) == 1
    assert not any("fewer training items" in line for line in lines)
    # Of training data in the samples' place nothing is said where there is no such column.
    assert evaluation.floor_means in lines and evaluation.floor_means not in list(_explanation([told], evaluation))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--metrics", "fid"], "Here it is 'frechet_distance'"),
        (["--extractor", "digit"], "Unknown extractor 'digit'"),
        (["--checkpoint", "last"], "Unknown checkpoint 'last'. Did you mean 'latest'"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_the_commands_mistakes_are_found_before_any_work(run, options, message, monkeypatch):
    monkeypatch.setattr("keras_gans.training.evaluate_command.import_quietly", None)
    result = command(run, *options)
    assert isinstance(result.exception, UserError) and message in str(result.exception)


def test_a_run_without_a_best_checkpoint_says_so(run, tmp_path):
    (tmp_path / "00001-x").mkdir()
    (tmp_path / "00001-x" / "recipe.json").write_text((run / "recipe.json").read_text())
    result = command(tmp_path / "00001-x", "--checkpoint", "best")
    assert isinstance(result.exception, UserError) and "has no best checkpoint" in str(result.exception)
