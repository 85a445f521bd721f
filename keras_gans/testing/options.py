"""Every option of a scheme's constructor is kept and does something."""

import inspect
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_gans.engine.base import AdversarialModel
from keras_gans.errors import UserError
from keras_gans.testing.answering import answers, examples
from keras_gans.testing.subject import ROWS, Factory, built, differ, one_step, scheme_name, step_starts, trainable

# A model's name is for people.
_WITHOUT_EFFECT = ("name",)
# What follows from a first step, such as a balance of the players, shows in the second.
_STEPS = 2


def check_every_option_is_kept_and_has_an_effect(factory: Factory) -> None:
    """Each argument of the constructor reaches `get_config`, and another value of it trains or samples otherwise.

    Numbers are doubled, halved and shifted, lists likewise, and flags are flipped. What else an option may be, such as
    one of several names, the scheme says in `option_examples`, {option: values}. Where the scheme refuses a value with
    a `UserError`, others are tried, and together with other values of the other options. An option whose other values
    are all refused fails, unless they are those of `option_examples`: then the refusal is the effect.
    """
    model = built(factory)
    options = _options(model)
    config = model.get_config()
    missing = sorted(set(options) - config.keys())
    assert not missing, f"get_config() holds every argument of the constructor. Found: {', '.join(missing)} missing."
    base = _Trained(model, {}, _places(model))
    for option in options:
        if option not in _WITHOUT_EFFECT:
            _check_option(model, base, option)


def _check_option(model: AdversarialModel, base: "_Trained", option: str) -> None:
    refused: list[str] = []
    for others, value in _settings(model, option, refused):
        try:
            changed = _Trained(model, {**others, option: value}, base.places)
            before = _Trained(model, others, base.places) if others else base
            changed.after(1)
            before.after(1)
        except UserError as error:
            # Some mistakes show only in training.
            refused.append(str(error))
            continue
        kept = getattr(changed.model, option)
        assert _plain(kept) == _plain(value) and _plain(changed.model.get_config()[option]) == _plain(value), (
            f"get_config() holds the option {option!r} as it was given. Found: {kept!r} in place of {value!r}."
        )
        assert changed.differs_from(before), (
            f"The option {option!r} of {scheme_name(model)} has an effect. Found: {value!r} in place of "
            f"{getattr(before.model, option)!r} trains the same weights and gives the same answers."
        )
        return
    stated = option in _examples(model)
    assert stated and refused, (
        f"{scheme_name(model)} takes another value of {option!r} than {getattr(model, option)!r}. Found: "
        f"{refused[0] if refused else 'nothing to try in its place.'} Say in option_examples = {{{option!r}: (...)}} "
        "which values it may have."
    )


def _places(model: AdversarialModel) -> list[int]:
    """The numbers of steps taken before those steps that are compared: the first ones of each phase."""
    return [start + further for start in step_starts(model) for further in range(_STEPS)]


def _settings(model: AdversarialModel, option: str, refused: list[str]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Pairs (other options, value of this one) that the constructor takes; why not the rest goes to `refused`."""
    for others in _other_settings(model, option):
        for value in _values(model, option):
            try:
                # Networks are shared: what is made here never trains.
                type(model)(**{**_arguments(model), **others, option: value})
                if others:
                    type(model)(**{**_arguments(model), **others})
            except UserError as error:
                refused.append(str(error))
                continue
            yield others, value


def _other_settings(model: AdversarialModel, option: str) -> Iterator[dict[str, Any]]:
    yield {}
    for other in _options(model):
        if other not in (option, "seed", *_WITHOUT_EFFECT):
            for value in _values(model, other):
                yield {other: value}


def _examples(model: AdversarialModel) -> dict[str, tuple]:
    """`option_examples` of the scheme and of all its bases."""
    found: dict[str, tuple] = {}
    for base in reversed(type(model).__mro__):
        found |= vars(base).get("option_examples", {})
    return {option: values() if callable(values) else values for option, values in found.items()}


def _options(model: AdversarialModel) -> list[str]:
    """Names of the constructor's arguments, through its bases, without the networks."""
    lineage = type(model).__mro__[: type(model).__mro__.index(AdversarialModel) + 1]
    constructors = [vars(base)["__init__"] for base in lineage if "__init__" in vars(base)]
    parameters = [p for constructor in constructors for p in inspect.signature(constructor).parameters.values()]
    names = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return [name for name in dict.fromkeys(names) if name not in ("self", *model.network_names())]


def _arguments(model: AdversarialModel) -> dict[str, Any]:
    return {name: getattr(model, name) for name in (*model.network_names(), *_options(model))}


def _values(model: AdversarialModel, option: str) -> list[Any]:
    """Other values that the option might have."""
    value = getattr(model, option)
    found = list(_examples(model).get(option, ())) or _derived(value)
    return [other for other in found if _plain(other) != _plain(value)]


def _derived(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, 2 * value, 1]
    if isinstance(value, float):
        return [2.0 * value, 0.5 * value, 0.5, 1.0]
    if isinstance(value, list | tuple) and value and all(isinstance(entry, int | float) for entry in value):
        # The last one keeps the sum, as shares of a whole need.
        moved = [value[0] / 2, *value[1:-1], value[-1] + value[0] / 2]
        return [type(value)(entries) for entries in ([2 * entry for entry in value], value[::-1], moved)]
    if isinstance(value, list | tuple) and value and all(isinstance(entry, str) for entry in value):
        return [type(value)(f"{entry} 2" for entry in value)]
    return []


def _plain(value: Any) -> Any:
    """A value as a file holds it, so that a list equals a tuple."""
    value = keras.saving.serialize_keras_object(value)
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        value = value["config"]["value"] if isinstance(value["config"], dict) else value["config"]
    return list(value) if isinstance(value, tuple) else value


class _Trained:
    """The model with some options changed and the same weights, which trains as far as the comparison needs.

    The k-th step is taken as if `places[k]` others had been taken before.
    """

    def __init__(self, model: AdversarialModel, changes: dict[str, Any], places: list[int]):
        self.places = places
        changed = {name: keras.saving.serialize_keras_object(value) for name, value in changes.items()}
        self.model = type(model).from_config({**model.get_config(), **changed})
        for network in model.network_names():
            getattr(self.model, network).set_weights(getattr(model, network).get_weights())
        self.model.compile_from_config(model.get_compile_config())
        self.steps: list[list[np.ndarray]] = []

    def after(self, steps: int) -> list[np.ndarray]:
        """The trainable weights after so many steps."""
        while len(self.steps) < steps:
            rows = self.model.example_batch(ROWS * self.model.batches_per_step(), len(self.steps))
            self.model.step.assign(self.places[len(self.steps)])
            one_step(self.model, rows)
            self.steps.append(trainable(self.model))
        return self.steps[steps - 1]

    def differs_from(self, other: "_Trained") -> bool:
        for steps in range(1, len(self.places) + 1):
            if differ(self.after(steps), other.after(steps)):
                return True
        # Names of classes and the like.
        if self.model.fields() != other.model.fields():
            return True
        return any(self._answers_otherwise(other, signature) for signature in self.model.endpoints())

    def _answers_otherwise(self, other: "_Trained", signature: str) -> bool:
        inputs = examples(self.model, signature)
        ours, theirs = (answers(each.model, signature, inputs) for each in (self, other))
        return any(not np.array_equal(ours[name], theirs[name]) for name in ours)
