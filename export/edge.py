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
# Those whose answers are pictures, points or codes, of which decibels say how good they are.
_IN_DECIBELS = ("generator", "encoder", "autoencoder", "a_to_b", "b_to_a")
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
        {key of the report: {kind: figures}}; and "left_out_of_tflite", {part: why}, where a part cannot be converted or
        its files do not answer as the model does; the files of such a part are removed.
    """

    def converted(parts):
        """{part: {kind: its entry in the report}}."""
        conversion = {
            "saved_model": str(saved_model),
            "parts": parts,
            "batch_sizes": list(batch_sizes),
            "class_count": job["class_count"],
            "examples": job["examples"],
            "may_fail": _REPLACED,
        }
        done = run_script("tflite", conversion, scratch)
        seconds, names = done["seconds"], signature_names(batch_sizes)
        progress("Checking the TFLite files in a fresh process")
        made = {
            part: described | {"files": _without(described["files"], done["failed"][part])}
            for part, described in parts.items()
        }
        check = {"tflite": made, "batch_sizes": names, "least_agreement": LEAST_AGREEMENT, "may_fail": _REPLACED}
        checks = run_script("verify", job | check, scratch)["checks"]
        for part, failed in done["failed"].items():
            checks[part] |= {kind: {name: {"failed": reason} for name in names} for kind, reason in failed.items()}
        return {
            part: {
                kind: {
                    "file": f"tflite/{part}_{kind}.tflite",
                    # A classifier is held to its labels instead.
                    "floor_db": FLOORS_DB.get(kind) if part in _IN_DECIBELS else None,
                    "conversion_seconds": seconds[part].get(kind),
                    "checks": checks[part][kind],
                }
                for kind in described["files"]
            }
            for part, described in parts.items()
        }

    def converted_or_left_out(parts):
        """The same of those parts that can be converted and are right; `left_out` has the others."""
        try:
            return converted(parts)
        except UserError as error:
            if len(parts) > 1:
                # Which of them it is shows one by one.
                return {
                    key: value for part in parts for key, value in converted_or_left_out({part: parts[part]}).items()
                }
            ((part, described),) = parts.items()
            left_out[part] = _reason(error)
            for path in described["files"].values():
                Path(path).unlink(missing_ok=True)
            return {}

    progress(f"Converting to TFLite: {', '.join(parts)}")
    left_out, found = {}, {}
    # Tokens by themselves, as LiteRT often writes others, and not all parts should be made twice for it.
    for own in (True, False):
        if some := {part: described for part, described in parts.items() if (part in _TOKENS) == own}:
            found |= converted_or_left_out(some)
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
            # One that could not be converted is not there.
            Path(parts[part]["files"][kind]).unlink(missing_ok=True)
        found[part][FALLBACK]["instead_of"] = {kind: _worst(entry) for kind, entry in lost.items()}
    figures = {"tflite" if part == "generator" else f"tflite_{part}": entries for part, entries in found.items()}
    return figures | ({"left_out_of_tflite": left_out} if left_out else {})


def _without(files, kinds):
    return {kind: path for kind, path in files.items() if kind not in kinds}


def _reason(error):
    """The first of the failures that an error of `run_script` lists, or all of it."""
    _, *failures = str(error).splitlines()
    return failures[0].removeprefix("- ") if failures and failures[0].startswith("- ") else " ".join(str(error).split())


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
    # Where there is no file at all, that is said already.
    left_out = {} if "tflite" in report.get("not_made", {}) else report.get("left_out_of_tflite", {})
    found = [f"There is no {part}'s TFLite file: {why}" for part, why in left_out.items()]
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
