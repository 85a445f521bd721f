"""Keras's own callbacks beside several players: whose learning rate they set, and which way a curve is better."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import keras

from keras_gans.checks import check_number
from keras_gans.errors import UserError, shown, unknown_name
from keras_gans.private_apis import follows_a_schedule

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel

_SET_RATES = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)
_WATCH = (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau, keras.callbacks.ModelCheckpoint)
_LOWER = re.compile(
    r".*_loss|(.*_)?error(_[ab])?|(.*_)?divergence(_estimate)?|convergence_measure|disagreement|likelihood",
)
_HIGHER = re.compile(r"(.*_)?accuracy(_[ab])?|text_retrieval|reward")
# What the players pull at from both sides.
_NEITHER = ("fake_error", "discriminator_accuracy")


def better(curve: str) -> str | None:
    """Which way a curve is better, "min" or "max" as Keras has it, or None where neither is: players pull at both ends.

    A player's loss is better low to that player, and says little of the samples.
    """
    if curve in _NEITHER:
        return None
    if _LOWER.fullmatch(curve):
        return "min"
    return "max" if _HIGHER.fullmatch(curve) else None


class OfPlayers(keras.callbacks.Callback):
    """Lets a callback of Keras's that sets the learning rate set that of some players.

    `fit` puts a bare `LearningRateScheduler` or `ReduceLROnPlateau` into one for all players by itself: each player's
    rate is scheduled, or lowered, from what it is.

        fit(images, callbacks=[kg.callbacks.OfPlayers(ReduceLROnPlateau("generator_loss"), ["generator"])])

    Curves: `learning_rate_PLAYER` in what `fit` returns.

    Args:
        callback: `keras.callbacks.LearningRateScheduler` or `ReduceLROnPlateau`.
        players: their names; None for all.

    Raises:
        UserError: another kind of callback; at the beginning of training, a player that the model does not have or
            whose rate follows a schedule already.
    """

    def __init__(self, callback: keras.callbacks.Callback, players: Iterable[str] | None = None):
        super().__init__()
        if not isinstance(callback, _SET_RATES):
            raise UserError(
                "OfPlayers is for callbacks that set learning rates, LearningRateScheduler and ReduceLROnPlateau. "
                f"Received: {type(callback).__name__}."
            )
        if isinstance(players, str):
            raise UserError(f"players is a list of names, such as [{players!r}]. Received: {players!r}.")
        self.callback, self.players = callback, None if players is None else tuple(players)

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        self.callback.set_params(params)

    def set_model(self, model: "AdversarialModel") -> None:
        super().set_model(model)
        for player in self.players or ():
            if player not in model.players:
                raise unknown_name("player", player, model.players)
        chosen = {player: _plain(model.optimizers[player]) for player in self.players or model.players}
        for player, optimizer in chosen.items():
            if follows_a_schedule(optimizer):
                raise UserError(
                    f"{type(self.callback).__name__} cannot set the {player}'s learning rate, which follows a schedule "
                    "already: give it a constant rate, or leave the callback out."
                )
        self.callback.set_model(_Seen(model, [_Rate(player, optimizer) for player, optimizer in chosen.items()]))

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.callback.on_train_begin(logs)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.callback.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.callback.on_epoch_end(epoch, logs)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self.callback.on_train_end(logs)


class _Seen:
    """A model as a callback of Keras's sees it, with optimizers that it knows by the players' names."""

    def __init__(self, model, rates):
        self._model, self.optimizer = model, _Optimizers(rates)

    def __getattr__(self, name):
        return getattr(self._model, name)


class _Optimizers:
    """Several optimizers in the place of one, as Keras's callbacks take them."""

    def __init__(self, optimizers):
        self.optimizers = optimizers


class _Rate:
    """An optimizer under its player's name, of which the learning rate is read and set."""

    def __init__(self, name, optimizer):
        self.name, self._optimizer = name, optimizer

    @property
    def learning_rate(self):
        return self._optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        check_number(f"The {self.name}'s learning rate", float(value), example="0.0002")
        self._optimizer.learning_rate = value


def _plain(optimizer):
    return getattr(optimizer, "inner_optimizer", optimizer)


def fitted(callbacks: Any, model: "AdversarialModel") -> Any:
    """The callbacks of `fit` such that Keras's own find several players' learning rates, and know which way is better.

    Args:
        callbacks: what `fit` was given.
        model: to be trained.

    Raises:
        UserError: one of Keras's watches what is no curve of the model, or one of which neither way is better, or
            needs the one optimizer that a model of several players does not have.
    """
    if callbacks is None or isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    given = list(callbacks) if isinstance(callbacks, Sequence) and not isinstance(callbacks, str) else [callbacks]
    for each in given:
        if each is not None and (isinstance(each, type) or not hasattr(each, "set_model")):
            raise UserError(f"callbacks is a list of keras.callbacks.Callback objects. Received: {shown(each)}.")
    if any(isinstance(each, keras.callbacks.SwapEMAWeights) for each in given):
        raise UserError(
            "SwapEMAWeights swaps the averages of a model's one optimizer, and each player has its own. Leave it out: "
            "a scheme of ema=0.999 keeps a moving average of its own, with which it samples and is exported."
        )
    given = [OfPlayers(each) if isinstance(each, _SET_RATES) else each for each in given]
    # Others may add to what is watched.
    only_known = all(type(each).__module__.startswith(("keras.", "keras_gans.")) for each in given if each is not None)
    for each in given:
        watching = each.callback if isinstance(each, OfPlayers) else each
        if isinstance(watching, _WATCH) and getattr(watching, "save_best_only", True):
            _settle(watching, model, only_known)
    return given


def _settle(callback, model, only_known):
    """Checks what a callback watches, and sets its `mode` where it leaves that open."""
    name, curve = type(callback).__name__, callback.monitor
    if curve not in model.curves and only_known:
        raise UserError(
            f"{name} watches {curve!r}, which is no curve of this model: say monitor=... as one of "
            f"{', '.join(model.curves)}."
        )
    if callback.mode != "auto":
        return
    direction = better(curve) if curve in model.curves else None
    if direction is None:
        raise UserError(
            f"{name} watches {curve!r}, of which neither high nor low is better in itself: say mode='min' or 'max'."
        )
    callback.mode = direction
