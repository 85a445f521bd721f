"""CycleGAN with a semantic loss: a classifier of each domain must see the same class before and after.

Hoffman et al., "CyCADA: Cycle-Consistent Adversarial Domain Adaptation" (2018), https://arxiv.org/abs/1711.03213
"""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from keras_gans import losses
from keras_gans.checks import check_whole
from keras_gans.engine.base import register_scheme
from keras_gans.engine.phases import Phase
from keras_gans.engine.replicas import masked_mean
from keras_gans.errors import UserError
from keras_gans.fields import Classes, Field, Images
from keras_gans.hints import Tensor
from keras_gans.optimizers import Adam
from keras_gans.penalties import check_weight
from keras_gans.schemes.cyclegan import CycleGAN


@register_scheme("cycada")
class CyCADA(CycleGAN):
    """CycleGAN's objective + w [CE(f_B(G(a)), y(a)) + CE(f_A(F(b)), y(b))] (equation 4).

    y is the class before: the label, or where there is none what the classifier of the image's own domain sees.

    The classifiers learn from the labelled images of their own domain, and from no translation, during the first
    `classifier_steps`; from then on they are fixed. The paper has one
    classifier, of the source domain, whose views of the other domain are poor to begin with; here each domain has its
    own, and rows without a label (-1) teach none.

    Curves: CycleGAN's; `semantic_loss`, the sum of both terms; `classifier_accuracy_a` and `_b`, the shares of the
    labelled images of a batch that are classified as labelled.

    Args:
        a_to_b, b_to_a, discriminator_a, discriminator_b: see `CycleGAN`.
        classifier_a, classifier_b: keras.Model, images of a domain -> raw class logits (batch, class_count), without
            batch normalization, which would go on changing.
        class_count: number of classes.
        class_names: of the classes, for people.
        semantic_weight: w.
        classifier_steps: steps after which the classifiers are fixed; 0 for classifiers that have learned before.
        **kwargs: as `CycleGAN`.

    Raises:
        UserError: as `CycleGAN`; a classifier of other images or another number of classes; or numbers out of range.
    """

    takes = {"image_a": (Images,), "label_a": (Classes,), "image_b": (Images,), "label_b": (Classes,)}
    players = CycleGAN.players | {"classifiers": ("classifier_a", "classifier_b")}
    allows_unlabelled = True
    option_examples = {"classifier_steps": (0,)}
    log_names = (*CycleGAN.log_names, "semantic_loss", "classifier_accuracy_a", "classifier_accuracy_b")

    def __init__(
        self,
        a_to_b: keras.Model,
        b_to_a: keras.Model,
        discriminator_a: keras.Model,
        discriminator_b: keras.Model,
        classifier_a: keras.Model,
        classifier_b: keras.Model,
        *,
        class_count: int,
        class_names: tuple[str, ...] = (),
        semantic_weight: float = 1.0,
        classifier_steps: int = 500,
        **kwargs: Any,
    ):
        super().__init__(a_to_b, b_to_a, discriminator_a, discriminator_b, **kwargs)
        check_weight("semantic_weight", semantic_weight)
        check_whole("classifier_steps", classifier_steps, 0)
        self.classifier_a, self.classifier_b = classifier_a, classifier_b
        self.class_count, self.class_names = class_count, tuple(class_names) or tuple(map(str, range(class_count)))
        self.semantic_weight, self.classifier_steps = semantic_weight, classifier_steps
        for side, classifier, shape in (("a", classifier_a, self.shape_a), ("b", classifier_b, self.shape_b)):
            maps = tuple(classifier.input_shape[1:]), classifier.output_shape[-1]
            if maps != (shape, class_count):
                raise UserError(
                    f"classifier_{side} maps images {shape} to {class_count} logits. Received: {maps[0]} to {maps[1]}."
                )

    def fields(self) -> dict[str, Field]:
        known = super().fields()
        labels = Classes(self.class_names, allows_unlabelled=True)
        return {name: known.get(name, labels) for name in self.takes}

    @classmethod
    def network_arguments(cls, role: str, data_fields: Mapping[str, Field], latent_dim: int) -> dict:
        arguments = super().network_arguments(role, data_fields, latent_dim)
        if role.startswith("classifier"):
            arguments["class_count"] = data_fields[f"label_{role[-1]}"].count
        return arguments

    @classmethod
    def scheme_arguments(cls, data_fields: Mapping[str, Field]) -> dict[str, Any]:
        label = data_fields["label_a"]
        return {"class_count": label.count, "class_names": label.names}

    def phases(self) -> tuple[Phase, ...]:
        others = tuple(player for player in self.players if player != "classifiers")
        return (
            Phase("with classifiers that learn", self.classifier_steps, tuple(self.players)),
            Phase("with fixed classifiers", None, others),
        )

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return super().default_optimizers() | {"classifiers": Adam(1e-3)}

    def play(self, real_a: Tensor, label_a: Tensor, real_b: Tensor, label_b: Tensor) -> None:
        # A loss of 0 would not fix them: Adam goes on by its momentum.
        objectives = {player: {player: 1.0} for player in self.phase.players}
        self.update_together(objectives, self.all_losses, real_a, label_a, real_b, label_b)

    def all_losses(
        self, real_a: Tensor, label_a: Tensor, real_b: Tensor, label_b: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """({player: loss}, curves) of one pass over a batch of each domain."""
        fakes = self.translations(real_a, real_b)
        player_losses, curves = self.player_losses(real_a, real_b, *fakes)
        views = self.classifier_a(real_a, training=True), self.classifier_b(real_b, training=True)
        classes = map(_classes, (label_a, label_b), views)
        seen = self.classifier_b(fakes[0], training=True), self.classifier_a(fakes[1], training=True)
        semantic = sum(map(losses.class_cross_entropy, classes, seen))
        player_losses["translators"] += self.semantic_weight * semantic
        player_losses["classifiers"] = sum(map(_supervised, (label_a, label_b), views))
        accuracies = map(_accuracy, (label_a, label_b), views)
        names = "classifier_accuracy_a", "classifier_accuracy_b"
        return player_losses, curves | {"semantic_loss": semantic} | dict(zip(names, accuracies, strict=True))


def _classes(labels, logits):
    """The labels, and where there is none the class that the classifier sees."""
    return ops.where(labels >= 0, labels, ops.cast(ops.argmax(logits, -1), labels.dtype))


def _supervised(labels, logits):
    """`losses.class_cross_entropy` of the rows that have a label."""
    each = ops.sparse_categorical_crossentropy(ops.maximum(labels, 0), logits, from_logits=True)
    return _mean_of_labelled(labels, each)


def _accuracy(labels, logits):
    return _mean_of_labelled(labels, ops.equal(labels, ops.cast(ops.argmax(logits, -1), labels.dtype)))


def _mean_of_labelled(labels, values):
    return masked_mean(ops.cast(values, "float32"), labels >= 0)
