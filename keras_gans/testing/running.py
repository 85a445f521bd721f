"""All checks of a scheme, one after another or as pytest's."""

import functools
import unittest
from collections.abc import Callable, Mapping

from keras_gans.errors import UserError
from keras_gans.testing.answering import (
    check_every_input_is_heeded,
    check_samples_are_a_function_of_the_seed,
    check_saved_model_answers_as_the_model,
)
from keras_gans.testing.keeping import (
    check_a_nan_batch_is_reported_and_never_saved,
    check_a_nan_weight_is_never_saved,
    check_backup_and_restore_goes_on,
    check_keras_file_holds_everything,
    check_resuming_equals_going_on,
)
from keras_gans.testing.options import check_every_option_is_kept_and_has_an_effect
from keras_gans.testing.playing import (
    check_another_seed_trains_another_model,
    check_each_player_pulls_its_own_way,
    check_each_player_takes_its_number_of_steps,
    check_each_step_draws_afresh,
    check_every_field_is_used,
    check_losses_are_reported_under_the_players_names,
)
from keras_gans.testing.replicas import check_two_replicas_step_as_one, prepare_devices
from keras_gans.testing.subject import Factory
from keras_gans.testing.turns import (
    check_a_turn_leaves_the_others_alone,
    check_an_update_moves_its_own_player_and_no_other,
)

Check = Callable[[Factory], None]

# Those first that say most about a scheme in the making.
CHECKS: tuple[Check, ...] = (
    check_each_player_takes_its_number_of_steps,
    check_losses_are_reported_under_the_players_names,
    check_an_update_moves_its_own_player_and_no_other,
    check_a_turn_leaves_the_others_alone,
    check_each_player_pulls_its_own_way,
    check_every_field_is_used,
    check_every_option_is_kept_and_has_an_effect,
    check_another_seed_trains_another_model,
    check_each_step_draws_afresh,
    check_two_replicas_step_as_one,
    check_resuming_equals_going_on,
    check_backup_and_restore_goes_on,
    check_keras_file_holds_everything,
    check_a_nan_batch_is_reported_and_never_saved,
    check_a_nan_weight_is_never_saved,
    check_samples_are_a_function_of_the_seed,
    check_saved_model_answers_as_the_model,
    check_every_input_is_heeded,
)


def check_scheme(factory: Factory) -> dict[str, str]:
    """Runs all checks of a scheme, about fifteen seconds for small networks.

    Args:
        factory: function of no arguments that builds the networks and the scheme, see the package's description.

    Returns:
        {check: why it does not apply}, empty where all do.

    Raises:
        AssertionError: a promise is broken; the message says which and what was found.
    """
    prepare_devices()
    skipped = {}
    for check in CHECKS:
        try:
            check(factory)
        except unittest.SkipTest as reason:
            skipped[check.__name__] = str(reason)
    return skipped


def parametrize_with_checks(
    factories: Factory | Mapping[str, Factory], checks: tuple[Check, ...] = CHECKS
) -> Callable[[Callable], Callable]:
    """Decorator for a test of one argument, `check`: pytest runs it once for each check, and it calls `check()`.

    Args:
        factories: one factory, or {name for people: factory} for several schemes.
        checks: those to run, all unless given.

    Returns:
        `pytest.mark.parametrize` over the checks, scheme by scheme, since a scheme's checks share what they train.

    Raises:
        UserError: pytest is not installed.
    """
    try:
        import pytest
    except ImportError as error:
        raise UserError(
            "parametrize_with_checks needs pytest: pip install pytest. check_scheme(factory) does without."
        ) from error
    prepare_devices()
    named = factories if isinstance(factories, Mapping) else {"": factories}
    cases = [
        pytest.param(functools.partial(check, factory), id="-".join(filter(None, (name, _title(check)))))
        for name, factory in named.items()
        for check in checks
    ]
    return pytest.mark.parametrize("check", cases)


def _title(check: Check) -> str:
    return check.__name__.removeprefix("check_")
