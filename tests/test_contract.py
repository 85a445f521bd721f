"""What every registered scheme promises, whatever its paper."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import NonFiniteError
from tests.small import BATCH, IMAGE_SHAPE, batch_for, endless, inputs_for, optimizer_state, small_model, weights

SCHEMES = list(kg.registry.schemes)
every_scheme = pytest.mark.parametrize("scheme", SCHEMES)
# With a recipe whose training has what no scheme's first one has: augmentation, and two passes over one batch.
every_randomness = pytest.mark.parametrize("scheme", [*SCHEMES, "sgan_mnist"])


def one_step(model):
    """One training step on a batch of random samples, eagerly."""
    model.train_step(tf.nest.map_structure(tf.constant, batch_for(model, BATCH * model.batches_per_step())))


def train(model, steps, skip_steps=0):
    model.fit(endless(model, skip_steps), steps_per_epoch=steps, epochs=1, verbose=0)
    return model


@pytest.fixture(scope="module")
def trained():
    """Function of a scheme that gives its model after three steps: the same one to every test, which only reads it."""
    return functools.cache(lambda scheme: train(small_model(scheme), 3))


def assert_equal(first, second):
    assert first.keys() == second.keys()
    for key in first:
        np.testing.assert_array_equal(first[key], second[key], err_msg=key)


@every_scheme
def test_an_update_moves_its_own_player_and_no_other(scheme, monkeypatch):
    model = small_model(scheme, rate=0.1)
    moved = {player: set() for player in model.players}
    for player, optimizer in model.optimizers.items():

        def apply(gradients, variables, player=player, original=optimizer.apply):
            before = {id(v): np.array(v) for v in model.trainable_variables}
            original(gradients, variables)
            moved[player] |= {id(v) for v in model.trainable_variables if not np.array_equal(v, before[id(v)])}

        monkeypatch.setattr(optimizer, "apply", apply)
    one_step(model)
    # Not by their paths, which two discriminators of one kind share.
    paths = {id(variable): variable.path for variable in model.trainable_variables}
    for player in model.players:
        own = {id(variable) for variable in model.variables_of(player)}
        assert moved[player] <= own, f"{player} moved {[paths[key] for key in moved[player] - own]}"
        # Every one of them, but for those whose gradient happens to vanish, such as a bias before a mean difference.
        assert len(moved[player]) >= 0.5 * len(own)


@every_scheme
def test_each_player_takes_its_number_of_steps(scheme, trained):
    model = trained(scheme)
    assert int(model.step) == 3
    for player, optimizer in model.optimizers.items():
        steps = getattr(model, "discriminator_steps", 1) if player == "discriminator" else 1
        assert int(optimizer.iterations) == 3 * steps


@every_scheme
def test_losses_are_reported_under_the_players_names(scheme, trained):
    model = trained(scheme)
    history = model.history.history
    expected = {f"{player}_{curve}" for player in model.players for curve in ("loss", "gradient_norm")}
    assert set(history) == expected | set(model.log_names)
    assert all(np.isfinite(values).all() for values in history.values())


@every_randomness
def test_two_replicas_on_one_global_batch_step_as_one(scheme, two_replicas):
    results = []
    for scope in (tf.distribute.get_strategy().scope(), two_replicas.scope()):
        with scope:
            model = small_model(scheme, rate=0.05)
        dataset = tf.data.Dataset.from_tensors(batch_for(model, BATCH * model.batches_per_step())).repeat()
        start = weights(model)
        # The dataset already holds whole training steps.
        history = keras.Model.fit(model, dataset, steps_per_epoch=4, epochs=1, verbose=0).history
        results.append((start, weights(model), history))
    (start, one, one_history), (other_start, two, two_history) = results
    assert_equal(start, other_start)
    for name, first in one.items():
        np.testing.assert_allclose(first, two[name], atol=2e-5, err_msg=name)
    for curve, values in one_history.items():
        np.testing.assert_allclose(values, two_history[curve], rtol=2e-3, atol=2e-5, err_msg=curve)
    moved = max(np.abs(one[name] - start[name]).max() for name in one if not name.endswith("step"))
    assert moved > 1e-3, "nothing moved, so the comparison says nothing"


@every_randomness
def test_resuming_equals_going_on_bit_for_bit(scheme, trained, tmp_path):
    whole = train(small_model(scheme), 6)
    trained(scheme).save(tmp_path / "half.keras")
    keras.utils.set_random_seed(99)
    resumed = train(keras.saving.load_model(tmp_path / "half.keras"), 3, skip_steps=3)
    assert int(resumed.step) == 6
    assert_equal(weights(whole), weights(resumed))
    for player, state in optimizer_state(whole).items():
        for first, second in zip(state, optimizer_state(resumed)[player], strict=True):
            np.testing.assert_array_equal(first, second)


@every_scheme
def test_another_seed_trains_another_model(scheme, trained):
    first, second = trained(scheme), small_model(scheme)
    second.seed = 1
    train(second, 3)
    assert any(not np.array_equal(a, b) for a, b in zip(weights(first).values(), weights(second).values(), strict=True))


@every_scheme
def test_each_step_draws_latents_of_its_own(scheme, monkeypatch):
    model = small_model(scheme, rate=0.0)
    if not model.is_generative:
        pytest.skip("it draws no latents in training")
    drawn, original = [], model.latents
    monkeypatch.setattr(model, "latents", lambda rows: drawn.append(original(rows)) or drawn[-1])
    for _ in range(2):
        one_step(model)
    assert all(not np.array_equal(a, b) for i, a in enumerate(drawn) for b in drawn[:i])


@every_scheme
def test_keras_file_holds_everything(scheme, trained, tmp_path):
    model = trained(scheme)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    networks = set(model.network_names())
    ours, theirs = model.get_config(), loaded.get_config()
    assert {key: theirs[key] for key in ours.keys() - networks} == {key: ours[key] for key in ours.keys() - networks}
    assert_equal(weights(model), weights(loaded))
    assert loaded.get_compile_config() == model.get_compile_config()
    np.testing.assert_array_equal(loaded.sample(3, seed=5), model.sample(3, seed=5))


def vivid(model):
    """The model with larger kernels: a convolutional generator as it starts makes pictures of almost one grey."""
    for variable in model.trainable_variables:
        if variable.name == "kernel":
            variable.assign(20.0 * variable)
    return model


@every_scheme
def test_saved_model_equals_the_generator(scheme, tmp_path):
    model = vivid(small_model(scheme))
    model.export(tmp_path / "saved", verbose=False)
    served = tf.saved_model.load(tmp_path / "saved").signatures
    latents = np.random.default_rng(1).standard_normal((5, model.latent_dim)).astype("float32")
    inputs = inputs_for(model, latents)
    labels = {"label": tf.constant(inputs[1])} if model.takes_labels else {}
    image = served["serving_default"](z=tf.constant(latents), **labels)["image"]
    np.testing.assert_allclose(image, model(inputs), rtol=1e-5, atol=1e-5)
    assert np.std(image, axis=0).mean() > 0.1, "pictures that are all alike would equal any others"
    labels = {"label": tf.constant([1, 0, 2], tf.int64)} if model.takes_labels else {}
    drawn = served["sample"](seed=tf.range(7, 10, dtype=tf.int64), **labels)["image"]
    np.testing.assert_array_equal(drawn, model.sample(3, seed=7, labels=[1, 0, 2] if labels else None))
    labels = {"label": tf.constant([2], tf.int64)} if model.takes_labels else {}
    png = served["sample_png"](seed=tf.constant([8], tf.int64), **labels)["image_bytes"]
    np.testing.assert_array_equal(tf.io.decode_png(png[0]), model.sample(1, seed=8, labels=2 if labels else None)[0])


@every_scheme
def test_a_nan_batch_is_reported_and_never_saved(scheme, tmp_path):
    model = small_model(scheme)
    rows = batch_for(model, 3 * BATCH * model.batches_per_step())
    (rows[0] if "label" in model.takes else rows)[-BATCH * model.batches_per_step(), 0, 0, 0] = np.nan
    dataset = tf.data.Dataset.from_tensor_slices(rows).batch(BATCH, drop_remainder=True)
    checkpoint = kg.callbacks.Checkpoint(tmp_path, every=1, keep=5)
    with pytest.raises(NonFiniteError, match="Step 3: .*_loss is NaN or infinite"):
        model.fit(dataset, epochs=1, verbose=0, callbacks=[checkpoint])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000001.keras", "step-00000002.keras"]
    assert all(np.isfinite(variable).all() for variable in model.trainable_variables), (
        "the update of the bad batch was applied"
    )


@every_scheme
def test_a_model_with_a_nan_weight_is_not_saved(scheme, tmp_path):
    model = small_model(scheme)
    first = model.variables_of(next(iter(model.players)))[0]
    first.assign(np.full(first.shape, np.nan))
    with pytest.raises(NonFiniteError, match="was not written.*NaN or infinite"):
        model.save(tmp_path / "model.keras")
    with pytest.raises(NonFiniteError):
        model.save_weights(tmp_path / "model.weights.h5")
    assert not list(tmp_path.iterdir())


@every_scheme
def test_samples_are_a_function_of_the_seed(scheme):
    model = small_model(scheme)
    assert model.sample(5, seed=3).shape == (5, *IMAGE_SHAPE)
    assert model.sample(5, seed=3).dtype == np.uint8
    np.testing.assert_array_equal(model.sample(5, seed=3)[2:], model.sample(3, seed=5))
    assert not np.array_equal(model.sample(1, seed=0), model.sample(1, seed=1))


@pytest.mark.parametrize(
    "scheme", [pytest.param(name, marks=[] if name == "dcgan" else pytest.mark.slow) for name in SCHEMES]
)
def test_backup_and_restore_goes_on(scheme, tmp_path):
    def stop_after(steps):
        return keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: (
                (_ for _ in ()).throw(KeyboardInterrupt) if batch + 1 == steps else None
            )
        )

    whole = train(small_model(scheme), 4)
    model = small_model(scheme)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=1, delete_checkpoint=False)
    with pytest.raises(KeyboardInterrupt):
        model.fit(endless(model), steps_per_epoch=4, verbose=0, callbacks=[backup, stop_after(2)])
    restored = small_model(scheme)
    restored.load_weights(tmp_path / "backup" / "latest.weights.h5")
    assert int(restored.step) == 2
    assert_equal(weights(whole), weights(train(restored, 2, skip_steps=2)))
