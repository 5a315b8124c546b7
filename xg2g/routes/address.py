"""How a client reaches xg2g."""

import re

from starlette.requests import Request

from ..gateway import gateway_of

_AUTHORITY = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?", re.ASCII)


def base_url(request: Request) -> str:
    """The beginning of every URL that is given to this client, without a final slash.

    That of the settings, or the address that the client itself asked. `X-Forwarded-*` says
    nothing here: anybody can send it, and a playlist is kept for long.
    """
    public_url = gateway_of(request).public_url
    if public_url:
        return public_url
    host = request.headers.get("host", "")
    if not _AUTHORITY.fullmatch(host):
        name, port = request.scope["server"]
        host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    return f"http://{host}"
