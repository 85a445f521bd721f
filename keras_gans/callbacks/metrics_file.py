"""The file `metrics.jsonl` of a run: one JSON object a line, for programs to read."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from keras_gans.files import atomically

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
        """Drops the lines of steps after `step`, which a resumed run takes again."""
        if not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8").splitlines()
        # A crash may have cut the last line short; what it said is not known then.
        whole_lines = [line for line in lines if line.endswith("}")]
        kept = [line for line in whole_lines if json.loads(line)["step"] <= step]
        with atomically(self.path) as partial:
            partial.write_text("".join(line + "\n" for line in kept), encoding="utf-8")

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
