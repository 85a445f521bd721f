"""The file `metrics.jsonl` of a run: one JSON object a line, for programs to read."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from keras_gans.files import atomically, json_lines

if TYPE_CHECKING:
    from keras_gans.hints import Tensor


class MetricsFile:
    """JSON lines, appended to by whichever callbacks have something to say about a step.

    Args:
        path: of the file; its folder must exist once something is appended.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def drop_after(self, step: int) -> None:
        """Drops the lines of steps after `step`, which a resumed run takes again.

        Warns:
            DamageWarning: some lines are no JSON objects with a step; they are dropped too.
        """
        if not self.path.exists():
            return
        kept = [line for line in json_lines(self.path, is_line) if line["step"] <= step]
        with atomically(self.path) as partial:
            partial.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")

    def append(self, step: int, seconds: float, values: "Tensor") -> None:
        """Appends {"step": step, "seconds": seconds, **values}.

        Args:
            step: training steps taken.
            seconds: since training began.
            values: whatever JSON takes.
        """
        line = {"step": step, "seconds": round(seconds, 3), **values}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def is_line(value: object) -> bool:
    """Whether a JSON value is a line of a run's record: an object with a whole number as its step."""
    return isinstance(value, dict) and type(value.get("step")) is int
