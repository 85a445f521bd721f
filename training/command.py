"""The console script `keras-gans`."""

from keras_gans.quiet import one_line_if_interrupted


def main() -> None:
    """As `cli.main`, with Ctrl-C as one line from the first import on."""
    with one_line_if_interrupted():
        from .cli import main
    main()
