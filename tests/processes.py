"""Other processes of tests: forked from one that has imported TensorFlow, and waited for on a busy machine too."""

import contextlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

# A limit that load could reach would say nothing: this one is only for what never ends.
HANGS = 1800.0

# The server has TensorFlow imported but not started, so that a further process takes a tenth of a second and not four.
forked = multiprocessing.get_context("forkserver")
forked.set_forkserver_preload(["keras_gans", "keras_gans.schemes", "keras_gans.training.cli", "tests.small"])


class ForkedCommand:
    """`keras-gans` as a user's own process, with the part of `subprocess.Popen` that tests need.

    Args:
        *arguments: of the command line.
        cwd: folder that it runs in.
        **variables: of its environment.
    """

    def __init__(self, *arguments, cwd, **variables):
        self._said = Path(tempfile.mkdtemp(prefix="said-"))
        files = [self._said / name for name in ("output", "errors")]
        self._process = forked.Process(target=_command, args=([*map(str, arguments)], cwd, variables, *files))
        self._process.start()

    @property
    def returncode(self):
        return self._process.exitcode

    def poll(self):
        return self.returncode

    def send_signal(self, number):
        os.kill(self._process.pid, number)

    def communicate(self, timeout=HANGS):
        """(standard output, standard error) once it has ended."""
        self._process.join(timeout)
        assert self._process.exitcode is not None, "The process hangs."
        return tuple((self._said / name).read_text() for name in ("output", "errors"))


def _command(arguments, cwd, variables, *files):
    from keras_gans.training import cli

    # A server that was started by a process with signals of its own hands them on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(cwd)
    os.environ.update(variables)
    sys.argv = ["keras-gans", *arguments]
    with contextlib.ExitStack() as opened:
        for descriptor, path in zip((1, 2), files, strict=True):
            os.dup2(opened.enter_context(open(path, "w")).fileno(), descriptor)
        sys.stdout, sys.stderr = (opened.enter_context(os.fdopen(each, "w", closefd=False)) for each in (1, 2))
        cli.main()


def in_one_process(commands, cwd):
    """{name: (exit code, output, errors)} of command lines, run one after the other in a process of their own.

    Args:
        commands: {name: command line without `keras-gans`}.
        cwd: folder that they run in, and from which they import.
    """
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said.json"
        process = forked.Process(target=_all_of, args=(commands, cwd, said))
        process.start()
        process.join(HANGS)
        assert process.exitcode == 0, process.exitcode
        return json.loads(said.read_text())


def _all_of(commands, cwd, said):
    from tests.test_training_cli import run_here

    os.chdir(cwd)
    sys.path.insert(0, str(cwd))
    said.write_text(json.dumps({name: run_here(*each.split(), cwd=cwd) for name, each in commands.items()}))


def wait_until(reached, process):
    """Waits until `reached()` is true, as it will be unless a process has ended before.

    Args:
        reached: function without arguments.
        process: `subprocess.Popen`, `ForkedCommand` or process of `forked`, that is to bring it about.
    """
    deadline = time.monotonic() + HANGS
    while not reached():
        code = process.exitcode if isinstance(process, forked.Process) else process.poll()
        assert code is None, f"The process ended with {code} before what is waited for."
        assert time.monotonic() < deadline, "The process hangs."
        time.sleep(0.1)
