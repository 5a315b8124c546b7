"""Shared by all tests."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from xg2g_backends.embedded.library import Library, library_path


@pytest.fixture(scope="session", autouse=True)
def every_stream_of_the_library_is_freed() -> Iterator[None]:
    """Whatever was tested: at the end nothing is open in the library of this process."""
    yield
    assert_nothing_is_open(library_path())


def assert_nothing_is_open(library: Path) -> None:
    """For a library that this process may have loaded. Tests that forget a remuxer on purpose leave
    it to the garbage collector, which frees it."""
    gc.collect()
    assert Library(library).open_streams() == 0


@pytest.fixture(autouse=True)
def data_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a daemon of a test keeps its data: not with that of whoever runs the tests."""
    home = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    return home
