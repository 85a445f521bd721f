"""The files of a version, made and checked one format after the other."""

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans.errors import UserError

from . import edge, golden, report, web_page
from .formats import WARMUP_FILE
from .fresh_process import run_script
from .full_precision import in_float32
from .saved_model import write_saved_model

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


LABELS_FILE, GOLDEN_FOLDER = "labels.txt", "golden"
# How clients without TensorFlow draw what `sample` draws.
LATENTS_FILES = ("latents.py", "latents.mjs")
# Rows of a classifier by which its labels are compared, and rows that ranges of int8 are taken from.
_CLASSIFIED, _EXAMPLES = 256, 64


@dataclasses.dataclass
class Making:
    """A version that is being made.

    Args:
        model: that is exported.
        folder: to be filled, empty.
        scratch: folder for what is not published.
        formats: to be made, in the order of `formats.FORMATS`.
        asked: those of them that were asked for; once none of these can be, nothing is published.
        tflite_batch_sizes: fixed batch sizes.
        tflite_kinds: of numbers in TFLite files.
        batch_limit: rows that one call of the SavedModel may have.
        progress: function of a line of text.

    Attributes:
        figures: of the checks, by the keys of the report.
        not_made: {format that cannot hold the model: why}.
        web_parts: those parts of the model that a page is to show.
    """

    model: "AdversarialModel"
    folder: Path
    scratch: Path
    formats: Sequence[str]
    asked: Sequence[str]
    tflite_batch_sizes: Sequence[int]
    tflite_kinds: Sequence[str]
    batch_limit: int
    progress: Callable[[str], None]
    figures: dict[str, Any] = dataclasses.field(default_factory=dict, init=False)
    not_made: dict[str, str] = dataclasses.field(default_factory=dict, init=False)
    web_parts: list[str] = dataclasses.field(default_factory=list, init=False)

    def make(self) -> None:
        """Fills the folder.

        Raises:
            UserError: none of the formats that were asked for can hold the model, or a file does not answer as it does.
        """
        self.progress("Asking the model for golden answers")
        self._golden = golden.golden_answers(self.model)
        self.figures["golden"] = {}
        if "web" in self.formats:
            self._choose_web_parts()
        self._make_saved_model()
        self._turn_to_float32()
        if "onnx" in self.formats:
            self._make_onnx()
        if "tflite" in self.formats:
            self._make_tflite()
        self._write_what_clients_read()

    def _give_up(self, name, reason):
        self.not_made[name] = reason
        if not set(self.asked) - set(self.not_made):
            raise UserError("Nothing was published:\n" + "\n".join(f"- {each}" for each in self.not_made.values()))

    def _choose_web_parts(self):
        asked = report.has_latents(self.model), report.has_words(self.model)
        self.web_parts, left_out = web_page.shown_parts(self._golden, *asked)
        self.figures["web_left_out"] = left_out
        if not self.web_parts:
            self._give_up("web", web_page.nothing_shown(left_out))

    def _make_saved_model(self):
        self.progress("Writing the SavedModel")
        is_published = "saved_model" in self.formats
        # The others are converted from a SavedModel, so there is one even where it is not published.
        self._saved_model = self.folder if is_published else self.scratch / "saved_model"
        write_saved_model(self.model, self._saved_model, self._golden, self.batch_limit)
        self.progress("Checking the SavedModel in a fresh process")
        self._job = golden.save_golden(self.scratch / "golden.npz", self.model, self._golden)
        served = {"saved_model": str(self._saved_model), "warmup": str(self._saved_model / WARMUP_FILE)}
        checked = run_script("verify", self._job | served | {"batch_limit": self.batch_limit}, self.scratch)
        self.figures |= {key: checked.pop(key) for key in ("signatures", "signature_def_hash", "weights")}
        if is_published:
            self.figures["saved_model"] = checked
            self._store_golden("saved_model", self.model, self._golden)

    def _turn_to_float32(self):
        """Goes on with a twin of full precision, where the model has not: half precision's rounding is no other
        format's error, so that the twin has golden answers of its own."""
        self._twin = in_float32(self.model)
        if self._twin is self.model:
            return
        in_half, self._golden = self._golden, golden.golden_answers(self._twin)
        self.figures["half_precision"] = {"distance_from_float32": golden.distances(in_half, self._golden)}
        if not {"tflite", "onnx"} & set(self.formats):
            return
        self._job = golden.save_golden(self.scratch / "golden_float32.npz", self._twin, self._golden)
        self._saved_model = self.scratch / "saved_model_float32"
        self._twin.export(str(self._saved_model), batch_limit=self.batch_limit, verbose=False)

    def _store_golden(self, format, model, answers, others=None):
        path = self.folder / GOLDEN_FOLDER / f"{format}.npz"
        self.figures["golden"][format] = golden.store(path, model, answers, others)

    def _make_onnx(self):
        made = make_onnx(self._golden, self._job, self._saved_model, self.folder, self.scratch, self.progress)
        self.figures |= made
        if made["onnx"]:
            asked_of = {signature: self._golden[signature] for signature in made["onnx"]}
            self._store_golden("onnx", self._twin, asked_of, self._golden)
        else:
            self._give_up("onnx", no_onnx(made["onnx_left_out"]))

    def _make_tflite(self):
        parts, left_out = self._make_tflite_parts()
        if left_out:
            self.figures["left_out_of_tflite"] = left_out
        if parts:
            asked_of = {described["signature"]: self._golden[described["signature"]] for described in parts.values()}
            self._store_golden("tflite", self._twin, asked_of, self._golden)
            outputs = {part: described["outputs"] for part, described in parts.items()}
            self.figures["golden"]["tflite"]["outputs"] = outputs
        else:
            self._give_up("tflite", no_tflite(self.model, left_out))
        if "web" in self.formats and "web" not in self.not_made:
            # Of what a page could show, it shows what there is a file of.
            gone = {part: reason for part, reason in left_out.items() if part in self.web_parts and part not in parts}
            self.figures["web_left_out"] |= gone
            self.web_parts = [part for part in self.web_parts if part not in gone]
            if not self.web_parts:
                self._give_up("web", web_page.nothing_shown(self.figures["web_left_out"]))

    def _make_tflite_parts(self):
        """Makes the TFLite files of all parts that can have some; returns (those, {part: why it has none})."""
        lacking = self.model.not_in_tflite()
        by_signature = {signature: part for part, signature in edge.PARTS.items()}
        left_out = {by_signature[name]: reason for name, reason in lacking.items() if name in by_signature}
        for signature, reason in lacking.items():
            self.progress(f"Writing no TFLite file of {signature}: {reason}")
        answers = {signature: answered for signature, answered in self._golden.items() if signature not in lacking}
        folder = self.folder / "tflite"
        parts = edge.parts_of(answers, folder, self.tflite_kinds)
        if parts:
            job = edge_job(self.model, self._twin, answers, parts, self.scratch)
            sizes = self.tflite_batch_sizes
            made = edge.make_files(parts, job, self._saved_model, self.scratch, sizes, self.progress)
            left_out |= made.pop("left_out_of_tflite", {})
            self.figures |= made
            parts = {part: described for part, described in parts.items() if part not in left_out}
            if not parts:
                folder.rmdir()
        return parts, left_out

    def _write_what_clients_read(self):
        if report.has_latents(self.model):
            for name in LATENTS_FILES:
                shutil.copyfile(Path(__file__).with_name(name), self.folder / name)
        if self.model.class_names:
            names = "".join(f"{name}\n" for name in self.model.class_names)
            (self.folder / LABELS_FILE).write_text(names, encoding="utf-8")
        for name, pieces in self.model.vocabularies().items():
            (self.folder / f"{name}.txt").write_bytes("".join(f"{piece}\n" for piece in pieces).encode())


def no_tflite(model: "AdversarialModel", left_out: dict[str, str]) -> str:
    """Why there is no TFLite file, in one line; {part: why} of what might have one."""
    if not left_out:
        return f"There is no TFLite file: TFLite has no texts, which is what {type(model).__name__} answers."
    return "There is no TFLite file: " + _listed(left_out)


def no_onnx(left_out: dict[str, str]) -> str:
    """Why there is no ONNX file, in one line, of {signature: why}."""
    return "No signature can leave by ONNX: " + _listed(left_out)


def _listed(reasons):
    """{what: why} as one line, with what has one reason in common named together."""
    together = {}
    for name, reason in reasons.items():
        together.setdefault(reason.rstrip("."), []).append(name)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in together.items()) + "."


def edge_job(
    model: "AdversarialModel", twin: "AdversarialModel", answers: dict[str, Any], parts: dict[str, Any], scratch: Path
) -> dict[str, Any]:
    """The job of making TFLite files of a model, whose float32 twin has those answers."""
    used = {described["signature"] for described in parts.values()}
    answers = {name: answered for name, answered in answers.items() if name in used}
    if "classify" in answers:
        answers |= golden.golden_answers(twin, _CLASSIFIED, ["classify"])
    inputs = {name: twin.example_inputs(name, _EXAMPLES) for name in used}
    examples = {f"{name}/inputs/{key}": rows for name, tensors in inputs.items() for key, rows in tensors.items()}
    np.savez(scratch / "examples.npz", **examples)
    job = golden.save_golden(scratch / "golden_edge.npz", twin, answers)
    return job | {"class_count": len(model.class_names) or None, "examples": str(scratch / "examples.npz")}


def make_onnx(
    answers: dict[str, Any],
    job: dict[str, Any],
    saved_model: Path,
    staged: Path,
    scratch: Path,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Converts what of a SavedModel ONNX has operations for, and checks it; returns {key of the report: figures}."""
    progress("Converting to ONNX")
    folder = staged / "onnx"
    folder.mkdir()
    files = {signature: str(folder / f"{signature}.onnx") for signature in answers}
    done = run_script("to_onnx", {"saved_model": str(saved_model), "files": files}, scratch)
    converted = done["converted"]
    if not converted:
        folder.rmdir()
        return {"onnx": {}, "onnx_left_out": done["left_out"]}
    progress("Checking the ONNX files in a fresh process")
    parts = {name: {"file": files[name], "outputs_of": entry["outputs_of"]} for name, entry in converted.items()}
    checked = run_script("verify", job | {"onnx": parts}, scratch)
    checks, left_out = checked["checks"], done["left_out"] | checked["unfit"]
    for name in checked["unfit"]:
        Path(files[name]).unlink()
        converted.pop(name)
    if not converted:
        folder.rmdir()
    entries = {
        name: {
            "file": f"onnx/{name}.onnx",
            "inputs": entry["inputs"],
            "outputs": entry["outputs"],
            # Names that are an input's too are others in ONNX.
            "outputs_of": entry["outputs_of"],
            "conversion_seconds": entry["seconds"],
            "checks": checks[name],
        }
        for name, entry in converted.items()
    }
    return {"onnx": entries, "onnx_left_out": left_out}
