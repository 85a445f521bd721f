"""What the benchmarks promise besides their figures: runs are filed once, and what is drawn is what was measured."""

import argparse
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import keras_gans as kg
from benchmarks import (
    any_images,
    checkerboard,
    convergence_measures,
    feature_ranking,
    mode_coverage,
    stacking,
    translation,
)
from benchmarks.filed import known_runs, run_once
from keras_gans.drawing import plot
from keras_gans.drawing.picture import read
from keras_gans.subwords import END, PAD
from keras_gans.training import choosing
from keras_gans.training import recipe as recipes
from keras_gans.training.train import build_for
from tests.small import small_model


def test_a_run_is_measured_once_and_filed_at_once(tmp_path):
    path, calls = tmp_path / "new" / "runs.jsonl", []

    def measured(value):
        return lambda: calls.append(value) or {"value": value}

    assert known_runs(path) == []
    assert run_once(path, {"seed": 0}, measured(3)) == {"value": 3}
    assert run_once(path, {"seed": 0}, measured(4)) is None
    assert run_once(path, {"seed": 1}, measured(5)) == {"value": 5}
    assert calls == [3, 5]
    assert known_runs(path) == [{"seed": 0, "value": 3}, {"seed": 1, "value": 5}]


def test_a_field_that_a_recipe_got_later_is_no_other_run(tmp_path):
    path = tmp_path / "runs.jsonl"
    assert run_once(path, {"recipe": {"steps": 5}}, lambda: {"value": 1})
    assert run_once(path, {"recipe": {"steps": 5, "new": None}}, lambda: {"value": 2}) is None
    assert run_once(path, {"recipe": {"steps": 5, "new": 1}}, lambda: {"value": 3})


def test_a_run_of_all_images_is_not_one_of_some(tmp_path):
    path = tmp_path / "runs.jsonl"
    assert run_once(path, {"seed": 0, "rows": 100}, lambda: {"value": 1})
    assert run_once(path, {"seed": 0, "rows": None}, lambda: {"value": 2}) == {"value": 2}
    assert run_once(path, {"seed": 0, "rows": None}, lambda: {"value": 3}) is None


def test_grey_images_in_three_channels_hold_out_what_those_in_colour_do(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for index in range(40):
        grey = rng.integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(np.repeat(grey[..., None], 3, axis=-1)).save(tmp_path / f"{index}.png")
    trained, measured = [], []

    def fake(recipe, source):
        trained.append(source)
        return SimpleNamespace(fit=lambda *arguments, **options: None)

    class Measured:
        def __init__(self, source, **options):
            measured.append(source)

        def of(self, model):
            return []

    monkeypatch.setattr(any_images, "build_for", fake)
    monkeypatch.setattr(any_images, "_steps_in", lambda *arguments: 5)
    monkeypatch.setattr(any_images, "Evaluation", Measured)
    for channels in (1, None, 3):
        recipe = recipes.named("dcgan").replace(data=str(tmp_path), channels=channels, batch_size=8, image_size=8)
        any_images.measure(recipe, 1, rows=20)
    (grey, colour, asked), (of_grey, of_colour, _) = trained, measured
    assert asked.sample_shape == (8, 8, 3)
    assert grey.sample_shape == (8, 8, 1) and of_grey.sample_shape == colour.sample_shape == (8, 8, 3)
    for one, other in ((of_grey, of_colour), (of_grey.held_out, of_colour.held_out)):
        np.testing.assert_array_equal(one.samples, other.samples)
    np.testing.assert_array_equal(grey.samples, colour.samples[..., :1])
    np.testing.assert_array_equal(grey.held_out.samples, colour.held_out.samples[..., :1])


def test_what_was_set_makes_a_row_of_its_own():
    run = {"rows": None, "budget": 5, "method": "dcgan", "recipe": {"image_size": 32}}
    assert any_images._group_of(run) == (0, 5, "dcgan, 32 pixels")
    assert any_images._group_of({**run, "set": ["steps=5"], "rows": 9}) == (9, 5, "dcgan, steps=5, 32 pixels")


def test_the_name_of_a_picture_tells_runs_apart_and_fits_a_file_system():
    recipe = recipes.named("dcgan").replace(data="path/to/emoji", seed=3)
    many = [f"discriminator.setting_{number}=0.5" for number in range(12)]
    names = [
        any_images._picture_of(recipe, "chosen", 300, argparse.Namespace(seconds=20, set=asked))
        for asked in ([], ["steps=5"], many, [*many, "steps=5"])
    ]
    assert names[0] == "emoji_chosen_300_images_seed_3_20_seconds.png"
    # What is written goes by a longer name first.
    assert len(set(names)) == 4 and max(map(len, names)) < 220


def test_the_sentences_that_translators_are_timed_on_are_as_long_as_multi30ks():
    for side in translation.sentences():
        lengths = np.array([len(row) for row in side])
        assert len(side) == translation.PAIRS and (lengths.min(), lengths.max()) == (5, translation.LENGTH)
        assert abs(lengths.mean() - 15.5) < 0.5 and all(row.index(END) == len(row) - 1 for row in side)


def test_the_peers_search_finds_the_likeliest_sentence(monkeypatch):
    """By hand: 3 or 4 (0.6, 0.4), then whatever is twice as likely behind 4: 0.4 * 0.9 is more than 0.6 * 0.5."""
    monkeypatch.setattr(translation, "SIZE", 6)
    shares = {(1,): {3: 0.6, 4: 0.4}, (1, 3): {3: 0.5, 4: 0.5}, (1, 4): {5: 0.9, 3: 0.1}}

    def logits_of(prefixes):
        rows = [shares.get(tuple(prefix), {END: 1.0}) for prefix in prefixes.tolist()]
        return np.log([[row.get(token, 1e-6) for token in range(6)] for row in rows])

    assert translation.beam_search(logits_of, 2, 4).tolist() == [[4, 5, END, PAD]] * 2


def test_a_stack_and_its_rival_differ_in_the_stacking_alone():
    stacked, at_once = (stacking.recipe_of(way, 3) for way in ("stacked", "at once"))
    assert (stacked.steps, stacked.batch_size, stacked.seed) == (at_once.steps, at_once.batch_size, 3)
    for role in ("text_encoder", "image_encoder", "discriminator"):
        assert stacked.networks[role] == at_once.networks[role]
    kept = set(stacked.scheme) - {"name", "stage_1_steps", "divergence_weight"}
    assert {name: at_once.scheme[name] for name in kept} == {name: stacked.scheme[name] for name in kept}


def test_stage_one_enlarged_is_what_stage_one_draws_each_pixel_four_times():
    model = small_model("stackgan")
    drawn = stacking.SmallOnes(model).sample(3, 5, ["red", "blue", "red"])
    assert drawn.shape == (3, *model.sample_shape()) and drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn[:, ::2, ::2], drawn[:, 1::2, 1::2])
    # Before stage II that is what the model itself draws.
    np.testing.assert_array_equal(drawn, model.sample(3, 5, texts=["red", "blue", "red"]))


def test_variants_take_turns():
    class Variant:
        def __init__(self, name):
            self.name = name

        def greedy(self):
            turns.append(self.name)
            return 7

    turns = []
    rates = translation.rates({name: Variant(name) for name in "ab"}, "greedy", rounds=2, seconds=0)
    assert turns == [*"ab", *"abab"] and [len(each) for each in rates.values()] == [2, 2]


def test_a_run_that_fails_is_not_filed(tmp_path):
    path = tmp_path / "runs.jsonl"
    with pytest.raises(ZeroDivisionError):
        run_once(path, {"seed": 0}, lambda: 1 / 0)
    assert not path.exists()


@pytest.mark.parametrize(
    "data",
    ["ring", "grid", pytest.param("stacked_digits", marks=pytest.mark.slow)],  # 156,000 classified channels
)
def test_held_out_data_have_every_mode_and_noise_has_not(data):
    found = mode_coverage.references(data)
    held_out, noise = found["held-out data"], found["uniform noise"]
    assert set(held_out) == set(mode_coverage.FIGURES[data])
    assert held_out["modes"] == mode_coverage.MODES[data]
    good = "sure" if data == "stacked_digits" else "high_quality"
    assert held_out[good] > 0.9 and noise[good] < 0.05
    if data == "stacked_digits":
        assert noise["named"] > 800 and noise["modes"] < 100, "a classifier names noise, and is not sure of it"
    else:
        assert held_out["width"] == pytest.approx(1.0, abs=0.05)


def test_the_runs_of_the_tables_are_built_of_their_methods():
    stacked = kg.data.open_source(np.zeros((8, 8, 8, 3), "uint8"))
    for method in mode_coverage.METHODS:
        recipe = mode_coverage.recipe_for("stacked_digits", method, batches=30)
        assert recipe.steps == (6 if method.startswith("wgan") else 30)
        model = build_for(recipe, stacked)
        assert model.generator.output_shape == (None, 8, 8, 3)
    for method, data in mode_coverage.RECIPES.items():
        recipe = mode_coverage.recipe_for(data, method, seed=5)
        assert recipe == recipes.named(method).replace(seed=5) and recipe.data == data
    plain = mode_coverage.recipe_for("grid", "gan").networks["discriminator"]
    assert mode_coverage.recipe_for("grid", "pacgan").networks["discriminator"] == {**plain, "packing": 2}
    deconvolution, nearest = (checkerboard.recipe_for(mode, 0, 5).networks for mode in ("deconv", "nearest"))
    assert nearest["generator"] == {**deconvolution["generator"], "upsampling": "nearest"}
    assert nearest["discriminator"] == deconvolution["discriminator"]


def test_the_methods_for_any_images_are_built_on_the_recipes_networks():
    small = {"generator.base_filters": 2, "discriminator.base_filters": 2}
    source = kg.data.open_source("digits", labels=True)
    names = {"chosen": "cgan_images", "chosen_longer": "cgan_images"}
    names |= {name: name for name in ("dcgan_images", "dcgan_r1")}
    for method in any_images.METHODS:
        recipe = any_images.recipe_for(method, "digits", seed=3, settings=small)
        assert recipe.name == names.get(method, "dcgan")
        model = build_for(recipe, source)
        assert recipe.seed == model.seed == 3 and model.sample_shape() == (8, 8, 1)
        augmented = method == "dcgan_images" or "discriminator.augmentation" in (any_images.METHODS[method] or {})
        assert augmented == any("random_shift" in layer.name for layer in model.discriminator.layers)


@pytest.mark.parametrize("name", ["dcgan_images", "cgan_images"])
def test_an_augmentation_that_was_set_stays_where_one_is_chosen(name, monkeypatch):
    monkeypatch.setattr(
        any_images,
        "measure",
        lambda recipe, seconds, rows, most_steps, choosing, extractors, picture: (choosing, extractors),
    )
    recipe = recipes.named(name)
    assert any_images._measured("chosen", recipe, 6, extractors=("patches",)) == (True, ("patches",))
    assert any_images._measured("dcgan", recipe, 6) == (False, (None,))
    for value in (None, {"shift": 0.125}):
        as_set = recipes.with_settings(recipe, {"discriminator.augmentation": value})
        assert any_images._measured("chosen_longer", as_set, 6) == (False, (None,))


def test_a_run_is_trained_once_for_all_extractors_and_those_are_of_all_images(tmp_path, monkeypatch):
    used = []

    def measure(recipe, seconds, rows, most_steps, choosing, extractors, picture):
        used.append(extractors)
        figures = dict.fromkeys(any_images.FIGURES, 0.5) | {"steps": 4, "seconds": 1.0, "augmented": False}
        return [figures for _ in extractors]

    monkeypatch.setattr(any_images, "measure", measure)
    monkeypatch.setattr(any_images, "references", lambda recipe, extractor: {})
    output = tmp_path / "runs.jsonl"
    for names in (["patches"], ["random", "patches", "random"], ["patches"]):
        asked = ["--methods", "dcgan", "--seeds", "0", "--rows", "40", "90", "--extractor", *names]
        monkeypatch.setattr("sys.argv", ["any_images", "--data", "digits", *asked, "--output", str(output)])
        any_images.main()
    assert [[each.name for each in extractors] for extractors in used] == [["patches"]] * 2 + [["random"]] * 2
    assert used[0][0] is used[1][0] and used[2][0] is used[3][0]
    assert [run["extractor"] for run in known_runs(output)] == ["patches"] * 2 + ["random"] * 2


def test_a_run_on_any_images_is_measured_by_each_extractor_and_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(any_images, "_steps_in", lambda seconds, recipe, source: seconds)
    small = {"generator.base_filters": 2, "discriminator.base_filters": 2, "batch_size": 8}
    recipe = any_images.recipe_for("dcgan", "digits", settings=small)
    path = tmp_path / "new" / "drawn.png"
    by_patches, by_random = any_images.measure(recipe, 2, extractors=("patches", "random"), picture=path)
    shared = {"steps", "seconds", "augmented"}
    assert set(by_patches) == set(by_random) == shared | set(any_images.FIGURES)
    assert all(by_patches[name] == by_random[name] for name in shared)
    assert by_patches["frechet_distance"] != by_random["frechet_distance"]
    drawn = read(path)
    assert drawn.shape[0] == drawn.shape[1] and 0 < drawn.std()


def test_copies_and_noise_stand_beside_what_the_data_have():
    found = any_images.references(any_images.recipe_for("dcgan", "digits"), extractor="patches")
    assert all(set(figures) == set(any_images.FIGURES) for figures in found.values())
    for name in ("frechet_distance", "frechet_distance_to_training", "kernel_distance"):
        data, copies, noise = (figures[name] for figures in found.values())
        assert data < 0.5 * copies < 0.05 * noise


def test_a_figure_that_an_earlier_run_lacks_is_not_made_up():
    assert any_images._cell([0.25, None], "{:.2f}") == "not measured"
    assert any_images._cell([0.25, 0.5, 1.0], "{:.2f}") == "0.50 [0.25, 1.00]"
    assert any_images._cell([0.5], "{:.2f}") == "0.50"


@pytest.mark.slow
def test_a_chosen_recipe_takes_its_own_steps_and_augments_what_is_seen_often(monkeypatch):
    monkeypatch.setattr(any_images, "_steps_in", lambda seconds, recipe, source: seconds)
    monkeypatch.setattr(choosing, "suited_precision", lambda: "float32")
    measured = []
    ready = SimpleNamespace(of=lambda model: measured.append(model) or [])
    monkeypatch.setattr(any_images, "Evaluation", lambda *_, **__: ready)
    small = {"generator.base_filters": 2, "discriminator.base_filters": 2, "batch_size": 8, "steps": 4}
    monkeypatch.setattr(choosing, "_MOST_IN_OWN_STEPS", {"cgan_images": 1, "dcgan_images": 1})
    found = {}
    for method in ("chosen", "chosen_longer", "dcgan"):
        recipe = any_images.recipe_for(method, "digits", settings=small)
        (found[method],) = any_images._measured(method, recipe, 6, rows=40)
    assert {method: run["steps"] for method, run in found.items()} == {"chosen": 4, "chosen_longer": 6, "dcgan": 6}
    assert [model.steps_taken for model in measured] == [4, 6, 6]
    # 4 times 8 of 40 rows, and 6 times 8.
    augmented = [any("random_shift" in layer.name for layer in model.discriminator.layers) for model in measured]
    assert augmented == [False, True, False] == [run["augmented"] for run in found.values()]


def test_the_samples_that_features_rank_are_what_their_names_say(monkeypatch):
    monkeypatch.setattr(feature_ranking, "COUNT", 60)
    source = kg.data.open_source("digits", labels=True)
    images, labels = np.asarray(source.samples), np.asarray(source.labels)
    sets = feature_ranking.altered(images, labels, seed=0)
    assert {"training", "noise", "copies of 20", "copies of 200"} < set(sets) and len(sets) == 15
    assert all(each.shape == (60, 8, 8, 1) and each.dtype == np.uint8 for each in sets.values())
    known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    assert all(image.tobytes() in known for image in sets["training"])
    assert len({image.tobytes() for image in sets["copies of 20"]}) <= 20
    assert {known[image.tobytes()] for image in sets["one class"]} == {0}
    assert {known[image.tobytes()] for image in sets["half of the classes"]} <= set(range(5))
    # Exchanged quarters hold the same pixels.
    np.testing.assert_array_equal(
        np.sort(sets["quarters exchanged"].reshape(60, -1)), np.sort(sets["training"].reshape(60, -1))
    )
    far = {"a": 1.0, "b": 5.0, "c": 9.0}
    assert feature_ranking.rank_correlation(far, {"a": 2.0, "b": 3.0, "c": 70.0}, "abc") == pytest.approx(1.0)
    assert feature_ranking.rank_correlation(far, {"a": 3.0, "b": 2.0, "c": 1.0}, "abc") == pytest.approx(-1.0)


def test_features_are_held_against_all_classifiers_and_these_against_each_other():
    names = ("training", "noise", *(f"{kind} {n}" for kind in ("a", "b", "c", "d", "e") for n in (1, 2)))
    order = dict(zip(names, range(12), strict=True))
    exchanged = {**order, "training": 1, "noise": 0}
    found = {"reference": order, "patches": order, "reference, seed 1": exchanged, "reference, seed 2": exchanged}
    # One exchange of neighbours among twelve: 1 - 6 (1 + 1) / (12 (144 - 1)).
    apart = 1 - 12 / (12 * 143)
    expected = {"reference": apart, "patches": (1 + 2 * apart) / 3, "reference, seed 1": (1 + apart) / 2}
    for name, value in expected.items():
        assert feature_ranking.agreement(found, name, names) == pytest.approx(value)
    assert feature_ranking.judges(found) == [name for name in found if name != "patches"]


def test_one_classifier_has_no_other_to_be_held_against(monkeypatch):
    monkeypatch.setattr(feature_ranking, "OF_GENERATORS", ("a", "b"))
    one, three = ({"data": "digits", "distances": {"patches": {"a": 1, "b": 2}}} for _ in range(2))
    one["distances"]["reference"] = {"a": 1, "b": 2}
    for name in ("reference", "reference, seed 1", "reference, seed 2"):
        three["distances"][name] = {"a": 2, "b": 1}
    console = Console(record=True, width=100)
    feature_ranking.show(console, [one, three])
    first, second = console.export_text().split("digits, 3 classifiers")
    assert "1.00 [1.00, 1.00]" in first and "reference" not in first
    assert "-1.00 [-1.00, -1.00]" in second and second.count("reference") == 3


def test_looks_are_spread_evenly_on_a_logarithmic_scale_to_the_last_step():
    steps = convergence_measures.looks(5000)
    assert len(steps) == 12 and (steps[0], steps[-1]) == (50, 5000)
    np.testing.assert_allclose(np.diff(np.log(steps)), np.log(100) / 11, atol=0.02)
    assert convergence_measures.looks(20) == [20]


def run_of(recipe, seed=0):
    """A run whose reconstruction loss ranks as its FID, its fresh critic the other way round, its own curve not."""
    fid = [40.0, 20.0, 10.0, 5.0]
    curves = {
        "fid": fid,
        "inversion": [4.0, 3.0, 2.0, 1.0],
        "critic": [1.0, 2.0, 3.0, 4.0],
        "own": [2.0, 4.0, 1.0, 3.0],
    }
    return {"recipe": {"name": recipe, "seed": seed, "data": "digits"}, "step": [50, 100, 200, 400], **curves}


def test_the_correlation_is_of_ranks_with_the_distance():
    found = convergence_measures.correlations(run_of("began"))
    assert found == pytest.approx({"inversion": 1.0, "critic": -1.0, "own": 0.0})


def test_the_figure_has_a_panel_for_each_measure_of_each_recipe():
    runs = [run_of("began", seed) for seed in range(3)] + [run_of("wgan_gp_mlp")]
    panels = convergence_measures.panels(runs)
    assert len(panels) == 8 and [len(panel.curves) for panel in panels] == [3] * 4 + [1] * 4
    assert panels[1].curves[0].label == "rank correlation +1.00 [+1.00, +1.00]"
    assert plot.draw(panels, width=1280, columns=4).shape[1:] == (1280, 3)


def test_the_checkerboards_figure_is_of_medians_over_the_datas_score():
    runs = [
        {
            "recipe": {"generator": {"upsampling": mode}, "seed": seed, "steps": steps},
            **{"untrained": 0.1, "trained": score / steps, "data": 0.01, "fid": 1.0},
        }
        for mode in checkerboard.NAMES
        for seed, score in enumerate((0.1, 0.2, 0.6))
        for steps in (10, 1)
    ]
    panel = checkerboard.panel(runs)
    bars = [curve for curve in panel.curves if curve.kind == "bars"]
    np.testing.assert_allclose([bar.y for bar in bars], [[10.0] * 4, [20.0] * 4, [2.0] * 4])
    assert plot.draw([panel], width=720).shape == (380, 720, 3)
