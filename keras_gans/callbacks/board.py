"""Under which names TensorBoard shows what: it draws what stands before a slash as one group, in the names' order."""

IMAGES, EVALUATION, ACCURACY, LOSSES = "1 images", "2 evaluation", "3 accuracy", "4 losses"
SCHEME, DOCTOR, GRADIENTS, SPEED = "5 scheme", "6 doctor", "7 gradient norms", "8 speed"

_GROUPS = {"_loss": LOSSES, "_gradient_norm": GRADIENTS, "_per_second": SPEED, "_gigabytes": SPEED}


def tag(curve: str) -> str:
    """A curve's name in TensorBoard, with its group."""
    return f"{next((group for ending, group in _GROUPS.items() if curve.endswith(ending)), SCHEME)}/{curve}"


def floor_of(figure: str) -> str:
    """The name of a figure's floor, which stands beside it."""
    return f"{EVALUATION}/{figure} of the data"
