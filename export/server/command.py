"""The command `keras-gans serve`. What can be wrong is found before anything slow is imported."""

import importlib.util
import re
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from keras_gans.errors import UserError, unknown_name
from keras_gans.printing import Console
from keras_gans.quiet import import_quietly

from ..formats import model_name
from ..report import FILE_NAME
from ..runtimes import AUTO, FORMATS, WORDS, formats_of, missing_runtime
from ..versions import versions

_NEEDED = {"aiohttp": "aiohttp", "prometheus_client": "prometheus-client", "grpc_health": "grpcio-health-checking"}
# What REST and gRPC can carry in a path and a message.
_NAME = r"[A-Za-z0-9_.-]+"
CONFIGURATION = "models.config"


def serve_command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of an export's versions: 1, 2, ...", show_default=False)
    ],
    host: Annotated[
        str, typer.Option(help="Address to listen at; anything but this machine's own lets strangers in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Of REST; 0 for any that is free.", min=0, max=65535)] = 8501,
    grpc_port: Annotated[int, typer.Option(help="Of gRPC; 0 for any that is free.", min=0, max=65535)] = 8500,
    name: Annotated[
        str | None, typer.Option(help="Of the model; that of models.config, or the folder's, unless given.")
    ] = None,
    format: Annotated[
        str,
        typer.Option(
            help="By which files versions answer: saved_model answers all signatures, as TensorFlow Serving does; onnx "
            "and tflite start in under a second, without TensorFlow, and answer all but those that read image files or "
            "translate texts. auto takes the first of the three that a version has.",
            metavar="auto|saved_model|onnx|tflite",
        ),
    ] = "auto",
    cors: Annotated[bool, typer.Option("--cors", help="Let web pages of any origin read what REST answers.")] = False,
    poll: Annotated[float, typer.Option(help="Seconds between two looks for new versions.", min=0.05)] = 1.0,
) -> None:
    """Serves an export on this machine, to try it and to write clients against: a development server.

    It answers as TensorFlow Serving does, over REST and gRPC, and swaps versions as they appear. Where DIR has a
    models.config, that says which versions are served, and their labels. For traffic, take TensorFlow Serving.
    """
    if format not in (AUTO, *FORMATS):
        raise unknown_name("format to serve", format, (AUTO, *FORMATS))
    check_folder(folder, format)
    if name is not None and not re.fullmatch(_NAME, name):
        raise UserError(f"A model's name has letters, digits, '_', '.' and '-' only. Received: {name!r}.")
    check_installed()
    console = Console()
    with console.status("Starting"):
        first = {name for number in versions(folder) for name in _formats_in(folder / str(number))[:1]}
        if "saved_model" in (first if format == AUTO else {format}):
            # Now, while there is something to be seen; it takes seconds.
            import_quietly("tensorflow")
        from .configuration import ConfigurationFile
        from .models import Model
        from .running import LOOPBACK, DevelopmentServer

    def say(line):
        console.print(line, soft_wrap=True, markup=False, highlight=False)

    file = ConfigurationFile(folder.absolute() / CONFIGURATION, folder.absolute(), model_name(folder), name)
    ended = threading.Event()
    previous = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        at_first = [Model(file.name, folder.absolute())]
        settings = {"poll_seconds": poll, "say": say, "configured": file.changed, "cors": cors, "format": format}
        with DevelopmentServer(at_first, host, port, grpc_port, **settings) as server:
            served = ", ".join(server.models.models)
            say(f"Development server, not for traffic. Serving {served} from {folder}")
            if host not in LOOPBACK:
                say(f"Anyone who reaches {host} may call it: there is no encryption, and nobody is asked who they are.")
            url = f"http://{f'[{host}]' if ':' in host else host}:{server.port}"
            say(f"  REST  {url}/v1/models/{served}")
            say(f"  gRPC  {host}:{server.grpc_port}")
            say(f"  curl -s {url}/v1/models/{served}/metadata")
            for model in server.models.models.values():
                for label, number in sorted(model.labels.items()):
                    say(f"  label {label}: version {number}, at {url}/v1/models/{model.name}/labels/{label}")
            for line in _faster(server.models) if format == AUTO else ():
                say(line)
            say("Ctrl+C ends it.")
            ended.wait()
            say("Ending: requests under way are answered first.")
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def check_folder(folder: Path, format: str = AUTO) -> None:
    """Refuses what is no folder of versions, of which one at least has files of a format.

    Raises:
        UserError: it is not.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}. keras-gans export RUN --to {folder} makes one.")
    numbers = versions(folder)
    if not numbers:
        if (folder / "saved_model.pb").is_file() or (folder / FILE_NAME).is_file():
            raise UserError(f"{folder} is one version. Serve the folder that it lies in: {folder.absolute().parent}.")
        raise UserError(f"{folder} has no versions, which are folders named by numbers. keras-gans export makes them.")
    there = {name for number in numbers for name in _formats_in(folder / str(number))}
    if not there:
        raise UserError(
            f"None of the versions in {folder} has a SavedModel, ONNX or TFLite files. "
            "Export with --formats saved_model."
        )
    if format not in (AUTO, *there):
        has = ", ".join(name for name in FORMATS if name in there)
        raise UserError(f"None of the versions in {folder} can be served --format {format}. What they have: {has}.")
    if (missing := missing_runtime(format)) is not None:
        raise UserError(missing)


def _formats_in(version):
    """Those of a version; none of one that cannot be served, which the server will say of it."""
    try:
        return formats_of(version)
    except UserError:
        return []


def _faster(models):
    """Lines about what would start faster than the SavedModels that are served."""
    for model in models.models.values():
        for number, version in model.versions.items():
            servable = version.servable
            others = [] if servable is None else [name for name in _formats_in(version.folder) if name != "saved_model"]
            if servable is not None and servable.format == "saved_model" and others:
                yield (
                    f"  Version {number} has {WORDS[others[0]]} too: --format {others[0]} starts in under a second, "
                    "without TensorFlow."
                )


def check_installed() -> None:
    """Refuses to begin where a library is missing.

    Raises:
        UserError: which, and how to get it.
    """
    missing = [package for module, package in _NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise UserError(f"The server needs {', '.join(missing)}: pip install 'keras_gans[serve]'.")
