"""Who moves in whose turn."""

import contextlib
import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_gans.engine.base import AdversarialModel
from keras_gans.private_apis import layers_of
from keras_gans.testing.subject import ROWS, Factory, moved_by_sgd, one_step, step_starts


@dataclasses.dataclass
class Turn:
    """One update, of one player or of several at once.

    Attributes:
        players: whose it was.
        changed: ids of all variables that changed in it, but for those of an update within it.
    """

    players: tuple[str, ...]
    changed: set[int]


@dataclasses.dataclass
class Record:
    """Two training steps of each phase.

    Attributes:
        model: that took them.
        turns: in their order.
        applied: {player: ids of the variables that its optimizer moved}.
    """

    model: AdversarialModel
    turns: list[Turn]
    applied: dict[str, set[int]]

    def variables(self) -> dict[int, tuple[Any, str]]:
        """{id: (variable, "its path in which network")} of all networks and optimizers."""
        return _all_variables(self.model)


def _all_variables(model: AdversarialModel) -> dict[int, tuple[Any, str]]:
    found = {}
    for network in model.player_networks():
        for variable in getattr(model, network).variables:
            found[id(variable)] = variable, f"{variable.path} of the {network}"
    for player, optimizer in model.optimizers.items():
        for variable in optimizer.variables:
            found[id(variable)] = variable, f"{variable.path} of the {player}'s optimizer"
    return found


class _Watch:
    """What changed since it was last looked at, for each update that is under way."""

    def __init__(self, model: AdversarialModel):
        self.variables = _all_variables(model)
        self.open: list[Turn] = []
        self.turns: list[Turn] = []
        self.seen = self._values()

    def _values(self) -> dict[int, np.ndarray]:
        return {key: np.array(variable) for key, (variable, _) in self.variables.items()}

    def look(self) -> None:
        now = self._values()
        if self.open:
            self.open[-1].changed |= {key for key, value in now.items() if not np.array_equal(value, self.seen[key])}
        self.seen = now

    @contextlib.contextmanager
    def turn(self, players: tuple[str, ...]) -> Iterator[None]:
        self.look()
        self.open.append(Turn(players, set()))
        yield
        self.look()
        self.turns.append(self.open.pop())


@functools.lru_cache(maxsize=1)
def record_of(factory: Factory) -> Record:
    """What moved in two training steps, of each phase where there are several; the checks of a factory share it."""
    model = moved_by_sgd(factory, 0.1)
    watch = _Watch(model)
    applied: dict[str, set[int]] = {player: set() for player in model.players}
    update_together = model.update_together

    def watched(objectives: dict, *args: Any, **kwargs: Any) -> Any:
        with watch.turn(tuple(objectives)):
            return update_together(objectives, *args, **kwargs)

    # On this one model; a type checker sees its class.
    model.__dict__["update_together"] = watched
    for player, optimizer in model.optimizers.items():
        optimizer.apply = functools.partial(_apply, optimizer.apply, watch, applied[player])
    for start in step_starts(model):
        model.step.assign(start)
        for seed in range(2):
            one_step(model, model.example_batch(ROWS * model.batches_per_step(), seed))
    return Record(model, watch.turns, applied)


def _apply(apply: Any, watch: _Watch, moved: set[int], gradients: Any, variables: Any) -> None:
    watch.look()
    before = watch.seen
    apply(gradients, variables)
    watch.look()
    moved |= {key for key, value in watch.seen.items() if not np.array_equal(value, before[key])}


def own_variables(model: AdversarialModel, players: tuple[str, ...]) -> set[int]:
    """Ids of all variables of the players' networks and optimizers."""
    networks = {network for player in players for network in model.players[player]}
    own = {id(variable) for network in networks for variable in getattr(model, network).variables}
    return own | {id(variable) for player in players for variable in model.optimizers[player].variables}


def moving_statistics(model: AdversarialModel) -> set[int]:
    """Ids of the moving means and variances of batch normalization, see `check_a_turn_leaves_the_others_alone`."""
    layers = [
        layer
        for network in model.player_networks()
        for layer in layers_of(getattr(model, network))
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    return {id(variable) for layer in layers for variable in (layer.moving_mean, layer.moving_variance)}


def check_an_update_moves_its_own_player_and_no_other(factory: Factory) -> None:
    """A player's optimizer moves the weights of the networks that `players` gives it, most of them, and no other.

    Two networks that share weights, and a list of variables that holds too many or too few, fail.
    """
    record = record_of(factory)
    variables = record.variables()
    for player in record.model.players:
        own = own_variables(record.model, (player,))
        foreign = [variables[key][1] for key in record.applied[player] - own]
        assert not foreign, f"The update of {player!r} moves its own networks alone. Found: it moved {foreign}."
        trainable = {
            id(variable)
            for network in record.model.players[player]
            for variable in getattr(record.model, network).trainable_variables
        }
        moved = len(record.applied[player] & trainable)
        # But for those whose gradient happens to vanish, such as a bias before a mean difference.
        assert moved >= 0.5 * len(trainable), (
            f"The update of {player!r} moves its networks' weights. Found: {moved} of {len(trainable)} moved."
        )


def check_a_turn_leaves_the_others_alone(factory: Factory) -> None:
    """No variable of the other players' networks and optimizers changes in a player's turn, in forward passes either.

    A turn is one update. What a layer of the other network keeps of its own accord counts: the vectors of power
    iteration in spectral normalization (Keras's own moves them, and the kernel, in every pass), the states of random
    generators (Keras's own noise and dropout; `keras_gans.layers` has exact ones), counters.

    One thing is let through, by type: the moving mean and variance of `keras.layers.BatchNormalization`. They average
    what passes in training were fed, no pass in training reads them, and it is for the scheme to say which passes
    there are; so they move whenever a network is run, as in every published implementation.
    """
    record = record_of(factory)
    variables, exempt = record.variables(), moving_statistics(record.model)
    for turn in record.turns:
        foreign = turn.changed - own_variables(record.model, turn.players) - exempt
        changed = sorted(variables[key][1] for key in foreign)
        assert not changed, (
            f"In the turn of {' and '.join(turn.players)} nothing of the other players changes. Found: {len(changed)} "
            f"variables changed, the first being {changed[0]}. Look for a layer that changes its variables when called."
        )
