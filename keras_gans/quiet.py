"""Importing TensorFlow without the page of notices that it greets with."""

import importlib
import os
import sys
import tempfile
from typing import Any


def import_quietly(module: str) -> Any:
    """Imports a module, for the command line, and holds back what its native libraries write to standard error.

    Where the import fails, what was held back is written after all.

    Args:
        module: name of the module.

    Returns:
        The module.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    own = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            return importlib.import_module(module)
        except BaseException:
            held.seek(0)
            os.write(own, held.read())
            raise
        finally:
            os.dup2(own, 2)
            os.close(own)
