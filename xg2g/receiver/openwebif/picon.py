"""Picons: the receiver's channel logos, and the paths at which it has them."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from .listing import ListedService

DIRECTORY = "picon/"
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Picon:
    """A logo. `etag` and `last_modified` serve to request it only if it has changed."""

    path: str
    """Path at the receiver."""
    png: bytes
    etag: str = ""
    last_modified: str = ""


def picon_paths(service: ListedService) -> list[str]:
    """Return the paths to try, the likeliest first, in the order of OpenWebif's own search."""
    if service.picon:
        # The receiver has searched already; its default picture is in another directory.
        path = service.picon.lstrip("/")
        return [path] if path.startswith(DIRECTORY) and ".." not in path else []
    return [f"{DIRECTORY}{name}.png" for name in dict.fromkeys(_names(service))]


def _names(service: ListedService) -> Iterator[str]:
    fields = service.reference.channel_id.split("_")
    yield "_".join(fields)
    # The sub-network in the namespace's low word differs between scans of the same service.
    fields[6] = re.sub("^(.+).{4}$", r"\g<1>0000", fields[6])
    yield "_".join(fields)
    fields[0] = "1"
    yield "_".join(fields)
    fields[2] = "1"
    yield "_".join(fields)
    if name := _spoken(service.name):
        yield name
        if name.endswith("hd") and len(name) > 2:
            yield name.removesuffix("hd")


def _spoken(name: str) -> str:
    """Return a service's name as picons are named: `Das Erste HD` is `daserstehd`."""
    plain = unicodedata.normalize("NFKD", name).lower()
    plain = plain.replace("&", "and").replace("+", "plus").replace("*", "star")
    return re.sub("[^a-z0-9]", "", plain)
