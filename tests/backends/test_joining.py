"""Whoever begins at a point gets a stream that begins there."""

import gc
from pathlib import Path

import pytest

from xg2g_backends.base import Point, PointKind, RemuxOptions
from xg2g_backends.embedded.shared_library import LIBRARY_VARIABLE, Library, library_path, loaded
from xg2g_backends.errors import ClosedError, InvalidArgumentError, UnavailableError
from xg2g_backends.joining import Joiner

CLIP = Path(__file__).parents[2] / "xg2g" / "simulator" / "clips" / "two-hd.ts"


@pytest.fixture(scope="module")
def stream() -> tuple[bytes, list[Point]]:
    """What a remuxer gives of a clip, and the pictures with which a viewer can begin."""
    library = Library(library_path())
    handle = library.open(RemuxOptions())
    data = library.process(handle, CLIP.read_bytes())
    points = [p for p in library.points(handle) if p.kind is PointKind.RANDOM_ACCESS]
    library.free(handle)
    return data, points


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def test_two_joiners_give_the_same_bytes_for_any_pieces(stream: tuple[bytes, list[Point]]) -> None:
    data, points = stream
    assert len(points) >= 5
    for point in points:
        rest = data[point.offset :]
        with Joiner(point) as whole, Joiner(point) as parts:
            begun = whole.take(rest)
            assert begun.startswith(point.tables + rest[:188])
            assert begun == b"".join(map(parts.take, pieces(rest, 7 * 188)))
            assert whole.is_over is parts.is_over


def test_once_it_is_over_everything_passes_untouched(stream: tuple[bytes, list[Point]]) -> None:
    data, points = stream
    with Joiner(points[0]) as joiner:
        for _ in range(5):
            # The clip names a PID that never comes.
            joiner.take(data[points[0].offset :])
        assert joiner.is_over
        assert joiner.take(b"anything") == b"anything"


def test_after_a_gap_the_tables_are_announced(stream: tuple[bytes, list[Point]]) -> None:
    data, points = stream
    tables = pieces(points[0].tables, 188)
    with Joiner(points[0], after_gap=True) as joiner:
        begun = pieces(joiner.take(data[points[0].offset :]), 188)
    assert begun[1 : 2 * len(tables) : 2] == tables
    for mark, table in zip(begun[: 2 * len(tables) : 2], tables, strict=True):
        assert mark[2] == table[2]
        assert mark[3] & 0x30 == 0x20
        assert mark[5] == 0x80


def test_a_closed_joiner_takes_nothing(stream: tuple[bytes, list[Point]]) -> None:
    joiner = Joiner(stream[1][0])
    joiner.close()
    joiner.close()
    with pytest.raises(ClosedError):
        joiner.take(b"")


def test_a_forgotten_joiner_is_freed(stream: tuple[bytes, list[Point]]) -> None:
    joiner = Joiner(stream[1][0])
    handle = joiner._handle
    assert handle is not None
    assert not loaded(library_path()).has_joined(handle)
    del joiner
    gc.collect()
    with pytest.raises(InvalidArgumentError):
        loaded(library_path()).has_joined(handle)


def test_a_joiner_refuses_points_at_which_no_viewer_can_join() -> None:
    with pytest.raises(InvalidArgumentError):
        Joiner(Point(offset=0, kind=PointKind.SCRAMBLED, program=1))


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(LIBRARY_VARIABLE, str(tmp_path / "missing.so"))
    with pytest.raises(UnavailableError, match="make build"):
        Joiner(Point(offset=0, kind=PointKind.RANDOM_ACCESS, program=1))
