"""The TFLite files of an export: which parts of a model get some, of which kinds, and what stands in for a poor one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from keras_gans.errors import UserError

from .formats import FALLBACK, FLOORS_DB, LEAST_AGREEMENT
from .fresh_process import run_script
from .tflite import signature_names

# {what a .tflite file holds: the signature that it answers}.
PARTS = {
    "generator": "serving_default",
    "classifier": "classify",
    "encoder": "encode",
    "autoencoder": "reconstruct",
    "a_to_b": "a_to_b",
    "b_to_a": "b_to_a",
    "translator": "translate_tokens",
}
# Whose answers are numbers of tokens: one that is another by rounding is wrong, so that there is float32 alone.
_TOKENS = ("translator",)
# Those whose answers are looked at.
_PICTURES = ("generator", "a_to_b", "b_to_a")
# Kinds that `FALLBACK` stands in for where they lose too much.
_REPLACED = ("dynamic_int8", "full_int8")


def parts_of(answers: dict[str, Any], folder: Path, kinds: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those parts of a model that TFLite can hold; makes their folder where there are some.

    Args:
        answers: golden answers.
        folder: of the files.
        kinds: see `formats.TFLITE_KINDS`.

    Returns:
        {part: {"signature", "outputs": names, "files": {kind: path}}}.
    """
    parts = {}
    for part, signature in PARTS.items():
        # A translator is filed under its direction, and not twice.
        if signature in answers and not (part == "generator" and "a_to_b" in answers):
            # TFLite has numbers only: names of classes stay behind, in labels.txt, as does whether a row is valid.
            outputs = [name for name, value in answers[signature][1].items() if value.dtype.kind not in "SOb"]
            if not outputs:
                continue
            exact = ("float32",) if part in _TOKENS else kinds
            files = {kind: str(folder / f"{part}_{kind}.tflite") for kind in exact}
            parts[part] = {"signature": signature, "outputs": outputs, "files": files}
    if parts:
        folder.mkdir()
    return parts


def make_files(
    parts: dict[str, dict[str, Any]],
    job: dict[str, Any],
    saved_model: Path,
    scratch: Path,
    batch_sizes: Sequence[int],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Converts parts of a SavedModel into their files and checks these.

    Args:
        parts: as `parts_of` returns.
        job: of the checks, see verify.py, with "class_count" and "examples", the path of golden inputs to take ranges
            from.
        saved_model: folder of the SavedModel.
        scratch: folder for the jobs.
        batch_sizes: fixed batch sizes.
        progress: function of a line of text.

    Returns:
        {key of the report: {kind: figures}}, and "left_out_of_tflite", {part: why}, where a translator's file does not
        write what the model writes.
    """

    def converted(parts):
        """{part: {kind: its entry in the report}}."""
        conversion = {
            "saved_model": str(saved_model),
            "parts": parts,
            "batch_sizes": list(batch_sizes),
            "class_count": job["class_count"],
            "examples": job["examples"],
        }
        seconds = run_script("tflite", conversion, scratch)["seconds"]
        progress("Checking the TFLite files in a fresh process")
        check = {"tflite": parts, "batch_sizes": signature_names(batch_sizes), "least_agreement": LEAST_AGREEMENT}
        check["may_fail"] = _REPLACED
        checks = run_script("verify", job | check, scratch)["checks"]
        return {
            part: {
                kind: {
                    "file": f"tflite/{part}_{kind}.tflite",
                    # Of pixels; probabilities have no noise floor that an eye would see.
                    "floor_db": FLOORS_DB.get(kind) if part in _PICTURES else None,
                    "conversion_seconds": seconds[part][kind],
                    "checks": checks[part][kind],
                }
                for kind in described["files"]
            }
            for part, described in parts.items()
        }

    progress(f"Converting to TFLite: {', '.join(parts)}")
    left_out, found = {}, {}
    for part, described in ((part, described) for part, described in parts.items() if part in _TOKENS):
        # By itself, since no other file is worse for it that this one is wrong.
        try:
            found |= converted({part: described})
        except UserError as error:
            left_out[part] = str(error).splitlines()[-1].removeprefix("- ")
            for path in described["files"].values():
                Path(path).unlink(missing_ok=True)
    if others := {part: described for part, described in parts.items() if part not in _TOKENS}:
        found |= converted(others)
    poor = {
        part: [kind for kind, entry in entries.items() if kind in _REPLACED and is_lost(entry)]
        for part, entries in found.items()
    }
    poor = {part: kinds for part, kinds in poor.items() if kinds}
    missing = [part for part in poor if FALLBACK not in found[part]]
    if missing:
        progress(f"int8 loses too much: int8 weights alone, for {', '.join(missing)}")
        paths = {part: next(iter(parts[part]["files"].values())) for part in missing}
        files = {part: str(Path(path).with_name(f"{part}_{FALLBACK}.tflite")) for part, path in paths.items()}
        again = {part: parts[part] | {"files": {FALLBACK: path}} for part, path in files.items()}
        for part, entries in converted(again).items():
            found[part] |= entries
    for part, kinds in poor.items():
        lost = {kind: found[part].pop(kind) for kind in kinds}
        for kind in kinds:
            Path(parts[part]["files"][kind]).unlink()
        found[part][FALLBACK]["instead_of"] = {kind: _worst(entry) for kind, entry in lost.items()}
    figures = {"tflite" if part == "generator" else f"tflite_{part}": entries for part, entries in found.items()}
    return figures | ({"left_out_of_tflite": left_out} if left_out else {})


def _worst(entry):
    """The worst figures of a file's signatures that a floor is about."""
    checks = list(entry["checks"].values())
    failed = [figures["failed"] for figures in checks if "failed" in figures]
    if failed:
        return {"failed": failed[0]}
    worst = {"psnr_db": min(figures["psnr_db"] for figures in checks)}
    agreements = [figures["label_agreement"] for figures in checks if "label_agreement" in figures]
    return worst | ({"label_agreement": min(agreements)} if agreements else {})


def is_lost(entry: dict[str, Any]) -> bool:
    """Whether a file of pictures is below its floor, or a classifier's too often of another opinion than the model."""
    worst = _worst(entry)
    if "failed" in worst:
        return True
    if worst.get("label_agreement", 1.0) < LEAST_AGREEMENT:
        return True
    return entry["floor_db"] is not None and worst["psnr_db"] < entry["floor_db"]


def _shortfall(worst, floor_db):
    """What a file has and should have, in words."""
    if "failed" in worst:
        return f"no answer ({worst['failed']})"
    if worst.get("label_agreement", 1.0) < LEAST_AGREEMENT:
        return f"{worst['label_agreement']:.1%} of the model's labels, below the floor of {LEAST_AGREEMENT:.0%}"
    return f"{worst['psnr_db']:.1f} dB against Keras, below the floor of {floor_db:.0f} dB"


def tflite_entries(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{key of a report: {kind: figures}} of the TFLite files in it."""
    return {key: part for key, part in report.items() if key == "tflite" or key.startswith("tflite_")}


def floor_warnings(report: dict[str, Any]) -> list[str]:
    """Sentences about files below their floors, and about those that stand in for such."""
    found = [f"There is no {part}'s TFLite file: {why}" for part, why in report.get("left_out_of_tflite", {}).items()]
    for kind, entry in ((kind, entry) for kinds in tflite_entries(report).values() for kind, entry in kinds.items()):
        name = f"TFLite {Path(entry['file']).stem}"
        for other, worst in entry.get("instead_of", {}).items():
            found.append(
                f"{name}: {other} has {_shortfall(worst, FLOORS_DB[other])}, and was left out. This file has int8 "
                f"weights and computes in float32: {_having(_worst(entry))}."
            )
        if is_lost(entry):
            found.append(
                f"{name}: {_shortfall(_worst(entry), entry['floor_db'] or FLOORS_DB.get(kind, 0.0))}. "
                "Look at its answers before shipping it, or ship float32."
            )
    return found


def _having(worst):
    if "label_agreement" in worst:
        return f"{worst['label_agreement']:.1%} of the model's labels"
    return f"{worst['psnr_db']:.1f} dB"
