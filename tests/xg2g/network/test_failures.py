"""Texts about connections that failed."""

import errno
import os

import pytest

from xg2g.network.failures import why_no_connection
from xg2g_backends.external import http_client


def _on_windows() -> OSError:
    error = ConnectionRefusedError(10061, "The remote computer refused the network connection.")
    error.__dict__["winerror"] = 1225
    return error


@pytest.mark.parametrize("reason", [why_no_connection, http_client._reason])
def test_a_refused_connection_is_named_as_the_system_does_on_windows_too(reason: object) -> None:
    assert callable(reason)
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('192.0.2.1', 80)")
    assert reason(refused) == os.strerror(errno.ECONNREFUSED).lower()
    assert reason(_on_windows()) == "the remote computer refused the network connection"
