"""Shared by the daemon's tests."""

import sys
from typing import Any

import pytest


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """The loop of production: its transports differ from asyncio's in when they close."""
    return "asyncio", {"use_uvloop": sys.platform != "win32"}
