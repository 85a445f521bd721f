"""What the server counts, for Prometheus."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from .models import AVAILABLE, Models
from .refusal import Refusal, refusal_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Requests by protocol, method, model, signature and code; their seconds; versions that can answer.

    Args:
        models: whose versions are counted. Only names that are among them become labels: a client may make up any.
    """

    def __init__(self, models: Models):
        self._models = models
        self._registry = CollectorRegistry()
        self._registry.register(_Versions(models))
        self._requests = Counter(
            "keras_gans_serve_requests",
            "Requests answered, by gRPC's code.",
            ("protocol", "method", "model", "code"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "keras_gans_serve_request_seconds",
            "Seconds from a request's arrival to its answer.",
            ("protocol", "method", "model"),
            buckets=_SECONDS,
            registry=self._registry,
        )

    @contextmanager
    def request(self, protocol: str, method: str, model: str) -> Iterator[None]:
        """Counts what happens in the block; what it raises comes out as a `Refusal`."""
        model = model if model in self._models.models else "unknown"
        start, code = time.perf_counter(), "OK"
        try:
            yield
        except Exception as error:
            refusal = refusal_of(error)
            code = refusal.code
            if refusal is error:
                raise
            raise refusal from error
        finally:
            self._requests.labels(protocol, method, model, code).inc()
            self._seconds.labels(protocol, method, model).observe(time.perf_counter() - start)

    def refused(self, protocol: str, method: str, refusal: Refusal) -> None:
        """Counts a request that was refused before anyone knew what it asks for."""
        self._requests.labels(protocol, method, "unknown", refusal.code).inc()

    def text(self) -> bytes:
        """All of it in Prometheus's format, `CONTENT_TYPE`."""
        return generate_latest(self._registry)


class _Versions(Collector):
    def __init__(self, models):
        self._models = models

    def collect(self):
        gauge = GaugeMetricFamily(
            "keras_gans_serve_version_available",
            "1 for a version that can answer, 0 otherwise.",
            labels=["model", "version"],
        )
        for model in list(self._models.models.values()):
            for number, version in model.versions.items():
                gauge.add_metric([model.name, str(number)], float(version.state == AVAILABLE))
        yield gauge
