from collections.abc import AsyncIterator

import pytest

from tests.xg2g.streaming.receiver import House


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    yield house
    await house.aclose()


@pytest.fixture
async def steady() -> AsyncIterator[House]:
    """A hub that opens lost streams again."""
    house = House(reconnect_s=12)
    yield house
    await house.aclose()
