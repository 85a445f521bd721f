"""Waiting for other processes in tests, however busy the machine is."""

import time

# A limit that load could reach would say nothing: this one is only for what never ends.
HANGS = 1800.0


def wait_until(reached, process):
    """Waits until `reached()` is true, as it will be unless a process has ended before.

    Args:
        reached: function without arguments.
        process: `subprocess.Popen` that is to bring it about.
    """
    deadline = time.monotonic() + HANGS
    while not reached():
        assert process.poll() is None, f"The process ended with {process.returncode} before what is waited for."
        assert time.monotonic() < deadline, "The process hangs."
        time.sleep(0.1)
