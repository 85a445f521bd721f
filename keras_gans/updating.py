"""The one update: a player moves down the gradient of its loss."""

import tensorflow as tf

from keras_gans.errors import UserError

# How a loss that is NaN or infinite is known among TensorFlow's errors.
NON_FINITE = "keras_gans: non-finite loss"


class Updating:
    """How the players of an `AdversarialModel` move: one tape, one scaling over replicas, one check of the loss.

    It reads the model's `optimizers`, `curves` and `variables_of`.
    """

    def update(self, player, loss_function, *args):
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
        return self.update_together((player,), lambda *given: {player: loss_function(*given)}, *args)[player]

    def update_together(self, players, loss_function, *args):
        """Moves several players at once, each one step down the gradient of its own loss of one forward pass.

        Args:
            players: keys of `players`.
            loss_function: function of `args` that returns {player: (scalar loss, {curve: value})}.
            *args: what the losses are functions of.

        Returns:
            {player: {curve: value}}, what the loss function reported.

        Raises:
            UserError: a loss depends on none of its player's variables, so that nothing would ever move.
        """
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        finite, scaled, logs = {}, {}, {}
        with tf.GradientTape(persistent=len(players) > 1) as tape:
            for player, (loss, logs[player]) in loss_function(*args).items():
                finite[player] = tf.debugging.check_numerics(loss, f"{NON_FINITE} {player}_loss;")
                # Optimizers sum gradients over replicas; the global loss is the mean of the replicas' means.
                scaled[player] = self.optimizers[player].scale_loss(finite[player] / replicas)
        gradients = {
            player: _connected(tape.gradient(scaled[player], variables), variables, player)
            for player, variables in ((player, self.variables_of(player)) for player in players)
        }
        del tape
        # No variable moves, and no counter, before every loss has been found finite.
        with tf.control_dependencies([*finite.values()]):
            for player in players:
                norm = self._apply(player, gradients[player], replicas)
                self._log({f"{player}_loss": finite[player], f"{player}_gradient_norm": norm, **logs[player]})
        return logs

    def _apply(self, player, gradients, replicas):
        """Moves one player by its gradients, and returns their norm."""
        optimizer = self.optimizers[player]
        if replicas > 1:
            gradients = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        norm = tf.linalg.global_norm(gradients) / optimizer.scale_loss(tf.constant(1.0))
        # The optimizer sums over replicas once more, hence the division.
        gradients = [gradient / replicas if replicas > 1 else tf.identity(gradient) for gradient in gradients]
        optimizer.apply(gradients, self.variables_of(player))
        self.after_update(player)
        return norm

    def after_update(self, player):
        """Called after each update of `player`; a scheme may constrain weights here."""
        # A body, because AutoGraph cannot convert a docstring alone where an update runs in a user's tf.function.
        return None

    def _log(self, values):
        for name, value in values.items():
            if name not in self.curves:
                raise KeyError(f"{type(self).__name__} reports {name!r}, which its log_names do not list.")
            self.curves[name].update_state(value)


def _connected(gradients, variables, player):
    """Gradients with zeros for variables that this loss happens not to reach."""
    if all(gradient is None for gradient in gradients):
        raise UserError(
            f"The loss of {player!r} depends on none of its {len(variables)} variables, so training would not move it. "
            "Look for a stop_gradient, a NumPy value or another network's samples in its loss."
        )
    pairs = zip(gradients, variables, strict=True)
    return [tf.zeros_like(variable) if gradient is None else gradient for gradient, variable in pairs]
