"""The files of the web page, read once: a cleaner of /tmp may remove what the single executable
unpacked there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, Self

INDEX: Final = "index.html"
_CODED: Final = ".gz"
_MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
"""Not those of the system, which know little on a bare one."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page."""

    body: bytes
    gzipped: bytes | None
    """The same, coded with gzip; None for what does not shrink."""
    media_type: str


@dataclass(frozen=True, slots=True)
class BuiltPage:
    """What `page/build.mjs` wrote."""

    files: Mapping[str, PageFile]
    """By path, relative to the page. Names below `assets/` change with their content."""

    @classmethod
    def load(cls, folder: Traversable | None = None) -> Self | None:
        """Read the page that is installed with the daemon, or the one in `folder`. Return None
        where there is none: Node was not there when this was built."""
        folder = folder or files(__package__).joinpath("built")
        if not folder.joinpath(INDEX).is_file():
            return None
        found = dict(_found(folder, ""))
        return cls(
            {
                path: PageFile(body, found.get(path + _CODED), _media_type(path))
                for path, body in found.items()
                if not path.endswith(_CODED)
            }
        )


def _found(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _found(each, f"{path}{each.name}/")
        else:
            yield f"{path}{each.name}", each.read_bytes()


def _media_type(path: str) -> str:
    return _MEDIA_TYPES.get(f".{path.rpartition('.')[2]}", "application/octet-stream")
