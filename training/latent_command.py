"""The commands `keras-gans latent ...`: a tour of what a trained generator's latents mean.

TensorFlow is imported only once the options have been found sound.
"""

import inspect
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from keras_gans.data.folder import EXTENSIONS, check_folder
from keras_gans.errors import UserError, unknown_name
from keras_gans.latent import expression as expressions
from keras_gans.limits import check_drawn
from keras_gans.printing import Console, escape
from keras_gans.quiet import import_quietly
from keras_gans.runs import run_directory

from .texts import check_reads, file_name, texts_of

latent_app = typer.Typer(
    name="latent",
    help="Walk between samples, add and subtract what they show, trade variety for quality, find a picture's latent."
    "\n\nA generator turns a latent, a list of random numbers, into a sample. Each sample has a seed: number k of "
    "[bold]keras-gans sample RUN --seed S[/], counted from 0, has the seed S + k. These commands change the latents of "
    "seeds and show what becomes of the samples."
    "\n\n  keras-gans latent interpolate latest --from-seed 3 --to-seed 8"
    '\n\n  keras-gans latent interpolate latest --from-text "a red star" --to-text "a blue circle"'
    "\n\n  keras-gans latent arithmetic latest '4:thick - 4:thin + 9:thin'"
    "\n\n  keras-gans latent truncate latest --threshold 0.5"
    "\n\n  keras-gans latent invert latest photo.png",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
console = Console()

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, its number, latest or preset:NAME.")]
RunsRoot = Annotated[Path, typer.Option("--runs", help="Folder of the run directories.")]
Label = Annotated[
    str | None, typer.Option("--label", help="Class to draw, a name or a number; for class-conditional runs.")
]
_RUNS = Path("runs")
_WIDTH = 960  # of pictures of a dozen columns


def _command(name):
    """Decorator: files a command, its help the docstring with the lines of each paragraph joined."""

    def add(function):
        text = re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(function.__doc__))
        return latent_app.command(name, help=text)(function)

    return add


def _folder_of(run, runs, to, suffixes=(".png",)):
    """The run's folder, once it and the output's name have been found sound."""
    folder = run_directory.resolve(run, runs)
    run_directory.latest_checkpoint(folder)
    if to is not None and to.suffix.lower() not in suffixes:
        raise UserError(f"--to takes a file that ends in {' or '.join(suffixes)}. Received: {to}.")
    return folder


def _load(folder, may_draw_to_texts=False):
    with console.status("importing TensorFlow and loading the model ..."):
        import_quietly("tensorflow")
        model = run_directory.load_run(folder)
    model.check_has_latents()
    from keras_gans.latent.decoding import draws_to_texts

    if draws_to_texts(model) and not may_draw_to_texts:
        raise UserError(
            f"{type(model).__name__} draws to texts, which this command does not. keras-gans latent interpolate walks "
            "between two texts, or with --text between two seeds."
        )
    return model


def _target(folder, model, to, name):
    return to or folder / "samples" / f"step-{model.steps_taken:08d}-{name}"


def _say(text):
    console.print(text, highlight=False, soft_wrap=True)


@_command("interpolate")
def interpolate_command(
    run: Run,
    from_seed: Annotated[int, typer.Option(help="Seed of the sample to start from.")] = 0,
    to_seed: Annotated[int | None, typer.Option(help="Seed of the sample to end at; 1 unless given.")] = None,
    via: Annotated[
        list[int] | None, typer.Option("--via", help="Seed of a sample on the way. May be given often.")
    ] = None,
    frames: Annotated[int, typer.Option(help="Samples along the way, both ends included.", min=2)] = 24,
    mode: Annotated[
        str | None,
        typer.Option(help="slerp: along the sphere, for normal latents; linear: straight. By default what suits them."),
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Go back to the start, for a GIF without a jump.")] = False,
    label: Label = None,
    from_text: Annotated[
        str | None, typer.Option("--from-text", help="For runs that draw to texts: the text to start from.")
    ] = None,
    to_text: Annotated[
        str | None, typer.Option("--to-text", help="The text to end at, of the same seed, --from-seed.")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="For such runs: the one text of all seeds.")] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="A .gif moves, a .png shows all frames; else a GIF in RUN/samples."),
    ] = None,
    runs: RunsRoot = _RUNS,
) -> None:
    """Walks from one sample to another, through samples that each look real if the generator has learned well.

    A generator that has memorised its data jumps; one that understood it bends one image into the other. Between two
    texts, --from-text and --to-text, the way is straight, from the code of the one to that of the other.
    """
    folder = _folder_of(run, runs, to, (".gif", ".png"))
    if mode not in (None, "slerp", "linear"):
        raise unknown_name("interpolation", mode, ("slerp", "linear"))
    texts = _texts_to_walk(from_text, to_text, text, to_seed, via, mode, label)
    for seed in (from_seed, *(via or []), 1 if to_seed is None else to_seed):
        check_drawn(1, seed)
    model = _load(folder, may_draw_to_texts=True)
    if texts:
        for line in check_reads(model, texts):
            _say(escape(line))
    if from_text is not None:
        _interpolate_texts(model, folder, texts, from_seed, frames, loop, to)
        return
    to_seed = 1 if to_seed is None else to_seed
    from keras_gans import latent

    is_image = len(model.sample_shape()) == 3
    seeds = [from_seed, *(via or []), to_seed]
    target = _target(folder, model, to, f"interpolate-{'-'.join(map(str, seeds))}.{'gif' if is_image else 'png'}")
    if not is_image and target.suffix.lower() == ".gif":
        raise UserError("This run makes points, which are drawn in one picture: give --to a file that ends in .png.")
    mode = mode or latent.interpolation.mode_for(model.latent_prior)
    latents = latent.path(latent.seed_latents(model, seeds), frames, mode, closed=loop)
    samples = latent.decode_array(model, latents, label, text)
    _write_way(samples, target, is_image)
    way = " -> ".join(map(str, [*seeds, *([from_seed] if loop else [])]))
    _say(f"{frames} samples from seed {way}, {mode}, are in [bold]{escape(str(target))}[/]")


def _write_way(samples, target, is_image=True):
    """Writes samples as a GIF, a frame each, or as one picture, whichever the file's name says."""
    from keras_gans.drawing import picture

    if target.suffix.lower() == ".gif":
        picture.save_gif([picture.grid(sample[None], gap=0, width=192) for sample in samples], target)
    else:
        columns = min(len(samples), 12)
        drawn = picture.grid(samples, columns=columns, width=_WIDTH) if is_image else picture.points(samples)
        picture.save_png(drawn, target)


def _texts_to_walk(from_text, to_text, text, to_seed, via, mode, label):
    """The texts that were given, once they go together with each other and with what else was given."""
    if (from_text is None) != (to_text is None):
        missing = "--to-text" if to_text is None else "--from-text"
        raise UserError(f"A walk between texts has two ends: give {missing} too.")
    if from_text is None:
        return texts_of([text], None) if text is not None else []
    for option, value in (("--text", text), ("--to-seed", to_seed), ("--via", via or None)):
        if value is not None:
            raise UserError(
                f"Between two texts the seed stays that of --from-seed: leave {option} out. Received: {value}."
            )
    if label is not None:
        raise UserError(f"A run that draws to texts has no classes: leave --label out. Received: {label}.")
    if mode == "slerp":
        raise UserError("Between two texts the way is straight: leave --mode out. Received: slerp.")
    return texts_of([from_text, to_text], None)


def _interpolate_texts(model, folder, texts, seed, frames, loop, to):
    import tensorflow as tf

    from keras_gans import latent

    target = _target(folder, model, to, f"interpolate-{'-to-'.join(map(file_name, texts))}.gif")
    codes = latent.path(model.encode_text(texts), frames, "linear", closed=loop)
    seeds = tf.fill([frames], tf.constant(seed, tf.int64))
    _write_way(model.samples_from_codes(seeds, tf.constant(codes)).numpy(), target)
    way = " -> ".join([*texts, *([texts[0]] if loop else [])])
    _say(f"{frames} samples of seed {seed}, {escape(way)}, are in [bold]{escape(str(target))}[/]")


@_command("arithmetic")
def arithmetic_command(
    run: Run,
    expression: Annotated[
        str, typer.Argument(metavar="EXPRESSION", help="Such as '4:thick - 4:thin + 9:thin'; see above.")
    ],
    exemplars: Annotated[int, typer.Option(help="Samples averaged for each term; one alone is unstable.", min=1)] = 30,
    draws: Annotated[int, typer.Option(help="Results to judge, each from exemplars of its own.", min=1)] = 500,
    pool: Annotated[int, typer.Option(help="Samples in which exemplars are looked for.", min=10)] = 4000,
    seed: Annotated[int, typer.Option(help="Of the first of these, and of the choice among them.")] = 0,
    own_length: Annotated[
        bool,
        typer.Option(
            "--own-length", help="Leave results as short as means are; by default they get a latent's usual length."
        ),
    ] = False,
    judge: Annotated[
        str | None, typer.Option(help="Classifier that knows the classes; by default the one of the run's data.")
    ] = None,
    label: Label = None,
    to: Annotated[Path | None, typer.Option("--to", help="PNG file; in RUN/samples unless given.")] = None,
    runs: RunsRoot = _RUNS,
) -> None:
    """Adds and subtracts what samples show, as DCGAN's "smiling woman - woman + man = smiling man".

    Each term is the mean latent of a few samples that show it. A term is a class, as 4; thin, thick, dark or bright;
    both, as 4:thick; or samples that you picked yourself, as seeds:3,12,40. Put blanks around + and -, and quotes
    around it all.

    Classes are found by a classifier that the project trains itself on digits, mnist, fashion_mnist and cifar10. For
    other data, look at keras-gans sample RUN and pick seeds.

    Where the terms cancel to one thing, as 4:thick - 4:thin + 9:thin to a thick 9, it says how often that came out,
    and how often it does by chance. If it seldom does, try --own-length or another number of --exemplars.
    """
    folder = _folder_of(run, runs, to)
    terms = expressions.parse(expression)
    check_drawn(pool, seed)
    if judge is not None and not any(term.class_name for term in terms):
        raise UserError(f"--judge finds classes, and no term is one: leave it out. Received: {judge}.")
    model = _load(folder)
    from .latent_arithmetic import arithmetic_report

    outcome = arithmetic_report(
        model,
        terms,
        data=run_directory.read_recipe(folder)["data"],
        judge=judge,
        exemplars=exemplars,
        draws=draws,
        pool=pool,
        seed=seed,
        own_length=own_length,
        label=label,
        console=console,
    )
    from keras_gans.drawing import picture

    target = _target(folder, model, to, "arithmetic.png")
    picture.save_png(outcome.picture, target)
    for line in outcome.lines:
        _say(escape(line))
    _say(
        "Each term is a row: up to six exemplars and, after the gap, the mean of all. Results are below the white row."
    )
    _say(f"In [bold]{escape(str(target))}[/]")


@_command("truncate")
def truncate_command(
    run: Run,
    threshold: Annotated[
        list[float] | None, typer.Option(help="Largest size of a latent's numbers; may be given often.")
    ] = None,
    count: Annotated[int, typer.Option(help="Samples in a row.", min=1)] = 12,
    seed: Annotated[int, typer.Option(help="Of the first sample; the next has the next seed.")] = 0,
    label: Label = None,
    to: Annotated[Path | None, typer.Option("--to", help="PNG file; in RUN/samples unless given.")] = None,
    runs: RunsRoot = _RUNS,
) -> None:
    """Draws from the middle of the latents only: a low threshold trades variety for typical samples.

    One row for each threshold, the same seeds in each, and a last row without truncation. The spread of the samples
    is printed beside it, as a share of what it is without. By default 0.5, 1 and 1.5, in standard deviations; for
    runs with uniform latents 0.25, 0.5 and 0.75 of their range.

    Not every generator bears it: one that has hardly seen such short latents may draw next to nothing for them.
    """
    folder = _folder_of(run, runs, to)
    check_drawn(max(count, 500), seed)
    model = _load(folder)
    import numpy as np

    from keras_gans import latent
    from keras_gans.drawing import picture

    thresholds = threshold or ([0.25, 0.5, 0.75] if model.latent_prior == "uniform" else [0.5, 1.0, 1.5])
    for value in thresholds:
        latent.truncation.check_threshold(value, model.latent_prior)
    seeds = np.arange(seed, seed + max(count, 500), dtype=np.int64)
    latents = {str(value): _truncated(model, seeds, value) for value in thresholds}
    latents["none"] = latent.seed_latents(model, seeds)
    rows = {name: latent.decode_array(model, drawn, label) for name, drawn in latents.items()}
    spread = {name: samples.astype(float).std(axis=0).mean() for name, samples in rows.items()}
    table = Table("threshold", "spread of the samples", title=f"{len(seeds)} samples each", title_justify="left")
    for name in rows:
        table.add_row(name, f"{spread[name] / spread['none']:.2f}")
    console.print(table)
    target = _target(folder, model, to, "truncate.png")
    if len(model.sample_shape()) == 3:
        drawn = picture.grid(
            np.concatenate([samples[:count] for samples in rows.values()]), columns=count, width=_WIDTH
        )
    else:
        drawn = picture.grid(np.stack([picture.points(samples, rows["none"]) for samples in rows.values()]))
    picture.save_png(drawn, target)
    _say(f"One row for each threshold, in the table's order, is in [bold]{escape(str(target))}[/]")


def _truncated(model, seeds, threshold):
    from keras_gans import latent

    return latent.truncated_latents(seeds, model.latent_dim, threshold, model.latent_prior).numpy()


@_command("invert")
def invert_command(
    run: Run,
    images: Annotated[
        Path | None, typer.Argument(metavar="[IMAGE|FOLDER]", help="Your own; by default the run's own data.")
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option(help="Part of the run's data; test and train by default. May be given often.")
    ] = None,
    count: Annotated[int, typer.Option(help="Images at most of each.", min=1)] = 200,
    steps: Annotated[int, typer.Option(help="Of gradient descent on the latents.", min=0)] = 200,
    restarts: Annotated[int, typer.Option(help="Starts, of which each image keeps the best.", min=1)] = 1,
    label: Label = None,
    to: Annotated[Path | None, typer.Option("--to", help="PNG file; in RUN/samples unless given.")] = None,
    runs: RunsRoot = _RUNS,
) -> None:
    """Looks for the latents whose samples come nearest to given images, and says how near that is.

    The mean squared error on images that the generator never saw measures what it can draw (Xiang and Li 2017), pixels
    counted from -1 to 1. If its error on training images is much lower, it has memorised them.
    """
    folder = _folder_of(run, runs, to)
    if images is not None and split:
        raise UserError("Give images of your own, or --split of the run's data, not both.")
    _check_images(images)
    model = _load(folder)
    from .latent_inversion import inversion_report, targets_of

    targets = targets_of(model, run_directory.read_recipe(folder), images, split, count, label)
    with console.status("descending ..."):
        table, drawn = inversion_report(model, targets, steps=steps, restarts=restarts)
    from keras_gans.drawing import picture

    console.print(table)
    target = _target(folder, model, to, "invert.png")
    picture.save_png(drawn, target)
    what = "Each image above what the generator makes of it" if len(model.sample_shape()) == 3 else "Both"
    _say(f"{what}: [bold]{escape(str(target))}[/]")


def _check_images(images):
    if images is None or images.is_dir():
        return None if images is None else check_folder(images)
    if not images.is_file():
        raise UserError(f"There is no image or folder {images}.")
    if images.suffix.lower() not in EXTENSIONS:
        raise UserError(f"An image ends in {', '.join(EXTENSIONS)}. Received: {images}.")
    return images
