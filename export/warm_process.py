"""A script: imports TensorFlow once, and then runs other scripts of this folder in processes that are forked from it.

Each of them is a process of its own, which may crash, knows neither Keras nor keras_gans, and has used nothing of
TensorFlow; the import takes most of a small model's check.

Reads a line of JSON for each, {"script": path, "arguments": [...], "log": path, "folder": to work in}, and answers each
with a line, the code that its process ended with, below 0 a signal's number. Ends with its input.
"""

import json
import os
import runpy
import sys
import traceback
from pathlib import Path


def main() -> None:
    """Runs what each line of the input asks for, until it ends."""
    import tensorflow  # noqa: F401, what is forked finds it imported

    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(**job)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _become(script, arguments, log, folder):
    """Runs a script as `python script ...` would, and ends the process."""
    code = 1
    try:
        os.chdir(folder)
        for path, mode, descriptors in ((os.devnull, os.O_RDONLY, [0]), (log, os.O_WRONLY | os.O_APPEND, [1, 2])):
            opened = os.open(path, mode)
            for descriptor in descriptors:
                os.dup2(opened, descriptor)
        sys.argv = [script, *arguments]
        sys.path.insert(0, str(Path(script).parent))
        runpy.run_path(script, run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Without what would run at the end of the process that this one was forked from.
        os._exit(code)


if __name__ == "__main__":
    # A None entry makes every import of these fail; TensorFlow itself does without.
    sys.modules.update({"keras": None, "keras_gans": None, "tf_keras": None})
    # Nothing in this folder may stand in for a package of the same name.
    sys.path.pop(0)
    main()
