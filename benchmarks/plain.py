"""Importing this files every plain Keras loop in `benchmarks.peers.plain_loops`."""

from benchmarks import plain_autoencoders, plain_gans, plain_texts, plain_translators  # noqa: F401
