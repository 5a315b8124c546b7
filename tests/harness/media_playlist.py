"""A media playlist of HTTP Live Streaming, as viewers of a load read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MediaPlaylist:
    """A media playlist, as far as a viewer reads it."""

    target_s: float
    first: int
    segments: tuple[tuple[float, str], ...]
    """Duration in seconds and URI; an empty URI for a gap."""

    @classmethod
    def of(cls, text: str) -> MediaPlaylist:
        """Read it."""
        target_s, first, segments = 2.0, 0, list[tuple[float, str]]()
        duration_s, is_gap = 0.0, False
        for line in text.splitlines():
            name, _, value = line.partition(":")
            if name == "#EXT-X-TARGETDURATION":
                target_s = float(value)
            elif name == "#EXT-X-MEDIA-SEQUENCE":
                first = int(value)
            elif name == "#EXTINF":
                duration_s = float(value.partition(",")[0])
            elif name == "#EXT-X-GAP":
                is_gap = True
            elif line and not line.startswith("#"):
                segments.append((duration_s, "" if is_gap else line))
                is_gap = False
        return cls(target_s, first, tuple(segments))

    def beginning(self, behind_s: float) -> int:
        """Return the number of the first segment that begins at most `behind_s` before the end."""
        number = self.first + len(self.segments)
        for duration_s, _ in reversed(self.segments):
            behind_s -= duration_s
            if behind_s < 0:
                break
            number -= 1
        return number
