"""The command `keras-gans export`. Every option is checked before TensorFlow is imported, which takes seconds."""

import shlex
from pathlib import Path
from typing import Annotated

import rich.box
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from keras_gans.errors import UserError
from keras_gans.quiet import import_quietly
from keras_gans.runs import run_directory

from .formats import DEFAULT_FORMATS, check_batch_sizes, check_formats, check_target, model_name


def export_command(
    run: Annotated[
        str, typer.Argument(help="Path of a run, its name, its number (7 or 00007), or latest.", show_default=False)
    ],
    to: Annotated[
        Path,
        typer.Option("--to", help="Folder of the versions: 1, 2, ... each whole, none ever changed.", metavar="DIR"),
    ],
    formats: Annotated[
        str, typer.Option(help="What to write, separated by commas: saved_model, tflite, onnx.")
    ] = ",".join(DEFAULT_FORMATS),
    tflite_batch: Annotated[
        str, typer.Option(help="Fixed batch sizes of the TFLite files, separated by commas, such as 1,16.")
    ] = "1",
    runs: Annotated[Path, typer.Option(help="Folder that holds the runs.")] = Path("runs"),
) -> None:
    """Exports a run's latest checkpoint as a SavedModel for TensorFlow Serving and as TFLite for the edge.

    Every file is called in a fresh process and compared with the model before the version appears in DIR. The errors,
    sizes and latencies are printed, and are in report.json beside the files.
    """
    chosen = check_formats([name.strip() for name in formats.split(",") if name.strip()])
    batch_sizes = check_batch_sizes(_integers(tflite_batch))
    check_target(to)
    folder = run_directory.resolve(run, runs)
    run_directory.latest_checkpoint(folder)

    console = Console()
    report = _export(console, folder, to, chosen, batch_sizes)
    _print_report(console, report)
    _print_next_steps(console, report, to)


def _integers(text):
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise UserError(
            f"--tflite-batch takes integers separated by commas, such as 1,16. Received: {text!r}."
        ) from None


def _export(console, folder, to, formats, batch_sizes):
    with console.status(f"Loading {escape(folder.name)}") as status:
        import_quietly("tensorflow")
        from .exporter import export_model

        def progress(text):
            status.update(f"{text} ...")

        model = run_directory.load_run(folder)
        return export_model(model, to, formats, tflite_batch_sizes=batch_sizes, run=folder, progress=progress)


def _print_report(console, report):
    origin = f"{report['run']} at step {report['step']:,}"
    console.print(
        f"Published version {report['version']} of {escape(origin)}: {escape(report['path'])}", soft_wrap=True
    )
    titles = ("format", "bytes", "signature", "max error", "dB", "batch", "ms")
    # Seven columns that fit a terminal of 80.
    table = Table(*titles, box=rich.box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in [*_saved_model_rows(report), *_tflite_rows(report), *_onnx_rows(report)]:
        table.add_row(*row)
    console.print(table)
    console.print("Error and PSNR are against Keras; of sample and sample_png, in levels of 255.")
    for warning in report["warnings"]:
        console.print(f"[yellow]Warning:[/yellow] {escape(warning)}")


def _saved_model_rows(report):
    parts = ("saved_model.pb", "variables/")
    size = sum(entry["bytes"] for path, entry in report["files"].items() if path.startswith(parts))
    for signature, figures in report.get("saved_model", {"checks": {}})["checks"].items():
        for batch_size, milliseconds in figures["latency_ms"].items():
            error = f"{figures['max_abs_error']:.1e}"
            yield "saved_model", f"{size:,}", signature, error, "", batch_size, f"{milliseconds:.2f}"


def _tflite_rows(report):
    parts = {name: part for name, part in report.items() if name == "tflite" or name.startswith("tflite_")}
    for part, kind, entry in ((part, kind, entry) for part, kinds in parts.items() for kind, entry in kinds.items()):
        size = report["files"][entry["file"]]["bytes"]
        for signature, figures in entry["checks"].items():
            error = f"{figures['max_abs_error']:.1e}"
            decibels = f"{figures['psnr_db']:.1f}" if figures["max_abs_error"] else "exact"
            milliseconds, batch_size = f"{figures['latency_ms']:.2f}", str(figures["batch_size"])
            label = f"{part} {kind}".removeprefix("tflite").lstrip("_ ")
            yield label, f"{size:,}", signature, error, decibels, batch_size, milliseconds


def _onnx_rows(report):
    for signature, entry in report.get("onnx", {}).items():
        size, figures = report["files"][entry["file"]]["bytes"], entry["checks"]
        for batch_size, milliseconds in figures["latency_ms"].items():
            error = f"{figures['max_abs_error']:.1e}"
            yield "onnx", f"{size:,}", signature, error, "", batch_size, f"{milliseconds:.2f}"


def _print_next_steps(console, report, to):
    """Commands to copy, each on a line of its own that no console width may break."""
    folder = to.absolute()
    lines = []
    if "saved_model" in report["formats"]:
        lines += [
            "Try it here:",
            f"  keras-gans serve {shlex.quote(str(to))}",
            "Serve it (any newer version in the folder is picked up):",
            *_serving_commands(report, folder),
        ]
    first = next((part for name, part in report.items() if name == "tflite" or name.startswith("tflite_")), None)
    if first is not None:
        file = folder / str(report["version"]) / first["float32"]["file"]
        lines += [
            "Run it without TensorFlow:",
            f'  python -c "from ai_edge_litert.interpreter import Interpreter; '
            f"print(Interpreter('{file}').get_signature_list())\"",
        ]
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _serving_commands(report, folder):
    name = model_name(folder)
    mount = shlex.quote(f"{folder}:/models/{name}")
    url = f"http://localhost:8501/v1/models/{name}:predict"
    serve = f"  docker run -p 8501:8501 -v {mount} -e MODEL_NAME={name} tensorflow/serving"
    decode = (
        # By itself, or named beside `valid`.
        " | python -c \"import base64, json, sys; p = json.load(sys.stdin)['predictions'][0]; "
        "open('sample.png', 'wb').write(base64.b64decode(p.get('image_bytes', p)['b64']))\""
    )
    of_files = [key for key in report["signatures"] if key.startswith("translate_") and key.endswith("_png")]
    if of_files:
        body = f'{{"signature_name": "{of_files[0]}", "instances": [{{"image_bytes": {{"b64": "%s"}}}}]}}'
        return [serve, f"  printf '{body}' \"$(base64 -w0 picture.jpg)\" | curl -s -d @- {url}" + decode]
    is_picture = "sample_png" in report["signatures"]
    signature = "sample_png" if is_picture else "sample"
    if signature not in report["signatures"]:
        return [serve]
    has_label = "label" in report["signatures"][signature]["inputs"]
    row = '{"seed": 7, "label": 1}' if has_label else '{"seed": 7}'
    body = f'{{"signature_name": "{signature}", "instances": [{row}]}}'
    return [serve, f"  curl -s -d '{body}' {url}" + (decode if is_picture else "")]
