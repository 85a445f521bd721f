"""Recipes: sound, overridable, and refused with the nearest valid choice."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import UserError
from keras_gans.fields import Images, Texts
from keras_gans.training import recipe as recipes
from keras_gans.training.build import build_model
from keras_gans.training.train import build_for, open_data


def _comes_along(recipe):
    """Whether it is the project's own, and not one that another test has registered in this process."""
    return recipe.__module__.startswith("keras_gans.")


def test_every_registered_scheme_has_a_recipe():
    trained = {recipes.named(name).scheme["name"] for name in recipes.all_names()}
    assert trained == set(kg.registry.schemes)


# Other tests of the same process have recipes of their own.
OURS = [name for name in recipes.all_names() if recipes.recipes[name].__module__.startswith("keras_gans.training")]


@pytest.mark.parametrize("name", OURS)
def test_every_recipe_builds_on_its_own_data(name):
    recipe = recipes.named(name)
    assert recipe.name == name
    if recipe.data in ("digits", "digit_styles", "digits_over_photographs", "photographed_digits", "numbers_and_dates"):
        source = open_data(recipe)
    elif recipe.data.startswith("stacked_digits"):
        side = 28 if recipe.data.endswith("mnist") else 8
        source = kg.data.open_source(np.zeros((8, side, side, 3), "uint8"))
    elif " = " in recipe.data:
        source = kg.data.Source.of({"source": ["a red star", "two"], "target": ["ein roter Stern", "zwei"]})
    elif " + " in recipe.data or recipe.data == "digits_over_photographs/mnist":
        # Of the shapes of what is downloaded: one collection in grey, one in colour.
        labels, size = np.arange(40) % 10, recipe.image_size or 28
        shown = {
            f"image_{side}": np.zeros((40, size, size, channels), "uint8") for side, channels in (("a", 1), ("b", 3))
        }
        source = kg.data.Source.of({**shown, "label_a": labels, "label_b": labels})
    elif recipe.data.startswith("shapes"):
        side = recipe.image_size or int(recipe.data.partition("/")[2] or 32)
        captions = ["a red circle", "two blue stars"] * 10
        source = kg.data.Source.of({"image": np.zeros((20, side, side, 3), "uint8"), "text": captions})
    else:
        # Of the shape and classes of what is not embedded, or takes seconds to open.
        shape = (28, 28, 1) if recipe.data == "mnist" else (2,)
        rows = np.random.default_rng(0).uniform(-1, 1, (40, *shape)).astype("float32")
        source = kg.data.open_source((rows, np.arange(40) % 10))
    small = {role: dict(network) for role, network in recipe.networks.items()}
    for network in small.values():
        if "base_filters" in network:
            network["base_filters"] = 4
    model = build_for(recipe.replace(**small), source)
    assert set(model.optimizers) == set(model.players)


def test_networks_that_no_memory_trains_are_refused(monkeypatch):
    """With Adam every weight takes four numbers, without averages of its gradients two."""
    dense = {"hidden_units": [100]}
    recipe = recipes.named("gan").replace(
        networks={
            "generator": {"name": "mlp_generator", **dense},
            "discriminator": {"name": "mlp_discriminator", **dense},
        },
        latent_dim=36,
    )
    # 36 x 100 + 100 + 100 x 64 + 64, and 64 x 100 + 100 + 100 + 1.
    numbers = 10_164 + 6_601
    for optimizer, each in (("adam", 16), ("rmsprop", 12), ("sgd", 8)):
        wanted = recipe.replace(
            optimizers={player: {"name": optimizer, "learning_rate": 1e-3} for player in ("generator", "discriminator")}
        )
        size = {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": numbers * each}
        monkeypatch.setattr("os.sysconf", size.get)
        build_model(wanted, {"sample": Images((8, 8, 1))})
        size["SC_PHYS_PAGES"] -= 1
        with pytest.raises(UserError, match="this machine has.*Make them smaller: generator.*'hidden_units': .100"):
            build_model(wanted, {"sample": Images((8, 8, 1))})


def test_weights_of_large_networks_are_counted_before_any_is_drawn(monkeypatch):
    recipe, shapes = recipes.named("gan"), {"sample": Images((8, 8, 1))}
    model = build_model(recipe, shapes)
    first = model.get_weights()
    monkeypatch.setattr("keras_gans.training.build._LARGE", 0)
    for counted, drawn in zip(build_model(recipe, shapes).get_weights(), first, strict=True):
        np.testing.assert_array_equal(counted, drawn, err_msg="the seed's weights change")
    numbers = sum(network.count_params() for network in (model.generator, model.discriminator))

    def draw(self, shape, dtype=None):
        assert not tf.executing_eagerly(), f"{shape} are drawn"
        return tf.zeros(shape, dtype)

    monkeypatch.setattr(keras.initializers.GlorotUniform, "__call__", draw)
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 4 * numbers - 1}.get)
    with pytest.raises(UserError, match="^Weights of these networks take.*Make them smaller: generator"):
        build_model(recipe, shapes)


@pytest.mark.parametrize("name", recipes.all_names())
def test_a_recipe_survives_json(name):
    recipe = recipes.named(name)
    assert recipes.Recipe.from_dict(json.loads(recipe.to_json())) == recipe


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps=5", ("steps", 5)),
        ("data=my=folder", ("data", "my=folder")),
        ("scheme.targets=[-1,1,0]", ("scheme.targets", [-1, 1, 0])),
        ("discriminator.normalization=none", ("discriminator.normalization", None)),
        ("scheme.shared_fakes=False", ("scheme.shared_fakes", False)),
        ("optimizers.generator.learning_rate=1e-4", ("optimizers.generator.learning_rate", 1e-4)),
    ],
)
def test_assignments(text, expected):
    assert recipes.parse_assignment(text) == expected


def test_settings_reach_the_model():
    settings = {
        "latent_dim": 12,
        "generator.base_filters": 8,
        "scheme.gradient_penalty_weight": 1,
        "scheme.discriminator_steps": 2,
        "optimizers.discriminator.learning_rate": 3e-3,
        "discriminator.normalization": "layer",
        "learning_rate_schedule": "linear",
        "steps": 10,
    }
    model = build_model(recipes.with_settings(recipes.named("wgan_gp"), settings), {"sample": Images((8, 8, 1))})
    assert model.latent_dim == 12
    assert model.gradient_penalty_weight == 1.0 and model.discriminator_steps == 2
    schedule = model.optimizers["discriminator"].get_config()["learning_rate"]["config"]
    # The critic takes two steps for the generator's one, so its rate must last twice as long.
    assert schedule["initial_learning_rate"] == 3e-3 and schedule["decay_steps"] == 20
    assert model.optimizers["generator"].get_config()["learning_rate"]["config"]["decay_steps"] == 10


@pytest.mark.parametrize("schedule", ["linear", "cosine", "halving"])
def test_a_player_that_never_moves_has_a_rate_all_the_same(schedule):
    settings = {"scheme.encoder_steps": 0, "learning_rate_schedule": schedule, "generator.base_filters": 4, "steps": 8}
    fields = {"sample": Images((8, 8, 1)), "text": Texts(("a red circle",))}
    model = build_model(recipes.with_settings(recipes.named("text_to_image_small"), settings), fields)
    assert model.steps_of("encoder", 8) == 0 and model.steps_of("generator", 8) == 8
    for player in ("encoder", "generator"):
        assert float(model.optimizers[player].learning_rate) == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rat": 1}, "Unknown setting 'learning_rat'.*Did you mean learning_rate_schedule"),
        ({"generator.name.x": 1}, "Unknown setting 'generator.name.x'"),
        ({"optimizers.critic.learning_rate": 1}, "Unknown setting.*optimizers.*discriminator.learning_rate"),
        ({"optimizers.generator": "adam"}, "Unknown setting 'optimizers.generator'"),
        ({"steps": "many"}, "steps is of type int, such as 3000. Received: 'many'"),
        ({"steps": 0}, "steps must be a whole number of 1 or more. Received: 0"),
        ({"steps": 2**31}, "steps is a whole number from 1 to 2147483647. Received: 2147483648; the nearest is"),
        ({"batch_size": 1.5}, "batch_size is of type int.*1.5"),
        ({"channels": 2}, "channels must be 1, 3 or null"),
        ({"precision": "float8"}, "Unknown precision 'float8'.*float16"),
        ({"learning_rate_schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"scheme.shared_fakes": 3}, "scheme.shared_fakes is of type bool"),
        ({"image_size": -1}, "image_size must be a whole number"),
        ({"generator": "mlp_generator"}, "Unknown setting 'generator'.*Did you mean generator.name"),
        ({"encoder": "mlp_encoder"}, "Unknown setting 'encoder'"),
        ({"encoder.name": "mlp_encoder"}, "Unknown setting 'encoder.name'. Did you mean generator.name"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        recipes.with_settings(recipes.named("dcgan"), settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generator.base_filter": 3}, "'generator.base_filter'.*Did you mean generator.base_filters"),
        ({"scheme.clipp": 0.1}, "'scheme.clipp'.*Known"),
        ({"optimizers.generator.learningrate": 1e-3}, "Did you mean optimizers.generator.learning_rate"),
        ({"generator.name": "dcgan"}, "Unknown network 'dcgan'.*dcgan_generator"),
    ],
)
def test_arguments_of_networks_and_schemes_are_checked_when_built(settings, message):
    with pytest.raises(UserError, match=message):
        build_model(recipes.with_settings(recipes.named("dcgan"), settings), {"sample": Images((8, 8, 1))})


@pytest.mark.parametrize(
    ("changes", "received"),
    [
        ({"encoder": {"name": "mlp_generator"}}, "discriminator, encoder, generator"),
        ({"generator": None}, "discriminator"),
        ({"networks": {}}, "none"),
    ],
)
def test_a_recipe_names_the_networks_of_its_scheme_and_no_other(changes, received):
    with pytest.raises(UserError, match=f"'dcgan' takes the networks discriminator, generator. Received: {received}."):
        build_model(recipes.named("dcgan").replace(**changes), {"sample": Images((8, 8, 1))})


def test_a_run_of_before_there_were_encoders_can_be_gone_on_with():
    old = json.loads(recipes.named("dcgan").to_json())
    networks = old.pop("networks")
    old |= networks | {"class_discriminator": None}
    assert recipes.differences(recipes.Recipe.from_dict(old), recipes.named("dcgan")) == []


def test_differences_name_each_setting():
    old = recipes.named("dcgan")
    new = recipes.with_settings(old, {"generator.base_filters": 32, "seed": 4})
    assert recipes.differences(old, new) == ["generator.base_filters: 64 -> 32", "seed: 0 -> 4"]


@pytest.mark.parametrize("name", [name for name in recipes.all_names() if _comes_along(recipes.recipes[name])])
def test_every_recipe_says_what_to_expect(name):
    described = recipes.recipes[name].__doc__
    assert described and ("seed" in described or "not " in described), (
        "a measured figure with its seeds, or that there is none"
    )


@pytest.mark.parametrize("value", [2.5, 1, 25])
def test_labels_a_class_may_be_a_fraction_where_a_recipe_has_a_whole_number(value):
    changed = recipes.with_settings(recipes.named("sgan"), {"labels_per_class": value})
    assert changed.labels_per_class == value
    with pytest.raises(UserError, match="a number from 1"):
        recipes.with_settings(recipes.named("sgan"), {"labels_per_class": 0.5})
