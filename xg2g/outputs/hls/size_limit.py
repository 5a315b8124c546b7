"""The limit on the size of all windows together."""

from .presentation import Presentation


class SizeLimit:
    """Limits the bytes of the files of all presentations. Where they are too many, the longest
    window gets shorter; what live playback needs stays in any case."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._presentations: list[Presentation] = []

    @property
    def used_bytes(self) -> int:
        """Size of all files."""
        return sum(presentation.storage.stored_bytes for presentation in self._presentations)

    def add(self, presentation: Presentation) -> None:
        """Count a presentation from now on."""
        self._presentations.append(presentation)

    def remove(self, presentation: Presentation) -> None:
        """Count a presentation no longer."""
        if presentation in self._presentations:
            self._presentations.remove(presentation)

    def enforce(self) -> None:
        """Shorten windows until all fit."""
        used = self.used_bytes
        candidates = list(self._presentations)
        while used > self._limit_bytes and candidates:
            longest = max(candidates, key=lambda presentation: presentation.window.listed_s)
            before = longest.storage.stored_bytes
            if not longest.shorten():
                candidates.remove(longest)
            used -= before - longest.storage.stored_bytes
