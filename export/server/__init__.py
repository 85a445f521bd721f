"""A development server for exports: TensorFlow Serving's protocol, to try a version and to write clients against.

It answers REST and gRPC as TensorFlow Serving does, in one Python process, without its batching, its threads and its
years of traffic. For people to be served, take TensorFlow Serving; the clients stay the same.
"""

__all__ = ["DevelopmentServer"]


def __getattr__(name):
    if name == "DevelopmentServer":
        from .running import DevelopmentServer

        return DevelopmentServer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
