"""Small models of every registered scheme, built from the scheme's own recipe."""

import keras
import numpy as np

from training import recipe as recipes
from training.build import build_model

IMAGE_SHAPE = (8, 8, 1)
BATCH = 8


def recipe_for(scheme):
    """The first recipe of a scheme, with networks small enough for a test of mechanics."""
    for name in recipes.all_names():
        chosen = recipes.named(name)
        if chosen.scheme["name"] == scheme:
            break
    else:
        raise AssertionError(f"no recipe trains the scheme {scheme!r}")
    networks = {}
    for role in ("generator", "discriminator"):
        network = dict(getattr(chosen, role))
        small = {"base_filters": 4, "hidden_units": [16]}
        networks[role] = {key: small.get(key, value) for key, value in network.items()}
    scheme = dict(chosen.scheme)
    if "discriminator_steps" in scheme:
        # Two show that there are several; over replicas each is traced by itself.
        scheme["discriminator_steps"] = 2
    return chosen.replace(latent_dim=6, batch_size=BATCH, scheme=scheme, **networks)


def small_model(scheme, rate=None, **changes):
    """A compiled model of `scheme` for images of `IMAGE_SHAPE`; with SGD at `rate` where given."""
    model = build_model(recipe_for(scheme).replace(**changes), IMAGE_SHAPE)
    if rate is not None:
        # Not Adam: it divides the scale of the gradients out, and with it the mistakes that tests look for.
        model.compile(optimizers={player: keras.optimizers.SGD(rate) for player in model.players})
    return model


def images(count, seed=0):
    """Random images (count, *IMAGE_SHAPE) in [-1, 1]."""
    return np.random.default_rng(seed).uniform(-1, 1, (count, *IMAGE_SHAPE)).astype("float32")


def weights(model):
    """{place and name: array} of every weight, batch-normalization statistics and the step included."""
    return {f"{place} {variable.name}": np.array(variable) for place, variable in enumerate(model.weights)}


def optimizer_state(model):
    """{player: list of arrays}."""
    return {player: [np.array(v) for v in optimizer.variables] for player, optimizer in model.optimizers.items()}
