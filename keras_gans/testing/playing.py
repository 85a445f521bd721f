"""How a training step is played: how often, on what, with which draws, and which way each player pulls."""

import unittest
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import randomness
from keras_gans.engine.base import AdversarialModel
from keras_gans.engine.serving import Sampler
from keras_gans.testing.subject import (
    ROWS,
    STEPS,
    Factory,
    after_one_step,
    built,
    differ,
    moved_by_sgd,
    one_step,
    run_of,
    scheme_name,
    step_batch,
    step_starts,
    trainable,
)

# Found so that every scheme of the zoo pulls its way and every one with its sign flipped does not, by far; with ten
# times the rate some losses that are flipped run away, and then no longer say in which direction they set out.
_RATE = 1e-3
_PULLS = 10
# A judge that has learned nothing has no view for its rivals to change.
_LESSONS = 30
# Of what is to pass for the data, over which a gap is taken. A sentence that is drawn token by token changes as a whole
# or not at all, so that few of them say little.
_DRAWS, _DRAWS_OF_TEXTS = 2, 32


def check_each_player_takes_its_number_of_steps(factory: Factory) -> None:
    """In a training step each player is updated as often as `updates_per_step` says, and the step counts one."""
    model = run_of(factory).model
    assert model.steps_taken == STEPS, f"{STEPS} steps of fit count {STEPS}. Found: {model.steps_taken}."
    for player, optimizer in model.optimizers.items():
        expected, found = model.steps_of(player, STEPS) * model.updates_per_step(player), int(optimizer.iterations)
        assert found == expected, f"{player!r} takes {expected} updates in {STEPS} steps. Found: {found}."


def check_losses_are_reported_under_the_players_names(factory: Factory) -> None:
    """Each step reports PLAYER_loss and PLAYER_gradient_norm of every player and the `log_names`, all finite.

    Where there are phases, each curve is reported in some of them, those of the players in theirs.
    """
    run = run_of(factory)
    silent = [name for name, curve in run.model.curves.items() if float(curve.count) == 0]
    assert not silent, f"A step reports all its curves. Found: {silent} are never reported."
    expected = {f"{player}_{curve}" for player in run.model.players for curve in ("loss", "gradient_norm")}
    expected |= set(run.model.log_names)
    assert set(run.logs) == expected, f"A step reports {sorted(expected)}. Found: {sorted(run.logs)}."
    broken = [name for name, values in run.logs.items() if not np.isfinite(values).all()]
    assert not broken, f"All curves are finite. Found: {broken} are not."


def check_another_seed_trains_another_model(factory: Factory) -> None:
    """A model with another `seed` draws other numbers in training, and so takes another course."""
    model = built(factory)
    found = []
    for start in step_starts(model):
        other = built(factory)
        other.seed += 1
        other.step.assign(start)
        one_step(other)
        found.append(differ(after_one_step(factory, start), trainable(other)))
    # A phase may well draw nothing.
    assert any(found), (
        f"Another seed trains another model. Found: {scheme_name(model)} takes the same step, so that it draws nothing "
        "or by itself; next_seed() gives the seeds to draw by."
    )


def check_each_step_draws_afresh(factory: Factory) -> None:
    """No two draws of two training steps are the same, and steps that differ by their draws alone differ."""
    model = moved_by_sgd(factory, 0.0)
    if not model.is_generative:
        raise unittest.SkipTest(f"{scheme_name(model)} draws no latents in training: is_generative is False")
    # The last phase is the one that makes samples.
    model.step.assign(step_starts(model)[-1])
    seeds, latents = _kept(model, "next_seed"), _kept(model, "latents") if isinstance(model, Sampler) else []
    one_step(model)
    before = trainable(model)
    first = one_step(model)
    second = one_step(model)
    assert seeds, f"{scheme_name(model)} draws what it draws by next_seed(). Found: no call of it."
    for drawn, what in ((seeds, "seed"), (latents, "batch of latents")):
        twice = [i for i, a in enumerate(drawn) for b in drawn[:i] if np.array_equal(a, b)]
        assert not twice, f"Each draw has a {what} of its own. Found: {len(twice)} of {len(drawn)} came twice."
    if not differ(before, trainable(model)):
        assert first != second, "A further step on the same rows draws afresh. Found: it reported the same curves."


def _kept(model: AdversarialModel, name: str) -> list[np.ndarray]:
    """What the method of that name will have returned, call by call."""
    kept: list[np.ndarray] = []
    method = getattr(model, name)

    def keeping(*args: Any) -> Any:
        result = method(*args)
        kept.append(np.array(result))
        return result

    setattr(model, name, keeping)
    return kept


def check_every_field_is_used(factory: Factory) -> None:
    """Other rows in any one of the fields that the scheme `takes` train another model: none is ignored, nor labels."""
    for field in built(factory).takes:
        found = []
        for start in step_starts(built(factory)):
            model = built(factory)
            model.step.assign(start)
            batch = step_batch(model)
            batch[field] = _other_rows(batch[field], step_batch(model, seed=1)[field])
            one_step(model, batch)
            found.append(differ(after_one_step(factory, start), trainable(model)))
        assert any(found), (
            f"{scheme_name(model)} takes the field {field!r}, so that other rows of it train another model. Found: the "
            "same weights after a step."
        )


def _other_rows(rows: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    return drawn if not np.array_equal(rows, drawn) else np.roll(rows, 1, axis=0)


# Which way each player pulls --------------------------------------------------------------------------------------


def check_each_player_pulls_its_own_way(factory: Factory) -> None:
    """A few steps of one player, with the others at rest, move what it is about in its own direction.

    The gap is the mean score that a judge (see `judged`) gives the data less the one it gives what is to pass for them.
    A judge's own steps widen its gap; those of a player in `rivals` narrow the gap of each judge that it is to fool;
    and a player that does neither has an error for its loss, which is 0 or more and which its own steps lower. All
    see one batch and the same draws. A loss with its sign flipped fails. Where there are phases, each is played so, a
    player whose judges rest in it being one that does neither.
    """
    for start in step_starts(built(factory)):
        _check_pulls(_Game(factory, start))


def _check_pulls(game: "_Game") -> None:
    moving = game.players
    judges = sorted({judge for rivals in game.model.rivals.values() for judge in rivals})
    judges += [judge for judge in game.gaps() if judge not in judges]
    for judge in judges:
        if judge in moving:
            game.check_judge(judge)
    # A judge that rests has no rival: who moves meanwhile learns something else.
    fooled = {player: tuple(each for each in rivals if each in moving) for player, rivals in game.model.rivals.items()}
    for player in moving:
        if fooled.get(player):
            game.check_rival(player, fooled[player])
    for player in moving:
        if player not in judges and not fooled.get(player):
            game.check_loss(player)


class _Game:
    """A model whose players move one at a time, on one batch and with the same draws in every step.

    Those that move in the phase that begins after `start` steps are its `players`.
    """

    def __init__(self, factory: Factory, start: int):
        self.model, self.start = built(factory), start
        self.model.step.assign(start)
        self.players = self.model.phase.players
        # With Adam the scale of a loss does not matter; so it must not where gradients are minute.
        adams = {player: keras.optimizers.Adam(0.0, beta_1=0.5, epsilon=1e-12) for player in self.model.players}
        self.model.compile(optimizers=adams)
        self.batch = self.model.example_batch(ROWS)
        # Every n-th row is of the same one of a step's n batches, see `GAN.play`.
        count = self.model.batches_per_step()
        self.rows = {name: tf.constant(np.repeat(rows, count, axis=0)) for name, rows in self.batch.items()}
        self.step = tf.function(self.model.train_step, autograph=False)
        self.draws, self.judged = _DRAWS, self._judged
        if self.model.translates_texts():
            self.draws, self.judged = _DRAWS_OF_TEXTS, tf.function(self._judged, autograph=False)
        # Whatever a step does besides moving players, such as clipping weights, is done before anything is compared.
        self.losses()

    def losses(self) -> dict[str, float]:
        """The players' losses in one more step, which draws what the one before drew."""
        for curve in self.model.curves.values():
            curve.reset_state()
        self.model.step.assign(self.start)
        logs = self.step(self.rows)
        return {player: float(np.mean(logs[f"{player}_loss"])) for player in self.players}

    def move(self, player: str, steps: int) -> None:
        self.model.optimizers[player].learning_rate = _RATE
        for _ in range(steps):
            self.losses()
        self.model.optimizers[player].learning_rate = 0.0

    def gaps(self) -> dict[str, float]:
        """{judge: how much higher it scores the data}, as in training, over several draws."""
        found: dict[str, list[float]] = {}
        for seed in range(self.draws):
            for judge, (real, made) in self.judged(randomness.root_seed(seed, 0)).items():
                found.setdefault(judge, []).append(float(np.mean(real) - np.mean(made)))
        return {judge: float(np.mean(gaps)) for judge, gaps in found.items()}

    def _judged(self, seed):
        with randomness.stream(seed):
            return self.model.judged(self.batch, training=True)

    def check_judge(self, judge: str) -> None:
        before = self.gaps()
        assert judge in before, f"judged() gives the scores of {judge!r}, whom rivals names. Found: {sorted(before)}."
        self.move(judge, _PULLS)
        after = self.gaps()
        assert after[judge] > before[judge], (
            f"The steps of {judge!r} widen the gap between its scores of data and of the others. Found: "
            f"{before[judge]:.6g}, and {after[judge]:.6g} after {_PULLS} steps. Look at the sign of its loss."
        )
        self.move(judge, _LESSONS - _PULLS)

    def check_rival(self, player: str, judges: tuple[str, ...]) -> None:
        before = self.gaps()
        self.move(player, _PULLS)
        after = self.gaps()
        for judge in judges:
            assert after[judge] < before[judge], (
                f"The steps of {player!r} narrow the gap between the scores that {judge!r} gives data and the others. "
                f"Found: {before[judge]:.6g}, and {after[judge]:.6g} after {_PULLS} steps. Look at its loss's sign."
            )

    def check_loss(self, player: str) -> None:
        before = self.losses()[player]
        self.move(player, _PULLS)
        after = self.losses()[player]
        assert before >= 0 and after >= 0, (
            f"{player!r} neither judges nor fools a judge, so its loss is an error, 0 or more. Found: {before:.6g}. "
            "Look at its sign, or name in rivals whom it plays against."
        )
        assert after < before, f"The steps of {player!r} lower its loss. Found: {before:.6g}, then {after:.6g}."
