"""What stands at the other end of Airflow's metrics: a StatsD server and an OpenTelemetry collector, on loopback."""

import atexit
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger
from airflow.sdk._shared.observability.metrics.otel_logger import flush_otel_metrics
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics.stats_utils import get_stats_factory
from opentelemetry import metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

STATSD_LINE = re.compile(r"(?P<name>[^,:]+)(?P<tags>(?:,[^:]+)?):(?P<value>[^|]+)\|(?P<kind>\w+)")


@dataclass(frozen=True)
class Metric:
    """One metric that was sent: a counter's increment (`c`), or the value of a gauge (`g`)."""

    name: str
    tags: frozenset[tuple[str, str]]
    kind: str
    value: float


@dataclass
class Statsd:
    """A StatsD server that keeps what it was sent in its socket's buffer until it is asked."""

    socket: socket.socket

    def received(self) -> list[Metric]:
        """Return what of ours has come since this was last asked."""
        found = []
        while True:
            try:
                packet = self.socket.recv(65535).decode()
            except BlockingIOError:
                return [metric for metric in found if metric.name.startswith("airflow.lapsewatch.")]
            for line in packet.splitlines():
                match = STATSD_LINE.fullmatch(line)
                assert match, line
                tags = frozenset(tuple(tag.split("=", 1)) for tag in match["tags"].split(",") if tag)
                found.append(Metric(match["name"], tags, match["kind"], float(match["value"])))


@contextmanager
def statsd() -> Iterator[Statsd]:
    """Have this process send its metrics to a StatsD server, as Airflow's settings say."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024**2)
        with sending(
            AIRFLOW__METRICS__STATSD_ON="true",
            AIRFLOW__METRICS__STATSD_HOST="127.0.0.1",
            AIRFLOW__METRICS__STATSD_PORT=str(server.getsockname()[1]),
            AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED="true",
        ):
            yield Statsd(server)


@dataclass
class Collector:
    """An OpenTelemetry collector; it keeps the last value of each series, which is what a counter has come to."""

    last: dict[tuple[str, frozenset[tuple[str, str]]], Metric] = field(default_factory=dict)

    def take(self, body: bytes) -> None:
        for of_resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for of_scope in of_resource.scope_metrics:
                for metric in of_scope.metrics:
                    kind = {"sum": "c", "gauge": "g"}.get(metric.WhichOneof("data"))
                    if kind and metric.name.startswith("airflow.lapsewatch."):
                        for point in (metric.sum if kind == "c" else metric.gauge).data_points:
                            tags = frozenset((tag.key, tag.value.string_value) for tag in point.attributes)
                            value = point.as_double if point.HasField("as_double") else point.as_int
                            self.last[metric.name, tags] = Metric(metric.name, tags, kind, value)

    def received(self) -> list[Metric]:
        """Return the series of ours as they stand."""
        # As a task's process does when it ends.
        metrics.get_meter_provider().force_flush()
        return list(self.last.values())


@contextmanager
def opentelemetry() -> Iterator[Collector]:
    """Have this process send its metrics to an OpenTelemetry collector, over HTTP."""
    collector = Collector()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        try:
            with sending(
                AIRFLOW__METRICS__OTEL_ON="true",
                OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{server.server_port}",
                OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
            ):
                yield collector
                metrics.get_meter_provider().shutdown()
                atexit.unregister(flush_otel_metrics)
        finally:
            server.shutdown()
            serving.join()


@contextmanager
def sending(**environment: str) -> Iterator[None]:
    """Do with these settings what a task's process does first, and undo it afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        stats.initialize(factory=get_stats_factory(), export_legacy_names=True)
        try:
            yield
        finally:
            stats.initialize(factory=NoStatsLogger, export_legacy_names=True)
