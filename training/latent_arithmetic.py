"""What `keras-gans latent arithmetic` computes, shows and says."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans import latent
from keras_gans.drawing import picture
from keras_gans.errors import UserError
from keras_gans.latent import arithmetic, attributes
from keras_gans.latent import expression as expressions
from keras_gans.metrics import classifiers, features

if TYPE_CHECKING:
    from rich.console import Console

    from keras_gans.engine.base import AdversarialModel


_EXEMPLARS_SHOWN = 6
_ROWS_OF_RESULTS = 3


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What to show.

    Attributes:
        picture: uint8 (height, width, channels).
        lines: what to print, in order.
    """

    picture: np.ndarray
    lines: list


class _Judge:
    """The classes and the levels of samples."""

    def __init__(self, classifier):
        self.classifier = classifier
        self.class_names = None if classifier is None else classifier.class_names

    def classes(self, samples):
        return None if self.classifier is None else self.classifier.probabilities(samples).argmax(axis=1)


def arithmetic_report(
    model: "AdversarialModel",
    terms: Any,
    *,
    data: Any,
    judge: Any,
    exemplars: int,
    draws: int,
    pool: int,
    seed: int,
    own_length: bool,
    label: Any,
    console: "Console | None",
) -> Outcome:
    """Carries an expression out and judges what comes of it.

    Args:
        model: `AdversarialModel` of images.
        terms: list of `keras_gans.latent.expression.Term`.
        data: name of the run's data set.
        judge: name of a classifier, or None for that of the data.
        exemplars: samples averaged for each term; of terms of seeds all are.
        draws: results.
        pool: samples in which exemplars are looked for.
        seed: of the first of these, and of the choice among them.
        own_length: whether results keep the length that they come out with; else they get the typical one.
        label: class, where the model is class-conditional; else None.
        console: rich.console.Console.

    Returns:
        Outcome.

    Raises:
        UserError: points instead of images, a class that no classifier knows, or a term without a sample.
    """
    if len(model.sample_shape()) != 3:
        raise UserError("Arithmetic is shown on images, and this run makes points.")
    if not own_length:
        arithmetic.check_has_length(model.latent_prior)
    _check_terms(model, terms, label)
    with console.status("preparing the classifier ..."):
        judge = _Judge(_classifier(terms, data, judge))
    with console.status("drawing samples ..."):
        drawn = arithmetic.draw_pool(model, pool, seed, label)
        assigned = judge.classes(drawn.samples)
    chosen, latents, samples = _chosen(model, terms, drawn, assigned, judge, exemplars, draws, seed, label)

    def decoded(signs, picked):
        sums = arithmetic.signed_sum(latents, signs, picked)
        lengthened = sums if own_length else arithmetic.typical_length(sums, model.latent_prior)
        return latent.decode_array(model, lengthened, label)

    made = decoded([term.sign for term in terms], chosen)
    means = [decoded([1], [rows[:1]]) for rows in chosen]
    lines = _verdict(terms, judge, made, drawn.samples, assigned)
    return Outcome(_picture(samples, chosen, means, made), lines)


def _check_terms(model, terms, label):
    if not model.takes_labels:
        if label is not None:
            raise UserError("This run is not class-conditional: leave --label out.")
        return
    if label is None:
        raise UserError(f"This run is class-conditional: give --label, one of {', '.join(model.class_names)}.")
    for term in terms:
        if term.class_name is not None:
            raise UserError(
                f"In a class-conditional run the class is the label, not in the latent. Received: {term.text!r}. Use "
                f"levels ({', '.join(attributes.LEVELS)}) or seeds:3,7,21."
            )


def _classifier(terms, data, judge):
    """The classifier that finds the classes, or None where no term names one."""
    if not any(term.class_name for term in terms):
        return None
    name = judge or features.name_for(data)
    found = features.extractor(name) if name in classifiers.CLASSIFIERS else None
    if found is None or not found.class_names:
        known = ", ".join(sorted(classifiers.CLASSIFIERS))
        raise UserError(
            f"No classifier knows the classes of {data!r}. Name one that fits by --judge ({known}), or pick samples "
            "yourself: keras-gans sample shows them, and seeds:3,7,21 is a term."
        )
    for term in terms:
        if term.class_name:
            expressions.class_number(term.class_name, found.class_names)
    return found


def _chosen(model, terms, drawn, assigned, judge, exemplars, draws, seed, label):
    """(exemplars' rows (draws, m) for each term, latents, samples); rows of seeds stand behind those of the pool."""
    generator = np.random.default_rng(abs(seed))
    latents, samples = [drawn.latents], [drawn.samples]
    chosen, count = [], len(drawn)

    def scores(level):
        return attributes.level_scores(level, drawn.samples)

    for term in terms:
        if term.seeds:
            latents.append(latent.seed_latents(model, term.seeds))
            samples.append(latent.decode_array(model, latents[-1], label))
            chosen.append(np.tile(np.arange(count, count + len(term.seeds)), (draws, 1)))
            count += len(term.seeds)
            continue
        rows = expressions.exemplar_rows(term, scores, assigned, judge.class_names)
        if not len(rows):
            raise UserError(f"None of {len(drawn)} samples is {term.text!r}. Raise --pool, or choose another term.")
        chosen.append(arithmetic.choose_exemplars(rows, exemplars, draws, generator))
    return chosen, np.concatenate(latents), np.concatenate(samples)


def _verdict(terms, judge, made, samples, assigned):
    """Lines about what came of it."""
    target = expressions.target_of(terms)
    made_classes = judge.classes(made)
    if target == (None, None):
        if made_classes is None:
            return ["Nothing is judged: the terms come to no single class or level."]
        counts = np.bincount(made_classes, minlength=len(judge.class_names))
        order = [number for number in np.argsort(-counts, kind="stable")[:3] if counts[number]]
        seen = ", ".join(f"{judge.class_names[number]} {counts[number] / len(made):.0%}" for number in order)
        return [f"The terms come to no single class or level. What the classifier takes the results for: {seen}"]
    class_name, level = target
    scores = [None, None] if level is None else [attributes.level_scores(level, images) for images in (made, samples)]
    classes = (made_classes, assigned) if class_name is not None else (None, None)
    reference = (scores[1], classes[1])
    right = expressions.is_target(target, scores[0], classes[0], judge.class_names, reference)
    usual = expressions.is_target(target, *reference, judge.class_names, reference)
    wanted = " ".join(part for part in (level, class_name) if part)
    lines = [
        f"Should come to: {wanted}. It did in {right.mean():.0%} of {len(made)} results; of ordinary samples "
        f"{usual.mean():.0%} are that."
    ]
    if class_name is not None and judge.classifier.accuracy is not None:
        lines.append(f"The classifier is right on {judge.classifier.accuracy:.1%} of test images.")
    if level is not None:
        lines.append(f"{level.capitalize()}: more so than the middle one of ordinary samples of its kind.")
    return lines


def _picture(samples, chosen, means, made):
    """A row for each term: exemplars, a white tile, their mean; a white row; rows of results."""
    shown = [rows[0, :_EXEMPLARS_SHOWN] for rows in chosen]
    columns = max(map(len, shown)) + 2
    white = np.full_like(samples[:1], 255)
    tiles = []
    for picked, mean in zip(shown, means, strict=True):
        tiles += [samples[picked], *[white] * (columns - 1 - len(picked)), mean]
    tiles += [*[white] * columns, made[: _ROWS_OF_RESULTS * columns]]
    return picture.grid(np.concatenate(tiles), columns=columns)
