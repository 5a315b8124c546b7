"""Shared by all tests."""

import gc
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

import xg2g_backends
from xg2g.app import open_files
from xg2g_backends.embedded.shared_library import Library, library_path


@pytest.fixture(scope="session", autouse=True)
def as_many_open_files_as_the_daemon_has() -> None:
    """Raise the limit as the daemon does: tests hold both ends of hundreds of connections."""
    open_files.raise_limit()


@pytest.fixture(scope="session", autouse=True)
def every_stream_of_the_library_is_freed() -> Iterator[None]:
    """Check after all tests that no stream is open in the library of this process."""
    yield
    assert_nothing_is_open(library_path())


def assert_nothing_is_open(library: Path) -> None:
    """Check the library, after remuxers that a test forgot on purpose are freed as garbage."""
    gc.collect()
    assert Library(library).open_streams() == 0


@pytest.fixture(autouse=True)
def data_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let daemons of a test keep their data in a folder of the test, not in the user's."""
    home = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    return home


@pytest.fixture(autouse=True)
def unconfigured_logs() -> Iterator[None]:
    """Undo the logs that a daemon or command in the test's process configured.

    They write to the standard error of that test, which is closed when the next one runs.
    """
    yield
    structlog.reset_defaults()
    for handler in logging.root.handlers[:]:
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
            logging.root.removeHandler(handler)
    logging.getLogger(xg2g_backends.__name__).setLevel(logging.NOTSET)
