"""The one place that chooses where the remuxer runs."""

from .backends.base import Backend


def choose_backend() -> Backend:
    """Return the backend that streams are opened with: the library in this process."""
    from .backends.embedded import EmbeddedBackend

    return EmbeddedBackend()
