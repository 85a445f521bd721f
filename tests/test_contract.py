"""What every registered scheme promises, whatever its paper: all of `keras_gans.testing`, with no opt-in.

The fast tests leave three checks, which take half the time, to one scheme for each code that they are about: two
replicas and resuming to the first scheme of each `play`, the SavedModel to the first of each `endpoints`. Backups need
one scheme, for where resuming from a file is exact, a backup hardly fails by the scheme. `pytest -m slow` runs the
rest. A scheme that plays or answers by a method of its own has all with the fast tests, but for what takes longest of
the heaviest.
"""

import functools

import pytest

import keras_gans as kg
from keras_gans import testing
from tests.small import small_model

FACTORIES = {scheme: functools.partial(small_model, scheme) for scheme in kg.registry.schemes}
# A recipe whose training has what no scheme's first one has: augmentation, and two passes over one batch.
RANDOM = {"sgan_mnist": functools.partial(small_model, "sgan_mnist")}


def firsts(method):
    """The first scheme of each class that defines a method."""
    owners = {}
    for scheme, kind in kg.registry.schemes.items():
        owners.setdefault(next(base for base in kind.__mro__ if method in vars(base)), scheme)
    return set(owners.values())


# Of several phases, of many networks, a gradient of gradients beside a text encoder or loops over tokens: what needs a
# trained model, or takes longest, is with the slow tests. text_to_image and cyclegan show the same with the fast ones,
# and tests of their own show what the players of cut and adversarial_nmt do and what the exports of both and of
# semi_supervised_aae answer.
HEAVY = {"stackgan", "df_gan", "adversarial_nmt", "cycada", "cut"}
LIGHT = set(FACTORIES) - HEAVY
# {check: the schemes that the fast tests run it for}, all of them unless named.
FAST = {
    testing.check_two_replicas_step_as_one: firsts("play") - HEAVY - {"semi_supervised_aae"},
    testing.check_each_player_takes_its_number_of_steps: LIGHT,
    testing.check_losses_are_reported_under_the_players_names: LIGHT,
    testing.check_keras_file_holds_everything: LIGHT,
    testing.check_a_nan_weight_is_never_saved: LIGHT,
    testing.check_each_player_pulls_its_own_way: LIGHT - {"text_to_image"},
    testing.check_every_field_is_used: LIGHT,
    testing.check_every_option_is_kept_and_has_an_effect: LIGHT - {"text_to_image"},
    testing.check_every_input_is_heeded: LIGHT,
    testing.check_another_seed_trains_another_model: LIGHT,
    testing.check_each_step_draws_afresh: LIGHT,
    testing.check_a_nan_batch_is_reported_and_never_saved: LIGHT,
    testing.check_resuming_equals_going_on: firsts("play") - HEAVY - {"semi_supervised_aae"},
    testing.check_saved_model_answers_as_the_model: firsts("endpoints") - HEAVY - {"semi_supervised_aae"},
    testing.check_backup_and_restore_goes_on: {"dcgan"},
}


def cases():
    """Those of `parametrize_with_checks`, in its order, since a scheme's checks share what they train."""
    for case in testing.parametrize_with_checks(FACTORIES).args[1]:
        (check,) = case.values
        fast = check.args[0].args[0] in FAST.get(check.func, FACTORIES)
        yield pytest.param(check, id=case.id, marks=() if fast else pytest.mark.slow)


@pytest.mark.parametrize("check", cases())
def test_contract(check):
    check()


@pytest.mark.slow
@testing.parametrize_with_checks(
    RANDOM, (testing.check_resuming_equals_going_on, testing.check_two_replicas_step_as_one)
)
def test_a_random_recipe_goes_on_and_is_shared(check):
    check()
