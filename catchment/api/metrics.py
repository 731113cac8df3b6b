"""Figures for Prometheus: the requests of each face, and how the store stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine

from catchment.store import census
from catchment.store.engine import reading

_KNOWN_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Metrics:
    """The figures of one application."""

    def __init__(self, engine: Engine) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "catchment_http_requests",
            "Requests that were answered.",
            ("face", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "catchment_http_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("face",),
            registry=self.registry,
        )
        self._in_flight = Gauge(
            "catchment_http_requests_in_flight",
            "Requests that are being answered.",
            ("face",),
            registry=self.registry,
        )
        self.registry.register(StoreFigures(engine))

    @contextmanager
    def in_flight(self, face: str) -> Iterator[None]:
        """Count a request as being answered while the block lasts."""
        gauge = self._in_flight.labels(face)
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()

    def answered(self, face: str, method: str, status: int, seconds: float) -> None:
        """Count a request; a method that a stranger invented makes no series of its own."""
        known = method if method in _KNOWN_METHODS else "other"
        self._requests.labels(face, known, str(status)).inc()
        self._seconds.labels(face).observe(seconds)

    def text(self) -> bytes:
        """Write all figures in Prometheus' text format."""
        return generate_latest(self.registry)


class StoreFigures(Collector):
    """How the store stands at the moment of asking; says nothing while the store is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name no series before somebody asks: registering must not read the store."""
        yield from ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Count connectors, unfinished runs and documents."""
        up = GaugeMetricFamily("catchment_store_up", "1 where the store answers.")
        try:
            with reading(self._engine) as connection:
                counted = census.count(connection)
        except Exception:  # whatever keeps the store from answering is the very figure
            up.add_metric((), 0)
            yield up
            return
        up.add_metric((), 1)
        yield up
        connectors = GaugeMetricFamily("catchment_connectors", "Living connectors.", labels=("status",))
        for status, number in counted.connectors.items():
            connectors.add_metric((status.lower(),), number)
        yield connectors
        runs = GaugeMetricFamily("catchment_runs_unfinished", "Runs that are not final.", labels=("state",))
        for state, number in counted.runs.items():
            runs.add_metric((state.lower(),), number)
        yield runs
        yield GaugeMetricFamily("catchment_documents", "Documents in the index.", counted.documents)
