"""A recipe: everything that decides what a training run computes."""

import dataclasses
import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keras_gans.checks import check_whole
from keras_gans.data.naming import is_embedded, is_known_to_tfds
from keras_gans.data.source import check_labels_per_class
from keras_gans.errors import UserError, nearest, unknown_name
from keras_gans.registry import Registry
from keras_gans.runs.own_module import import_module

PRECISIONS = ("float32", "bfloat16", "float16")
SCHEDULES = ("constant", "linear", "cosine", "halving")
# Before there were any others, a network stood in recipe.json under its role.
_OLD_ROLES = ("generator", "encoder", "decoder", "discriminator", "class_discriminator")

recipes = Registry("recipe", "keras_gans.training.recipes")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to train, on what, and how.

    Attributes:
        name: of the recipe, that of its function; "MODULE:NAME" where the function is in a module of the user's own.
        summary: one line for people.
        chosen: why it was chosen, where nobody named a recipe; see `choosing`.
        source: the paper, with its year.
        scheme: {"name": a registered scheme, further arguments of its class}.
        networks: {role: {"name": a registered network, further arguments of its function}}, for each network that the
            scheme's constructor takes.
        optimizers: {player: {"name": a Keras optimizer, its arguments}}; the scheme's own for players left out, and
            its own with the arguments given where there is no name. A run's recipe.json has all of them in full.
        data: a data set's name, a folder of images, or whatever else `keras_gans.data.open_source` takes as text.
        image_size: height and width in pixels; None keeps the data's own (64 for folders).
        channels: 1 or 3; None keeps the data's own.
        hold_out: share of the rows that is set aside, before training, to measure with; of data that have no split
            "test" or "validation" of their own. 0 trains on all.
        skip_unreadable: whether image files of a folder that cannot be read are left out, and named; else they end the
            run before it begins.
        batch_size: real samples that one update of the discriminator sees, over all devices.
        batch_tokens: for schemes that translate sentences, batches of pairs of like lengths instead, as many as have so
            many tokens of either language, padding counted; None takes `batch_size` pairs of any length.
        steps: updates of the generator.
        latent_dim: size of a latent.
        tokenizer: options of the tokenizer that a scheme of texts makes of the data's, such as {"level": "character"};
            see `layers.Tokenizer.of`.
        labels_per_class: how many items of each class keep their label, on average, for schemes that learn from few;
            None keeps all.
        ema: decay of an average of the generator's weights, with which the model samples and is exported; 0 for none.
        learning_rate_schedule: "constant"; "linear" or "cosine" from the rate to 0 over the run; "halving" after each
            quarter of it.
        seed: of weights, data order and latents.
        precision: "float32", "bfloat16" or "float16" for the networks' inner arithmetic.
        steps_per_execution: training steps that run without a return to Python, which is half of the time of a step
            of small dense networks. It changes nothing that is computed or written; see `executions.steps_at_once`.
        log_every, picture_every, checkpoint_every: steps.
        evaluate_every: steps between measurements of the samples, see `callbacks.Evaluate`; None measures none.
        best: the figure by which the best checkpoint is kept where samples are measured; the Fréchet distance of
            images and the modes covered of points unless given.
        keep_checkpoints: the newest so many are kept.
    """

    name: str = ""
    summary: str
    chosen: str = ""
    source: str
    scheme: dict
    networks: dict = dataclasses.field(default_factory=dict)
    optimizers: dict = dataclasses.field(default_factory=dict)
    data: str = "digits"
    image_size: int | None = None
    channels: int | None = None
    hold_out: float = 0.1
    skip_unreadable: bool = False
    batch_size: int = 64
    batch_tokens: int | None = None
    steps: int = 3000
    latent_dim: int = 100
    tokenizer: dict = dataclasses.field(default_factory=dict)
    labels_per_class: float | None = None
    ema: float = 0.0
    learning_rate_schedule: str = "constant"
    seed: int = 0
    precision: str = "float32"
    steps_per_execution: int = 1
    log_every: int = 50
    picture_every: int = 250
    checkpoint_every: int = 500
    evaluate_every: int | None = None
    best: str | None = None
    keep_checkpoints: int = 3

    def __post_init__(self):
        for field in ("batch_size", "steps", "latent_dim", "log_every", "picture_every", "checkpoint_every"):
            _require_positive(field, getattr(self, field))
        for field in ("keep_checkpoints", "steps_per_execution"):
            _require_positive(field, getattr(self, field))
        for field in ("image_size", "evaluate_every", "batch_tokens"):
            if getattr(self, field) is not None:
                _require_positive(field, getattr(self, field))
        if isinstance(self.hold_out, bool) or not isinstance(self.hold_out, int | float) or not 0 <= self.hold_out < 1:
            raise UserError(
                f"hold_out is a share of the data from 0 to below 1, such as 0.1. Received: {self.hold_out!r}."
            )
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or not 0 <= self.seed < 2**32:
            raise UserError(f"seed is a whole number from 0 to 2**32 - 1. Received: {self.seed!r}.")
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

    def replace(self, **changes: Any) -> "Recipe":
        """A copy with some fields changed; a name that is no field is a network's role, and None takes that away."""
        fields = {field.name for field in dataclasses.fields(self)}
        roles = {name: value for name, value in changes.items() if name not in fields}
        for name, value in roles.items():
            if value is not None and not isinstance(value, Mapping):
                raise unknown_name("recipe field", name, fields)
        changes = {name: value for name, value in changes.items() if name in fields}
        if roles:
            changed = {**changes.get("networks", self.networks), **roles}
            changes["networks"] = {role: network for role, network in changed.items() if network is not None}
        return dataclasses.replace(self, **changes)

    def to_json(self) -> str:
        """The recipe as indented JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Recipe":
        """The recipe that `to_json` wrote, from its parsed JSON, or that an earlier version wrote."""
        if not isinstance(fields, Mapping):
            raise UserError(
                f"A recipe is an object of JSON, with fields such as scheme and steps. Received: {fields!r}."
            )
        # Before there was a choice, all rows were trained on.
        fields = {"hold_out": 0.0, **fields}
        old = {role: network for role in _OLD_ROLES if (network := fields.pop(role, None)) is not None}
        known = {field.name for field in dataclasses.fields(cls)}
        for name in fields:
            if name not in known:
                raise unknown_name("recipe field", name, known)
        missing = [name for name in ("summary", "source", "scheme") if name not in fields]
        if missing:
            raise UserError(f"A recipe needs the fields summary, source and scheme. Missing: {', '.join(missing)}.")
        return cls(**fields, **({"networks": old} if old else {}))


def _require_positive(name, value):
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UserError(f"{name} must be a whole number of 1 or more. Received: {value!r}.")
    check_whole(name, value)


def recipe(function: Callable[[], Recipe]) -> Callable[[], Recipe]:
    """Decorator: files the recipe that `function()` returns under the function's name."""

    @functools.wraps(function)
    def with_name() -> Recipe:
        return function().replace(name=function.__name__)

    return recipes.register(function.__name__)(with_name)


def named(name: str) -> Recipe:
    """The recipe of that name.

    Args:
        name: of a recipe that comes along; or "MODULE:NAME" of one in a module of the user's own, which is imported
            from the working directory or wherever Python finds it.

    Raises:
        UserError: there is none, such as where it is a folder or a data set, or the module cannot be imported.
    """
    module, separator, function = name.rpartition(":")
    if not separator:
        if name not in recipes and _names_data(name):
            raise UserError(
                f"{name!r} is no recipe but data. Say so, and a recipe that fits them is chosen: "
                f"keras-gans train --data {name}"
            )
        return recipes[name]()
    before = set(recipes)
    import_module(module)
    if function not in recipes:
        raise unknown_name(f"recipe of {module}", function, set(recipes) - before or recipes)
    return recipes[function]().replace(name=name)


def _names_data(name):
    return is_embedded(name) or Path(name).expanduser().is_dir() or is_known_to_tfds(name)


def all_names() -> list[str]:
    """Names of all recipes, in the order of the files' definitions."""
    return recipes.in_order()


def flatten(fields: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, with dotted keys."""
    flat = {}
    for key, value in fields.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def settings_of(chosen: Recipe) -> dict[str, Any]:
    """All settings of a recipe by their dotted keys, as `--set` takes them; a network's begin with its role."""
    flat = flatten(dataclasses.asdict(chosen))
    return {key.removeprefix("networks."): value for key, value in flat.items()}


def parse_assignment(text: str) -> tuple[str, Any]:
    """("a.b", value) of "a.b=value", the value as JSON where it is JSON and as a string elsewhere.

    Raises:
        UserError: there is no "=", or the value has the brackets of a dictionary or list and is no JSON.
    """
    key, separator, raw = text.partition("=")
    if not separator or not key:
        raise UserError(f"--set takes key=value, such as --set latent_dim=64. Received: {text!r}.")
    plain = {"none": None, "true": True, "false": False}
    if raw.lower() in plain:
        return key, plain[raw.lower()]
    try:
        return key, json.loads(raw)
    except RecursionError:
        raise UserError(f"--set {key}=... is nested too deeply. Received: {raw[:40]}...") from None
    except json.JSONDecodeError:
        if raw[:1] + raw[-1:] in ("{}", "[]"):
            raise UserError(
                f'--set {key}=... takes dictionaries and lists as JSON, such as {{"flip": true}} or [64, 128], with '
                f"double quotes. Received: {raw}."
            ) from None
        return key, raw


def with_settings(chosen: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """The recipe with settings of the form {"latent_dim": 64, "generator.base_filters": 32}.

    A key under `scheme`, one of the recipe's networks or `optimizers.PLAYER` may be new: it is an argument of what the
    dictionary names, which checks it. One that is a dictionary, such as an augmentation, is replaced as a whole or, as
    `discriminator.augmentation.flip`, in part.

    Raises:
        UserError: an unknown key, or a value of another type than the one it replaces.
    """
    fields = dataclasses.asdict(chosen)
    for key, value in settings.items():
        *path, last = key.split(".")
        if path and path[0] in fields["networks"]:
            path.insert(0, "networks")
        holder = fields
        for part in path:
            if holder is fields["optimizers"] and not chosen.optimizers:
                # All players have the scheme's own, whose arguments may be set; which they are is known later.
                holder.setdefault(part, {})
            holder = holder.get(part) if isinstance(holder, dict) else None
        is_argument = path[:1] == ["scheme"] or (path[:1] == ["networks"] and len(path) > 1)
        if not isinstance(holder, dict) or (last not in holder and not path):
            raise _unknown_key(key, chosen)
        if isinstance(holder.get(last), dict) and not is_argument:
            raise _unknown_key(key, chosen)
        if path in (["optimizers"], ["networks"]) or key in ("networks", "optimizers"):
            raise _unknown_key(key, chosen)
        _check_type(key, holder.get(last), value)
        # Whole numbers are fine where a recipe has a fraction, such as gradient_penalty_weight=10.
        holder[last] = float(value) if isinstance(holder.get(last), float) and isinstance(value, int) else value
    return Recipe.from_dict(fields)


def _check_type(key, old, new):
    if old is None or new is None:
        return
    if key == "labels_per_class":
        # Of all classes together they are a whole number; `check_labels_per_class` has the rest.
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


def _unknown_key(key, chosen):
    known = settings_of(chosen)
    close = nearest(key, known)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return UserError(f"Unknown setting {key!r}.{hint} Known: {', '.join(known)}.")


def differences(old: Recipe, new: Recipe) -> list[str]:
    """Lines "key: old -> new" of the settings in which two recipes differ."""
    before, after = settings_of(old), settings_of(new)
    keys = sorted(set(before) | set(after))
    return [f"{key}: {before.get(key)!r} -> {after.get(key)!r}" for key in keys if before.get(key) != after.get(key)]
