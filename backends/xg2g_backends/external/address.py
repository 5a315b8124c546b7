"""Where a transcoder service listens."""

import socket
import sys
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

_HAS_UNIX_SOCKETS: Final[bool] = sys.platform != "win32" and hasattr(socket, "AF_UNIX")
_TCP_EXAMPLE: Final = "http://192.168.1.20:3000"
EXAMPLES: Final = f"{_TCP_EXAMPLE} or unix:///run/xg2g/transcoder.sock"


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """The address of a transcoder service, on TCP or a Unix socket.

    As text it is the URL for logs:

    >>> str(ServiceAddress.parse("unix:///run/xg2g/transcoder.sock"))
    'unix:///run/xg2g/transcoder.sock'
    """

    url: str
    """Scheme and authority of every request, without a path."""
    socket: str | None = None
    """Path of the Unix socket; None: TCP."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `http://host:3000`, `https://host` or `unix:///path`.

        Raises `ValueError`. Its text does not repeat a URL that holds a password.
        """
        parts = urlsplit(text.strip())
        if "@" in parts.netloc:
            raise ValueError(
                "a transcoder's URL takes no user or password; "
                "set XG2G_EXTERNAL_TRANSCODER_TOKEN or XG2G_EXTERNAL_TRANSCODER_TOKEN_FILE"
            )
        if parts.scheme == "unix":
            if parts.netloc or not parts.path.startswith("/"):
                raise ValueError(
                    f"{text} has no absolute socket path; use unix:///run/xg2g/transcoder.sock"
                )
            if not _HAS_UNIX_SOCKETS:
                raise ValueError(f"{text}: this system has no Unix sockets; use {_TCP_EXAMPLE}")
            return cls("http://transcoder", parts.path)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{text} is not a transcoder URL; use {EXAMPLES}")
        try:
            _ = parts.port
        except ValueError:
            raise ValueError(f"invalid port in {text}; use 1 to 65535") from None
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError(f"{text} has a path, query or fragment; use {EXAMPLES}")
        return cls(f"{parts.scheme}://{parts.netloc}")

    def __str__(self) -> str:
        return self.url if self.socket is None else f"unix://{self.socket}"

    def resolve(self, location: str) -> str:
        """Return the URL of a remuxer from the `Location` header of this service.

        `Location` may name one instance behind a load balancer. Requests to that URL carry the
        token, so another scheme is not followed, nor another host from a Unix socket.
        """
        parts = urlsplit(location)
        direct = (
            self.socket is None
            and parts.hostname is not None
            and parts.scheme == urlsplit(self.url).scheme
            and "@" not in parts.netloc
        )
        return f"{parts.scheme}://{parts.netloc}{parts.path}" if direct else self.url + parts.path
