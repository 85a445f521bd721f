"""keras_gans: the GAN zoo for today's Keras.

Submodules are imported on first use, so that `import keras_gans` and the command line's help stay fast.
"""

import importlib

__version__ = "0.1.0"

_SUBMODULES = (
    "callbacks",
    "data",
    "doctor",
    "errors",
    "inputs",
    "labels",
    "latent",
    "layers",
    "losses",
    "metrics",
    "networks",
    "optimizers",
    "penalties",
    "picture",
    "pixels",
    "plot",
    "randomness",
    "registry",
    "schemes",
)
_FUNCTIONS = {"load_run": "keras_gans.run_directory", "checkerboard_score": "keras_gans.checkerboard"}

__all__ = [*_SUBMODULES, *_FUNCTIONS]


def __getattr__(name):
    if name in _SUBMODULES:
        return importlib.import_module(f"keras_gans.{name}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(_FUNCTIONS[name]), name)
    raise AttributeError(f"module 'keras_gans' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
