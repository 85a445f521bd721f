"""The command `keras-gans export`. Every option is checked before TensorFlow is imported, which takes seconds."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import rich.box
import typer
from rich.table import Table

from keras_gans.errors import UserError
from keras_gans.limits import BATCH_LIMIT, check_batch_limit, check_drawn
from keras_gans.printing import Console, escape, quoted
from keras_gans.quiet import import_quietly
from keras_gans.runs import run_directory

from . import choice, promotion, run_record, signing
from .formats import (
    DEFAULT_FORMATS,
    DEFAULT_TFLITE_KINDS,
    FALLBACK,
    TFLITE_KINDS,
    check_batch_sizes,
    check_formats,
    check_stage,
    check_target,
    check_tflite_kinds,
    check_web,
    model_name,
)
from .gate import REASONS, Earlier, Gate, faults_of_run
from .runtimes import FORMATS as SERVED
from .versions import versions


def export_command(
    run: Annotated[
        str,
        typer.Argument(
            help="Path of a run, its name, its number (7 or 00007), latest or preset:NAME.", show_default=False
        ),
    ],
    to: Annotated[
        Path,
        typer.Option("--to", help="Folder of the versions: 1, 2, ... each whole, none ever changed.", metavar="DIR"),
    ],
    formats: Annotated[
        str, typer.Option(help="What to write, separated by commas: saved_model, tflite, onnx, web.")
    ] = ",".join(DEFAULT_FORMATS),
    tflite_kinds: Annotated[
        str,
        typer.Option(
            help=f"Which TFLite files, separated by commas: {', '.join(TFLITE_KINDS)}. One of int8 that loses too much "
            f"makes room for {FALLBACK}.",
            metavar="KINDS",
        ),
    ] = ",".join(DEFAULT_TFLITE_KINDS),
    tflite_batch: Annotated[
        str, typer.Option(help="Fixed batch sizes of the TFLite files, separated by commas, such as 1,16.")
    ] = "1",
    batch_limit: Annotated[
        int,
        typer.Option(help="How many rows one call of the SavedModel may have; more are refused.", metavar="N", min=1),
    ] = BATCH_LIMIT,
    checkpoint: Annotated[str, typer.Option(metavar="latest|best|STEP", help="Which checkpoint.")] = "latest",
    override: Annotated[
        list[str] | None,
        typer.Option(
            "--override",
            metavar="|".join(REASONS),
            help="Publish although that is so; the report says it. May be given often.",
        ),
    ] = None,
    stage: Annotated[
        bool, typer.Option("--stage", help="Make the version the canary of models.config; see keras-gans promote.")
    ] = False,
    keep: Annotated[
        int | None,
        typer.Option(
            help="Remove all versions but so many of the highest, and those that are live.", metavar="N", min=1
        ),
    ] = None,
    measure: Annotated[
        int | None,
        typer.Option(
            help="Say by how much the Fréchet distance to the data changes in each TFLite generator, of N samples.",
            metavar="N",
            min=10,
        ),
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option(help="Sign the version with a private key, a PEM file; see keras-gans verify.", metavar="KEY"),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder that holds the runs.")] = Path("runs"),
) -> None:
    """Exports a run's checkpoint as a SavedModel for TensorFlow Serving and as TFLite for the edge.

    Every file is called in a fresh process and compared with the model before the version appears in DIR. The errors,
    sizes and latencies are printed, and are in report.json beside the files.

    A run that is sick, unfinished or still being trained is refused, as is a version that clients of the one before
    could not use; --override lets it pass.
    """
    asked = _names(formats)
    chosen, kinds = check_formats(asked), check_tflite_kinds(_names(tflite_kinds))
    batch_sizes = check_batch_sizes(_integers(tflite_batch))
    check_batch_limit(batch_limit)
    check_target(to)
    check_stage(stage, chosen)
    signing.check_can_sign(sign)
    folder = run_directory.resolve(run, runs)
    gate = Gate(override or ())
    gate.judge(faults_of_run(folder, run_record.step_of(folder, checkpoint)))
    gate.judge(Earlier(to, promotion.read_live(to).stable).faults(chosen))
    # Last, as it may fetch the runtime.
    check_web(chosen, kinds, batch_sizes)

    console = Console()
    options = {"tflite_batch_sizes": batch_sizes, "tflite_kinds": kinds, "overrides": gate.overrides}
    options |= {"batch_limit": batch_limit}
    report = _export(
        console, folder, checkpoint, to, asked, options | {"stage": stage, "keep": keep, "sign": sign}, measure
    )
    _print_report(console, report)
    for name in set(gate.overrides) - {entry["override"] for entry in report["gate"]["overridden"]}:
        console.print(f"--override {name} was not needed.", highlight=False)
    if report["removed"]:
        console.print(f"Removed to keep {keep}: {', '.join(map(str, report['removed']))}.", highlight=False)
    _print_next_steps(console, report, to)


def promote_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the versions, export's --to.")],
    version: Annotated[
        int | None, typer.Argument(metavar="VERSION", help="Its number; the canary unless given.")
    ] = None,
) -> None:
    """Makes an exported version stable in models.config: the one that all traffic goes to.

    A server that polls the file follows within its interval; clients who ask for the label stable get the version then.
    """
    _check_versions(folder)
    was, now = promotion.promote(folder, version)
    console = Console()
    _print_live(console, folder, was, now)
    for reason in promotion.reasons_against(folder, now.stable):
        console.print(f"[yellow]Note:[/yellow] it was published although: {escape(reason)}", soft_wrap=True)


def rollback_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the versions, export's --to.")],
    canary: Annotated[
        bool, typer.Option("--canary", help="Withdraw the canary alone; what is stable stays so.")
    ] = False,
) -> None:
    """Makes that version stable again which was so before the last promote, and withdraws the canary."""
    _check_versions(folder)
    _print_live(Console(), folder, *promotion.rollback(folder, canary_only=canary))


def verify_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A version, or export's --to, of which the highest.")],
    public_key: Annotated[
        Path | None, typer.Option(help="Ask for a signature by this key, a PEM file.", metavar="PEM")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Checks an exported version where it is to be used: signature, hashes, loading, and the answers of the export.

    The exit status is 0 where all is well and 1 where it is not.
    """
    from .replay import verify_version

    console = Console()
    with console.status("Verifying") if not as_json else contextlib.nullcontext() as status:

        def progress(text):
            if status is not None:
                status.update(f"{text} ...")

        result = verify_version(folder, public_key=public_key, progress=progress)
    if as_json:
        typer.echo(json.dumps(result, indent=2))
    else:
        for check in result["checks"]:
            mark = "[green]ok[/]    " if check["ok"] else "[bold red]FAILED[/]"
            console.print(f"{mark} {check['check']}: {escape(check['detail'])}", soft_wrap=True, highlight=False)
    if not result["ok"]:
        raise typer.Exit(1)


def sample_exported(
    version: Path,
    count: int | None,
    seed: int,
    label: str | None,
    texts: Sequence[str],
    to: Path | None,
    separate: bool,
    console: Console,
) -> None:
    """Draws samples from the files of an exported version, as a picture: `keras-gans sample` of an export.

    Args:
        version: folder of it.
        count: number of samples, of each text where there are such; 64, or 8, unless given.
        seed: of the first one.
        label: number or name of the class of all, or None.
        texts: what to draw, a row of samples of the same seeds each.
        to: PNG file, or the folder of some, or None.
        separate: whether each image becomes a file of its own.
        console: to say what was done.

    Raises:
        UserError: the version has no such file, or a label, a text or a target that it does not take.
    """
    from keras_gans.drawing import many, picture

    from .sampling import sampler

    said: dict[str, None] = {}
    count = count or (8 if texts else 64)
    check_drawn(count, seed)
    draws = [sampler(version, label, text, said.setdefault) for text in texts or (None,)]
    shape = draws[0](1, seed).shape[1:]
    if separate and len(shape) != 3:
        raise UserError("--separate writes images; this export makes points. Leave it out for a picture of them all.")
    # Not beside the version's files, whose hashes are known.
    name = f"{model_name(version.absolute().parent)}-{version.absolute().name}-seed-{seed}"
    name += "" if label is None else f"-label-{label}"
    name += "-texts" if texts else ""
    target = to or Path(name if separate else f"{name}.png")
    if separate:
        for row, draw in enumerate(draws, 1):
            many.write_each(
                lambda start, rows, draw=draw: draw(rows, seed + start),
                count,
                lambda place, before=f"{row}-" if texts else "": target / f"{before}{seed + place}.png",
                console,
            )
    else:
        many.check_fits_a_picture(count * len(draws), shape)
        samples = np.concatenate([draw(count, seed) for draw in draws])
        captions = [text for text in texts for _ in range(count)]
        shown = picture.captioned(samples, captions, columns=count) if texts else picture.draw(samples)
        picture.save_png(shown, target)
    for line in said:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"{count * len(draws)} samples of {escape(str(version))} are in [bold]{escape(str(target))}[/]", highlight=False
    )


def _check_versions(folder):
    if not versions(folder):
        raise UserError(f"{folder} holds no exported versions. Name the folder that keras-gans export --to wrote to.")


def _print_live(console, folder, was, now):
    for label in ("stable", "canary"):
        before, after = getattr(was, label), getattr(now, label)
        change = f" (was {before or 'none'})" if before != after else ""
        console.print(f"{label}: {after or 'none'}{change}", highlight=False)
    console.print(f"Written to {escape(str(folder / promotion.FILE_NAME))}", soft_wrap=True, highlight=False)


def _names(text):
    return [name.strip() for name in text.split(",") if name.strip()]


def _integers(text):
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise UserError(
            f"--tflite-batch takes integers separated by commas, such as 1,16. Received: {text!r}."
        ) from None


def _export(console, folder, checkpoint, to, formats, options, measure):
    with console.status(f"Loading {escape(folder.name)}") as status:
        import_quietly("tensorflow")
        from .exporter import export_model

        def progress(text):
            status.update(f"{text} ...")

        model = run_directory.load_chosen(folder, checkpoint)
        if measure is not None:
            from .distance import data_of

            progress("Opening the data")
            data = data_of(run_directory.read_recipe(folder), model)
            options |= {"measured_on": data, "measured_samples": measure}
        return export_model(model, to, formats, run=folder, progress=progress, **options)


def _print_report(console, report):
    origin = f"{report['run']} at step {report['step']:,}"
    console.print(
        f"Published version {report['version']} of {escape(origin)}: {escape(report['path'])}", soft_wrap=True
    )
    rows = report["choice"]["table"]
    measured = [row for row in rows if "distance_change" in row]
    titles = ["file", "bytes", "1 row", "64 rows", "likeness", *(["FD change"] if measured else [])]
    # Columns that fit a terminal of 80, as numbers that are cut are other numbers.
    table = Table(*titles, box=rich.box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        column.justify, column.no_wrap = "right", True
    table.columns[0].justify = "left"
    for row in rows:
        kind = row["format"].removeprefix("tflite ")
        name = kind if row["part"] == "all" else f"{row['part']} {kind}"
        times = [_time(row["ms"].get(rows_at_once)) for rows_at_once in ("1", "64")]
        change = [_change(row)] if measured else []
        table.add_row(name, f"{row['bytes']:,}", *times, choice.likeness(row), *change)
    console.print(table)
    threads = {row["format"].split()[0]: row["threads"] for row in rows}
    console.print(
        f"Threads: {', '.join(f'{name} {count}' for name, count in threads.items())}. Likeness to the Keras model: "
        "peak signal to noise, or the share of equal labels. Errors of each signature are in report.json.",
        highlight=False,
    )
    if report["choice"]["recommended"]:
        console.print("Take:")
    for use, name in report["choice"]["recommended"].items():
        console.print(f"  {choice.WORDS[use]}: {name}", highlight=False)
    for warning in report["warnings"]:
        console.print(f"[yellow]Warning:[/yellow] {escape(warning)}", highlight=False)


def _time(milliseconds):
    if milliseconds is None:
        return ""
    return f"{milliseconds:.3g} ms" if milliseconds >= 1.0 else f"{1e3 * milliseconds:.3g} us"


def _change(row):
    return f"{row['distance_change']:+.4f}" if "distance_change" in row else ""


def _print_next_steps(console, report, to):
    """Commands to copy, each on a line of its own that no console width may break."""
    folder = to.absolute()
    lines = []
    is_labelled = (folder / promotion.FILE_NAME).is_file()
    if report["live"]:
        lines += ["It is the canary. Make it stable, or not:"]
        lines += [
            f"  keras-gans promote {quoted(to)}",
            f"  keras-gans rollback --canary {quoted(to)}",
        ]
    elif is_labelled and "saved_model" in report["formats"]:
        lines += [f"{promotion.FILE_NAME} says which version is live. To make it this one:"]
        lines += [f"  keras-gans promote {quoted(to)} {report['version']}"]
    if set(SERVED) & set(report["formats"]):
        lines += ["Try it here:", f"  keras-gans serve {quoted(to)}"]
    if "saved_model" in report["formats"]:
        follows = (
            "what models.config says is followed" if is_labelled else "any newer version in the folder is picked up"
        )
        lines += [f"Serve it ({follows}):", *_serving_commands(report, folder, is_labelled)]
    if "web" in report:
        lines += [
            "Try it in a browser, at http://localhost:8000 (any server of static files will do):",
            f"  python -m http.server --bind 127.0.0.1 --directory {quoted(Path(report['path']) / 'web')}",
        ]
    first = next((part for name, part in report.items() if name == "tflite" or name.startswith("tflite_")), None)
    if first is not None:
        file = folder / str(report["version"]) / next(iter(first.values()))["file"]
        lines += [
            "Run it without TensorFlow:",
            f'  python -c "from ai_edge_litert.interpreter import Interpreter; '
            f"print(Interpreter('{file}').get_signature_list())\"",
        ]
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False)


# Signatures that say the most at a first look, and what to ask them.
_ASKED_FIRST = ("sample_png", "text_png", "translate_text", "sample")
_EXAMPLES = {"seed": 7, "label": 1, "text": "a small red circle"}


def _serving_commands(report, folder, is_labelled):
    name = model_name(folder)
    mount = quoted(f"{folder}:/models/{name}")
    url = f"http://localhost:8501/v1/models/{name}:predict"
    serve = f"  docker run -p 8501:8501 -v {mount} -e MODEL_NAME={name} tensorflow/serving"
    if is_labelled:
        # A label of a version that is yet to be loaded is refused at the start unless it is allowed.
        serve += f" --model_config_file=/models/{name}/{promotion.FILE_NAME} --model_config_file_poll_wait_seconds=60"
        serve += " --allow_version_labels_for_unavailable_models=true"
    decode = (
        # By itself, or named beside `valid`.
        " | python -c \"import base64, json, sys; p = json.load(sys.stdin)['predictions'][0]; "
        "open('sample.png', 'wb').write(base64.b64decode(p.get('image_bytes', p)['b64']))\""
    )
    of_files = [key for key in report["signatures"] if key.startswith("translate_") and key.endswith("_png")]
    if of_files:
        body = f'{{"signature_name": "{of_files[0]}", "instances": [{{"image_bytes": {{"b64": "%s"}}}}]}}'
        return [serve, f"  printf '{body}' \"$(base64 -w0 picture.jpg)\" | curl -s -d @- {url}" + decode]
    signature = next((name for name in _ASKED_FIRST if name in report["signatures"]), None)
    if signature is None:
        return [serve]
    is_picture = signature.endswith("_png")
    inputs = report["signatures"][signature]["inputs"]
    row = json.dumps({name: example for name, example in _EXAMPLES.items() if name in inputs})
    body = f'{{"signature_name": "{signature}", "instances": [{row}]}}'
    return [serve, f"  curl -s -d '{body}' {url}" + (decode if is_picture else "")]
