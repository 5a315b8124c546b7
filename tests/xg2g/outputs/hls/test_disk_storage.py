"""Windows on disk, and what all windows may take together."""

import errno
import fcntl
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from xg2g.outputs.hls import disk_storage as disk_module
from xg2g.outputs.hls.disk_storage import DiskStorage, StorageFolder, UnwritableFolderError
from xg2g.outputs.hls.options import Targets
from xg2g.outputs.hls.presentation import Presentation
from xg2g.outputs.hls.size_limit import SizeLimit
from xg2g.outputs.hls.storage import MemoryStorage, Storage
from xg2g_backends.packaging import Header, Part, Segment, TextMedia, VideoMedia

pytestmark = pytest.mark.anyio

VIDEO = VideoMedia(1280, 720, None, 25.0, is_interlaced=False)


@asynccontextmanager
async def opened(root: Path) -> AsyncIterator[StorageFolder]:
    disk = StorageFolder.open(root)
    try:
        yield disk
    finally:
        await disk.aclose()


def feed(presentation: Presentation, numbers: range, size: int = 1000) -> None:
    if "video" not in presentation.renditions:
        presentation.take(Header("video", 0, "avc1.64001f", 90000, VIDEO, b"header"))
    for number in numbers:
        data = bytes([number % 256]) * size
        at = number * 180000
        for index in range(2):
            presentation.take(Part("video", number, index, at + 90000 * index, 90000, True, data))
        presentation.take(Segment("video", number, 2, at, 180000))


def presented(storage: Storage, window_s: float = 3600) -> Presentation:
    targets = Targets(segment_ms=2000, part_ms=1000, duration=2)
    return Presentation(storage, targets=targets, window_s=window_s, run="r")


async def settled(disk: StorageFolder) -> None:
    """Wait until everything that was handed to the thread is done and noted."""
    for _ in range(2):
        await anyio.to_thread.run_sync(disk.writer.submit(lambda: None).result)
        await anyio.lowlevel.checkpoint()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def no_failure() -> None:
    raise AssertionError("the disk failed")


async def test_old_segments_are_on_disk_and_are_read_as_they_came(tmp_path: Path) -> None:
    async with opened(tmp_path) as disk:
        storage = DiskStorage(disk, "r", no_failure)
        presentation = presented(storage)
        feed(presentation, range(100))
        await settled(disk)
        assert storage.held_bytes < 30 * 2000
        assert storage.stored_bytes == 100 * 2000 + len(b"header")
        for number in (0, 50, 99):
            data = bytes([number]) * 1000
            assert await storage.get(f"video/{number + 3}.m4s") == 2 * data
            assert await storage.get(f"video/{number + 3}.1.m4s") == data
        assert await storage.get("video/header-3.mp4") == b"header"
        assert await storage.get("video/103.m4s") is None


async def test_segments_that_leave_the_window_are_removed_from_the_disk(tmp_path: Path) -> None:
    async with opened(tmp_path) as disk:
        presentation = presented(DiskStorage(disk, "r", no_failure), window_s=60)
        for first in range(0, 200, 10):
            feed(presentation, range(first, first + 10))
            await settled(disk)
        files = list((disk.folder / "r").iterdir())
        assert 30 <= len(files) <= 33
        on_disk = sum(file.stat().st_size for file in files)
        assert presentation.storage.stored_bytes == on_disk + len(b"header")
        presentation.storage.clear()
        await settled(disk)
        assert presentation.storage.stored_bytes == 0
        assert not (disk.folder / "r").exists()


async def test_nothing_is_left_behind_and_leftovers_of_the_dead_are_removed(tmp_path: Path) -> None:
    dead, alive = tmp_path / "xg2g-hls-dead", tmp_path / "xg2g-hls-alive"
    for folder in (dead, alive):
        folder.mkdir()
        (folder / "lock").touch()
        (folder / "video-1.m4s").write_bytes(b"old")
    (tmp_path / "mine").touch()
    with (alive / "lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with opened(tmp_path) as disk:
            assert names(tmp_path) == sorted(["mine", alive.name, disk.folder.name])
            feed(presented(DiskStorage(disk, "r", no_failure)), range(3))
    assert names(tmp_path) == ["mine", alive.name]


async def test_a_folder_that_cannot_be_written_is_an_error_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableFolderError, match=r"hls\.dir .* cannot be written"):
        StorageFolder.open(tmp_path / "file" / "windows")


async def test_a_full_disk_shortens_the_window_and_live_playback_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = 40

    def write(path: Path, data: bytes) -> None:
        path.parent.mkdir(exist_ok=True)
        if len(list(path.parent.iterdir())) >= room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        path.write_bytes(data)

    monkeypatch.setattr(disk_module, "_write", write)
    async with opened(tmp_path) as disk:
        failures: list[None] = []

        def make_room() -> None:
            failures.append(None)
            for _ in range(2):
                presentation.shorten()

        storage = DiskStorage(disk, "r", make_room)
        presentation = presented(storage)
        for number in range(150):
            feed(presentation, range(number, number + 1))
            await settled(disk)
        assert failures
        listed = [segment.number for segment in presentation.renditions["video"].segments]
        assert 30 <= len(listed) <= room + 10
        assert listed[-1] == 152
        for number in listed:
            assert await storage.get(f"video/{number}.m4s") == bytes([number - 3]) * 2000
        assert storage.held_bytes < 35 * 2000


async def test_a_disk_that_hangs_does_not_block_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    original: Callable[[Path, bytes], None] = disk_module._write

    def write(path: Path, data: bytes) -> None:
        goes_on.wait(30)
        original(path, data)

    monkeypatch.setattr(disk_module, "_write", write)
    async with opened(tmp_path) as disk:
        storage = DiskStorage(disk, "r", no_failure)
        presentation = presented(storage)
        feed(presentation, range(50))
        assert await storage.get("video/3.m4s") == bytes(2000)
        goes_on.set()
        await settled(disk)
        assert await storage.get("video/3.m4s") == bytes(2000)


async def test_data_that_waits_for_a_slow_disk_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_module, "_MAX_UNWRITTEN_BYTES", 20_000)
    goes_on = threading.Event()
    monkeypatch.setattr(disk_module, "_write", lambda path, data: goes_on.wait(30))
    async with opened(tmp_path) as disk:
        presentation = presented(DiskStorage(disk, "r", lambda: shorten(presentation)))
        feed(presentation, range(500))
        assert presentation.storage.held_bytes < 50 * 2000
        goes_on.set()


async def test_a_file_on_a_disk_that_hangs_is_given_up_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_module, "_READ_S", 0.01)
    goes_on = threading.Event()
    original = disk_module._read

    def read(path: Path, at: int, size: int) -> bytes | None:
        goes_on.wait(30)
        return original(path, at, size)

    async with opened(tmp_path) as disk:
        storage = DiskStorage(disk, "r", no_failure)
        feed(presented(storage), range(100))
        await settled(disk)
        monkeypatch.setattr(disk_module, "_read", read)
        try:
            with anyio.fail_after(10):
                for _ in range(8):
                    assert await storage.get("video/3.m4s") is None
            assert await storage.get("video/102.m4s") == bytes([99]) * 2000
        finally:
            goes_on.set()
        monkeypatch.setattr(disk_module, "_READ_S", 10)
        assert await storage.get("video/3.m4s") == bytes(2000)


@pytest.mark.parametrize("texts", range(6))
@pytest.mark.parametrize("room", [500, 20_000, 77_000])
async def test_a_disk_that_hangs_does_not_end_a_channel_of_many_renditions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: int, room: int
) -> None:
    monkeypatch.setattr(disk_module, "_MAX_UNWRITTEN_BYTES", room)
    goes_on = threading.Event()
    monkeypatch.setattr(disk_module, "_write", lambda path, data: goes_on.wait(30))
    async with opened(tmp_path) as disk:
        presentation = presented(DiskStorage(disk, "r", lambda: shorten(presentation)))
        try:
            for number in range(60):
                feed(presentation, range(number, number + 1))
                for text in range(texts):
                    feed_text(presentation, f"text-{text}-888", number)
            for name, rendition in presentation.renditions.items():
                key = f"{name}/{rendition.segments[-1].number}.{rendition.extension}"
                assert await presentation.storage.get(key)
        finally:
            goes_on.set()


def feed_text(presentation: Presentation, name: str, number: int) -> None:
    if name not in presentation.renditions:
        text = TextMedia("de", is_hearing_impaired=False, page="888")
        presentation.take(Header(name, number, "wvtt", 90000, text, b""))
    at = number * 180000
    presentation.take(Part(name, number, 0, at, 180000, True, bytes(1000)))
    presentation.take(Segment(name, number, 1, at, 180000))


def shorten(presentation: Presentation) -> None:
    for _ in range(2):
        presentation.shorten()


async def test_the_longest_window_gets_shorter_where_all_take_too_much() -> None:
    space = SizeLimit(200_000)
    long, short = presented(MemoryStorage()), presented(MemoryStorage())
    space.add(long)
    space.add(short)
    for number in range(150):
        feed(long, range(number, number + 1))
        if number < 20:
            feed(short, range(number, number + 1))
        space.enforce()
        assert space.used_bytes <= 200_000
    assert short.window.listed_s == 40
    assert 100 <= long.window.listed_s < 170
    space.remove(short)
    assert space.used_bytes == long.storage.stored_bytes


async def test_segments_for_live_playback_stay_whatever_their_size() -> None:
    space = SizeLimit(1000)
    presentation = presented(MemoryStorage())
    space.add(presentation)
    for number in range(30):
        feed(presentation, range(number, number + 1))
        space.enforce()
    assert (
        presentation.window.live_s <= presentation.window.listed_s <= presentation.window.live_s + 2
    )


async def test_a_file_that_windows_keeps_while_it_is_read_is_removed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink, is_read = Path.unlink, {"being-read"}

    def refusing(path: Path, missing_ok: bool = False) -> None:
        if path.name in is_read:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refusing)
    async with opened(tmp_path) as disk:
        first, second = disk.folder / "being-read", disk.folder / "other"
        for path in (first, second):
            path.touch()
        disk.remove(first)
        assert first.exists()
        is_read.clear()
        disk.remove(second)
        assert names(disk.folder) == ["lock"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_folders_go_where_no_open_file_can_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = tmp_path / "xg2g-hls-dead"
    dead.mkdir()
    (dead / "lock").touch()
    (dead / "video-1.m4s").write_bytes(b"old")
    unlink, refused = os.unlink, set()

    def unlink_as_windows(path: str, *, dir_fd: int | None = None) -> None:
        file = Path(f"/proc/self/fd/{dir_fd}").readlink() / path if dir_fd else Path(path)
        if file in open_files():
            refused.add(file)
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        unlink(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", unlink_as_windows)
    async with opened(tmp_path) as disk:
        assert names(tmp_path) == [disk.folder.name]
        assert refused == {dead / "lock"}
    assert names(tmp_path) == []


def open_files() -> Iterator[Path]:
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            yield descriptor.readlink()
