"""Convert the audio of MPEG transport streams to AAC; the video stays as it is.

`remux` converts a file with one blocking call:

    from xg2g_backends import RemuxOptions, remux

    stats = remux("recording.ts", "converted.ts", RemuxOptions(tracks=("deu", "eng")))

For a live stream, a `Backend` opens `Remuxer`s, which take and return bytes. `EmbeddedBackend` runs
them in this process, `ExternalBackend` in transcoder services:

    backend = EmbeddedBackend()
    async with await backend.open(RemuxOptions()) as remuxer:
        async for chunk in chunks:
            send((await remuxer.process(chunk)).data)
        send((await remuxer.finish()).data)

Every error is a `BackendError`. The names in `__all__` are the public interface, which stays
compatible within a major version. Each is imported at its first use, so that importing the package
takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

# The parent folder is a source root. Imported through it, every class would exist twice, and
# `except BackendError` would miss the other one.
if __name__ != "xg2g_backends":
    raise ImportError(f"{__name__} is the package xg2g_backends: import it by that name")

if TYPE_CHECKING:
    from .base import (
        Backend,
        BackendHealth,
        Piece,
        Point,
        PointKind,
        Remuxer,
        RemuxOptions,
        RemuxStats,
        TrackState,
        TrackStats,
    )
    from .embedded.backend import EmbeddedBackend
    from .embedded.remux_file import remux
    from .errors import BackendError, InvalidArgumentError, UnavailableError
    from .external.address import ServiceAddress
    from .external.backend import ExternalBackend

__all__ = [
    "Backend",
    "BackendError",
    "BackendHealth",
    "EmbeddedBackend",
    "ExternalBackend",
    "InvalidArgumentError",
    "Piece",
    "Point",
    "PointKind",
    "RemuxOptions",
    "RemuxStats",
    "Remuxer",
    "ServiceAddress",
    "TrackState",
    "TrackStats",
    "UnavailableError",
    "remux",
]

_MODULES: Final = {
    "EmbeddedBackend": "embedded.backend",
    "BackendError": "errors",
    "InvalidArgumentError": "errors",
    "UnavailableError": "errors",
    "ExternalBackend": "external.backend",
    "ServiceAddress": "external.address",
    "remux": "embedded.remux_file",
}
"""Name -> module; the other names are in `base`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES.get(name, 'base')}", __name__), name)
