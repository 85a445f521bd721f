"""Trained models that come along, and how to pass on your own.

    import keras_gans as kg

    gan = kg.load_preset("dcgan_digits")      # seconds after the installation: no training, no network
    gan.sample(16, seed=0)
    kg.presets.names()                        # all of them

A preset is a folder with weights in the format safetensors, mostly of 16 bits, the recipe that they were trained by,
and a card. `python -m keras_gans.presets.make` makes them. Nothing in one is code: the model is built from the names of
schemes and networks that keras_gans has, and files are read once their SHA-256 is found to be the one that was noted.
"""

from typing import TYPE_CHECKING

from keras_gans.lazy import public_names as _public_names

if TYPE_CHECKING:
    from keras_gans.presets.hub import pull as pull
    from keras_gans.presets.hub import push as push
    from keras_gans.presets.listing import load_preset as load_preset
    from keras_gans.presets.listing import names as names
    from keras_gans.presets.storing import store as store

_HOMES = {
    "load_preset": "keras_gans.presets.listing",
    "names": "keras_gans.presets.listing",
    "pull": "keras_gans.presets.hub",
    "push": "keras_gans.presets.hub",
    "store": "keras_gans.presets.storing",
}

if not TYPE_CHECKING:
    # To a type checker, which reads the imports above, this would be any name at all.
    __getattr__, __dir__, __all__ = _public_names(__name__, _HOMES)
