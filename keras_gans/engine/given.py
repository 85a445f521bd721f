"""What a scheme is constructed with: its networks, checked before anything reads their shapes."""

import inspect
from collections.abc import Mapping
from typing import Any

import keras

from keras_gans import registry
from keras_gans.errors import UserError, nearest, shown

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
