"""The requests that OpenWebif answers, each with its types."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from ..address import ReceiverAddress
from ..errors import UnexpectedAnswerError
from .answers import decode, flag
from .device import About, Status, read_about, read_status
from .guide import DamagedGuideError, Event, read_events
from .listing import (
    RADIO,
    TELEVISION,
    ListedBouquet,
    ListedService,
    read_all_services,
    read_bouquets,
    read_services,
)
from .picon import PNG, Picon, picon_paths
from .recordings import Movie, Timer, read_movies, read_timers
from .stream_settings import (
    WHITELIST,
    StreamSettings,
    read_port,
    read_settings,
    read_whitelist,
)
from .transport import Request, RequestPolicy, Response, Traffic, Transport

T = TypeVar("T")

_ANSWER_LIMIT_BYTES = 8 * 1024 * 1024
"""Limit of an answer: a bouquet of 10,000 services is 2 MB, and only guides are larger."""
_VALUES_LIMIT = 500_000
"""Limit of values in an answer: each takes up to 100 bytes in memory. 10,000 services have some
70,000."""
_GUIDE_LIMIT_BYTES = 512 * 1024 * 1024
"""Limit of a guide: 500 services for 14 days are 250 MB."""
_URGENT_PATHS = frozenset({"api/serviceplayable", "api/statusinfo"})
"""Requests that find out why a stream was refused, while a viewer waits."""
_PICON_LIMIT_BYTES = 2 * 1024 * 1024


class OpenWebif:
    """A client of one receiver. An async context manager; leaving it closes the connection.

    Methods raise the errors of `xg2g.receiver.errors` and no others. Any number of tasks may call
    them: requests are sent one after the other.
    """

    def __init__(
        self,
        address: ReceiverAddress,
        *,
        connect_timeout_s: float,
        answer_timeout_s: float,
        guide_timeout_s: float = 180,
        policy: RequestPolicy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`guide_timeout_s` is for the guide of a whole bouquet, which takes weak receivers
        minutes. `transport` is for tests."""
        self._answer_timeout_s = answer_timeout_s
        self._guide_timeout_s = guide_timeout_s
        self._transport = Transport(
            address,
            connect_timeout_s=connect_timeout_s,
            policy=policy or RequestPolicy(),
            transport=transport,
        )

    @property
    def traffic(self) -> Traffic:
        """Counters of requests since the start."""
        return self._transport.traffic

    async def about(self) -> About:
        """Return what the receiver is, with tuners and streams. Costly for it: not in a loop."""
        return read_about(await self._part("api/about", "info", dict))

    async def status(self) -> Status:
        """Return whether it is in standby, recording, streaming."""
        status = await self._json("api/statusinfo", {})
        if "inStandby" not in status:
            raise self._unexpected("api/statusinfo", "it has no state")
        return read_status(status)

    async def in_standby(self) -> bool:
        """Return whether it is in standby. The cheapest request of all."""
        return flag(await self._part("api/powerstate", "instandby", object))

    async def clock(self) -> datetime | None:
        """Return its time, in whole seconds; None when it does not tell."""
        date = (await self._ask("api/statusinfo", {})).headers.get("Date", "")
        try:
            return parsedate_to_datetime(date)
        except ValueError:
            return None

    async def bouquets(self, kind: str = TELEVISION) -> list[ListedService]:
        """Return the receiver's top bouquets of `TELEVISION` or `RADIO`, in its order."""
        entries = await self._part("api/bouquets", "bouquets", list, stype=kind)
        return list(read_bouquets(entries))

    async def services(
        self, bouquet: ListedService, *, picons: bool = False
    ) -> list[ListedService]:
        """Return the entries of a bouquet: services, markers and further bouquets, in its order.

        With `picons` the receiver looks for each service's picon, which saves requests for it under
        several names.
        """
        query = {"sRef": bouquet.raw_reference} | ({"picon": "1"} if picons else {})
        path = "api/getservices"
        answer = await self._json(path, query)
        return list(read_services(self._member(path, answer, "services", list), answer.get("pos")))

    async def all_services(self, kind: str = TELEVISION) -> list[ListedBouquet]:
        """Return the top bouquets of `TELEVISION` or `RADIO` with their entries, in one request.

        Picons and the entries of bouquets inside them are missing.
        """
        # Any `type`, even "tv", means radio.
        query = {"type": RADIO} if kind == RADIO else {}
        entries = await self._part("api/getallservices", "services", list, **query)
        return list(read_all_services(entries))

    async def playable(
        self, service: ListedService, *, instead_of: ListedService | None = None
    ) -> bool:
        """Return whether a tuner could receive a service now, or after `instead_of` has ended.

        False also for a service that the receiver does not know. True is no reservation: another
        client may take the tuner first.
        """
        query = {"sRef": service.raw_reference}
        query |= {"sRefPlaying": instead_of.raw_reference} if instead_of else {}
        answer = await self._part("api/serviceplayable", "service", dict, **query)
        return flag(answer.get("isplayable"))

    async def relayed_services(self) -> frozenset[str]:
        """Return the channel ids of the services that go through the softcam's stream relay."""
        answer = await self._ask("file", {"file": WHITELIST}, accepted={404, 500})
        # If there is no such file, new interfaces answer 500, and old ones 200 with a sentence.
        if answer.status != httpx.codes.OK:
            return frozenset()
        return read_whitelist(decode(self._content("file", answer, _ANSWER_LIMIT_BYTES)))

    async def stream_settings(self) -> StreamSettings:
        """Return the receiver's settings that concern streams."""
        return read_settings(await self._part("api/settings", "settings", list))

    async def named_stream_port(
        self, service: ListedService, settings: StreamSettings
    ) -> int | None:
        """Return the port that the receiver names for a service: for some it is the relay's.

        None when it names no port, when the service is not DVB, and when the request would zap the
        television, which `settings` tell.
        """
        if settings.playlists_zap or not service.reference.is_dvb_service:
            return None
        answer = await self._ask("web/stream.m3u", {"ref": service.raw_reference})
        return read_port(decode(self._content("web/stream.m3u", answer, _ANSWER_LIMIT_BYTES)))

    async def timers(self) -> list[Timer]:
        """Return the recordings that the receiver is to make."""
        return list(read_timers(await self._part("api/timerlist", "timers", list)))

    async def movies(self) -> list[Movie]:
        """Return the recordings in the receiver's default directory."""
        return list(read_movies(await self._part("api/movielist", "movies", list)))

    async def events(
        self, bouquet: ListedService, *, begin: datetime, minutes: int
    ) -> AsyncIterator[Event]:
        """Yield the guide of a whole bouquet: events of all its services, grouped by service.

        `begin` has a time zone. Events that run at that time are included, and all that begin up to
        `minutes` later. The answer is complete before the first event, so other requests may be
        made in between. Raises `UnexpectedAnswerError` when the receiver has no guide for the
        bouquet at all; use `service_events` then.
        """
        async for event in self._events("epgmulti", {"bRef": bouquet}, begin, minutes):
            yield event

    async def service_events(
        self, service: ListedService, *, begin: datetime, minutes: int
    ) -> AsyncIterator[Event]:
        """Yield the guide of one service, which may be empty; otherwise as `events`."""
        async for event in self._events("epgservice", {"sRef": service}, begin, minutes):
            yield event

    async def picon(self, service: ListedService, *, known: Picon | None = None) -> Picon | None:
        """Return a service's picon from the first path at which the receiver has it, or None.

        Returns `known` if that has not changed. A service that was listed with picons costs one
        request, another one up to six.
        """
        for path in picon_paths(service):
            headers = {}
            if known is not None and known.path == path:
                if known.etag:
                    headers["If-None-Match"] = known.etag
                if known.last_modified:
                    headers["If-Modified-Since"] = known.last_modified
            answer = await self._ask(
                path, {}, headers=headers, limit_bytes=_PICON_LIMIT_BYTES, accepted={304, 404}
            )
            if answer.status == httpx.codes.NOT_MODIFIED:
                return known
            png = self._content(path, answer, _PICON_LIMIT_BYTES)
            if answer.status == httpx.codes.OK and png.startswith(PNG):
                etag = answer.headers.get("ETag", "")
                return Picon(path, png, etag, answer.headers.get("Last-Modified", ""))
        return None

    async def reconfigure(
        self, address: ReceiverAddress, *, connect_timeout_s: float, answer_timeout_s: float
    ) -> None:
        """Send further requests to another address. Waits until the pending one is answered."""
        self._answer_timeout_s = answer_timeout_s
        await self._transport.reconfigure(address, connect_timeout_s=connect_timeout_s)

    async def aclose(self) -> None:
        """Close the connection. Closing again does nothing."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _events(
        self, endpoint: str, target: dict[str, ListedService], begin: datetime, minutes: int
    ) -> AsyncIterator[Event]:
        query = {key: listed.raw_reference for key, listed in target.items()}
        # `endTime` is a window in minutes, not a time.
        query |= {"time": str(int(begin.timestamp())), "endTime": str(minutes)}
        answer = await self._ask(
            f"api/{endpoint}",
            query,
            deadline_s=self._guide_timeout_s,
            limit_bytes=_GUIDE_LIMIT_BYTES,
        )
        try:
            async for event in read_events(answer.body):
                yield event
        except DamagedGuideError as error:
            raise self._transport.no_openwebif(f"/api/{endpoint}: {error}") from error

    async def _part(self, path: str, key: str, kind: type[T], **query: str) -> T:
        """Request `path`, and return what the answer has under `key`."""
        return self._member(path, await self._json(path, query), key, kind)

    def _member(self, path: str, answer: dict[str, Any], key: str, kind: type[T]) -> T:
        """Return what an answer has under `key`; OpenWebif reports failures with status 200."""
        value = answer.get(key)
        if not isinstance(value, kind) or key not in answer:
            message = str(answer.get("message") or f'/{path} has no "{key}"')
            raise self._transport.no_openwebif(message)
        return value

    async def _json(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        content = self._content(path, await self._ask(path, query), _ANSWER_LIMIT_BYTES)
        if sum(map(content.count, (b",", b"[", b"{"))) > _VALUES_LIMIT:
            raise self._unexpected(path, "it is too large for a receiver's answer")
        try:
            # Not strict: some receivers leave control characters in texts.
            answer = json.loads(decode(content), strict=False)
        except (ValueError, RecursionError) as error:
            raise self._transport.no_openwebif(f"/{path} is not JSON") from error
        if not isinstance(answer, dict):
            raise self._transport.no_openwebif(f"/{path} is not a JSON object")
        return answer

    def _content(self, path: str, response: Response, limit_bytes: int) -> bytes:
        try:
            return response.body.read(limit_bytes)
        except ValueError as error:
            raise self._unexpected(path, error) from error

    def _unexpected(self, path: str, why: object) -> UnexpectedAnswerError:
        return self._transport.no_openwebif(f"/{path}: {why}")

    async def _ask(
        self,
        path: str,
        query: dict[str, str],
        *,
        headers: dict[str, str] | None = None,
        deadline_s: float | None = None,
        limit_bytes: int = _ANSWER_LIMIT_BYTES,
        accepted: set[int] | None = None,
    ) -> Response:
        return await self._transport.ask(
            Request(
                path=path,
                query=query,
                headers=headers or {},
                deadline_s=deadline_s or self._answer_timeout_s,
                limit_bytes=limit_bytes,
                accepted_statuses=frozenset({200} | (accepted or set())),
                urgent=path in _URGENT_PATHS,
            )
        )
