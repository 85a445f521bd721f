"""The semi-supervised adversarial autoencoder: a code of a class and a style, each with an adversary of its own.

Makhzani et al., "Adversarial Autoencoders" (2015), section 5 and figure 8, https://arxiv.org/abs/1511.05644
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.class_and_style import ClassAndStyle
from keras_gans.engine.replicas import masked_mean
from keras_gans.hints import Loss, Tensor
from keras_gans.labels import UNLABELLED, is_right
from keras_gans.optimizers import Adam
from keras_gans.penalties import check_weight
from keras_gans.schemes.aae import AdversarialAutoencoder


@register_scheme("semi_supervised_aae")
class SemiSupervisedAAE(ClassAndStyle, AdversarialAutoencoder):
    """A code is [q(y|x), z]: class probabilities, made one-hot by one adversary, and a style, made normal by another.

    In each step come the reconstruction phase, the regularization phase (both discriminators, then the encoder against
    both) and the semi-supervised classification phase, the cross-entropy of q(y|x). The first two see the rows without
    a label (-1), the last one those that have one; where there are none, the first two see all. Replicas step as one
    where each has as many rows of either kind, as the batches of `data.to_semi_supervised_dataset` give them.

    Curves: those of the adversarial autoencoder, of the style; `class_real_probability` and `class_fake_probability`,
    of the class; `supervised_loss` and `labelled_accuracy` of the labelled rows.

    Args:
        encoder: as `ClassAndStyle`: what a deterministic encoder of codes of K + d numbers gives.
        decoder: keras.Model, codes (batch, K + d) -> samples.
        discriminator: keras.Model, styles (batch, d) -> raw scores.
        class_discriminator: keras.Model, class probabilities (batch, K) -> raw scores.
        adversarial_weight: of both adversaries in the encoder's loss. 0 leaves all but them, the baseline that says
            what they are worth: reconstruction and classification by the same networks.
        **kwargs: as `ClassAndStyle` and `EncodingModel`.

    Raises:
        UserError: networks, prior or class arguments that do not fit together.
    """

    players = {
        "autoencoder": ("encoder", "decoder"),
        "discriminator": ("discriminator",),
        "class_discriminator": ("class_discriminator",),
        "generator": ("encoder",),
        "classifier": ("encoder",),
    }
    rivals = {"generator": ("discriminator", "class_discriminator")}
    log_names = (
        *AdversarialAutoencoder.log_names,
        *("class_real_probability", "class_fake_probability", "supervised_loss", "labelled_accuracy"),
    )

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model,
        class_discriminator: keras.Model,
        *,
        adversarial_weight: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(encoder, decoder, discriminator, **kwargs)
        check_weight("adversarial_weight", adversarial_weight)
        self.adversarial_weight = adversarial_weight
        self.class_discriminator = class_discriminator
        self.check_judge("class_discriminator")

    @classmethod
    def code_sizes(cls, latent_dim: int, class_count: int | None = None) -> dict[str, int]:
        return {"discriminator": cls.style_size(latent_dim, class_count), "class_discriminator": class_count}

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return {player: Adam(1e-3, beta_1=0.5) for player in self.players}

    def play(self, real: Tensor, labels: Any) -> None:
        labelled = labels != UNLABELLED
        unlabelled_rows = _chosen(real, ~labelled)
        self.update("autoencoder", self.reconstruction_loss, unlabelled_rows)
        self.update("discriminator", self.discriminator_loss, unlabelled_rows)
        self.update("class_discriminator", self.class_discriminator_loss, unlabelled_rows)
        self.update("generator", self.generator_loss, unlabelled_rows)
        self.update("classifier", self.classification_loss, _chosen(real, labelled), _chosen(labels, labelled))

    def class_discriminator_loss(self, real: Tensor) -> Loss:
        """(loss, curves) of the discriminator of classes, to which one-hot draws are real."""
        prior, codes = self.draw_prior(ops.shape(real)[0]), self.draw_codes(real)
        scores = [self.class_score(each) for each in (prior, codes)]
        curves = zip(("class_real_probability", "class_fake_probability"), scores, strict=True)
        return losses.minimax_discriminator(*scores), {name: ops.mean(ops.sigmoid(each)) for name, each in curves}

    def generator_loss(self, real: Tensor) -> Loss:
        codes = self.draw_codes(real)
        scores = self.score(codes), self.class_score(codes)
        return self.adversarial_weight * sum(map(losses.non_saturating_generator, scores)), {}

    def classification_loss(self, real: Tensor, labels: Any) -> Loss:
        """(loss, curves): the cross-entropy of q(y|x) on the labelled rows."""
        logits, labelled = self.class_logits(real), labels != UNLABELLED
        rows = ops.sparse_categorical_crossentropy(tf.maximum(labels, 0), logits, from_logits=True)
        loss, accuracy = masked_mean(rows, labelled), masked_mean(is_right(labels, logits), labelled)
        return loss, {"supervised_loss": loss, "labelled_accuracy": accuracy}

    def judges(self) -> dict[str, Callable[..., Tensor]]:
        return {"discriminator": self.score, "class_discriminator": self.class_score}

    def score(self, codes: Tensor, training: bool = True) -> Tensor:
        """Raw scores of the codes' styles."""
        return super().score(self.class_and_style(codes)[1], training=training)

    def class_score(self, codes: Tensor, training: bool = True) -> Tensor:
        """Raw scores of the codes' classes."""
        return self.class_discriminator(self.class_and_style(codes)[0], training=training)


def _chosen(rows, mask):
    """The rows that a mask selects, or all where it selects none: no network can take an empty batch."""
    return tf.boolean_mask(rows, mask | ~tf.reduce_any(mask))
