"""The commands `keras-gans presets`, `push` and `pull`. TensorFlow is imported once the options are found sound."""

import textwrap
from pathlib import Path
from typing import Annotated

import typer

from keras_gans.errors import UserError
from keras_gans.printing import Console, escape, quoted
from keras_gans.quiet import import_quietly
from keras_gans.runs import published, run_directory

_Runs = Annotated[Path, typer.Option("--runs", help="Folder of the run directories.")]


def presets_command() -> None:
    """Lists the trained models that come along: no training, no network.

    keras-gans sample preset:dcgan_digits

    Every command that takes a run takes preset:NAME, and what it draws is in runs/preset-NAME. In Python:
    kg.load_preset("dcgan_digits").
    """
    console = Console()
    known = {name: published.described(folder) for name, folder in published.packaged().items()}
    if not known:
        raise UserError("No presets came along. python -m keras_gans.presets.make --all makes them.")
    wide = max(map(len, known))
    for name, described in known.items():
        size = f"{described['files'][published.MODEL]['bytes'] / 1e3:,.0f} kB"
        room = max(20, console.width - wide - 12)
        draws = textwrap.shorten(str(described["draws"]), room, placeholder=" …")
        console.print(f"[bold cyan]{name:<{wide}}[/]  {size:>7}  {escape(draws)}", highlight=False, soft_wrap=True)


def push_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, its number, latest or preset:NAME.")],
    repository: Annotated[str, typer.Argument(metavar="USER/REPO", help="Of the Hugging Face Hub; made if absent.")],
    checkpoint: Annotated[str, typer.Option(metavar="latest|best|STEP", help="Which checkpoint of a run.")] = "latest",
    half: Annotated[bool, typer.Option("--half", help="Weights of a run in 16 bits, half as large.")] = False,
    private: Annotated[bool, typer.Option("--private", help="For you alone, where the repository is made.")] = False,
    message: Annotated[str | None, typer.Option(help="Of the commit.")] = None,
    runs: _Runs = Path("runs"),
) -> None:
    """Puts a run's weights, recipe and card into a repository of the Hugging Face Hub, for others to pull.

    It takes the token that "hf auth login" stored, or HF_TOKEN. Nothing else of the run leaves the machine.

    keras-gans push latest ada/my-digits
    """
    from . import hub

    hub.check_installed()
    published.hub_folder(repository, runs)
    folder = run_directory.resolve(run, runs)
    run_directory.checkpoint_file(folder, checkpoint)
    if published.is_published(folder) and half:
        raise UserError(f"{folder} is a preset, whose weights go as they are: leave --half out.")
    console = Console()
    with console.status("importing TensorFlow ...") as status:
        import_quietly("tensorflow")

        def progress(text):
            status.update(f"{text} ...")

        where = hub.push(
            folder,
            repository,
            checkpoint=checkpoint,
            half=half,
            private=private,
            message=message,
            progress=progress,
        )
    console.print(f"In [bold]{escape(where)}[/]. To fetch it:", highlight=False, soft_wrap=True)
    console.print(f"  keras-gans pull {repository}", markup=False, highlight=False, soft_wrap=True)


def pull_command(
    repository: Annotated[str, typer.Argument(metavar="USER/REPO", help="Of the Hugging Face Hub.")],
    revision: Annotated[str | None, typer.Option(help="A branch, a tag or a commit; the main branch unless given.")] = (
        None
    ),
    runs: _Runs = Path("runs"),
) -> None:
    """Fetches a model that keras-gans push has put into a repository of the Hugging Face Hub.

    Nothing in it is run: it is refused unless it is weights and the names of what keras_gans has.

    keras-gans pull ada/my-digits
    """
    from . import hub

    hub.check_installed()
    published.hub_folder(repository, runs)
    console = Console()
    with console.status("importing TensorFlow ...") as status:
        import_quietly("tensorflow")

        def progress(text):
            status.update(f"{text} ...")

        folder = hub.pull(repository, runs, revision=revision, progress=progress)
    described = published.described(folder)
    console.print(
        f"{escape(str(described['draws']))}, step {described['step']:,}, in [bold]{escape(str(folder))}[/]. Such as:",
        highlight=False,
        soft_wrap=True,
    )
    root = "" if runs == Path("runs") else f" --runs {quoted(runs)}"
    ask = "translate" if {"source", "image_a"} & set(described["fields"]) else "sample"
    console.print(f"  keras-gans {ask} hub:{repository}{root}", markup=False, highlight=False, soft_wrap=True)
