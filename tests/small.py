"""Small models of every registered scheme, built from the scheme's own recipe."""

import inspect

import keras
import numpy as np

import keras_gans as kg
from keras_gans import registry, subwords
from keras_gans.fields import Classes, Images, Texts
from keras_gans.training import recipe as recipes
from keras_gans.training.build import build_model, scheme_of

IMAGE_SHAPE = (8, 8, 1)
BATCH = 8
FIELDS = {"sample": Images(IMAGE_SHAPE), "label": Classes(("ant", "bee", "cat"), prior=(0.25, 0.25, 0.5))}
FIELDS["text"] = Texts(
    ("a red circle", "a small blue star", "two large green squares", "red", "blue stars", "a square")
)
FIELDS |= dict.fromkeys(("image_a", "image_b"), Images(IMAGE_SHAPE)) | dict.fromkeys(
    ("label_a", "label_b"), FIELDS["label"]
)
# The words that random texts are made of, and their letters.
_TEXTS = [text.decode() for text in Texts().example(50)]
FIELDS |= {side: Texts(vocabulary=subwords.learn(_TEXTS, size)) for side, size in (("source", 40), ("target", 34))}


def recipe_for(scheme):
    """The first recipe of a scheme, or the recipe of that name, with networks small enough for a test of mechanics."""
    known = [recipes.named(name) for name in recipes.all_names()]
    chosen = next((recipe for recipe in known if recipe.scheme["name"] == scheme), None) or recipes.named(scheme)
    networks = {}
    for role in scheme_of(chosen).network_names():
        network = dict(chosen.networks[role])
        small = {"base_filters": 4, "hidden_units": [16], "units": 8, "text_units": 8, "embedding_dim": 6}
        small |= {"condition_dim": 5, "residual_blocks": 1, "layer_count": 1, "embedding_units": 8, "length": 10}
        own = inspect.signature(registry.networks[network["name"]]).parameters
        texts = {key: small[key] for key in ("units", "text_units", "embedding_dim", "condition_dim") if key in own}
        if network.get("conditioning") == "projection":
            texts.pop("text_units", None)
        if "target_size" in own and "units" in own:
            # What learns from the rewards of few sentences needs some room.
            texts["units"] = 12
        # None, for the translator's vectors, stays.
        small = {key: value for key, value in small.items() if network.get(key, "") is not None}
        networks[role] = {key: small.get(key, value) for key, value in network.items()} | texts
    scheme = dict(chosen.scheme)
    if "discriminator_steps" in scheme:
        # Two show that there are several; over replicas each is traced by itself.
        scheme["discriminator_steps"] = 2
    if "noise" in scheme:
        # Without it nothing in an autoencoder's training is random.
        scheme["noise"] = 0.3
    if "pool_size" in scheme:
        # Small enough to fill within a few steps.
        scheme["pool_size"] = 6
    if "warm_up_steps" in scheme:
        scheme |= {"likelihood_steps": 2, "warm_up_steps": 2}
    if "classifier_steps" in scheme:
        # So that some steps see both what comes before and after.
        scheme["classifier_steps"] = 2
    if "encoder_steps" in scheme:
        # So that six steps see all phases.
        scheme["encoder_steps"] = 2
    if "stage_1_steps" in scheme:
        scheme["stage_1_steps"] = 2
    if "patches" in scheme:
        # Fewer than there are, so that some are drawn.
        scheme["patches"] = 16
    # Priors of the plane have two coordinates.
    latent_dim = 2 if scheme.get("latent_prior") == "gaussian_mixture" else 6
    return chosen.replace(latent_dim=latent_dim, batch_size=BATCH, scheme=scheme, labels_per_class=None, **networks)


def small_model(scheme, /, rate=None, **changes):
    """A compiled model of `scheme` for images of `IMAGE_SHAPE`; with SGD at `rate` where given."""
    recipe = recipe_for(scheme).replace(**changes)
    model = build_model(recipe, {name: FIELDS[name] for name in scheme_of(recipe).takes})
    if rate is not None:
        # Not Adam: it divides the scale of the gradients out, and with it the mistakes that tests look for.
        model.compile(optimizers={player: keras.optimizers.SGD(rate) for player in model.players})
    return model


def images(count, seed=0):
    """Random images (count, *IMAGE_SHAPE) in [-1, 1]."""
    return np.random.default_rng(seed).uniform(-1, 1, (count, *IMAGE_SHAPE)).astype("float32")


def batch_for(model, count, seed=0):
    """What `train_step` takes: random images, in a tuple with labels for schemes that train on them.

    Where rows without a label are allowed, every other one has none.
    """
    rows = images(count, seed)
    if "label" not in model.takes:
        return rows
    labels = np.random.default_rng(seed).integers(0, model.class_count, count)
    if model.allows_unlabelled:
        labels[1::2] = kg.labels.UNLABELLED
    return rows, labels


def endless(model, skip_steps=0, seed=0):
    """A dataset whose order is a function of the seed, from the given training step on."""
    order = {"batch_size": BATCH, "repeat": True, "seed": seed, "skip_batches": skip_steps * model.batches_per_step()}
    if "target" in model.takes:
        texts = {side: [row.decode() for row in rows] for side, rows in model.example_batch(40).items()}
        return kg.data.to_dataset(kg.data.Source.of(texts), fields=list(model.takes), **order)
    if "image_a" in model.takes:
        labels = np.arange(40) % 3
        arrays = {"image_a": images(40), "label_a": labels, "image_b": images(40, 1), "label_b": labels[::-1].copy()}
        return kg.data.to_dataset(kg.data.Source.of(arrays), fields=list(model.takes), **order)
    if "text" in model.takes:
        rows = model.example_batch(40)
        arrays = {"image": kg.pixels.to_uint8(rows["sample"]).numpy(), "text": [row.decode() for row in rows["text"]]}
        return kg.data.to_dataset(kg.data.Source.of(arrays), fields=list(arrays), **order)
    if "label" not in model.takes:
        return kg.data.to_dataset(kg.data.open_source(images(40)), **order)
    source = kg.data.open_source((images(40), np.arange(40) % model.class_count))
    if model.allows_unlabelled:
        return kg.data.to_semi_supervised_dataset(source, labels_per_class=2, **order)
    return kg.data.to_dataset(source, labels=True, **order)


def weights(model):
    """{place and name: array} of every weight, batch-normalization statistics and the step included."""
    return {f"{place} {variable.name}": np.array(variable) for place, variable in enumerate(model.weights)}


def optimizer_state(model):
    """{player: list of arrays}."""
    return {player: [np.array(v) for v in optimizer.variables] for player, optimizer in model.optimizers.items()}
