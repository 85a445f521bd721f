"""Starting and stopping the development server."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import web

from keras_gans.errors import UserError

from ..runtimes import AUTO
from . import rest, rpc
from .metrics import Metrics
from .models import Configured, Model, Models

LOOPBACK = ("127.0.0.1", "::1", "localhost")
# Requests that are answered at once, of each protocol.
_THREADS = max(4, 2 * (os.cpu_count() or 1))
# For requests under way to be answered, once it is to stop.
_GRACE_SECONDS = 10.0


class DevelopmentServer:
    """Serves folders of versions over REST and gRPC until it is left.

    Example:
        with DevelopmentServer([Model("dcgan", Path("exported/dcgan"))]) as server:
            print(server.port, server.grpc_port)

    Args:
        models: list of `models.Model`.
        host: address to listen at; anything but this machine's own lets strangers in.
        port: of REST; 0 for any that is free.
        grpc_port: of gRPC, likewise.
        poll_seconds: between two looks for new versions.
        say: function of a line about what happened.
        configured: see `models.Models`.
        cors: whether pages of any origin may read what REST answers.
        format: see `models.Models`.
        body_seconds: for one body of REST to arrive.

    Attributes:
        port: of REST, once started.
        grpc_port: of gRPC, once started.
        models: `models.Models`.

    Raises:
        UserError: a port is taken or may not be used.
    """

    def __init__(
        self,
        models: list[Model],
        host: str = "127.0.0.1",
        port: int = 0,
        grpc_port: int = 0,
        *,
        poll_seconds: float = 1.0,
        say: Callable[[str], None] = lambda line: None,
        configured: Callable[[], Configured | None] = lambda: None,
        cors: bool = False,
        format: str = AUTO,
        body_seconds: float = rest.BODY_SECONDS,
    ):
        self.host, self.port, self.grpc_port = host, port, grpc_port
        self.models = Models(models, poll_seconds, say, configured, format)
        self._folders = {model.folder.resolve() for model in models}
        self._body_seconds, self._cors = body_seconds, cors
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rest", daemon=True)
        self._workers = ThreadPoolExecutor(_THREADS, thread_name_prefix="answering")
        self._runner: Any = None
        self._grpc: Any = None

    def __enter__(self) -> "DevelopmentServer":
        # Ports first: who finds one taken should not have waited for models.
        metrics = Metrics(self.models)
        self._grpc = rpc.grpc_server(self.models, metrics, self._may_reload, _THREADS)
        self._thread.start()
        try:
            self.grpc_port = self._grpc_port_bound()
            application = rest.application(self.models, metrics, self._workers, self._body_seconds, self._cors)
            asyncio.run_coroutine_threadsafe(self._start_rest(application), self._loop).result()
            self._grpc.start()
            self.models.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: Any) -> None:
        self.models.stop()
        stopped = self._grpc.stop(_GRACE_SECONDS)
        if self._runner is not None:
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        stopped.wait()
        self._workers.shutdown()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _may_reload(self, folder):
        return self.host in LOOPBACK or folder.resolve() in self._folders

    def _grpc_port_bound(self):
        address = f"[{self.host}]" if ":" in self.host else self.host
        try:
            port = self._grpc.add_insecure_port(f"{address}:{self.grpc_port}")
        except RuntimeError:
            port = 0
        if not port:
            raise UserError(
                f"gRPC cannot listen at {self.host}:{self.grpc_port}: it is taken, or not this machine's. Name another "
                "--grpc-port, or 0 for any."
            )
        return port

    async def _start_rest(self, application):
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_GRACE_SECONDS)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self.host, self.port).start()
        except OSError as error:
            raise UserError(
                f"REST cannot listen at {self.host}:{self.port}: {error.strerror or error}. Name another --port, or 0 "
                "for any."
            ) from None
        self.port = self._runner.addresses[0][1]
