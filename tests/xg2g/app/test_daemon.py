"""The composition of the daemon: the order in which its parts end."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.daemon import serving
from xg2g.config.settings import (
    DataSettings,
    HlsSettings,
    ReceiverSettings,
    ServerSettings,
    Settings,
)
from xg2g.errors import UserError
from xg2g.lineup.picons import Picons
from xg2g.outputs.hls.disk_storage import StorageFolder
from xg2g.outputs.hls.outputs import HlsOutputs
from xg2g.receiver.openwebif import OpenWebif
from xg2g.simulator import SimulatedReceiver
from xg2g.store.database import Database
from xg2g.streaming.hub import Hub
from xg2g_backends import EmbeddedBackend

pytestmark = pytest.mark.anyio

PARTS = (HlsOutputs, Hub, StorageFolder, Picons, Database, OpenWebif, EmbeddedBackend)
"""Each uses those after it, and therefore ends before them."""


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """The parts that have ended so far."""
    found: list[type] = []

    def noting(part: type, close: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Any]:
        async def aclose(self: object) -> None:
            await close(self)
            found.append(part)

        return aclose

    for part in PARTS:
        monkeypatch.setattr(part, "aclose", noting(part, part.aclose))
    return found


def settings(receiver: SimulatedReceiver, folder: Path, *, port: int = 0) -> Settings:
    return Settings(
        receiver=ReceiverSettings(url=receiver.base_url, stream_port=receiver.stream_port),
        server=ServerSettings(port=port),
        data=DataSettings(dir=folder / "data"),
        hls=HlsSettings(dir=folder / "hls"),
    )


async def test_a_part_ends_before_the_parts_that_it_uses(ended: list[type], tmp_path: Path) -> None:
    async with SimulatedReceiver() as receiver, serving(settings(receiver, tmp_path)):
        assert not ended
    assert ended == [*PARTS]


async def test_a_start_that_fails_ends_what_was_started(ended: list[type], tmp_path: Path) -> None:
    """Here the port is taken, by the simulated receiver."""
    async with SimulatedReceiver() as receiver:
        with pytest.raises(UserError, match="cannot listen on"):
            async with serving(settings(receiver, tmp_path, port=receiver.stream_port)):
                pass
    assert ended == [Picons, Database, OpenWebif, EmbeddedBackend]
