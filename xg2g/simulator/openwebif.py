"""The part of OpenWebif 2.4 that a gateway reads, with the field shapes of a real box.

Booleans that are strings, a 200 for a failed command, HTML for an exception, sessions for clients
without a cookie: all of it as OpenWebif does it, because clients trip over exactly that.
"""

import html
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from ipaddress import ip_address
from secrets import token_hex
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from xg2g.simulator.guide import Event, events
from xg2g.simulator.lineup import Bouquet, Entry, Lineup
from xg2g.simulator.service import parse_reference
from xg2g.simulator.stream_server import Credentials, StreamServer
from xg2g.simulator.tuners import TunerPool

Json = dict[str, Any]

_EVENTS_PER_DAY = 48
# A box keeps each for 15 minutes; here the oldest is forgotten instead.
_MAX_SESSIONS = 256
_BOUQUET_FILE = re.compile(r'FROM BOUQUET "([^"]*)"')


class OpenWebif:
    """The ASGI application over the lineup and the state of the stream server.

    `stream_port` is what `/web/stream.m3u` names. Without `credentials` only private addresses are
    answered; with them, Basic authentication or a session that was opened with it is wanted.
    """

    def __init__(
        self,
        lineup: Lineup,
        streams: StreamServer,
        tuners: TunerPool,
        utc: Callable[[], datetime],
        stream_port: int,
        credentials: Credentials | None,
    ) -> None:
        self._lineup = lineup
        self._streams = streams
        self._tuners = tuners
        self._utc = utc
        self._stream_port = stream_port
        self._credentials = credentials
        self._sessions: deque[str] = deque(maxlen=_MAX_SESSIONS)
        # Twisted does not care for the method: a POST reads as well as a GET.
        routes = [Route(path, self._guarded(answer)) for path, answer in self._answers().items()]
        self.app = Starlette(
            routes=routes,
            middleware=[Middleware(GZipMiddleware)],
            exception_handlers={404: _no_such_resource, 500: _processing_failed},
        )

    def _answers(self) -> dict[str, Callable[[Request], Response]]:
        return {
            "/api/about": lambda request: _json({"info": self._info(), "service": {}}),
            "/api/deviceinfo": lambda request: _json(self._info()),
            "/api/statusinfo": lambda request: _json(self._status()),
            "/api/bouquets": self._bouquets,
            "/api/getservices": self._services,
            "/api/getallservices": self._all_services,
            "/api/serviceplayable": self._playable,
            "/api/epgservice": self._epg,
            "/api/epgmulti": self._epg_of_bouquet,
            "/api/zap": lambda request: _failure("Service selection was not successful"),
            "/web/stream.m3u": self._playlist,
        }

    def _guarded(
        self, answer: Callable[[Request], Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                if request.cookies.get("TWISTED_SESSION") in self._sessions:
                    return answer(request)
                response = self._refusal(request)
                if response is None:
                    response = answer(request)
                    self._sessions.append(token_hex(16))
                    response.set_cookie("TWISTED_SESSION", self._sessions[-1])
            except Exception:
                # Twisted answers so whatever a handler raises.
                return _processing_failed(request, None)
            return response

        return endpoint

    def _refusal(self, request: Request) -> Response | None:
        if self._credentials is not None:
            wanted = b"Basic " + self._credentials.token
            if request.headers.get("authorization", "").encode() == wanted:
                return None
            challenge = {"WWW-Authenticate": 'Basic realm="OpenWebif"'}
            return HTMLResponse("<h1>401 Authorization required</h1>", 401, challenge)
        # The header of a proxy replaces the peer's address, even that of the machine itself.
        peer = request.client.host if request.client else ""
        peer = request.headers.get("x-forwarded-for", peer)
        if ip_address(peer).is_private:
            return None
        return HTMLResponse("<h1>403.6 IP address rejected</h1>", 403)

    def _info(self) -> Json:
        active = self._streams.active
        tuners = [
            {
                "name": f"Tuner {chr(ord('A') + i)}",
                "type": "Simulated NIM (DVB-S2)",
                "rec": "",
                "live": "",
                "stream": next(
                    (s.service.name for s in active if s.service.reference.transponder == tuned), ""
                ),
            }
            for i, tuned in enumerate(self._tuners.tuned)
        ]
        streams = [
            {
                "ref": str(stream.service.reference),
                "name": stream.service.name,
                "eventname": "",
                "ip": stream.peer,
                "type": "S",
            }
            for stream in active
        ]
        return {
            "brand": "xg2g",
            "model": "Simulated",
            "boxtype": "simulated",
            "webifver": "OWIF 2.4.0",
            "imagedistro": "openatv",
            "imagever": "7.4.20240901",
            "uptime": "2d 03:11",
            "mem2": "512000 kB",
            "fp_version": None,
            "transcoding": False,
            "EX": "",
            "tuners": tuners,
            "ifaces": [{"name": "lo", "ip": "127.0.0.1", "v4prefix": 8}],
            "hdd": [],
            "streams": streams,
        }

    def _status(self) -> Json:
        names = [stream.service.name for stream in self._streams.active]
        return {
            "volume": 50,
            "muted": False,
            "transcoding": False,
            "currservice_filename": "",
            "currservice_id": -1,
            "currservice_name": "N/A",
            "currservice_begin": "",
            "currservice_end": "",
            "currservice_description": "",
            "currservice_fulldescription": "N/A",
            "inStandby": "true",
            "isRecording": "false",
            "Streaming_list": "\n".join(names),
            "isStreaming": "true" if names else "false",
        }

    def _bouquets(self, request: Request) -> Response:
        radio = request.query_params.get("stype") == "radio"
        bouquets = self._lineup.radio if radio else self._lineup.tv
        return _json({"bouquets": [[bouquet.reference, bouquet.name] for bouquet in bouquets]})

    def _services(self, request: Request) -> Response:
        services = _listed(self._entries(request.query_params.get("sRef", "")))
        shape = {"result": True, "processingtime": "0:00:00.001", "pos": len(services)}
        return _json(shape | {"services": services})

    def _entries(self, reference: str) -> Iterable[Entry]:
        if not reference:
            return [Entry(bouquet.reference, bouquet.name) for bouquet in self._lineup.tv]
        if not re.match(r"\d+:\d+:", reference):
            raise ValueError("unknown type of reference")
        if "FROM" not in reference:
            # A reference that selects nothing selects the whole database.
            return [Entry(str(s.reference), s.name) for s in self._lineup.services.values()]
        wanted = _BOUQUET_FILE.search(reference)
        bouquets = [*self._lineup.tv, *self._lineup.radio, *self._lineup.inner]
        found = (b for b in bouquets if wanted and b.file == wanted.group(1))
        return next((bouquet.entries for bouquet in found), [])

    def _all_services(self, request: Request) -> Response:
        # Any `type`, even "tv", means radio.
        radio = "type" in request.query_params
        bouquets = self._lineup.radio if radio else self._lineup.tv
        services = [_with_subservices(bouquet) for bouquet in bouquets]
        return _json({"result": True, "services": services})

    def _playable(self, request: Request) -> Response:
        text = request.query_params.get("sRef", "")
        reference = parse_reference(text)
        known = reference is not None and reference in self._lineup.services
        playable = known and reference is not None and self._tuners.available(reference.transponder)
        service = {"servicereference": text, "isplayable": playable}
        return _json({"result": True, "service": service})

    def _epg(self, request: Request) -> Response:
        reference = parse_reference(request.query_params["sRef"])
        service = self._lineup.services.get(reference) if reference else None
        if service is None or not service.has_guide:
            return _json({"events": [], "result": True})
        now = self._utc()
        # A window in minutes, not a time; -1 means all.
        minutes = int(request.query_params.get("endTime", "-1"))
        count = _EVENTS_PER_DAY if minutes < 0 else minutes // 30 + 1
        listed = events(service.reference.service_id, now, count)
        entry = Entry(str(service.reference), service.name)
        return _json({"events": [_event(event, now, entry) for event in listed], "result": True})

    def _epg_of_bouquet(self, request: Request) -> Response:
        reference = request.query_params["bRef"]
        entries = self._entries(reference) if "FROM BOUQUET" in reference else []
        now = self._utc()
        begin_s = int(request.query_params.get("time", "-1"))
        begin = now if begin_s < 0 else datetime.fromtimestamp(begin_s, UTC)
        minutes = int(request.query_params.get("endTime", "-1"))
        count = _EVENTS_PER_DAY if minutes < 0 else minutes // 30 + 1
        listed = []
        for entry in entries:
            parsed = parse_reference(entry.reference)
            service = self._lineup.services.get(parsed) if parsed else None
            if service is not None and service.has_guide:
                of_service = events(service.reference.service_id, begin, count)
                listed += [_event(event, now, entry) for event in of_service]
        return _json({"events": listed, "result": bool(entries)})

    def _playlist(self, request: Request) -> Response:
        reference = request.query_params["ref"]
        name = request.query_params.get("name", "")
        host = request.headers["host"].rsplit(":", 1)[0]
        lines = ["#EXTM3U ", "#EXTVLCOPT:http-reconnect=true "]
        if name:
            lines.append(f"#EXTINF:-1,{name}")
        parsed = parse_reference(reference)
        if parsed:
            lines.append(f"#EXTVLCOPT:program={parsed.service_id}")
        lines.append(f"http://{host}:{self._stream_port}/{reference}")
        body = "\n".join(lines) + "\n"
        return Response(body, media_type="application/vnd.apple.mpegurl")


def _json(content: Json) -> Response:
    # As OpenWebif prints it: ASCII, indented by one.
    body = json.dumps(content, indent=1)
    return Response(body, media_type="application/json; charset=utf-8")


def _failure(message: str) -> Response:
    return _json({"result": False, "message": message})


def _no_such_resource(request: Request, exc: Exception) -> Response:
    return HTMLResponse("<html><body><h1>404 - No Such Resource</h1></body></html>", 404)


def _processing_failed(request: Request, exc: Exception | None) -> Response:
    page = "<html><head><title>Processing Failed</title></head><body></body></html>"
    return HTMLResponse(page, 500)


def _with_subservices(bouquet: Bouquet) -> Json:
    return {
        "servicereference": bouquet.reference,
        "servicename": bouquet.name,
        "subservices": _listed(bouquet.entries),
    }


def _listed(entries: Iterable[Entry]) -> list[Json]:
    """Services as `getservices` lists them: markers have position 0 and do not count."""
    services: list[Json] = []
    position = 0
    for entry in entries:
        kind, flags, _, service_id, *_ = entry.reference.split(":")
        marker = int(flags) & 64
        position += 0 if marker else 1
        services.append(
            {
                "pos": 0 if marker else position,
                "servicename": entry.name,
                "servicereference": entry.reference,
                "program": int(service_id, 16),
            }
        )
    return services


def _event(event: Event, now: datetime, service: Entry) -> Json:
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
        "now_timestamp": int(now.timestamp()),
        "genre": "",
        "genreid": 0,
    }
