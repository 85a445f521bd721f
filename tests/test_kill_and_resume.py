"""A run that is killed again and again ends as the run that never was."""

import warnings

import keras
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.errors import UserError
from keras_gans.runs import run_directory
from tests.processes import forked, wait_until
from tests.small import endless, optimizer_state, small_model, weights

KILLS = 20
# Every so many kills the newest checkpoint is torn too, as by a crash of the whole machine.
TEAR_EVERY = 4
MORE_STEPS = 5
SCHEMES = [(name, {}) for name in kg.registry.schemes] + [("dcgan", {"ema": 0.9}), ("wgan_gp", {"ema": 0.9})]


def go_on(run, scheme, changes, steps, is_training):
    """What each process does: starts, or goes on with the newest whole checkpoint, and saves after every step."""
    warnings.simplefilter("ignore")
    try:
        model = kg.load_run(run)
    except UserError:
        model = small_model(scheme, **changes)
    # Said after a checkpoint was written: on a busy machine a process might be killed before its first one, every time.
    callbacks = [
        kg.callbacks.Checkpoint(run / "checkpoints", every=1, keep=3),
        keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: is_training.set()),
    ]
    left = steps - model.steps_taken
    model.fit(endless(model, model.steps_taken), steps_per_epoch=left, verbose=0, callbacks=callbacks)


def kill(run, scheme, changes, moment):
    """Lets a process train for `moment` seconds after its first step and kills it, wherever it is then."""
    is_training = forked.Event()
    process = forked.Process(target=go_on, args=(run, scheme, changes, 1_000_000, is_training))
    process.start()
    wait_until(is_training.is_set, process)
    process.join(timeout=moment)
    assert process.is_alive(), f"the process ended by itself, with {process.exitcode}"
    process.kill()
    process.join()


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "changes"), SCHEMES, ids=lambda value: str(value or ""))
def test_twenty_kills_change_nothing(scheme, changes, tmp_path):
    (tmp_path / "recipe.json").write_text("{}")
    random = np.random.default_rng(0)
    reached, torn = [], 0
    for index in range(KILLS):
        kill(tmp_path, scheme, changes, moment=random.uniform(0.0, 1.0))
        saved = run_directory.checkpoints(tmp_path)
        reached.append(run_directory.step_of(saved[-1]) if saved else 0)
        if index % TEAR_EVERY == 0 and len(saved) > 1:
            content = saved[-1].read_bytes()
            saved[-1].write_bytes(content[: random.integers(1, len(content))])
            torn += 1
    assert torn and reached[-1] > KILLS / 2, f"the kills left too little to compare: {reached}"
    steps = reached[-1] + MORE_STEPS
    is_training = forked.Event()
    last = forked.Process(target=go_on, args=(tmp_path, scheme, changes, steps, is_training))
    last.start()
    last.join()
    assert last.exitcode == 0
    # Nothing is left of what the killed processes were writing.
    assert all(path.name.startswith("step-") for path in (tmp_path / "checkpoints").iterdir())
    resumed = kg.load_run(tmp_path)
    undisturbed = small_model(scheme, **changes)
    undisturbed.fit(endless(undisturbed), steps_per_epoch=steps, verbose=0)
    assert resumed.steps_taken == undisturbed.steps_taken == steps
    for name, value in weights(undisturbed).items():
        np.testing.assert_array_equal(value, weights(resumed)[name], err_msg=name)
    for player, state in optimizer_state(undisturbed).items():
        for first, second in zip(state, optimizer_state(resumed)[player], strict=True):
            np.testing.assert_array_equal(first, second, err_msg=player)
    print(f"\n{scheme} {changes or ''}: {KILLS} kills, {torn} torn checkpoints, bit-equal after {steps} steps")
