"""All illnesses that are looked for: what shows them, for how long, and what is said of them."""

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from keras_gans.doctor import remedies, signs, wording
from keras_gans.doctor.verdict import Verdict

if TYPE_CHECKING:
    from keras_gans.doctor.vital_signs import VitalSigns


# Steps that looks at samples must span: healthy runs needed up to 400 to get off the ground.
SETTLING = 400
# Translators draw before they draw the right thing.
TRANSLATING = 1000


@dataclasses.dataclass(frozen=True)
class Illness:
    """A sign at one look, the judge of the looks that show it, and how many looks and steps these must be."""

    shows: Callable
    judge: Callable
    looks: int
    steps: int = 0


def illnesses(patience: int) -> "tuple[Illness, ...]":
    """All that is looked for, the cause before what it leads to."""
    few = min(patience, 3)
    return (
        Illness(lambda look, patient: not look.finite, _judge_not_finite, 1),
        Illness(signs.explodes, _judge_exploding, min(patience, 2)),
        Illness(signs.is_blind, _judge_blind, few),
        Illness(signs.is_unmoved, _judge_frozen, few),
        Illness(signs.is_overpowered, _judge_overpowering, patience, SETTLING),
        Illness(signs.is_narrow, _judge_collapsed, patience, SETTLING),
        Illness(signs.repeats, _judge_repeating, patience, SETTLING),
        Illness(signs.is_far, _judge_not_converging, 2 * patience, SETTLING),
        Illness(signs.is_unlike, _judge_unlike, 2 * patience, SETTLING),
        Illness(signs.loses_classes, _judge_lost_classes, patience, TRANSLATING),
        Illness(signs.hides_originals, _judge_hidden_originals, patience, TRANSLATING),
        Illness(signs.misses_classes, _judge_missing_classes, patience, SETTLING),
    )


def _judge_not_finite(window, history, patient):
    error = "The generator's samples hold NaN or infinity."
    return not_finite(error, window[-1].step, history[: -len(window)])


def _judge_exploding(window, history, patient):
    last = window[-1]
    named = {"loss": last.losses, "gradient norm": last.gradient_norms}
    evidence = [
        f"The {player}'s {kind} is {number:.3g}; healthy runs stay below 1,000."
        for kind, numbers in named.items()
        for player, number in numbers.items()
        if not abs(number) < signs.EXPLODED
    ]
    summary = "training has blown up: losses or gradients are far beyond any use"
    return _verdict("exploding", window, summary, evidence, remedies.for_exploding(last, patient))


def _judge_blind(window, history, patient):
    last = window[-1]
    evidence = [
        f"Its scores of real and of generated samples are all the same (spread {last.score_spread:.1g} of their size).",
        *wording.norm_evidence(last, "generator", history),
    ]
    summary = "the discriminator gives every sample the same score, so the generator learns nothing from it"
    return _verdict("blind discriminator", window, summary, evidence, remedies.for_blind(last))


def _judge_frozen(window, history, patient):
    stuck = set(signs.unmoved_players(window[-1]))
    for look in window:
        stuck &= set(signs.unmoved_players(look))
    if not stuck:
        return None
    last, player = window[-1], sorted(stuck, reverse=True)[0]
    rates = [look.learning_rates.get(player) for look in (history[0], last)]
    if None not in rates and 0 < rates[1] < 1e-3 * rates[0]:
        # A schedule that has come to its end is no illness.
        return None
    evidence = [
        f"Its weights changed by {last.weight_changes[player]:.1g} of their size since the last look, and by no more "
        f"at the {len(window) - 1} looks before."
    ]
    if rates[1] is not None:
        evidence.append(f"Its learning rate is {rates[1]:g}, its gradient norm {last.gradient_norms[player]:.3g}.")
    if player == "generator" and last.sample_change is not None:
        evidence.append(
            f"The samples of the same latents moved by {last.sample_change:.2g} of the data's mean distance."
        )
    summary = f"the {player} does not learn: its weights stand still"
    return _verdict(f"frozen {player}", window, summary, evidence, remedies.for_frozen(last, player))


def _judge_overpowering(window, history, patient):
    if signs.is_improving(window):
        return None
    last = window[-1]
    evidence = [
        f"It scores real above generated in {wording.percent(last.separation)} of pairs, and hardly less at the "
        f"{len(window) - 1} looks before.",
        *wording.norm_evidence(last, "generator", history),
        wording.sample_evidence(last),
        f"Over these looks the samples came no nearer: distance {window[0].distance:.3g}, now {last.distance:.3g}.",
    ]
    summary = "the discriminator wins and the generator does not follow"
    return _verdict("overpowering discriminator", window, summary, evidence, remedies.for_overpowering(last, patient))


def _judge_collapsed(window, history, patient):
    if signs.is_improving(window):
        return None
    last = window[-1]
    evidence = [
        wording.sample_evidence(last),
        f"So it has been for {len(window)} looks, since step {window[0].step}.",
        *wording.duplicate_evidence(last),
        *wording.separation_evidence(last),
    ]
    best = max((look for look in history if look.coverage is not None), key=lambda look: (look.coverage, look.step))
    if best.coverage >= 2 * signs.LOW_COVERAGE:
        evidence.append(f"At step {best.step} they covered {wording.percent(best.coverage)}.")
    summary = "the generator makes a few kinds of samples only (mode collapse)"
    return _verdict("collapsed", window, summary, evidence, remedies.for_collapsed(last, patient))


def _judge_not_converging(window, history, patient):
    if signs.is_improving(window):
        return None
    last = window[-1]
    evidence = [
        wording.sample_evidence(last),
        f"Over {len(window)} looks they came no nearer: distance {window[0].distance:.3g} at step {window[0].step}, "
        f"{last.distance:.3g} now.",
        *wording.separation_evidence(last),
    ]
    summary = "the samples stay far from the data and come no nearer"
    return _verdict("not converging", window, summary, evidence, remedies.for_not_converging(last, patient))


def _judge_repeating(window, history, patient):
    # Either alone says little: one picture may come nearer to the data, and a few pictures may be joined by as few.
    if signs.becomes_liker(window) and signs.repeats_less(window):
        return None
    last = window[-1]
    evidence = [
        f"{wording.percent(last.duplicates)} of the samples are near copies of another one, and at the "
        f"{len(window) - 1} looks before no fewer than {wording.percent(min(look.duplicates for look in window))}.",
        wording.sample_evidence(last),
        *wording.likeness_evidence(last),
    ]
    summary = "the generator makes the same samples again and again"
    return _verdict("copies", window, summary, evidence, remedies.for_copies(last, patient))


def _judge_unlike(window, history, patient):
    if signs.becomes_liker(window) or signs.is_improving(window):
        return None
    last = window[-1]
    evidence = [
        *wording.likeness_evidence(last),
        f"So it has been for {len(window)} looks, since step {window[0].step}.",
        wording.sample_evidence(last),
        *wording.separation_evidence(last),
    ]
    summary = "the samples do not look like the data (noise, strokes or smears), and come no nearer"
    return _verdict("unlike the data", window, summary, evidence, remedies.for_not_converging(last, patient))


def _judge_missing_classes(window, history, patient):
    best, last = max(look.class_entropy for look in window), window[-1]
    earlier = [look.class_entropy for look in window[: len(window) // 2]]
    if best > max(earlier) + 0.02:
        return None
    evidence = [
        f"The entropy of the classes that the classifier finds is {last.class_entropy:.2f} of the data's; "
        f"{last.missing_classes} of the data's classes have less than a tenth of their share.",
        wording.sample_evidence(last),
    ]
    summary = "some classes of the data are rare or missing among the samples (a mild collapse)"
    sentence = remedies.for_missing_classes(last, patient)
    return _verdict("missing classes", window, summary, evidence, sentence, is_sick=False)


def _judge_lost_classes(window, history, patient):
    kept = [min(look.classes_kept.values()) for look in window]
    half = len(kept) // 2
    if max(kept[-half:]) > max(kept[:half]) + 0.05:
        return None
    last = window[-1]
    evidence = [
        f"{direction}: {wording.percent(share)} of the classes that can be told in real images are found again"
        + (f"; {last.swaps[direction]}." if last.swaps.get(direction) else ".")
        for direction, share in last.classes_kept.items()
    ]
    summary = "translations show another class than their originals (the classes are swapped)"
    return _verdict("swapped classes", window, summary, evidence, remedies.for_lost_classes())


def _judge_hidden_originals(window, history, patient):
    evidence = [
        f"{direction}: noise of six grey levels destroys {wording.percent(min(1.0, share))} of what a translation says "
        "about its original."
        for direction, share in window[-1].hidden_share.items()
    ]
    summary = "the cycle is closed by hiding the original in what nobody sees of the translation"
    return _verdict("hidden originals", window, summary, evidence, remedies.for_hidden_originals())


def _verdict(name, window, summary, evidence, remedies_, is_sick=True):
    return Verdict(name, window[-1].step, window[0].step, summary, tuple(evidence), tuple(remedies_), is_sick)


def not_finite(error: Exception, step: int, history: "Sequence[VitalSigns]" = ()) -> "Verdict":
    """The verdict on a run that NaN or infinity ended.

    Args:
        error: what the model said.
        step: training steps taken before.
        history: list of `VitalSigns` up to then.

    Returns:
        Verdict.
    """
    evidence, rising = [str(error)], False
    norms = [(look.step, *max((norm, p) for p, norm in look.gradient_norms.items())) for look in history if look.losses]
    if norms:
        typical = statistics.median(norm for _, norm, _ in norms)
        at, highest, player = norms[-1]
        rising = not highest < 10.0 * max(typical, 1.0)
        manner = "far above" if rising else "no more than usual beside"
        evidence.append(
            f"At the last look before it, step {at}, the largest gradient norm was the {player}'s, {highest:.3g}: "
            f"{manner} the run's median of {typical:.3g}."
        )
    else:
        evidence.append("It happened before the first look, which speaks for a learning rate that is far too high.")
        rising = True
    summary = (
        "a number became NaN or infinite, most likely because the steps are too large"
        if rising
        else "a number became NaN or infinite out of a quiet run, most likely from NaN or infinity in the data"
    )
    last = history[-1] if history else None
    return Verdict(
        "not finite", step, step, summary, tuple(evidence), remedies.for_not_finite(last, rising), is_sick=True
    )
