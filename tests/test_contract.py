"""What every registered scheme promises, whatever its paper: all of `keras_gans.testing`, with no opt-in."""

import functools

import keras_gans as kg
from keras_gans.testing import check_resuming_equals_going_on, check_two_replicas_step_as_one, parametrize_with_checks
from tests.small import small_model

FACTORIES = {scheme: functools.partial(small_model, scheme) for scheme in kg.registry.schemes}
# A recipe whose training has what no scheme's first one has: augmentation, and two passes over one batch.
RANDOM = {"sgan_mnist": functools.partial(small_model, "sgan_mnist")}


@parametrize_with_checks(FACTORIES)
def test_contract(check):
    check()


@parametrize_with_checks(RANDOM, checks=(check_two_replicas_step_as_one, check_resuming_equals_going_on))
def test_randomness(check):
    check()
