"""What is measured of translators: classes kept, cycles, and originals hidden in noise."""

import json

import numpy as np
import pytest

import keras_gans as kg
from keras_gans.doctor import VitalSigns, diagnose
from keras_gans.errors import UserError
from keras_gans.metrics import TranslationEvaluation, evaluation_of
from tests.test_training_cli import run_here, unwrapped

DIRECTIONS = kg.schemes.CycleGAN.translates


class Translators:
    """Stands for a model: two functions of float images in [-1, 1]."""

    translates = DIRECTIONS

    def __init__(self, a_to_b, b_to_a):
        self.functions = {"a_to_b": a_to_b, "b_to_a": b_to_a}

    def translate(self, pixels, direction):
        assert pixels.dtype == np.uint8
        translated = self.functions[direction](kg.pixels.from_uint8(pixels).numpy())
        return kg.pixels.to_uint8(translated).numpy()


# What the data set does to a digit of one style to make it one of the other.
TRUE = Translators(lambda a: -0.8 * a - 0.2, lambda b: -(b + 0.2) / 0.8)


@pytest.fixture(scope="module")
def evaluation():
    return TranslationEvaluation("digit_styles", DIRECTIONS).prepare()


def figures(evaluation, model):
    return {score.name: score for score in evaluation.of(model)}


def test_the_true_translation_has_the_datas_own_figures(evaluation):
    found = figures(evaluation, TRUE)
    for direction in DIRECTIONS:
        kept = found[f"classes_kept_{direction}"]
        assert kept.value > 0.95 and kept.value == pytest.approx(kept.floor, abs=0.02)
        assert found[f"cycle_error_{direction}"].value < 0.01
        assert found[f"hidden_share_{direction}"].value < 0.2
        assert found[f"frechet_distance_{direction}"].value < 3 * found[f"frechet_distance_{direction}"].floor
    assert np.trace(evaluation.confusions["a_to_b"]) == round(397 * found["classes_kept_a_to_b"].value)
    assert evaluation.swaps == {"a_to_b": "", "b_to_a": ""}


def test_swapped_classes_are_found_where_the_cycle_is_perfect(evaluation):
    # Upside down, a 6 is a 9; and the way back undoes it.
    turned = Translators(lambda a: -0.8 * a[:, ::-1, ::-1] - 0.2, lambda b: -(b[:, ::-1, ::-1] + 0.2) / 0.8)
    found = figures(evaluation, turned)
    assert found["cycle_error_a_to_b"].value < 0.01
    assert found["classes_kept_a_to_b"].value < 0.6
    assert evaluation.confusions["a_to_b"][6, 9] > 20
    assert "6 -> 9" in evaluation.swaps["a_to_b"]


def test_an_original_that_is_hidden_in_noise_is_found_where_it_cannot_be_seen(evaluation):
    hiding = Translators(lambda a: 0.05 * a, lambda b: np.clip(20.0 * b, -1.0, 1.0))
    found = figures(evaluation, hiding)
    assert found["cycle_error_a_to_b"].value < 0.06
    assert found["hidden_share_a_to_b"].value > 0.8


def test_what_data_or_scheme_do_not_allow_is_refused():
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1)).astype("uint8")
    pair = kg.data.Unpaired(images, images[:30])
    plain = TranslationEvaluation(pair, DIRECTIONS)
    assert plain.measures == ["sliced_wasserstein_distance", "cycle_error", "hidden_share"]
    with pytest.raises(UserError, match="'classes_kept' needs labels of both collections"):
        TranslationEvaluation(pair, DIRECTIONS, ["classes_kept"])
    with pytest.raises(UserError, match="'cycle_error' needs a scheme that translates both ways"):
        TranslationEvaluation(pair, {"a_to_b": DIRECTIONS["a_to_b"]}, ["cycle_error"])
    with pytest.raises(UserError, match="Unknown metric of translations 'cycle'"):
        TranslationEvaluation(pair, DIRECTIONS, ["cycle"])
    assert {score.protocol.split for score in plain.of(TRUE)} == {"half of train"}


def test_the_scheme_says_what_evaluates_it():
    assert isinstance(evaluation_of(kg.schemes.CycleGAN, "digit_styles"), TranslationEvaluation)
    assert isinstance(evaluation_of(kg.schemes.DCGAN, "digits"), kg.metrics.Evaluation)


def test_the_command_prints_both_directions_and_draws_which_class_became_which(tmp_path):
    smaller = [f"--set={role}.base_filters=4" for role in ("a_to_b", "b_to_a", "discriminator_a", "discriminator_b")]
    options = ["--steps", "4", "--set=scheme.identity_weight=0.5", *smaller]
    code, output, errors = run_here("train", "cyclegan", *options, cwd=tmp_path)
    assert code == 0, errors
    assert "Note: identity_weight=0.5" in unwrapped(output), "the two styles are of other colours"
    code, output, errors = run_here("evaluate", "latest", "--samples", "50", cwd=tmp_path)
    assert code == 0, errors
    run = next((tmp_path / "runs").iterdir())
    scores = json.loads((run / "evaluation.json").read_text())["scores"]
    assert {"classes_kept_a_to_b", "hidden_share_b_to_a"} <= {score["name"] for score in scores}
    assert "classes_kept_a_to_b" in output and {score["protocol"]["samples"] for score in scores} == {50}
    assert (run / "confusion_a_to_b.png").exists() and (run / "confusion_b_to_a.png").exists()


# The doctor ---------------------------------------------------------------------------------------------------------


def looks(kept=0.9, hidden=0.0, count=20):
    losses = {"translators": 1.0}
    by_step = [kept] * count if isinstance(kept, float) else kept
    return [
        VitalSigns(
            100 * step,
            losses=losses,
            classes_kept={"a_to_b": share, "b_to_a": 0.9},
            hidden_share={"a_to_b": hidden, "b_to_a": 0.0},
            swaps={"a_to_b": "3 -> 8 (70 %)"},
        )
        for step, share in enumerate(by_step)
    ]


def test_the_doctor_tells_swapped_classes_and_hidden_originals():
    assert diagnose(looks()).name == "healthy"
    verdict = diagnose(looks(kept=0.2))
    assert verdict.name == "swapped classes" and verdict.is_sick
    assert "3 -> 8 (70 %)" in verdict.evidence[0] and "cycada" in verdict.remedies[0]
    assert diagnose(looks(hidden=0.9)).name == "hidden originals"


def test_the_doctor_waits_while_more_classes_are_kept_than_before():
    rising = [0.02 * step for step in range(22)]
    assert diagnose(looks(kept=rising)).name != "swapped classes"
    assert diagnose(looks(kept=0.2, count=8)).name != "swapped classes", "eight looks span too few steps"
