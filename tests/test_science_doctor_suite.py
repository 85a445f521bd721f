"""The doctor over sick settings and healthy ones, of data sets on a third of which nothing of it was tuned."""

import functools
from pathlib import Path

import pytest

from benchmarks.doctor_suite import DATA, HEALTHY, SICK, SUITE, is_good, is_worse, judge_of, measure
from keras_gans.errors import UserError

pytestmark = pytest.mark.slow

SEED = 1
# What the doctor calls healthy although it draws three times as far from the data as healthy runs do, or more.
FALLS_SHORT = {
    "digits: wgan_gp_mlp, no gradient penalty": "on seed 1 its samples are like 57 % of the digits and still improving",
}


@functools.cache
def run_of(setting):
    return measure(setting, SEED)


def needs(data):
    """Skips where a data set is not there."""
    folder = Path(DATA[data]["data"])
    if folder.is_absolute() and not folder.is_dir():
        pytest.skip(f"no {folder.name} beside TFDS_DATA_DIR")
    try:
        judge_of(data)
    except UserError as error:
        pytest.skip(str(error))


def test_a_third_is_of_data_that_nothing_was_tuned_on():
    for settings, least in ((SICK, 25), (HEALTHY, 15)):
        assert len(settings) >= least
        assert 3 * sum(setting.is_unseen for setting in settings) >= len(settings)
    assert {setting.data for setting in SUITE} == set(DATA)
    assert len({setting.name for setting in SUITE}) == len(SUITE)
    assert all(setting.recipe_of(SEED).steps == setting.steps for setting in SUITE)


@pytest.mark.parametrize("setting", HEALTHY, ids=lambda setting: setting.name)
def test_a_healthy_setting_is_not_called_sick(setting):
    needs(setting.data)
    run = run_of(setting)
    print(f"\n{run}")
    assert run["outcome"] == "fine"
    if not is_good(run):
        pytest.skip(f"on seed {SEED} it draws too badly to count as healthy")


@pytest.mark.parametrize("setting", SICK, ids=lambda setting: setting.name)
def test_a_sick_setting_is_named_or_called_unclear(setting):
    needs(setting.data)
    run = run_of(setting)
    print(f"\n{run}")
    if not is_worse(run, [run_of(other) for other in HEALTHY if other.data == setting.data]):
        pytest.skip(f"on seed {SEED} it draws too well to count as sick")
    if run["outcome"] == "missed" and setting.name in FALLS_SHORT:
        pytest.xfail(FALLS_SHORT[setting.name])
    assert run["outcome"] in ("named", "unclear")
