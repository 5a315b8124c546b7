"""Files of the receiver: picons, the relay's list, recordings."""

from importlib import resources

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from xg2g.simulator.box import Box
from xg2g.simulator.openwebif.responses import Handler, no_such_resource, processing_failed
from xg2g.simulator.options import Generation
from xg2g.simulator.picons import picon

WHITELIST = "/etc/enigma2/whitelist_streamrelay"
RECORDING = "/media/hdd/movie/20251024 2000 - Card Three & Friends - Night Train.ts"
_CHANGED = "Fri, 24 Oct 2025 18:00:00 GMT"


def handlers(box: Box) -> dict[str, Handler]:
    """Return the endpoints of files."""
    files = _Files(box)
    return {"/file": files.file, "/picon/{name}": files.picon}


def recording_bytes() -> bytes:
    """Return the one recording on the receiver's disk."""
    return resources.files("xg2g.simulator").joinpath("clips", "three-latm.ts").read_bytes()


class _Files:
    def __init__(self, box: Box) -> None:
        self._box = box
        services = box.lineup.services.values()
        self._picons = frozenset(service.picon for service in services if service.picon)

    def picon(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._picons:
            return no_such_resource()
        changed = {"Last-Modified": _CHANGED}
        if request.headers.get("if-modified-since") == _CHANGED:
            return Response(status_code=304, headers=changed)
        return Response(picon(name), media_type="image/png", headers=changed)

    def file(self, request: Request) -> Response:
        path = request.query_params["file"]
        content = self._read(path)
        if content is not None:
            return _part(content, request.headers.get("range", ""))
        # Python 3 refuses the text that Python 2 sent.
        if self._box.generation is Generation.O:
            return processing_failed()
        return HTMLResponse(f"File '{path}' not found")

    def _read(self, path: str) -> bytes | None:
        if path == WHITELIST and self._box.whitelist is not None:
            # One reference a line, and no line feed after the last.
            return "\n".join(str(reference) for reference in self._box.whitelist).encode()
        return recording_bytes() if path == RECORDING else None


def _part(content: bytes, range_: str) -> Response:
    """Answer with the file or the requested range of it, as Twisted does."""
    unit, _, asked = range_.partition("=")
    first, dash, last = asked.partition("-")
    if unit != "bytes" or not dash or "," in asked or not (first or last):
        headers = {"Accept-Ranges": "bytes"}
        return Response(content, media_type="application/octet-stream", headers=headers)
    begin = int(first) if first else max(0, len(content) - int(last))
    end = min(int(last) + 1, len(content)) if first and last else len(content)
    if begin >= end:
        headers = {"Content-Range": f"bytes */{len(content)}"}
        return PlainTextResponse("", 416, headers=headers)
    headers = {"Content-Range": f"bytes {begin}-{end - 1}/{len(content)}"}
    return Response(content[begin:end], 206, headers, media_type="application/octet-stream")
