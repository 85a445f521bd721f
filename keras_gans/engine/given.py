"""What a scheme is constructed with: its networks, checked before anything reads their shapes."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

import keras

from keras_gans import registry
from keras_gans.errors import UserError, nearest, shown
from keras_gans.private_apis import origin_of

_BUILDER = "a function of keras_gans.networks makes one, and so does keras.Model(inputs, outputs)"


def check_networks(scheme: type, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> None:
    """Refuses what is no network that is built, among the arguments of a scheme's constructor.

    Arguments that are missing, or that the constructor does not have, are left to Python.

    Args:
        scheme: an `AdversarialModel` class.
        arguments, options: of its constructor.

    Raises:
        UserError: see `check_network`.
    """
    names = scheme.network_names()
    signature = inspect.signature(scheme.__init__)
    try:
        bound = signature.bind_partial(None, *arguments, **options)
    except TypeError:
        return
    for parameter in signature.parameters.values():
        value = bound.arguments.get(parameter.name)
        if parameter.kind is parameter.VAR_POSITIONAL:
            given = dict(zip(names, value or (), strict=False))
        elif parameter.kind is parameter.VAR_KEYWORD:
            given = value or {}
        else:
            given = {parameter.name: value} if parameter.name in bound.arguments else {}
        for name in names:
            if name in given:
                check_network(name, given[name], scheme.network_kinds.get(name))


def check_network(name: str, network: Any, kind: type | None = None) -> None:
    """Refuses what is no network whose weights and shapes are there.

    Args:
        name: what the scheme calls it.
        network: what the user passed.
        kind: class that it must be of; any keras.Model of symbolic inputs and outputs unless given.

    Raises:
        UserError: it is no keras.Model, not of that class, or not built.
    """
    if not isinstance(network, keras.Model):
        raise UserError(f"{name} is a built keras.Model: {_instead(network)}. Received: {_described(network)}.")
    if kind is not None:
        if not isinstance(network, kind):
            builders = "networks.rnn_search and networks.transformer_translator make such ones"
            raise UserError(f"{name} is a {kind.__name__}: {builders}. Received: {_described(network)}.")
        return
    # Of a subclass no shapes are known, though its weights may be there.
    if getattr(network, "inputs", None) and network.built:
        return
    if isinstance(network, keras.Sequential):
        instead = "let its first layer be keras.Input(shape), of one sample without the batch"
    else:
        instead = "wrap it, as in inputs = keras.Input(shape); keras.Model(inputs, network(inputs))"
    raise UserError(
        f"{name} is a built keras.Model, whose inputs and outputs are known: {instead}. Received: "
        f"{_described(network)}, of which they are not."
    )


# What makes shares of scores, by the names of activations and of the layers and operations that are nothing else.
_SQUASHING = ("sigmoid", "hard_sigmoid", "log_sigmoid", "softmax", "log_softmax", "sparsemax")
# What changes a score's shape or type, and says nothing of its size.
_PASSING = ("reshape", "flatten", "permute", "identity", "cast", "squeeze", "activation", "dropout")


def check_raw_scores(name: str, network: keras.Model) -> None:
    """Refuses a judge whose first output, its scores, are shares: each loss makes these of raw scores itself.

    Args:
        name: what the scheme calls it.
        network: keras.Model of symbolic outputs.

    Raises:
        UserError: it ends in a sigmoid, a softmax or their kin, as an activation, a layer or an operation, also inside
            of a wrapper or of a network within the network.
    """
    found = _squashed(network.outputs[0])
    if found is not None:
        raise UserError(
            f"The {name} ends in raw scores, and each loss does the rest. Received one whose last layer, "
            f"{found[0]!r}, is a {found[1]}: leave that out."
        )


def _squashed(tensor):
    """(layer's name, activation's name) of what makes shares of a symbolic tensor, or None."""
    operation, index, inputs = origin_of(tensor)
    if isinstance(operation, keras.Model):
        # Of a network without symbolic outputs nothing is known.
        inner = getattr(operation, "outputs", None)
        return _squashed(inner[index]) if inner else None
    found = _activation_of(operation)
    if found in _SQUASHING:
        return operation.name, found
    passes = _snake(type(operation).__name__) in _PASSING and found in (None, "linear")
    return _squashed(inputs[0]) if passes and len(inputs) == 1 else None


def _activation_of(operation):
    """The name of a layer's activation, of the layer that it wraps, or of an operation; None where it has none."""
    wrapped = getattr(operation, "layer", None)
    if isinstance(wrapped, keras.layers.Layer):
        if getattr(wrapped, "outputs", None):
            return (_squashed(wrapped.outputs[0]) or (None, None))[1]
        return _activation_of(wrapped)
    activation = getattr(operation, "activation", None)
    if activation is not None:
        return getattr(activation, "__name__", None)
    name = _snake(type(operation).__name__)
    return name if name in _SQUASHING else None


def _snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _described(value):
    if isinstance(value, keras.layers.Layer):
        return f"the {type(value).__name__} {value.name!r}"
    if inspect.isroutine(value) or inspect.isclass(value):
        return f"the {'class' if inspect.isclass(value) else 'function'} {value.__name__}"
    return shown(value)


def _instead(value):
    if isinstance(value, str):
        close = nearest(value, registry.networks, count=1)
        return f"keras_gans.networks.{close[0]}(...) makes one" if close else _BUILDER
    if isinstance(value, keras.layers.Layer):
        return "wrap the layer, as in keras.Sequential([keras.Input(shape), layer])"
    if inspect.isroutine(value) or inspect.isclass(value):
        return "call it, and pass what it gives"
    return _BUILDER
