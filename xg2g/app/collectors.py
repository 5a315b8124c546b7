"""Metrics that are computed when Prometheus collects them."""

import asyncio
from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..outputs.viewers import LATE_S
from ..readiness import State
from ..receiver.openwebif import BreakerState, Traffic
from ..streaming.upstream import State as UpstreamState
from ..web.gateway import Gateway
from ..web.service_status import service_status

UNKNOWN = float("nan")


class GatewayCollector(Collector):
    """Lineup, tuners, tasks and refreshes of one daemon. Must be collected in its event loop."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[Metric]:
        lineup, hub = self._gateway.lineup_keeper.lineup, self._gateway.hub
        limit = UNKNOWN if hub.limit is None else hub.limit
        found = service_status(self._gateway)
        yield _gauge("xg2g_ready", "1 if a stream can be served now", found.is_ready)
        yield self._state(found.state)
        yield self._parts()
        channels = len(lineup.channels) if lineup else 0
        yield _gauge("xg2g_channels", "Channels in the lineup", channels)
        yield _gauge("xg2g_tuners_in_use", "Tuners in use by xg2g", hub.in_use)
        yield _gauge("xg2g_tuners_limit", "Number of tuners; NaN while unknown", limit)
        yield _gauge(
            "xg2g_streams_lingering", "Streams that linger after their last viewer", hub.lingering
        )
        tasks = len(asyncio.all_tasks())
        yield _gauge("xg2g_tasks", "Tasks in the event loop", tasks)
        yield from self._sharing()
        yield from self._hls()
        yield from self._refreshes()

    def _sharing(self) -> Iterator[Metric]:
        upstreams = self._gateway.hub.upstreams
        states = GaugeMetricFamily(
            "xg2g_upstreams",
            "Streams from the receiver, one for all viewers of a channel, by state",
            labels=["state"],
        )
        for state in UpstreamState:
            if state is not UpstreamState.ENDED:
                count = sum(it.state is state for it in upstreams)
                states.add_metric([state.value], count)
        yield states
        yield _gauge(
            "xg2g_ring_bytes",
            "Bytes of output buffered for viewers that join or fall behind",
            sum(it.ring.kept_bytes for it in upstreams),
        )
        viewers = self._gateway.viewers
        lags_s = [it.stream.lag_s for it in viewers if it.stream is not None]
        yield _gauge(
            "xg2g_viewers_late",
            f"Viewers that are more than {LATE_S:g} s behind the output",
            sum(lag_s > LATE_S for lag_s in lags_s),
        )
        yield _gauge(
            "xg2g_viewer_longest_lag_seconds",
            "Longest time that a viewer is behind the output",
            max(lags_s, default=0.0),
        )

    def _hls(self) -> Iterator[Metric]:
        outputs = tuple(self._gateway.hls or ())
        current = [it for it in outputs if not it.is_over]
        yield _gauge("xg2g_hls_outputs", "Channels with an HLS output", len(current))
        yield _gauge(
            "xg2g_hls_players",
            "HLS players with a recent request; same address and user agent count as one",
            sum(len(it.clients) for it in current),
        )
        yield _gauge(
            "xg2g_hls_waiting_requests",
            "HLS requests that wait for a part or playlist to be produced",
            sum(len(it.waiting) for it in outputs),
        )
        yield _gauge(
            "xg2g_hls_held_bytes",
            "Bytes of HLS parts and segments in memory",
            sum(it.storage.held_bytes for it in outputs),
        )
        yield _gauge(
            "xg2g_hls_window_bytes",
            "Bytes of HLS parts and segments of all windows, in memory or in hls.dir",
            sum(it.storage.stored_bytes for it in outputs),
        )

    def _state(self, current: State) -> Metric:
        states = GaugeMetricFamily(
            "xg2g_state", "1 for the current state: ready, degraded or not_ready", labels=["state"]
        )
        for state in State:
            states.add_metric([_label(state)], state is current)
        return states

    def _parts(self) -> Metric:
        parts = GaugeMetricFamily(
            "xg2g_part_state",
            "1 for the current state of each part: the receiver's stream server and web interface, "
            "the transcoder",
            labels=["part", "state"],
        )
        for part, finding in self._gateway.readiness:
            for state in State:
                parts.add_metric([part.value, _label(state)], state is finding.state)
        return parts

    def _refreshes(self) -> Iterator[Metric]:
        runs = CounterMetricFamily(
            "xg2g_refreshes", "Refreshes of lineup and guide", labels=["part", "outcome"]
        )
        duration = GaugeMetricFamily(
            "xg2g_refresh_duration_seconds", "Duration of the last refresh", labels=["part"]
        )
        last = GaugeMetricFamily(
            "xg2g_refresh_last_success_timestamp_seconds",
            "Time of the last successful refresh",
            labels=["part"],
        )
        for each in self._gateway.refresher.progress():
            runs.add_metric([each.name, "success"], each.succeeded)
            runs.add_metric([each.name, "failure"], each.failed)
            if each.duration_s is not None:
                duration.add_metric([each.name], each.duration_s)
            if each.succeeded_at is not None:
                last.add_metric([each.name], each.succeeded_at.timestamp())
        yield from (runs, duration, last)


class ReceiverCollector(Collector):
    """Requests to the receiver's web interface."""

    def __init__(self, traffic: Callable[[], Traffic]) -> None:
        self._traffic = traffic

    def collect(self) -> Iterator[Metric]:
        traffic = self._traffic()
        yield CounterMetricFamily(
            "xg2g_receiver_requests", "Requests to the receiver's web interface", traffic.requests
        )
        yield CounterMetricFamily(
            "xg2g_receiver_failures",
            "Requests to the web interface without a response in time",
            traffic.failures,
        )
        breaker = GaugeMetricFamily(
            "xg2g_receiver_breaker",
            "1 for the state of the circuit breaker: open, no requests; half_open, one trial",
            labels=["state"],
        )
        for state in BreakerState:
            breaker.add_metric([state], state is traffic.breaker)
        yield breaker


def _label(state: State) -> str:
    return state.value.replace(" ", "_")


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value)
