"""Playlists as they are sent: written and compressed once for all clients."""

import gzip
from dataclasses import dataclass
from typing import Final

from .media_playlist import media
from .multivariant_playlist import multivariant
from .presentation import Presentation

GZIP_LEVEL: Final = 1
"""Playlists repeat themselves: higher levels gain little."""


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist as it is sent."""

    plain: bytes
    coded: bytes
    """The same, with gzip."""


class PlaylistCache:
    """The playlists of a presentation, each for its present revision."""

    def __init__(self, presentation: Presentation) -> None:
        self._presentation = presentation
        self._made: dict[tuple[str | None, bool, bool], tuple[int, Playlist]] = {}

    def get(self, rendition: str | None, *, skip: bool, lead_in: bool) -> Playlist:
        """Return the media playlist of a rendition, or with None the multivariant playlist. `skip`
        and `lead_in` are those of `media`."""
        presentation = self._presentation
        known = self._made.get((rendition, skip, lead_in))
        if known is not None and known[0] == presentation.revision:
            return known[1]
        text = (
            multivariant(presentation)
            if rendition is None
            else media(presentation, rendition, skip=skip, lead_in=lead_in)
        )
        plain = text.encode()
        made = Playlist(plain, gzip.compress(plain, GZIP_LEVEL, mtime=0))
        # Making the first one settles what may not change, which is a change.
        self._made[rendition, skip, lead_in] = (presentation.revision, made)
        return made
