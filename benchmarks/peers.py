"""What the plain Keras loops of the benchmarks share: Keras's own layers and optimizers, and where loops are filed."""

import keras
import tensorflow as tf

import keras_gans as kg
from keras_gans.layers import Translator
from keras_gans.registry import Registry

# scheme -> the class of its plain loop
plain_loops = Registry("plain Keras loop", "benchmarks.plain")


class PlainReflectionPadding2D(keras.layers.Layer):
    """Padding by reflection as keras.io's CycleGAN has it."""

    def __init__(self, padding, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, inputs):
        sides = [self.padding, self.padding]
        return tf.pad(inputs, [[0, 0], sides, sides, [0, 0]], mode="REFLECT")


_STOCK = {
    kg.layers.BatchNormalization: keras.layers.BatchNormalization,
    kg.layers.Dropout: keras.layers.Dropout,
    kg.layers.InstanceNormalization: keras.layers.GroupNormalization,
    kg.layers.ReflectionPadding2D: PlainReflectionPadding2D,
    kg.layers.GaussianNoise: keras.layers.GaussianNoise,
    kg.layers.SpectralNormalization: keras.layers.SpectralNormalization,
}


def stock_network(network):
    """The same architecture of Keras's own layers, as anyone would write it.

    A network that translates sentences is itself once more: Keras has no such layers.
    """
    if isinstance(network, Translator):
        return type(network).from_config(network.get_config())

    def stock(layer):
        config = layer.get_config()
        if isinstance(layer, kg.layers.BatchNormalization):
            config = {**config, "synchronized": False}
        if isinstance(layer, kg.layers.InstanceNormalization):
            config = {**config, "groups": -1}
        return _STOCK.get(type(layer), type(layer)).from_config(config)

    return keras.models.clone_model(network, clone_function=stock)


class PlainModel(keras.Model):
    """The networks and optimizers of a case, for a `train_step` as keras.io's examples teach it.

    Args:
        case: a `benchmarks.cases.Case`.
    """

    def __init__(self, case):
        super().__init__()
        ours = case.model()
        for role in ours.network_names():
            setattr(self, role, stock_network(getattr(ours, role)))
        chosen = case.chosen()
        self.players, self.latent_dim, self.scheme_options = dict(ours.players), chosen.latent_dim, chosen.scheme
        self.player_optimizers = {
            player: getattr(keras.optimizers, type(optimizer).__name__).from_config(optimizer.get_config())
            for player, optimizer in ours.optimizers.items()
        }
        self.trackers = {f"{player}_loss": keras.metrics.Mean(name=f"{player}_loss") for player in self.players}
        self.built = True

    def compile(self, **options):
        super().compile(optimizer=None, jit_compile=False, **options)

    def latents(self, rows):
        return tf.random.normal((rows, self.latent_dim))

    def apply_gradients(self, player, tape, loss):
        """Moves a player and notes its loss."""
        variables = [v for network in self.players[player] for v in getattr(self, network).trainable_variables]
        gradients = tape.gradient(loss, variables)
        self.player_optimizers[player].apply_gradients(zip(gradients, variables, strict=True))
        self.trackers[f"{player}_loss"].update_state(loss)

    def results(self):
        return {name: tracker.result() for name, tracker in self.trackers.items()}
