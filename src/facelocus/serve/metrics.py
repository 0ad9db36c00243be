"""What /metrics says: requests, pictures and the queue, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """The counts of one server."""

    def __init__(self, waiting: Callable[[], float]) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter("facelocus_requests", "Requests answered.", ("route", "status"), registry=registry)
        self._seconds = Histogram(
            "facelocus_request_seconds", "From first byte to last.", ("route",), registry=registry
        )
        self._pictures = Counter("facelocus_pictures", "Pictures described.", ("result",), registry=registry)
        self._faces = Counter("facelocus_faces", "Faces found.", registry=registry)
        self._batches = Histogram(
            "facelocus_batch_pictures",
            "Pictures that a worker was given at once.",
            buckets=(1, 2, 3, 4),
            registry=registry,
        )
        Gauge("facelocus_waiting_pictures", "Pictures that wait.", registry=registry).set_function(waiting)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is a template, so that there are only so many."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def picture(self, faces: int, failed: bool) -> None:
        """Count one picture."""
        self._pictures.labels("failed" if failed else "described").inc()
        self._faces.inc(faces)

    def batch(self, pictures: int) -> None:
        """Count one batch."""
        self._batches.observe(pictures)

    def text(self) -> bytes:
        """Return all counts in Prometheus' text format."""
        return generate_latest(self._registry)
