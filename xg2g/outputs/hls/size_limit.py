"""What the windows of all channels may take together."""

from .presentation import Presentation


class SizeLimit:
    """Bytes for the files of all presentations. The longest window gets shorter where they are too
    many; what live playback needs stays in any case."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._presentations: list[Presentation] = []

    @property
    def used_bytes(self) -> int:
        """What is taken."""
        return sum(presentation.shelf.stored_bytes for presentation in self._presentations)

    def add(self, presentation: Presentation) -> None:
        """Count a presentation in."""
        self._presentations.append(presentation)

    def remove(self, presentation: Presentation) -> None:
        """Count it no longer."""
        if presentation in self._presentations:
            self._presentations.remove(presentation)

    def enforce(self) -> None:
        """Shorten windows until all fit."""
        used = self.used_bytes
        candidates = list(self._presentations)
        while used > self._limit_bytes and candidates:
            longest = max(candidates, key=lambda presentation: presentation.listed_s)
            before = longest.shelf.stored_bytes
            if not longest.shorten():
                candidates.remove(longest)
            used -= before - longest.shelf.stored_bytes
