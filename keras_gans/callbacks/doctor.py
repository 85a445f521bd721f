"""The doctor's visits to a run: what it says, where it writes it, and what it does about it."""

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.callbacks.board import DOCTOR
from keras_gans.callbacks.every import EveryNSteps
from keras_gans.doctor.diagnosis import diagnose
from keras_gans.doctor.examination import Examination
from keras_gans.doctor.illnesses import not_finite
from keras_gans.doctor.snapshot import Snapshot, check_learning_rates_can_change
from keras_gans.doctor.verdict import HEALTHY, UNCLEAR, Patient, Verdict
from keras_gans.doctor.vital_signs import Reference, VitalSigns
from keras_gans.engine.inputs import first_rows
from keras_gans.engine.two_player import GAN
from keras_gans.errors import UserError
from keras_gans.files import atomically, json_lines
from keras_gans.printing import Console, escape, printable


class Doctor(EveryNSteps):
    """Watches a run, says in plain words what is wrong with it and what to try, and may stop it or go back.

    It names: NaN and infinity, exploding losses or gradients, a player that stands still, a discriminator that is
    blind or overpowering, mode collapse, a run that does not converge, and, with a classifier, classes that are
    missing. An illness is named once its signs have shown at several looks in a row; see `keras_gans.doctor`. Looking
    changes nothing: a run with the doctor equals the run without, bit for bit, as long as it does not go back.

    A loss that becomes NaN ends `fit` with a `NonFiniteError` before the update, and with it all callbacks. Catch it
    and call `recover`, which explains it and may go back:

        while model.steps_taken < steps:
            try:
                model.fit(images(model.steps_taken), steps_per_epoch=steps - model.steps_taken, callbacks=[doctor])
            except kg.errors.NonFiniteError as error:
                if not doctor.recover(error):
                    raise

    Args:
        real: the data to compare with: an array of uint8 images, of float images in [-1, 1] or of points, of which a
            part is drawn; {"sample": such an array, "label": its labels} for a discriminator that sees both; or a
            tf.data.Dataset of batches, whose first are taken. None judges by losses, gradients and weights alone.
        directory: for TensorBoard; None writes nothing there.
        every: steps between looks; None looks at the end of each epoch.
        patience: looks in a row at which an illness of the samples must show.
        count: samples drawn at a look, of the same latents each time; at most half as many as real ones.
        extractor: `keras_gans.metrics.Extractor` with a classifier, to compare the classes of images too.
        translation: `metrics.TranslationEvaluation` of a scheme that translates: whether classes are kept, and whether
            originals are hidden in noise.
        seed: of the first sample, see `sample`, and of the choice of real samples.
        console: rich.console.Console to speak on.
        report_file: JSON lines, one for each look with all vital signs and the verdict; written anew as a whole. A run
            that goes on takes its history from there. None writes none.
        stop: whether to end `fit` when the run is sick (after going back as often as allowed).
        roll_back: whether to put the model back into its last healthy state when it is sick. Weights and optimizers go
            back, the step and the data go on, see `doctor.snapshot`. The state is held in memory.
        learning_rate_factor: what the learning rates are multiplied by each time, in (0, 1]; rates that follow a
            schedule cannot be.
        max_roll_backs: how often it goes back at most.

    Attributes:
        verdict: the latest `doctor.Verdict`.
        verdicts: list of each verdict that differs from the one before, without "unclear".
        history: list of all `doctor.VitalSigns`.
        roll_backs: how often it went back.

    Raises:
        UserError: arguments that cannot be used; at the beginning of training also data that do not fit the model.
    """

    def __init__(
        self,
        real: Any = None,
        directory: str | Path | None = None,
        *,
        every: int | None = 100,
        patience: int = 5,
        count: int = 512,
        extractor: Any = None,
        translation: Any = None,
        seed: int = 0,
        console: "Console | None" = None,
        report_file: str | Path | None = None,
        stop: bool = False,
        roll_back: bool = False,
        learning_rate_factor: float = 1.0,
        max_roll_backs: int = 3,
    ):
        super().__init__(every)
        if patience < 2:
            raise UserError(f"patience must be 2 or more looks. Received: {patience!r}.")
        if not 0.0 < learning_rate_factor <= 1.0:
            raise UserError(f"learning_rate_factor must be above 0 and at most 1. Received: {learning_rate_factor!r}.")
        if max_roll_backs < 1:
            raise UserError(
                f"max_roll_backs must be 1 or more; roll_back=False never does. Received: {max_roll_backs!r}."
            )
        if learning_rate_factor != 1.0 and not roll_back:
            raise UserError("learning_rate_factor acts when going back: set roll_back=True, or leave it out.")
        if isinstance(real, tf.data.Dataset):
            held = len(real.element_spec) if isinstance(real.element_spec, tuple) else 1
            real = first_rows(real, ("sample", "label")[:held], 2 * count)
        if real is None and extractor is not None:
            raise UserError(
                "An extractor compares the classes of samples and data: pass those as real, or leave extractor out."
            )
        self.reference = None if real is None else Reference(real, count, extractor, seed)
        self.translation = translation
        self.directory = None if directory is None else Path(directory)
        self.patience = patience
        self.seed = seed
        self.console = console or Console()
        self.report_file = None if report_file is None else Path(report_file)
        self.stop, self.roll_back = stop, roll_back
        self.learning_rate_factor, self.max_roll_backs = learning_rate_factor, max_roll_backs
        self.verdict, self.verdicts, self.history, self.roll_backs = None, [], [], 0
        self._lines, self._treated, self._healthy = [], 0, None
        self._examination, self._taken_up = None, None

    # Looking ----------------------------------------------------------------------------------------------------

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_begin(logs)
        self._check_model()
        self._patient = _patient_of(self.model)
        self._writer = None if self.directory is None else tf.summary.create_file_writer(str(self.directory))
        if not self.history:
            self._read_report()
        self._examination = Examination(self.model, self.reference, self.seed, self.translation)
        first = self._examination.look(self.step)
        if not self.history:
            self._take_down(first)
        if self._taken_up is not None:
            self._go_on(self._taken_up)
            self._taken_up = None
        if self.roll_back and self._healthy is None:
            # Where no look has been healthy yet, the beginning is what there is to go back to.
            self._healthy = Snapshot(self.model)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        super().on_epoch_begin(epoch, logs)
        # At the first epoch: what the curves held before, `fit` has just thrown away.
        self._examination.follow()

    def state(self) -> bytes:
        """What a run that goes on needs for its looks, and what it goes back to, to be those of this one; `take_up`."""
        state = {} if self._examination is None else _prefixed("look.", self._examination.state())
        if self.roll_back and self._healthy is not None:
            state |= _prefixed("healthy.", self._healthy.state())
        file = io.BytesIO()
        np.savez(file, **state)
        return file.getvalue()

    def take_up(self, state: bytes) -> None:
        """Has the next `fit` go on from what `state` gave."""
        with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
            self._taken_up = {name: arrays[name] for name in arrays.files}

    def _go_on(self, state):
        look, healthy = (_without_prefix(prefix, state) for prefix in ("look.", "healthy."))
        if look:
            self._examination.take_up(look)
        if healthy and self.roll_back:
            self._healthy = Snapshot.of_state(healthy)

    def _check_model(self):
        if self.reference is not None and self.model.makes == "sample":
            shape, real = tuple(self.model.sample_shape()), tuple(self.reference.samples.shape[1:])
            if real != shape:
                raise UserError(f"The model makes samples of shape {shape}, but the doctor's real ones are of {real}.")
        if self.learning_rate_factor != 1.0:
            check_learning_rates_can_change(self.model)

    def on_step(self, step: int, logs: dict[str, float]) -> None:
        self._take_down(self._examination.look(step, logs))
        self._write_report()
        self._write_scalars()
        if self.verdict.is_sick:
            self._treat()
        elif self.roll_back and self.verdict.name == HEALTHY:
            snapshot = Snapshot(self.model)
            self._healthy = snapshot if snapshot.is_finite else self._healthy

    def _take_down(self, signs):
        """Adds a look to the history and judges."""
        before = self.verdict
        self.history.append(signs)
        self.verdict = diagnose(self.history[self._treated :], self._patient, self.patience, before)
        self._lines.append({**dataclasses.asdict(signs), "verdict": self.verdict.name, "treated": False})
        self._note_change(before)

    def _note_change(self, before):
        said = before.name if before is not None else UNCLEAR
        if self.verdict.name in (said, UNCLEAR):
            return
        if self.verdict.name != HEALTHY or self.verdicts:
            self._speak()
        self.verdicts.append(self.verdict)
        self._show_verdict()

    def _show_verdict(self):
        if self._writer is not None:
            with self._writer.as_default():
                tf.summary.text("doctor/verdict", _as_markdown(self.verdict), step=self.verdict.step)
            self._writer.flush()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_end(logs)
        self._examination.unfollow()
        verdict = self.verdict
        said = self.verdicts[-1] if self.verdicts else None
        if not getattr(self.model, "is_interrupted", False) and (said is None or said.step < verdict.step):
            # What TensorBoard shows last is what holds in the end.
            self._show_verdict()
        style = "bold red" if verdict.is_sick else "bold"
        since = f" (since step {verdict.since})" if verdict.is_sick else ""
        self._print(f"[{style}]Doctor: {verdict.name}{since}:[/] {escape(verdict.summary)}.")
        if self._writer is not None:
            self._writer.close()
            # A checkpoint that follows may find what `recover` then speaks of.
            self._writer = None

    # Acting -----------------------------------------------------------------------------------------------------

    def recover(self, error: Exception) -> bool:
        """Explains a `NonFiniteError` that ended `fit`, and goes back to the last healthy state where that is allowed.

        The step that failed counts as taken, so that its batch is not seen again: go on with the data after
        `model.steps_taken` steps.

        Args:
            error: the `NonFiniteError`.

        Returns:
            True where the model was put back and `fit` can be called again; otherwise False.
        """
        before = self.verdict
        history = self.history[self._treated :]
        self.verdict = not_finite(error, self.model.steps_taken, history)
        self._note_change(before)
        if not self._may_go_back():
            return False
        self.model.step.assign(self.model.step + 1)
        self._go_back()
        return True

    def _treat(self):
        if self._may_go_back():
            self._go_back()
        elif self.stop:
            self._print("[bold]Doctor:[/] the run is stopped here.")
            self.model.stop_training = True

    def _may_go_back(self):
        return self.roll_back and self.roll_backs < self.max_roll_backs

    def _go_back(self):
        self._healthy.restore(self.model, self.learning_rate_factor)
        self.roll_backs += 1
        self._treated = len(self.history)
        if self._lines:
            self._lines[-1]["treated"] = True
            self._write_report()
        self.verdict = _gone_back(self.step, f"step {self._healthy.step}")
        self._examination = Examination(self.model, self.reference, self.seed, self.translation)
        self._examination.follow()
        rates = self._examination.look(self.step).learning_rates
        listed = ", ".join(f"{player} {rate:.2g}" for player, rate in rates.items())
        self._print(
            f"[bold]Doctor:[/] weights and optimizers are those of step {self._healthy.step} again "
            f"({self.roll_backs} of {self.max_roll_backs}); learning rates: {listed}. The step count goes on."
        )

    # Telling ----------------------------------------------------------------------------------------------------

    def _speak(self):
        verdict = self.verdict
        style = "bold red" if verdict.is_sick else "bold yellow" if verdict.remedies else "bold green"
        since = f", since step {verdict.since}" if verdict.is_sick and verdict.since < verdict.step else ""
        self._print(f"[{style}]Doctor, step {verdict.step}: {verdict.name}[/]: {escape(verdict.summary)}{since}.")
        for sentence in verdict.evidence if verdict.name != HEALTHY else ():
            self._print(f"  {escape(sentence)}")
        for index, sentence in enumerate(verdict.remedies):
            self._print(f"  {'Try: ' if index == 0 else '  or '}{escape(sentence)}")

    def _print(self, line):
        self.console.print(line, highlight=False, soft_wrap=True)

    def _write_scalars(self):
        if self._writer is None:
            return
        with self._writer.as_default():
            for name, value in self.history[-1].scalars().items():
                tf.summary.scalar(f"{DOCTOR}/{name}", value, step=self.step)
            tf.summary.scalar(f"{DOCTOR}/sick", float(self.verdict.is_sick), step=self.step)
        self._writer.flush()

    def _write_report(self):
        if self.report_file is not None:
            with atomically(self.report_file) as partial:
                partial.write_text("".join(json.dumps(line) + "\n" for line in self._lines), encoding="utf-8")

    def _read_report(self):
        """Takes up the history of the run that is being gone on with, up to the model's step."""
        if self.report_file is None or not self.report_file.exists():
            return
        for line in json_lines(self.report_file, _is_look):
            if line["step"] > self.step:
                break
            self.history.append(_signs_in(line))
            self._lines.append(line)
            self.verdict = diagnose(self.history[self._treated :], self._patient, self.patience, self.verdict)
            if line["treated"]:
                self._treated, self.roll_backs = len(self.history), self.roll_backs + 1
                # As the run itself judged on: what it was put right from says nothing of what comes.
                self.verdict = _gone_back(line["step"])


def _gone_back(step, healthy="an earlier step"):
    return Verdict(UNCLEAR, step, step, f"weights are those of {healthy} again")


def _prefixed(prefix, state):
    return {f"{prefix}{name}": value for name, value in state.items()}


def _without_prefix(prefix, state):
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _signs_in(line):
    fields = {field.name for field in dataclasses.fields(VitalSigns)}
    return VitalSigns(**{name: value for name, value in line.items() if name in fields})


def _is_look(line):
    """Whether a JSON value is a line that the doctor wrote, with values of the types that it writes."""
    if not (isinstance(line, dict) and type(line.get("step")) is int and isinstance(line.get("treated"), bool)):
        return False
    return all(_is_sign(name, value) for name, value in dataclasses.asdict(_signs_in(line)).items())


def _is_sign(name, value):
    if isinstance(getattr(_NO_SIGNS, name), dict):
        of_type = str if name == "swaps" else (int, float)
        return isinstance(value, dict) and all(isinstance(each, of_type) for each in value.values())
    return value is None and name != "finite" or isinstance(value, int | float)


_NO_SIGNS = VitalSigns(0)


def _patient_of(model):
    penalties = model.all_penalties() if isinstance(model, GAN) else ()
    return Patient(is_critic=model.is_critic, is_minimax=model.is_saturating, can_pack=not penalties)


def _as_markdown(verdict):
    lines = [f"**{verdict.name}**: {verdict.summary}.", "", *(f"- {sentence}" for sentence in verdict.evidence)]
    if verdict.remedies:
        lines += ["", "Try:", "", *(f"1. {sentence}" for sentence in verdict.remedies)]
    return printable("\n".join(lines), lines=True)
