"""Codes of a class and a style, whose encoder is a classifier."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_gans.engine.classifying import Classifier
from keras_gans.errors import UserError
from keras_gans.labels import check_class_count, check_class_names


class ClassAndStyle(Classifier):
    """What an encoding scheme adds whose code is [q(y|x), z]: the probabilities of K classes, then a style.

    It stands before the scheme's other bases, of which one is `EncodingModel`.

    Args:
        *networks: the scheme's. The encoder is deterministic, samples -> (batch, K + d): K logits, then the style.
        class_count: number of classes, K.
        class_names: K names for people, kept to the export; "0" to "K-1" unless given.
        latent_prior: "categorical_K", with the number in place of K, which is also what it is unless given.
        **kwargs: of the scheme.

    Raises:
        UserError: encoder, prior or class arguments that do not fit together.
    """

    def __init__(
        self,
        *networks: keras.Model,
        class_count: int,
        class_names: Sequence[str] | None = None,
        latent_prior: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.class_count = check_class_count(class_count)
        self.class_names = check_class_names(class_names, class_count)
        prior = f"categorical_{self.class_count}"
        if latent_prior not in (None, prior):
            raise UserError(f"The prior of {self.class_count} classes is {prior!r}. Received: {latent_prior!r}.")
        super().__init__(*networks, latent_prior=prior, **kwargs)
        if self.posterior != "deterministic":
            raise UserError(f"A class and a style are of a deterministic posterior. Received: {self.posterior!r}.")

    @staticmethod
    def style_size(latent_dim: int, class_count: int) -> int:
        """Size of the style in a code.

        Raises:
            UserError: none is left for it.
        """
        if latent_dim <= class_count:
            raise UserError(
                f"A code holds {class_count} classes and a style: latent_dim is {class_count + 1} or more. Received: "
                f"{latent_dim}."
            )
        return latent_dim - class_count

    def class_and_style(self, codes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Codes, or the encoder's outputs, (batch, K + d) in their two parts."""
        return codes[:, : self.class_count], codes[:, self.class_count :]

    def class_logits(self, samples: tf.Tensor) -> tf.Tensor:
        """The encoder's K logits in training mode, (batch, K)."""
        return self.class_and_style(super().draw_codes(samples))[0]

    def draw_codes(self, samples: tf.Tensor) -> tf.Tensor:
        """As `EncodingModel.draw_codes`, with class probabilities in the place of logits."""
        return self._with_probabilities(super().draw_codes(samples))

    def expected_codes(self, samples: tf.Tensor) -> tf.Tensor:
        """As `EncodingModel.expected_codes`, with class probabilities in the place of logits."""
        return self._with_probabilities(super().expected_codes(samples))

    def _with_probabilities(self, outputs):
        logits, style = self.class_and_style(outputs)
        return tf.concat([tf.nn.softmax(logits), style], axis=1)

    def class_probabilities(self, samples: tf.Tensor) -> tf.Tensor:
        return self.class_and_style(self.expected_codes(samples))[0]
