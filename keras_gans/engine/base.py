"""What every adversarial scheme shares: players, their optimizers, and the training step."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import keras
import numpy as np
import tensorflow as tf

from keras_gans import randomness
from keras_gans.checks import is_whole
from keras_gans.engine import given, inputs, keras_callbacks, undoing
from keras_gans.engine.asking import Asking
from keras_gans.engine.phases import Phased
from keras_gans.engine.replicas import LOST, check_compile, check_strategy, reducible, spans_machines
from keras_gans.engine.updating import NON_FINITE, Updating
from keras_gans.errors import LostWorkerError, NonFiniteError, UserError, unknown_name
from keras_gans.optimizers import chosen as optimizer_of
from keras_gans.private_apis import layers_of, seed_generators, without_loss_tracker
from keras_gans.registry import schemes

Scheme = TypeVar("Scheme", bound="type[AdversarialModel]")


def register_scheme(name: str) -> Callable[[Scheme], Scheme]:
    """Class decorator: files a scheme under `name` and makes its `.keras` files loadable."""

    def add(scheme):
        return schemes.register(name)(keras.saving.register_keras_serializable(package="keras_gans")(scheme))

    return add


class AdversarialModel(Asking, Phased, Updating, keras.Model):
    """Several networks, moved by several players with losses of their own.

    A subclass names its `players`, stores each constructor argument under the argument's own name, defines
    `default_optimizers` and overrides `play` with one `update` call for each move, in the paper's order. One that
    trains first one part and then another says so in `phases`, and plays by `self.phase`.
    Calling the model is what one exports. What else a scheme says of itself, and can be asked, is in `Asking`.

    Args:
        seed: everything random in training is a function of this and of `step`.
        name: as any Keras model.

    Attributes:
        players: {player: names of the networks whose variables its optimizer moves}.
        built_networks: those of them that the constructor builds to fit the others.
        network_kinds: {network: class that it must be of}, where any keras.Model will not do.
        log_names: names of the further curves that the loss functions report.
        step: int64 variable, the number of training steps taken; saved with the weights.
        optimizers: {player: optimizer}, after `compile`.
    """

    players: dict[str, tuple[str, ...]] = {}
    built_networks: tuple[str, ...] = ()
    network_kinds: dict[str, type[keras.Model]] = {}
    log_names: tuple[str, ...] = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> "AdversarialModel":
        # Before any constructor, of which each reads the shapes of its networks somewhere else.
        given.check_networks(cls, args, kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *, seed: int = 0, name: str | None = None) -> None:
        check_strategy(tf.distribute.get_strategy())
        if not is_whole(seed) or not -(2**63) <= seed < 2**63:
            raise UserError(f"seed is a whole number of 64 bits, such as 0. Received: {seed!r}.")
        super().__init__(name=name)
        self.seed = seed
        self.step = self.add_weight(
            name="step",
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )
        losses = [f"{player}_{curve}" for player in self.players for curve in ("loss", "gradient_norm")]
        self.curves = {name: keras.metrics.Mean(name=name) for name in [*losses, *self.log_names]}
        # Names of the curves that the step under way has reported.
        self.reported: set[str] = set()
        # Called before the curves' means start anew, by whoever starts them.
        self.before_reset: Callable[[], None] | None = None
        # A GAN is never called on its real data, which is how Keras would build it.
        self.built = True

    @classmethod
    def network_names(cls) -> tuple[str, ...]:
        """Names of the networks that the constructor takes, a tuple: those of the players but what it builds itself."""
        named = dict.fromkeys(network for networks in cls.players.values() for network in networks)
        return tuple(name for name in named if name not in cls.built_networks)

    @classmethod
    def player_networks(cls) -> tuple[str, ...]:
        """Names of all networks that players move: those that the constructor takes and those that it builds."""
        return (*cls.network_names(), *cls.built_networks)

    def variables_of(self, player: str) -> list[keras.Variable]:
        """The trainable variables that a player's optimizer moves."""
        return [variable for network in self.players[player] for variable in getattr(self, network).trainable_variables]

    # Compiling, saving and loading ----------------------------------------------------------------------------

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """The paper's optimizers, {player: keras.optimizers.Optimizer}."""
        raise NotImplementedError(f"{type(self).__name__} must define default_optimizers().")

    def compile(
        self,
        optimizers: Mapping[str, keras.optimizers.Optimizer | str] | None = None,
        jit_compile: bool = False,
        **kwargs: Any,
    ) -> None:
        """Sets one optimizer for each player and builds it.

        Args:
            optimizers: {player: optimizer or its Keras name}; the paper's for every player left out.
            jit_compile: whether to compile the step with XLA, which on a CPU is slower.
            **kwargs: `run_eagerly` and `steps_per_execution`, as `keras.Model.compile`.

        Raises:
            UserError: a player that the scheme does not have, one optimizer for two players, what is no optimizer or
                has an argument out of its range, or what TensorFlow cannot do over several CPU replicas, see
                `replicas.check_compile`.
        """
        if not isinstance(optimizers, Mapping | None):
            # Keras's own compile takes the one optimizer in this place.
            kwargs, optimizers = {"optimizer": optimizers, **kwargs}, None
        inputs.refuse_compile_options(kwargs, self.players)
        check_compile(self.distribute_strategy, jit_compile, kwargs.get("steps_per_execution", 1))
        for player in optimizers or {}:
            if player not in self.players:
                raise unknown_name("player", player, self.players)
        chosen = {player: optimizer_of(value, player) for player, value in (optimizers or {}).items()}
        chosen = {**self.default_optimizers(), **chosen}
        if len({id(optimizer) for optimizer in chosen.values()}) < len(chosen):
            raise UserError("Two players share one optimizer object; give each player an optimizer of its own.")
        super().compile(optimizer=None, jit_compile=jit_compile, **kwargs)
        without_loss_tracker(self)
        self._compile_arguments = {"jit_compile": jit_compile, **kwargs}
        self.optimizers = {player: self._scaled(player, optimizer) for player, optimizer in chosen.items()}
        for player, optimizer in self.optimizers.items():
            # Built before anything is loaded: Keras leaves the state of an unbuilt optimizer out, with a warning.
            optimizer.build(self.variables_of(player))

    def _scaled(self, player, optimizer):
        """The optimizer, scaling its loss where the player's networks compute in float16."""
        layers = [layer for network in self.players[player] for layer in layers_of(getattr(self, network))]
        is_half = any(layer.compute_dtype == "float16" for layer in layers)
        is_scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        return keras.optimizers.LossScaleOptimizer(optimizer) if is_half and not is_scaled else optimizer

    def get_compile_config(self) -> dict[str, Any]:
        optimizers = {
            player: keras.saving.serialize_keras_object(optimizer) for player, optimizer in self.optimizers.items()
        }
        return {"optimizers": optimizers, **self._compile_arguments}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))

    def get_config(self) -> dict[str, Any]:
        lineage = type(self).__mro__[: type(self).__mro__.index(AdversarialModel) + 1]
        parameters = [p for scheme in lineage for p in inspect.signature(scheme.__init__).parameters.values()]
        names = {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)} - {"self"}
        return {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in sorted(names)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AdversarialModel":
        return cls(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})

    def save(self, filepath: str | Path, *args: Any, **kwargs: Any) -> None:
        """As `keras.Model.save`, to a `.keras` file.

        Raises:
            NonFiniteError: a weight is NaN or infinite.
            UserError: no ending, or that of the older format, which has room for one optimizer.
        """
        if Path(filepath).suffix in (".h5", ".hdf5", ""):
            raise UserError(
                "A scheme is saved as a .keras file, such as model.keras, and its weights alone by "
                f"save_weights('model.weights.h5'). Received: {str(filepath)!r}."
            )
        self._refuse_non_finite_weights(filepath)
        super().save(filepath, *args, **kwargs)

    def save_weights(self, filepath: str | Path, *args: Any, **kwargs: Any) -> None:
        """As `keras.Model.save_weights`, but raises `NonFiniteError` rather than save NaN or infinity."""
        self._refuse_non_finite_weights(filepath)
        super().save_weights(filepath, *args, **kwargs)

    def _refuse_non_finite_weights(self, filepath):
        floats = [weight for weight in self.weights if "float" in weight.dtype]
        bad = [weight.path for weight in floats if not bool(tf.reduce_all(tf.math.is_finite(weight)))]
        if bad:
            raise NonFiniteError(
                f"{filepath} was not written: after step {self.steps_taken} {len(bad)} of {len(self.weights)} weights "
                f"are NaN or infinite, among them {bad[0]}."
            )

    # Training -------------------------------------------------------------------------------------------------

    def batches_per_step(self) -> int:
        """How many batches of real samples one training step consumes."""
        return 1

    def updates_per_step(self, player: str) -> int:
        """How many updates a player takes in one training step."""
        return 1

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """As `keras.Model.fit`.

        Args:
            x: tf.data.Dataset of batches: a tensor, or a tuple or dictionary with one for each field in `takes`; the
                same of NumPy arrays; or a `keras.utils.PyDataset` or a generator of such batches. Images are floats in
                [-1, 1], shape (batch, height, width, channels). Under a strategy a last batch that the replicas cannot
                share evenly is left out. A dataset is not tuned while it is read unless its options ask for that, see
                `keras_gans.autotuning`.
            y: labels, where `x` is an array of samples and the scheme uses them.
            batch_size: of an array, 32 unless given. It is the paper's m: a scheme whose discriminator takes n steps
                for the generator's one consumes n batches in a training step.

        Returns:
            keras.callbacks.History.

        Raises:
            UserError: numbers of epochs or steps that are none; a field that is missing, or of the wrong rank, shape,
                type or range, before the first step; a later batch of another shape or out of its range, before its
                step; or several steps an execution that would run past the end of a phase. What a generator or a
                `PyDataset` raises itself comes out as it is.
            NonFiniteError: a loss or a gradient became NaN or infinite; the step was taken back: all weights,
                statistics and optimizers are what they were before it.
            LostWorkerError: another worker of a cluster has stopped, or has come to the end of its data.
        """
        inputs.refuse_options(kwargs)
        inputs.check_counts(epochs, kwargs)
        raised: list[Exception] = []
        dataset = inputs.prepare(
            x,
            y,
            batch_size,
            self,
            shuffle=kwargs.pop("shuffle", True),
            replicas=self._replicas(),
            raised=raised,
        )
        callbacks = self.with_phase_changes(keras_callbacks.fitted(callbacks, self))
        try:
            return super().fit(dataset, epochs=epochs, verbose=verbose, callbacks=callbacks, shuffle=False, **kwargs)
        except tf.errors.OpError as error:
            if (meant := raised[0] if raised else self._meant_by(error)) is None:
                raise
            raise meant from None

    def _meant_by(self, error):
        """What a user is told where training ended with an error of TensorFlow's that stands for another, or None."""
        if isinstance(error, LOST) and spans_machines(self.distribute_strategy):
            return self._lost_worker(error)
        if not isinstance(error, tf.errors.InvalidArgumentError):
            return None
        if NON_FINITE not in str(error):
            return inputs.unlike_the_first(error, self.steps_taken, self)
        curve = str(error).split(NON_FINITE)[1].split(";")[0].strip()
        return NonFiniteError(
            f"Step {self.steps_taken + 1}: {curve} is NaN or infinite. The update was not applied and nothing was "
            "saved. Look for NaN in the data; else lower the learning rate."
        )

    def _lost_worker(self, error):
        if isinstance(error, tf.errors.InternalError):
            return LostWorkerError(
                f"Near step {self.steps_taken + 1} the workers of the cluster no longer do the same: most likely the "
                "data of one have come to their end before the others'. Give each worker as many batches, such as by "
                "repeat() with steps_per_epoch."
            )
        return LostWorkerError(
            "Another worker of the cluster has stopped, cannot be reached or has come to the end of its data, near "
            f"step {self.steps_taken}. Start all workers again from what was saved last."
        )

    def _maybe_symbolic_build(self, *args, **kwargs):
        # See `private_apis.OVERRIDDEN`.
        return None

    def _replicas(self):
        return self.distribute_strategy.num_replicas_in_sync

    def play(self, *real: Mapping[str, np.ndarray]) -> None:
        """One round of the game: the paper's updates in the paper's order, of those players that `self.phase` names.

        Args:
            *real: a batch of each field in `takes`: of real samples; and of their labels where it takes labels.
        """
        raise NotImplementedError(f"{type(self).__name__} must define play().")

    def reset_metrics(self) -> None:
        """As `keras.Model.reset_metrics`; who follows the curves, as `before_reset`, reads them before."""
        if self.before_reset is not None:
            self.before_reset()
        super().reset_metrics()

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        real = inputs.in_order(data, self.takes)
        root = randomness.root_seed(self.seed, self.step.value)
        self.reported.clear()
        with undoing.step(), randomness.stream(root):
            undoing.keep(self._changed_in_passing())
            self._reseed_layers(root)
            self.play(*real)
            undoing.at_the_end(functools.partial(self.after_step, self.step.value))
        # Reading a counter waits for its optimizer's updates, so that a step counts only once it is complete.
        with tf.control_dependencies([tf.identity(optimizer.iterations) for optimizer in self.optimizers.values()]):
            self.step.assign(self.step + 1)
        # Curves of those that rest would go on saying what they said last.
        results = {name: value for name, value in self.get_metrics_result().items() if name in self.reported}
        return reducible(results)

    def _changed_in_passing(self):
        """What a step may change besides its updates: statistics, histories, seeds; no average, which comes last."""
        averages = [layer for layer in self.layers if isinstance(layer, keras.Model) and not layer.trainable]
        others = {id(self.step), *(id(variable) for average in averages for variable in average.variables)}
        return [variable for variable in self.non_trainable_variables if id(variable) not in others]

    def next_seed(self) -> tf.Tensor:
        """A fresh seed of shape (2,), a function of the model's seed, its step and the number of draws so far."""
        if randomness.is_open():
            return randomness.next_seed()
        return randomness.root_seed(self.seed, self.step.value)

    def _reseed_layers(self, root):
        """Makes what dropout and its kin draw a function of (seed, step) too."""
        layers = layers_of(self, include_self=False)
        generators = [generator for layer in layers for generator in seed_generators(layer)]
        for index, generator in enumerate(generators):
            seed = randomness.fold_in(root, -1_000_000 - index)
            generator.state.assign(tf.cast(seed, generator.state.dtype))

    def after_step(self, step: tf.Tensor) -> None:
        """Called at the end of each training step with the number of steps before it; averages of weights go here."""
        return None

    def test_step(self, data: Any) -> NoReturn:
        raise UserError(
            "evaluate() and validation_data have no meaning for an adversarial scheme: its losses measure one player "
            "against the other, not the samples. Draw samples with sample() and compare those with held-out data."
        )
