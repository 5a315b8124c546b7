"""Texts about connections that failed, for lines to users."""

import os
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit, urlunsplit

_LONGEST_URL_SHOWN = 200


def why_no_connection(error: BaseException) -> str:
    """Return the reason as the system names it: asyncio's own text repeats the address, and httpx's
    is empty."""
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return "no computer has this name"
        if isinstance(cause, ssl.SSLError):
            # Its numbers are OpenSSL's, and would be taken for errors of the system.
            return f"no TLS connection ({_tls_reason(cause)})"
        if isinstance(cause, OSError) and cause.errno:
            if getattr(cause, "winerror", None) and cause.strerror:
                # Windows' own numbers: `os.strerror` knows no text for them.
                return cause.strerror.rstrip(".").lower()
            return os.strerror(cause.errno).lower()
    return str(error) or type(error).__name__


def is_refused(error: BaseException) -> bool:
    """Return whether the computer was reached, but nothing listens on the port."""
    return any(isinstance(cause, ConnectionRefusedError) for cause in _causes(error))


def is_tls_trouble(error: BaseException) -> bool:
    """Return whether there was a connection, but TLS on it failed."""
    return any(isinstance(cause, ssl.SSLError) for cause in _causes(error))


def redirect_target(asked: str, location: str) -> str | None:
    """Return the URL to which the header `Location` redirects a request for the URL `asked`.

    User, password, query and fragment are left out, since they may hold secrets. None if it is not
    a URL of HTTP that can be shown. Redirects of a receiver are not followed: the credentials would
    be sent along.
    """
    try:
        parts = urlsplit(urljoin(asked, location.strip()))
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not location.strip() or parts.scheme not in ("http", "https") or not host:
        return None
    authority = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    target = urlunsplit((parts.scheme, authority, parts.path, "", ""))
    return target if target.isprintable() and len(target) <= _LONGEST_URL_SHOWN else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        else:
            cause = cause.__cause__ or cause.__context__


def _tls_reason(error: ssl.SSLError) -> str:
    if error.reason is None or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "the other side closed the connection"
    return error.reason.lower().replace("_", " ")
