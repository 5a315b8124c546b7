"""The ctypes declarations say what the header says, and the library agrees."""

import ctypes
import re
from pathlib import Path

import pytest

from xg2g_backends.base import RemuxOptions
from xg2g_backends.embedded import _abi
from xg2g_backends.embedded.backend import EmbeddedBackend
from xg2g_backends.embedded.shared_library import Library, file_name
from xg2g_backends.errors import InvalidArgumentError, UnavailableError

ROOT = Path(__file__).parents[2]
HEADER = (ROOT / "transcoder" / "include" / "xg2g_transcoder.h").read_text()

CTYPES = {
    "void": None,
    "void *": ctypes.c_void_p,
    "int": ctypes.c_int,
    "int *": ctypes.POINTER(ctypes.c_int),
    "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64,
    "size_t": ctypes.c_size_t,
    "size_t *": ctypes.POINTER(ctypes.c_size_t),
    "char *": ctypes.c_char_p,
    "const char *": ctypes.c_char_p,
    "const uint8_t *": ctypes.c_char_p,
    "uint8_t *": ctypes.c_void_p,
    "const uint8_t **": ctypes.POINTER(ctypes.c_void_p),
    "const xg2g_options *": ctypes.POINTER(_abi.Options),
    "xg2g_point *": ctypes.POINTER(_abi.PointRecord),
    "const xg2g_point *": ctypes.POINTER(_abi.PointRecord),
}


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("linux", "libxg2g_transcoder.so"),
        ("freebsd14", "libxg2g_transcoder.so"),
        ("darwin", "libxg2g_transcoder.dylib"),
        ("win32", "xg2g_transcoder.dll"),
    ],
)
def test_the_library_has_the_file_name_that_cargo_gives_it(platform: str, name: str) -> None:
    assert file_name(platform) == name


@pytest.fixture
def library() -> Library:
    return Library(EmbeddedBackend().path)


def ctype(declaration: str) -> object:
    """The ctypes type of a C declaration, without its name."""
    return CTYPES[re.sub(r"\w+$", "", declaration.strip()).strip()]


def test_every_function_is_declared_as_in_the_header() -> None:
    declared = {}
    for result, name, arguments in re.findall(
        r"^(\w[\w *]*?)(xg2g_\w+)\((.*?)\);", HEADER, re.M | re.S
    ):
        types = () if arguments == "void" else tuple(map(ctype, arguments.split(",")))
        declared[name] = (CTYPES[result.strip()], types)
    assert declared == _abi.PROTOTYPES


@pytest.mark.parametrize(
    ("name", "structure"), [("xg2g_options", _abi.Options), ("xg2g_point", _abi.PointRecord)]
)
def test_the_structures_have_the_fields_of_the_header(
    name: str, structure: type[ctypes.Structure]
) -> None:
    body = re.search(rf"typedef struct \{{([^}}]*)\}} {name};", HEADER)
    assert body is not None
    fields = re.findall(r"^ +(?!//)(.*?)(\w+);$", body[1], re.M)
    assert tuple((name, CTYPES[type_.strip()]) for type_, name in fields) == structure._fields_


def test_the_kinds_of_points_have_the_numbers_of_the_header() -> None:
    kinds = re.findall(r"XG2G_POINT_KIND_(\w+) = (\d+)", HEADER)
    assert kinds == [(kind.name, str(number)) for number, kind in enumerate(_abi.POINT_KINDS)]
    codecs = re.findall(r"XG2G_VIDEO_CODEC_(\w+) = (\d+)", HEADER)
    named = [(name.lower(), int(number)) for name, number in codecs if name != "OTHER"]
    assert named == [(name, number) for number, name in enumerate(_abi.VIDEO_CODECS) if name]


def test_the_options_have_the_size_that_the_library_expects(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.free(library.open(RemuxOptions()))
    size = ctypes.sizeof(_abi.Options)
    monkeypatch.setattr(ctypes, "sizeof", lambda _: size - 1)
    with pytest.raises(InvalidArgumentError, match=f"less than {size}"):
        library.open(RemuxOptions())


def test_the_versions_agree_with_the_header_and_the_package(library: Library) -> None:
    assert f"#define XG2G_ABI_VERSION {_abi.ABI_VERSION}\n" in HEADER
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)
    assert version is not None
    assert library.versions()["xg2g-transcoder"] == version[1]


def test_a_missing_library_is_an_error_that_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="make build"):
        Library(tmp_path / "missing.so")


def test_a_library_of_another_abi_version_is_refused(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_abi, "ABI_VERSION", _abi.ABI_VERSION + 1)
    with pytest.raises(UnavailableError, match="ABI version"):
        Library(EmbeddedBackend().path)


def test_a_library_that_lacks_a_function_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = {**_abi.PROTOTYPES, "xg2g_of_a_later_version": (None, ())}
    monkeypatch.setattr(_abi, "PROTOTYPES", missing)
    with pytest.raises(UnavailableError, match="older than xg2g"):
        Library(EmbeddedBackend().path)
