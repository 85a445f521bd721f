"""How a class label enters a network."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans.hints import Tensor
from keras_gans.layers.batch_normalization import BatchNormalization


@keras.saving.register_keras_serializable(package="keras_gans")
class ClassEmbedding(keras.layers.Layer):
    """One learned vector for each class.

    A product with the one-hot label: unlike `keras.layers.Embedding` its gradient is dense, which replicas can add
    up, and a label that is no class gives zeros instead of another class.

    Args:
        class_count: number of classes.
        dimensions: size of a vector.
        initializer: of the vectors; normal and of about unit length, as a one-hot label is, unless given. Longer ones
            drown the latent that they are joined to.

    Input: integer labels (batch,) or (batch, 1). Output: (batch, dimensions).
    """

    def __init__(self, class_count: int | None, dimensions: int, initializer: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.class_count = class_count
        self.dimensions = dimensions
        self.initializer = keras.initializers.get(
            initializer or keras.initializers.RandomNormal(stddev=dimensions**-0.5)
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.embeddings = self.add_weight(
            name="embeddings", shape=(self.class_count, self.dimensions), initializer=self.initializer
        )

    def call(self, labels: Any) -> Tensor:
        one_hot = tf.one_hot(tf.reshape(labels, [-1]), self.class_count, dtype=self.compute_dtype)
        return tf.matmul(one_hot, tf.cast(self.embeddings, self.compute_dtype))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.dimensions)

    def compute_output_spec(self, labels: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(labels.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "class_count": self.class_count,
            "dimensions": self.dimensions,
            "initializer": keras.initializers.serialize(self.initializer),
        }


def conditional_batch_normalization(inputs: Tensor, labels: Any, class_count: int | None) -> keras.KerasTensor:
    """Batch normalization with a gain and an offset for each class.

    De Vries et al., "Modulating early visual processing by language" (2017), equation 4; the class-conditional
    generators of Miyato and Koyama, "cGANs with Projection Discriminator" (2018), section 4.

    Args:
        inputs: symbolic tensor (batch, ..., channels) of rank 2 or 4.
        labels: symbolic tensor of integer labels (batch,).
        class_count: number of classes.

    Returns:
        Symbolic tensor of the inputs' shape.
    """
    channels = inputs.shape[-1]
    shape = (*[1] * (len(inputs.shape) - 2), channels)
    gain = ClassEmbedding(class_count, channels, keras.initializers.RandomNormal(1.0, 0.02))(labels)
    offset = ClassEmbedding(class_count, channels, "zeros")(labels)
    normalized = BatchNormalization(center=False, scale=False)(inputs)
    gain, offset = (keras.layers.Reshape(shape)(values) for values in (gain, offset))
    return keras.layers.Add()([keras.layers.Multiply()([normalized, gain]), offset])


@keras.saving.register_keras_serializable(package="keras_gans")
class ConditioningAugmentation(keras.layers.Layer):
    """A Gaussian around a text's code in place of the code: c = mean(t) + deviation(t) * e.

    Zhang et al., "StackGAN: Text to Photo-realistic Image Synthesis with Stacked Generative Adversarial Networks"
    (2017), section 3.2. One dense layer gives mean and log deviation, which start near 0.

    Args:
        units: size of c, 128 in the paper.

    Input: [codes (batch, d), noise e ~ N(0, I) (batch, units)]. Output: [c, mean, log deviation], (batch, units) each,
    float32.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.dense = keras.layers.Dense(2 * units, dtype=self.dtype_policy)

    def build(self, input_shape: Any) -> None:
        self.dense.build(input_shape[0])

    def call(self, inputs: Any) -> list[Tensor]:
        codes, noise = inputs
        mean, log_deviation = tf.split(tf.cast(self.dense(codes), tf.float32), 2, axis=-1)
        return [mean + tf.exp(log_deviation) * tf.cast(noise, tf.float32), mean, log_deviation]

    def compute_output_shape(self, input_shape: Any) -> list[tuple[int | None, ...]]:
        return [(input_shape[0][0], self.units)] * 3

    def compute_output_spec(self, inputs: Any) -> Any:
        return [keras.KerasTensor((inputs[0].shape[0], self.units), dtype="float32") for _ in range(3)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}
