"""Samples from the TFLite file of an export, without TensorFlow, whose import takes longer than all of it."""

from pathlib import Path
from typing import Any

import numpy as np

from keras_gans.errors import UserError, unknown_name
from keras_gans.quiet import held_back

from .latents import labels_of_seeds, latents
from .report import FILE_NAME, read_report
from .versions import versions

# The likest to the model first.
_KINDS = ("float32", "float16", "weight_int8", "dynamic_int8", "full_int8")


def exported_version(path: str | Path) -> Path | None:
    """The version that a folder is, or the highest that it holds; None where it is or holds no export."""
    folder = Path(path)
    if (folder / FILE_NAME).is_file():
        return folder
    found = [folder / str(number) for number in versions(folder) if (folder / str(number) / FILE_NAME).is_file()]
    return found[-1] if found else None


class EdgeGenerator:
    """A generator's .tflite file, asked as the model is.

    Args:
        file: path of the file.
        report: the report of its version, or as much of it as says how latents and labels are drawn.

    Raises:
        UserError: the file takes more than latents and labels.
    """

    def __init__(self, file: str | Path, report: dict[str, Any]) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.report = report
        # LiteRT says which kernels it takes. A runner holds no reference to its interpreter, without which it cannot be
        # called.
        with held_back():
            self._interpreter = Interpreter(str(file), num_threads=1)
            self._runner = self._interpreter.get_signature_runner("serving_default")
        self._inputs = self._runner.get_input_details()
        if not report.get("latents") or not self._inputs.keys() <= {"z", "label"}:
            raise UserError(f"The file takes {', '.join(self._inputs)}, and not latents alone. Sample from the run.")

    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        (details,) = self._runner.get_output_details().values()
        return tuple(int(size) for size in details["shape"][1:])

    def sample(self, count: int, seed: int = 0, label: str | None = None) -> np.ndarray:
        """As `sample_version`."""
        if count < 1 or not -(2**63) <= seed <= 2**63 - count:
            raise UserError(f"Seeds are whole numbers of 64 bits, {count} of them here. Received: {seed!r}.")
        seeds = np.int64(seed) + np.arange(count, dtype=np.int64)
        prior = self.report["latents"]
        rows: dict[str, Any] = {"z": latents(seeds, prior["size"], prior["prior"])}
        if "label" in self._inputs:
            rows["label"] = _labels(self.report, seeds, label)
        elif label is not None:
            raise UserError(f"A {self.report['scheme']} takes no labels. Received: --label {label}.")
        size = int(self._inputs["z"]["shape"][0])
        order = np.arange(-(-count // size) * size) % count
        answers = [
            self._runner(**{name: rows[name][chunk] for name in self._inputs}) for chunk in order.reshape(-1, size)
        ]
        (made,) = (np.concatenate([answer[name] for answer in answers])[:count] for name in answers[0])
        if made.ndim != 4:
            return made
        return np.clip(np.round((made + np.float32(1)) * np.float32(127.5)), 0, 255).astype(np.uint8)


def sample_version(version: str | Path, count: int, seed: int = 0, label: str | None = None) -> np.ndarray:
    """Draws the samples that the exported model's `sample` answers to the seeds from `seed` on.

    Args:
        version: folder of an exported version with a generator's .tflite file.
        count: number of samples.
        seed: of the first one.
        label: number or name of the class of all; unless given, classes are spread as the model spreads them.

    Returns:
        uint8 array (count, height, width, channels) of images, a pixel in some hundred one level off; float32 array
        (count, d) of points.

    Raises:
        UserError: the version has no such file, or one that reads texts; a label that it does not take or know.
    """
    report = read_report(version)
    kinds = report.get("tflite")
    if not kinds:
        raise UserError(f"{version} has no generator's .tflite file. Sample from the run, or export it with tflite.")
    kind = next(name for name in _KINDS if name in kinds)
    return EdgeGenerator(Path(version) / kinds[kind]["file"], report).sample(count, seed, label)


def _labels(report, seeds, label):
    names = report["class_names"]
    if label is None:
        return labels_of_seeds(seeds, report["class_prior"]).astype(np.int32)
    if label in names:
        return np.full(len(seeds), names.index(label), np.int32)
    if label.isascii() and label.isdecimal() and int(label) < len(names):
        return np.full(len(seeds), int(label), np.int32)
    raise unknown_name("class", label, names)
