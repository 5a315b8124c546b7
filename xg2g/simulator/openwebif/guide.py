"""The programme guide, in the different forms of OpenWebif."""

import asyncio
import html
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from xg2g.simulator.box import Box
from xg2g.simulator.lineup import Entry
from xg2g.simulator.openwebif.bouquets import entries
from xg2g.simulator.openwebif.responses import Handler, Json, json_answer, long_json_answer
from xg2g.simulator.options import Generation
from xg2g.simulator.programmes import Event


def handlers(box: Box) -> dict[str, Handler]:
    """Return the endpoints of the guide."""
    guide = _Guide(box)
    return {
        "/api/epgservice": guide.service,
        "/api/epgservicenow": guide.service_now,
        "/api/epgmulti": guide.multi,
        "/api/epgbouquet": guide.bouquet,
        "/api/epgnow": lambda request: guide.now_next(request, 0),
        "/api/epgnext": lambda request: guide.now_next(request, 1),
        "/api/epgnownext": lambda request: guide.now_next(request, 0, 1),
    }


class _Guide:
    def __init__(self, box: Box) -> None:
        self._box = box

    def service(self, request: Request) -> Response:
        return self._of_service(request, *self._window(request))

    def service_now(self, request: Request) -> Response:
        now = self._box.air.utc()
        return self._of_service(request, now, now)

    async def multi(self, request: Request) -> Response:
        return await self._of_bouquet(request.query_params["bRef"], *self._window(request))

    async def bouquet(self, request: Request) -> Response:
        since, until = self._window(request)
        if self._box.generation is Generation.O and "endTime" not in request.query_params:
            # Without endTime the older interface lists all events, the newer the current one.
            until = since
        return await self._of_bouquet(request.query_params["bRef"], since, until)

    def now_next(self, request: Request, *wanted: int) -> Response:
        """Answer present and following events of every entry, also for markers."""
        now = self._box.air.utc()
        listed: list[Json] = []
        for entry in entries(self._box, request.query_params["bRef"]):
            events = self._events(entry, now, now + timedelta(days=1))
            pair = (next(events, None), next(events, None))
            listed += [_multi(pair[i], now, entry) for i in wanted]
        return json_answer({"events": listed, "result": True})

    def _of_service(self, request: Request, since: datetime, until: datetime) -> Response:
        reference = request.query_params["sRef"]
        service = self._box.find(reference)
        entry = Entry(str(service.reference), service.name) if service else Entry(reference, "")
        now = self._box.air.utc()
        now_s = int(now.timestamp()) if self._box.generation is Generation.O else 0
        listed = [_single(event, now, now_s, entry) for event in self._events(entry, since, until)]
        if not listed and self._box.generation is Generation.E:
            listed = [_multi(None, now, entry) | {"id": 0, "sref": reference, "sname": ""}]
        return json_answer({"events": listed, "result": True})

    async def _of_bouquet(self, reference: str, since: datetime, until: datetime) -> Response:
        """Answer the events of services that have a guide; groups are no services."""
        found = entries(self._box, reference) if "FROM BOUQUET" in reference else []
        now_s = int(self._box.air.utc().timestamp())
        services: list[str] = []
        for entry in found:
            if events := [_multi_text(e, now_s, entry) for e in self._events(entry, since, until)]:
                services.append(",\n".join(events))
            # A real box would block; other tasks of this process run on.
            await asyncio.sleep(0)
        end = f',\n "result": {"true" if found else "false"}\n}}'
        if not services:
            return long_json_answer(['{\n "events": []', end])
        *but_last, last = services
        listed = [f"{service},\n" for service in but_last]
        return long_json_answer(['{\n "events": [\n', *listed, f"{last}\n ]", end])

    def _window(self, request: Request) -> tuple[datetime, datetime]:
        """Return begin and end of the requested time.

        `endTime` is a number of minutes; without it, the whole guide. Past events are gone.
        """
        now = self._box.air.utc()
        begin_s = int(request.query_params.get("time", "-1"))
        begin = now if begin_s < 0 else datetime.fromtimestamp(begin_s, UTC)
        minutes = int(request.query_params.get("endTime", "-1"))
        last = now + timedelta(days=self._box.guide_days)
        # More than 100000 minutes are epoch seconds of a confused client.
        wanted = last if minutes < 0 or minutes > 100_000 else begin + timedelta(minutes=minutes)
        return max(begin, now), min(wanted, last)

    def _events(self, entry: Entry, since: datetime, until: datetime) -> Iterator[Event]:
        service = self._box.find(entry.reference)
        if service is None or not service.has_guide:
            return iter(())
        return service.programmes.between(since, until)


def _single(event: Event, now: datetime, now_s: int, service: Entry) -> Json:
    """Return an event of `epgservice`."""
    end = event.begin + event.duration
    duration_s = int(event.duration.total_seconds())
    elapsed_s = (now - event.begin).total_seconds()
    picon = "_".join(service.reference.split(":")[:10])
    return {
        "id": event.event_id,
        "sref": service.reference,
        "picon": f"/picon/{picon}.png",
        "date": f"{event.begin:%a %d.%m.%Y}",
        "begin": f"{event.begin:%H:%M}",
        "begin_timestamp": int(event.begin.timestamp()),
        "duration": duration_s // 60,
        "duration_sec": duration_s,
        "end": f"{end:%H:%M}",
        "title": html.escape(event.title),
        "shortdesc": html.escape(event.short_description),
        "longdesc": html.escape(event.long_description),
        "sname": html.escape(service.name),
        "tleft": int((end - now).total_seconds() // 60),
        "progress": max(0, int(400 * elapsed_s / duration_s)),
        "now_timestamp": now_s,
        "genre": "",
        "genreid": event.genre,
    }


def _multi(event: Event | None, now: datetime, service: Entry) -> Json:
    """Return an event of the bouquet calls; for None the placeholder."""
    if event is None:
        nothing = {"id": None, "begin_timestamp": 0, "duration_sec": 0, "title": "N/A"}
        texts = {"shortdesc": "", "longdesc": ""}
        names = {"sref": service.reference, "sname": html.escape(service.name)}
        times = {"now_timestamp": 0, "remaining": 0}
        return nothing | texts | names | times | {"genre": "", "genreid": 0}
    read: Json = json.loads(_multi_text(event, int(now.timestamp()), service))
    return read


def _multi_text(event: Event, now_s: int, service: Entry) -> str:
    """Return what `json.dumps(indent=1)` writes, in a tenth of the time."""
    begin_s, duration_s = int(event.begin.timestamp()), int(event.duration.total_seconds())
    remaining_s = min(duration_s, begin_s + duration_s - now_s)
    return (
        f'  {{\n   "id": {event.event_id},\n   "begin_timestamp": {begin_s},\n'
        f'   "duration_sec": {duration_s},\n   "title": {_escaped(event.title)},\n'
        f'   "shortdesc": {_escaped(event.short_description)},\n'
        f'   "longdesc": {_escaped(event.long_description)},\n'
        f'   "sref": {json.dumps(service.reference)},\n   "sname": {_escaped(service.name)},\n'
        f'   "now_timestamp": {now_s},\n   "remaining": {remaining_s},\n'
        f'   "genre": "",\n   "genreid": {event.genre}\n  }}'
    )


def _escaped(text: str) -> str:
    return json.dumps(html.escape(text))
