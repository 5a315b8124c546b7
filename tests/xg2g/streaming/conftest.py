from collections.abc import Sequence
from typing import Any

import pytest
from httpcore import AnyIOBackend

from tests.xg2g.receiver.clock import Time
from tests.xg2g.streaming.provider import BOX, PROVIDER
from xg2g.streaming import remote_transport
from xg2g.streaming.remote_transport import resolve


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that lead here, by way of an address that is no loopback one; 127.0.0.1 in an entry
    means the receiver."""
    connect = AnyIOBackend.connect_tcp

    async def connect_here(
        self: AnyIOBackend, host: str, port: int, *args: Any, **more: Any
    ) -> Any:
        here = "127.0.0.1" if host in (PROVIDER, BOX) else host
        return await connect(self, here, port, *args, **more)

    async def resolve_here(host: str, port: int) -> Sequence[str]:
        known = {"localtest.example": [PROVIDER], "box": [BOX]}
        return known.get(host) or await resolve(host, port)

    monkeypatch.setattr(remote_transport, "resolve", resolve_here)
    monkeypatch.setattr(AnyIOBackend, "connect_tcp", connect_here)
