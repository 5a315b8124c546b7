"""The choice of the backend: where remuxers run."""

from typing import TYPE_CHECKING

# It loads only the backend that is chosen.
import xg2g_backends

if TYPE_CHECKING:
    from xg2g_backends import Backend
    from xg2g_backends.external.observer import Observer

    from ..config import Settings


def choose_backend(
    settings: "Settings | None" = None, *, live: bool = True, observer: "Observer | None" = None
) -> "Backend":
    """Return the backend for streams: the transcoder services in the settings, or the library in
    this process.

    `live`: the input comes at its own pace and cannot wait for a service to become available.
    """
    if settings is None or not settings.external.transcoder:
        return xg2g_backends.EmbeddedBackend()
    external = settings.external
    token = external.transcoder_token
    return xg2g_backends.ExternalBackend(
        [xg2g_backends.ServiceAddress.parse(url) for url in external.transcoder],
        token=token.value if token else None,
        fallback=xg2g_backends.EmbeddedBackend() if external.fallback else None,
        live=live,
        observer=observer,
    )
