"""How a function that builds a network is filed, with its arguments checked by what it says of them itself."""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from typing import TypeVar

import keras
import numpy as np
import tensorflow as tf

from keras_gans.checks import check_number, check_switch, check_whole, is_whole, shown
from keras_gans.errors import UserError, reason_of, shown
from keras_gans.registry import networks

Builder = TypeVar("Builder", bound=Callable[..., keras.Model])


def builder(name: str, *, of_points: bool = False, **least: int) -> Callable[[Builder], Builder]:
    """Decorator: files a function under `name` in `registry.networks`, and checks what it is called with.

    By the hints of its arguments: an int is a whole number from 1, or from 0 where 0 is its default; a float is a
    number from 0; a bool is True or False; a sequence of int holds whole numbers from 1; None stands only where the
    hint says so. Names are the function's own to check, as they have a nearest one.

    Args:
        name: of the network.
        of_points: whether `sample_shape` may also be (d,), of points.
        **least: the smallest number of an argument, such as halvings=0, where it is another.

    Returns:
        A decorator. What it gives raises `UserError` for an argument that makes no network, or one that is too large.
    """

    def add(function):
        signature = inspect.signature(function)
        hints = typing.get_type_hints(function)

        @functools.wraps(function)
        def checked(*args, **kwargs):
            bound = signature.bind(*args, **kwargs)
            for argument, value in bound.arguments.items():
                default = signature.parameters[argument].default
                lowest = least.get(argument, 0 if is_whole(default) and default == 0 else 1)
                bound.arguments[argument] = _checked(f"{name}'s {argument}", value, hints[argument], lowest)
            if "sample_shape" in bound.arguments:
                _check_shape(name, bound.arguments["sample_shape"], of_points)
            try:
                return function(*bound.args, **bound.kwargs)
            except (
                MemoryError,
                OverflowError,
                tf.errors.ResourceExhaustedError,
                tf.errors.InvalidArgumentError,
            ) as error:
                given = ", ".join(f"{argument}={shown(value)}" for argument, value in bound.arguments.items())
                raise UserError(
                    f"The network {name!r} cannot be made with {given}. The reason: {reason_of(error)}"
                ) from error

        return networks.register(name)(checked)

    return add


def _checked(what, value, hint, least):
    """The value that a network is built with; raises a `UserError` where it is none of the hint's kind."""
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and type(None) in kinds:
        return value
    kind = kinds[0]
    if kind is int:
        return check_whole(what, value, least)
    if kind is float:
        return check_number(what, value, example="0.5")
    if kind is bool:
        return check_switch(what, value)
    if typing.get_origin(kind) is Sequence:
        of = typing.get_args(kind)[0]
        return _sequence(what, value, of)
    return value


def _sequence(what, value, of):
    holds = "whole numbers from 1" if of is int else "strings"
    is_one = isinstance(value, Sequence | np.ndarray | tf.TensorShape) and not isinstance(value, str | bytes)
    fits = (lambda each: is_whole(each) and each >= 1) if of is int else (lambda each: isinstance(each, str))
    if not is_one or not all(map(fits, value)):
        example = "(28, 28, 1)" if what.endswith("sample_shape") else "(128, 64)"
        example = example if of is int else '["", "[UNK]", "word"]'
        near = f"; [{shown(value)}] is one" if fits(value) else ""
        raise UserError(f"{what} is a sequence of {holds}, such as {example}. Received: {shown(value)}{near}.")
    return tuple(check_whole(what, each) for each in value) if of is int else value


def _check_shape(name, shape, of_points):
    if len(shape) != 3 and not (of_points and shape):
        points = ", or (d,) of points" if of_points else ""
        raise UserError(
            f"{name}'s sample_shape is (height, width, channels) of images{points}, such as (28, 28, 1). Received: "
            f"{shape}."
        )
