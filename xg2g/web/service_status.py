"""Service status: one state, and the reasons for it."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..readiness import Finding, Part, State
from .gateway import Gateway


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """Whether a new viewer would be served, and what is wrong."""

    state: State
    findings: tuple[Finding, ...]
    """Problems, the worst first; empty if there are none."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Problems, one line each."""
        return tuple(dict.fromkeys(it.reason for it in self.findings))

    @property
    def is_ready(self) -> bool:
        """True if a new viewer would be served, even if something is wrong."""
        return self.state is not State.NOT_READY


def service_status(gateway: Gateway) -> ServiceStatus:
    """Return the status by the latest probes; `gateway.readiness.examine` renews them."""
    found = sorted(_findings(gateway), key=lambda it: -it.state.severity)
    worst = found[0].state if found else State.READY
    return ServiceStatus(worst, tuple(found))


def receiver_state(gateway: Gateway) -> str:
    """Return `ok`, or one line about what is wrong with the receiver."""
    for part in (Part.STREAM_SERVER, Part.WEB_INTERFACE):
        if reason := gateway.readiness.finding(part).reason:
            return reason
    keeper = gateway.lineup_keeper
    if keeper.trouble:
        return str(keeper.trouble)
    return "ok" if keeper.read_at_s is not None else "not asked yet"


def _findings(gateway: Gateway) -> Iterator[Finding]:
    """Yield every problem."""
    keeper = gateway.lineup_keeper
    lineup = keeper.lineup
    if gateway.stopping.is_set():
        yield Finding(State.NOT_READY, "xg2g is stopping")
    if lineup is None:
        reason = str(keeper.trouble) if keeper.trouble else "the lineup is being read"
        yield Finding(State.NOT_READY, reason)
    elif not lineup.channels and not keeper.missing:
        yield Finding(
            State.NOT_READY, "the receiver's bouquets hold no channel; see lineup.bouquets"
        )
    if keeper.missing:
        is_empty = lineup is None or not lineup.channels
        state = State.NOT_READY if is_empty else State.DEGRADED
        yield Finding(state, keeper.missing_text)
    if lineup and (missing := gateway.missing_tuner_bouquets(lineup)):
        yield Finding(State.DEGRADED, f"hdhomerun.bouquets: {missing}")
    by_web_alone = lineup is not None and all(it.reference.path for it in lineup.channels)
    for part, finding in gateway.readiness:
        if finding.state is not State.READY and not (by_web_alone and part is Part.STREAM_SERVER):
            yield finding
    for progress in gateway.refresher.progress():
        if progress.trouble:
            yield Finding(State.DEGRADED, progress.trouble)
