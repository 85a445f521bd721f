"""Which presets there are, read without TensorFlow, and one of them as a model."""

from typing import TYPE_CHECKING

from keras_gans.registry import readers
from keras_gans.runs import published

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


def names() -> dict[str, str]:
    """The presets that come along.

    Returns:
        {name, as `load_preset` takes it: what it draws or does, in a few words}.
    """
    return {name: str(published.described(folder).get("draws")) for name, folder in published.packaged().items()}


def load_preset(name: str) -> "AdversarialModel":
    """The trained model of a preset that comes along: no training, no network.

    Args:
        name: one of `names()`, such as "dcgan_digits".

    Returns:
        The compiled `AdversarialModel`, at the step that it was trained to. Its optimizers begin anew.

    Raises:
        UserError: there is no such preset, with the nearest that there is; or it is damaged.
    """
    return readers[published.MODEL](published.packaged_folder(str(name)))
