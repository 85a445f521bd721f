"""Export of trained generators: SavedModel and TFLite, checked by running them, published as numbered versions.

Nothing here imports TensorFlow until a model is exported, so that the command line's help stays fast.
"""

__all__ = ["export_model"]


def __getattr__(name):
    if name == "export_model":
        from .exporter import export_model

        return export_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
