"""What is no network, or none that is built, is refused by every scheme before anything reads its shapes."""

import inspect

import keras
import pytest

import keras_gans as kg
from keras_gans import registry
from keras_gans.engine import averages
from keras_gans.errors import UserError
from tests.small import small_model


class Subclassed(keras.Model):
    """A network that is built when it is first called."""

    def call(self, inputs):
        return inputs


PLACES = [(scheme, network) for scheme in registry.schemes for network in registry.schemes[scheme].network_names()]
NO_NETWORKS = {
    "None": lambda: None,
    "name": lambda: "dcgan_generatr",
    "layer": lambda: keras.layers.Dense(3),
    "function": lambda: kg.networks.mlp_generator,
    "class": lambda: keras.Model,
    "list": lambda: [keras.Sequential()],
    "unbuilt": lambda: keras.Sequential([keras.layers.Dense(3)]),
    "empty": keras.Sequential,
    "subclassed": Subclassed,
}


@pytest.fixture(scope="module")
def network():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


@pytest.mark.parametrize(("scheme", "name"), PLACES)
def test_every_scheme_refuses_what_is_no_network(network, scheme, name):
    constructor = registry.schemes[scheme]
    others = {
        parameter.name: None
        for parameter in inspect.signature(constructor).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    }
    kinds = {each: constructor.network_kinds.get(each) for each in constructor.network_names()}
    given = {each: kg.networks.rnn_search(9, 9, 4, 4) if kind else network for each, kind in kinds.items()}
    for make in NO_NETWORKS.values():
        with pytest.raises(UserError, match=f"^{name} is a .*Received: "):
            constructor(**{**others, **given, name: make()})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "keras_gans.networks makes one.*Received: None"),
        ("mlp_generatr", r"networks.mlp_generator\(...\) makes one.*Received: 'mlp_generatr'"),
        (kg.networks.mlp_generator, "call it.*Received: the function mlp_generator"),
        (keras.layers.Dense(3, name="last"), "Sequential.*Received: the Dense 'last'"),
        (keras.Sequential([keras.layers.Dense(3)], name="mine"), r"keras.Input\(shape\).*the Sequential 'mine'"),
        (Subclassed(name="mine"), r"keras.Model\(inputs, network\(inputs\)\).*the Subclassed 'mine'"),
    ],
)
def test_what_to_do_instead_is_said(network, given, said):
    with pytest.raises(UserError, match=f"^discriminator is a built keras.Model.*{said}"):
        kg.schemes.VanillaGAN(network, given)


def scored(end):
    """A discriminator of points whose raw score goes through `end`."""
    points = keras.Input((2,))
    return keras.Model(points, end(points))


def _nested(points):
    return keras.layers.Reshape((1,))(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, "sigmoid")])(points))


ENDS = {
    "activation": keras.layers.Dense(1, activation="sigmoid"),
    "softmax": lambda points: keras.layers.Softmax()(keras.layers.Dense(1)(points)),
    "wrapped": lambda points: kg.layers.SpectralNormalization(keras.layers.Dense(1, activation="hard_sigmoid"))(points),
    "operation": lambda points: keras.ops.sigmoid(keras.layers.Dense(1)(points)),
    "reshaped": lambda points: keras.layers.Flatten()(keras.layers.Dense(1, activation="softmax")(points)),
    "nested": _nested,
}


@pytest.mark.parametrize("end", ENDS)
def test_scores_that_are_shares_are_refused(end):
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(UserError, match="^The discriminator ends in raw scores.*last layer.*(sigmoid|softmax).*leave"):
        kg.schemes.VanillaGAN(generator, scored(ENDS[end]))


def test_raw_scores_behind_a_sigmoid_within_are_taken():
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    hidden = keras.layers.Dense(4, activation="sigmoid")
    kg.schemes.VanillaGAN(generator, scored(lambda points: keras.layers.Dense(1)(hidden(points))))


@pytest.mark.parametrize(
    ("scheme", "name"), [(each, judge) for each, judge in PLACES if "discriminator" in judge and each != "began"]
)
def test_every_scheme_refuses_scores_that_are_shares(scheme, name):
    model = small_model(scheme)
    arguments = model.get_config()
    networks = {each: getattr(model, each) for each in model.network_names()}
    judge = networks[name]
    first, *others = judge.outputs
    squashed = keras.Model(judge.inputs, [keras.ops.sigmoid(first), *others] if others else keras.ops.sigmoid(first))
    kept = {key: getattr(model, key) for key in arguments if key not in networks}
    with pytest.raises(UserError, match=f"^The {name} ends in raw scores"):
        type(model)(**networks | {name: squashed}, **kept)


def test_a_translator_of_texts_is_of_its_class(network):
    with pytest.raises(UserError, match="generator is a Translator.*Received: the Sequential"):
        kg.schemes.AdversarialNMT(network, network, (), ())


def test_arguments_that_there_are_not_are_left_to_python(network):
    with pytest.raises(TypeError, match="no_such"):
        kg.schemes.VanillaGAN(network, network, no_such=1)
    with pytest.raises(TypeError, match="discriminator"):
        kg.schemes.VanillaGAN(network)


@pytest.mark.parametrize("decay", ["x", True, False, [0.9], None, float("nan"), float("inf"), 1.0, 1, -0.1, 10**400])
def test_averages_refuse_what_is_no_share(network, decay):
    with pytest.raises(UserError, match="^ema.*a number from 0 to below 1, such as 0.999. Received: "):
        averages.check_decay(decay)
    if decay != 1.0:
        with pytest.raises(UserError, match="^ema"):
            kg.schemes.VanillaGAN(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), network, ema=decay)


@pytest.mark.parametrize("size", [0, -1, True, 2.0, "3", 2**70, float("nan")])
def test_schemes_refuse_what_is_no_size_of_latents(network, size):
    with pytest.raises(UserError, match="^latent_dim is a whole number from 1"):
        kg.schemes.VanillaGAN(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), network, latent_dim=size)
