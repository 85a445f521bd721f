"""The doctor: its judgement on hand-made histories, its measures on hand-made samples, and its visits to small runs."""

import dataclasses
import inspect
import io
import itertools
import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

import keras_gans as kg
from keras_gans.callbacks.doctor import Doctor, _patient_of
from keras_gans.doctor import HEALTHY, UNCLEAR, Patient, Reference, VitalSigns, diagnose, not_finite, separation
from keras_gans.doctor.examination import Examination
from keras_gans.doctor.snapshot import Snapshot
from keras_gans.engine.base import AdversarialModel
from keras_gans.errors import NonFiniteError, UserError
from keras_gans.pixels import steepness
from tests.small import BATCH, endless, images, optimizer_state, small_model, weights

PLAYERS = ("discriminator", "generator")
GOOD = {"diversity": 0.9, "coverage": 0.6, "distance": 0.02, "duplicates": 0.0, "separation": 0.8, "score_spread": 1.0}
COLLAPSED = {"diversity": 0.1, "coverage": 0.01, "distance": 0.5, "duplicates": 0.7, "separation": 0.3}
OVERPOWERED = {"diversity": 0.9, "coverage": 0.0, "distance": 0.7, "separation": 0.999}


def look(step, **signs):
    """A look at a healthy run, but for what is given."""
    of_players = {"losses": 1.0, "gradient_norms": 2.0, "learning_rates": 1e-3, "weight_changes": 0.1}
    both = {name: dict.fromkeys(PLAYERS, value) for name, value in of_players.items()}
    return VitalSigns(step, **{**both, "sample_change": 0.3, **GOOD, **signs})


def course(*phases, every=100):
    """A first look at step 0, then `count` looks with the same signs for each (count, signs) of `phases`."""
    looks = [dataclasses.replace(look(0), losses={}, gradient_norms={}, weight_changes={}, separation=None)]
    for count, signs in phases:
        looks += [look(looks[-1].step + every * (index + 1), **signs) for index in range(count)]
    return looks


def verdicts(history, patient=None, patience=5):
    """The verdict after each look."""
    given = [None]
    for end in range(1, len(history) + 1):
        given.append(diagnose(history[:end], patient, patience, given[-1]))
    return given[1:]


def names(history, patient=None, patience=5):
    return [verdict.name for verdict in verdicts(history, patience=patience, patient=patient)]


# Judgement --------------------------------------------------------------------------------------------------------


def test_a_healthy_run_is_healthy_once_there_were_three_looks():
    assert names(course((5, {}))) == [UNCLEAR] * 3 + [HEALTHY] * 3
    verdict = verdicts(course((5, {})))[-1]
    assert not verdict.is_sick and not verdict.remedies
    assert "0.90 times as diverse as the data, covering 60 % of it" in verdict.summary
    assert "80 % of pairs, neither player wins" in verdict.summary


@pytest.mark.parametrize(
    ("signs", "name", "looks"),
    [
        (COLLAPSED, "collapsed", 5),
        (OVERPOWERED, "overpowering discriminator", 5),
        ({"coverage": 0.05, "distance": 0.4}, "not converging", 10),
        ({"weight_changes": {"discriminator": 0.1, "generator": 0.0}}, "frozen generator", 3),
        ({"weight_changes": {"discriminator": 0.0, "generator": 0.1}}, "frozen discriminator", 3),
        ({"score_spread": 0.0, "separation": 0.5}, "blind discriminator", 3),
        ({"losses": {"discriminator": 1.0, "generator": 1e7}}, "exploding", 2),
        ({"gradient_norms": {"discriminator": float("inf"), "generator": 1.0}}, "exploding", 2),
        ({"finite": False}, "not finite", 1),
    ],
)
def test_an_illness_is_named_at_the_stated_look_and_not_before(signs, name, looks):
    found = names(course((looks + 2, signs)))
    assert found == [UNCLEAR] * looks + [name] * 3
    verdict = verdicts(course((looks, signs)))[-1]
    assert verdict.is_sick and verdict.evidence and verdict.remedies
    assert (verdict.since, verdict.step) == (100, 100 * looks)


@pytest.mark.parametrize("signs", [COLLAPSED, OVERPOWERED], ids=["collapsed", "overpowered"])
def test_one_good_look_starts_the_count_anew(signs):
    assert not any(v.is_sick for v in verdicts(course((4, signs), (1, {}), (4, signs), (1, {}))))


@pytest.mark.parametrize("signs", [COLLAPSED, OVERPOWERED], ids=["collapsed", "overpowered"])
def test_looks_close_together_prove_nothing_until_they_span_400_steps(signs):
    found = names(course((45, signs), every=10))
    first = next(index for index, name in enumerate(found) if name != UNCLEAR)
    # The first sick look is at step 10, so the one at 410 is 400 steps on.
    assert first == 41


def test_a_run_that_gets_better_is_not_called_sick():
    nearer = [look(100 * (i + 1), **{**OVERPOWERED, "distance": 0.9 * 0.85**i}) for i in range(12)]
    wider = [look(100 * (i + 1), **{**COLLAPSED, "coverage": 0.03 * i}) for i in range(5)]
    for looks in (nearer, wider):
        assert not any(verdict.is_sick for verdict in verdicts(course() + looks))
    stuck = [look(100 * (i + 1), **{**OVERPOWERED, "distance": 0.9 * 0.98**i}) for i in range(12)]
    assert verdicts(course() + stuck)[-1].name == "overpowering discriminator"


def test_an_illness_stands_while_signs_are_mixed_and_ends_after_three_good_looks():
    found = names(course((5, COLLAPSED), (2, {}), (1, COLLAPSED), (4, {})))
    assert found == [UNCLEAR] * 5 + ["collapsed"] * 6 + [HEALTHY] * 2


def test_a_vaguer_verdict_does_not_replace_a_clearer_one():
    wandering = {**COLLAPSED, "diversity": 0.7}
    assert set(names(course((5, COLLAPSED), (12, wandering)))[5:]) == {"collapsed"}


def test_a_late_collapse_tells_what_was_there_before():
    verdict = verdicts(course((20, {}), (5, COLLAPSED)))[-1]
    assert verdict.name == "collapsed" and verdict.since == 2100
    assert "At step 2000 they covered 60 %." in verdict.evidence


def test_a_critic_that_separates_is_no_illness_by_itself():
    parted = {**OVERPOWERED, "coverage": 0.7, "distance": 0.02}
    assert verdicts(course((9, parted)), Patient(is_critic=True))[-1].name == HEALTHY
    assert not any(v.is_sick for v in verdicts(course((9, OVERPOWERED)), Patient(is_critic=True)))
    # Samples that stay far from the data are, whoever judges them.
    assert verdicts(course((10, OVERPOWERED)), Patient(is_critic=True))[-1].name == "not converging"


def test_a_discriminator_that_wins_over_good_samples_is_no_illness():
    assert names(course((9, {"separation": 0.999})))[-1] == HEALTHY


def test_a_vanished_gradient_is_part_of_the_evidence():
    early = look(100, **OVERPOWERED, gradient_norms={"discriminator": 1.0, "generator": 5.0})
    later = [
        look(100 * i, **OVERPOWERED, gradient_norms={"discriminator": 1.0, "generator": 0.01}) for i in range(2, 6)
    ]
    verdict = diagnose([*course(), early, *later], Patient(is_minimax=True))
    assert "The generator's gradient norm is 0.01; it was 5, so it has vanished." in verdict.evidence
    assert "generator_objective=non_saturating" in verdict.remedies[0]
    still = diagnose([*course(), early, *[dataclasses.replace(early, step=100 * i) for i in range(2, 6)]])
    assert "The generator's gradient norm is 5." in still.evidence


def test_the_end_of_a_schedule_is_no_frozen_player():
    stopped = {"weight_changes": dict.fromkeys(PLAYERS, 0.0), "learning_rates": dict.fromkeys(PLAYERS, 1e-8)}
    assert not any(verdict.is_sick for verdict in verdicts(course((5, {}), (5, stopped))))
    assert names(course((5, {}), (5, {"weight_changes": dict.fromkeys(PLAYERS, 0.0)})))[-1] == "frozen generator"


def test_what_to_try_depends_on_the_cause():
    still = {"discriminator": 0.1, "generator": 0.0}
    zero_rate = diagnose(
        course((3, {"weight_changes": still, "learning_rates": {"discriminator": 4e-4, "generator": 0}}))
    )
    assert zero_rate.remedies == ("--set optimizers.generator.learning_rate=0.0004.",)
    no_gradient = diagnose(
        course((3, {"weight_changes": still, "gradient_norms": {"discriminator": 1, "generator": 0}}))
    )
    assert "No gradient reaches it" in no_gradient.remedies[0]
    slow = diagnose(course((5, {**COLLAPSED, "learning_rates": {"discriminator": 5e-5, "generator": 1e-3}})))
    assert slow.remedies[0].startswith("--set optimizers.discriminator.learning_rate=0.001.")
    # Pairs are refused where a penalty looks at each sample by itself.
    for can_pack in (True, False):
        told = diagnose(course((5, COLLAPSED)), Patient(can_pack=can_pack)).remedies
        assert any("packing" in sentence for sentence in told) == can_pack
    penalised, plain = (_patient_of(small_model(scheme)) for scheme in ("wgan_gp", "gan"))
    assert not penalised.can_pack and plain.can_pack
    # The networks that are said to take them do.
    (harder,) = (each for each in diagnose(course((5, OVERPOWERED))).remedies if "input_noise" in each)
    for network in (kg.networks.dcgan_discriminator, kg.networks.mlp_discriminator):
        assert network.__name__ in harder and {"input_noise", "dropout"} < set(inspect.signature(network).parameters)
    # Of the players that there are.
    players = {"translators": 1e-3, "discriminators": 2e-3}
    translating = not_finite("NaN", 500, [*course((4, {})), look(500, learning_rates=players)])
    clipping = "--set optimizers.translators.clipnorm=1.0 --set optimizers.discriminators.clipnorm=1.0."
    assert any(sentence.endswith(clipping) for sentence in translating.remedies)
    even = diagnose(course((5, COLLAPSED)))
    assert even.remedies[0] == "--set optimizers.generator.learning_rate=0.00025."


def test_missing_classes_are_a_warning_where_none_come_back():
    missing = {"missing_classes": 3, "class_entropy": 0.84}
    verdict = diagnose(course((5, missing)))
    assert verdict.name == "missing classes" and not verdict.is_sick
    assert "is 0.84 of the data's; 3 of the data's classes" in verdict.evidence[0]
    coming = [look(100 * (i + 1), missing_classes=3, class_entropy=0.5 + 0.08 * i) for i in range(5)]
    assert diagnose(course() + coming).name == UNCLEAR
    assert diagnose(course((5, {"missing_classes": 0, "class_entropy": 1.0}))).name == HEALTHY


def test_nan_out_of_a_quiet_run_points_at_the_data_and_after_rising_norms_at_the_rate():
    error = "Step 501: discriminator_loss is NaN or infinite."
    quiet = not_finite(error, 500, course((5, {})))
    assert quiet.is_sick and "in the data" in quiet.summary and "NaN or infinity in the data" in quiet.remedies[0]
    assert quiet.evidence[0] == error
    rising = not_finite(
        error, 500, course((4, {}), (1, {"gradient_norms": {"discriminator": 900.0, "generator": 3.0}}))
    )
    assert "steps are too large" in rising.summary and "the discriminator's, 900" in rising.evidence[1]
    assert "--set optimizers.discriminator.learning_rate=0.0001" in rising.remedies[0]
    assert "before the first look" in not_finite(error, 3).evidence[1]


def test_without_samples_losses_and_weights_are_judged_alone():
    none = dict.fromkeys(
        ("diversity", "coverage", "distance", "duplicates", "separation", "score_spread", "sample_change")
    )
    assert diagnose(course((5, none))).name == HEALTHY
    assert diagnose(course((5, {**none, "weight_changes": dict.fromkeys(PLAYERS, 0.0)}))).name == "frozen generator"


def test_every_setting_that_is_advised_exists():
    from keras_gans.training import recipe as recipes

    illnesses = [
        COLLAPSED, OVERPOWERED, {"coverage": 0.05, "distance": 0.4}, {"score_spread": 0.0},
        {"weight_changes": dict.fromkeys(PLAYERS, 0.0)}, {"losses": {"generator": 1e7}}, {"finite": False},
    ]  # fmt: skip
    patients = [Patient(), Patient(is_critic=True), Patient(is_minimax=True)]
    text = " ".join(
        " ".join(verdict.remedies)
        for signs in illnesses
        for patient in patients
        for verdict in verdicts(course((10, signs)), patient)
    )
    settings = {setting.rstrip(".,") for setting in re.findall(r"--set (\S+)", text)}
    assert len(settings) >= 8
    functions = {
        "generator": [kg.networks.dcgan_generator, kg.networks.mlp_generator],
        "discriminator": [kg.networks.dcgan_discriminator, kg.networks.mlp_discriminator],
        "scheme": [kg.schemes.VanillaGAN, kg.schemes.WGANGP],
        "optimizers": [keras.optimizers.Adam],
    }
    for setting in settings:
        key, _ = recipes.parse_assignment(setting)
        place, *_, argument = key.split(".")
        assert any(argument in inspect.signature(owner).parameters for owner in functions[place]), setting


# Measures ---------------------------------------------------------------------------------------------------------


def test_separation_is_the_share_of_pairs_in_order():
    # (1 > 0), (1 < 1.5), (2 > 0), (2 > 1.5).
    assert separation(np.array([1.0, 2.0]), np.array([0.0, 1.5])) == 0.75
    assert separation(np.ones(3), np.ones(4)) == 0.5
    assert separation(np.zeros(3), np.ones(4)) == 0.0


def points(count=200, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 2)).astype("float32")


def test_the_data_compared_with_themselves():
    reference = Reference(points(400), count=200)
    signs = reference.compare(reference.samples, reference.embed(reference.samples))
    assert signs["diversity"] == pytest.approx(1.0, rel=1e-6)
    assert signs["coverage"] == 1.0
    # 2 E|x - x'| with the zeros of each row to itself, less twice the mean without: -2 / count.
    assert signs["distance"] == pytest.approx(-2.0 / 200, rel=1e-6)
    fresh = Reference(points(400), count=200).compare(points(200, 9), points(200, 9).astype("float64"))
    assert fresh["diversity"] == pytest.approx(1.0, abs=0.1) and fresh["coverage"] > 0.9 and fresh["distance"] < 0.02


def test_a_delta_and_half_the_spread():
    real = points(400)
    reference = Reference(real, count=200)
    centre = np.zeros((200, 2), "float32")
    delta = reference.compare(centre, reference.embed(centre))
    chosen = reference.samples.astype("float64")
    pairs = np.linalg.norm(chosen[:, None] - chosen[None], axis=-1).sum() / (200 * 199)
    assert delta["diversity"] == 0.0 and delta["duplicates"] == 1.0 and delta["coverage"] < 0.1
    expected = (2.0 * np.linalg.norm(chosen, axis=1).mean() - pairs) / pairs
    assert delta["distance"] == pytest.approx(expected, rel=1e-6)
    half = reference.compare(chosen / 2, chosen / 2)
    assert half["diversity"] == pytest.approx(0.5, rel=1e-6)


def test_a_delta_in_many_dimensions_is_found_although_it_covers_everything():
    reference = Reference(np.random.default_rng(0).normal(size=(400, 192)), count=200)
    mean = np.zeros((200, 192))
    signs = reference.compare(mean, reference.embed(mean))
    # The mean is sqrt(d) from each, two of the data sqrt(2 d) from each other: 2 / sqrt(2) - 1.
    assert signs["coverage"] == 1.0 and signs["distance"] == pytest.approx(2**0.5 - 1.0, abs=0.01)
    assert diagnose(course((5, signs))).name == "collapsed"


def test_images_are_compared_as_thumbnails():
    large = np.random.default_rng(0).integers(0, 256, (64, 16, 24, 3), dtype=np.uint8)
    embedded = Reference(large).embed(large)
    assert embedded.shape == (64, 8 * 8 * 3)
    first = large[0, :2, :3, 1].astype("float64").mean() / 127.5 - 1.0
    assert embedded[0].reshape(8, 8, 3)[0, 0, 1] == pytest.approx(first, abs=1e-5)
    small = images(64)
    np.testing.assert_allclose(Reference(small).embed(small), small.reshape(64, -1), atol=1e-6)


class Halves:
    """An extractor whose two classes are dark and bright images."""

    def probabilities(self, images):
        bright = (images.mean(axis=(1, 2, 3)) > 0).astype("float32")
        return np.stack([1.0 - bright, bright], axis=1)


def test_a_classifier_tells_which_classes_are_missing():
    real = images(128)
    real[:64] = 0.5 + 0.5 * np.abs(real[:64])
    real[64:] = -0.5 - 0.5 * np.abs(real[64:])
    reference = Reference(real, extractor=Halves())
    dark = reference.compare(real[64:], reference.embed(real[64:]))
    assert dark["missing_classes"] == 1 and dark["class_entropy"] == pytest.approx(0.0, abs=1e-6)
    both = reference.compare(real[32:96], reference.embed(real[32:96]))
    dark_share = (reference.samples.mean(axis=(1, 2, 3)) < 0).mean()
    of_data = -sum(share * np.log(share) for share in (dark_share, 1.0 - dark_share))
    assert both["missing_classes"] == 0 and both["class_entropy"] == pytest.approx(np.log(2.0) / of_data, rel=1e-6)


# Visits -----------------------------------------------------------------------------------------------------------


def doctor(**options):
    options = {"every": 2, "count": 64, "console": Console(file=io.StringIO(), width=200), **options}
    return Doctor(images(128), **options)


def said(by):
    return by.console.file.getvalue()


def batches(values=None, skip=0):
    data = tf.data.Dataset.from_tensor_slices(images(64) if values is None else values).repeat()
    return data.batch(BATCH, drop_remainder=True).skip(skip)


def fit(model, steps, callbacks, values=None):
    data = batches(values, model.steps_taken * model.batches_per_step())
    model.fit(data, steps_per_epoch=steps, verbose=0, callbacks=callbacks)


@pytest.mark.parametrize("scheme", ["dcgan", "wgan_gp"])
def test_looking_changes_nothing(scheme):
    watched, alone = small_model(scheme), small_model(scheme)
    fit(watched, 5, [doctor(roll_back=True)])
    fit(alone, 5, [])
    for name, value in weights(alone).items():
        np.testing.assert_array_equal(weights(watched)[name], value)
    assert optimizer_state(watched)["generator"][1].tobytes() == optimizer_state(alone)["generator"][1].tobytes()


class Losses(kg.callbacks.EveryNSteps):
    """Notes each step's own loss."""

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.values, self._sum = [], 0.0

    def on_step(self, step, logs):
        total = float(self.model.curves["generator_loss"].total)
        self.values.append(total - self._sum)
        self._sum = total


@pytest.fixture(scope="module")
def step_losses():
    """The generator's loss in each of six steps."""
    reference = Losses(every=1)
    fit(small_model("gan"), 6, [reference])
    return reference.values


@pytest.mark.parametrize("order", ["alone", "first", "last"])
def test_a_looks_losses_are_the_mean_since_the_last_look(order, step_losses, tmp_path):
    expected = [sum(step_losses[start : start + 2]) / 2 for start in (0, 2, 4)]
    watching, curves = doctor(), kg.callbacks.Curves(tmp_path, every=2)
    fit(small_model("gan"), 6, {"alone": [watching], "first": [watching, curves], "last": [curves, watching]}[order])
    found = [signs.losses["generator"] for signs in watching.history[1:]]
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_look_measures_what_the_players_did():
    model = small_model("gan", rate=0.1)
    before = {player: [np.array(v) for v in model.variables_of(player)] for player in PLAYERS}
    watching = doctor(seed=5)
    fit(model, 2, [watching])
    for player in PLAYERS:
        now = [np.array(v) for v in model.variables_of(player)]
        moved = sum(((new - old) ** 2).sum() for new, old in zip(now, before[player], strict=True)) ** 0.5
        size = sum((new**2).sum() for new in now) ** 0.5
        assert watching.history[1].weight_changes[player] == pytest.approx(moved / size, rel=1e-4)
        assert watching.history[1].learning_rates[player] == pytest.approx(0.1)
    real, fake = watching.reference.samples, kg.pixels.from_uint8(model.sample(64, seed=5))
    scores = [model.discriminator(values, training=False).numpy().ravel() for values in (real, fake)]
    expected = np.mean(scores[0][:, None] > scores[1][None]) + 0.5 * np.mean(scores[0][:, None] == scores[1][None])
    assert watching.history[1].separation == pytest.approx(expected, abs=1e-3)


def test_a_generator_with_no_learning_rate_is_named_and_stopped():
    model = small_model("gan")
    model.compile(optimizers={"generator": keras.optimizers.Adam(0.0), "discriminator": keras.optimizers.Adam(4e-4)})
    watching = doctor(stop=True)
    fit(model, 20, [watching])
    assert [verdict.name for verdict in watching.verdicts] == ["frozen generator"]
    assert model.steps_taken == 6 and watching.verdict.step == 6
    text = said(watching)
    assert text.count("frozen generator") == 2, "once when it is found, once at the end"
    assert "Its learning rate is 0" in text and "Try: --set optimizers.generator.learning_rate=0.0004." in text
    assert "stopped here" in text and "Doctor: frozen generator (since step 2)" in text


def test_a_discriminator_with_dead_units_is_blind():
    generator = kg.networks.mlp_generator((8, 8, 1), 6, (16,))
    discriminator = kg.networks.mlp_discriminator((8, 8, 1), (16,), activation="relu")
    discriminator.layers[2].bias.assign(np.full(16, -1000.0))
    model = kg.schemes.VanillaGAN(generator, discriminator)
    model.compile()
    watching = doctor()
    fit(model, 6, [watching])
    assert watching.verdict.name == "blind discriminator"
    assert "The generator's gradient norm is 0." in watching.verdict.evidence


def test_the_report_and_tensorboard(tmp_path):
    from tests.test_callbacks import events

    report = tmp_path / "doctor.jsonl"
    watching = doctor(directory=tmp_path / "board", report_file=report)
    fit(small_model("gan"), 7, [watching])
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 2, 4, 6, 7]
    assert lines[-1]["verdict"] == watching.verdict.name and lines[2]["coverage"] == watching.history[2].coverage
    found = events(tmp_path / "board")
    drawn = {name.removeprefix("6 doctor/") for name in found if name.startswith("6 doctor/")}
    # Few, and no loss or gradient norm, which are curves already.
    assert {"diversity", "separation", "sick"} <= drawn and len(drawn) <= 8
    assert not [name for name in drawn if name.endswith(("losses", "gradient_norms"))]
    assert [step for step, _ in found["6 doctor/coverage"]] == [2, 4, 6, 7]
    # The verdict that holds in the end is the last that is shown.
    step, text = found["doctor/verdict"][-1]
    assert step == 7 and watching.verdict.name in str(text)


def test_a_run_that_goes_on_keeps_its_history(tmp_path):
    report = tmp_path / "doctor.jsonl"
    model = small_model("gan")
    model.compile(optimizers={"generator": keras.optimizers.Adam(0.0)})
    fit(model, 4, [doctor(report_file=report)])
    later = doctor(report_file=report)
    fit(model, 2, [later])
    assert [signs.step for signs in later.history] == [0, 2, 4, 6]
    assert later.verdict.name == "frozen generator" and later.verdict.since == 2
    # A run that goes on from an earlier checkpoint takes those steps again.
    model.step.assign(2)
    again = doctor(report_file=report)
    fit(model, 2, [again])
    assert [json.loads(line)["step"] for line in report.read_text().splitlines()] == [0, 2, 4]


def test_a_snapshot_brings_back_everything_but_the_step():
    model = small_model("dcgan")
    fit(model, 2, [])
    before, state, snapshot = weights(model), optimizer_state(model), Snapshot(model)
    fit(model, 3, [])
    snapshot.restore(model)
    assert model.steps_taken == 5
    for name, value in weights(model).items():
        if not name.endswith(" step"):
            np.testing.assert_array_equal(value, before[name])
    for player, values in optimizer_state(model).items():
        for value, old in zip(values, state[player], strict=True):
            np.testing.assert_array_equal(value, old)
    snapshot.restore(model, learning_rate_factor=0.5)
    rates = [float(optimizer.learning_rate) for optimizer in model.optimizers.values()]
    # The second time back to the same state: lowered twice.
    assert rates == pytest.approx([0.25 * float(state[player][1]) for player in model.optimizers])


def test_a_sick_run_goes_back_so_often_and_then_stops():
    model = small_model("gan")
    model.compile(optimizers={player: keras.optimizers.SGD(1e-30) for player in PLAYERS})
    start = weights(model)
    watching = doctor(roll_back=True, learning_rate_factor=0.5, max_roll_backs=2, stop=True)
    fit(model, 60, [watching])
    # Frozen is named at the third look, of the beginning and after each treatment.
    assert model.steps_taken == 18 and watching.roll_backs == 2
    assert [verdict.step for verdict in watching.verdicts] == [6, 12, 18]
    assert said(watching).count("are those of step 0 again") == 2
    for name, value in weights(model).items():
        if not name.endswith(" step"):
            np.testing.assert_allclose(value, start[name], atol=1e-20)
    assert float(model.optimizers["generator"].learning_rate) == pytest.approx(0.25e-30)


def poisoned(batch):
    values = images(64)
    values[batch * BATCH] = np.nan
    return values


def test_a_poisoned_batch_is_explained_and_passed_over():
    model, watching = small_model("gan"), doctor(roll_back=True)
    with pytest.raises(NonFiniteError) as caught:
        fit(model, 8, [watching], poisoned(5))
    assert model.steps_taken == 5 and watching.recover(caught.value)
    assert watching.verdicts[-1].name == "not finite" and "most likely from NaN or infinity in the data" in said(
        watching
    )
    # The step that failed counts as taken; the next epoch of the data holds the same batch again.
    assert model.steps_taken == 6
    fit(model, 6, [watching], poisoned(5))
    assert model.steps_taken == 12 and watching.verdict.name in (HEALTHY, UNCLEAR)
    assert all(np.isfinite(value).all() for value in weights(model).values())


def test_without_leave_to_go_back_nan_is_only_explained():
    model, watching = small_model("gan"), doctor()
    with pytest.raises(NonFiniteError) as caught:
        fit(model, 8, [watching], poisoned(1))
    assert not watching.recover(caught.value) and model.steps_taken == 1
    assert "before the first look" in said(watching)


def test_replicas_are_looked_at_as_one(two_replicas):
    with two_replicas.scope():
        model = small_model("gan", rate=0.1)
    alone = small_model("gan", rate=0.1)
    together, single = doctor(roll_back=True), doctor(roll_back=True)
    fit(model, 4, [together])
    fit(alone, 4, [single])
    for mine, other in zip(together.history, single.history, strict=True):
        for name, value in other.scalars().items():
            assert mine.scalars()[name] == pytest.approx(value, rel=2e-3, abs=2e-3), name
    Snapshot(alone).restore(alone)
    snapshot = Snapshot(model)
    fit(model, 1, [])
    snapshot.restore(model)
    assert [np.array(v) for v in model.generator.weights][0].tobytes() == snapshot_first(snapshot, model)


def snapshot_first(snapshot, model):
    kept = [weight for weight in model.weights if weight is not model.step]
    return snapshot._values[[w is model.generator.weights[0] for w in kept].index(True)].tobytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": 1}, "patience must be 2 or more.*Received: 1"),
        ({"learning_rate_factor": 0.5}, "set roll_back=True"),
        ({"learning_rate_factor": 1.5, "roll_back": True}, "at most 1. Received: 1.5"),
        ({"max_roll_backs": 0}, "max_roll_backs must be 1 or more"),
        ({"count": 8}, "Received: count=8 and 128 real samples"),
        ({"every": 0}, "every must be 1 or more"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        doctor(**options)


def test_data_that_do_not_fit_are_refused_before_the_first_step():
    model = small_model("gan")
    with pytest.raises(UserError, match=r"samples of shape \(8, 8, 1\).*real ones are of \(2,\)"):
        fit(model, 1, [Doctor(points(128))])
    model.compile(optimizers={"generator": keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 9))})
    with pytest.raises(UserError, match="generator's learning rate follows a schedule"):
        fit(model, 1, [doctor(roll_back=True, learning_rate_factor=0.5)])
    with pytest.raises(UserError, match="All real samples are the same"):
        Doctor(np.zeros((128, 2)))
    with pytest.raises(UserError, match="pass those as real"):
        Doctor(extractor=Halves())
    assert model.steps_taken == 0


def test_real_samples_may_be_a_dataset_with_labels():
    data = tf.data.Dataset.from_tensor_slices((images(128), np.zeros(128))).batch(16)
    watching = Doctor(data, count=64, console=Console(quiet=True))
    assert watching.reference.samples.shape == (64, 8, 8, 1)
    alone = data.map(lambda samples, labels: (samples,))
    assert Doctor(alone, count=64, console=Console(quiet=True)).reference.samples.shape == (64, 8, 8, 1)
    with pytest.raises(UserError, match="The dataset is empty: there is not one row"):
        Doctor(data.take(0), console=Console(quiet=True))


def test_no_samples_at_all_will_do():
    watching = Doctor(every=2, console=Console(quiet=True))
    fit(small_model("gan"), 6, [watching])
    assert watching.verdict.name == HEALTHY and watching.history[-1].diversity is None


class WithoutSamples(AdversarialModel):
    """A scheme of one's own, with a discriminator and nothing that draws or describes samples."""

    players = {"discriminator": ("discriminator",)}

    def __init__(self):
        super().__init__()
        self.discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])

    def default_optimizers(self):
        return {"discriminator": keras.optimizers.SGD(0.1)}

    def play(self, real):
        self.update("discriminator", lambda: (tf.reduce_mean(self.discriminator(real)), {}))


def test_a_scheme_without_samples_is_judged_by_losses_and_weights_alone():
    from keras_gans.doctor.examination import Examination

    model = WithoutSamples()
    model.compile()
    examination = Examination(model, Reference(np.random.default_rng(0).normal(size=(200, 2))))
    logs = {name: float(value) for name, value in model.train_step(tf.ones((4, 2))).items()}
    signs = examination.look(1, logs)
    assert signs.weight_changes["discriminator"] > 0 and signs.separation is None and signs.diversity is None


@pytest.mark.parametrize("signs", [{"losses": {"generator": -1e6}}, {"losses": {"discriminator": -np.inf}}])
def test_a_loss_explodes_downwards_too(signs):
    """A critic's is negative: it must count by its size, in the verdict and in its evidence."""
    last = verdicts(course((2, signs)))[-1]
    assert last.name == "exploding" and len(last.evidence) == 1 and "loss is -" in last.evidence[0]


# Likeness and copies ----------------------------------------------------------------------------------------------

LIKE = {"likeness": 0.7}


@pytest.mark.parametrize(
    ("signs", "name", "looks"),
    [
        # All that averages of pixels show is well; what is seen closely is not.
        ({"likeness": 0.05}, "unlike the data", 10),
        ({"likeness": 0.6, "duplicates": 0.8}, "copies", 5),
        ({**COLLAPSED, "likeness": 0.0}, "collapsed", 5),
    ],
)
def test_what_averages_of_pixels_do_not_show_is_named(signs, name, looks):
    given = names(course((12, signs)))
    assert given[looks] == name and set(given[:looks]) == {UNCLEAR}
    verdict = verdicts(course((12, signs)))[-1]
    assert verdict.is_sick and verdict.remedies


@pytest.mark.parametrize(("rate", "first"), [(1e-3, "more room"), (1e-5, "slower than the generator")])
def test_of_copies_a_slow_discriminator_is_the_first_cause(rate, first):
    rates = {"generator": 1e-3, "discriminator": rate}
    given = verdicts(course((6, {"likeness": 0.6, "duplicates": 0.8, "learning_rates": rates})))[-1]
    assert given.name == "copies" and first in given.remedies[0]
    assert sum("more room" in remedy for remedy in given.remedies) == 1


@pytest.mark.parametrize(
    "signs",
    [
        {"likeness": 0.2},
        {"likeness": 0.6, "duplicates": 0.3},
        {"likeness": 0.6, "coverage": 0.2},
        {"likeness": 0.7, "sharpness": 2.0},
    ],
)
def test_between_the_two_it_is_unclear(signs):
    assert set(names(course((12, signs)))) == {UNCLEAR}
    # One look in doubt takes back no verdict; three in a row do.
    assert names(course((5, LIKE), (2, signs), (3, LIKE)))[-5:] == [HEALTHY] * 5
    assert names(course((5, LIKE), (3, signs)))[-1] == UNCLEAR


def test_noise_over_the_right_colours_is_told_by_neighbouring_pixels():
    last = verdicts(course((12, {"likeness": 0.7, "sharpness": 2.64})))[-1]
    assert "2.64 times as rough" in last.summary
    assert any("neighbouring pixels differ 2.64 times as much as the data's" in each for each in last.evidence)
    assert names(course((12, {"likeness": 0.7, "sharpness": 1.2})))[-1] == HEALTHY


def test_samples_that_become_more_like_the_data_are_given_time():
    rising = [(1, {"likeness": 0.01 * number, "distance": 0.02}) for number in range(14)]
    assert "unlike the data" not in names(course(*rising))


@pytest.mark.parametrize(
    ("likeness", "duplicates", "is_named"),
    [
        # As BEGAN of dense layers begins.
        ([0.0, 0.0, 0.01, 0.05, 0.07, 0.10, 0.13, 0.31], [1.0, 0.94, 1.0, 0.93, 0.68, 0.32, 0.05, 0.02], False),
        ([0.0, 0.0, 0.01, 0.05, 0.07, 0.10, 0.13, 0.31], [1.0] * 8, True),
        ([0.05] * 8, [1.0, 0.94, 1.0, 0.93, 0.68, 0.60, 0.60, 0.60], True),
    ],
)
def test_copies_that_become_fewer_and_more_like_the_data_are_given_time(likeness, duplicates, is_named):
    phases = [(1, {"likeness": a, "duplicates": b}) for a, b in zip(likeness, duplicates, strict=True)]
    assert ("copies" in names(course(*phases))) is is_named


def test_points_may_lie_in_small_heaps():
    assert names(course((8, {"likeness": None, "duplicates": 0.9})))[-1] == HEALTHY


def test_a_verdict_that_stands_has_the_numbers_of_its_own_look():
    """While signs are mixed the verdict of the look before stands, and its old numbers would be of another step."""
    mixed = {"coverage": 0.1, "diversity": 0.7}
    last = verdicts(course((5, {}), (1, mixed)))[-1]
    assert last.name == HEALTHY and "0.70 times as diverse as the data, covering 10 %" in last.summary
    sick = verdicts(course((6, COLLAPSED), (1, {**GOOD, "coverage": 0.12})))[-1]
    assert sick.name == "collapsed" and "signs are mixed by now" in sick.summary
    assert "cover 12 % of it" in sick.evidence[0] and not any(" 1 %" in sentence for sentence in sick.evidence)


def test_ratios_that_tell_nothing_are_capped():
    last = verdicts(course((5, {"diversity": 1908523.0})))[-1]
    assert "more than 10 times as diverse" in last.summary and "1908523" not in last.summary


def seen(images, count=128):
    """The vital signs of samples, against images of dark and bright stripes whose place varies."""
    reference = Reference(striped(2 * count, seed=0), count)
    return reference.compare(images, reference.embed(images))


def striped(count, seed):
    random = np.random.default_rng(seed)
    place = random.uniform(0, 2 * np.pi, (count, 1, 1, 1))
    tilt = random.uniform(-0.4, 0.4, (count, 1, 1, 1))
    rows, columns = np.mgrid[:24, :24][..., np.newaxis]
    return (127 + 100 * np.sin(place + 0.9 * columns + tilt * rows)).astype("uint8")


def test_likeness_tells_noise_and_noisy_images_from_the_data_where_averages_do_not():
    others = striped(128, seed=1)
    random = np.random.default_rng(2)
    noisy = np.where(random.random(others.shape) < 0.3, random.choice([0, 255], others.shape), others).astype("uint8")
    noise = random.integers(0, 256, others.shape).astype("uint8")
    good, bad, worst = (seen(each)["likeness"] for each in (others, noisy, noise))
    assert good > 0.8 and bad < 0.25 and worst < 0.05
    assert seen(others)["sharpness"] == pytest.approx(1.0, abs=0.05)
    # Two independent levels of 256 differ by a third of their range on average.
    assert seen(noise)["sharpness"] == pytest.approx(256 / 3 / steepness(striped(256, seed=0)), rel=0.05)
    blurred = others[:, :-1, :-1] // 2 + others[:, 1:, 1:] // 2
    assert seen(np.pad(blurred, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="edge"))["sharpness"] < 0.95
    assert seen(np.repeat(others[:8], 16, axis=0))["duplicates"] == 1.0
    assert seen(others)["duplicates"] < 0.1


class EveryStep(keras.callbacks.Callback):
    """Each step's own value of a curve, whatever starts its mean anew."""

    def __init__(self, curve):
        super().__init__()
        self.curve, self.values, self._before = curve, [], (0.0, 0.0)

    def on_train_batch_end(self, batch, logs=None):
        total, count = (
            float(part) for part in (self.model.curves[self.curve].total, self.model.curves[self.curve].count)
        )
        old_total, old_count = self._before if count > self._before[1] else (0.0, 0.0)
        self.values.append((total - old_total) / (count - old_count))
        self._before = total, count


@pytest.mark.parametrize("anew", [(), (8,), (8, 5)], ids=["epochs", "and curves", "and others"])
def test_losses_and_gradients_are_means_since_the_last_look_whoever_starts_curves_anew(anew):
    model = small_model("gan")
    each, watching = EveryStep("discriminator_gradient_norm"), doctor(every=9)
    others = [kg.callbacks.ResetCurves(every=steps) for steps in anew]
    # None of these ends where another does, and a mean soon has more steps than at the last look.
    model.fit(endless(model), steps_per_epoch=7, epochs=6, verbose=0, callbacks=[each, watching, *others])
    assert [look.step for look in watching.history] == [0, 9, 18, 27, 36, 42]
    for before, look in itertools.pairwise(watching.history):
        expected = np.mean(each.values[before.step : look.step])
        assert look.gradient_norms["discriminator"] == pytest.approx(expected, rel=1e-4), look.step
    assert model.before_reset is None


def test_a_run_that_was_put_right_goes_on_as_it_did(tmp_path, monkeypatch):
    """What it was put right from is no evidence against what comes, after a resume as without one."""
    take = Examination.look
    sick = {"coverage": 0.05, "distance": 0.5, "diversity": 0.1, "duplicates": 0.0, "separation": 0.8}

    def scripted(self, step, logs=None):
        better = {"distance": 0.05, "diversity": 0.9} if step > 600 else {}
        return dataclasses.replace(take(self, step, logs), **{**sick, **better})

    monkeypatch.setattr(Examination, "look", scripted)
    told = {}
    for name, parts in (("whole", (1200,)), ("resumed", (600, 600))):
        model = small_model("gan")
        model.compile(steps_per_execution=50)
        report = tmp_path / f"{name}.jsonl"
        for steps in parts:
            watching = doctor(roll_back=True, every=200, patience=3, report_file=report)
            model.fit(endless(model), steps_per_epoch=steps, verbose=0, callbacks=[watching])
        lines = map(json.loads, report.read_text().splitlines())
        told[name] = [(line["step"], line["verdict"], line["treated"]) for line in lines]
    assert sum(treated for _, _, treated in told["whole"]) == 1
    assert told["resumed"] == told["whole"]


def test_what_is_gone_back_to_and_compared_with_survives_a_resume():
    model = small_model("gan")
    before, after = doctor(roll_back=True, every=3), doctor(roll_back=True, every=3)
    fit(model, 5, [before])
    # Two steps after the look at step 3 the weights are others than those that the next look compares with.
    before._examination._at = 3
    after.take_up(before.state())
    after.set_model(model)
    after.on_train_begin()
    assert (after._healthy.step, after._healthy.restored) == (before._healthy.step, before._healthy.restored)
    for mine, theirs in zip(after._healthy._values, before._healthy._values, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert after._examination._curve_sums == before._examination._curve_sums
    for player in PLAYERS:
        for mine, theirs in zip(after._examination._weights[player], before._examination._weights[player], strict=True):
            np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(after._examination._embedded, before._examination._embedded)
