"""What the networks share about labels: how a label enters them, and in what they end."""

from typing import Any

import keras
from keras import layers

from keras_gans.errors import UserError, unknown_name
from keras_gans.layers import ClassEmbedding, Packing
from keras_gans.networks.blocks import Blocks

CONDITIONINGS = ("concat", "projection")
HEADS = ("score", "features", "auxiliary", "classes", "classes_and_fake")
# Those that need to know how many classes there are.
CLASS_HEADS = HEADS[2:]
EMBEDDING_DIMENSIONS = 32


def check_labels(class_count: int | None, conditioning: str | None, head: str = "score") -> None:
    """Raises a `UserError` unless the number of classes, the conditioning and the head go together."""
    if conditioning is not None and conditioning not in CONDITIONINGS:
        raise unknown_name("conditioning", conditioning, CONDITIONINGS)
    if head not in HEADS:
        raise unknown_name("head", head, HEADS)
    if head in CLASS_HEADS and conditioning is not None:
        raise UserError(f"head={head!r} predicts the class, so the network must not see it: leave conditioning out.")
    wanted = conditioning or (head if head in CLASS_HEADS else None)
    if wanted and not (isinstance(class_count, int) and class_count >= 2):
        raise UserError(f"{wanted!r} needs class_count, 2 or more. Received: class_count={class_count!r}.")
    if class_count is not None and not wanted:
        raise UserError(
            f"class_count={class_count} has no effect by itself. Choose a conditioning ({', '.join(CONDITIONINGS)}) "
            f"or a discriminator's head ({', '.join(CLASS_HEADS)})."
        )


def label_input() -> keras.KerasTensor:
    """The network input of integer labels, (batch,)."""
    return keras.Input((), dtype="int64", name="label")


def packed(samples: keras.KerasTensor, packing: int, conditioning: str | None, head: str) -> keras.KerasTensor:
    """Samples joined so many at a time, see `layers.Packing`; themselves where `packing` is 1.

    Raises:
        UserError: the discriminator also handles labels, which are of single samples.
    """
    if packing == 1:
        return samples
    if conditioning is not None or head != "score":
        raise UserError(
            f"A pack of {packing} samples has no one label: packing goes with head='score' and no conditioning. "
            f"Received: head={head!r}, conditioning={conditioning!r}."
        )
    return Packing(packing)(samples)


def with_embedding(latents: keras.KerasTensor, labels: keras.KerasTensor, class_count: int | None) -> keras.KerasTensor:
    """Latents (batch, d) joined with the label's learned embedding, (batch, d + `EMBEDDING_DIMENSIONS`)."""
    return layers.Concatenate()([latents, ClassEmbedding(class_count, EMBEDDING_DIMENSIONS)(labels)])


def with_label_map(images: keras.KerasTensor, labels: keras.KerasTensor, class_count: int | None) -> keras.KerasTensor:
    """Images (batch, height, width, channels) with one more channel, a learned picture for each class."""
    height, width = images.shape[1:3]
    # Pixels as large as an image's.
    maps = ClassEmbedding(class_count, height * width, keras.initializers.RandomNormal(stddev=1.0))(labels)
    return layers.Concatenate()([images, layers.Reshape((height, width, 1))(maps)])


def class_wise(normalization: str | None, conditioning: str | None) -> str | None:
    """The normalization of a generator that sees labels: by classes where its conditioning is "projection".

    Raises:
        UserError: a projection with another normalization than of the batch, through which it acts.
    """
    if conditioning != "projection":
        return normalization
    if normalization not in ("batch", "class_wise"):
        raise UserError(
            "A generator's conditioning='projection' acts through batch normalization: set normalization='batch', or "
            f"take conditioning='concat'. Received: normalization={normalization!r}."
        )
    return "class_wise"


def projection(features: keras.KerasTensor, labels: keras.KerasTensor, class_count: int | None) -> keras.KerasTensor:
    """<V y, phi(x)>: the label's part of a projection discriminator's score, (batch, 1).

    Miyato and Koyama, "cGANs with Projection Discriminator" (2018), equation 3.
    """
    vectors = ClassEmbedding(class_count, features.shape[-1], "glorot_uniform", dtype="float32")(labels)
    return layers.Dot(axes=1, dtype="float32")([features, vectors])


def scored(
    features: keras.KerasTensor,
    labels: keras.KerasTensor | None,
    class_count: int | None,
    conditioning: str | None,
    head: str,
    blocks: Blocks,
    **arguments: Any,
) -> keras.KerasTensor | list[keras.KerasTensor]:
    """The end of a discriminator: raw scores, class logits, or both, float32.

    Args:
        features: symbolic tensor (batch, d), the last hidden layer.
        labels: symbolic labels, or None.
        class_count: K, the number of classes, or None.
        conditioning: "projection" adds the label's part to the score.
        head: "score" (batch, 1); "features" [score (batch, 1), features]; "auxiliary" [score (batch, 1), class logits
            (batch, K)]; "classes" [class logits (batch, K), features]; "classes_and_fake" [logits (batch, K + 1), the
            last for generated, features].
        blocks: the network's `Blocks`.
        **arguments: of the dense layers.

    Returns:
        Symbolic tensor, or list of them.
    """

    def dense(units, name):
        return blocks.dense(units, hidden=False, dtype="float32", name=name, **arguments)(features)

    if head == "auxiliary":
        return [dense(1, "score"), dense(class_count, "class_logits")]
    if head in ("classes", "classes_and_fake"):
        logits = dense(class_count + (head == "classes_and_fake"), "class_logits")
        return [logits, _shown(features)]
    if conditioning == "projection":
        label_part = projection(features, labels, class_count)
        score = layers.Add(dtype="float32", name="score")([dense(1, "unconditional_score"), label_part])
    else:
        score = dense(1, "score")
    return [score, _shown(features)] if head == "features" else score


def _shown(features):
    """The last hidden layer as an output, float32."""
    return layers.Activation("linear", dtype="float32", name="features")(features)
