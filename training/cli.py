"""The `keras-gans` command: list, presets, train, sample, evaluate, translate, latent, export, verify, promote,
rollback, serve, push, pull, theory.

TensorFlow is imported only once the options have been found sound, so that help and mistakes answer at once.
"""

import contextlib
import importlib.metadata
import platform
import signal
import sys
import textwrap
import warnings
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from keras_gans import data
from keras_gans.errors import DamageWarning, LostServiceError, LostWorkerError, NonFiniteError, UserError, unknown_name
from keras_gans.export.cli import (
    export_command,
    promote_command,
    rollback_command,
    sample_exported,
    verify_command,
)
from keras_gans.export.sampling import exported_version
from keras_gans.export.server.command import serve_command
from keras_gans.limits import check_drawn
from keras_gans.presets.command import presets_command, pull_command, push_command
from keras_gans.printing import Console, escape, printable, quoted
from keras_gans.quiet import Interrupted, import_quietly, one_line_if_interrupted, raising_if_interrupted
from keras_gans.runs import run_directory

from . import recipe as recipes
from .evaluate_command import evaluate_command
from .going_on import check_goes_on, check_resumable, lost_of, recipe_of
from .latent_command import latent_app
from .output import Output
from .strategy import check_devices, this_worker
from .texts import texts_of
from .theory_command import theory_command
from .translate_command import translate_command

DOCTOR_MODES = ("watch", "stop", "roll-back", "off")

app = typer.Typer(
    name="keras-gans",
    help="Train, watch, sample and export generative adversarial networks.\n\n"
    "Start with:  keras-gans train dcgan   (about a minute or two on two cores, on data that comes along)",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
console = Console(file=Output("stdout"))

RunsRoot = Annotated[Path, typer.Option("--runs", help="Folder of the run directories.")]


# Options of train that the choice of a recipe depends on.
_LOOKED_AT = (
    *("image_size", "labels_per_class", "skip_unreadable", "batch_size", "precision", "channels", "steps"),
    "hold_out",
)
# Columns of a terminal, however narrow, that a summary has.
_LEAST_ROOM = 20
# What people come with, and the recipe that stands for the answer.
_WHICH_FOR_WHAT = {
    "to begin with": "dcgan",
    "your own images": "--data FOLDER",
    "images in class folders": "cgan_images --data FOLDER",
    "a classifier from few labels": "sgan --labels-per-class 10",
    "codes of images": "vae_gan",
    "points of a plane": "wgan_gp_ring",
    "pictures into other pictures": "cyclegan_resnet --data 'FOLDER + FOLDER'",
    "pictures from pairs": "pix2pix_unet --data 'FOLDER = FOLDER'",
    "pictures from captions": "text_to_image",
    "sentences into sentences": "adversarial_nmt",
}


def _print_versions(is_asked):
    if not is_asked:
        return
    for library in ("keras_gans", "tensorflow", "keras"):
        console.print(f"{library} {importlib.metadata.version(library)}", highlight=False)
    console.print(f"python {platform.python_version()} on {platform.platform()}", highlight=False, soft_wrap=True)
    raise typer.Exit


@app.callback()
def every_command(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_versions,
            is_eager=True,
            help="Show what is installed, as a report of a fault should say, and exit.",
        ),
    ] = False,
) -> None:
    """What holds for every command."""


@app.command("list")
def list_command(
    everything: Annotated[
        bool, typer.Option("--all", help="With the paper and the data of each recipe, and every data set.")
    ] = False,
) -> None:
    """Shows which recipe is for what, every recipe in a line, and the data sets that come along."""
    _print_rows("Which for what: keras-gans train ...", _WHICH_FOR_WHAT.items())
    chosen = [recipes.named(name) for name in recipes.all_names()]
    summaries = [(each.name, each.summary) for each in chosen]
    _print_rows("keras-gans train RECIPE", summaries, names_first=True, in_one_line=not everything)
    if everything:
        _print_rows(
            "Papers and data", [(each.name, f"{each.source}; {each.data}") for each in chosen], names_first=True
        )
    others = [
        ("mnist, cifar10, ...", "any image data set of TensorFlow Datasets"),
        ("path/to/folder", "your own images, of any size; see --image-size"),
    ]
    along = data.names().items() if everything else [("digits, shapes, ring, ...", "come along, ready at once")]
    _print_rows("--data NAME", (*along, *others), names_first=True)
    if not everything:
        console.print("keras-gans list --all: what comes along, and papers.", style="dim", highlight=False)


def _print_rows(title, rows, names_first=False, in_one_line=False):
    """Two columns, of which that with a name to copy is never cut nor broken, and the other only if it is to fit."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0), title=title, title_justify="left")
    table.title_style = "bold"
    rows = [(Text(f"  {left}"), Text(right)) for left, right in rows]
    name, other = {"style": "bold cyan", "no_wrap": True}, {"overflow": "fold"}
    for options in (name, other) if names_first else (other, name):
        table.add_column(**options)
    room = max(_LEAST_ROOM, console.width - max(left.cell_len for left, _ in rows) - 4)
    for left, right in rows:
        if in_one_line:
            # Rich would take the room from both columns, and end within a word.
            right = Text(textwrap.shorten(right.plain, room, placeholder=" …"))
        table.add_row(left, right)
    console.print(table)
    console.print()


@app.command("train")
def train_command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[RECIPE]",
            help="What to train: one of keras-gans list, or MODULE:NAME of your own; with --data alone one is chosen "
            "that fits what is there.",
        ),
    ] = None,
    data_source: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="NAME|FOLDER",
            help="A data set's name, or a folder of images; 'A + B' for two collections, 'A = B' for two "
            "that belong together, 'A\\[cat]' for one class.",
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="Updates of the generator.")] = None,
    batch_size: Annotated[int | None, typer.Option(metavar="N", help="Samples in a batch, over all devices.")] = None,
    image_size: Annotated[
        int | None,
        typer.Option(
            help="Crop and resize images to so many pixels (8, 16, 28, 32, 64 or 128 for most recipes); a folder keeps "
            "the size that its images share, else 64.",
            metavar="N",
        ),
    ] = None,
    labels_per_class: Annotated[
        float | None,
        typer.Option(
            help="Keep so many labels of each class on average (2.5 of ten classes: 25 labels), for recipes that learn "
            "from few, such as sgan.",
            metavar="N",
        ),
    ] = None,
    hold_out: Annotated[
        float | None,
        typer.Option(
            help="Set so large a share of the data aside to measure with, 0.1 unless given, where they have no split "
            "test or validation; 0 trains on all.",
            metavar="SHARE",
        ),
    ] = None,
    skip_unreadable: Annotated[
        bool,
        typer.Option(
            "--skip-unreadable",
            help="Leave image files that cannot be read out, and name them; else they end the run before it begins.",
        ),
    ] = False,
    evaluate_every: Annotated[
        int | None,
        typer.Option(metavar="N", help="Measure the samples every so many steps and keep the best checkpoint."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any other field of the recipe, such as latent_dim=64, generator.base_filters=32 or "
            "optimizers.generator.beta_1=0.9. May be given often.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Of weights, data order and latents.")] = None,
    devices: Annotated[str, typer.Option(help="auto (every GPU, else the CPU), cpu, cpu:2, gpu, or gpu:0,1.")] = "auto",
    data_service: Annotated[
        str | None,
        typer.Option(
            "--data-service",
            metavar="ADDRESS",
            help="Have a tf.data service make the batches: the address of its dispatcher. With one worker there, the "
            "run is bit for bit what it is without.",
        ),
    ] = None,
    runs: RunsRoot = Path("runs"),
    run_dir: Annotated[Path | None, typer.Option("--run-dir", hidden=True)] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Go on with a run: its folder, its number, or latest. auto goes on with the latest that has a "
            "checkpoint, or starts a new one: for jobs that a cluster starts again.",
        ),
    ] = None,
    mixed_precision: Annotated[
        bool, typer.Option("--mixed-precision", help="Compute in half precision where the hardware is fast at it.")
    ] = False,
    doctor: Annotated[
        str,
        typer.Option(
            metavar="MODE",
            help="When the run looks sick (collapsed, a player standing still, exploding losses): watch says so, stop "
            "ends it, roll-back goes back to its last healthy state; off does not look.",
        ),
    ] = "watch",
    profile: Annotated[
        bool, typer.Option("--profile", help="Record ten early steps for TensorBoard's profiler (pip install xprof).")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the recipe, the networks and the data, and write nothing.")
    ] = False,
) -> None:
    """Trains a recipe and leaves samples, curves and checkpoints in a run directory.

    Ctrl-C saves and prints the command that goes on.
    """
    # The name that --runs had here alone.
    run_dir = run_dir or runs
    check_devices(devices)
    if doctor not in DOCTOR_MODES:
        raise unknown_name("doctor's mode", doctor, DOCTOR_MODES)
    run = _run_to_resume(resume, run_dir, can_begin=name is not None or data_source is not None)
    given = {"data": data_source, "steps": steps, "batch_size": batch_size, "image_size": image_size, "seed": seed}
    if labels_per_class is not None and labels_per_class.is_integer():
        labels_per_class = int(labels_per_class)
    given |= {"labels_per_class": labels_per_class, "hold_out": hold_out, "evaluate_every": evaluate_every}
    given |= {"skip_unreadable": skip_unreadable or None}
    given = {key: value for key, value in given.items() if value is not None}
    given |= dict(map(recipes.parse_assignment, settings or []))
    chosen = recipes.with_settings(_chosen_recipe(name, run, given), given)
    data.check_source(chosen.data)
    if data_service is not None:
        data.check_service(data_service, this_worker().count)
    options = {"devices": devices, "doctor": doctor, "profile": profile, "data_service": data_service}
    options["automatic"] = resume == "auto"
    _train(chosen, run, run_dir, mixed_precision, dry_run, options)


def _run_to_resume(resume, root, can_begin):
    """The run to go on with, or None. "auto" decides by checkpoints, which all workers of a cluster see alike; where it
    `can_begin` a new run, it does so if nothing of the last one can be read.
    """
    if resume is None:
        return None
    if resume != "auto":
        run = run_directory.resolve(resume, root)
    elif (run := run_directory.latest_with_checkpoint(root)) is not None and can_begin and (lost := lost_of(run)):
        # A job that is started again and again would end here each time.
        console.print(f"{escape(lost, lines=True)} So a new run begins.", highlight=False, soft_wrap=True)
        return None
    if run is not None:
        check_goes_on(run)
    return run


def _chosen_recipe(name, run, given):
    if run is not None:
        started = recipe_of(run)
        if name not in (None, started.name):
            raise UserError(f"{run} is a run of {started.name}, not of {name}. Leave {name} out to go on with it.")
        return started
    if name is not None:
        return recipes.named(name)
    if "data" not in given:
        raise UserError(
            "Which recipe? Such as: keras-gans train dcgan. All of them: keras-gans list. With --data FOLDER alone one "
            "is chosen that fits what is there."
        )
    data.check_source(given["data"])
    with console.status("looking at the data ..."), one_line_if_interrupted():
        # Data sets by name are opened by it, and it would greet.
        import_quietly("tensorflow")
        from .choosing import choose

        chosen = choose(
            **{key: given[key] for key in ("data", *_LOOKED_AT) if key in given},
            augmentation=not any(key.endswith("discriminator.augmentation") for key in given),
        )
    console.print(
        f"[bold]{escape(chosen.name)}[/]: {escape(chosen.chosen)} To name another: keras-gans list.",
        highlight=False,
        soft_wrap=True,
    )
    return chosen


def _train(chosen, run, root, mixed_precision, dry_run, options):
    this_worker()  # refuses a TF_CONFIG of no sense before TensorFlow stumbles over it
    with console.status("importing TensorFlow ..."), one_line_if_interrupted():
        import_quietly("tensorflow")
        from . import train as training
        from .choosing import with_size_kept
        from .strategy import fast_precision

        chosen = chosen if run is not None else with_size_kept(chosen)
    if mixed_precision:
        chosen = chosen.replace(precision=fast_precision())
    if run is not None:
        check_resumable(run, chosen)
    if dry_run:
        console.print(chosen.to_json(), markup=False, end="")
        training.describe(chosen, devices=options["devices"], console=console)
        return
    try:
        outcome = training.train(chosen, root=root, run=run, console=console, **options)
    except KeyboardInterrupt as interrupt:
        # Of a second signal.
        raise Interrupted(*interrupt.args) from None
    from .build import scheme_of

    scheme = scheme_of(chosen)
    pictures = "pictures" if scheme.translates else ""
    _print_outcome(outcome, root, "texts" if training.translates_texts(scheme) else pictures)


def _print_outcome(outcome, root, translates):
    """Says what a run left and what to do next; `translates` is "texts", "pictures" or empty."""
    if not outcome.began:
        console.print(f"{escape(outcome.run)} has taken {outcome.steps} steps: nothing is left to do.", highlight=False)
        return
    if outcome.run is None:
        console.print(f"Done: {outcome.steps} steps. The chief's run directory holds everything.", highlight=False)
        return
    run = quoted(outcome.run)
    if outcome.signal is not None:
        # Whoever is not reading the one may read the other.
        said = Console(file=Output("stderr")) if console.file.is_lost else console
        said.print(f"\nInterrupted after step {outcome.steps} and saved. Go on with:", highlight=False)
        _print_command(f"keras-gans train --resume {run}" + _root_option(root), said=said)
        # What a shell reports of a signal: a cluster must not take an interrupted job for a finished one.
        raise typer.Exit(128 + outcome.signal)
    shown = f" What it makes is in [bold]{escape(str(outcome.picture))}[/]" if outcome.picture else ""
    console.print(f"\nDone: {outcome.steps} steps.{shown}", highlight=False)
    console.print("Next:")
    logs = quoted(outcome.run.parent)
    _print_command(f"tensorboard --logdir {logs}", "watch the curves and the samples change")
    if translates == "texts":
        _print_command(f'keras-gans translate {run} "..."', "translate a sentence")
    elif translates:
        _print_command(f"keras-gans translate {run} INPUT OUTPUT", "translate a picture, or a folder of pictures")
    else:
        _print_command(f"keras-gans sample {run} --count 64", "draw more")
    exported = Path("exported") / outcome.run.name.split("-", 1)[-1]
    _print_command(f"keras-gans export {run} --to {quoted(exported)}", "SavedModel and TFLite")


def _root_option(root):
    return "" if root == Path("runs") else f" --runs {quoted(root)}"


def _print_command(command, purpose="", said=console):
    # No markup, no colours within and no wrapping: the line is there to be copied.
    said.print(f"  {command}" + (f"    # {purpose}" if purpose else ""), markup=False, highlight=False, soft_wrap=True)


def _write_what_it_shows(model, folder, count, seed, to, label, separate):
    """The samples of a scheme that makes something else than samples of one kind: whatever it shows while it trains."""
    from keras_gans.engine import show

    for option, value in (("--to", to), ("--label", label), ("--separate", separate or None)):
        if value is not None:
            raise UserError(
                f"{type(model).__name__} shows more than one picture: leave {option} out. Received: {value}."
            )
    shown = model.shows(None, count, seed)
    if not shown:
        from .train import held_out_rows

        # It makes something of data: of those that it was not trained on.
        shown = model.shows(held_out_rows(recipe_of(folder), count), count, seed)
    for tag, what in shown.items():
        path = show.write(what, folder / "samples" / f"{tag}-{model.steps_taken:08d}-seed-{seed}")
        console.print(f"{tag} of step {model.steps_taken} is in [bold]{escape(str(path))}[/]", highlight=False)


@app.command("sample")
def sample_command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="A run's folder, its number, latest or preset:NAME; or the folder of an export."
        ),
    ],
    count: Annotated[
        int | None, typer.Option(help="How many samples, 64 unless given; of each text 8 unless given.", min=1)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the first sample; the next has the next seed.", min=-(2**63))] = 0,
    text: Annotated[
        list[str] | None,
        typer.Option(
            "--text",
            help='What to draw, such as "a small red circle, top left", for recipes such as text_to_image; captions of '
            "the data unless given. May be given often: a row of samples each, of the same seeds.",
        ),
    ] = None,
    texts: Annotated[Path | None, typer.Option("--texts", help="A file of such texts, one a line.")] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="PNG file for the grid; beside the run's other samples unless given.")
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(help="Class to draw, by number or name, for recipes such as cgan; all of them unless given."),
    ] = None,
    separate: Annotated[
        bool, typer.Option("--separate", help="Write each image to a PNG of its own, in the folder --to.")
    ] = False,
    runs: RunsRoot = Path("runs"),
) -> None:
    """Draws samples from a run's latest checkpoint, or from an export's TFLite or ONNX files, as a picture.

    keras-gans sample preset:dcgan_digits

    keras-gans sample latest --count 64

    keras-gans sample exported/dcgan --count 64

    keras-gans sample latest --text "a small red circle, top left" --text "two big blue stars in the centre"
    """
    wanted = texts_of(text, texts)
    if wanted and label is not None:
        raise UserError(f"Give texts or --label, not both. Received: --label {label}.")
    exported = exported_version(run)
    if exported is not None:
        _check_picture_target(to, separate)
        sample_exported(exported, count, seed, label, wanted, to, separate, console)
        return
    folder = run_directory.resolve(run, runs)
    run_directory.latest_checkpoint(folder)
    _check_picture_target(to, separate)
    with console.status("importing TensorFlow and loading the model ..."):
        import_quietly("tensorflow")
        from keras_gans.drawing import many, picture

        model = run_directory.load_run(folder)
    if wanted:
        _draw_texts(model, folder, wanted, count or 8, seed, to, separate)
        return
    count = count or 64
    if model.makes is None:
        _write_what_it_shows(model, folder, count, seed, to, label, separate)
        return
    if separate and not model.makes_images:
        raise UserError("--separate writes images; this run makes points. Leave it out for a picture of them all.")
    check_drawn(count, seed)
    if separate:
        target = to or folder / "samples" / f"seed-{seed}"
        many.write_each(
            lambda start, rows: model.sample(rows, seed=seed + start, labels=label),
            count,
            lambda place: target / f"{seed + place}.png",
            console,
        )
    else:
        many.check_fits_a_picture(count, model.sample_shape())
        samples = model.sample(count, seed=seed, labels=label)
        chosen = "" if label is None else f"-label-{model.label_of(label)}"
        target = to or folder / "samples" / f"step-{model.steps_taken:08d}-seed-{seed}{chosen}.png"
        picture.save_png(picture.draw(samples), target)
    console.print(f"{count} samples of step {model.steps_taken} are in [bold]{escape(str(target))}[/]", highlight=False)


def _check_picture_target(to, separate):
    if to is not None and not separate and to.suffix.lower() != ".png":
        raise UserError(f"--to takes a file that ends in .png, or a folder with --separate. Received: {to}.")


def _draw_texts(model, folder, texts, count, seed, to, separate):
    """Writes `count` samples of each text: a row of a picture for each, or a file for each sample."""
    from keras_gans.drawing import many, picture

    from .texts import check_reads, file_name, told_apart

    for line in check_reads(model, texts):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    check_drawn(count, seed)
    if separate:
        target = to or folder / "samples" / f"texts-seed-{seed}"
        for number, text in enumerate(texts, 1):
            stem = f"{number}-{file_name(text)}"
            many.write_each(
                lambda start, rows, text=text: model.sample(rows, seed=seed + start, texts=text),
                count,
                lambda place, stem=stem: target / f"{stem}-{seed + place}.png",
                console,
            )
    else:
        many.check_fits_a_picture(count * len(texts), model.sample_shape())
        rows = [model.sample(count, seed=seed, texts=text) for text in texts]
        chosen = file_name(texts[0]) + (f"-and-{len(texts) - 1}-more-{told_apart(*texts)}" if len(texts) > 1 else "")
        target = to or folder / "samples" / f"step-{model.steps_taken:08d}-seed-{seed}-{chosen}.png"
        images, captions = [image for row in rows for image in row], [text for text in texts for _ in range(count)]
        picture.save_png(picture.captioned(images, captions, columns=count), target)
    each = f"each of {len(texts)} texts" if len(texts) > 1 else f"the text {texts[0]!r}"
    console.print(
        f"{count} samples of {escape(each)}, of step {model.steps_taken}, are in [bold]{escape(str(target))}[/]",
        highlight=False,
        soft_wrap=True,
    )


app.command("export")(export_command)
app.command("verify")(verify_command)
app.command("promote")(promote_command)
app.command("rollback")(rollback_command)
app.command("serve")(serve_command)
app.command("evaluate")(evaluate_command)
app.command("translate")(translate_command)
app.add_typer(latent_app)
app.command("presets")(presets_command)
app.command("push")(push_command)
app.command("pull")(pull_command)
app.command("theory")(theory_command)


def main() -> None:
    """The console script: prints a user's mistake as one message, without a traceback, and exits with 2."""
    errors = Console(file=Output("stderr"))
    # Another one in this process may have lost its own.
    console.file = Output("stdout")
    try:
        _refuse_empty(sys.argv[1:])
        with _warnings_in_a_line(errors), raising_if_interrupted():
            app(standalone_mode=True)
    except Interrupted as interrupted:
        errors.print("Interrupted.")
        sys.exit(128 + next(iter(interrupted.args), signal.SIGINT))
    except UserError as error:
        _print_said(errors, "Error:", error)
        sys.exit(2)
    except (LostServiceError, LostWorkerError, NonFiniteError) as error:
        _print_said(errors, "Stopped:", error)
        sys.exit(1)
    except OSError as error:
        # A full disk or a folder that may not be written to; whatever was there before is still whole.
        _print_said(errors, "Stopped:", error)
        sys.exit(1)


def _refuse_empty(words):
    """Refuses an empty string, as of a script's variable that is not set: as a path it is the working directory."""
    for place, word in enumerate(words):
        before = words[place - 1] if place else "keras-gans"
        name, equals, value = word.partition("=")
        if word.startswith("--") and equals and not value:
            before = name
        elif word:
            continue
        if words[0] == "translate" and place == 2:
            # What follows the run may be a sentence, of which the command says itself that it is empty.
            continue
        # A text may be one without a word.
        if before not in ("--text", "--from-text", "--to-text"):
            raise UserError(f"What follows {before} is empty. Name something there, or leave it out. Received: ''.")


@contextlib.contextmanager
def _warnings_in_a_line(errors):
    """Shows what is damaged as one message a piece, without the place in the code that found it."""
    with warnings.catch_warnings():
        show, said = warnings.showwarning, set()

        def in_a_line(message, category, *place, **options):
            if issubclass(category, DamageWarning):
                # A folder is looked through more than once.
                if str(message) in said:
                    return
                said.add(str(message))
                _print_said(errors, "Damaged:", message, "bold yellow")
            elif not category.__module__.startswith("PIL."):
                # Pillow warns of what is refused here by name anyway.
                show(message, category, *place, **options)

        warnings.showwarning = in_a_line
        yield


def _print_said(errors, kind, said, style="bold red"):
    # As text, because what a user typed may look like markup.
    errors.print(Text.assemble((kind, style), " ", printable(said, lines=True)), highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
