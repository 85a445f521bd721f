"""From a recipe to a compiled model."""

import inspect

import keras
import numpy as np

from keras_gans import registry
from keras_gans.errors import UserError, nearest
from keras_gans.optimizers import Adam

_CLASSES = ("class_count", "class_names", "class_prior")


def scheme_of(recipe):
    """The class of a recipe's scheme."""
    return registry.schemes[recipe.scheme["name"]]


def classes_of(source):
    """What a scheme needs to know of a data set's classes: {"class_count", "class_names", "class_prior"}.

    Args:
        source: a `keras_gans.data.Source`.

    Raises:
        UserError: it has no labels.
    """
    source.require_labels()
    counts = np.bincount(source.labels, minlength=source.class_count)
    return {
        "class_count": source.class_count,
        "class_names": source.class_names,
        "class_prior": (counts / counts.sum()).tolist(),
    }


def build_model(recipe, sample_shape, classes=None):
    """The recipe's scheme with its networks and optimizers, compiled.

    Args:
        recipe: a `Recipe`.
        sample_shape: (height, width, channels) of an image, or (d,) of a point.
        classes: see `classes_of`; for schemes that train on labels.

    Returns:
        AdversarialModel.

    Raises:
        UserError: an argument that a network, the scheme or an optimizer does not take.
    """
    keras.utils.set_random_seed(recipe.seed)
    policy = recipe.precision if recipe.precision == "float32" else f"mixed_{recipe.precision}"
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    count = {} if classes is None else {"class_count": classes["class_count"]}
    try:
        generator = _network(recipe.generator, "generator", sample_shape, count, latent_dim=recipe.latent_dim)
        discriminator = _network(recipe.discriminator, "discriminator", sample_shape, count)
    finally:
        keras.config.set_dtype_policy(before)
    _, options = _split(recipe.scheme)
    scheme = scheme_of(recipe)
    takes = _arguments(scheme)
    _check_arguments("scheme", options, takes - {"generator", "discriminator", "latent_dim", "seed", "name", *_CLASSES})
    given = {key: value for key, value in (classes or {}).items() if key in takes}
    given |= {"ema": recipe.ema} if recipe.ema else {}
    model = scheme(generator, discriminator, recipe.latent_dim, seed=recipe.seed, **given, **options)
    model.compile(optimizers={player: _optimizer(recipe, player, model) for player in recipe.optimizers})
    return model


def _split(choice):
    options = dict(choice)
    return options.pop("name"), options


def _network(choice, role, sample_shape, count, **given):
    name, options = _split(choice)
    function = registry.networks[name]
    if options.get("conditioning") or options.get("head", "score") != "score":
        given |= count
    _check_arguments(role, options, _arguments(function) - set(given) - {"sample_shape", "image_shape"})
    return function(sample_shape, **given, **options)


def _optimizer(recipe, player, model):
    name, options = _split(recipe.optimizers[player])
    steps = recipe.steps * (model.batches_per_step() if player == "discriminator" else 1)
    if recipe.learning_rate_schedule != "constant":
        options["learning_rate"] = _schedule(recipe.learning_rate_schedule, options["learning_rate"], steps)
    # The fused kernel gives Keras's result, faster.
    optimizer = Adam if name == "adam" else type(keras.optimizers.get(name))
    _check_arguments(f"optimizers.{player}", options, _arguments(optimizer))
    return optimizer(**options)


def _schedule(name, rate, steps):
    if name == "cosine":
        return keras.optimizers.schedules.CosineDecay(rate, steps)
    return keras.optimizers.schedules.PolynomialDecay(rate, steps, end_learning_rate=0.0)


def _arguments(callable_):
    """Names that a function takes, or a class through its bases."""
    owners = [base.__init__ for base in callable_.__mro__[:-1]] if inspect.isclass(callable_) else [callable_]
    parameters = [p for owner in owners for p in inspect.signature(owner).parameters.values()]
    return {p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)} - {"self"}


def _check_arguments(where, options, known):
    for key in options:
        if key not in known:
            close = nearest(key, known)
            hint = f" Did you mean {' or '.join(f'{where}.{name}' for name in close)}?" if close else ""
            raise UserError(f"Unknown setting '{where}.{key}'.{hint} Known: {', '.join(sorted(known))}.")
