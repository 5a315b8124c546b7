"""The device id that clients check."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from xg2g.hdhomerun.identity import Identity, is_valid_device_id, new_device_id
from xg2g.store.location import open_database


@pytest.mark.parametrize("device_id", [0x10439EFD, 0x124205A5])
def test_the_ids_of_real_devices_are_valid(device_id: int) -> None:
    assert is_valid_device_id(device_id)


@pytest.mark.parametrize("device_id", [0, 0x12345678, 0x10439EFC, 1 << 32])
def test_ids_that_clients_refuse_are_invalid(device_id: int) -> None:
    assert not is_valid_device_id(device_id)


def test_every_new_id_is_valid_and_of_a_model_with_all_features() -> None:
    random = Random(1)
    for _ in range(2000):
        device_id = new_device_id(random.randrange)
        assert is_valid_device_id(device_id)
        assert device_id >> 20 not in {0x100, 0x101, 0x102, 0x103, 0x111, 0x120, 0x121, 0x122}


def test_the_identity_outlives_a_restart(tmp_path: Path) -> None:
    async def identity() -> Identity:
        async with open_database(tmp_path) as database:
            return await database.write(Identity.load_or_make)

    first, second = asyncio.run(identity()), asyncio.run(identity())
    assert first == second
    assert is_valid_device_id(first.device_id)
    assert len(first.auth) == 24
