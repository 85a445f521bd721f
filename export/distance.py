"""What a .tflite file of fewer bits costs in the Fréchet distance to the data."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_gans.data import Source, hold_out, open_source
from keras_gans.errors import UserError
from keras_gans.fields import Classes
from keras_gans.metrics.evaluate import Evaluation

from .sampling import EdgeGenerator

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


_MEASURE = "frechet_distance"


def data_of(recipe: dict[str, Any], model: "AdversarialModel") -> Source:
    """The data of a run's recipe, without what was held out, for a model that makes images.

    Raises:
        UserError: the model makes something else, or the data cannot be opened.
    """
    if model.makes is None or not getattr(model, "makes_images", False):
        raise UserError(f"The Fréchet distance is of images, which {type(model).__name__} does not draw.")
    has_labels = (Classes,) in type(model).takes.values()
    options = {key: recipe.get(key) for key in ("image_size", "channels")}
    return hold_out(open_source(recipe["data"], **options, labels=has_labels), recipe.get("hold_out", 0.0))


def measure_changes(
    model: "AdversarialModel", source: Source, samples: int, report: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """Measures a model's samples and those of each of its generator's .tflite files, of the same seeds.

    Args:
        model: the model.
        source: its data.
        samples: how many to draw each time.
        report: of the version, with "tflite".
        folder: of the version.

    Returns:
        {"model": the model's distance, "standard_error" of it or None, "protocol", "changes": {kind: by how much its
        distance is larger}}.
    """
    evaluation = Evaluation(source, [_MEASURE], samples)
    (own,) = evaluation.of(model)
    changes = {}
    for kind, entry in report.get("tflite", {}).items():
        (score,) = evaluation.of(EdgeGenerator(folder / entry["file"], report))
        changes[kind] = score.value - own.value
    return {
        "model": own.value,
        "standard_error": own.standard_error,
        "protocol": own.protocol.to_dict(),
        "changes": changes,
    }
