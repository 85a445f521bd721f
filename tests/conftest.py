"""What all tests share: two logical CPUs, the one mirrored strategy, and reasons to skip."""

import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import testing
from keras_gans.export import fresh_process
from tests.seeding import keep_kernels
from tests.services import start_services

# Before anything uses TensorFlow; tests of one device use the first.
testing.prepare_devices()
keep_kernels()


def pytest_collection_modifyitems(items):
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    for item in items:
        if "gpu" in item.keywords and not has_gpu:
            item.add_marker(pytest.mark.skip(reason="TensorFlow sees no GPU on this machine"))
        if "network" in item.keywords and "KERAS_GANS_TEST_NETWORK" not in os.environ:
            item.add_marker(pytest.mark.skip(reason="set KERAS_GANS_TEST_NETWORK=1 where there is a network"))


def pytest_collection_finish():
    # All of TensorFlow and thousands of tests live to the end: to look through them for garbage takes long.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


@pytest.fixture(scope="session")
def two_replicas():
    """The only strategy over both CPUs."""
    return testing.two_replicas()


@pytest.fixture(autouse=True)
def _fresh_seeds():
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def digits():
    """scikit-learn's digits as float32 images (1797, 8, 8, 1) in [-1, 1]."""
    from sklearn.datasets import load_digits

    return (load_digits().images[..., np.newaxis] / 8.0 - 1.0).astype("float32")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keeps tests from reading or filling the user's cache; what one process of a run prepares serves the others."""
    before = os.environ.get("KERAS_GANS_CACHE")
    own = tmp_path_factory.getbasetemp()
    os.environ["KERAS_GANS_CACHE"] = str((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "cache")
    yield
    if before is None:
        del os.environ["KERAS_GANS_CACHE"]
    else:
        os.environ["KERAS_GANS_CACHE"] = before


@pytest.fixture(scope="session", autouse=True)
def _one_import_for_all_exports():
    with fresh_process.warm():
        yield


@pytest.fixture(scope="module")
def service_addresses():
    """Addresses of tf.data services with no, one and two workers."""
    process, addresses = start_services()
    yield addresses
    # Not waited for: servers that are asked to stop wait for their clients.
    process.kill()
    process.communicate()
