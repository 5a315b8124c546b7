"""The files of the web page. They are read once: a cleaner of /tmp may remove the files that the
single executable unpacked there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, Self

INDEX: Final = "index.html"
_GZIP_ENDING: Final = ".gz"
_MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
"""By file ending. The tables of a bare system lack some of them."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """File of the web page."""

    body: bytes
    gzipped: bytes | None
    """The body coded with gzip; None if that is not smaller."""
    media_type: str


@dataclass(frozen=True, slots=True)
class BuiltPage:
    """Output of `page/build.mjs`."""

    files: Mapping[str, PageFile]
    """Files by path relative to the page. Names below `assets/` change with their content."""

    @classmethod
    def load(cls, folder: Traversable | None = None) -> Self | None:
        """Read the page that is installed with the daemon, or the one in `folder`. Return None
        if there is none, because Node was missing at build time."""
        folder = folder or files(__package__).joinpath("built")
        if not folder.joinpath(INDEX).is_file():
            return None
        found = dict(_files(folder, ""))
        return cls(
            {
                path: PageFile(body, found.get(path + _GZIP_ENDING), _media_type(path))
                for path, body in found.items()
                if not path.endswith(_GZIP_ENDING)
            }
        )


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _files(each, f"{path}{each.name}/")
        else:
            yield f"{path}{each.name}", each.read_bytes()


def _media_type(path: str) -> str:
    return _MEDIA_TYPES.get(f".{path.rpartition('.')[2]}", "application/octet-stream")
