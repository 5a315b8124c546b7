"""Bouquets and services."""

import re
from collections.abc import Iterable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from xg2g.simulator.bouquets import WEB, Bouquet, Entry
from xg2g.simulator.box import Box
from xg2g.simulator.openwebif.answers import Handler, Json, json_answer

_BOUQUET_FILE = re.compile(r'FROM BOUQUET "([^"]*)"')
DEFAULT_PICON = "/images/default_picon.png"


def handlers(box: Box) -> dict[str, Handler]:
    """The endpoints for lists."""
    lists = _Lists(box)
    return {
        "/api/bouquets": lists.bouquets,
        "/api/getservices": lists.services,
        "/api/getallservices": lists.all_services,
    }


def entries(box: Box, reference: str) -> list[Entry]:
    """What a reference selects, with the box's own address in IPTV entries."""
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
        services = self._listed(found, picons=request.query_params.get("picon") == "1")
        shape = {"result": True, "processingtime": "0:00:00.001", "pos": len(services)}
        return json_answer(shape | {"services": services})

    def all_services(self, request: Request) -> Response:
        # Any `type`, even "tv", means radio.
        radio = "type" in request.query_params
        bouquets = self._box.lineup.radio if radio else self._box.lineup.tv
        services = [self._with_subservices(bouquet) for bouquet in bouquets]
        return json_answer({"result": True, "services": services})

    def _with_subservices(self, bouquet: Bouquet) -> Json:
        return {
            "servicereference": bouquet.reference,
            "servicename": bouquet.name,
            "subservices": self._listed(entries(self._box, bouquet.reference)),
        }

    def _listed(self, found: Iterable[Entry], *, picons: bool = False) -> list[Json]:
        """Services as `getservices` lists them: markers have position 0 and do not count."""
        services: list[Json] = []
        position = 0
        for entry in found:
            _, flags, _, service_id, *_ = entry.reference.split(":")
            marker = int(flags) & 64
            position += 0 if marker else 1
            listed: Json = {
                "pos": 0 if marker else position,
                "servicename": entry.name,
                "servicereference": entry.reference,
                "program": int(service_id, 16),
            }
            if picons:
                service = self._box.find(entry.reference)
                picon = service.picon if service else None
                listed["picon"] = f"/picon/{picon}" if picon else DEFAULT_PICON
            services.append(listed)
        return services
