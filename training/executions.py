"""How many training steps run at once without a return to Python, where that changes nothing else."""

import math


def steps_at_once(wanted: int, steps: int, done: int, periods: list[int]) -> int:
    """The largest number of steps an execution, up to the one wanted, after which whatever is due is due.

    Callbacks come in after an execution. So that pictures, checkpoints, curves and the doctor's looks are of the very
    steps that they are of with one step at a time, no execution runs from one phase into the next, and the run ends at
    its last step, the number divides the steps between them.

    Args:
        wanted: steps an execution.
        steps: training steps of the whole run.
        done: those taken before.
        periods: steps between two calls of each callback, and those after which a phase begins.
    """
    between = math.gcd(*periods, done, steps)
    return max(count for count in range(1, wanted + 1) if between % count == 0)
