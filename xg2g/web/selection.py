"""Which channels a request is about."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from starlette.requests import Request

from ..lineup import Channel, Lineup
from ..lineup.naming import unknown
from .gateway import gateway_of
from .http.refusals import Refused

_YES, _NO = {"1", "true", "yes", "only"}, {"0", "false", "no"}


@dataclass(frozen=True, slots=True)
class Selection:
    """The filters of a request: `bouquet`, a name, and `radio`, yes or no."""

    bouquet: str | None = None
    radio: bool | None = None

    @classmethod
    def of(cls, request: Request) -> Self:
        """Read the filters from path and query. Raises `Refused`."""
        bouquet = request.path_params.get("bouquet") or request.query_params.get("bouquet") or None
        radio = request.query_params.get("radio", "").lower()
        if radio and radio not in _YES | _NO:
            raise Refused(400, "invalid radio; use 1 (radio only) or 0 (television only)")
        return cls(bouquet, radio in _YES if radio else None)

    @property
    def query(self) -> str:
        """The same filters as a query for another URL, with its question mark; empty for none."""
        radio = None if self.radio is None else str(int(self.radio))
        filters = {"bouquet": self.bouquet, "radio": radio}
        given = {name: value for name, value in filters.items() if value is not None}
        return f"?{urlencode(given)}" if given else ""

    def channels(self, lineup: Lineup) -> tuple[Channel, ...]:
        """Return the channels that pass the filters. Raises `Refused` if there is no such
        bouquet."""
        channels = lineup.select(bouquet=self.bouquet, radio=self.radio)
        if channels is None:
            names = (group.name for group in lineup.groups)
            raise Refused(404, unknown([self.bouquet or ""], names))
        return channels


def lineup_of(request: Request) -> Lineup:
    """Return the lineup. Raises `Refused` with the reason while there is none."""
    keeper = gateway_of(request).lineup_keeper
    if keeper.lineup is None:
        trouble = keeper.trouble
        text = str(trouble) if trouble else "the lineup is being read; try again in a moment"
        raise Refused(503, text, {"Retry-After": "5"})
    return keeper.lineup


def find_channel(lineup: Lineup, channel_id: str) -> Channel:
    """Return the channel with this id. Raises `Refused` if there is none."""
    channel = lineup.find(channel_id)
    if channel is None:
        raise Refused(404, "no such channel; /api/v1/channels lists them")
    return channel
