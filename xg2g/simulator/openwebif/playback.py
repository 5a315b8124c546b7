"""Whether a service can be played, its playlist, and the television's service."""

import re
from collections.abc import AsyncIterator
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from xg2g.simulator.box import Box
from xg2g.simulator.feed import Feed
from xg2g.simulator.openwebif.bouquets import entries
from xg2g.simulator.openwebif.responses import Handler, failure, json_answer, no_such_resource
from xg2g.simulator.options import Generation
from xg2g.simulator.service import Service


def handlers(box: Box) -> dict[str, Handler]:
    """Return the endpoints for playback."""
    streaming = _Streaming(box)
    return {
        "/api/serviceplayable": streaming.playable,
        "/api/zap": streaming.zap,
        "/web/stream.m3u": streaming.playlist,
    }


def internet(box: Box) -> Route:
    """Return the route of the endless streams that IPTV references name."""

    async def play(request: Request) -> Response:
        service = box.lineup.broadcasts.get(request.path_params["file"])
        if service is None:
            return no_such_resource()
        return StreamingResponse(_broadcast(box, service), media_type="video/mp2t")

    return Route("/iptv/{file}", play)


async def _broadcast(box: Box, service: Service) -> AsyncIterator[bytes]:
    position_s = box.air.position_s()
    feed = Feed(service, service.conditions, position_s, box.air.utc)
    while True:
        await box.air.flowing.wait()
        position_s = box.air.next_position_s(position_s)
        yield feed.read_until(position_s)
        await box.air.wait(box.air.burst_s)


class _Streaming:
    def __init__(self, box: Box) -> None:
        self._box = box

    def playable(self, request: Request) -> Response:
        text = request.query_params.get("sRef", "")
        service = self._box.find(text)
        given_up = self._box.find(request.query_params.get("sRefPlaying", ""))
        playable = service is not None and self._box.tuners.available(
            service.reference.transponder,
            instead_of=given_up.reference.transponder if given_up else None,
        )
        answer = {"servicereference": text, "isplayable": playable}
        return json_answer({"result": True, "service": answer})

    def zap(self, request: Request) -> Response:
        service = self._box.find(request.query_params["sRef"])
        if service is None or not self._box.zap(service):
            return failure("Service selection was not successful")
        return json_answer({"result": True, "message": f"Active service is now '{service.name}'"})

    def playlist(self, request: Request) -> Response:
        box = self._box
        reference = request.query_params["ref"]
        name = request.query_params.get("name", "")
        if re.match(r"1:134:", reference):
            reference = next((entry.reference for entry in entries(box, reference)), "")
        service = box.find(reference)
        if box.zaps_on_playlist and service:
            box.zap(service)
        host = request.headers["host"].rsplit(":", 1)[0]
        lines = ["#EXTM3U ", "#EXTVLCOPT:http-reconnect=true "]
        if name:
            lines.append(f"#EXTINF:-1,{name}")
        if service:
            lines.append(f"#EXTVLCOPT:program={service.reference.service_id}")
        relayed = service is not None and service.reference in (box.whitelist or ())
        newer = box.generation is Generation.O
        port = box.relay_port if relayed and newer else box.stream_port
        path = reference.split(":", 10)[10] if reference.count(":") >= 10 else ""
        if "//" in path:
            # The address itself, with the channel's name glued on.
            lines.append(unquote(path.partition(":")[0]) + (f":{name}" if name else ""))
        else:
            lines.append(f"http://{host}:{port}/{reference}")
        kind = "vnd.apple.mpegurl" if newer else "x-mpegurl"
        return Response("\n".join(lines) + "\n", media_type=f"application/{kind}")
