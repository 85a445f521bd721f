"""The lecture's statements about the game, each as a check that trains, measures and draws.

Names and their order are known here without TensorFlow; each check is a module of its name with `STATEMENT`, `SOURCE`
and `check(setting)`, which returns an `Evidence`.
"""

from collections.abc import Sequence

from keras_gans.errors import unknown_name

NAMES = {
    "optimal_discriminator": "a trained discriminator approaches p / (p + q), LSGAN's (b p + a q) / (p + q)",
    "game_value": "the game's value is -log 4 at p = q, and -log 4 + 2 JSD elsewhere",
    "disjoint_supports": "without common support JSD is constant and KL infinite; Wasserstein-1 grows",
    "wasserstein_critic": "a WGAN-GP critic's estimate is the exact Wasserstein-1 distance, slope-corrected",
    "vanishing_gradient": "the minimax generator's gradient vanishes where the non-saturating one does not",
    "frozen_discriminator": "the best generator against a fixed discriminator is a delta",
    "slow_discriminator": "against a slow discriminator the generator collapses to a few modes",
}
# Those that --quick leaves out; of the others it runs fewer cases, at the same lengths and bounds.
LONG = ("slow_discriminator",)


def chosen(names: Sequence[str] | None, quick: bool = False) -> list[str]:
    """The checks to run, in the order of `NAMES`.

    Args:
        names: names of checks; none means all, with `quick` all but `LONG`.
        quick: see above.

    Returns:
        Each name once.

    Raises:
        UserError: there is no such check.
    """
    for name in names or ():
        if name not in NAMES:
            raise unknown_name("check", name, NAMES)
    return [name for name in NAMES if (name in names if names else not (quick and name in LONG))]
