"""The one update: a player moves down the gradient of its loss."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from keras_gans.engine.kinds import Curves
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
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
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
        losses, gradients = {}, {}
        for player, weights in objectives.items():
            loss = sum(weight * terms[term] for term, weight in weights.items())
            losses[player] = tf.debugging.check_numerics(loss, f"{NON_FINITE} {player}_loss;")
            gradients[player] = self._weighted(player, weights, found)
        # No variable moves, and no counter, before every loss has been found finite.
        with tf.control_dependencies([*losses.values()]):
            for player, loss in losses.items():
                norm = self._apply(player, gradients[player], replicas)
                self._log({f"{player}_loss": loss, f"{player}_gradient_norm": norm})
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
        """Moves one player by its gradients, and returns their norm."""
        if replicas > 1:
            gradients = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        norm = tf.linalg.global_norm(gradients) / self._scale(player)
        # The optimizer sums over replicas once more, hence the division.
        gradients = [gradient / replicas if replicas > 1 else tf.identity(gradient) for gradient in gradients]
        self.optimizers[player].apply(gradients, self.variables_of(player))
        for network in self.players[player]:
            advance_all(getattr(self, network))
        self.after_update(player)
        return norm

    def after_update(self, player: str) -> None:
        """Called after each update of `player`; a scheme may constrain weights here."""
        # A body, because AutoGraph cannot convert a docstring alone where an update runs in a user's tf.function.
        return None

    def _log(self, values):
        for name, value in values.items():
            if name not in self.curves:
                raise KeyError(f"{type(self).__name__} reports {name!r}, which its log_names do not list.")
            self.curves[name].update_state(value)
            self.reported.add(name)


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
