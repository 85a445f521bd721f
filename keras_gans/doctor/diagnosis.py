"""From a history of vital signs to a verdict: a pure function, no model, no clock.

A sign at one look proves nothing: early in training every generator makes similar samples and every discriminator
wins. Each illness therefore needs its sign at several looks in a row, and those of the samples also that nothing gets
better meanwhile.
"""

import dataclasses
from typing import TYPE_CHECKING

from keras_gans.doctor import signs, wording
from keras_gans.doctor.illnesses import illnesses
from keras_gans.doctor.verdict import HEALTHY, UNCLEAR, Patient, Verdict

if TYPE_CHECKING:
    from keras_gans.doctor.vital_signs import VitalSigns


def diagnose(
    history: "list[VitalSigns]", patient: "Patient | None" = None, patience: int = 5, previous: "Verdict | None" = None
) -> "Verdict":
    """The verdict after the last look of a history.

    Args:
        history: list of `VitalSigns`, the oldest first, one for each look since training or the last treatment began.
        patient: `Patient`; one with a plain discriminator unless given.
        patience: looks in a row at which the samples' signs must show before the run counts as sick. Signs that need
            no comparison of samples need fewer.
        previous: the verdict of the look before, which stands while the signs are mixed.

    Returns:
        Verdict.
    """
    patient, last = patient or Patient(), history[-1]
    # Nobody knows yet what becomes of samples that reach next to nothing.
    mixed = any(look.coverage is not None and look.coverage < signs.LOW_COVERAGE for look in history[-3:])
    doubts = list(map(signs.is_doubtful, history[-3:]))
    mixed = mixed or any(doubts)
    for illness in illnesses(patience):
        window = _since_shown(history, illness.shows, patient)
        if len(window) >= illness.looks and last.step - window[0].step >= illness.steps:
            verdict = illness.judge(window, history, patient)
            if verdict is not None and not _is_vaguer(verdict, previous):
                return verdict
        # A sign that is gone for fewer looks may come back.
        mixed = mixed or any(illness.shows(look, patient) for look in history[-3:])
    if mixed and previous is not None and previous.name != UNCLEAR and not (previous.name == HEALTHY and all(doubts)):
        return _standing(previous, last, patient)
    few = len([look for look in history if look.losses]) < min(patience, 3)
    if mixed or few:
        return Verdict(UNCLEAR, last.step, history[0].step, wording.unclear_summary(last, few), wording.state(last))
    return Verdict(HEALTHY, last.step, history[0].step, wording.healthy_summary(last, patient), wording.state(last))


def _standing(previous, last, patient):
    """The verdict of the look before, in the numbers of this one."""
    if previous.name == HEALTHY:
        summary, evidence = wording.healthy_summary(last, patient), wording.state(last)
    else:
        # Its signs are not all there at this look, so that their sentences would not hold of it.
        summary = previous.summary.removesuffix(wording.MIXED) + wording.MIXED
        evidence = wording.state(last)
    return dataclasses.replace(previous, step=last.step, summary=summary, evidence=tuple(evidence))


def _is_vaguer(verdict, previous):
    """Whether a verdict says less than the one that stands."""
    return verdict.name == "not converging" and previous is not None and previous.is_sick


def _since_shown(history, shows, patient):
    """The looks at the end of a history at which a sign shows without a gap."""
    count = 0
    while count < len(history) and shows(history[-1 - count], patient):
        count += 1
    return history[len(history) - count :]
