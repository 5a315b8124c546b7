"""A client that loads everything again and again, and holds it against the specification."""

from collections.abc import Coroutine

from tests.oracle.hls import (
    Complaint,
    Reloads,
    check_files,
    check_media,
    check_multivariant,
    check_together,
)
from xg2g.outputs.hls.media_playlist import media
from xg2g.outputs.hls.multivariant_playlist import multivariant
from xg2g.outputs.hls.presentation import Presentation
from xg2g_backends.packaging import Event


class Watcher:
    """Judges a presentation after any of its events."""

    def __init__(self, presentation: Presentation) -> None:
        self.presentation = presentation
        self.complaints: set[Complaint] = set()
        self.looks = 0
        self._reloads: dict[str, Reloads] = {}

    def take(self, event: Event) -> None:
        self.presentation.take(event)

    def look(self) -> None:
        """Load all playlists, when there are any."""
        if not self.presentation.is_ready:
            return
        self.looks += 1
        whole, playlists = self.playlists()
        self.complaints.update(check_multivariant(whole))
        for uri, text in playlists.items():
            self.complaints.update(check_media(text))
            self.complaints.update(self._reloads.setdefault(uri, Reloads()).load(text))
        if len(playlists) == len(self._named()):
            # A playlist in which nothing is yet is awaited by clients.
            self.complaints.update(check_together(whole, playlists))

    def look_at_files(self) -> None:
        """Load all that the playlists name."""
        if self.presentation.is_ready:
            self.complaints.update(check_files(*self.playlists(), self.fetch))

    def playlists(self) -> tuple[str, dict[str, str]]:
        presentation = self.presentation
        listed = [name for name in self._named() if presentation.renditions[name].has_begun]
        texts = {f"{presentation.run}/{name}.m3u8": media(presentation, name) for name in listed}
        return multivariant(presentation), texts

    def _named(self) -> list[str]:
        """What players know of: images are for the page alone."""
        every = self.presentation.renditions.values()
        return [rendition.name for rendition in every if not rendition.has_images]

    def fetch(self, uri: str) -> bytes | None:
        key = uri.removeprefix(f"{self.presentation.run}/")
        return at_once(self.presentation.storage.get(key))


def at_once(answer: Coroutine[None, None, bytes | None]) -> bytes | None:
    """What a storage in memory answers, which waits for nothing."""
    try:
        answer.send(None)
    except StopIteration as stop:
        found: bytes | None = stop.value
        return found
    raise AssertionError("it waits")
