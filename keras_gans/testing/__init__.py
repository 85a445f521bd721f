"""The contract that every scheme keeps, as checks of a scheme of your own.

Three lines of pytest check all of it:

```python
from keras_gans.testing import parametrize_with_checks


@parametrize_with_checks(lambda: MyGAN(my_generator(), my_discriminator()))
def test_my_gan(check):
    check()
```

and `check_scheme(factory)` does so without pytest. A factory takes no arguments and builds the networks and the scheme,
anew at every call, with networks as small as they come: a check trains for a few steps, and the whole contract takes
some ten seconds. It may compile the scheme; the scheme's own optimizers are taken unless it does. The class stands
under `engine.register_scheme` or `keras.saving.register_keras_serializable`, for files to name it. Data are not needed:
the scheme's `fields` say what its batches hold, and random rows will do.

What is promised, and which check proves it:

| a scheme promises | check |
|---|---|
| a player's update moves that player's networks and no other | `check_an_update_moves_its_own_player_and_no_other` |
| a player's turn changes nothing of the others, forward passes included | `check_a_turn_leaves_the_others_alone` |
| a judge's steps widen the gap between its scores, a rival's narrow it | `check_each_player_pulls_its_own_way` |
| each player takes its number of steps | `check_each_player_takes_its_number_of_steps` |
| curves have the names that callbacks know | `check_losses_are_reported_under_the_players_names` |
| every field that it takes is used, labels too | `check_every_field_is_used` |
| every option of the constructor is saved and has an effect | `check_every_option_is_kept_and_has_an_effect` |
| another seed trains another model | `check_another_seed_trains_another_model` |
| each step draws afresh | `check_each_step_draws_afresh` |
| two replicas that share a batch step as one device does | `check_two_replicas_step_as_one` |
| resuming from a file equals going on, bit for bit | `check_resuming_equals_going_on` |
| so does Keras's own backup | `check_backup_and_restore_goes_on` |
| a `.keras` file holds everything | `check_keras_file_holds_everything` |
| a NaN in a batch is reported, not applied, not saved | `check_a_nan_batch_is_reported_and_never_saved` |
| a NaN among the weights is never saved | `check_a_nan_weight_is_never_saved` |
| samples are a function of their seeds | `check_samples_are_a_function_of_the_seed` |
| the exported SavedModel answers as the model | `check_saved_model_answers_as_the_model` |
| every input of an answer matters, labels too | `check_every_input_is_heeded` |

Each check is a function of the factory that returns nothing, or raises an `AssertionError` whose message says what is
promised and what was found. A check that cannot apply, by what the scheme says of itself (it makes no samples, say),
raises `unittest.SkipTest` with the reason, which pytest reports as skipped.

The scheme is asked for what the checks need to know: `players`, `rivals` and `judged` for who plays against whom,
`fields` for the batches, `updates_per_step` for the order of play, `endpoints` for the answers, and `option_examples`
for options of which no other value can be guessed. One that says in `phases` that it trains in several is built for the
checks with phases of a step or two: six steps are to see all of them. Replicas need two devices of the CPU, into which
TensorFlow splits it only before its first use: `parametrize_with_checks` sees to it, unless something used TensorFlow
earlier.
"""

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
from keras_gans.testing.options import (
    check_every_option_is_kept_and_has_an_effect,
)
from keras_gans.testing.playing import (
    check_another_seed_trains_another_model,
    check_each_player_pulls_its_own_way,
    check_each_player_takes_its_number_of_steps,
    check_each_step_draws_afresh,
    check_every_field_is_used,
    check_losses_are_reported_under_the_players_names,
)
from keras_gans.testing.replicas import (
    check_two_replicas_step_as_one,
    prepare_devices,
    two_replicas,
)
from keras_gans.testing.running import (
    CHECKS,
    check_scheme,
    parametrize_with_checks,
)
from keras_gans.testing.subject import (
    Factory,
)
from keras_gans.testing.turns import (
    check_a_turn_leaves_the_others_alone,
    check_an_update_moves_its_own_player_and_no_other,
)

__all__ = [
    "CHECKS",
    "Factory",
    "check_a_nan_batch_is_reported_and_never_saved",
    "check_a_nan_weight_is_never_saved",
    "check_a_turn_leaves_the_others_alone",
    "check_an_update_moves_its_own_player_and_no_other",
    "check_another_seed_trains_another_model",
    "check_backup_and_restore_goes_on",
    "check_each_player_pulls_its_own_way",
    "check_each_player_takes_its_number_of_steps",
    "check_each_step_draws_afresh",
    "check_every_field_is_used",
    "check_every_input_is_heeded",
    "check_every_option_is_kept_and_has_an_effect",
    "check_keras_file_holds_everything",
    "check_losses_are_reported_under_the_players_names",
    "check_resuming_equals_going_on",
    "check_samples_are_a_function_of_the_seed",
    "check_saved_model_answers_as_the_model",
    "check_scheme",
    "check_two_replicas_step_as_one",
    "parametrize_with_checks",
    "prepare_devices",
    "two_replicas",
]
