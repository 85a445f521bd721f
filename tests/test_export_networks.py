"""Each kind of generator converts to TFLite with TFLite's own operations and answers as the model does."""

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from keras_gans import networks, schemes
from keras_gans.export import edge, export_model
from keras_gans.export.full_precision import in_float32


def dcgan(upsampling="deconv"):
    generator = networks.dcgan_generator((8, 8, 1), latent_dim=4, base_filters=4, upsampling=upsampling)
    return schemes.DCGAN(generator, networks.dcgan_discriminator((8, 8, 1), base_filters=4))


def mlp(shape, output_activation="tanh"):
    generator = networks.mlp_generator(shape, latent_dim=4, output_activation=output_activation)
    return schemes.VanillaGAN(generator, networks.mlp_discriminator(shape))


def check_tflite(model, report, folder, output):
    files = {path for path in report["files"] if path.startswith("tflite/")}
    assert files == {f"tflite/generator_{kind}.tflite" for kind in report["tflite"]}
    path = folder / str(report["version"]) / report["tflite"]["float32"]["file"]
    runner = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    latent = np.random.default_rng(1).normal(size=(1, 4)).astype("float32")
    answered = runner(z=latent)
    assert list(answered) == [output]
    np.testing.assert_allclose(answered[output], model.predict(latent, verbose=0), atol=1e-4)
    for kind, entry in report["tflite"].items():
        assert entry["checks"]["serving_default"]["psnr_db"] > {"float32": 100}.get(kind, entry["floor_db"])


@pytest.mark.parametrize(
    "make, output",
    [
        pytest.param(lambda: dcgan("nearest"), "image", id="nearest", marks=pytest.mark.slow),
        pytest.param(lambda: dcgan("bilinear"), "image", id="bilinear", marks=pytest.mark.slow),
        pytest.param(lambda: dcgan("subpixel"), "image", id="subpixel", marks=pytest.mark.slow),
        pytest.param(lambda: mlp((8, 8, 1)), "image", id="mlp", marks=pytest.mark.slow),
        pytest.param(lambda: mlp((2,), output_activation=None), "point", id="points"),
    ],
)
def test_tflite_of(make, output, tmp_path):
    model = make()
    report = export_model(model, tmp_path, ["tflite"])
    check_tflite(model, report, tmp_path, output)
    assert not (tmp_path / "1" / "saved_model.pb").exists()


@pytest.mark.slow
def test_a_generator_in_half_precision_becomes_tflite_in_float32(tmp_path):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        # Nearest, so that the quick tests convert that one too.
        model = dcgan("nearest")
    finally:
        keras.config.set_dtype_policy(policy)
    report = export_model(model, tmp_path, ["tflite"])
    assert 0 < report["half_precision"]["distance_from_float32"]["serving_default"] < 0.1
    twin = in_float32(model)
    assert {layer.compute_dtype for layer in twin._flatten_layers(include_self=False)} == {"float32"}
    check_tflite(twin, report, tmp_path, "image")
    assert in_float32(twin) is twin


def figures(signature_def_hash="1", formats=("saved_model",), psnr_db=50.0):
    checks = {"serving_default": {"psnr_db": psnr_db}}
    return {
        "formats": list(formats),
        "signature_def_hash": signature_def_hash,
        "tflite": {
            "dynamic_int8": {"file": "tflite/generator_dynamic_int8.tflite", "floor_db": 45.0, "checks": checks},
            "float32": {"file": "tflite/generator_float32.tflite", "floor_db": None, "checks": checks},
        },
    }


def test_below_the_floor_is_a_warning():
    assert edge.floor_warnings(figures(psnr_db=45.5)) == []
    (warning,) = edge.floor_warnings(figures(psnr_db=44.0))
    assert "generator_dynamic_int8: 44.0 dB against Keras, below the floor of 45 dB" in warning


def small_cyclegan():
    translators = [
        networks.resnet_translator((16, 16, shape), output_channels=made, base_filters=8, blocks=1)
        for shape, made in ((3, 1), (1, 3))
    ]
    judges = [networks.patch_discriminator((16, 16, channels), base_filters=4) for channels in (3, 1)]
    return schemes.CycleGAN(*translators, *judges)


@pytest.mark.slow
def test_where_dynamic_int8_loses_too_much_weights_alone_are_narrow_and_the_report_says_so(tmp_path, monkeypatch):
    """Both directions of a translator, each with float32 parity."""
    monkeypatch.setitem(edge.FLOORS_DB, "dynamic_int8", 190.0)
    model = small_cyclegan()
    report = export_model(model, tmp_path, ["tflite"], tflite_batch_sizes=(1, 2))
    folder = tmp_path / "1"
    for part, channels in (("a_to_b", 3), ("b_to_a", 1)):
        entries = report[f"tflite_{part}"]
        assert list(entries) == ["float32", "float16", "weight_int8"]
        lost = entries["weight_int8"]["instead_of"]["dynamic_int8"]["psnr_db"]
        assert lost < 190.0 and not (folder / f"tflite/{part}_dynamic_int8.tflite").exists()
        assert any(f"{part}_weight_int8: dynamic_int8 has {lost:.1f} dB" in warning for warning in report["warnings"])
        sizes = [report["files"][entries[kind]["file"]]["bytes"] for kind in ("float32", "weight_int8")]
        assert sizes[1] < 0.6 * sizes[0]
        images = np.random.default_rng(1).uniform(-1, 1, (2, 16, 16, channels)).astype("float32")
        expected = np.asarray(getattr(model, part)(images, training=False))
        for kind, allowed in (("float32", 1e-4), ("weight_int8", 0.05)):
            interpreter = Interpreter(model_path=str(folder / entries[kind]["file"]))
            for signature, rows in (("serving_default", 1), ("batch_2", 2)):
                answered = interpreter.get_signature_runner(signature)(image=images[:rows])["image"]
                np.testing.assert_allclose(answered, expected[:rows], atol=allowed)


@pytest.mark.slow
def test_an_autoencoder_leaves_in_three_parts(tmp_path):
    shape = (8, 8, 1)
    model = schemes.Autoencoder(networks.mlp_encoder(shape, 4), networks.mlp_generator(shape, 4))
    model.compile()
    report = export_model(model, tmp_path)
    assert {"encode", "decode", "reconstruct"} <= set(report["signatures"])
    image = np.random.default_rng(1).uniform(-1, 1, (1, *shape)).astype("float32")

    def answer(part, **inputs):
        path = tmp_path / "1" / "tflite" / f"{part}_float32.tflite"
        return Interpreter(model_path=str(path)).get_signature_runner("serving_default")(**inputs)

    codes = answer("encoder", image=image)["z"]
    np.testing.assert_allclose(codes, model.encode(image), atol=1e-4)
    again = answer("autoencoder", image=image)["image"]
    np.testing.assert_allclose(again, model.reconstruct(image), atol=1e-4)
    np.testing.assert_allclose(answer("generator", z=codes)["image"], again, atol=1e-4)
