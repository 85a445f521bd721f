"""Ways from one latent to another."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from keras_gans.errors import UserError, unknown_name
from keras_gans.hints import Tensor
from keras_gans.latent.decoding import decode
from keras_gans.latent.draw import latents_from_seeds
from keras_gans.pixels import to_uint8

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


_TINY = 1e-6


def linear(first: np.ndarray, second: np.ndarray, fraction: float) -> Tensor:
    """(1 - t) first + t second.

    In many dimensions its middle is shorter than almost any latent of the normal prior: use `slerp` there.

    Args:
        first, second: float32 tensors (..., d).
        fraction: t, float32 tensor (...) or scalar; 0 gives `first` and 1 gives `second`.

    Returns:
        float32 tensor (..., d).
    """
    first, second, fraction = _as_floats(first, second, fraction)
    return (1.0 - fraction) * first + fraction * second


def slerp(first: np.ndarray, second: np.ndarray, fraction: float) -> Tensor:
    """Spherical interpolation: the direction along the great circle, the length in proportion.

    Shoemake, "Animating Rotation with Quaternion Curves" (1985), section 3.3, gives the direction, here as
    cos(t theta) u + sin(t theta) w with u and w orthonormal, which is the same without a division by sin(theta).
    Of two latents from N(0, I) the directions in between are uniform on the sphere too, and the length stays between
    the two. Where the latents are parallel the way is straight; where they are opposite no great circle is the
    shortest, and one is chosen, always the same.

    Args:
        first, second: float32 tensors (..., d).
        fraction: t, float32 tensor (...) or scalar; 0 gives `first` and 1 gives `second`.

    Returns:
        float32 tensor (..., d).
    """
    first, second, fraction = _as_floats(first, second, fraction)
    lengths = tf.norm(first, axis=-1, keepdims=True), tf.norm(second, axis=-1, keepdims=True)
    u, v = tf.math.divide_no_nan(first, lengths[0]), tf.math.divide_no_nan(second, lengths[1])
    # The latent 0 has no direction: the way to or from it is straight.
    u, v = tf.where(lengths[0] == 0.0, v, u), tf.where(lengths[1] == 0.0, u, v)
    cosine = tf.reduce_sum(u * v, axis=-1, keepdims=True)
    across = v - cosine * u
    sine = tf.norm(across, axis=-1, keepdims=True)
    # Below this `across` is rounding, and any direction at a right angle is as good.
    across = tf.where(sine < _TINY, _at_right_angle(u), tf.math.divide_no_nan(across, sine))
    # Once more: what is left of nearly parallel or opposite latents is partly rounding, which has any direction.
    w = _unit(across - tf.reduce_sum(across * u, axis=-1, keepdims=True) * u)
    angle = fraction * tf.atan2(sine, cosine)
    length = (1.0 - fraction) * lengths[0] + fraction * lengths[1]
    between = length * (tf.cos(angle) * u + tf.sin(angle) * w)
    # The ends to the last bit, so that they decode to the very samples that the anchors do.
    return tf.where(fraction == 0.0, first, tf.where(fraction == 1.0, second, between))


def _as_floats(first, second, fraction):
    first, second = tf.cast(first, tf.float32), tf.cast(second, tf.float32)
    return first, second, tf.cast(fraction, tf.float32)[..., tf.newaxis]


def _at_right_angle(u):
    """A unit vector at a right angle to each unit vector: the axis that is furthest from it, made orthogonal."""
    axis = tf.one_hot(tf.argmin(tf.abs(u), axis=-1), u.shape[-1])
    return _unit(axis - tf.reduce_sum(axis * u, axis=-1, keepdims=True) * u)


def _unit(vectors):
    return tf.math.divide_no_nan(vectors, tf.norm(vectors, axis=-1, keepdims=True))


MODES = {"slerp": slerp, "linear": linear}


def mode_named(name: str) -> Callable[..., Tensor]:
    """The interpolation of that name, "slerp" or "linear".

    Raises:
        UserError: no such mode.
    """
    if name not in MODES:
        raise unknown_name("interpolation", name, MODES)
    return MODES[name]


def mode_for(prior: Any) -> str:
    """The mode that keeps to a prior: "slerp" for "normal", "linear" for "uniform", which it never leaves.

    Priors of the plane are no stars around 0 and not convex: no such mode keeps to them, and the straight way is taken.
    """
    return "slerp" if prior == "normal" else "linear"


def path(anchors: np.ndarray, frames: int, mode: str = "slerp", closed: bool = False) -> np.ndarray:
    """Latents along a way through several anchors, evenly spread over its legs.

    Args:
        anchors: float array (k, d), k of 2 or more.
        frames: latents in all, 2 or more. The first is the first anchor. The last is the last anchor or, of a closed
            way, the one from which the next step would be the first again. An anchor in between is met exactly
            where the frames divide evenly among the legs.
        mode: "slerp" or "linear".
        closed: whether the way returns from the last anchor to the first.

    Returns:
        float32 array (frames, d).

    Raises:
        UserError: fewer than two anchors or frames, or no such mode.
    """
    anchors = np.asarray(anchors, np.float32)
    if anchors.ndim != 2 or len(anchors) < 2:
        raise UserError(f"A path leads through two anchors or more, an array (k, d). Received shape: {anchors.shape}.")
    if frames < 2:
        raise UserError(f"A path has two frames or more. Received: {frames!r}.")
    legs = len(anchors) if closed else len(anchors) - 1
    places = np.linspace(0.0, legs, frames, endpoint=not closed)
    leg = np.minimum(places.astype(int), legs - 1)
    along = mode_named(mode)(anchors[leg], anchors[(leg + 1) % len(anchors)], places - leg)
    return along.numpy()


def interpolate_endpoint(model: "AdversarialModel") -> tuple[Callable[..., dict[str, Tensor]], list[Any]]:
    """What the exported model answers as `interpolate`: an image between those of two seeds.

    Takes `from_seed` and `to_seed`, int64 (batch,), and `fraction`, float32 (batch,) in [0, 1]; a class-conditional
    model takes `label`, int64 (batch,), too. Gives `image`, uint8 (batch, height, width, channels), or `point`,
    float32 (batch, d). At 0 it is what `sample` answers to `from_seed`, at 1 to `to_seed`. The way is that of
    `mode_for` the model's prior.

    Args:
        model: `AdversarialModel` that maps latents to samples.

    Returns:
        (function, list of tf.TensorSpec), as `endpoints()` has them.
    """
    blend = mode_named(mode_for(model.latent_prior))
    output = model.sample_name

    def interpolate(from_seed, to_seed, fraction, label=None):
        ends = [latents_from_seeds(seeds, model.latent_dim, model.latent_prior) for seeds in (from_seed, to_seed)]
        samples = decode(model, blend(*ends, fraction), label)
        return {output: to_uint8(samples) if output == "image" else samples}

    specifications = [
        tf.TensorSpec((None,), tf.int64, name="from_seed"),
        tf.TensorSpec((None,), tf.int64, name="to_seed"),
        tf.TensorSpec((None,), tf.float32, name="fraction"),
    ]
    if model.takes_labels:
        specifications.append(tf.TensorSpec((None,), tf.int64, name="label"))
    return interpolate, specifications


def interpolate_examples(rows: Any) -> dict[str, np.ndarray]:
    """Valid inputs of `interpolate_endpoint`, for the exported files to be tried with.

    Args:
        rows: how many.

    Returns:
        {input name: array (rows,)}: seeds that include both ends of int64, fractions from 0 to 1.
    """
    limits = np.iinfo(np.int64)
    seeds = np.array([-1, limits.min, limits.max, *range(rows)], np.int64)[:rows]
    return {
        "from_seed": seeds,
        "to_seed": seeds[::-1].copy(),
        "fraction": np.linspace(0.0, 1.0, rows, dtype=np.float32),
    }
