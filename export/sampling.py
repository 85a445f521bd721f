"""Samples from the TFLite or ONNX files of an export, without TensorFlow, whose import takes longer than all of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans.errors import UserError, unknown_name
from keras_gans.limits import check_drawn
from keras_gans.words import check_reads, read_vocabulary

from .formats import VOCABULARY_FILE
from .latents import labels_of_seeds, latents
from .portable import PortableVersion, to_levels
from .report import FILE_NAME, read_report
from .runtimes import PORTABLE, TFLiteNetwork, formats_in, missing_runtime
from .versions import versions

# Rows that are asked for at once: memory grows with them.
_ROWS = 256


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

    def __init__(self, file: str | Path, report: Mapping[str, Any]) -> None:
        self.report, self._network = report, TFLiteNetwork(file, threads=1)
        inputs = self._network.inputs
        if not report.get("latents") or not inputs.keys() <= {"z", "label"}:
            raise UserError(f"The file takes {', '.join(inputs)}, and not latents alone. Sample from the run.")

    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return self._network.sample_shape()

    def sample(self, count: int, seed: int = 0, label: str | None = None) -> np.ndarray:
        """`count` samples of the seeds from `seed` on, as `sample_version` draws them."""
        seeds, prior = _seeds(count, seed), self.report["latents"]
        rows = {"z": latents(seeds, prior["size"], prior["prior"])}
        rows |= _labels(self.report, "label" in self._network.inputs, seeds, label)
        (made,) = self._network(rows).values()
        return to_levels(made) if made.ndim == 4 else made


def sample_version(
    version: str | Path,
    count: int,
    seed: int = 0,
    label: str | None = None,
    text: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> np.ndarray:
    """`count` samples of the seeds from `seed` on, see `sampler`."""
    check_drawn(count, seed)
    return sampler(version, label, text, say)(count, seed)


def sampler(
    version: str | Path,
    label: str | None = None,
    text: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Callable[[int, int], np.ndarray]:
    """What draws the samples that the exported model's `sample` answers to seeds, or its `text`.

    Args:
        version: folder of an exported version with TFLite or ONNX files of a generator.
        label: number or name of the class of all; unless given, classes are spread as the model spreads them.
        text: what to draw, where the model reads such.
        say: function of a line: by which files they are drawn, and what of a text the model does not know.

    Returns:
        Function (how many, seed of the first) -> uint8 array (how many, height, width, channels) of images, a pixel in
        some hundred one level off; float32 array (how many, d) of points.

    Raises:
        UserError: the version has no such files, or they draw nothing by seeds alone; a label or a text that the model
            does not take or know.
    """
    report = read_report(version) or {}
    format = portable_format(version, report)
    portable = PortableVersion(version, report, format)
    signature = "sample" if text is None else "text"
    taken = portable.signatures.get(signature, {"inputs": {}})["inputs"].keys()
    if text is not None and not taken:
        raise UserError(f"A {report['scheme']} draws to no texts. Received: --text {text!r}.")
    if text is None and (not taken or not taken <= {"seed", "label"}):
        wants = "Sample from the run."
        if "text" in portable.signatures:
            wants = "It draws to texts: give some, with --text."
        elif report.get("task") in ("image-to-image", "translation"):
            wants = "It translates: keras-gans translate RUN does."
        raise UserError(f"The {PORTABLE[format]} files of {version} draw nothing by a seed alone. {wants}")
    if text is not None:
        for line in check_reads([text], read_vocabulary(Path(version) / VOCABULARY_FILE), **report["tokenizer"]):
            say(line)
    _labels(report, "label" in taken, np.zeros(1, np.int64), label)
    say(f"Drawn by the {PORTABLE[format]} files, without TensorFlow.")

    def draw(count, seed):
        rows: dict[str, np.ndarray] = {"seed": _seeds(count, seed)}
        if text is not None:
            rows["text"] = np.array([text.encode()] * count, object)
        rows |= _labels(report, "label" in taken, rows["seed"], label)
        pieces = [
            portable.answer(signature, {name: values[start : start + _ROWS] for name, values in rows.items()})
            for start in range(0, count, _ROWS)
        ]
        return np.concatenate([piece.get("image", piece.get("point")) for piece in pieces])

    return draw


def portable_format(version: str | Path, report: Mapping[str, Any]) -> str:
    """By which files of a version samples are drawn: TFLite, whose runtime comes along, or else ONNX.

    Raises:
        UserError: there are none, or none that can be asked here.
    """
    formats = formats_in(report)
    if "tflite" in formats:
        return "tflite"
    if not formats:
        raise UserError(
            f"{version} has no generator's .tflite file, and no ONNX. Sample from the run, or export it with tflite."
        )
    if (missing := missing_runtime("onnx")) is not None:
        raise UserError(f"{version} has no TFLite files, and {missing}")
    return "onnx"


def _seeds(count, seed):
    check_drawn(count, seed)
    return np.int64(seed) + np.arange(count, dtype=np.int64)


def _labels(report, takes, seeds, label):
    """{"label": int64 of each seed}, or nothing where the model takes none."""
    if not takes:
        if label is not None:
            raise UserError(f"A {report['scheme']} takes no labels. Received: --label {label}.")
        return {}
    names = report["class_names"]
    if label is None:
        return {"label": labels_of_seeds(seeds, report["class_prior"])}
    if label in names:
        return {"label": np.full(len(seeds), names.index(label), np.int64)}
    if label.isascii() and label.isdecimal() and int(label) < len(names):
        return {"label": np.full(len(seeds), int(label), np.int64)}
    raise unknown_name("class", label, names)
