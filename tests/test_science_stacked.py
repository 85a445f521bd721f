"""A thousand modes that can be counted: a digit in each of three channels."""

import pytest

from benchmarks import mode_coverage
from keras_gans.errors import UserError
from tests.science import SEEDS, report

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("name", "data"), mode_coverage.RECIPES.items())
def test_every_mode_is_found_on_each_seed_and_half_as_often_surely_as_in_data(name, data):
    """A mode is found where the classifier is sure, as it names whatever it is shown."""
    try:
        of_data = mode_coverage.references(data)["held-out data"]["sure"]
    except UserError as error:
        pytest.skip(f"{data} is not at hand: {error}")
    found = []
    for seed in SEEDS:
        found.append(mode_coverage.measure(data, mode_coverage.recipe_for(data, name, seed)))
        print("\nseed {}: {modes} modes, {sure:.3f} sure, reverse KL {reverse_kl:.3f}".format(seed, **found[-1]))
    report(f"{name}: modes found", [each["modes"] for each in found], "1,000, each of three")
    report(f"{name}: share of sure samples", [each["sure"] for each in found], f"at least half of {of_data:.3f}")
    assert all(each["modes"] == mode_coverage.MODES[data] for each in found)
    assert min(each["sure"] for each in found) >= of_data / 2
