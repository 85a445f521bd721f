"""What the hidden layers of all networks are made of, by name: normalization, activation and upsampling."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_gans.errors import UserError, unknown_name
from keras_gans.layers import (
    BatchNormalization,
    InstanceNormalization,
    SpectralNormalization,
    Upsample2D,
    WeightNormalization,
    WeightNormalizedDense,
    conditional_batch_normalization,
)

# Those of weights, of each linear layer of a network, and those of what a hidden layer gives.
_OF_WEIGHTS = ("weight", "spectral")
_OF_OUTPUTS = ("batch", "class_wise", "instance", "layer", "group")
NORMALIZATIONS = (*_OF_OUTPUTS, *_OF_WEIGHTS)
# He et al. (2015): the scale that keeps the variance through rectifiers; Glorot and Bengio (2010) for the others. With
# He's scale, BEGAN's ELU networks collapsed on the digits in one run of two.
_INITIALIZERS = {
    "leaky_relu": "glorot_uniform",
    "relu": "he_normal",
    "elu": "glorot_uniform",
    "silu": "glorot_uniform",
    "tanh": "glorot_uniform",
}
ACTIVATIONS = tuple(_INITIALIZERS)


@dataclasses.dataclass(frozen=True)
class Blocks:
    """How the hidden layers of one network are made; every network takes its choices by these names.

    Attributes:
        normalization: None, or
            "batch": Ioffe and Szegedy (2015); keeps samples apart no more, so that no gradient penalty is defined;
            "class_wise": the same with a gain and an offset for each class, see
                `layers.conditional_batch_normalization`, in networks that see the label;
            "instance": of each channel of each image, Ulyanov et al. (2016);
            "layer": of all that a layer gives for a sample, Ba et al. (2016);
            "group": of groups of channels, at most 32 of two channels or more, Wu and He (2018);
            "weight": `layers.WeightNormalization`; "spectral": `layers.SpectralNormalization`; both of the weights of
                every linear layer, the first and the last included.
        activation: "leaky_relu" (slope 0.2, as in the papers; Keras's default is 0.3), "relu", "elu", "silu" or "tanh".
        kernel_initializer: configuration of that of every linear layer; the one that suits the activation unless given,
            and Glorot's at the end.
        gain_initializer: of the gains of batch normalization.
        labels: symbolic labels for "class_wise", or None.
        class_count: number of classes, with `labels`.
        unit_length: whether "weight" holds hidden dense layers to vectors of length 1; learned otherwise.

    Raises:
        UserError: no such normalization or activation, or "class_wise" without labels.
    """

    normalization: str | None = None
    activation: str = "relu"
    kernel_initializer: dict[str, Any] | None = None
    gain_initializer: dict[str, Any] | str = "ones"
    labels: keras.KerasTensor | None = None
    class_count: int | None = None
    unit_length: bool = False

    def __post_init__(self) -> None:
        if self.normalization is not None and self.normalization not in NORMALIZATIONS:
            raise unknown_name("normalization", self.normalization, ("None", *NORMALIZATIONS))
        if self.activation not in ACTIVATIONS:
            raise unknown_name("activation", self.activation, ACTIVATIONS)
        if self.normalization == "class_wise" and self.labels is None:
            raise UserError(
                "normalization='class_wise' has a gain for each class, so it is for a network that sees the label by "
                "its conditioning. Received: no conditioning."
            )

    # Linear layers --------------------------------------------------------------------------------------------

    def dense(self, units: int, hidden: bool = True, **arguments: Any) -> keras.layers.Layer:
        """A dense layer without activation; `hidden` where what it gives is normalized."""
        if self.normalization == "weight":
            # Directions have a scale of their own.
            arguments.pop("kernel_initializer", None)
            return WeightNormalizedDense(units, learned_scale=not (hidden and self.unit_length), **arguments)
        return self._of_weights(layers.Dense, units, hidden, arguments)

    def convolution(self, filters: int, kernel_size: int, hidden: bool = True, **arguments: Any) -> keras.layers.Layer:
        """A convolution without activation, likewise; of the inputs' size unless it has strides."""
        return self._of_weights(
            layers.Conv2D, filters, hidden, {"kernel_size": kernel_size, "padding": "same", **arguments}
        )

    def upsampling(self, filters: int, mode: str, hidden: bool = True, **arguments: Any) -> keras.layers.Layer:
        """An `Upsample2D` by the name of its mode, likewise."""
        return self._of_weights(Upsample2D, filters, hidden, {"mode": mode, **arguments})

    def _of_weights(self, kind, size, hidden, arguments):
        # A bias before a normalization is lost in it.
        use_bias = not (hidden and self.normalization in _OF_OUTPUTS)
        suited = _INITIALIZERS[self.activation] if hidden else "glorot_uniform"
        initializer = arguments.pop("kernel_initializer", None) or self.kernel_initializer or suited
        layer = kind(size, use_bias=use_bias, kernel_initializer=initializer, **arguments)
        if self.normalization not in _OF_WEIGHTS:
            return layer
        wrapper = SpectralNormalization if self.normalization == "spectral" else WeightNormalization
        return wrapper(layer, dtype=layer.dtype_policy, name=arguments.get("name"))

    # What a layer gives ---------------------------------------------------------------------------------------

    def normalized(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """What a hidden layer gives, normalized where that is the choice.

        Raises:
            UserError: instance normalization of what is no image, of which nothing would be left.
        """
        if self.normalization in ("batch", "class_wise"):
            # To make an initializer draws its seed: for both kinds alike, so that later layers start alike.
            gain = keras.initializers.get(self.gain_initializer)
            if self.normalization == "class_wise":
                return conditional_batch_normalization(x, self.labels, self.class_count)
            return BatchNormalization(gamma_initializer=gain)(x)
        if self.normalization == "layer":
            return layers.LayerNormalization(axis=tuple(range(1, len(x.shape))))(x)
        if self.normalization == "group":
            return layers.GroupNormalization(_groups(x.shape[-1]))(x)
        if self.normalization == "instance":
            if len(x.shape) < 4:
                raise UserError(
                    "normalization='instance' is of an image's channels, and a dense layer has one number in each. "
                    "Take normalization='layer'."
                )
            return InstanceNormalization()(x)
        return x

    def activated(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """What a hidden layer gives after its activation."""
        return activation_layer(self.activation)(x)

    def hidden(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """What a linear layer gives after normalization and activation."""
        return self.activated(self.normalized(x))

    def dense_layers(self, x: keras.KerasTensor, hidden_units: Sequence[int]) -> keras.KerasTensor:
        """A symbolic tensor (batch, d) after hidden dense layers of so many units."""
        for units in hidden_units:
            x = self.hidden(self.dense(units)(x))
        return x

    def without_normalization_of_outputs(self) -> "Blocks":
        """The same for a layer that the architecture leaves without, as DCGAN its discriminator's first."""
        return dataclasses.replace(self, normalization=None) if self.normalization in _OF_OUTPUTS else self


def activation_layer(name: str) -> keras.layers.Layer:
    """A hidden layer's activation, one of `ACTIVATIONS`.

    Raises:
        UserError: no such activation.
    """
    if name not in ACTIVATIONS:
        raise unknown_name("activation", name, ACTIVATIONS)
    if name == "relu":
        return layers.ReLU()
    return layers.LeakyReLU(negative_slope=0.2) if name == "leaky_relu" else layers.Activation(name)


def _groups(channels):
    """The most groups of two channels or more, up to 32, that share the channels evenly."""
    return max(count for count in range(1, max(2, min(32, channels // 2) + 1)) if channels % count == 0)
