"""One training run: data, model, callbacks, fit."""

import contextlib
import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

import keras_gans as kg
from keras_gans.data.holding_out import held_out_of
from keras_gans.doctor.illnesses import TRANSLATING
from keras_gans.engine.classifying import Classifier
from keras_gans.errors import LostWorkerError, NonFiniteError, NoReadableCheckpointError, UserError
from keras_gans.fields import Classes, Texts
from keras_gans.files import clear_left_over
from keras_gans.printing import Console, escape
from keras_gans.runs import run_directory
from keras_gans.runs.lock import locked

from . import event_files, new_run
from .agreement import check_agreement
from .build import build_model, optimizers_in_full, scheme_of
from .executions import steps_at_once
from .going_on import check_as_noted, check_goes_on, how_to_go_on, last_checkpoint, notes_of
from .interruption import Interruption
from .means import Means, means_of
from .output import surviving
from .service_watch import ServiceWatch
from .strategy import check_batch, make_strategy, this_worker

if TYPE_CHECKING:
    from keras_gans.data.source import Source
    from keras_gans.engine.base import AdversarialModel
    from keras_gans.training.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run left behind.

    Attributes:
        run: its directory; None on a worker that writes nothing.
        steps: training steps taken in all.
        picture: the last picture of samples.
        signal: number of the signal that ended it early, or None.
        began: whether there was anything left to do.
    """

    run: Path | None
    steps: int
    picture: Path | None
    signal: int | None
    began: bool = True


def open_data(recipe: "Recipe", data_dir: str | Path | None = None, progress: bool = False) -> "Source":
    """The recipe's data set as a `keras_gans.data.Source`, with labels where its scheme trains on them.

    Of data without a split to measure with, the recipe's `hold_out` share is set aside.
    """
    scheme = scheme_of(recipe)
    source = kg.data.open_source(
        recipe.data,
        image_size=recipe.image_size,
        channels=recipe.channels,
        labels=(Classes,) in scheme.takes.values(),
        data_dir=data_dir,
        progress=progress,
        skip_unreadable=recipe.skip_unreadable,
    )
    if scheme.aligned and len({source.columns[field].group for field in source.match(scheme.takes).values()}) > 1:
        raise UserError(
            f"{recipe.scheme['name']} learns from pairs, and no two images of {source.name!r} belong together. Write "
            "'A = B' of two folders in which pairs have the same name, or 'halves:FOLDER' of images side by side."
        )
    return kg.data.hold_out(source, recipe.hold_out, data_dir)


def held_out_rows(recipe: "Recipe", count: int, data_dir: str | Path | None = None) -> dict[str, Any]:
    """Rows of a recipe's data to draw: {name in its scheme's `takes`: values}, `count` at most, always the same.

    They are rows that it does not train on; of data where nothing is held out, any.
    """
    source = open_data(recipe, data_dir)
    takes = scheme_of(recipe).takes
    found = held_out_of(source, (Classes,) in takes.values(), data_dir)
    return (source if found is None else found).shown_rows(takes, count, recipe.seed)


def build_for(recipe: "Recipe", source: Any) -> "AdversarialModel":
    """The recipe's compiled model for a `keras_gans.data.Source`."""
    return build_model(recipe, source.fields_for(scheme_of(recipe).takes))


def to_dataset(
    recipe: "Recipe",
    source: Any,
    skip_batches: int = 0,
    data_service: str | None = None,
    model: "AdversarialModel | None" = None,
) -> tf.data.Dataset:
    """The recipe's endless batches of a `keras_gans.data.Source`, as its scheme wants them.

    Args:
        recipe: a `Recipe`.
        source: the opened data.
        skip_batches: how many to pass over.
        data_service: see `train`.
        model: that is to train on them, whose vocabularies say how long a sentence is; for `batch_tokens` alone.

    Raises:
        UserError: `labels_per_class` for a scheme that does not learn from few labels, `batch_tokens` for one that does
            not translate sentences; or what `keras_gans.data.through_service` refuses.
    """
    batches = _local_dataset(recipe, source, skip_batches, model)
    return kg.data.through_service(batches, data_service) if data_service else batches


def _local_dataset(recipe, source, skip_batches, model):
    if recipe.batch_tokens is not None:
        return _bucketed_dataset(recipe, source, skip_batches, model)
    order = {"batch_size": recipe.batch_size, "seed": recipe.seed, "repeat": True, "skip_batches": skip_batches}
    if recipe.labels_per_class is None:
        return kg.data.to_dataset(source, fields=source.match(scheme_of(recipe).takes).values(), **order)
    if not scheme_of(recipe).allows_unlabelled:
        raise UserError(
            f"labels_per_class is for schemes that learn from few labels, such as sgan. Received: labels_per_class="
            f"{recipe.labels_per_class} for {recipe.scheme['name']}."
        )
    return kg.data.to_semi_supervised_dataset(source, labels_per_class=recipe.labels_per_class, **order)


def _bucketed_dataset(recipe, source, skip_batches, model):
    scheme = scheme_of(recipe)
    if not scheme.translates_texts():
        raise UserError(
            f"batch_tokens is for schemes that translate sentences, such as adversarial_nmt. Received: batch_tokens="
            f"{recipe.batch_tokens} for {recipe.scheme['name']}."
        )
    fields = list(source.match(scheme.takes).values())
    lengths = model.pair_lengths(source.rows_for(scheme.takes))
    replicas = model.distribute_strategy.num_replicas_in_sync
    order = {"seed": recipe.seed, "skip_batches": skip_batches, "multiple_of": replicas}
    return kg.data.to_bucketed_dataset(source, lengths, recipe.batch_tokens, fields=fields, **order)


# As many as any grid of real samples holds.
_SHOWN_ROWS = 2048
# Fewer real samples say too little about diversity.
_DOCTOR_SAMPLES = 64
# Images of either collection that the doctor has translated at a look.
_DOCTOR_TRANSLATES = 256


def train(
    recipe: "Recipe",
    *,
    root: str | Path = "runs",
    run: str | Path | None = None,
    devices: Any = "auto",
    data_dir: str | Path | None = None,
    console: "Console | None" = None,
    doctor: str = "watch",
    profile: bool = False,
    data_service: str | None = None,
    automatic: bool = False,
) -> "Outcome":
    """Trains a recipe, or goes on with a run of it.

    Args:
        recipe: a `Recipe`.
        root: folder of the run directories; a new one is made here.
        run: directory of a run to go on with from its latest checkpoint; None for a new run.
        devices: see `strategy.make_strategy`.
        data_dir: where TensorFlow Datasets keeps its data.
        console: rich.console.Console to report on.
        automatic: whether this is a job that something starts again and again: a finished run is left as it is, and
            where no checkpoint of `run` can be read a new run begins; else both are errors.
        doctor: what `callbacks.Doctor` does about a sick run: "watch" says so, "stop" ends it, "roll-back" puts it
            back into its last healthy state; "off" leaves the doctor out. Of fewer than 64 rows it judges nothing,
            which a line says.
        profile: whether to record ten early steps for TensorBoard's profiler.
        data_service: address of a tf.data service that makes the batches, such as "grpc://host:5050"; see
            `keras_gans.data.through_service`. None makes them here.

    Returns:
        Outcome.

    Raises:
        UserError: anything in the recipe, data or devices that cannot work, before the first step.
        NonFiniteError: a loss became NaN or infinite.
        OSError: the run directory cannot be written to any more; it says which checkpoint is the last.
    """
    worker = this_worker()
    console = (console if worker.is_chief else None) or Console(quiet=True)
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(surviving(console))
        if run is not None and worker.is_chief:
            run = run_directory.resolve(run)
            check_goes_on(run)
            stack.enter_context(locked(run))
        _check_doctor(doctor, worker)
        if data_service:
            kg.data.check_service(data_service, worker.count)
        strategy, names = make_strategy(devices)
        check_batch(recipe.batch_size, strategy.num_replicas_in_sync)
        with strategy.scope():
            saved, model = _to_go_on_with(run, automatic, console)
        if model is None:
            run = None
        elif model.steps_taken >= recipe.steps:
            return _already_done(run, model.steps_taken, recipe, automatic)
        source = open_data(recipe, data_dir, progress=console.is_terminal)
        _check_doctor_has_enough(doctor, source)
        fingerprint = kg.data.fingerprint(source)
        if model is None:
            with strategy.scope():
                model = build_for(recipe, source)
        # A later change of a default must not change what this run goes on with.
        recipe = recipe.replace(optimizers=optimizers_in_full(recipe, model))
        if saved is not None:
            check_as_noted(saved, recipe, fingerprint)
        done = model.steps_taken
        check_agreement(strategy, worker, recipe, fingerprint, done)
        # Built before the run directory, so that data too small for a batch leaves no trace.
        to_dataset(recipe, source, data_service=data_service, model=model)
        batches = functools.partial(to_dataset, recipe, source, data_service=data_service, model=model)
        # TensorFlow cannot take a step back inside the loop of several steps where workers step together.
        at_once = recipe.steps_per_execution if worker.count == 1 else 1
        if not worker.is_chief:
            _set_steps_at_once(model, recipe, done, at_once, console)
            others = [kg.callbacks.ResetCurves(every=recipe.log_every), *_service_watch(data_service, run)]
            _fit_to_the_end(model, recipe, batches, others, None)
            return Outcome(None, model.steps_taken, None, None)
        if run is None:
            run = new_run.create(recipe, root)
            stack.enter_context(new_run.forgotten_unless_begun(run))
            stack.enter_context(locked(run))
        run = Path(run)
        stopgap, means = (None, {}) if saved is None else _tidied(run, saved, recipe)
        new_run.write_recipe(run, recipe)
        new_run.write_environment(run, names)
        console.print(_opening_line(run, recipe, source, names, done))
        if doctor == "watch" and len(source) < _DOCTOR_SAMPLES:
            console.print(f"No doctor watches this run: it judges by {_DOCTOR_SAMPLES} rows and more.", highlight=False)
        _set_steps_at_once(model, recipe, done, 1 if profile else at_once, console)
        # Workers that stop after different steps would wait for each other: in a cluster a signal ends the process.
        interruption = Interruption(lambda: output.is_lost) if worker.count == 1 else None
        extra = [kg.callbacks.Profile(run_directory.board_of(run))] if profile else []
        extra += _service_watch(data_service, run)
        if worker.count == 1:
            # Of a cluster's means every worker would have to tell its part.
            extra.append(Means(means))

        def notes():
            told = {"means": means_of(model), "interrupted": interruption.signal is not None} if interruption else {}
            return notes_of(recipe, fingerprint) | told

        checkpoint = kg.callbacks.Checkpoint(
            run / "checkpoints",
            every=recipe.checkpoint_every,
            keep=recipe.keep_checkpoints,
            notes=notes,
            parts=lambda: {run_directory.DOCTOR: doctor.state()} if doctor else {},
            stopgap=stopgap,
        )
        doctor = _doctor(doctor, recipe, run, source, console)
        if doctor and saved is not None and (state := run_directory.part_in(saved, run_directory.DOCTOR)):
            doctor.take_up(state)
        return _fit(model, recipe, run, source, batches, console, doctor, interruption, extra, checkpoint)


def _tidied(run, saved, recipe):
    """Clears away what a killed process left and what the run is about to write again.

    Returns (the checkpoint that is to go once there is a later one, or None; the curves' means at the checkpoint).
    """
    for folder in (run, run / "checkpoints", run / "samples"):
        clear_left_over(folder, at_the_start=True)
    step, notes = run_directory.step_of(saved), run_directory.notes_in(saved)
    event_files.drop_after(run_directory.board_of(run), step)
    is_stopgap = notes.get("interrupted", False) and step % recipe.checkpoint_every
    return saved if is_stopgap else None, notes.get("means", {})


def _to_go_on_with(run, automatic, console):
    """The path and the model of a run's newest checkpoint that can be read; (None, None) for a new run."""
    if run is None:
        return None, None
    try:
        return run_directory.newest_readable(run)
    except NoReadableCheckpointError as error:
        if not automatic:
            raise
        console.print(f"{escape(error, lines=True)} So a new run begins.", highlight=False, soft_wrap=True)
        return None, None


def _already_done(run, done, recipe, automatic):
    if not automatic:
        goes_on = f"--steps {2 * done} goes on"
        if recipe.learning_rate_schedule != "constant":
            goes_on = "its learning rate has fallen over these, so a longer run is a new one"
        raise UserError(f"{run} has taken {done} of {recipe.steps} steps already; {goes_on}.")
    return Outcome(Path(run), done, None, None, began=False)


def _set_steps_at_once(model, recipe, done, wanted, console):
    """Lets the model take as many steps at once as change nothing else, and says where these are fewer than wanted."""
    periods = [recipe.log_every, recipe.picture_every, recipe.checkpoint_every, _looks_every(recipe)]
    periods += [recipe.evaluate_every] if recipe.evaluate_every else []
    periods += [start for _, start in model.phase_starts() if start > done]
    count = steps_at_once(wanted, recipe.steps, done, periods)
    if count < wanted:
        console.print(
            f"{count} training steps run at once instead of {wanted}, so that the {recipe.steps - done} steps and "
            "whatever is due between them come out even.",
            highlight=False,
        )
    model.steps_per_execution = count
    # Made of the number that held when it was made.
    model.train_function = None


def _looks_every(recipe):
    """Steps between two looks of the doctor: thirty in a run, on steps at which curves are written too."""
    return max(1, round(recipe.steps / 1500)) * 50


def _service_watch(address, run):
    """The callback that ends a run whose data service is gone, in a list, or none without a service."""

    def advice():
        return f"{last_checkpoint(run)} {how_to_go_on(run)}" if run else "Start all workers again with --resume auto."

    return [ServiceWatch(address, advice)] if address else []


def _check_doctor_has_enough(mode, source):
    """Refuses to say nothing of a run that the doctor was to end or to put right."""
    if mode in ("stop", "roll-back") and len(source) < _DOCTOR_SAMPLES:
        raise UserError(
            f"The doctor judges by {_DOCTOR_SAMPLES} rows and more, and there are {len(source)} to train on. Give more "
            f"data, or leave --doctor {mode} out: then nothing watches the run."
        )


def _check_doctor(mode, worker):
    """Refuses what only the chief, who alone looks at the samples, would do."""
    if worker.count > 1 and mode in ("stop", "roll-back"):
        raise UserError(
            f"In a cluster the doctor can only watch: the workers that do not see its verdict would wait for the one "
            f"that stops. --doctor takes watch or off there. Received: {mode!r}."
        )


def _fit(model, recipe, run, source, batches, console, doctor, interruption, extra, checkpoint):
    board = run_directory.board_of(run)
    if model.steps_taken == 0:
        new_run.write_to_tensorboard(board, run.name, recipe, tuple(model.players))
    rows = source.shown_rows(scheme_of(recipe).takes, _SHOWN_ROWS, recipe.seed)
    for remark in model.remarks_on(rows):
        console.print(f"[yellow]Note:[/] {escape(remark)}", highlight=False, soft_wrap=True)
    pictures = kg.callbacks.ImageGrid(board, every=recipe.picture_every, real=rows, samples_directory=run / "samples")
    progress = kg.callbacks.Progress(recipe.steps, console=console)
    callbacks = [
        new_run.Begin(run),
        progress,
        kg.callbacks.Curves(
            board,
            every=recipe.log_every,
            metrics_file=run / "metrics.jsonl",
            # Batches by tokens differ in their rows.
            samples_per_step=None if recipe.batch_tokens else recipe.batch_size * model.batches_per_step(),
        ),
        pictures,
        # Before the checkpoint, so that what it puts back is what is saved.
        *([doctor] if doctor else []),
        *_evaluation(recipe, run, source),
        *_accuracy(recipe, run, source, console),
        checkpoint,
        *([interruption] if interruption else []),
        *extra,
    ]
    try:
        _fit_to_the_end(model, recipe, batches, callbacks, doctor)
        if run_directory.step_of(run_directory.latest_checkpoint(run)) < model.steps_taken:
            # The doctor went back after the last step.
            checkpoint.save(model)
    except NonFiniteError as error:
        raise NonFiniteError(f"{error} {last_checkpoint(run)}") from None
    except (OSError, tf.errors.ResourceExhaustedError) as error:
        # TensorFlow's event files report a full disk under the name of a full memory.
        if not isinstance(error, OSError) and "No space left" not in str(error):
            raise
        raise OSError(
            f"After step {model.steps_taken} the run could not write: {error}. {last_checkpoint(run)} Once there is "
            f"room: {how_to_go_on(run)}"
        ) from None
    finally:
        progress.close()
        if interruption:
            interruption.restore()
    return Outcome(run, model.steps_taken, pictures.latest, interruption.signal if interruption else None)


def _doctor(mode, recipe, run, source, console):
    """The doctor of a run, or None where there is to be none or too little to judge by."""
    takes = scheme_of(recipe).takes
    if mode == "off" or len(source) < _DOCTOR_SAMPLES:
        return None
    return kg.callbacks.Doctor(
        source.rows_for(takes) if "sample" in takes and scheme_of(recipe).is_generative else None,
        run_directory.board_of(run),
        every=_looks_every(recipe),
        translation=_translation_check(recipe, source, console),
        console=console,
        report_file=run / "doctor.jsonl",
        stop=mode == "stop",
        roll_back=mode == "roll-back",
    )


def translates_texts(scheme: "type[AdversarialModel]") -> bool:
    """Whether what a scheme translates are sentences."""
    return any(scheme.takes[field] == (Texts,) for pair in scheme.translates.values() for field in pair)


def _translation_check(recipe, source, console):
    """What the doctor compares translations with, or None where there are none or the run is too short to judge."""
    scheme = scheme_of(recipe)
    if not scheme.translates or translates_texts(scheme) or recipe.steps <= TRANSLATING:
        return None
    check = functools.partial(
        kg.metrics.TranslationEvaluation,
        source,
        scheme.translates,
        samples=_DOCTOR_TRANSLATES,
        progress=not console.quiet,
    )
    wanted = [name for name in ("classes_kept", "hidden_share") if name in check().measures]
    return check(metrics=wanted).prepare() if wanted else None


def _evaluation(recipe, run, source):
    """The callback that measures samples, in a list, or none where the recipe asks for none."""
    if recipe.evaluate_every is None:
        return []
    return [
        kg.callbacks.Evaluate(
            run_directory.board_of(run),
            source,
            every=recipe.evaluate_every,
            metrics_file=run / "metrics.jsonl",
            best=recipe.best or _best_figure(recipe, source),
            checkpoints=run / "checkpoints",
        )
    ]


def classifier_accuracy(recipe: "Recipe", source: "Source") -> "kg.metrics.ClassifierAccuracy | None":
    """What the recipe's classifier is asked, or None where its scheme does not classify."""
    scheme = scheme_of(recipe)
    if not issubclass(scheme, Classifier):
        return None
    return kg.metrics.ClassifierAccuracy(source, scheme.takes, recipe.labels_per_class, recipe.seed)


def _accuracy(recipe, run, source, console):
    """The callback that says how well the scheme classifies, in a list, or none where it does not."""
    accuracy = classifier_accuracy(recipe, source)
    if accuracy is None:
        return []
    board, file = run_directory.board_of(run), run / "metrics.jsonl"
    return [kg.callbacks.Accuracy(board, accuracy, recipe.picture_every, metrics_file=file, console=console)]


def _best_figure(recipe, source):
    if scheme_of(recipe).translates:
        # No single figure says which translators are the best.
        return None
    return "modes_covered" if source.is_points else "frechet_distance"


def _fit_to_the_end(model, recipe, batches, callbacks, doctor):
    """`fit` to the recipe's last step, and on where the doctor can put a run right that met NaN.

    `batches` is a function of `skip_batches` that gives the data set.
    """
    while model.steps_taken < recipe.steps:
        done = model.steps_taken
        rows = batches(skip_batches=done * model.batches_per_step())
        watches = [callback.watching() for callback in callbacks if isinstance(callback, ServiceWatch)]
        try:
            with contextlib.ExitStack() as stack:
                for watch in watches:
                    stack.enter_context(watch)
                model.fit(rows, steps_per_epoch=recipe.steps - done, epochs=1, verbose=0, callbacks=callbacks)
        except LostWorkerError as error:
            raise LostWorkerError(f"{error} With --resume auto they go on from the last checkpoint.") from None
        except NonFiniteError as error:
            if doctor is None or not doctor.recover(error):
                raise
            continue
        break


def _opening_line(run, recipe, source, devices, done):
    held = ", ".join(field.describe() for field in source.fields_for(scheme_of(recipe).takes).values())
    start = f"going on from step {done}" if done else f"{recipe.steps} steps"
    aside = "" if source.held_out is None else f", {len(source.held_out):,} more held out to measure with"
    note = f"\n{escape(source.note, lines=True)}" if source.note else ""
    return (
        f"[bold]{escape(recipe.name)}[/] ({escape(recipe.source)}) on {escape(recipe.data)}: {len(source):,} "
        f"{escape(held)}{aside}, {start} on {escape(', '.join(devices))} -> {escape(str(run))}{note}"
    )


def describe(
    recipe: "Recipe", *, devices: Any = "auto", data_dir: str | Path | None = None, console: "Console | None"
) -> None:
    """Prints what `train` would do: data, networks with their shapes, and optimizers. Nothing is written."""
    strategy, names = make_strategy(devices)
    check_batch(recipe.batch_size, strategy.num_replicas_in_sync)
    source = open_data(recipe, data_dir, progress=console.is_terminal)
    with strategy.scope():
        model = build_for(recipe, source)
    to_dataset(recipe, source, model=model)
    for network in {network for networks in model.players.values() for network in networks}:
        getattr(model, network).summary(print_fn=lambda line, **_: console.print(line, markup=False, highlight=False))
    for player, optimizer in model.optimizers.items():
        rate = keras.ops.convert_to_numpy(optimizer.learning_rate)
        console.print(f"{player}: {type(optimizer).__name__}, learning rate {float(rate):g}")
    console.print(_opening_line("(dry run: nothing is written)", recipe, source, names, 0))
