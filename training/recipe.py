"""A recipe: everything that decides what a training run computes."""

import dataclasses
import json

from keras_gans.data.source import check_labels_per_class
from keras_gans.errors import UserError, nearest, unknown_name

PRECISIONS = ("float32", "bfloat16", "float16")
SCHEDULES = ("constant", "linear", "cosine", "halving")
# The networks that a recipe may name, in the order in which they are built.
NETWORKS = ("generator", "encoder", "decoder", "discriminator", "class_discriminator")

_recipes = {}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What to train, on what, and how.

    Attributes:
        name: of the recipe.
        summary: one line for people.
        source: the paper, with its year.
        scheme: {"name": a registered scheme, further arguments of its class}.
        optimizers: {player: {"name": a Keras optimizer, its arguments}}.
        generator: {"name": a registered network, further arguments of its function}; None where the scheme has none.
        encoder, decoder, discriminator, class_discriminator: the same for each of these; a decoder is of the same kind
            as a generator, and a class_discriminator as a discriminator.
        data: a data set's name, or a folder of images.
        image_size: height and width in pixels; None keeps the data's own (64 for folders).
        channels: 1 or 3; None keeps the data's own.
        batch_size: real samples that one update of the discriminator sees, over all devices.
        steps: updates of the generator.
        latent_dim: size of a latent.
        labels_per_class: how many items of each class keep their label, on average, for schemes that learn from few;
            None keeps all.
        ema: decay of an average of the generator's weights, with which the model samples and is exported; 0 for none.
        learning_rate_schedule: "constant"; "linear" or "cosine" from the rate to 0 over the run; "halving" after each
            quarter of it.
        seed: of weights, data order and latents.
        precision: "float32", "bfloat16" or "float16" for the networks' inner arithmetic.
        log_every, picture_every, checkpoint_every: steps.
        evaluate_every: steps between measurements of the samples, see `callbacks.Evaluate`; None measures none.
        best: the figure by which the best checkpoint is kept where samples are measured; the Fréchet distance of
            images and the modes covered of points unless given.
        keep_checkpoints: the newest so many are kept.
    """

    name: str
    summary: str
    source: str
    scheme: dict
    optimizers: dict
    generator: dict | None = None
    encoder: dict | None = None
    decoder: dict | None = None
    discriminator: dict | None = None
    class_discriminator: dict | None = None
    data: str = "digits"
    image_size: int | None = None
    channels: int | None = None
    batch_size: int = 64
    steps: int = 3000
    latent_dim: int = 100
    labels_per_class: float | None = None
    ema: float = 0.0
    learning_rate_schedule: str = "constant"
    seed: int = 0
    precision: str = "float32"
    log_every: int = 50
    picture_every: int = 250
    checkpoint_every: int = 500
    evaluate_every: int | None = None
    best: str | None = None
    keep_checkpoints: int = 3

    def __post_init__(self):
        for field in ("batch_size", "steps", "latent_dim", "log_every", "picture_every", "checkpoint_every"):
            _require_positive(field, getattr(self, field))
        _require_positive("keep_checkpoints", self.keep_checkpoints)
        for field in ("image_size", "evaluate_every"):
            if getattr(self, field) is not None:
                _require_positive(field, getattr(self, field))
        if self.labels_per_class is not None:
            check_labels_per_class(self.labels_per_class)
        if self.best is not None and self.evaluate_every is None:
            raise UserError(f"best needs evaluate_every, the steps between measurements. Received: best={self.best!r}.")
        if self.channels not in (None, 1, 3):
            raise UserError(f"channels must be 1, 3 or null for the data's own. Received: {self.channels!r}.")
        if self.precision not in PRECISIONS:
            raise unknown_name("precision", self.precision, PRECISIONS)
        if self.learning_rate_schedule not in SCHEDULES:
            raise unknown_name("learning rate schedule", self.learning_rate_schedule, SCHEDULES)

    def replace(self, **changes):
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_json(self):
        """The recipe as indented JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_dict(cls, fields):
        """The recipe that `to_json` wrote, from its parsed JSON."""
        known = {field.name for field in dataclasses.fields(cls)}
        for name in fields:
            if name not in known:
                raise unknown_name("recipe field", name, known)
        return cls(**fields)


def _require_positive(name, value):
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UserError(f"{name} must be a whole number of 1 or more. Received: {value!r}.")


def recipe(function):
    """Decorator: files the recipe that `function()` returns under the function's name."""
    if function.__name__ in _recipes:
        raise ValueError(f"There are two recipes named {function.__name__!r}.")
    _recipes[function.__name__] = function
    return function


def named(name):
    """The recipe of that name.

    Raises:
        UserError: there is none.
    """
    names = all_names()
    if name not in names:
        raise unknown_name("recipe", name, names)
    return _recipes[name]()


def all_names():
    """Names of all recipes, in the order of the files' definitions."""
    from . import recipes  # noqa: F401  importing it registers the recipes

    return list(_recipes)


def flatten(fields, prefix=""):
    """Nested dictionaries as one, with dotted keys."""
    flat = {}
    for key, value in fields.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def parse_assignment(text):
    """("a.b", value) of "a.b=value", the value as JSON where it is JSON and as a string elsewhere.

    Raises:
        UserError: there is no "=".
    """
    key, separator, raw = text.partition("=")
    if not separator or not key:
        raise UserError(f"--set takes key=value, such as --set latent_dim=64. Received: {text!r}.")
    plain = {"none": None, "true": True, "false": False}
    if raw.lower() in plain:
        return key, plain[raw.lower()]
    try:
        return key, json.loads(raw)
    except json.JSONDecodeError:
        return key, raw


def with_settings(chosen, settings):
    """The recipe with settings of the form {"latent_dim": 64, "generator.base_filters": 32}.

    A key under `scheme`, one of the recipe's networks or `optimizers.PLAYER` may be new: it is an argument of what the
    dictionary names, which checks it.

    Raises:
        UserError: an unknown key, or a value of another type than the one it replaces.
    """
    fields = dataclasses.asdict(chosen)
    for key, value in settings.items():
        *path, last = key.split(".")
        holder = fields
        for part in path:
            holder = holder.get(part) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or (last not in holder and not path) or isinstance(holder.get(last), dict):
            raise _unknown_key(key, fields)
        if path == ["optimizers"] or key in NETWORKS:
            raise _unknown_key(key, fields)
        _check_type(key, holder.get(last), value)
        # Whole numbers are fine where a recipe has a fraction, such as gradient_penalty_weight=10.
        holder[last] = float(value) if isinstance(holder.get(last), float) and isinstance(value, int) else value
    return Recipe.from_dict(fields)


def _check_type(key, old, new):
    if old is None or new is None:
        return
    numbers = (int, float)
    is_number = isinstance(new, numbers) and not isinstance(new, bool)
    fits = (
        is_number
        if isinstance(old, float)
        else isinstance(new, type(old)) and isinstance(new, bool) == isinstance(old, bool)
    )
    if isinstance(old, (list, tuple)):
        fits = isinstance(new, (list, tuple))
    if not fits:
        raise UserError(f"{key} is of type {type(old).__name__}, such as {old!r}. Received: {new!r}.")


def _unknown_key(key, fields):
    # Not the networks that this recipe does not have.
    known = [name for name in flatten(fields) if name not in NETWORKS]
    close = nearest(key, known)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return UserError(f"Unknown setting {key!r}.{hint} Known: {', '.join(known)}.")


def differences(old, new):
    """Lines "key: old -> new" of the settings in which two recipes differ."""
    old, new = flatten(dataclasses.asdict(old)), flatten(dataclasses.asdict(new))
    keys = sorted(set(old) | set(new))
    return [f"{key}: {old.get(key)!r} -> {new.get(key)!r}" for key in keys if old.get(key) != new.get(key)]
