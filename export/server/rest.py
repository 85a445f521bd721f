"""TensorFlow Serving's REST: predict, status, metadata, and beside it health and Prometheus."""

import asyncio
import json
import re
from concurrent.futures import Executor
from urllib.parse import unquote

from aiohttp import web

from . import messages, tensors
from .metrics import CONTENT_TYPE, Metrics
from .models import Models
from .refusal import Refusal

# As large as a batch of photographs; more is refused unread.
BODY_LIMIT = 64 * 2**20
# For one body to arrive: who is slower gives up a place that is needed.
BODY_SECONDS = 30.0
_WHICH = r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_PREDICT = re.compile(rf"/v1/models/(?P<name>[^/:]+){_WHICH}:(?P<method>classify|regress|predict)", re.IGNORECASE)
_ABOUT = re.compile(rf"/v1/models/(?P<name>[^/:]+){_WHICH}(?P<metadata>/metadata)?", re.IGNORECASE)


def application(
    models: Models, metrics: Metrics, workers: Executor, body_seconds: float = BODY_SECONDS, cors: bool = False
) -> web.Application:
    """The whole of it, to be run by aiohttp.

    Args:
        models: what is served.
        metrics: where requests are counted.
        workers: threads that answer, so that none waits for another's network.
        body_seconds: for one body to arrive.
        cors: whether pages of any origin may read the answers.
    """
    handler = _Handler(models, metrics, workers, body_seconds)
    # Bodies are limited by the handler, which says so in JSON; this is for what it does not read.
    found = web.Application(client_max_size=BODY_LIMIT + 1, middlewares=[_in_json])
    if cors:
        found.on_response_prepare.append(_for_any_origin)
        found.router.add_route("OPTIONS", "/v1/{rest:.*}", handler.preflight)
    found.router.add_get("/healthz", handler.health)
    found.router.add_get("/readyz", handler.readiness)
    found.router.add_get("/monitoring/prometheus/metrics", handler.prometheus)
    found.router.add_route("*", "/v1/{rest:.*}", handler.answer)
    return found


async def _for_any_origin(request, response):
    response.headers.update(
        {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "POST, GET",
            "Access-Control-Allow-Headers": "Content-Type",
        }
    )


@web.middleware
async def _in_json(request, handler):
    """Every mistake is said in JSON, that of a path included."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _refused(Refusal("INVALID_ARGUMENT", f"{error.reason}: {request.path}", error.status))


class _Handler:
    def __init__(self, models, metrics, workers, body_seconds):
        self._models, self._metrics, self._workers = models, metrics, workers
        self._body_seconds = body_seconds

    async def health(self, request):
        return web.json_response({"status": "alive"})

    async def readiness(self, request):
        is_ready = self._models.ready()
        return web.json_response({"status": "ready" if is_ready else "loading"}, status=200 if is_ready else 503)

    async def preflight(self, request):
        return web.Response(status=204)

    async def prometheus(self, request):
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def answer(self, request):
        try:
            content = await self._content(request)
            work = asyncio.get_running_loop().run_in_executor(
                self._workers, self._work, request.method, request.rel_url.raw_path, content
            )
            return web.Response(body=await work, content_type="application/json")
        except Refusal as refusal:
            return _refused(refusal)

    async def _content(self, request):
        """The body, whole and in time."""
        try:
            if (request.content_length or 0) > BODY_LIMIT:
                raise web.HTTPRequestEntityTooLarge(BODY_LIMIT, request.content_length)
            return await asyncio.wait_for(request.read(), self._body_seconds)
        except asyncio.TimeoutError:
            message = f"The body did not arrive within {self._body_seconds:g} seconds."
            refusal = Refusal("DEADLINE_EXCEEDED", message, 408)
        except web.HTTPRequestEntityTooLarge:
            refusal = Refusal("RESOURCE_EXHAUSTED", f"A body has {BODY_LIMIT} bytes at the most.", 413)
        except (web.HTTPException, ValueError) as error:
            # Such as a compressed body that is none.
            refusal = Refusal("INVALID_ARGUMENT", f"The body cannot be read: {error}")
        self._metrics.refused("rest", "unknown", refusal)
        raise refusal

    def _work(self, method, path, content):
        # TensorFlow Serving answers to any other method and path under /v1 like this.
        malformed = Refusal("INVALID_ARGUMENT", f"Malformed request: {method} {path}")
        if method == "POST" and (found := _PREDICT.fullmatch(path)):
            name = unquote(found["name"])
            with self._metrics.request("rest", found["method"].lower(), name):
                if found["method"].lower() != "predict":
                    raise Refusal("UNIMPLEMENTED", "Exports answer :predict; they have no signature of tf.Examples.")
                return self._predict(name, *_which(found), content)
        if method == "GET" and (found := _ABOUT.fullmatch(path)):
            name = unquote(found["name"])
            with self._metrics.request("rest", "metadata" if found["metadata"] else "status", name):
                number, label = _which(found)
                if found["metadata"]:
                    return messages.metadata_json(self._models.named(name), number, label)
                return messages.status_json(self._models, name, number, label)
        self._metrics.refused("rest", "unknown", malformed)
        raise malformed

    def _predict(self, name, number, label, content):
        servable = self._models.named(name).find(number, label)
        asked = tensors.parse(content)
        try:
            inputs = servable.inputs(asked.signature)
        except Refusal as refusal:
            raise Refusal("INVALID_ARGUMENT", refusal.message) from None
        arrays = tensors.inputs_of(asked, inputs)
        return tensors.answer_of(servable.predict(asked.signature, arrays), asked.format)


def _which(found):
    number = found["version"]
    if number is not None and int(number) >= 2**63:
        raise Refusal("INVALID_ARGUMENT", f"Failed to convert version: {number} to numeric.")
    return None if number is None else int(number), found["label"] and unquote(found["label"])


def _refused(refusal):
    body = json.dumps({"error": refusal.message})
    response = web.Response(text=body, status=refusal.status, content_type="application/json")
    if refusal.status in (408, 413):
        # The rest of the body is not read, so that the connection is of no further use.
        response.force_close()
    return response
