"""The semi-supervised GAN: the discriminator is a classifier with one more class, "generated".

Odena, "Semi-Supervised Learning with Generative Adversarial Networks" (2016), https://arxiv.org/abs/1606.01583, and
Salimans et al., "Improved Techniques for Training GANs" (2016), https://arxiv.org/abs/1606.03498
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.classifying import ClassifyingGAN
from keras_gans.engine.replicas import batch_mean, masked_mean
from keras_gans.errors import UserError, unknown_name
from keras_gans.hints import Loss, Tensor
from keras_gans.labels import UNLABELLED, is_right
from keras_gans.layers import check_is_random
from keras_gans.optimizers import Adam
from keras_gans.penalties import check_weight

OBJECTIVES = ("odena", "salimans")
GENERATOR_OBJECTIVES = ("adversarial", "feature_matching")


@register_scheme("sgan")
class SGAN(ClassifyingGAN):
    """D tells K classes and "generated" apart: labelled rows teach the class, unlabelled ones only that they are real.

    A row whose label is -1 has none: it enters no class's cross-entropy.

    Curves: `supervised_loss` and `labelled_accuracy` of the labelled rows; `real_probability` and `fake_probability`,
    the mean 1 - p(generated | x) of unlabelled real and of generated samples; `disagreement`, what
    `consistency_weight` weighs.

    Args:
        objective: "odena": all K + 1 logits are learned, the terms summed; "salimans": the last logit is fixed at 0 and
            the two unsupervised terms weigh 1/2.
        generator_objective: "adversarial" (be taken for real), or "feature_matching" (Salimans et al., section 3.1),
            which compares with a further batch of real samples.
        consistency_weight: of `losses.disagreement` between two passes over the real samples, which differ by D's
            random layers (augmentation, dropout, noise); 0 for none.
        adversarial_weight: of the terms of "generated" or not in D's loss. 0 leaves all but the GAN, the baseline that
            says what the GAN is worth: the same network, labels, augmentation, consistency, average and steps.
        **kwargs: as `ClassifyingGAN`, whose discriminator ends in K + 1 logits for "odena" and K for "salimans".
    """

    # Feature matching compares with it.
    generator_sees_real = True
    log_names = ("supervised_loss", "labelled_accuracy", "real_probability", "fake_probability")
    option_examples = {"objective": OBJECTIVES, "generator_objective": GENERATOR_OBJECTIVES}

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_dim: int | None = None,
        *,
        objective: str = "salimans",
        generator_objective: str = "feature_matching",
        consistency_weight: float = 0.0,
        adversarial_weight: float = 1.0,
        **kwargs: Any,
    ):
        if objective not in OBJECTIVES:
            raise unknown_name("objective", objective, OBJECTIVES)
        if generator_objective not in GENERATOR_OBJECTIVES:
            raise unknown_name("generator objective", generator_objective, GENERATOR_OBJECTIVES)
        check_weight("consistency_weight", consistency_weight)
        check_weight("adversarial_weight", adversarial_weight)
        self.objective, self.generator_objective = objective, generator_objective
        self.consistency_weight, self.adversarial_weight = consistency_weight, adversarial_weight
        if consistency_weight:
            check_is_random(discriminator, f"consistency_weight={consistency_weight}")
            self.log_names = (*self.log_names, "disagreement")
        super().__init__(generator, discriminator, latent_dim, **kwargs)

    def extra_logits(self) -> int:
        return int(self.objective == "odena")

    def check_batch(self, batch: Any) -> None:
        super().check_batch(batch)
        if self.objective == "salimans" and UNLABELLED not in batch["label"]:
            raise UserError(
                "objective='salimans' learns what is real from rows without a label (-1). Received: only labelled rows "
                "in the first batch. Use keras_gans.data.to_semi_supervised_dataset, or objective='odena'."
            )

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # The authors' code for MNIST: rate 3e-3 decaying; 1e-3 suits networks without weight normalization.
        return {player: Adam(1e-3, beta_1=0.5) for player in self.players}

    def batches_per_step(self) -> int:
        return self.discriminator_steps + (self.generator_objective == "feature_matching")

    def _logits(self, samples):
        """K + 1 logits in training mode, the last for "generated", and the features."""
        logits, features = self.score(samples)
        return (logits if self.objective == "odena" else losses.with_fake_logit(logits)), features

    def discriminator_loss(self, real: Tensor, labels: Any, fake: Tensor) -> Loss:
        real_logits, fake_logits = self._logits(real)[0], self._logits(fake)[0]
        labelled = labels != UNLABELLED
        # Odena's labelled samples must be found real too, Salimans et al. compare the K classes alone.
        class_logits = real_logits[:, : self.class_count + self.extra_logits()]
        rows = ops.sparse_categorical_crossentropy(tf.maximum(labels, 0), class_logits, from_logits=True)
        supervised = masked_mean(rows, labelled)
        real_rows, fake_rows = losses.not_fake(real_logits), losses.is_fake(fake_logits)
        unsupervised = masked_mean(real_rows, ~labelled) + ops.mean(fake_rows)
        weight, logs = self.adversarial_weight * (1.0 if self.objective == "odena" else 0.5), {}
        if self.consistency_weight:
            passes = real_logits, self._logits(real)[0]
            logs["disagreement"] = losses.disagreement(*(logits[:, : self.class_count] for logits in passes))
        return supervised + weight * unsupervised + self.consistency_weight * logs.get("disagreement", 0.0), logs | {
            "supervised_loss": supervised,
            "labelled_accuracy": masked_mean(is_right(labels, real_logits[:, : self.class_count]), labelled),
            "real_probability": masked_mean(ops.exp(-real_rows), ~labelled),
            "fake_probability": ops.mean(1.0 - ops.exp(-fake_rows)),
        }

    def generator_loss(self, fake: Tensor, real: Tensor, labels: Any) -> Loss:
        logits, features = self._logits(fake)
        if self.generator_objective == "adversarial":
            return ops.mean(losses.not_fake(logits)), {}
        real_mean = batch_mean(self._logits(real)[1], tf.cast(labels == UNLABELLED, tf.float32))
        return losses.feature_matching(real_mean, batch_mean(features, tf.ones(tf.shape(features)[0]))), {}
