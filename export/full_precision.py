"""The same model computing in float32, for TFLite, which has no convolutions in half precision."""

from typing import TYPE_CHECKING

import keras

from keras_gans.private_apis import layers_of

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


def computes_in_half(model: "AdversarialModel") -> bool:
    """Whether any layer of a model computes in float16 or bfloat16."""
    return any("16" in layer.compute_dtype for layer in layers_of(model, include_self=False))


def in_float32(model: "AdversarialModel") -> "AdversarialModel":
    """A model with the same weights whose every layer computes in float32; the model itself if it does already."""
    if not computes_in_half(model):
        return model
    policy = keras.config.dtype_policy()
    # A layer that was never told its policy takes the global one.
    keras.config.set_dtype_policy("float32")
    try:
        twin = type(model).from_config(_with_float32(model.get_config()))
    finally:
        keras.config.set_dtype_policy(policy)
    twin.set_weights(model.get_weights())
    return twin


def _with_float32(config):
    """A serialised configuration with every precision replaced by float32."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return {**config, "config": {"name": "float32"}}
        return {key: "float32" if _is_half(key, value) else _with_float32(value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [_with_float32(value) for value in config]
    return config


def _is_half(key, value):
    return key == "dtype" and isinstance(value, str) and "16" in value
