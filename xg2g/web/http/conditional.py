"""Conditional requests and content codings (RFC 9110, sections 13 and 12.5.3)."""

import re
from hashlib import sha256

from starlette.requests import Request


def entity_tag(*parts: str | bytes) -> str:
    """A strong entity tag of what `parts` determine."""
    digest = sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return f'"{digest.hexdigest()[:32]}"'


def has_current(request: Request, tag: str) -> bool:
    """Whether the client says that it has the representation of this tag: answer with 304."""
    given = ", ".join(request.headers.getlist("if-none-match"))
    tags = {item.strip().removeprefix("W/") for item in given.split(",")}
    return tag in tags or "*" in tags


def accepts_gzip(request: Request) -> bool:
    """Whether the client asks for content coded with gzip."""
    weights = {}
    for item in ",".join(request.headers.getlist("accept-encoding")).lower().split(","):
        coding, _, parameter = item.partition(";")
        weights[coding.strip()] = parameter.replace(" ", "")
    weight = weights.get("gzip", weights.get("*"))
    return weight is not None and re.fullmatch(r"q=0(\.0*)?", weight) is None
