"""Evidence and summaries as sentences with numbers."""

import math
from typing import TYPE_CHECKING

from keras_gans.doctor.signs import is_rough

if TYPE_CHECKING:
    from keras_gans.doctor.verdict import Patient
    from keras_gans.doctor.vital_signs import VitalSigns


_MOST = 10
# Behind a summary that stands although not all of its signs do.
MIXED = "; its signs are mixed by now"
# The share of its highest gradient norm below which the generator's counts as vanished.
VANISHED = 0.01


def percent(share: float) -> str:
    """A share in [0, 1] as a text, which says 100 % of nothing less."""
    text = f"{100 * share:.0f}"
    return f"{100 * share:.1f} %" if share < 1 and text == "100" else f"{text} %"


def times(ratio: float) -> str:
    """A ratio as a text for people, who learn nothing from one above ten."""
    return f"{ratio:.2f} times" if ratio <= _MOST else f"more than {_MOST} times"


def sample_evidence(look: "VitalSigns") -> str:
    """The sentence on diversity and coverage of a look at samples."""
    return f"The samples are {times(look.diversity)} as diverse as the data and cover {percent(look.coverage)} of it."


def likeness_evidence(look: "VitalSigns") -> list[str]:
    """The sentence on how like the data samples look, where that was measured; a list of one or none."""
    if look.likeness is None:
        return []
    return [
        f"Seen at full resolution, {percent(look.likeness)} of the data have a sample as near to them as other data "
        "are; with noise for samples it is 0 to 3 %."
    ]


def roughness_evidence(look: "VitalSigns") -> list[str]:
    """The sentence on neighbouring pixels, where they differ far more than the data's; a list of one or none."""
    if not is_rough(look):
        return []
    return [
        f"Their neighbouring pixels differ {times(look.sharpness)} as much as the data's, as under noise or on a grid."
    ]


def duplicate_evidence(look: "VitalSigns") -> list[str]:
    """The sentence on near copies, where a tenth of the samples or more are such; a list of one or none."""
    return [f"{percent(look.duplicates)} of them are near copies of another one."] if look.duplicates >= 0.1 else []


def separation_evidence(look: "VitalSigns") -> list[str]:
    """The sentence on how the discriminator orders samples, where it sees them; a list of one or none."""
    if look.separation is None:
        return []
    return [f"The discriminator scores real above generated in {percent(look.separation)} of pairs."]


def norm_evidence(look: "VitalSigns", player: str, history: "list[VitalSigns]") -> list[str]:
    """The sentence on a player's gradient norm against the highest of `history`; a list of one or none."""
    norms = [past.gradient_norms[player] for past in history if player in past.gradient_norms]
    if player not in look.gradient_norms or not norms:
        return []
    norm, highest = look.gradient_norms[player], max(norms)
    vanished = highest > 0 and norm < VANISHED * highest
    ending = f"; it was {highest:.3g}, so it has vanished." if vanished else "."
    return [f"The {player}'s gradient norm is {norm:.3g}{ending}"]


def state(look: "VitalSigns") -> tuple[str, ...]:
    """Evidence of how a run stands where nothing is wrong."""
    if look.coverage is None:
        return ()
    of_looks = (*likeness_evidence(look), *roughness_evidence(look), *duplicate_evidence(look))
    return (sample_evidence(look), *of_looks, *separation_evidence(look))


def unclear_summary(look: "VitalSigns", few: int) -> str:
    """The summary where no illness has enough evidence; `few` says that the looks were too few for any."""
    if few or look.coverage is None:
        return "there were too few looks so far" if few else "the signs are mixed so far"
    return f"the signs are mixed so far: {_extent(look)}"


def _extent(look):
    """How far the samples reach, as a part of a sentence."""
    said = f"samples {times(look.diversity)} as diverse as the data, covering {percent(look.coverage)} of it"
    if look.likeness is not None:
        said += f" ({percent(look.likeness)} at full resolution)"
    if is_rough(look):
        said += f", {times(look.sharpness)} as rough"
    return said + (f", {percent(look.duplicates)} of them near copies" if look.duplicates >= 0.1 else "")


def healthy_summary(look: "VitalSigns", patient: "Patient") -> str:
    """The summary where no sign of an illness was found; `patient` is what was examined."""
    parts = []
    if look.coverage is not None:
        parts.append(_extent(look).removeprefix("samples "))
    if look.missing_classes is not None:
        parts.append("all classes there" if not look.missing_classes else f"{look.missing_classes} classes rare")
    for direction, share in look.classes_kept.items():
        parts.append(f"{direction} keeps {percent(min(1.0, share))} of the classes")
    if look.separation is not None:
        balance = "neither player wins" if 0.4 <= look.separation <= 0.95 else "and the generator still follows"
        balance = "which finds the generated ones more real" if look.separation < 0.4 else balance
        balance = "as a critic should" if patient.is_critic and look.separation > 0.95 else balance
        parts.append(f"D tells real from generated in {percent(look.separation)} of pairs, {balance}")
    if look.gradient_norms and all(math.isfinite(norm) for norm in look.gradient_norms.values()):
        norms = ", ".join(f"{player} {norm:.2g}" for player, norm in look.gradient_norms.items())
        parts.append(f"gradient norms {norms}")
    return "; ".join(parts) or "nothing wrong in losses, gradients and weights"
