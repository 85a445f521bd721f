"""The command `keras-gans evaluate`. Every option is checked before TensorFlow is imported, which takes seconds."""

import json
from pathlib import Path
from typing import Annotated, Any

import rich.box
import typer
from rich.table import Table

from keras_gans.errors import UserError
from keras_gans.files import atomically
from keras_gans.printing import Console, escape
from keras_gans.quiet import import_quietly
from keras_gans.runs import run_directory


def evaluate_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, its number, latest or preset:NAME.")],
    metrics: Annotated[
        str | None,
        typer.Option(
            help="Which measures, separated by commas, such as frechet_distance,precision_recall; all that "
            "fit the data unless given, without frechet_distance_to_training, which is smallest of copied images."
        ),
    ] = None,
    samples: Annotated[int, typer.Option(help="How many samples to draw from the generator.", min=10)] = 5000,
    seed: Annotated[int, typer.Option(help="Of the samples, and of whatever a measure draws.", min=0)] = 0,
    extractor: Annotated[
        str | None,
        typer.Option(
            help="In whose features images are compared: digits, mnist, fashion_mnist, cifar10, own_classes, patches, "
            "random, inception; unless given the data set's own classifier, which for your own images is trained on "
            "their classes once; patches where there are none."
        ),
    ] = None,
    checkpoint: Annotated[str, typer.Option(metavar="latest|best|STEP", help="Which checkpoint.")] = "latest",
    against: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Of translated texts: another run, whose translations of the same sentences are compared with this "
            "run's by a paired bootstrap.",
        ),
    ] = None,
    runs: Annotated[Path, typer.Option("--runs", help="Folder of the run directories.")] = Path("runs"),
) -> None:
    """Measures a run's samples against data it was not trained on, and prints what the data itself would score.

    The figures and how they were measured are written to evaluation.json in the run, and shown in TensorBoard.
    """
    from keras_gans.metrics.features import check_name
    from keras_gans.metrics.measures import check_names

    names = None if metrics is None else [name.strip() for name in metrics.split(",") if name.strip()]
    if names is not None:
        check_names(names)
    if extractor is not None:
        check_name(extractor)
    folder = run_directory.resolve(run, runs)
    run_directory.checkpoint_file(folder, checkpoint)
    rival = None if against is None else run_directory.resolve(against, runs)
    if rival is not None:
        run_directory.checkpoint_file(rival, checkpoint)
    console = Console()
    with console.status("importing TensorFlow ...") as status:
        import_quietly("tensorflow")
        from keras_gans.callbacks.evaluate import pictures_of
        from keras_gans.drawing.picture import save_png
        from keras_gans.metrics import evaluation_of
        from keras_gans.metrics.accuracy import sentence

        from .build import scheme_of
        from .going_on import recipe_of
        from .train import classifier_accuracy, open_data

        recipe = recipe_of(folder)
        if rival is not None:
            _check_comparable(recipe, recipe_of(rival), rival)
        status.update("opening the data ...")
        source = open_data(recipe)
        evaluation = evaluation_of(scheme_of(recipe), source, names, samples, seed, extractor)
        classifier = classifier_accuracy(recipe, source)
        status.update("measuring the data itself; features that are not there yet are learned first ...")
        evaluation.prepare()
        status.update(f"drawing and measuring {samples:,} samples ...")
        model = run_directory.load_chosen(folder, checkpoint)
        scores = evaluation.of(model)
        accuracies = [] if classifier is None else classifier.of(model)
        comparisons = []
        if rival is not None:
            status.update(f"comparing with {rival.name} ...")
            comparisons = evaluation.against(model, run_directory.load_chosen(rival, checkpoint))
    _print_scores(console, scores, folder, checkpoint, model.steps_taken, evaluation)
    if accuracies:
        console.print(f"[bold]Classifier:[/] {escape(sentence(accuracies))}.", highlight=False, soft_wrap=True)
    if rival is not None:
        _print_comparisons(console, comparisons, rival)
    compared = {"run": str(rival), "figures": [each.to_dict() for each in comparisons]} if rival else None
    write_evaluation(folder, checkpoint, model.steps_taken, scores, accuracies, compared)
    _show(folder, model.steps_taken, scores, accuracies)
    for name, drawn in pictures_of(evaluation).items():
        save_png(drawn, folder / f"{name}.png")
    console.print(f"Written to [bold]{escape(str(folder / 'evaluation.json'))}[/]", highlight=False, soft_wrap=True)


def _check_comparable(recipe, other, rival):
    """Raises a `UserError` unless two runs translate sentences of the same data."""
    from .build import scheme_of

    for each in (recipe, other):
        if not scheme_of(each).translates_texts():
            raise UserError(
                f"--against compares translations of sentences, run with run. Received one of {each.scheme['name']}."
            )
    for field in ("data", "hold_out"):
        if getattr(recipe, field) != getattr(other, field):
            raise UserError(
                f"--against compares translations of the same held-out sentences, but {rival} has {field}="
                f"{getattr(other, field)!r}, and this run {getattr(recipe, field)!r}."
            )


def _print_scores(console, scores, folder, checkpoint, step, evaluation):
    console.print(f"{escape(folder.name)}, {checkpoint} checkpoint, step {step:,}", highlight=False)
    table = Table("figure", "this run", "error", "the data", "better", box=rich.box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[1:4]:
        column.justify = "right"
    for score in scores:
        error = "" if score.standard_error is None else f"± {_figure(score.standard_error)}"
        better = "higher" if score.higher_is_better else "lower"
        table.add_row(score.name, f"[bold]{_figure(score.value)}", error, _figure(score.floor), better)
    console.print(table)
    for line in _explanation(scores, evaluation):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _print_comparisons(console, comparisons, rival):
    table = Table("figure", "this run", rival.name, "difference", "95 %", "p", box=rich.box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for each in comparisons:
        interval = " to ".join(f"{end:+.3g}" for end in each.interval)
        row = (_figure(each.value), _figure(each.other), f"{each.difference:+.3g}", interval, f"{each.p_value:.3f}")
        table.add_row(each.name, *row)
    console.print(table)
    console.print("A paired bootstrap over the sentences: 1,000 samples of them, both runs on each.", highlight=False)


def _figure(value):
    return f"{value:.4g}" if abs(value) >= 1e-4 or value == 0.0 else f"{value:.1e}"


def _explanation(scores, evaluation):
    """What the columns mean and what everything was measured on, in lines."""
    from keras_gans.metrics.measures import to_training

    first = scores[0].protocol
    yield f"Compared with {first.data}, split {first.split!r} ({first.data_identity}); seed {first.seed}."
    if first.split.startswith("half of"):
        yield "CAUTION: the run was trained on these very images, as nothing was held out of them (--hold-out 0)."
    counts = {}
    for score in scores:
        key = f"{score.protocol.samples:,} samples against {score.protocol.reference_samples:,} items"
        counts.setdefault(key, []).append(score.name)
    for count, names in counts.items():
        yield f"  {count}: {', '.join(names)}"
    used = {(p.extractor, p.extractor_identity, p.resize) for p in (score.protocol for score in scores) if p.extractor}
    extractor = getattr(evaluation, "extractor", None)
    for name, identity, resize in sorted(used):
        is_tested = extractor is not None and extractor.identity == identity and extractor.accuracy is not None
        right = f", right on {extractor.accuracy:.3f} of held-out images" if is_tested else ""
        yield f"Features of the extractor {name!r} ({identity}{right}), resize: {resize}."
    others = [score for score in scores if not to_training(score.name)]
    floors = {score.protocol.samples: score.floor_samples for score in others}
    fewer = [f"{floor:,} where {count:,} samples were drawn" for count, floor in floors.items() if floor < count]
    if others:
        yield evaluation.floor_means
    if fewer:
        yield f"  There are fewer training items than samples: {'; '.join(fewer)}."
    yield from _of_few_items(scores)
    for score in filter(lambda score: to_training(score.name), scores):
        yield (
            f"{score.name} is to the split {score.protocol.split!r}, 'the data' there {score.floor_samples:,} held-out "
            "items. Copies of training items are at no distance: read it beside the memorization."
        )
    yield "Compare figures of one protocol only; another extractor, count or split gives other figures."


def _of_few_items(scores):
    """A line where most of the Fréchet distance is what so few items have from any others, whatever they are."""
    found = {score.name: score for score in scores}
    if not {"frechet_distance", "kernel_distance"} <= set(found):
        return
    distance = found["frechet_distance"]
    if distance.value < 2 * distance.floor:
        yield (
            f"More than half of the Fréchet distance is there for training data too: {_figure(distance.floor)} of "
            f"{_figure(distance.value)}. The fewer items there are, the larger it is; the kernel distance is not."
        )


def _show(folder, step, scores, accuracies):
    """Adds the figures to those of the run in TensorBoard, whose table of runs has them then."""
    import tensorflow as tf

    from keras_gans.callbacks import board

    writer = tf.summary.create_file_writer(str(run_directory.board_of(folder)))
    with writer.as_default():
        for score in scores:
            tf.summary.scalar(f"{board.EVALUATION}/{score.name}", score.value, step=step)
            tf.summary.scalar(board.floor_of(score.name), score.floor, step=step)
        for each in accuracies:
            tf.summary.scalar(f"{board.ACCURACY}/{each.name}", each.value, step=step)
    writer.close()


def write_evaluation(
    folder: Path, checkpoint: str, step: int, scores: Any, accuracies: Any, compared: dict[str, Any] | None
) -> None:
    """Writes evaluation.json into a run: the checkpoint, its step, its scores and how often its classifier is right."""
    record = {"checkpoint": checkpoint, "step": step, "scores": [score.to_dict() for score in scores]}
    if accuracies:
        record["classifier"] = [each._asdict() for each in accuracies]
    if compared is not None:
        record["against"] = compared
    with atomically(folder / "evaluation.json") as partial:
        partial.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
