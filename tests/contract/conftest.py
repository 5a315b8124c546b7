"""The backends that the contract suite runs over."""

import ctypes
import json
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import assert_nothing_is_open
from tests.contract.subject import Subject
from tests.harness.fake_backend import FakeBackend, FakeRemuxer
from tests.harness.transcoder import Transcoder, short_folder, transcoder, way_to
from xg2g_backends.base import Remuxer
from xg2g_backends.embedded.backend import EmbeddedBackend
from xg2g_backends.embedded.remuxer import EmbeddedRemuxer
from xg2g_backends.external.backend import ExternalBackend
from xg2g_backends.external.remote_remuxer import RemoteRemuxer
from xg2g_backends.external.remuxer import ExternalRemuxer

ROOT = Path(__file__).parents[2]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def hooked_library() -> Iterator[Path]:
    """The library with the exports of transcoder/src/ffi/test_hooks.rs; at the end nothing is open
    in it."""
    library = _hooked_library()
    yield library
    assert_nothing_is_open(library)


def _hooked_library() -> Path:
    # Where it runs there may be no cargo: scripts/try-on-arm64.sh.
    if given := os.environ.get("XG2G_HOOKED_LIBRARY"):
        return Path(given)
    # As `make test` has built it just before, so that nothing is compiled anew.
    command = "cargo test --no-run --locked --quiet --package xg2g-transcoder --test ffi"
    command += " --features service,test-hooks --message-format json-render-diagnostics"
    built = subprocess.run(command.split(), cwd=ROOT, stdout=subprocess.PIPE, check=True)
    for message in map(json.loads, built.stdout.splitlines()):
        if message.get("target", {}).get("name") == "xg2g_transcoder":
            names = map(Path, message["filenames"])
            return next(name for name in names if name.suffix in (".so", ".dylib"))
    raise AssertionError("cargo built no library")


@pytest.fixture
def hooks(hooked_library: Path) -> ctypes.CDLL:
    hooks = ctypes.CDLL(str(hooked_library))
    hooks.xg2g_test_hold.argtypes = [ctypes.c_void_p]
    hooks.xg2g_test_panic.argtypes = [ctypes.c_void_p]
    return hooks


@pytest.fixture
async def embedded(hooked_library: Path, hooks: ctypes.CDLL) -> AsyncIterator[Subject]:
    backend = EmbeddedBackend(hooked_library)

    def hold(remuxer: Remuxer) -> None:
        assert isinstance(remuxer, EmbeddedRemuxer)
        assert hooks.xg2g_test_hold(remuxer._handle) == 0

    yield Subject(backend, hold, hooks.xg2g_test_held, hooks.xg2g_test_release)
    hooks.xg2g_test_release()
    await backend.aclose()


@pytest.fixture
async def fake() -> AsyncIterator[Subject]:
    backend = FakeBackend()

    def hold(remuxer: Remuxer) -> None:
        assert isinstance(remuxer, FakeRemuxer)
        remuxer.gate.clear()

    def release() -> None:
        for remuxer in backend.remuxers:
            remuxer.gate.set()

    yield Subject(backend, hold, lambda: sum(r.inside for r in backend.remuxers), release)
    await backend.aclose()


@pytest.fixture
async def external_tcp() -> AsyncIterator[Subject]:
    with transcoder() as service, short_folder() as folder:
        async with external(service, folder) as subject:
            yield subject


@pytest.fixture
async def external_unix() -> AsyncIterator[Subject]:
    with short_folder() as folder, transcoder(f"unix://{folder}/t.sock") as service:
        async with external(service, folder) as subject:
            yield subject


@asynccontextmanager
async def external(service: Transcoder, folder: Path) -> AsyncIterator[Subject]:
    async with way_to(service.address, folder) as way:
        backend = ExternalBackend([way.address])

        def hold(remuxer: Remuxer) -> None:
            assert isinstance(remuxer, ExternalRemuxer)
            remote = remuxer._remuxer
            assert isinstance(remote, RemoteRemuxer)
            way.held_remuxers.add(urlsplit(remote.url).path)

        yield Subject(backend, hold, lambda: way.held, way.release)
        await backend.aclose()


@pytest.fixture(params=["embedded", "external_tcp", "external_unix", "fake"])
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.getfixturevalue(request.param)
    return found
