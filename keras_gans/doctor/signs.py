"""The signs of an illness at one look, and whether a row of looks gets better.

The limits were set on runs of this project's recipes; the comments say what healthy and sick runs showed. Each function
takes a `VitalSigns` and a `Patient`.
"""

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_gans.doctor.verdict import Patient
    from keras_gans.doctor.vital_signs import VitalSigns


# Losses and gradient norms: healthy runs stayed below 40; a critic without any penalty reached 2e4 and recovered.
EXPLODED = 1e5
# Relative change of weights between two looks: healthy runs 4e-4 or more, even where a cosine schedule ends.
UNMOVED = 1e-7
# Share of the data's own coverage: collapsed runs had 0.1 or less. After 600 steps most healthy ones had 0.18 or more,
# but slow ones, and those on points in small heaps, 0.1 too: it says little without the distance.
LOW_COVERAGE = 0.15
# Energy distance: collapsed runs had 0.2 or more, healthy ones 0.07 or less after 300 steps, even slow ones.
FAR = 0.1
# In many dimensions the mean of the data is nearer to each of them than their neighbours are, so that samples which are
# all alike can cover everything; their distance, 0.41 for Gaussian data, gives them away.
VERY_FAR = 0.25
# Share of the data's own coverage at full resolution, in features of random convolutions: uniform noise had 0.03 or
# less, discriminators of one unit 0.02, generators of two up to 0.14; healthy runs on digits had 0.5 or more after 400
# steps, slow ones on clothes 0.18 (docs/measured.md).
UNLIKE = 0.1
# Between the two nobody can tell.
HARDLY_LIKE = 0.25
# Nor of images that reach little more than collapsed ones do: batches of two reached 0.17 to 0.23, and drew 3.4 times
# as far from the digits as healthy runs, which reached 0.34 or more in the end.
HARDLY_COVERING = 0.25
# Nor of images whose neighbouring pixels differ so much more than the data's: at their end healthy runs had 0.87 to
# 1.20 times as much, runs that left noise 1.5 to 5; and noise over the right colours passes for photographs otherwise.
ROUGH = 1.5
# Share of the samples that are near copies of another: healthy runs had 0.02 or less, generators of two units 0.9.
COPIES, SOME_COPIES = 0.5, 0.2
# Collapsed runs had a diversity of 0.06 to 0.5; healthy ones 0.57 or more after 200 steps.
LOW_DIVERSITY = 0.55
# Healthy discriminators reach 0.999 too, but never with a low coverage.
SEPARATED = 0.99
# Classes' entropy over the data's; eight of ten classes alike have 0.90. After 500 steps healthy runs had less for two
# looks at most.
LOW_ENTROPY = 0.9
# Of the share of classes that a classifier finds in real images: healthy translators kept 0.95 and more of it in the
# end, those that permute the classes 0.1 to 0.4.
FEW_KEPT = 0.5
# Of what a translation says about its original: translators that draw it had 0.01, ones that hide it in noise 0.9.
MUCH_HIDDEN = 0.5
# What counts as getting better, between the two halves of the looks judged.
NEARER, WIDER, LIKER = 0.8, 0.05, 0.02


def explodes(look: "VitalSigns", patient: "Patient") -> bool:
    """A loss or a gradient norm is far beyond what any healthy run has, or is no number."""
    numbers = [*look.losses.values(), *look.gradient_norms.values()]
    return any(not abs(number) < EXPLODED for number in numbers)


def is_blind(look: "VitalSigns", patient: "Patient") -> bool:
    """The discriminator gives all samples, real and generated, one and the same score."""
    return look.score_spread is not None and look.score_spread < 1e-6 and bool(look.losses)


def is_unmoved(look: "VitalSigns", patient: "Patient") -> bool:
    """Some player's weights are where they were at the last look."""
    return bool(unmoved_players(look))


def unmoved_players(look: "VitalSigns") -> list[str]:
    """The players whose weights are where they were, a list."""
    return [player for player, change in look.weight_changes.items() if change < UNMOVED]


def is_overpowered(look: "VitalSigns", patient: "Patient") -> bool:
    """The discriminator is always right, about samples that reach hardly any of the data or are far from it."""
    if look.separation is None or look.coverage is None or patient.is_critic or not look.losses:
        return False
    return look.separation >= SEPARATED and (look.coverage < LOW_COVERAGE or look.distance > VERY_FAR)


def is_narrow(look: "VitalSigns", patient: "Patient") -> bool:
    """Samples far from the data are also much more alike than the data are."""
    return is_far(look, patient) and look.diversity < LOW_DIVERSITY


def is_far(look: "VitalSigns", patient: "Patient") -> bool:
    """The samples' distribution as a whole is elsewhere than the data's, and they reach hardly any of it."""
    if look.coverage is None or not look.losses:
        return False
    return look.distance > (FAR if look.coverage < LOW_COVERAGE else VERY_FAR)


def is_unlike(look: "VitalSigns", patient: "Patient") -> bool:
    """Seen at full resolution hardly any of the data have a sample near them, whatever averages of pixels say."""
    return look.likeness is not None and look.likeness < UNLIKE and bool(look.losses)


def repeats(look: "VitalSigns", patient: "Patient") -> bool:
    """Most images are near copies of another one; points in small heaps are, and no worse for it."""
    return look.likeness is not None and look.duplicates >= COPIES and bool(look.losses)


def is_doubtful(look: "VitalSigns") -> bool:
    """Images reach little of the data, are rough, or some are copies: none of a healthy run, nor of a sick one yet."""
    if look.likeness is None:
        return False
    reaches_little = look.likeness < HARDLY_LIKE or look.coverage < HARDLY_COVERING
    return reaches_little or look.duplicates >= SOME_COPIES or is_rough(look)


def is_rough(look: "VitalSigns") -> bool:
    """Neighbouring pixels differ far more than the data's, as under noise."""
    return look.sharpness is not None and look.sharpness > ROUGH


def misses_classes(look: "VitalSigns", patient: "Patient") -> bool:
    """The classifier finds the classes less even than the data's: some are rare or missing."""
    return look.class_entropy is not None and look.class_entropy < LOW_ENTROPY and bool(look.losses)


def loses_classes(look: "VitalSigns", patient: "Patient") -> bool:
    """Translations of one direction or the other mostly show another class than their originals."""
    return bool(look.classes_kept) and min(look.classes_kept.values()) < FEW_KEPT and bool(look.losses)


def hides_originals(look: "VitalSigns", patient: "Patient") -> bool:
    """Translations of one direction or the other carry their originals in what slight noise destroys."""
    return bool(look.hidden_share) and max(look.hidden_share.values()) > MUCH_HIDDEN and bool(look.losses)


def is_improving(window: "list[VitalSigns]") -> bool:
    """Whether in the second half of these looks samples were nearer to the data, or reached more of it."""
    half = len(window) // 2
    before, after = window[:half], window[-half:]

    def middle(part, name):
        return statistics.median(getattr(look, name) for look in part)

    nearer = middle(after, "distance") < NEARER * middle(before, "distance")
    return nearer or middle(after, "coverage") > middle(before, "coverage") + WIDER


def becomes_liker(window: "list[VitalSigns]") -> bool:
    """Whether in the second half of these looks samples came near to more of the data, seen at full resolution."""
    half = len(window) // 2
    before, after = ([look.likeness or 0.0 for look in part] for part in (window[:half], window[-half:]))
    return statistics.median(after) > statistics.median(before) + LIKER


def repeats_less(window: "list[VitalSigns]") -> bool:
    """Whether in the second half of these looks fewer samples were near copies of another one."""
    half = len(window) // 2
    before, after = ([look.duplicates or 0.0 for look in part] for part in (window[:half], window[-half:]))
    return statistics.median(after) < statistics.median(before) - WIDER
