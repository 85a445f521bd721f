"""The console script `keras-gans`."""

import atexit
import signal

from keras_gans.quiet import end_if_interrupted


def main() -> None:
    """As `cli.main`, with Ctrl-C as one line from the first import on."""
    end_if_interrupted()
    # Registered first, so called last: the command is done then, and while Python clears up Ctrl-C would be a page.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    from .cli import main

    main()
