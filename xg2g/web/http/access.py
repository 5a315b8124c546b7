"""Access: who may change something, and who may read (docs/design/access.md)."""

import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import ClassVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from ...config import Settings
from ...network.hosts import client_network, is_loopback
from .refusals import problem

WRONG_TOKENS_ALLOWED = 10
"""Wrong tokens from one network until its requests are refused."""
WRONG_TOKENS_FORGOTTEN_AFTER_S = 60.0
"""Time since the last wrong token."""
WRONG_TOKENS_NETWORKS = 1024
"""Networks whose wrong tokens are counted; after that, the one with the oldest wrong token is
forgotten."""

_BEHIND_PROXY = "a token is required behind a reverse proxy; set server.token"
_OTHER_COMPUTER = (
    "a token is required from another computer; set server.token, or use the computer that runs "
    "xg2g"
)
_NO_TOKEN = "a token is required; send server.token as Authorization: Bearer TOKEN"
_WRONG_TOKEN = "wrong token; send the value of server.token"
_PROXY_HEADERS = ("forwarded", "x-forwarded-", "x-real-ip", "via")
"""How the names of headers that proxies add begin."""


class WrongTokens:
    """Count of wrong tokens by client network."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._seen: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Return the seconds until a wrong token from this address is checked again; 0: now."""
        count, last_s = self._seen.get(client_network(address), (0, 0.0))
        left_s = last_s + WRONG_TOKENS_FORGOTTEN_AFTER_S - self._clock_s()
        return left_s if count >= WRONG_TOKENS_ALLOWED and left_s > 0 else 0.0

    def add(self, address: str) -> None:
        """Count a wrong token from this address."""
        network, now_s = client_network(address), self._clock_s()
        count, last_s = self._seen.pop(network, (0, now_s))
        is_recent = now_s < last_s + WRONG_TOKENS_FORGOTTEN_AFTER_S
        self._seen[network] = (count + 1 if is_recent else 1, now_s)
        if len(self._seen) > WRONG_TOKENS_NETWORKS:
            self._seen.popitem(last=False)

    def __len__(self) -> int:
        """Return the number of networks that are remembered."""
        return len(self._seen)


class Access:
    """Decision about requests."""

    LIVE_KEYS: ClassVar[frozenset[str]] = frozenset({"server.token", "server.token_for_reading"})

    def __init__(
        self,
        token: str | None = None,
        *,
        for_reading: bool = False,
        behind_proxy: bool = False,
        wrong_tokens: WrongTokens | None = None,
    ) -> None:
        """`behind_proxy`: a request from this computer may come from anywhere, so changes always
        need a token. For the rest see `require`."""
        self._behind_proxy = behind_proxy
        self._wrong_tokens = wrong_tokens or WrongTokens()
        self.require(token, for_reading=for_reading)

    def require(self, token: str | None, *, for_reading: bool) -> None:
        """Require `token` for changes from now on, and for reading with `for_reading`. Without a
        token, only this computer may change something."""
        self._token = token.encode() if token else None
        self._for_reading = for_reading

    async def apply(self, settings: Settings) -> None:
        """Require the token of these settings from now on."""
        token = settings.server.token
        self.require(token.value if token else None, for_reading=settings.server.token_for_reading)

    def refusal(self, request: Request, *, changes: bool) -> Response | None:
        """Return the answer to a request that is not allowed; None if it is allowed."""
        if self.why_not(request, changes=changes) is None:
            return None
        if self._token is None:
            return problem(403, _BEHIND_PROXY if self._behind_proxy else _OTHER_COMPUTER)
        token = _token(request)
        address = request.client.host if request.client else ""
        if wait_s := self._wrong_tokens.wait_s(address):
            return problem(
                429,
                "too many wrong tokens from this address; wait a minute",
                {"Retry-After": str(math.ceil(wait_s))},
            )
        if token is None:
            return _unauthorized(_NO_TOKEN)
        self._wrong_tokens.add(address)
        return _unauthorized(_WRONG_TOKEN, ', error="invalid_token"')

    def why_not(self, request: Request, *, changes: bool) -> str | None:
        """Return in one line why a request is not allowed; None if it is allowed."""
        if not (changes or self._for_reading):
            return None
        if self._token is None:
            if self._behind_proxy:
                return _BEHIND_PROXY
            return None if _is_from_this_computer(request) else _OTHER_COMPUTER
        token = _token(request)
        if token is None:
            return _NO_TOKEN
        # The right token passes whatever came from its address before: behind a proxy, all clients
        # have the same address.
        return None if hmac.compare_digest(token, self._token) else _WRONG_TOKEN

    def shows_token(self, request: Request) -> bool:
        """Tell whether a token is set and the request has one, right or wrong."""
        return self._token is not None and _token(request) is not None

    @property
    def has_token(self) -> bool:
        """True if a token is set."""
        return self._token is not None


def access_of(request: Request) -> Access:
    """Return the application's `Access`."""
    access: Access = request.app.state.gateway.access
    return access


def _token(request: Request) -> bytes | None:
    """Return the request's token, from the header of RFC 6750 or from the predecessor's."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip().encode("latin-1")
    old = request.headers.get("x-api-token")
    return old.encode("latin-1") if old else None


def _unauthorized(detail: str, error: str = "") -> Response:
    return problem(401, detail, {"WWW-Authenticate": f'Bearer realm="xg2g"{error}'})


def _is_from_this_computer(request: Request) -> bool:
    """Tell whether a program on this computer, or xg2g's own page in its browser, sent the request.

    False for a request through a proxy, and for one that a browser here sends for another site's
    page, even if that site's name leads to a loopback address."""
    headers = request.headers
    authority = headers.get("host", "")
    if any(name.startswith(_PROXY_HEADERS) for name in headers):
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
