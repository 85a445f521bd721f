"""What is kept: files that hold everything, runs that go on exactly, and nothing that is NaN."""

import tempfile
import unittest
from pathlib import Path

import keras
import numpy as np

from keras_gans.engine.base import AdversarialModel
from keras_gans.errors import NonFiniteError
from keras_gans.testing.answering import answers, assert_answers, examples
from keras_gans.testing.subject import (
    HALF,
    ROWS,
    STEPS,
    Factory,
    assert_same,
    built,
    dataset_of,
    rows_of,
    run_of,
    scheme_name,
    state,
    train,
)


def check_resuming_equals_going_on(factory: Factory) -> None:
    """A run that is loaded from its file in the middle ends bit for bit where the unbroken one does.

    That is so for every weight, statistic and optimizer's state, whatever Keras's global seed is by then.
    """
    run = run_of(factory)
    keras.utils.set_random_seed(99)
    resumed = keras.saving.load_model(run.half)
    assert resumed.steps_taken == HALF, f"A file of step {HALF} says so. Found: {resumed.steps_taken}."
    train(resumed, STEPS - HALF, skip_steps=HALF)
    assert_same(run.end, state(resumed), "Resuming equals going on bit for bit")


def check_keras_file_holds_everything(factory: Factory) -> None:
    """A `.keras` file holds the scheme, its options, the weights, the optimizers and their state, the answers."""
    model = run_of(factory).model
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        loaded = keras.saving.load_model(path)
    assert type(loaded) is type(model), f"A file holds a {scheme_name(model)}. Found: {type(loaded).__name__}."
    for name in model.get_config().keys() - set(model.network_names()):
        ours, theirs = model.get_config()[name], loaded.get_config()[name]
        assert ours == theirs, f"A file holds the option {name!r}. Found: {theirs!r} in place of {ours!r}."
    assert loaded.get_compile_config() == model.get_compile_config(), (
        f"A file holds the optimizers. Found: {loaded.get_compile_config()}."
    )
    assert_same(state(model), state(loaded), "A loaded model has all weights and optimizers' states")
    for signature in model.endpoints():
        inputs = examples(model, signature)
        promise = f"A loaded model answers {signature!r} as before"
        assert_answers(answers(model, signature, inputs), answers(loaded, signature, inputs), promise)


def check_backup_and_restore_goes_on(factory: Factory) -> None:
    """A run that goes on from what `keras.callbacks.BackupAndRestore` wrote ends where the unbroken one does."""
    run = run_of(factory)
    restored = built(factory)
    restored.load_weights(run.backup)
    assert restored.steps_taken == HALF, f"The backup of step {HALF} says so. Found: {restored.steps_taken}."
    train(restored, STEPS - HALF, skip_steps=HALF)
    assert_same(run.end, state(restored), "A restored run goes on exactly")


class _SaveEachStep(keras.callbacks.Callback):
    def __init__(self, folder: Path):
        super().__init__()
        self.folder = folder

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.model.save(self.folder / f"{self.model.steps_taken}.keras")


def check_a_nan_batch_is_reported_and_never_saved(factory: Factory) -> None:
    """A step whose loss is NaN ends the run with a `NonFiniteError` that names step and loss.

    Its update is not applied, and no file is written with or after it.
    """
    run = run_of(factory)
    model, rows = run.model, _with_nan(run.model)
    with tempfile.TemporaryDirectory() as folder:
        try:
            model.fit(dataset_of(rows), epochs=1, verbose=0, callbacks=[_SaveEachStep(Path(folder))])
        except NonFiniteError as error:
            message = str(error)
        else:
            raise AssertionError("A NaN in a batch ends the run with a NonFiniteError. Found: the run went on.")
        finally:
            bad = [variable.path for variable in model.trainable_variables if not np.isfinite(variable).all()]
            run.restore()
        saved = sorted(path.name for path in Path(folder).iterdir())
    assert message.startswith(f"Step {STEPS + 3}: ") and "_loss is NaN or infinite" in message, (
        f"The error names the step, {STEPS + 3}, and the loss. Found: {message}"
    )
    whole = [f"{STEPS + step}.keras" for step in (1, 2)]
    assert saved == whole, f"The steps before are saved, {whole}, and no further one. Found: {saved}."
    assert not bad, f"The update of the bad batch is not applied. Found: {len(bad)} weights are NaN, such as {bad[0]}."


def _with_nan(model: AdversarialModel) -> dict[str, np.ndarray]:
    """Rows of three steps with a NaN in the first one of the third, in every field of numbers."""
    batches = model.batches_per_step()
    rows = rows_of(model, 3 * batches)
    floats = [name for name, values in rows.items() if values.dtype.kind == "f"]
    if not floats:
        raise unittest.SkipTest(f"{scheme_name(model)} takes {', '.join(rows)}, none of which can be NaN")
    for name in floats:
        rows[name].reshape(len(rows[name]), -1)[2 * batches * ROWS, 0] = np.nan
    return rows


def check_a_nan_weight_is_never_saved(factory: Factory) -> None:
    """A model with a weight that is NaN is not written, neither as a file nor as weights alone."""
    model = built(factory)
    first = model.variables_of(next(iter(model.players)))[0]
    first.assign(np.full(first.shape, np.nan))
    with tempfile.TemporaryDirectory() as folder:
        for save, name in ((model.save, "model.keras"), (model.save_weights, "model.weights.h5")):
            try:
                save(Path(folder) / name)
            except NonFiniteError as error:
                assert "was not written" in str(error), f"The error says that nothing was written. Found: {error}"
            else:
                raise AssertionError(f"A model with a NaN weight is not saved. Found: {name} was written.")
        written = [path.name for path in Path(folder).iterdir()]
    assert not written, f"Nothing is left of a refused file. Found: {written}."
