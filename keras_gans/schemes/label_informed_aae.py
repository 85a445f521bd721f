"""The adversarial autoencoder with label information: each class gets a part of the prior.

Makhzani et al., "Adversarial Autoencoders" (2015), section 2.3, https://arxiv.org/abs/1511.05644
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keras_gans.engine.base import register_scheme
from keras_gans.errors import UserError
from keras_gans.fields import SAMPLE, Classes
from keras_gans.labels import check_class_count, check_class_names
from keras_gans.schemes.aae import AdversarialAutoencoder

if TYPE_CHECKING:
    import keras

    from keras_gans.hints import Tensor


@register_scheme("label_informed_aae")
class LabelInformedAAE(AdversarialAutoencoder):
    """The discriminator sees the label too, and compares codes of a class with that class's part of the prior.

    A row whose label is -1 has none: its code is compared with the whole prior. The encoder never sees a label, so that
    a code's place tells its sample's class.

    Args:
        discriminator: keras.Model, [codes (batch, 2), integer labels (batch,)] -> raw scores; the label -1 must be a
            class of its own, as the zero vector is to `layers.ClassEmbedding`.
        class_count: number of classes, K.
        class_names: K names for people, kept to the export; "0" to "K-1" unless given.
        latent_prior: a prior of the plane, see `latent.draw_labelled_latents`.
        **kwargs: as `AdversarialAutoencoder`.

    Raises:
        UserError: networks or class arguments that do not fit together.
    """

    takes = {"sample": SAMPLE, "label": (Classes,)}
    allows_unlabelled = True
    judged_fields = ("sample", "label")

    def __init__(
        self,
        encoder: "keras.Model",
        decoder: "keras.Model",
        discriminator: "keras.Model",
        *,
        class_count: int,
        class_names: Sequence[str] | None = None,
        latent_prior: str = "gaussian_mixture",
        **kwargs: Any,
    ):
        super().__init__(encoder, decoder, discriminator, latent_prior=latent_prior, **kwargs)
        self.class_count = check_class_count(class_count)
        self.class_names = check_class_names(class_names, class_count)
        if len(discriminator.inputs) != 2:
            raise UserError(
                f"{type(self).__name__}'s discriminator takes [codes, labels]. Received one with "
                f"{len(discriminator.inputs)} input. networks.mlp_discriminator((2,), class_count=K, "
                "conditioning='concat') makes such a one."
            )

    def judged(
        self, real: "Tensor", made: Mapping[str, Any] | None = None, training: bool = False
    ) -> "dict[str, tuple[Tensor, Tensor]]":
        return self.judged_codes(real["sample"], real["label"], training=training)

    def draw_prior(self, rows: Any, labels: Any) -> "Tensor":
        return self.labelled_latents(labels, self.class_count)
