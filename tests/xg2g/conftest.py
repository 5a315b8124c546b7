"""Shared by the daemon's tests."""

from typing import Any

import pytest


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """The loop of production: its transports differ from asyncio's in when they close."""
    return "asyncio", {"use_uvloop": True}
