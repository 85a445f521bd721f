"""Latents: drawn, interpolated, added and taken away, truncated, and found for a given image.

    from keras_gans import latent

    latent.path(latent.seed_latents(gan, [3, 8]), frames=24)         # from one sample to another
    latent.truncated_latents([0, 1, 2], gan.latent_dim, 0.5)         # typical samples
    latents, errors = latent.invert(gan, images)                     # the samples nearest to images
    latent.reconstruction_loss(gan, images).mean                     # ... how near, as a measure of the generator
    latent.arithmetic.combine(pool.latents, [smiling_women, men], [women])
    latent.decode_array(gan, latents)                                # what they look like

Importing this package does not import TensorFlow.
"""

import importlib

_HOMES = {
    "draw_pool": "arithmetic",
    "decode_array": "decoding",
    "seed_latents": "decoding",
    "draw_labelled_latents": "draw",
    "draw_latents": "draw",
    "latents_from_seeds": "draw",
    "prior_named": "draw",
    "interpolate_endpoint": "interpolation",
    "interpolate_examples": "interpolation",
    "linear": "interpolation",
    "path": "interpolation",
    "slerp": "interpolation",
    "invert": "inversion",
    "reconstruction_loss": "inversion",
    "truncated_latents": "truncation",
}
_MODULES = ("arithmetic", "attributes", "decoding", "draw", "expression", "interpolation", "inversion", "truncation")

__all__ = [*_HOMES, *_MODULES]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"keras_gans.latent.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"keras_gans.latent.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'keras_gans.latent' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
