"""Where a transcoder service listens."""

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

EXAMPLES: Final = "http://192.168.1.20:3000 or unix:///run/xg2g/transcoder.sock"


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """A service on TCP or on a Unix socket. As text it is the URL that names it in logs."""

    url: str
    """What requests go to: scheme and authority, without a path."""
    socket: str | None = None
    """Path of the Unix socket; None for TCP."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `http://host:3000`, `https://host` or `unix:///path`. Raises `ValueError`, whose
        text does not repeat the URL when that holds a password."""
        parts = urlsplit(text.strip())
        if "@" in parts.netloc:
            raise ValueError(
                "a transcoder's URL takes no user or password; "
                "set XG2G_EXTERNAL_TRANSCODER_TOKEN or XG2G_EXTERNAL_TRANSCODER_TOKEN_FILE"
            )
        if parts.scheme == "unix":
            if parts.netloc or not parts.path.startswith("/"):
                raise ValueError(
                    f"{text} names no absolute path; write unix:///run/xg2g/transcoder.sock"
                )
            return cls("http://transcoder", parts.path)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{text} is not the URL of a transcoder; write {EXAMPLES}")
        try:
            _ = parts.port
        except ValueError:
            raise ValueError(f"the port in {text} is no port number") from None
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError(f"{text} goes on after host and port; write {EXAMPLES}")
        return cls(f"{parts.scheme}://{parts.netloc}")

    def __str__(self) -> str:
        return self.url if self.socket is None else f"unix://{self.socket}"

    def beside(self, location: str) -> str:
        """Return the URL of a `Location` that this service gave.

        It may name the very instance behind a load balancer. The token goes along, so another
        scheme is not followed, nor another host from a Unix socket.
        """
        parts = urlsplit(location)
        direct = (
            self.socket is None
            and parts.hostname is not None
            and parts.scheme == urlsplit(self.url).scheme
            and "@" not in parts.netloc
        )
        return f"{parts.scheme}://{parts.netloc}{parts.path}" if direct else self.url + parts.path
