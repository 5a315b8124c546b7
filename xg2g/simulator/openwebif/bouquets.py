"""Bouquets and services."""

import re
from collections.abc import Iterable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from xg2g.simulator.box import Box
from xg2g.simulator.lineup import WEB, Entry
from xg2g.simulator.openwebif.responses import Handler, Json, json_answer

_BOUQUET_FILE = re.compile(r'FROM BOUQUET "([^"]*)"')
DEFAULT_PICON = "/images/default_picon.png"
_MARKER, _NUMBERED, _INVISIBLE = 64, 256, 512


def handlers(box: Box) -> dict[str, Handler]:
    """Return the endpoints for bouquets and services."""
    lists = _Lists(box)
    return {
        "/api/bouquets": lists.bouquets,
        "/api/getservices": lists.services,
        "/api/getallservices": lists.all_services,
    }


def entries(box: Box, reference: str) -> list[Entry]:
    """Return the entries that a reference selects, with the box's own address in IPTV entries."""
    if not re.match(r"\d+:\d+:", reference):
        raise ValueError("unknown type of reference")
    if "FROM" not in reference:
        # A reference that selects nothing selects the whole database.
        return [Entry(str(s.reference), s.name) for s in box.lineup.services.values()]
    wanted = _BOUQUET_FILE.search(reference)
    bouquet = box.lineup.bouquet(wanted[1]) if wanted else None
    authority = quote(box.authority, safe="").lower()
    return [
        Entry(entry.reference.replace(WEB, authority), entry.name)
        for entry in (bouquet.entries if bouquet else ())
    ]


class _Lists:
    def __init__(self, box: Box) -> None:
        self._box = box

    def bouquets(self, request: Request) -> Response:
        radio = request.query_params.get("stype") == "radio"
        bouquets = self._box.lineup.radio if radio else self._box.lineup.tv
        return json_answer(
            {"bouquets": [[bouquet.reference, bouquet.name] for bouquet in bouquets]}
        )

    def services(self, request: Request) -> Response:
        reference = request.query_params.get("sRef", "")
        if reference:
            found = entries(self._box, reference)
        else:
            found = [Entry(bouquet.reference, bouquet.name) for bouquet in self._box.lineup.tv]
        picons = request.query_params.get("picon") == "1"
        services, position = self._listed(found, picons=picons)
        shape = {"result": True, "processingtime": "0:00:00.001", "pos": position}
        return json_answer(shape | {"services": services})

    def all_services(self, request: Request) -> Response:
        # Any `type`, even "tv", means radio.
        radio = "type" in request.query_params
        bouquets = self._box.lineup.radio if radio else self._box.lineup.tv
        position = 0
        services: list[Json] = []
        for bouquet in bouquets:
            found = entries(self._box, bouquet.reference)
            # Here, positions continue from bouquet to bouquet.
            listed, position = self._listed(found, position)
            names = {"servicereference": bouquet.reference, "servicename": bouquet.name}
            services.append(names | {"subservices": listed})
        return json_answer({"result": True, "services": services})

    def _listed(
        self, found: Iterable[Entry], position: int = 0, *, picons: bool = False
    ) -> tuple[list[Json], int]:
        """Return services as `getservices` lists them, and the position of the last.

        An invisible service is not listed, but takes a position if it is numbered. A listed marker
        has position 0.
        """
        services: list[Json] = []
        for entry in found:
            _, written, _, service_id, *_ = entry.reference.split(":")
            flags = int(written)
            counts = flags & _NUMBERED or not flags & (_MARKER | _INVISIBLE)
            position += 1 if counts else 0
            if flags & _INVISIBLE:
                continue
            listed: Json = {
                "pos": 0 if flags & _MARKER else position,
                "servicename": entry.name,
                "servicereference": entry.reference,
                "program": int(service_id, 16),
            }
            if picons:
                service = self._box.find(entry.reference)
                picon = service.picon if service else None
                listed["picon"] = f"/picon/{picon}" if picon else DEFAULT_PICON
            services.append(listed)
        return services, position
