"""The metrics of the daemon. A label has few values and never a name or address from outside."""

from enum import StrEnum
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector


class Outcome(StrEnum):
    """Why a stream ended, or was not opened."""

    VIEWER_LEFT = "viewer_left"
    VIEWER_STALLED = "viewer_stalled"
    RECEIVER_ENDED = "receiver_ended"
    DURATION_OVER = "duration_over"
    TERMINATED = "dismissed"
    SHUTDOWN = "shutdown"
    NO_TUNER = "no_tuner"
    UNKNOWN_SERVICE = "unknown_service"
    NO_SIGNAL = "no_signal"
    SCRAMBLED = "scrambled"
    RECEIVER_SILENT = "receiver_silent"
    RECEIVER_UNREACHABLE = "receiver_unreachable"
    RECEIVER_CREDENTIALS = "receiver_credentials"
    RECEIVER_UNEXPECTED = "receiver_unexpected"
    OUT_OF_FILES = "out_of_files"
    NOT_OFFERED = "not_offered"
    BACKEND_UNAVAILABLE = "backend_unavailable"
    BACKEND_FAILED = "backend_failed"


class BackendMetrics:
    """The observer of the backend (backends/xg2g_backends/external/observer.py)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter = partial(Counter, registry=registry)
        self._info = Info("xg2g_backend", "Backend that converts streams", registry=registry)
        self._retries = counter(
            "xg2g_backend_retries",
            "Requests to a transcoder that were sent again because the response was lost",
        )
        self._splices = counter(
            "xg2g_backend_failovers",
            "Streams that continued with a new remuxer after losing their transcoder",
        )
        self._fallbacks = counter(
            "xg2g_backend_fallbacks",
            "Streams converted in this process because no transcoder was available",
        )
        self._dropped_bytes = counter(
            "xg2g_backend_dropped_bytes",
            "Bytes of input dropped while no transcoder was available",
        )

    def runs(self, backend: str) -> None:
        """Set the name of the backend."""
        self._info.info({"backend": backend})

    def retried(self) -> None:
        self._retries.inc()

    def spliced(self) -> None:
        self._splices.inc()

    def fallen_back(self) -> None:
        self._fallbacks.inc()

    def dropped(self, count: int) -> None:
        self._dropped_bytes.inc(count)


class HlsMetrics:
    """HTTP Live Streaming."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.parts = Counter(
            "xg2g_hls_parts",
            "HLS parts produced, by kind of rendition",
            ["kind"],
            registry=registry,
        )
        self.requests = Counter(
            "xg2g_hls_requests",
            "HLS responses, by kind and status",
            ["kind", "status"],
            registry=registry,
        )
        self.blocked_s = Histogram(
            "xg2g_hls_blocked_seconds",
            "Time that HLS requests waited for a part or playlist to be produced",
            buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 4, 6, 12),
            registry=registry,
        )
        self.long_segments = Counter(
            "xg2g_hls_long_segments",
            "Segments longer than the target duration of their playlist, which some players reject",
            registry=registry,
        )
        for kind in ("video", "sound", "text", "images"):
            self.parts.labels(kind)


class EventLoopMetrics:
    """Time for which the event loop was blocked."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.blocked_s = Histogram(
            "xg2g_event_loop_held_seconds",
            "Time for which the event loop was blocked, sampled twenty times a second",
            buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=registry,
        )
        self.longest_s = Gauge(
            "xg2g_event_loop_longest_hold_seconds",
            "Longest time for which the event loop was blocked since the start",
            registry=registry,
        )


class Metrics:
    """The metrics of one daemon, in a registry of its own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        counter = partial(Counter, registry=registry)
        gauge = partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry)
        self.backend = BackendMetrics(registry)
        self.hls = HlsMetrics(registry)
        self.event_loop = EventLoopMetrics(registry)
        self.requests = counter(
            "xg2g_http_requests", "HTTP responses, by path template", ["route", "status"]
        )
        self.programmes = gauge("xg2g_guide_programmes", "Programmes in the guide")
        self.streams = gauge("xg2g_streams_active", "Viewers with a stream that is open or opening")
        self.remuxers = gauge(
            "xg2g_remuxers_open", "Open remuxers, in this process or in transcoder services"
        )
        self.outcomes = counter("xg2g_streams", "Streams that ended", ["outcome"])
        self.relay_failures = counter(
            "xg2g_relay_failures",
            "Streams that the softcam relay failed to deliver, opened at the stream server instead",
        )
        self.bytes_in = counter("xg2g_stream_input_bytes", "Bytes from the receiver")
        self.bytes_out = counter("xg2g_stream_output_bytes", "Bytes to viewers")
        self.start_s = histogram(
            "xg2g_stream_start_seconds",
            "Time from a viewer's request to the first byte",
            buckets=(0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 30),
        )
        self.freeze_s = histogram(
            "xg2g_stream_freeze_seconds",
            "Time without output although the receiver sent: a transcoder was lost or late",
            buckets=(0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30),
        )
        self.skips = counter(
            "xg2g_viewer_skips",
            "Skips to the newest output by viewers that fell behind the buffered output",
        )
        self.skipped_bytes = counter(
            "xg2g_viewer_skipped_bytes", "Bytes of output that were skipped"
        )
        self.reconnections = counter(
            "xg2g_upstream_reconnections",
            "Lost receiver streams that were opened again while viewers stayed",
        )
        for outcome in Outcome:
            self.outcomes.labels(outcome)
