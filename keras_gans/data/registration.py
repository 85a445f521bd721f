"""Makes `tfds.load` know the embedded data sets, without importing TensorFlow Datasets for those who never use it."""

import importlib
import importlib.abc
import importlib.machinery
import sys

_TFDS = "tensorflow_datasets"
_BUILDERS = "keras_gans.data.builders"


class _BuildersAfterTFDS(importlib.abc.MetaPathFinder):
    """Imports the embedded builders as soon as TensorFlow Datasets has been imported."""

    def find_spec(self, fullname, path, target=None):
        if fullname != _TFDS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_then_register(module):
            execute(module)
            importlib.import_module(_BUILDERS)

        spec.loader.exec_module = execute_then_register
        return spec


def register_with_tfds():
    """Registers the embedded builders now if TensorFlow Datasets is imported, else when it will be."""
    if _TFDS in sys.modules:
        importlib.import_module(_BUILDERS)
    elif not any(isinstance(finder, _BuildersAfterTFDS) for finder in sys.meta_path):
        sys.meta_path.insert(0, _BuildersAfterTFDS())
