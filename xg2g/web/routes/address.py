"""How a client reaches xg2g."""

from starlette.requests import Request

from ...network.hosts import host_of
from ..gateway import gateway_of


def base_url(request: Request) -> str:
    """The beginning of every URL that is given to this client, without a final slash.

    That of the settings, or the address that the client itself asked. `X-Forwarded-*` says
    nothing here: anybody can send it, and a playlist is kept for long.
    """
    public_url = gateway_of(request).public_url
    if public_url:
        return public_url
    host = request.headers.get("host", "")
    if host_of(host) is None:
        name, port = request.scope["server"]
        host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    return f"http://{host}"
