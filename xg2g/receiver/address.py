"""How to reach the receiver: address, credentials and deadlines."""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from xg2g.network.hosts import is_host


@dataclass(frozen=True, slots=True)
class Credentials:
    """User and password of the receiver. `repr` hides the password."""

    user: str
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        """Value of the header `Authorization` (RFC 7617)."""
        return "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")


@dataclass(frozen=True, slots=True)
class ReceiverAddress:
    """The receiver's web interface, and its stream server on the same host."""

    scheme: str
    host: str
    port: int
    path: str = ""
    stream_port: int = 8001
    credentials: Credentials | None = None
    relay_port: int = 17999
    """Port of the softcam's stream relay, if one runs."""

    @classmethod
    def parse(
        cls,
        url: str,
        *,
        stream_port: int = 8001,
        relay_port: int = 17999,
        credentials: Credentials | None = None,
    ) -> Self:
        """Parse a URL such as `http://192.168.1.10`; scheme, port, path and `user:password@` are
        optional.

        `credentials` take precedence over those in the URL. Raises `ValueError`, whose text does
        not repeat the URL since that may hold a password.
        """
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
        except ValueError:
            raise ValueError("invalid receiver URL; write http://192.168.1.10") from None
        try:
            port = parts.port
        except ValueError:
            port = 0
        if port == 0:
            raise ValueError("invalid port in the receiver URL; ports are 1 to 65535")
        if parts.scheme not in ("http", "https"):
            raise ValueError("the receiver URL must begin with http:// or https://")
        if not parts.hostname:
            raise ValueError("the receiver URL has no host; write http://192.168.1.10")
        if not is_host(parts.hostname):
            raise ValueError("invalid host in the receiver URL; write http://192.168.1.10")
        if parts.query or parts.fragment:
            raise ValueError(
                "the receiver URL must end with its path; remove what begins with ? or #"
            )
        if credentials is None and parts.username is not None:
            credentials = Credentials(unquote(parts.username), unquote(parts.password or ""))
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=port or (443 if parts.scheme == "https" else 80),
            path=parts.path.rstrip("/"),
            stream_port=stream_port,
            credentials=credentials,
            relay_port=relay_port,
        )

    @property
    def url(self) -> str:
        """URL of the web interface without credentials: safe to show."""
        default_port = 443 if self.scheme == "https" else 80
        port = "" if self.port == default_port else f":{self.port}"
        return f"{self.scheme}://{self._bracketed_host}{port}{self.path}"

    @property
    def ports(self) -> frozenset[int]:
        """Ports of the web interface, the stream server and the stream relay."""
        return frozenset((self.port, self.stream_port, self.relay_port))

    def authority(self, port: int) -> str:
        """Return `host:port` of a server on the receiver, in the form of a `Host` header."""
        return f"{self._bracketed_host}:{port}"

    @property
    def _bracketed_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDeadlines:
    """How long the receiver may take for a stream."""

    connect_s: float
    first_byte_s: float
    """From the request to the first byte of the stream: tuning, lock, PAT and PMT."""
    stall_s: float
    """Between two bytes of the stream."""


def refused_login(address: ReceiverAddress) -> str:
    """Return what to say of a receiver that answered 401, without the subject of the sentence."""
    if address.credentials is None:
        return "asks for a user and a password; set XG2G_RECEIVER_USER and XG2G_RECEIVER_PASSWORD"
    return (
        f"refuses the password of user {address.credentials.user}; correct receiver.user and "
        "receiver.password, or XG2G_RECEIVER_USER and XG2G_RECEIVER_PASSWORD"
    )
