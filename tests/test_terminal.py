"""What stands on a terminal while Rich draws there."""

import io
import os
import pty
import select
import subprocess
import sys
import time

import pytest
from rich.console import Console

from keras_gans.training.output import Output
from tests.processes import HANGS


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_what_is_written_while_a_display_is_live_reaches_the_terminal_itself(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    output = Output("stdout")
    # Its own console: a write that came back to it would go round for ever.
    with Console(file=Output(terminal), force_terminal=True).status("waiting"):
        assert sys.stdout is not terminal
        output.write("straight")
        assert "straight" in terminal.getvalue()


@pytest.mark.slow
def test_a_run_on_a_terminal_comes_to_its_end(tmp_path):
    command = [sys.executable, "-m", "keras_gans.training.cli", "train", "gan", "--steps", "4", "--runs", "runs"]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    process = subprocess.Popen(
        command, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    shown, end = b"", time.monotonic() + HANGS
    while process.poll() is None and time.monotonic() < end:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                # Linux ends a terminal that nobody writes to any more so.
                break
    assert process.wait(HANGS) == 0, shown[-2000:]
    assert b"Done: 4 steps" in shown
