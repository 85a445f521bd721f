"""What the doctor knows of a run beforehand, and what it has to say in the end."""

import dataclasses

HEALTHY = "healthy"
UNCLEAR = "unclear"


@dataclasses.dataclass(frozen=True)
class Patient:
    """What a judgement has to know about the run besides its signs.

    Attributes:
        is_critic: whether the discriminator is a Wasserstein critic, whose scores have no bounds and whose task is to
            separate: doing so is no illness.
        is_minimax: whether the generator minimises log(1 - D(G(z))), whose gradient vanishes where D wins.
        can_pack: whether the discriminator may judge samples in pairs: no penalty looks at each by itself.
    """

    is_critic: bool = False
    is_minimax: bool = False
    can_pack: bool = True


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the doctor has to say.

    Attributes:
        name: "healthy", "unclear", "not finite", "exploding", "frozen PLAYER", "blind discriminator",
            "overpowering discriminator", "collapsed", "copies", "not converging", "unlike the data", "swapped
            classes", "hidden originals" or "missing classes".
        step: training steps taken at the look that it was given at.
        since: step of the first look of its evidence.
        summary: one sentence.
        evidence: tuple of sentences with numbers.
        remedies: tuple of sentences, the most promising first; empty where nothing is wrong.
        is_sick: whether the run is not worth going on with as it is. "missing classes" is a warning and no illness.
    """

    name: str
    step: int
    since: int
    summary: str
    evidence: tuple = ()
    remedies: tuple = ()
    is_sick: bool = False
