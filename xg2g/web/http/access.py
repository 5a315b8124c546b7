"""Who may change something, and who may read; docs/design/access.md says why so."""

import hmac
import math
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from ...network.hosts import is_loopback
from ..api.failures import Failures
from .refusals import problem

_BEHIND_PROXY = "behind a reverse proxy this takes a token; set server.token"
_FROM_AFAR = (
    "only programs on the computer that xg2g runs on may do this; set server.token to do it from "
    "elsewhere"
)
_NO_TOKEN = "this takes the token of server.token: Authorization: Bearer TOKEN"
_WRONG_TOKEN = "this is not the token of server.token"
_OF_PROXIES = ("forwarded", "x-forwarded-", "x-real-ip", "via")
"""How names of their headers begin."""


class Access:
    """Decides about requests."""

    def __init__(
        self,
        token: str | None = None,
        *,
        for_reading: bool = False,
        behind_proxy: bool = False,
        failures: Failures | None = None,
    ) -> None:
        """`behind_proxy`: who comes from this computer may come from anywhere, so that without a
        token nobody may change something. For the rest see `ask_for`."""
        self._behind_proxy = behind_proxy
        self._failures = failures or Failures()
        self.ask_for(token, for_reading=for_reading)

    def ask_for(self, token: str | None, *, for_reading: bool) -> None:
        """From now on, `token` is what has to be shown for changes, and with `for_reading` for
        reading, too. Without one, only this computer may change something."""
        self._token = token.encode() if token else None
        self._for_reading = for_reading

    def refusal(self, request: Request, *, changes: bool) -> Response | None:
        """The answer to a request that is not allowed; None for one that is."""
        if self.why_not(request, changes=changes) is None:
            return None
        if self._token is None:
            return problem(403, _BEHIND_PROXY if self._behind_proxy else _FROM_AFAR)
        given = _given(request)
        address = request.client.host if request.client else ""
        if wait_s := self._failures.wait_s(address):
            return problem(
                429,
                "too many wrong tokens came from this address; wait a minute",
                {"Retry-After": str(math.ceil(wait_s))},
            )
        if given is None:
            return _unauthorized(_NO_TOKEN)
        self._failures.add(address)
        return _unauthorized(_WRONG_TOKEN, ', error="invalid_token"')

    def why_not(self, request: Request, *, changes: bool) -> str | None:
        """Why a request is not allowed, in one line; None for one that is."""
        if not (changes or self._for_reading):
            return None
        if self._token is None:
            if self._behind_proxy:
                return _BEHIND_PROXY
            return None if _is_from_this_computer(request) else _FROM_AFAR
        given = _given(request)
        if given is None:
            return _NO_TOKEN
        # Whatever others tried from the same address: behind a proxy that is everybody.
        return None if hmac.compare_digest(given, self._token) else _WRONG_TOKEN

    def shows_token(self, request: Request) -> bool:
        """The request shows a token, the right one or another, and there is one to show."""
        return self._token is not None and _given(request) is not None

    @property
    def has_token(self) -> bool:
        """A token is set."""
        return self._token is not None


def access_of(request: Request) -> Access:
    """What decides about this request."""
    access: Access = request.app.state.gateway.access
    return access


def _given(request: Request) -> bytes | None:
    """The token that is shown, as RFC 6750 says or as the predecessor had it."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip().encode("latin-1")
    own = request.headers.get("x-api-token")
    return own.encode("latin-1") if own else None


def _unauthorized(detail: str, error: str = "") -> Response:
    return problem(401, detail, {"WWW-Authenticate": f'Bearer realm="xg2g"{error}'})


def _is_from_this_computer(request: Request) -> bool:
    """Whether a program of this computer asks, or xg2g's own page in a browser of it, and nobody
    through it: neither a proxy for others nor a browser for the page of a stranger, by another
    name for this address if need be."""
    headers = request.headers
    authority = headers.get("host", "")
    if any(name.startswith(_OF_PROXIES) for name in headers):
        return False
    # A page has the origin that its own address begins with, port included (RFC 6454, 4).
    if any(origin != f"http://{authority}" for origin in headers.getlist("origin")):
        return False
    peer = request.client.host if request.client else ""
    host = _host(authority)
    return is_loopback(peer) and (host == "localhost" or is_loopback(host))


def _host(authority: str) -> str:
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""
