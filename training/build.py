"""From a recipe to a compiled model."""

import contextlib
import inspect
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from keras_gans import optimizers, registry
from keras_gans.engine.base import AdversarialModel
from keras_gans.errors import UserError, nearest, reason_of, unknown_name
from keras_gans.memory import check_fits
from keras_gans.optimizers import Adam
from keras_gans.private_apis import shape_to_draw

from .recipe import Recipe

if TYPE_CHECKING:
    from keras_gans.fields import Field


# The order in which networks draw their first weights, and with it every figure of a seed; any others follow.
_BUILD_ORDER = ("generator", "encoder", "decoder", "discriminator", "class_discriminator")
# Bytes of weights that are drawn in a second or two.
_LARGE = 1_000_000_000
# How many an optimizer keeps of each weight's gradients, where they are not two.
_AVERAGES = {"sgd": 0, "rmsprop": 1, "adagrad": 1, "lion": 1, "adafactor": 0}


def scheme_of(recipe: "Recipe") -> "type[AdversarialModel]":
    """The class of a recipe's scheme."""
    return registry.schemes[recipe.scheme["name"]]


def build_model(recipe: "Recipe", data_fields: "Mapping[str, Field]", *, seeded: bool = True) -> "AdversarialModel":
    """The recipe's scheme with its networks and optimizers, compiled.

    Args:
        recipe: a `Recipe`.
        data_fields: {field: `keras_gans.fields.Field`} of what the data have for the scheme's `takes`.
        seeded: whether to set Keras's, NumPy's and Python's seeds to the recipe's, so that the first weights are a
            function of it; not for a model that is to get its weights.

    Returns:
        AdversarialModel.

    Raises:
        UserError: an argument that a network, the scheme or an optimizer does not take, or networks that are not the
            scheme's.
    """
    scheme = scheme_of(recipe)
    _check_networks(recipe, scheme)
    data_fields = scheme.read_data(data_fields, recipe.tokenizer)
    policy = recipe.precision if recipe.precision == "float32" else f"mixed_{recipe.precision}"
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        networks = _networks(recipe, scheme, data_fields, seeded)
    finally:
        keras.config.set_dtype_policy(before)
    arguments = _scheme_arguments(recipe, scheme, data_fields)
    model = _made(scheme, f"The scheme {recipe.scheme['name']!r}", {**networks, "seed": recipe.seed}, arguments)
    for player in recipe.optimizers:
        if player not in model.players:
            raise unknown_name("player", player, model.players)
    _check_memory(recipe, model)
    optimizers = {player: _optimizer(recipe, player, model) for player in model.players}
    model.compile(optimizers=optimizers)
    return model


def _networks(recipe, scheme, data_fields, seeded):
    """{role: keras.Model}; of those that are large the weights are counted first, as to draw them takes a while."""

    def made():
        if seeded:
            keras.utils.set_random_seed(recipe.seed)
        networks: dict[str, keras.Model] = {}
        for role in sorted(recipe.networks, key=_build_place):
            offered = scheme.network_arguments(role, data_fields, recipe.latent_dim)
            offered |= scheme.arguments_of_others(role, networks)
            networks[role] = _network(recipe.networks[role], role, offered)
        return networks

    # Not in an except block, which would hold on to the weights drawn so far.
    with contextlib.suppress(_LargeNetworks), _small_alone():
        return made()
    # A graph that never runs draws nothing.
    with tf.Graph().as_default():
        size = 4 * sum(network.count_params() for network in made().values())
    _check_size(recipe, size, "Weights")
    return made()


class _LargeNetworks(Exception):
    """Weights of more than `_LARGE` bytes are about to be drawn."""


@contextlib.contextmanager
def _small_alone():
    size = 0

    def make(make_next, **arguments):
        nonlocal size
        size += 4 * math.prod(shape_to_draw(arguments["initial_value"]) or ())
        if size > _LARGE:
            raise _LargeNetworks
        return make_next(**arguments)

    with tf.variable_creator_scope(make):
        yield


def _check_memory(recipe, model):
    """Raises a `UserError` where training would fill the machine's memory, of which the system tells by a kill."""
    size = 0
    for player in model.players:
        name = _optimizer_options(recipe, player, model)[1]["name"]
        numbers = sum(math.prod(weight.shape) for weight in model.variables_of(player))
        # Weights, their gradients, and the averages that the optimizer keeps of these.
        size += 4 * numbers * (2 + _AVERAGES.get(name, 2))
    _check_size(recipe, size, "Weights, gradients and optimizers")


def _check_size(recipe, size, what):
    # GPUs have memory of their own.
    if not tf.config.get_visible_devices("GPU"):
        networks = ", ".join(f"{role} {network}" for role, network in recipe.networks.items())
        check_fits(size, f"{what} of these networks", f"Make them smaller: {networks}.")


def _build_place(role):
    return _BUILD_ORDER.index(role) if role in _BUILD_ORDER else len(_BUILD_ORDER)


def _scheme_arguments(recipe, scheme, data_fields):
    """What a recipe's scheme is constructed with, besides its networks and the seed."""
    _, options = _split(recipe.scheme)
    takes = _arguments(scheme)
    offered = scheme.scheme_arguments(data_fields)
    given = {key: value for key, value in offered.items() if key in takes}
    _check_arguments("scheme", options, takes - {*scheme.network_names(), "latent_dim", "seed", "name", *offered})
    if recipe.ema:
        if "ema" not in takes:
            raise UserError(
                f"The scheme {recipe.scheme['name']!r} keeps no average of its weights: leave ema at 0. Received: "
                f"{recipe.ema!r}."
            )
        given["ema"] = recipe.ema
    return given | options


def _split(choice):
    options = dict(choice)
    return options.pop("name"), options


def _check_networks(recipe, scheme):
    """Raises a `UserError` unless the recipe has the networks that its scheme takes, and no other."""
    named = set(recipe.networks)
    if named != set(scheme.network_names()):
        raise UserError(
            f"The scheme {recipe.scheme['name']!r} takes the networks {', '.join(sorted(scheme.network_names()))}. "
            f"Received: {', '.join(sorted(named)) or 'none'}."
        )


def _network(choice, role, offered):
    name, options = _split(choice)
    function = registry.networks[name]
    takes = _arguments(function)
    parameter = inspect.signature(function).parameters.get("class_count")
    may_see_none = parameter is not None and parameter.default is not parameter.empty
    if may_see_none and not options.get("conditioning") and options.get("head", "score") == "score":
        # It sees labels only where the recipe says how.
        offered = {key: value for key, value in offered.items() if key != "class_count"}
    given = {key: value for key, value in offered.items() if key in takes}
    _check_arguments(role, options, takes - set(given))
    return _made(function, f"The network {name!r} as the {role}", given, options)


def _made(function, what, given, options):
    """function(**given, **options), in which a value that makes no sense is a user's mistake."""
    try:
        return function(**given, **options)
    except UserError:
        raise
    except (TypeError, ValueError, ZeroDivisionError, OverflowError, MemoryError, tf.errors.OpError) as error:
        said = ", ".join(f"{key}={value!r}" for key, value in options.items()) or "no options"
        raise UserError(f"{what} cannot be made with {said}. The reason: {reason_of(error)}") from error


def optimizers_in_full(recipe: Recipe, model: AdversarialModel) -> dict[str, dict]:
    """{player: {"name", every argument that is not None}}: a recipe's optimizers, with what it leaves to others."""
    full = {}
    for player in model.players:
        optimizer, options = _optimizer_options(recipe, player, model)
        arguments = {key: value for key, value in options.items() if key != "name"}
        made = {key: value for key, value in optimizer(**arguments).get_config().items() if value is not None}
        full[player] = {**made, **options}
        # As short as float32 knows it.
        full[player]["learning_rate"] = float(str(np.float32(full[player]["learning_rate"])))
    return full


def _optimizer_options(recipe, player, model):
    """(class, {"name": ..., its arguments}) of a player's optimizer, the rate without its schedule."""
    given = recipe.optimizers.get(player, {})
    if "name" in given:
        name = given["name"]
        # The fused kernel gives Keras's result, faster.
        return Adam if name == "adam" else optimizers.class_named(name), dict(given)
    default = model.default_optimizers()[player]
    known = {key: value for key, value in default.get_config().items() if key != "name" and value is not None}
    return type(default), {"name": type(default).__name__.lower(), **known, **given}


def _optimizer(recipe, player, model):
    optimizer, options = _optimizer_options(recipe, player, model)
    options.pop("name")
    _check_arguments(f"optimizers.{player}", options, _arguments(optimizer))
    optimizers.check_options(f"optimizers.{player}.", options)
    moves = model.steps_of(player, recipe.steps) * (model.batches_per_step() if player == "discriminator" else 1)
    if recipe.learning_rate_schedule != "constant":
        options["learning_rate"] = _schedule(recipe.learning_rate_schedule, options["learning_rate"], moves)
    return _made(optimizer, f"The optimizer of {player}", {}, options)


def _schedule(name, rate, moves):
    """The rate over so many moves of a player, of whom one that never moves, such as a fixed encoder, has one too."""
    steps = max(1, moves)
    if name == "cosine":
        return keras.optimizers.schedules.CosineDecay(rate, steps)
    if name == "halving":
        return keras.optimizers.schedules.ExponentialDecay(rate, max(1, steps // 4), 0.5, staircase=True)
    return keras.optimizers.schedules.PolynomialDecay(rate, steps, end_learning_rate=0.0)


def _arguments(callable_):
    """Names that a function takes, or a class and those bases that it hands further ones on to."""
    if inspect.isclass(callable_):
        owners = [vars(base)["__init__"] for base in callable_.__mro__[:-1] if "__init__" in vars(base)]
    else:
        owners = [callable_]
    names = set()
    for owner in owners:
        parameters = inspect.signature(owner).parameters.values()
        names |= {p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
        if not any(p.kind == p.VAR_KEYWORD for p in parameters):
            break
    return names - {"self"}


def _check_arguments(where, options, known):
    for key in options:
        if key not in known:
            close = nearest(key, known)
            hint = f" Did you mean {' or '.join(f'{where}.{name}' for name in close)}?" if close else ""
            raise UserError(f"Unknown setting '{where}.{key}'.{hint} Known: {', '.join(sorted(known))}.")
