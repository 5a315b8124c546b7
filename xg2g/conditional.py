"""Conditional requests (RFC 9110, section 13)."""

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
