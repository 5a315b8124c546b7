"""Where a redirect leads, for a line to a user."""

from urllib.parse import urljoin, urlsplit, urlunsplit

_LONGEST_SHOWN = 200


def redirect_target(asked: str, location: str) -> str | None:
    """Return the URL that `Location` names in an answer to a request for the URL `asked`.

    Without user, password, query and fragment, which may hold secrets; None if it names no URL of
    HTTP that can be shown. Redirects of a receiver are not followed: the credentials would go
    along.
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
    return target if target.isprintable() and len(target) <= _LONGEST_SHOWN else None
