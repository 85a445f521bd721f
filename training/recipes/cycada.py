"""CyCADA: digits that stay the same digits over photographs.

keras-gans train cycada
"""

from ..recipe import Recipe, recipe
from .cyclegan import cyclegan_digits_over_photographs


@recipe
def cycada() -> "Recipe":
    """Not measured yet."""
    plain = cyclegan_digits_over_photographs()
    classifier = {"name": "image_classifier", "base_filters": 32}
    return plain.replace(
        summary="digits over photographs that a classifier must find unchanged",
        source="Hoffman et al. 2018",
        scheme={**plain.scheme, "name": "cycada", "semantic_weight": 1.0, "classifier_steps": 500},
        networks={**plain.networks, "classifier_a": classifier, "classifier_b": classifier},
        optimizers={**plain.optimizers, "classifiers": {"name": "adam", "learning_rate": 1e-3}},
    )
