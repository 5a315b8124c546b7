"""The one place that chooses where the remuxer runs."""

from xg2g_backends.base import Backend
from xg2g_backends.external import ExternalBackend, Observer, ServiceAddress

from ..config import Settings


def choose_backend(
    settings: Settings | None = None, *, live: bool = True, observer: Observer | None = None
) -> Backend:
    """Return the backend that streams are opened with: the transcoder services that the settings
    name, or the library in this process.

    `live`: the input comes at its own pace, and cannot wait while there is no service.
    """
    from xg2g_backends.embedded import EmbeddedBackend

    if settings is None or not settings.external.transcoder:
        return EmbeddedBackend()
    external = settings.external
    token = external.transcoder_token
    return ExternalBackend(
        [ServiceAddress.parse(url) for url in external.transcoder],
        token=token.value if token else None,
        fallback=EmbeddedBackend() if external.fallback else None,
        live=live,
        observer=observer,
    )
