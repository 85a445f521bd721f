"""The checks of the theory: their arithmetic, one short training, and the command."""

import importlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import typer
from PIL import Image
from scipy import special
from typer.testing import CliRunner

import keras_gans as kg
from keras_gans.errors import UserError
from keras_gans.training import theory
from keras_gans.training.theory import (
    disjoint_supports,
    game_value,
    optimal_discriminator,
    outcome,
    playing,
    vanishing_gradient,
)
from keras_gans.training.theory.gaussian import (
    DATA,
    GRID,
    MADE,
    Gaussian,
    integral,
    optimal_least_squares,
    optimal_scores,
)
from keras_gans.training.theory_command import theory_command
from tests.science import SEEDS, report
from tests.test_callbacks import events

app = typer.Typer()
app.command("theory")(theory_command)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], terminal_width=80)


def assert_medians_hold(name):
    """Runs a check with each of `SEEDS`, and holds the median of each figure to its bound."""
    module = importlib.import_module(f"keras_gans.training.theory.{name}")
    for claims in zip(*(module.check(playing.Setting(seed)).claims for seed in SEEDS), strict=True):
        limit = f"theory {claims[0].expected:.5g}, {claims[0].bound}"
        assert claims[0].holds_for(report(claims[0].quantity, [claim.measured for claim in claims], limit))


# Names and claims ---------------------------------------------------------------------------------------------


def test_checks_are_chosen_by_name_in_one_order():
    assert theory.chosen([]) == theory.chosen(None) == list(theory.NAMES)
    assert theory.chosen(["vanishing_gradient", "game_value", "game_value"]) == ["game_value", "vanishing_gradient"]
    assert set(theory.NAMES) - set(theory.chosen([], quick=True)) == {"slow_discriminator"}
    assert theory.chosen(["slow_discriminator"], quick=True) == ["slow_discriminator"], "asked for by name"
    with pytest.raises(UserError, match="Unknown check 'game-value'. Did you mean 'game_value'"):
        theory.chosen(["game-value"])


def test_each_check_says_what_and_whose_it_is():
    for name in theory.NAMES:
        module = importlib.import_module(f"keras_gans.training.theory.{name}")
        assert module.STATEMENT.endswith(".") and any(year in module.SOURCE for year in ("2014", "2017"))


def test_a_claim_holds_within_its_bound_and_never_for_nan():
    assert outcome.within("x", 1.04, 1.0, 0.05).passed and not outcome.within("x", 1.06, 1.0, 0.05).passed
    assert outcome.at_most("x", 0.01, 0.01).passed and not outcome.at_most("x", 0.011, 0.01).passed
    assert outcome.at_least("x", 0.6, 0.6, 1.0).passed and not outcome.at_least("x", 0.59, 0.6, 1.0).passed
    assert outcome.exactly("x", math.inf, math.inf).passed and not outcome.exactly("x", 1e300, math.inf).passed
    for claim in (
        outcome.within("x", math.nan, 0, 9),
        outcome.at_most("x", math.nan, 9),
        outcome.at_least("x", math.nan, 0, 9),
    ):
        assert not claim.passed
    bounds = [outcome.within("x", 0, 2.0, 0.005), outcome.at_most("x", 0, 3), outcome.exactly("x", 0, math.inf)]
    assert [claim.bound for claim in bounds] == ["within 0.005", "at most 3", "exact"]


def test_one_claim_out_of_bounds_fails_the_check():
    good, bad = outcome.at_most("good", 0, 1), outcome.exactly("bad", math.inf, 1.0)
    result = outcome.CheckResult("name", "Statement.", "source", 0, (good, bad), Path("a/name.png"), ("case",), 1.5)
    assert not result.passed and result.measured == {"good": 0.0, "bad": math.inf}
    assert result.expected == {"good": 0.0, "bad": 1.0} and result.bound == {"good": "at most 1", "bad": "exact"}
    written = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert written["figure"] == "name.png" and written["claims"][1]["measured"] == "inf"
    assert [claim["passed"] for claim in written["claims"]] == [True, False]


# The arithmetic -----------------------------------------------------------------------------------------------


def test_gaussians_by_hand():
    assert integral(MADE.density(GRID)) == pytest.approx(1.0, abs=1e-11)
    assert MADE.density(1.5) == pytest.approx(1.0 / (0.7 * math.sqrt(2.0 * math.pi)))
    assert MADE.distribution(1.5 + 0.7 * 1.959964) == pytest.approx(0.975, abs=1e-6)
    points = MADE.quantiles()
    assert (points.mean(), points.var()) == (pytest.approx(1.5, abs=1e-9), pytest.approx(0.49, abs=1e-4))
    share = DATA.density(0.3) / (DATA.density(0.3) + MADE.density(0.3))
    assert special.expit(optimal_scores(0.3)) == pytest.approx(share)
    assert optimal_least_squares(0.3, (-1.0, 1.0, 0.0)) == pytest.approx(2.0 * share - 1.0)


def test_errors_of_a_discriminator_are_what_they_are():
    best = special.expit(optimal_scores(GRID))
    exact = optimal_discriminator.errors("D", best, best)
    assert [claim.measured for claim in exact] == [0.0, 0.0] and all(claim.passed for claim in exact)
    # Wrong where nobody is does not count for the largest error, and for next to nothing in the mean.
    outside = optimal_discriminator.errors("D", np.where(np.abs(GRID) > 4.0, 1.0 - best, best), best)
    assert all(claim.passed for claim in outside)
    constant = optimal_discriminator.errors("D", best + 0.02, best)
    assert [claim.measured for claim in constant] == pytest.approx([0.02, 0.02]) and not constant[0].passed
    swapped = optimal_discriminator.errors("D", 1.0 - best, best)
    assert not any(claim.passed for claim in swapped)


def test_the_games_value_at_both_ends():
    assert game_value.value_of_best(DATA, DATA) == pytest.approx(-math.log(4.0), abs=1e-6)
    # Twenty-four deviations apart: V is 0, JSD is log 2.
    near, far = Gaussian(-6.0, 0.5), Gaussian(6.0, 0.5)
    assert game_value.value_of_best(near, far) == pytest.approx(0.0, abs=1e-9)
    assert game_value.divergence(near, far) == pytest.approx(math.log(2.0), abs=1e-9)
    assert game_value.divergence(DATA, MADE) == pytest.approx(0.28777, abs=1e-5)


def test_distances_without_common_support():
    claims = {claim.quantity: claim for claim in disjoint_supports.check(playing.Setting()).claims}
    assert all(claim.passed for claim in claims.values())
    assert claims["KL at shift 1"].measured == math.inf and claims["W1 at shift 9"].measured == pytest.approx(9.0)
    assert claims["JSD at shift 3"].measured == claims["JSD at shift 9"].measured == pytest.approx(0.693147, abs=1e-6)
    assert claims["die: JSD"].measured == pytest.approx(0.0719205, abs=1e-7)


def test_the_best_gradients_by_hand():
    # E_q D* + E_q (1 - D*) = 1, and the logit's slope is theta / sigma^2 = 50.
    assert sum(vanishing_gradient.best_gradients(0.5)) == pytest.approx(50.0)
    minimax, non_saturating = vanishing_gradient.best_gradients(2.0)
    # p q / (p + q) <= sqrt(p q) / 2, whose integral is exp(-(theta / sigma)^2 / 8) / 2.
    assert 0.0 < minimax < 200.0 * math.exp(-50.0) / 2.0 and non_saturating == pytest.approx(200.0)


def test_the_generators_gradient_is_that_of_its_mean():
    critic = kg.networks.mlp_discriminator((2,), ())
    critic.layers[-1].kernel.assign([[3.0], [4.0]])
    model = kg.schemes.WGANGP(playing.location_generator([1.0, 0.0], 0.1), critic, discriminator_steps=1)
    measured = vanishing_gradient._measured(model, 1.0, playing.Setting(), discriminator_steps=1)
    # -f(theta + sigma z) falls by (3, 4) with theta, whatever z is; the means differ by 3 along f.
    assert measured["generator_gradient_norm"] == pytest.approx(5.0, rel=1e-5)
    assert measured["wasserstein_estimate"] == pytest.approx(-3.0, abs=0.02)


# Training -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def short():
    """A discriminator after 200 steps, and what was shown of it."""
    shown = []

    def watch(text, steps):
        shown.append((text, steps))
        return [keras.callbacks.LambdaCallback(on_train_begin=lambda logs: shown.append("began"))]

    return playing.discriminator_of(DATA, MADE, playing.Setting(0, watch=watch), "short", steps=200), shown


def test_a_short_training_comes_near_the_optimum_and_moves_nobody_else(short):
    model, shown = short
    assert shown == [("short", 200), "began"] and model.steps_taken == 200
    assert float(tf.reduce_max(tf.abs(model.generator.weights[0] - 1.5))) == 0.0
    points = model.sample(500)
    assert (points.mean(), points.std()) == (pytest.approx(1.5, abs=0.1), pytest.approx(0.7, abs=0.1))
    found, best = special.expit(playing.scores_of(model, GRID)), special.expit(optimal_scores(GRID))
    right, wrong = (optimal_discriminator.errors("D", found, values)[0].measured for values in (best, 1.0 - best))
    assert right < 0.03 and wrong > 0.5


def test_the_value_of_what_was_trained_is_below_the_best(short):
    scores = [playing.scores_of(short[0], gaussian.quantiles()) for gaussian in (DATA, MADE)]
    value, best = game_value.value_of(*scores), game_value.value_of_best(DATA, MADE)
    assert best - 0.05 < value < best


# The command --------------------------------------------------------------------------------------------------


def test_the_command_writes_pictures_and_figures_and_passes(tmp_path):
    done = run("disjoint_supports", "--to", tmp_path / "out", "--seed", 3)
    assert done.exit_code == 0, done.output
    assert "passes disjoint_supports" in done.output and "1 of 1 checks pass" in done.output
    assert "KL at shift 1" in done.output and "infinite" in done.output
    written = json.loads((tmp_path / "out" / "results.json").read_text())
    assert written["passed"] and written["seed"] == 3 and not written["quick"]
    (check,) = written["checks"]
    assert check["name"] == "disjoint_supports" and len(check["claims"]) == 13
    with Image.open(tmp_path / "out" / check["figure"]) as picture:
        assert picture.size[0] == 960
    found = events(tmp_path / "out" / "tensorboard")
    assert [step for step, _ in found["theory/disjoint_supports"]] == [3, 3], "the picture and the statement"
    assert float(found["disjoint_supports/W1 at shift 9"][0][1]) == 9.0
    assert json.loads((tmp_path / "out" / "environment.json").read_text())["versions"]["keras"] == keras.__version__


def test_a_figure_out_of_bounds_is_said_and_exits_with_1(tmp_path, monkeypatch):
    monkeypatch.setattr(disjoint_supports, "uniforms", lambda shift: (np.eye(20)[0], np.eye(20)[shift]))
    done = run("disjoint_supports", "--to", tmp_path)
    assert done.exit_code == 1
    assert "FAILS disjoint_supports" in done.output and "1 of 1 checks FAIL: disjoint_supports" in done.output
    written = json.loads((tmp_path / "results.json").read_text())
    assert not written["passed"] and not written["checks"][0]["passed"]
    assert [claim["quantity"] for claim in written["checks"][0]["claims"] if not claim["passed"]] == ["JSD at shift 1"]


def test_mistakes_are_found_before_tensorflow_and_before_anything_is_written(tmp_path):
    code = f"""
import sys
from pathlib import Path
from keras_gans.training.theory_command import theory_command
for names, to in ((["colapse"], {str(tmp_path / "new")!r}), ([], {str(tmp_path / "file")!r})):
    try:
        theory_command(names, False, Path(to), 0)
    except ValueError as error:
        assert "Unknown check 'colapse'" in str(error) or "is a file" in str(error), error
    else:
        raise AssertionError
assert not {{"tensorflow", "keras"}} & set(sys.modules)
"""
    (tmp_path / "file").write_text("kept")
    root = str(Path(__file__).parent.parent)
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": root})
    assert [path.name for path in tmp_path.iterdir()] == ["file"] and (tmp_path / "file").read_text() == "kept"
