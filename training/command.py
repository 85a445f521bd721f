"""The console script `keras-gans`."""

from keras_gans.quiet import end_if_interrupted


def main() -> None:
    """As `cli.main`, with Ctrl-C as one line from the first import to the end of the process."""
    end_if_interrupted()
    from .cli import main

    main()
