"""What is looked up at the moment when Prometheus asks, instead of being kept beside."""

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
    """Lineup, tuners, tasks and refreshes of one daemon; collected inside its event loop."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[Metric]:
        lineup, hub = self._gateway.lineup_keeper.lineup, self._gateway.hub
        limit = UNKNOWN if hub.limit is None else hub.limit
        found = service_status(self._gateway)
        yield _gauge("xg2g_ready", "Whether a viewer who comes now is served", found.is_ready)
        yield self._state(found.state)
        yield self._parts()
        channels = len(lineup.channels) if lineup else 0
        yield _gauge("xg2g_channels", "Channels in the lineup", channels)
        yield _gauge("xg2g_tuners_in_use", "Tuners that are tuned for xg2g", hub.in_use)
        yield _gauge("xg2g_tuners_limit", "Tuners there are; NaN while unknown", limit)
        yield _gauge(
            "xg2g_streams_lingering", "Streams kept open after their last viewer", hub.lingering
        )
        tasks = len(asyncio.all_tasks())
        yield _gauge("xg2g_tasks", "Tasks of the event loop", tasks)
        yield from self._sharing()
        yield from self._hls()
        yield from self._refreshes()

    def _sharing(self) -> Iterator[Metric]:
        upstreams = self._gateway.hub.upstreams
        states = GaugeMetricFamily(
            "xg2g_upstreams",
            "Streams of the receiver, one for all viewers of a channel",
            labels=["state"],
        )
        for state in UpstreamState:
            if state is not UpstreamState.ENDED:
                count = sum(it.state is state for it in upstreams)
                states.add_metric([state.value], count)
        yield states
        yield _gauge(
            "xg2g_ring_bytes",
            "Newest output, kept for viewers who join or are behind",
            sum(it.ring.kept_bytes for it in upstreams),
        )
        viewers = self._gateway.viewers
        lags_s = [it.stream.lag_s for it in viewers if it.stream is not None]
        yield _gauge(
            "xg2g_viewers_late",
            f"Viewers for whom output has waited for more than {LATE_S:g} s",
            sum(lag_s > LATE_S for lag_s in lags_s),
        )
        yield _gauge(
            "xg2g_viewer_longest_lag_seconds",
            "The longest time for which output has waited for a viewer",
            max(lags_s, default=0.0),
        )

    def _hls(self) -> Iterator[Metric]:
        outputs = tuple(self._gateway.hls or ())
        current = [it for it in outputs if not it.is_over]
        yield _gauge(
            "xg2g_hls_outputs", "Channels that are made for HTTP Live Streaming", len(current)
        )
        yield _gauge(
            "xg2g_hls_players",
            "Players of them that asked lately, as far as they can be told apart",
            sum(len(it.clients) for it in current),
        )
        yield _gauge(
            "xg2g_hls_waiting_requests",
            "Requests that wait for what is yet to come",
            sum(len(it.waiting) for it in outputs),
        )
        yield _gauge(
            "xg2g_hls_held_bytes",
            "Parts and segments in memory",
            sum(it.storage.held_bytes for it in outputs),
        )
        yield _gauge(
            "xg2g_hls_window_bytes",
            "Parts and segments of all windows, in memory or in hls.dir",
            sum(it.storage.stored_bytes for it in outputs),
        )

    def _state(self, current: State) -> Metric:
        states = GaugeMetricFamily(
            "xg2g_state", "1 for the state: ready, degraded or not_ready", labels=["state"]
        )
        for state in State:
            states.add_metric([_label(state)], state is current)
        return states

    def _parts(self) -> Metric:
        parts = GaugeMetricFamily(
            "xg2g_part_state",
            "1 for the state of each part: the receiver's stream server and web interface, the "
            "transcoder",
            labels=["part", "state"],
        )
        for part, finding in self._gateway.readiness:
            for state in State:
                parts.add_metric([part.value, _label(state)], state is finding.state)
        return parts

    def _refreshes(self) -> Iterator[Metric]:
        runs = CounterMetricFamily(
            "xg2g_refreshes", "Readings of the lineup and of the guide", labels=["part", "outcome"]
        )
        duration = GaugeMetricFamily(
            "xg2g_refresh_duration_seconds", "Of the last reading", labels=["part"]
        )
        last = GaugeMetricFamily(
            "xg2g_refresh_last_success_timestamp_seconds", "When it last went well", labels=["part"]
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
    """What the receiver's web interface is asked."""

    def __init__(self, traffic: Callable[[], Traffic]) -> None:
        self._traffic = traffic

    def collect(self) -> Iterator[Metric]:
        traffic = self._traffic()
        yield CounterMetricFamily(
            "xg2g_receiver_requests", "Requests to the web interface", traffic.requests
        )
        yield CounterMetricFamily(
            "xg2g_receiver_failures", "Of these, without an answer in time", traffic.failures
        )
        breaker = GaugeMetricFamily(
            "xg2g_receiver_breaker",
            "1 for how its breaker stands: open, and it is left alone; half open, for one trial",
            labels=["state"],
        )
        for state in BreakerState:
            breaker.add_metric([state], state is traffic.breaker)
        yield breaker


def _label(state: State) -> str:
    return state.value.replace(" ", "_")


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value)
