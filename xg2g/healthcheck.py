"""Health check of the daemon on this machine, for container images that have no curl.

`python -m xg2g.healthcheck` imports only the standard library: a check every half minute costs the
start of an interpreter, a tenth of the start of the command line.
"""

import http.client
import os
import sys

TIMEOUT_S = 4
"""Less than container engines wait for a check."""

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def trouble(host: str, port: int) -> str | None:
    """Request `/healthz`. Return None if the daemon is healthy, else the problem in one line."""
    connection = http.client.HTTPConnection(_EVERYWHERE.get(host, host), port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return f"no answer on {host} port {port}: {reason}"
    finally:
        connection.close()
    return None if status == 200 else f"/healthz answered {status} on {host} port {port}"


if __name__ == "__main__":
    port = os.environ.get("XG2G_PORT", "")
    # Kubernetes sets XG2G_PORT to a URL where a service is called xg2g; the daemon ignores it, too.
    found = trouble(
        os.environ.get("XG2G_HOST") or "127.0.0.1", int(port) if port.isdigit() else 8088
    )
    sys.exit(f"xg2g: {found}" if found else 0)
