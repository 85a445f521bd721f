"""keras_gans: the GAN zoo for today's Keras.

Submodules are imported on first use, so that `import keras_gans` and the command line's help stay fast.
"""

from typing import TYPE_CHECKING

from keras_gans.lazy import public_names as _public_names

if TYPE_CHECKING:
    # What an editor and a type checker read; it is the table below once more, and a test compares the two.
    from keras_gans import callbacks as callbacks
    from keras_gans import data as data
    from keras_gans import doctor as doctor
    from keras_gans import engine as engine
    from keras_gans import errors as errors
    from keras_gans import export as export
    from keras_gans import fields as fields
    from keras_gans import labels as labels
    from keras_gans import latent as latent
    from keras_gans import layers as layers
    from keras_gans import losses as losses
    from keras_gans import metrics as metrics
    from keras_gans import networks as networks
    from keras_gans import optimizers as optimizers
    from keras_gans import penalties as penalties
    from keras_gans import pixels as pixels
    from keras_gans import presets as presets
    from keras_gans import randomness as randomness
    from keras_gans import registry as registry
    from keras_gans import schemes as schemes
    from keras_gans import subwords as subwords
    from keras_gans import testing as testing
    from keras_gans import training as training
    from keras_gans.drawing import picture as picture
    from keras_gans.drawing import plot as plot
    from keras_gans.engine import inputs as inputs
    from keras_gans.metrics.checkerboard import checkerboard_score as checkerboard_score
    from keras_gans.presets import load_preset as load_preset
    from keras_gans.runs.run_directory import load_model as load_model
    from keras_gans.runs.run_directory import load_run as load_run

__version__ = "0.1.0"

_HOMES = {
    "callbacks": "keras_gans.callbacks",
    "checkerboard_score": "keras_gans.metrics.checkerboard",
    "data": "keras_gans.data",
    "doctor": "keras_gans.doctor",
    "engine": "keras_gans.engine",
    "errors": "keras_gans.errors",
    "export": "keras_gans.export",
    "fields": "keras_gans.fields",
    "inputs": "keras_gans.engine.inputs",
    "labels": "keras_gans.labels",
    "latent": "keras_gans.latent",
    "layers": "keras_gans.layers",
    "load_model": "keras_gans.runs.run_directory",
    "load_preset": "keras_gans.presets",
    "load_run": "keras_gans.runs.run_directory",
    "losses": "keras_gans.losses",
    "metrics": "keras_gans.metrics",
    "networks": "keras_gans.networks",
    "optimizers": "keras_gans.optimizers",
    "penalties": "keras_gans.penalties",
    "picture": "keras_gans.drawing.picture",
    "pixels": "keras_gans.pixels",
    "plot": "keras_gans.drawing.plot",
    "presets": "keras_gans.presets",
    "randomness": "keras_gans.randomness",
    "registry": "keras_gans.registry",
    "schemes": "keras_gans.schemes",
    "subwords": "keras_gans.subwords",
    "testing": "keras_gans.testing",
    "training": "keras_gans.training",
}

if not TYPE_CHECKING:
    # To a type checker, which reads the imports above, this would be any name at all.
    __getattr__, __dir__, __all__ = _public_names(__name__, _HOMES)
