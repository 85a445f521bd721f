"""What fit() takes, and what it says of what it cannot take, before the first step."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import UserError
from tests.small import BATCH, images, small_model


def dataset(values, batch_size=BATCH):
    return tf.data.Dataset.from_tensor_slices(values).batch(batch_size, drop_remainder=True)


def iter_of(*batches):
    yield from batches


def steps_of(model, *args, **kwargs):
    model.fit(*args, epochs=1, verbose=0, **kwargs)
    return int(model.step)


def test_a_dataset_an_array_and_a_labelled_dataset_train():
    values = images(24)
    labels = np.arange(24)
    assert steps_of(small_model("gan"), dataset(values)) == 3
    assert steps_of(small_model("gan"), dataset((values, labels))) == 3
    assert steps_of(small_model("gan"), values, batch_size=8) == 3
    assert steps_of(small_model("gan"), values, labels, batch_size=12) == 2
    assert steps_of(small_model("gan"), values.astype("float64"), batch_size=8) == 3


def test_a_step_of_wgan_consumes_a_batch_for_each_step_of_the_critic(monkeypatch):
    model = small_model("wgan")
    seen = []
    monkeypatch.setattr(model, "discriminator_loss", lambda real, fake: _note(seen, model, real, fake))
    assert model.batches_per_step() == 2
    values = np.arange(32 * 64, dtype="float32").reshape(32, 8, 8, 1) / (32 * 64)
    model.run_eagerly = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert steps_of(model, dataset(values)) == 2
    assert [len(batch) for batch in seen] == [8] * 4
    rows = np.concatenate(seen)[:, 0, 0, 0]
    assert len(np.unique(rows)) == 32, "some critic step saw images that another had seen"


def _note(seen, model, real, fake):
    seen.append(np.array(real))
    loss = tf.reduce_mean(model.score(fake))
    return loss, {"wasserstein_estimate": loss}


@pytest.mark.parametrize("scheme", ["gan", "wgan"])
def test_the_end_of_a_fit_waits_for_no_tuning_of_the_data_unless_that_was_asked_for(scheme):
    def is_tuned(data, batch_size=None):
        model = small_model(scheme)
        return kg.inputs.prepare(data, None, batch_size, model, shuffle=True, replicas=2).options().autotune.enabled

    asked = tf.data.Options()
    asked.autotune.enabled = True
    parallel = dataset(images(40)).map(lambda batch: batch, num_parallel_calls=tf.data.AUTOTUNE)
    assert is_tuned(parallel.with_options(asked)) is True
    for data in (dataset(images(40)), parallel, iter_of(images(8), images(8))):
        assert is_tuned(data) is False
    assert is_tuned(images(40), 8) is False
    assert kg.data.load(images(40), batch_size=8).options().autotune.enabled is False


def test_the_length_of_an_epoch_is_known_to_the_progress_bar():
    prepared = kg.inputs.prepare(dataset(images(40)), None, None, small_model("wgan"), shuffle=True, replicas=1)
    assert int(prepared.cardinality()) == 2
    assert prepared.element_spec.shape == (16, 8, 8, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dataset(images(16)[..., 0]), r"\(batch, 8, 8, 1\).*Received: \(8, 8, 8\).*channel axis is missing"),
        (lambda: tf.data.Dataset.from_tensor_slices(images(16)), r"There is no batch axis"),
        (lambda: dataset(images(32)).batch(2), "batched twice"),
        (lambda: dataset(np.zeros((16, 9, 9, 1), "float32")), r"Received: \(8, 9, 9, 1\)"),
        (lambda: dataset((images(16) * 127 + 127).astype("uint8")), r"Received: uint8.*127\.5"),
        (lambda: dataset(images(16) * 100), r"must lie in \[-1, 1\].*Received: -99.*127\.5"),
        (lambda: dataset(np.full((16, 8, 8, 1), np.nan, "float32")), "NaN or infinite"),
        (lambda: dataset(images(4)), "dataset is empty"),
        (lambda: images(4), "holds 4 samples, fewer than one batch of 32"),
        (lambda: [images(4)], "Received: list"),
        (lambda: "digits", "Received: str.*data.load"),
    ],
)
def test_a_mistake_gets_one_clear_error_before_the_first_step(make, message):
    model = small_model("gan")
    with pytest.raises(UserError, match=message):
        model.fit(make(), verbose=0)
    assert int(model.step) == 0


def test_arrays_and_batches_of_nothing_are_refused():
    for rows, size in ((images(0), None), (images(16), 0), (images(16), 1.5)):
        with pytest.raises(UserError, match="one sample or more|batch_size is a whole number from 1"):
            small_model("gan").fit(rows, batch_size=size, verbose=0)
    for count in (0, -1, 1.5):
        with pytest.raises(UserError, match=f"steps_per_execution is a whole number from 1. Received: {count}"):
            small_model("gan").compile(steps_per_execution=count)


@pytest.fixture(scope="module")
def plain():
    return small_model("gan")


@pytest.mark.parametrize("name", ["epochs", "steps_per_epoch", "initial_epoch"])
@pytest.mark.parametrize("count", [-1, 1.5, "3", True, float("nan")])
def test_numbers_of_epochs_and_steps_that_are_none(plain, name, count):
    with pytest.raises(UserError, match=f"^{name} is a whole number from [01].*Received: "):
        plain.fit(images(16), batch_size=8, verbose=0, **{name: count})
    assert int(plain.step) == 0


def test_an_epoch_of_no_steps_is_none(plain):
    with pytest.raises(UserError, match="steps_per_epoch is a whole number from 1, or None.*Received: 0; the nearest"):
        plain.fit(images(16), batch_size=8, verbose=0, steps_per_epoch=0)


@pytest.mark.parametrize("given", [{"epochs": 0}, {"epochs": 2, "initial_epoch": 2}, {"epochs": 2, "initial_epoch": 5}])
def test_nothing_left_to_train_is_no_mistake_as_keras_defines_it(plain, given):
    assert plain.fit(images(16), batch_size=8, verbose=0, **given).history == {}
    assert int(plain.step) == 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: {"generator": kg.optimizers.Adam(-1.0)}, "generator: learning_rate is a number from 0 on.*-1.0"),
        (lambda: {"discriminator": keras.optimizers.SGD(-0.1)}, "discriminator: learning_rate.*Received: -0.1"),
        (lambda: {"generator": keras.optimizers.RMSprop(float("nan"))}, "learning_rate.*Received: nan"),
        (lambda: {"generator": keras.optimizers.Adam(1e-3, beta_1=1.5)}, "beta_1 lies from 0 to below 1.*1.5"),
        (
            lambda: {"generator": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(-1e-3, 9))},
            "learning_rate.*Received: -0.001",
        ),
        (
            lambda: {"generator": keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(-0.1))},
            "learning_rate.*Received: -0.1",
        ),
        (lambda: {"generator": keras.optimizers.SGD(0.1, clipvalue=-(10**5000))}, "clipvalue .* a number of about"),
        (lambda: {"generator": "adma"}, "Unknown optimizer 'adma'.*'adam'"),
        (lambda: {"generator": None}, "The optimizer of generator is one of keras.optimizers.*Received: None"),
        (lambda: {"generator": {"class_name": "x"}}, "The optimizer of generator is not made of"),
    ],
)
def test_optimizers_that_keras_takes_without_a_word(plain, make, said):
    with pytest.raises(UserError, match=said):
        plain.compile(optimizers=make())


def test_optimizers_that_are_sound_are_taken():
    model = small_model("gan")
    rates = [0.0, keras.optimizers.schedules.CosineDecay(1e-3, 9), lambda: 1e-3]
    for rate in rates:
        model.compile(optimizers={"generator": keras.optimizers.SGD(rate), "discriminator": "rmsprop"})


@pytest.mark.parametrize("scheme", ["gan", "wgan"])
def test_a_later_batch_out_of_range_ends_before_its_step(scheme):
    model = small_model(scheme)
    rows = np.concatenate([images(32), images(32) * 100])
    with pytest.raises(UserError, match=r"Near step \d a batch holds samples from -99.* to 99.*they lie from -1 to 1"):
        model.fit(dataset(rows), verbose=0)
    assert 0 < int(model.step) <= 32 // 8 and all(np.isfinite(weights).all() for weights in model.get_weights())


class Drawn(keras.utils.PyDataset):
    """Batches of a list."""

    def __init__(self, batches):
        super().__init__()
        self._batches = batches

    @property
    def num_batches(self):
        return len(self._batches)

    def __getitem__(self, index):
        return self._batches[index]


def without_shape(batches):
    return tf.data.Dataset.from_generator(lambda: iter(batches), output_types=tf.float32)


@pytest.mark.parametrize("give", [lambda batches: iter_of(*batches), Drawn, without_shape])
@pytest.mark.parametrize("shape", [(BATCH, 4, 8, 1), (BATCH, 8, 8), (BATCH, 8, 8, 3), (0, 8, 8, 1), ()])
def test_a_later_batch_of_another_shape_ends_before_its_step(plain, give, shape):
    said = rf"atch .*holds samples of shape \({', '.join(map(str, shape))}\).* had \(batch, 8, 8, 1\)"
    with pytest.raises(UserError, match=said) as caught:
        plain.fit(give([images(BATCH), np.zeros(shape, "float32")]), verbose=0)
    assert "\n" not in str(caught.value) and caught.value.__suppress_context__


def test_a_first_batch_of_no_row_is_refused(plain):
    with pytest.raises(UserError, match="The first batch holds no row"):
        plain.fit(iter_of(images(BATCH)[:0]), verbose=0)


def test_what_is_no_callback_or_no_learning_rate_is_refused(plain):
    for given in ([3], "early", [keras.callbacks.EarlyStopping]):
        with pytest.raises(UserError, match="callbacks is a list of keras.callbacks.Callback objects"):
            plain.fit(images(32), verbose=0, callbacks=given)
    for rate in (-1.0, float("nan"), float("inf")):
        with pytest.raises(UserError, match="discriminator's learning rate is a number from 0"):
            plain.fit(images(32), verbose=0, callbacks=[keras.callbacks.LearningRateScheduler(lambda *_, r=rate: r)])
    with pytest.raises(UserError, match="jit_compile is True or False. Received: 'yes'"):
        plain.compile(jit_compile="yes")


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        (np.zeros((BATCH, 8, 8, 1), complex), "Batch 2 holds samples of complex128, and those before it were float32"),
        ((), r"batches of \(sample\). Received: 0"),
    ],
)
def test_a_later_batch_of_another_kind_ends_before_its_step(plain, batch, said):
    with pytest.raises(UserError, match=said):
        plain.fit(iter_of(images(BATCH), batch), verbose=0)


def test_what_a_generator_raises_comes_out_as_it_is(plain):
    def broken():
        yield images(BATCH)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        plain.fit(broken(), verbose=0)


def test_a_later_label_that_is_no_class_ends_before_its_step(two_replicas):
    labels = np.concatenate([np.zeros(16, int), np.full(16, 12)])
    batches = tf.data.Dataset.from_tensor_slices((images(32), labels)).batch(8)
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            model = small_model("cgan")
        with pytest.raises(UserError, match="Near step . a batch holds label from 12 to 12, and they lie from 0 to"):
            model.fit(batches, verbose=0)
        assert all(np.isfinite(weights).all() for weights in model.get_weights())


def test_too_few_batches_for_one_step_are_refused_with_the_batch_size_that_fits():
    with pytest.raises(UserError, match="takes 2 batches of 8.*holds 1.*at most 4"):
        small_model("wgan_gp").fit(dataset(images(8)), verbose=0)


def test_a_batch_that_does_not_divide_among_replicas_is_refused():
    with pytest.raises(UserError, match="batch of 7 does not divide among 2 replicas.*nearest that does is 8"):
        kg.inputs.prepare(dataset(images(14), 7), None, None, small_model("gan"), shuffle=True, replicas=2)


def test_images_in_zero_to_one_draw_a_warning():
    with pytest.warns(UserWarning, match=r"as if scaled to \[0, 1\]"):
        small_model("gan").fit(dataset(np.abs(images(16))), verbose=0)


def test_labels_beside_a_dataset_are_refused():
    with pytest.raises(UserError, match="leave y and batch_size out"):
        small_model("gan").fit(dataset(images(16)), np.arange(16), verbose=0)


def test_evaluate_says_why_it_means_nothing():
    with pytest.raises(UserError, match="no meaning"):
        small_model("gan").evaluate(images(8), verbose=0)


# As users of Keras know it ---------------------------------------------------------------------------------------


class Batches(keras.utils.PyDataset):
    """Four batches, and how many epochs have ended."""

    ended = 0

    @property
    def num_batches(self):
        return 4

    def __getitem__(self, index):
        if index >= 4:
            raise IndexError(index)
        return images(BATCH, seed=index)

    def on_epoch_end(self):
        self.ended += 1


def test_a_pydataset_trains_epoch_after_epoch_as_its_batches_do():
    of_keras, of_arrays = small_model("gan"), small_model("gan")
    batches = Batches()
    of_keras.fit(batches, epochs=2, verbose=0)
    rows = np.concatenate([images(BATCH, seed=index) for index in range(4)])
    of_arrays.fit(dataset(rows), epochs=2, verbose=0)
    assert int(of_keras.step) == 8 and batches.ended == 2
    for mine, theirs in zip(of_keras.get_weights(), of_arrays.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_generator_of_batches_trains_and_loses_none():
    model = small_model("gan")
    assert steps_of(model, (images(BATCH, seed=index) for index in range(3))) == 3
    labelled = ((images(BATCH, seed=index), np.arange(BATCH) % 3) for index in range(2))
    assert steps_of(small_model("cgan"), labelled, steps_per_epoch=1) == 1
    with pytest.raises(UserError, match="generator is empty"):
        model.fit(iter_of())


@pytest.mark.parametrize(
    ("option", "value", "instead"),
    [
        ("validation_data", images(8), "callbacks.Evaluate"),
        ("validation_split", 0.1, "data.hold_out"),
        ("class_weight", {0: 1.0}, "Draw the classes"),
        ("sample_weight", np.ones(16), "Draw the rows"),
    ],
)
def test_options_of_keras_that_mean_nothing_here_say_what_does(option, value, instead):
    model = small_model("gan")
    with pytest.raises(UserError, match=f"no {option}: .*{instead}"):
        model.fit(images(16), batch_size=8, verbose=0, **{option: value})
    assert int(model.step) == 0


@pytest.mark.parametrize("scheme", ["gan", "cgan"])
@pytest.mark.parametrize("given", [dataset, iter_of, lambda batch: batch])
def test_weights_within_a_batch_are_refused_as_the_option_is(scheme, given):
    model, batch = small_model(scheme), (images(32), np.zeros(32, np.int32), np.ones(32, np.float32))
    with pytest.raises(UserError, match="third for sample_weight: .*Draw the rows"):
        model.fit(given(batch), verbose=0)
    assert int(model.step) == 0


@pytest.mark.parametrize(
    ("option", "value", "instead"),
    [
        ("optimizer", "adam", "compile.optimizers=.'discriminator': ..., 'generator': ...}"),
        ("loss", "mse", "scheme's own"),
        ("metrics", ["accuracy"], "metrics.evaluate"),
        ("loss_weights", [1.0], "constructor"),
    ],
)
def test_compile_says_what_takes_the_place_of_its_options(option, value, instead):
    with pytest.raises(UserError, match=f"no {option} here: .*{instead}"):
        small_model("gan").compile(**{option: value})


@pytest.mark.parametrize("optimizer", ["adam", keras.optimizers.Adam(1e-3)])
def test_the_one_optimizer_that_keras_takes_first_is_told_where_it_belongs(optimizer):
    with pytest.raises(UserError, match="no optimizer here: .*'generator': ...}"):
        small_model("gan").compile(optimizer)


def judge(activation, units, *more, around=lambda layer: layer):
    last = around(keras.layers.Dense(units, activation))
    return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), last, *more])


@pytest.mark.parametrize(
    ("discriminator", "said"),
    [
        (judge("sigmoid", 1), "is a sigmoid: leave that out"),
        (judge("sigmoid", 1, around=kg.layers.SpectralNormalization), "is a sigmoid: leave that out"),
        (judge(None, 1, keras.layers.Softmax()), "is a softmax: leave that out"),
        (judge(None, 3), "with 3 outputs"),
    ],
)
def test_a_discriminator_gives_one_raw_score(discriminator, said):
    with pytest.raises(UserError, match=said):
        kg.schemes.DCGAN(kg.networks.mlp_generator((8, 8, 1), latent_dim=4), discriminator)


# Keras's callbacks ------------------------------------------------------------------------------------------------


def rates(model):
    return {player: float(optimizer.learning_rate) for player, optimizer in model.optimizers.items()}


def compiled(**learning_rates):
    model = small_model("gan")
    model.compile(optimizers={player: keras.optimizers.Adam(rate) for player, rate in learning_rates.items()})
    return model


@pytest.mark.parametrize(("players", "generator"), [(None, 2e-3), (["discriminator"], 8e-3)])
def test_a_schedule_sets_each_players_rate_or_that_of_one(players, generator):
    model = compiled(discriminator=4e-3, generator=8e-3)
    halving = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    callback = halving if players is None else kg.callbacks.OfPlayers(halving, players)
    history = model.fit(images(16), batch_size=8, epochs=2, verbose=0, callbacks=[callback]).history
    assert rates(model) == pytest.approx({"discriminator": 1e-3, "generator": generator})
    assert history["learning_rate_discriminator"] == pytest.approx([2e-3, 1e-3])


def test_rates_are_lowered_where_a_curve_stalls():
    model = compiled(discriminator=4e-3, generator=8e-3)
    # Nothing is better than the first epoch by so much.
    callback = keras.callbacks.ReduceLROnPlateau("generator_loss", factor=0.5, patience=1, min_delta=1e9)
    model.fit(images(16), batch_size=8, epochs=3, verbose=0, callbacks=callback)
    assert rates(model) == pytest.approx({"discriminator": 1e-3, "generator": 2e-3})


class Told(keras.callbacks.Callback):
    """Says in place of the model how a curve went."""

    def __init__(self, curve, values):
        super().__init__()
        self.curve, self.values = curve, values

    def on_epoch_end(self, epoch, logs=None):
        logs[self.curve] = self.values[epoch]


@pytest.mark.parametrize(
    ("scheme", "curve", "best_at", "values"),
    [
        ("began", "convergence_measure", 1, [3.0, 1.0, 2.0, 2.0, 0.0, 0.0]),
        ("gan", "generator_loss", 1, [3.0, 1.0, 2.0, 2.0, 0.0, 0.0]),
        ("acgan", "real_accuracy", 1, [0.3, 0.9, 0.8, 0.8, 1.0, 1.0]),
    ],
)
def test_keras_knows_which_way_a_curve_is_better(scheme, curve, best_at, values, tmp_path):
    model = small_model(scheme)
    stopping = keras.callbacks.EarlyStopping(curve, patience=2)
    saving = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras", curve, save_best_only=True)
    rows = (images(8), np.arange(8) % 3) if "label" in model.takes else (images(8),)
    history = model.fit(*rows, batch_size=8, epochs=6, verbose=0, callbacks=[Told(curve, values), stopping, saving])
    assert stopping.best == values[best_at] and len(history.epoch) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.keras", "2.keras"]


@pytest.mark.parametrize(
    ("callback", "said"),
    [
        (
            lambda: keras.callbacks.EarlyStopping(),
            "EarlyStopping watches 'val_loss', which is no curve.*generator_loss",
        ),
        (lambda: keras.callbacks.ReduceLROnPlateau(), "ReduceLROnPlateau watches 'val_loss'"),
        (lambda: keras.callbacks.ModelCheckpoint("x.keras", save_best_only=True), "ModelCheckpoint watches 'val_loss'"),
        (lambda: keras.callbacks.SwapEMAWeights(), "one optimizer.*ema=0.999"),
        (lambda: keras.callbacks.EarlyStopping("real_probability"), "neither high nor low.*mode='min' or 'max'"),
        (lambda: kg.callbacks.OfPlayers(keras.callbacks.EarlyStopping()), "LearningRateScheduler and ReduceLROn"),
        (
            lambda: kg.callbacks.OfPlayers(keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate), ["critic"]),
            "Unknown player 'critic'",
        ),
    ],
)
def test_what_cannot_be_watched_or_set_is_refused_before_the_first_step(callback, said):
    model = small_model("gan")
    with pytest.raises(UserError, match=said):
        model.fit(images(16), batch_size=8, verbose=0, callbacks=[callback()])
    assert int(model.step) == 0


def test_a_rate_that_follows_a_schedule_is_not_set_by_a_callback():
    model = compiled(generator=keras.optimizers.schedules.CosineDecay(1e-3, 10))
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    with pytest.raises(UserError, match="LearningRateScheduler cannot set the generator's learning rate"):
        model.fit(images(16), batch_size=8, verbose=0, callbacks=[scheduler])


def test_which_way_is_better_is_known_of_what_has_one():
    from keras_gans.engine.keras_callbacks import better

    assert {better(name) for name in ("generator_loss", "pixel_error", "cycle_error_a", "divergence")} == {"min"}
    assert {better(name) for name in ("labelled_accuracy", "classifier_accuracy_b", "text_retrieval")} == {"max"}
    opposed = ("real_score", "fake_error", "discriminator_accuracy", "k", "wasserstein_estimate", "gradient_penalty")
    assert {better(name) for name in opposed} == {None}


# What else is tried -----------------------------------------------------------------------------------------------


def test_predict_takes_latents_and_says_what_takes_images():
    model = small_model("gan")
    latents = np.zeros((3, model.latent_dim), "float32")
    assert model.predict(latents, verbose=0).shape == (3, 8, 8, 1)
    for predict in (model.predict, model.predict_on_batch):
        with pytest.raises(
            UserError, match=r"takes latents \(count, .*Received: shape \(4, 8, 8, 1\).*sample\(count\)"
        ):
            predict(images(4))
    with pytest.raises(UserError, match=r"classify\(images\)"):
        small_model("sgan").predict(images(4))


@pytest.mark.parametrize("name", ["model.h5", "model", "model.hdf5"])
def test_a_file_that_has_no_room_for_several_optimizers_is_refused(name, tmp_path):
    with pytest.raises(UserError, match=f"saved as a .keras file.*Received: '.*{name}'"):
        small_model("gan").save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("format", "instead"),
    [
        ("litert", "keras-gans export RUN"),
        ("onnx", "model.discriminator.export|model.generator.export"),
        ("x", "single"),
    ],
)
def test_formats_of_export_say_what_writes_them(format, instead, tmp_path):
    with pytest.raises(UserError, match=instead):
        small_model("gan").export(tmp_path / "out", format=format)
    assert not list(tmp_path.iterdir())


def test_a_saved_scheme_is_loaded_without_knowing_what_to_import(tmp_path):
    model = small_model("gan")
    model.save(tmp_path / "gan.keras")
    np.testing.assert_array_equal(kg.load_model(tmp_path / "gan.keras").sample(2), model.sample(2))
    with pytest.raises(UserError, match="There is no file"):
        kg.load_model(tmp_path / "gone.keras")


def test_the_rows_of_a_steps_batches_are_woven():
    """Of two batches, rows 0 to 2 and 3 to 5, the first of each comes first: any half has rows of both."""
    (woven,) = kg.inputs._woven((tf.stack([tf.range(6), 10 * tf.range(6)], axis=1),), 2)[tf.newaxis]
    assert woven.numpy().tolist() == [[row, 10 * row] for row in (0, 3, 1, 4, 2, 5)]
