"""What a request is refused with: one of gRPC's codes, which REST says as an HTTP status as TensorFlow Serving does."""

import sys

# {gRPC's code: (its number, HTTP status)}.
CODES = {
    "OK": (0, 200),
    "CANCELLED": (1, 499),
    "UNKNOWN": (2, 500),
    "INVALID_ARGUMENT": (3, 400),
    "DEADLINE_EXCEEDED": (4, 504),
    "NOT_FOUND": (5, 404),
    "ALREADY_EXISTS": (6, 409),
    "PERMISSION_DENIED": (7, 403),
    "RESOURCE_EXHAUSTED": (8, 429),
    "FAILED_PRECONDITION": (9, 400),
    "ABORTED": (10, 409),
    "OUT_OF_RANGE": (11, 400),
    "UNIMPLEMENTED": (12, 501),
    "INTERNAL": (13, 500),
    "UNAVAILABLE": (14, 503),
    "DATA_LOSS": (15, 500),
    "UNAUTHENTICATED": (16, 401),
}
_BY_NUMBER = {number: code for code, (number, _) in CODES.items()}
# A client needs the first lines of what TensorFlow says, not the tensors that it prints.
_LONGEST = 600


class Refusal(Exception):
    """A request that cannot be answered.

    Args:
        code: one of `CODES`.
        message: for the client.
        status: HTTP status, where it is another than the code's.
    """

    def __init__(self, code: str, message: str, status: int | None = None):
        super().__init__(message)
        self.code, self.message = code, message
        self.status = CODES[code][1] if status is None else status

    @property
    def number(self) -> int:
        """The code as gRPC counts."""
        return CODES[self.code][0]


def refusal_of(error: Exception) -> Refusal:
    """What to answer where something was raised while a request was answered.

    Args:
        error: TensorFlow's, whose code it keeps, where that is imported; or any other, which is the server's own fault.
    """
    if isinstance(error, Refusal):
        return error
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and isinstance(error, tensorflow.errors.OpError):
        text = error.message.split("\n\t [[")[0].strip().removeprefix("Graph execution error:").strip()
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("Detected at node")]
        return Refusal(_BY_NUMBER.get(error.error_code, "UNKNOWN"), " ".join(lines)[:_LONGEST])
    if isinstance(error, MemoryError):
        return Refusal("RESOURCE_EXHAUSTED", "Not enough memory for this request.")
    return Refusal("INTERNAL", f"{type(error).__name__}: {error}"[:_LONGEST])
