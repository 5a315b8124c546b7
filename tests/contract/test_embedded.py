"""What the embedded backend promises beyond the contract: nothing takes the process down."""

import asyncio
import ctypes
import gc
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.contract.subject import Subject
from xg2g_backends.base import Point, PointKind, RemuxOptions
from xg2g_backends.embedded.backend import EmbeddedBackend
from xg2g_backends.embedded.remuxer import EmbeddedRemuxer
from xg2g_backends.embedded.shared_library import Library
from xg2g_backends.errors import InternalError, PoisonedError

pytestmark = pytest.mark.anyio

CLIPS = Path(__file__).parents[2] / "xg2g" / "simulator" / "clips"

LARGE = b"\x47\x1f\xff\x10".ljust(188, b"\xff") * 1000
"""More than is converted on the event loop."""


async def open_embedded(subject: Subject) -> EmbeddedRemuxer:
    remuxer = await subject.backend.open(RemuxOptions())
    assert isinstance(remuxer, EmbeddedRemuxer)
    return remuxer


async def test_a_panic_is_an_exception_and_other_streams_continue(
    embedded: Subject, hooks: ctypes.CDLL
) -> None:
    async with await open_embedded(embedded) as broken, await open_embedded(embedded) as sound:
        for remuxer in (broken, sound):
            await remuxer.process(LARGE)
        assert hooks.xg2g_test_panic(broken._handle) == 0
        with pytest.raises(InternalError, match="deliberate panic"):
            await broken.process(LARGE)
        with pytest.raises(PoisonedError, match="deliberate panic"):
            await broken.process(LARGE)
        assert len((await sound.process(LARGE)).data) > 0


async def test_the_handle_outlives_the_call_that_is_running(
    embedded: Subject, hooks: ctypes.CDLL
) -> None:
    remuxer = await open_embedded(embedded)
    handle = remuxer._handle
    embedded.hold(remuxer)
    call = asyncio.create_task(remuxer.process(LARGE))
    await embedded.until_held(1)
    call.cancel()
    closing = asyncio.create_task(remuxer.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert remuxer._handle == handle
    embedded.release()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert remuxer._handle is None


async def test_the_library_counts_what_is_open_until_the_last_call_has_left(
    embedded: Subject, hooked_library: Path
) -> None:
    library = Library(hooked_library)
    assert library.open_streams() == 0
    remuxers = [await open_embedded(embedded) for _ in range(3)]
    assert library.open_streams() == 3
    for remuxer in remuxers[1:]:
        await remuxer.aclose()
    assert library.open_streams() == 1
    embedded.hold(remuxers[0])
    call = asyncio.create_task(remuxers[0].process(LARGE))
    await embedded.until_held(1)
    closing = asyncio.create_task(remuxers[0].aclose())
    await asyncio.sleep(0)
    assert library.open_streams() == 1
    embedded.release()
    await asyncio.wait({call, closing})
    assert library.open_streams() == 0


async def test_a_remuxer_that_is_forgotten_is_warned_about_and_freed(
    embedded: Subject, hooked_library: Path
) -> None:
    remuxer = await open_embedded(embedded)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del remuxer
        gc.collect()
    assert [warning.category for warning in caught] == [ResourceWarning]
    assert Library(hooked_library).open_streams() == 0


async def test_without_its_library_the_backend_says_how_to_build_it(tmp_path: Path) -> None:
    backend = EmbeddedBackend(tmp_path / "missing.so")
    health = await backend.check()
    assert not health.usable
    assert "make build" in health.detail
    await backend.aclose()


async def test_the_installed_library_is_found_and_runs() -> None:
    backend = EmbeddedBackend()
    health = await backend.check()
    assert health.usable, health.detail
    async with await backend.open(RemuxOptions(tracks=("deu", "eng"))) as remuxer:
        assert (await remuxer.process(LARGE)).data + (await remuxer.finish()).data == LARGE
    await backend.aclose()


@pytest.mark.parametrize("chunk", [LARGE, LARGE[: 4 * 188]], ids=["worker", "event loop"])
async def test_points_are_taken_in_the_turn_of_the_chunk(
    chunk: bytes, embedded: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[tuple[str, int]] = []

    def noted(name: str) -> None:
        call = getattr(Library, name)

        def note(*arguments: Any) -> Any:
            turns.append((name, threading.get_ident()))
            return call(*arguments)

        monkeypatch.setattr(Library, name, note)

    noted("process")
    noted("points")
    async with await open_embedded(embedded) as remuxer:
        await remuxer.process(chunk)
    (_, thread), *others = turns
    assert others == [("points", thread)]
    assert (thread == threading.get_ident()) == (chunk is not LARGE)


def test_the_library_gives_the_same_points_for_any_pieces() -> None:
    library = Library(EmbeddedBackend().path)
    stream = (CLIPS / "one-hd.ts").read_bytes()

    def points(piece_bytes: int) -> list[Point]:
        handle = library.open(RemuxOptions())
        found: list[Point] = []
        for at in range(0, len(stream), piece_bytes):
            library.process(handle, stream[at : at + piece_bytes])
            found += library.points(handle)
        library.free(handle)
        return found

    whole = points(len(stream))
    assert points(10_000) == whole
    joins = [point for point in whole if point.kind is PointKind.RANDOM_ACCESS]
    assert len(joins) >= 5
    assert {point.codec for point in joins} == {"h264"}
    assert all(point.tables[:1] == b"\x47" and len(point.tables) % 188 == 0 for point in joins)
