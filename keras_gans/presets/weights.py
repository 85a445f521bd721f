"""The weights of a model's networks by name, as a file of them has them."""

from collections.abc import Mapping

import keras
import numpy as np

from keras_gans.engine.base import AdversarialModel
from keras_gans.errors import NonFiniteError, UserError

# What follows a network's name in that of its average.
_AVERAGE = "_average"
# Outside of them float16 has fewer than three digits.
_SMALLEST, _LARGEST = 6e-5, 6e4


def variables_of(model: AdversarialModel) -> dict[str, keras.Variable]:
    """{"NETWORK/PLACE/NAME": variable} of every network that a model holds, sorted by network, each variable once.

    Of a network with an average of its weights it is the average, which answers for it. The counter of steps, pools of
    samples and the optimizers' state are no part of them.
    """
    found, seen = {}, set()
    for role, network in sorted(_networks_of(model).items()):
        for place, variable in enumerate(network.weights):
            if id(variable) not in seen:
                found[f"{role}/{place:03d}/{variable.name}"] = variable
                seen.add(id(variable))
    return found


def _networks_of(model):
    networks = {name: value for name, value in vars(model).items() if isinstance(value, keras.Model)}
    return {name: network for name, network in networks.items() if f"{name}{_AVERAGE}" not in networks}


def weights_of(model: AdversarialModel, half: bool) -> dict[str, np.ndarray]:
    """Those variables as arrays.

    Args:
        model: the model.
        half: whether as float16, each but those whose numbers float16 cannot hold to three digits.

    Raises:
        NonFiniteError: a weight is NaN or infinite.
    """
    arrays = {name: np.array(variable) for name, variable in variables_of(model).items()}
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise NonFiniteError(f"{name} holds NaN or infinity, and was not written.")
    return {name: _halved(array) for name, array in arrays.items()} if half else arrays


def _halved(array):
    if array.dtype != np.float32 or not array.size:
        return array
    largest = np.abs(array).max()
    return array.astype(np.float16) if largest == 0 or _SMALLEST <= largest <= _LARGEST else array


def put(model: AdversarialModel, arrays: Mapping[str, np.ndarray]) -> None:
    """Gives a model's networks the weights that `weights_of` took.

    Raises:
        UserError: they are not those of this model's networks; nothing was changed.
    """
    variables = variables_of(model)
    wrong = [
        f"{name} {tuple(arrays[name].shape)}" if name in arrays else f"{name} (missing)"
        for name, variable in variables.items()
        if name not in arrays or tuple(arrays[name].shape) != tuple(variable.shape)
    ]
    wrong += [f"{name} (not in the model)" for name in arrays if name not in variables]
    if wrong:
        raise UserError(
            f"The weights are not those of the networks that the recipe builds: {', '.join(wrong[:3])}"
            + (f" and {len(wrong) - 3} more." if len(wrong) > 3 else ".")
        )
    for name, variable in variables.items():
        variable.assign(arrays[name].astype(variable.dtype))
    for role, network in _networks_of(model).items():
        if role.endswith(_AVERAGE):
            getattr(model, role.removesuffix(_AVERAGE)).set_weights(network.get_weights())
