"""The command `keras-gans theory`. Every option is checked before TensorFlow is imported, which takes seconds."""

import math
from pathlib import Path
from typing import Annotated, Any

import rich.box
import typer
from rich.table import Table

from keras_gans.errors import UserError
from keras_gans.printing import Console, escape, quoted
from keras_gans.quiet import import_quietly

from . import theory

_CHECKS_HELP = "Which, all unless given:  " + ",  ".join(theory.NAMES) + "."


def theory_command(
    checks: Annotated[list[str] | None, typer.Argument(metavar="[CHECK]...", help=_CHECKS_HELP)] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer cases and no long run; the bounds stay the same.")
    ] = False,
    to: Annotated[Path, typer.Option("--to", help="Folder of the pictures and results.json.", metavar="DIR")] = Path(
        "theory"
    ),
    seed: Annotated[int, typer.Option(help="Of weights, data and latents.", min=0, max=2**32 - 1)] = 0,
) -> Any:
    """Checks what the theory says of the game, by training, and draws it.

    Each figure is printed beside the theory's value and its bound. The command exits with 1 if one is out of bounds.
    """
    names = theory.chosen(checks, quick)
    if to.exists() and not to.is_dir():
        raise UserError(f"--to takes a folder; {to} is a file.")
    console = Console()
    with console.status("importing TensorFlow ..."):
        import_quietly("tensorflow")
        import tensorflow as tf

        from .theory.running import run_checks
    # Each check builds models of its own, whose steps TensorFlow takes for one step traced again and again.
    tf.get_logger().setLevel("ERROR")
    left_out = [name for name in theory.LONG if quick and not checks]
    if left_out:
        console.print(f"--quick leaves out: {', '.join(left_out)}.", highlight=False)
    results = run_checks(
        names, to, seed=seed, quick=quick, console=console, report=lambda result: _print_result(console, result)
    )
    _print_outcome(console, results, to)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


def _print_result(console, result):
    console.print(f"\n{_verdict(result.passed)} [bold]{result.name}[/]  {result.seconds:.0f} s", highlight=False)
    console.print(f"{escape(result.statement)}\n[dim]{escape(result.source)}[/]", highlight=False)
    table = Table("", "quantity", "measured", "theory", "bound", box=rich.box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[2:4]:
        column.justify = "right"
    for claim in result.claims:
        row = (escape(claim.quantity), _number(claim.measured), _number(claim.expected), claim.bound)
        table.add_row(_verdict(claim.passed), *row)
    console.print(table)
    for case in result.skipped:
        console.print(f"--quick leaves out: {escape(case)}.", highlight=False)


def _print_outcome(console, results, to):
    failed = [result.name for result in results if not result.passed]
    seconds = sum(result.seconds for result in results)
    verdict = f"[bold red]{len(failed)} of {len(results)} checks FAIL:[/] {', '.join(failed)}"
    verdict = verdict if failed else f"[bold green]{len(results)} of {len(results)} checks pass[/]"
    console.print(f"\n{verdict}  {seconds:.0f} s, seed {results[0].seed}", highlight=False)
    where = f"The pictures and results.json are in {to}. Watch: tensorboard --logdir {quoted(to)}"
    console.print(where, highlight=False, markup=False, soft_wrap=True)


def _verdict(passed):
    return "[green]passes[/]" if passed else "[bold red]FAILS[/]"


def _number(value):
    return f"{value:.5g}" if math.isfinite(value) else str(value).replace("inf", "infinite")
