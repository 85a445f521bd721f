"""What every registered scheme promises, whatever its paper: all of `keras_gans.testing`, with no opt-in."""

import functools

import pytest

import keras_gans as kg
from keras_gans import testing
from tests.small import small_model

FACTORIES = {scheme: functools.partial(small_model, scheme) for scheme in kg.registry.schemes}
# A recipe whose training has what no scheme's first one has: augmentation, and two passes over one batch.
RANDOM = {"sgan_mnist": functools.partial(small_model, "sgan_mnist")}
EXACT = (testing.check_two_replicas_step_as_one, testing.check_resuming_equals_going_on)
# Where resuming from a file is exact, a backup hardly fails by the scheme: one shows it with the fast tests.
BACKUP = (testing.check_backup_and_restore_goes_on,)
ONE = {"dcgan": FACTORIES["dcgan"]}
OTHERS = {scheme: factory for scheme, factory in FACTORIES.items() if scheme not in ONE}


# Of several phases or a gradient of gradients beside a text encoder: what takes longest is with the slow tests, as
# text_to_image shows the same with the fast ones.
HEAVY = {scheme: FACTORIES[scheme] for scheme in ("stackgan", "df_gan")}
COSTLY = (
    testing.check_two_replicas_step_as_one,
    testing.check_each_player_pulls_its_own_way,
    testing.check_every_field_is_used,
)
CHECKS = tuple(check for check in testing.CHECKS if check not in BACKUP)


@testing.parametrize_with_checks({name: FACTORIES[name] for name in FACTORIES if name not in HEAVY}, CHECKS)
def test_contract(check):
    check()


@testing.parametrize_with_checks(HEAVY, tuple(check for check in CHECKS if check not in COSTLY))
def test_contract_of_the_heavy(check):
    check()


@pytest.mark.slow
@testing.parametrize_with_checks(HEAVY, COSTLY)
def test_what_takes_longest_of_the_heavy(check):
    check()


@testing.parametrize_with_checks(
    RANDOM, (testing.check_two_replicas_step_as_one, testing.check_resuming_equals_going_on)
)
def test_contract_of_a_random_recipe(check):
    check()


@testing.parametrize_with_checks(ONE, BACKUP)
def test_backup(check):
    check()


@pytest.mark.slow
@testing.parametrize_with_checks(OTHERS, BACKUP)
def test_backup_of_the_others(check):
    check()
