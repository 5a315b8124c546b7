"""What Prometheus can see. Labels take few values, never a name or address from outside."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector


class Outcome(StrEnum):
    """How a stream ended, or why it never began."""

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
        self._info = Info("xg2g_backend", "Where streams are converted", registry=registry)
        self._retries = Counter(
            "xg2g_backend_retries",
            "Requests to a transcoder sent again, since their answer was lost",
            registry=registry,
        )
        self._takeovers = Counter(
            "xg2g_backend_failovers",
            "Streams that went on with another remuxer, since their transcoder was lost",
            registry=registry,
        )
        self._fallbacks = Counter(
            "xg2g_backend_fallbacks",
            "Streams converted in this process, since no transcoder could be had",
            registry=registry,
        )
        self._dropped_bytes = Counter(
            "xg2g_backend_dropped_bytes",
            "Bytes of input dropped while no transcoder could be had",
            registry=registry,
        )

    def runs(self, backend: str) -> None:
        """Say which backend it is."""
        self._info.info({"backend": backend})

    def retried(self) -> None:
        self._retries.inc()

    def spliced(self) -> None:
        self._takeovers.inc()

    def fallen_back(self) -> None:
        self._fallbacks.inc()

    def dropped(self, count: int) -> None:
        self._dropped_bytes.inc(count)


class Metrics:
    """The metrics of one daemon, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "xg2g_http_requests",
            "Answers, by the template of the path",
            ["route", "status"],
            registry=self.registry,
        )
        self.programmes = Gauge(
            "xg2g_guide_programmes", "Programmes in the guide", registry=self.registry
        )
        self.streams = Gauge(
            "xg2g_streams_active",
            "Viewers whose stream is open, or being opened",
            registry=self.registry,
        )
        self.remuxers = Gauge(
            "xg2g_remuxers_open",
            "Remuxers that convert streams, here or in the transcoder services",
            registry=self.registry,
        )
        self.outcomes = Counter(
            "xg2g_streams", "Streams that ended", ["outcome"], registry=self.registry
        )
        self.relay_failures = Counter(
            "xg2g_relay_failures",
            "Streams that the softcam's relay did not bring, so that the stream server was asked",
            registry=self.registry,
        )
        self.bytes_in = Counter(
            "xg2g_stream_input_bytes", "Bytes from the receiver", registry=self.registry
        )
        self.bytes_out = Counter(
            "xg2g_stream_output_bytes", "Bytes to viewers", registry=self.registry
        )
        self.start_s = Histogram(
            "xg2g_stream_start_seconds",
            "Time from the viewer's request to the first byte",
            buckets=(0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 30),
            registry=self.registry,
        )
        self.freeze_s = Histogram(
            "xg2g_stream_freeze_seconds",
            "How long viewers got nothing though the receiver sent: a transcoder was lost, or late",
            buckets=(0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30),
            registry=self.registry,
        )
        self.skips = Counter(
            "xg2g_viewer_skips",
            "Times that a viewer fell behind the kept output and went on at the newest",
            registry=self.registry,
        )
        self.skipped_bytes = Counter(
            "xg2g_viewer_skipped_bytes", "Output left out by these skips", registry=self.registry
        )
        self.reconnections = Counter(
            "xg2g_upstream_reconnections",
            "Lost streams of the receiver that came back while viewers stayed",
            registry=self.registry,
        )
        self.hls_parts = Counter(
            "xg2g_hls_parts",
            "Parts made for HTTP Live Streaming, by kind of rendition",
            ["kind"],
            registry=self.registry,
        )
        self.hls_requests = Counter(
            "xg2g_hls_requests",
            "Answers by HTTP Live Streaming",
            ["kind", "status"],
            registry=self.registry,
        )
        self.hls_blocked_s = Histogram(
            "xg2g_hls_blocked_seconds",
            "How long requests waited for what was yet to come",
            buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 4, 6, 12),
            registry=self.registry,
        )
        self.hls_long_segments = Counter(
            "xg2g_hls_long_segments",
            "Segments longer than their playlist's target duration, which some players refuse",
            registry=self.registry,
        )
        self.held_s = Histogram(
            "xg2g_event_loop_held_seconds",
            "Time for which the event loop gave nobody a turn, looked at twenty times a second",
            buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=self.registry,
        )
        self.longest_hold_s = Gauge(
            "xg2g_event_loop_longest_hold_seconds",
            "The longest of these since the start",
            registry=self.registry,
        )
        self.backend = BackendMetrics(self.registry)
        for outcome in Outcome:
            self.outcomes.labels(outcome)
        for kind in ("video", "sound", "text", "images"):
            self.hls_parts.labels(kind)
