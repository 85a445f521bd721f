"""What of a model's data is needed to build it anew: its fields, as JSON and back."""

from collections.abc import Mapping
from typing import Any

from keras_gans.engine.base import AdversarialModel
from keras_gans.engine.text_reading import ReadTexts
from keras_gans.errors import UserError
from keras_gans.fields import Classes, Field, Images, Points, Texts
from keras_gans.layers import Tokenizer

_SHAPED = {"images": Images, "points": Points}


def fields_of(model: AdversarialModel) -> dict[str, dict[str, Any]]:
    """{field of the scheme's `takes`: what it holds}, as JSON takes it; `fields_in` reads it.

    Raises:
        UserError: a field of a kind of the user's own.
    """
    return {name: _described(model, name, field) for name, field in model.fields().items()}


def _described(model, name, field):
    kind = next((kind for kind, known in _SHAPED.items() if type(field) is known), None)
    if kind is not None:
        return {"kind": kind, "shape": list(field.shape)}
    if type(field) is Classes:
        prior = field.prior or tuple(getattr(model, "class_prior", None) or ()) if name == "label" else field.prior
        described = {"kind": "classes", "names": list(field.names), "allows_unlabelled": field.allows_unlabelled}
        return described | ({"prior": [float(share) for share in prior]} if prior else {})
    if isinstance(field, Texts):
        tokenizer = getattr(model, "tokenizer", None)
        if tokenizer is None:
            return {"kind": "texts", "vocabulary": list(field.vocabulary)}
        own = {"vocabulary": list(tokenizer.vocabulary), "length": tokenizer.length, "level": tokenizer.level}
        return {"kind": "texts", "texts": list(model.captions), "tokenizer": own}
    raise UserError(f"{name} is a {type(field).__name__}, and a preset holds images, points, classes or texts.")


def fields_in(described: Any) -> dict[str, Field]:
    """The fields that `fields_of` described.

    Raises:
        UserError: it is something else.
    """
    if not isinstance(described, Mapping):
        raise UserError(f"A preset's fields are an object of JSON. Received: {str(described)[:80]}.")
    try:
        return {str(name): _field(entry) for name, entry in described.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"A preset's fields cannot be read: {type(error).__name__} {str(error)[:200]}.") from None


def _field(entry):
    kind = entry["kind"]
    if kind in _SHAPED:
        shape = tuple(entry["shape"])
        if not all(type(size) is int and 1 <= size <= 4096 for size in shape) or not 1 <= len(shape) <= 3:
            raise UserError(f"A sample has one to three sizes from 1 to 4,096. Received: {str(shape)[:80]}.")
        return _SHAPED[kind](shape)
    if kind == "classes":
        prior = entry.get("prior")
        names = tuple(map(str, entry["names"]))
        return Classes(names, bool(entry["allows_unlabelled"]), None if prior is None else tuple(map(float, prior)))
    if kind == "texts" and "tokenizer" in entry:
        known = entry["tokenizer"]
        tokenizer = Tokenizer(tuple(map(str, known["vocabulary"])), known["length"], str(known["level"]))
        return ReadTexts(tuple(map(str, entry["texts"])), tokenizer=tokenizer)
    if kind == "texts":
        return Texts(vocabulary=tuple(map(str, entry["vocabulary"])))
    raise UserError(f"A preset's fields are images, points, classes or texts. Received: {str(kind)[:80]!r}.")
