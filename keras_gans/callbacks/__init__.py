"""Callbacks for `fit`: pictures, curves, checkpoints, rates and a progress bar, all counted in training steps."""

from keras_gans.callbacks.accuracy import Accuracy
from keras_gans.callbacks.checkpoint import Checkpoint
from keras_gans.callbacks.curves import Curves, ResetCurves
from keras_gans.callbacks.doctor import Doctor
from keras_gans.callbacks.evaluate import Evaluate
from keras_gans.callbacks.every import EveryNSteps
from keras_gans.callbacks.image_grid import ImageGrid
from keras_gans.callbacks.plateau import ReduceOnPlateau
from keras_gans.callbacks.profile import Profile
from keras_gans.callbacks.progress import Progress
from keras_gans.engine.keras_callbacks import OfPlayers

__all__ = [
    "Accuracy",
    "Checkpoint",
    "Curves",
    "Doctor",
    "Evaluate",
    "EveryNSteps",
    "ImageGrid",
    "OfPlayers",
    "Profile",
    "Progress",
    "ReduceOnPlateau",
    "ResetCurves",
]
