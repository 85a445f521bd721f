"""The one update: a player moves down the gradient of its loss."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_gans.engine import undoing
from keras_gans.engine.kinds import Curves, Sometimes
from keras_gans.errors import UserError
from keras_gans.layers import advance_all

# How a loss that is NaN or infinite is known among TensorFlow's errors.
NON_FINITE = "keras_gans: non-finite loss"


class Updating:
    """How the players of an `AdversarialModel` move: one tape, one scaling over replicas, one check of the loss.

    It reads the model's `optimizers`, `curves`, `players` and `variables_of`, and notes in `reported` which curves it
    feeds.
    """

    def update(self, player: str, loss_function: Callable[..., tuple[tf.Tensor, Curves]], *args: Any) -> Curves:
        """Moves one player one step down the gradient of its loss.

        Args:
            player: a key of `players`.
            loss_function: function of `args` that returns (scalar loss, {curve: value}).
            *args: what the loss is a function of.

        Returns:
            {curve: value}, what the loss function reported.

        Raises:
            UserError: the loss depends on none of the player's variables, so that nothing would ever move.
        """

        def terms():
            loss, curves = loss_function(*args)
            return {"loss": loss}, curves

        return self.update_together({player: {"loss": 1.0}}, terms)

    def update_together(
        self,
        objectives: Mapping[str, Mapping[str, float | tf.Tensor]],
        terms_function: Callable[..., tuple[dict[str, tf.Tensor], Curves]],
        *args: Any,
    ) -> Curves:
        """Moves several players at once, each one step down the gradient of its own loss of one forward pass.

        A loss is a weighted sum of terms, and a term that several players share is differentiated once for all.

        Args:
            objectives: {player: {term: its weight in the player's loss, a number or a scalar tensor}}.
            terms_function: function of `args` that returns ({term: scalar}, {curve: value}).
            *args: what the terms are functions of.

        Returns:
            {curve: value}, what the function reported.

        Raises:
            UserError: a loss depends on none of its player's variables, so that nothing would ever move.
        """
        # A forward pass changes statistics, and must not do so once an earlier player has met NaN.
        with tf.control_dependencies(undoing.found_finite()):
            return self._update_together(objectives, terms_function, *args)

    def _update_together(self, objectives, terms_function, *args):
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync
        sharing = {}
        for player, term in ((player, term) for player, weights in objectives.items() for term in weights):
            sharing.setdefault(term, []).append(player)
        with tf.GradientTape(persistent=len(sharing) > 1) as tape:
            terms, curves = terms_function(*args)
            # Optimizers sum gradients over replicas; the global loss is the mean of the replicas' means.
            scaled = {term: self._scale(players[0]) * terms[term] / replicas for term, players in sharing.items()}
        found = {
            term: tape.gradient(scaled[term], {player: self.variables_of(player) for player in players})
            for term, players in sharing.items()
        }
        del tape
        losses, gradients, norms, watched = {}, {}, {}, {}
        for player, weights in objectives.items():
            loss = losses[player] = sum(weight * terms[term] for term, weight in weights.items())
            gradients[player] = self._weighted(player, weights, found)
            if replicas > 1:
                # With the gradients, so that every replica knows where one of them has met NaN.
                everything = [*gradients[player], loss]
                *gradients[player], loss = context.all_reduce(tf.distribute.ReduceOp.SUM, everything)
            norms[player] = tf.linalg.global_norm(gradients[player]) / self._scale(player)
            watched[f"{player}_loss"] = loss
            if not isinstance(self.optimizers[player], keras.optimizers.LossScaleOptimizer):
                # That one tries how large a scale may be, and takes no step where it was too large.
                watched[f"{player}_gradient_norm"] = norms[player]
        # No variable moves, and no counter, before everything has been found finite.
        with tf.control_dependencies(_refuse_non_finite(watched)):
            for player, loss in losses.items():
                self._apply(player, gradients[player], replicas)
                self._log({f"{player}_loss": loss, f"{player}_gradient_norm": norms[player]})
            self._log(curves)
        return curves

    def _scale(self, player):
        """What the player's optimizer multiplies its loss by, so that float16 can hold the gradients."""
        return self.optimizers[player].scale_loss(tf.constant(1.0))

    def _weighted(self, player, weights, found):
        """The player's gradients in its own scale, of {term: {player: gradients in the first player's scale}}."""
        total = [None] * len(self.variables_of(player))
        for term, weight in weights.items():
            first = next(iter(found[term]))
            factor = weight if first == player else weight * self._scale(player) / self._scale(first)
            total = [_plus(*pair, factor) for pair in zip(total, found[term][player], strict=True)]
        return _connected(total, self.variables_of(player), player)

    def _apply(self, player, gradients, replicas):
        """Moves one player by its gradients, summed over replicas."""
        self.keep_player(player)
        # The optimizer sums over replicas once more, hence the division.
        gradients = [gradient / replicas if replicas > 1 else tf.identity(gradient) for gradient in gradients]
        self.optimizers[player].apply(gradients, self.variables_of(player))
        for network in self.players[player]:
            advance_all(getattr(self, network))
        self.after_update(player)

    def keep_player(self, player: str) -> None:
        """Keeps what an update of `player` changes, for the case that the step cannot be completed."""
        undoing.keep([*self.variables_of(player), *self.optimizers[player].variables])

    def keep_curves(self) -> None:
        """Keeps the curves' means, for the case that the step cannot be completed."""
        undoing.keep([variable for curve in self.curves.values() for variable in curve.variables])

    def after_update(self, player: str) -> None:
        """Called after each update of `player`; a scheme may constrain weights here."""
        # A body, because AutoGraph cannot convert a docstring alone where an update runs in a user's tf.function.
        return None

    def _log(self, values):
        for name, value in values.items():
            if name not in self.curves:
                raise KeyError(f"{type(self).__name__} reports {name!r}, which its log_names do not list.")
            self.reported.add(name)
            value, known = value if isinstance(value, Sometimes) else (value, None)
            undoing.at_the_end(functools.partial(self.curves[name].update_state, value, sample_weight=known))


def _refuse_non_finite(watched):
    """What to wait for before anything moves: it fails where one of {name: scalar} is NaN or infinite.

    Whatever the step has changed before, in forward passes too, is put back first.
    """
    values = [tf.cast(value, tf.float32) for value in watched.values()]
    undone = undoing.undo_unless(tf.reduce_all(tf.math.is_finite(values)))
    for name, value in watched.items():
        # One after another, so that what is named is the loss where there is a choice.
        with tf.control_dependencies(undone):
            undone = [tf.debugging.check_numerics(value, f"{NON_FINITE} {name};")]
    undoing.wait_for(undone)
    return undone


def _plus(total, gradient, factor):
    """total + factor * gradient, where None is a gradient that does not exist."""
    if gradient is None:
        return total
    # Most losses are a single term of weight 1.
    part = gradient if isinstance(factor, float) and factor == 1.0 else factor * gradient
    return part if total is None else total + part


def _connected(gradients, variables, player):
    """Gradients with zeros for variables that this loss happens not to reach."""
    if all(gradient is None for gradient in gradients):
        raise UserError(
            f"The loss of {player!r} depends on none of its {len(variables)} variables, so training would not move it. "
            "Look for a stop_gradient, a NumPy value or another network's samples in its loss."
        )
    pairs = zip(gradients, variables, strict=True)
    return [tf.zeros_like(variable) if gradient is None else gradient for gradient, variable in pairs]
