"""What may and what may not change when a media playlist is loaded again (6.2.1, 6.2.2)."""

from collections.abc import Iterator
from dataclasses import dataclass

from .complaint import Complaint, Rules
from .playlist import MediaPlaylist, Segment


@dataclass(frozen=True)
class Reload:
    """A playlist and the same one later."""

    before: MediaPlaylist
    after: MediaPlaylist
    elapsed_s: float | None = None
    """Between both; None where nobody knows."""

    def pairs(self) -> Iterator[tuple[Segment, Segment]]:
        """Segments that are in both."""
        later = {segment.number: segment for segment in self.after.all_segments}
        for segment in self.before.all_segments:
            if segment.number in later:
                yield segment, later[segment.number]


RELOAD_RULES: Rules[Reload] = Rules()

_TOLERANCE_S = 0.0005


class Reloads:
    """A media playlist as a client loads it again and again."""

    def __init__(self) -> None:
        self._latest: MediaPlaylist | None = None
        self._at_s: float | None = None

    def load(self, text: str, at_s: float | None = None) -> list[Complaint]:
        """Return what breaks rules against the one loaded before. `at_s` is any clock."""
        after = MediaPlaylist(text)
        found: list[Complaint] = []
        if self._latest is not None:
            elapsed = None
            if at_s is not None and self._at_s is not None:
                elapsed = at_s - self._at_s
            found = RELOAD_RULES.check(Reload(self._latest, after, elapsed))
        self._latest, self._at_s = after, at_s
        return found


_CONSTANT = (
    "EXT-X-VERSION",
    "EXT-X-INDEPENDENT-SEGMENTS",
    "EXT-X-SERVER-CONTROL",
    "EXT-X-PART-INF",
    "EXT-X-START",
    "EXT-X-PLAYLIST-TYPE",
)


@RELOAD_RULES("target-constant", "6.2.1")
def _target(reload: Reload) -> Iterator[str]:
    if reload.before.target != reload.after.target:
        yield f"the target duration was {reload.before.target} and is {reload.after.target}"


@RELOAD_RULES("tags-constant", "6.2.1")
def _constant(reload: Reload) -> Iterator[str]:
    for name in _CONSTANT:
        before, after = ([t.value for t in p.named(name)] for p in (reload.before, reload.after))
        if before != after:
            yield f"{name} was {before} and is {after}"


@RELOAD_RULES("media-sequence", "6.2.2")
def _sequence(reload: Reload) -> Iterator[str]:
    before, after = (p.integer("EXT-X-MEDIA-SEQUENCE") or 0 for p in (reload.before, reload.after))
    if after < before:
        yield f"EXT-X-MEDIA-SEQUENCE was {before} and is {after}"


@RELOAD_RULES("numbers-kept", "6.2.1, 6.2.2")
def _numbers(reload: Reload) -> Iterator[str]:
    """A segment keeps number and URI; what is removed is counted."""
    for before, after in reload.pairs():
        if before.uri is not None and before.uri != after.uri:
            yield f"segment {before.number} was {before.uri} and is {after.uri}"
    known = {segment.uri: segment.number for segment in reload.before.segments}
    for segment in reload.after.segments:
        if known.get(segment.uri, segment.number) != segment.number:
            yield f"{segment.uri} had number {known[segment.uri]} and has {segment.number}"


@RELOAD_RULES("nothing-lost", "6.2.1")
def _nothing_lost(reload: Reload) -> Iterator[str]:
    """Segments leave at the front alone."""
    first = reload.after.integer("EXT-X-MEDIA-SEQUENCE") or 0
    there = {segment.number for segment in reload.after.all_segments}
    for segment in reload.before.all_segments:
        if segment.number >= first and segment.number not in there:
            yield f"segment {segment.number} has gone from behind the front"


@RELOAD_RULES("segment-unchanged", "6.2.1")
def _unchanged(reload: Reload) -> Iterator[str]:
    for before, after in reload.pairs():
        names = ["EXT-X-DISCONTINUITY", "EXT-X-PROGRAM-DATE-TIME"]
        names += ["EXTINF", "EXT-X-GAP"] if before.uri is not None else []
        for name in names:
            was, now = before.tag(name), after.tag(name)
            if (was and was.value) != (now and now.value):
                yield f"{name} of segment {before.number} was {was} and is {now}"
        # A gap needs none; it has that of what stood before it.
        if not before.is_gap and before.map_uri not in (None, after.map_uri):
            yield f"the map of segment {before.number} changed"


@RELOAD_RULES("discontinuity-numbers", "6.2.2")
def _discontinuities(reload: Reload) -> Iterator[str]:
    name = "EXT-X-DISCONTINUITY-SEQUENCE"
    if (reload.after.integer(name) or 0) < (reload.before.integer(name) or 0):
        yield f"{name} has gone back"
    for before, after in reload.pairs():
        if before.discontinuity_number != after.discontinuity_number:
            yield (
                f"segment {before.number} had discontinuity number {before.discontinuity_number} "
                f"and has {after.discontinuity_number}"
            )


@RELOAD_RULES("parts-kept", "6.2.1, 6.2.2")
def _parts(reload: Reload) -> Iterator[str]:
    """Parts are appended; they leave all together, the oldest segment's first."""
    kept = False
    for before, after in reload.pairs():
        was, now = ([part.tag.value for part in s.parts] for s in (before, after))
        if was and not now:
            if kept:
                yield f"parts of segment {before.number} left before older ones"
            continue
        kept |= bool(was)
        if now[: len(was)] != was:
            yield f"parts of segment {before.number} changed"
        if before.uri is not None and len(now) > len(was):
            yield f"segment {before.number} was whole and has more parts"


@RELOAD_RULES("parts-not-early", "6.2.2")
def _parts_not_early(reload: Reload) -> Iterator[str]:
    """What is near the end keeps its parts: a client may be in the middle of them."""
    left = reload.after.duration
    for segment in reload.after.segments:
        left -= segment.duration
        was = next((b for b, a in reload.pairs() if a is segment), None)
        if was and was.parts and not segment.parts and left < 3 * reload.after.target - 0.001:
            yield f"segment {segment.number} lost its parts {left} s from the end"


@RELOAD_RULES("three-targets-stay", "6.2.2")
def _three_targets(reload: Reload) -> Iterator[str]:
    first = reload.after.integer("EXT-X-MEDIA-SEQUENCE") or 0
    if first > (reload.before.integer("EXT-X-MEDIA-SEQUENCE") or 0) and not reload.after.has_ended:
        left = reload.after.duration
        if left < 3 * reload.after.target - _TOLERANCE_S:
            yield f"removal leaves {left} s, less than three target durations"


@RELOAD_RULES("end-is-the-end", "6.2.1")
def _end(reload: Reload) -> Iterator[str]:
    if reload.before.has_ended and reload.after.text != reload.before.text:
        yield "it changed behind EXT-X-ENDLIST"


@RELOAD_RULES("hint-kept", "4.4.5.3, 6.2.6")
def _hint(reload: Reload) -> Iterator[str]:
    """The hinted part is the next one of its segment, if that has a further one."""
    hint = reload.before.first("EXT-X-PRELOAD-HINT")
    if hint is None or hint.text("TYPE") != "PART":
        return
    before = reload.before
    last = before.segments[-1].number if before.segments else -1
    number = before.trailing.number if before.trailing else last + 1
    had = {part.uri for part in before.trailing.parts} if before.trailing else set()
    for segment in reload.after.all_segments:
        new = [part.uri for part in segment.parts if part.uri not in had]
        if segment.number == number and new and new[0] != hint.text("URI"):
            yield f"{hint.text('URI')} was hinted at, {new[0]} came"


@RELOAD_RULES("in-time", "6.2.1")
def _in_time(reload: Reload) -> Iterator[str]:
    """A new segment comes within 1.5 target durations."""
    if reload.elapsed_s is None or reload.before.has_ended or reload.after.has_ended:
        return
    newest = [p.segments[-1].number if p.segments else -1 for p in (reload.before, reload.after)]
    if newest[0] == newest[1] and reload.elapsed_s > 1.5 * reload.after.target:
        yield f"no segment in {reload.elapsed_s} s"
