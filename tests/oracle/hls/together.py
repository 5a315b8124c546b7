"""What has to hold between the playlists of one presentation (6.2.4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import dirname, join, normpath

from .complaint import Complaint, Rules
from .playlist import MediaPlaylist, Multivariant


@dataclass(frozen=True)
class Together:
    """A multivariant playlist with its media playlists, by URI as it names them; all of one
    moment."""

    multivariant: Multivariant
    media: dict[str, MediaPlaylist]

    def pairs(self) -> Iterator[tuple[str, MediaPlaylist, str, MediaPlaylist]]:
        listed = list(self.media.items())
        for uri, playlist in listed[1:]:
            yield (*listed[0], uri, playlist)


TOGETHER_RULES: Rules[Together] = Rules()

_DATE_TOLERANCE_S = 0.05


def check_together(multivariant: str, media: dict[str, str]) -> list[Complaint]:
    """Return what playlists of one moment break."""
    playlists = {uri: MediaPlaylist(text) for uri, text in media.items()}
    return TOGETHER_RULES.check(Together(Multivariant(multivariant), playlists))


@TOGETHER_RULES("all-there", "4.4.6")
def _all_there(together: Together) -> Iterator[str]:
    for uri in together.multivariant.uris:
        if uri not in together.media:
            yield f"{uri} is named and not there"


@TOGETHER_RULES("one-target", "6.2.4")
def _one_target(together: Together) -> Iterator[str]:
    for first, one, uri, other in together.pairs():
        if one.target != other.target:
            yield f"{uri} has target duration {other.target}, {first} {one.target}"


@TOGETHER_RULES("one-server-control", "6.2.4")
def _one_server_control(together: Together) -> Iterator[str]:
    for first, one, uri, other in together.pairs():
        values = [[t.value for t in p.named("EXT-X-SERVER-CONTROL")] for p in (one, other)]
        if values[0] != values[1]:
            yield f"{uri} has the control {values[1]}, {first} {values[0]}"


@TOGETHER_RULES("same-discontinuities", "6.2.4")
def _same_discontinuities(together: Together) -> Iterator[str]:
    for first, one, uri, other in together.pairs():
        known = {segment.number: segment.discontinuity_number for segment in one.all_segments}
        for segment in other.all_segments:
            if known.get(segment.number, segment.discontinuity_number) != (
                segment.discontinuity_number
            ):
                yield f"segment {segment.number} has another number in {uri} than in {first}"


@TOGETHER_RULES("same-dates", "6.2.4")
def _same_dates(together: Together) -> Iterator[str]:
    for _, one, uri, other in together.pairs():
        if one.named("EXT-X-PROGRAM-DATE-TIME") and not other.named("EXT-X-PROGRAM-DATE-TIME"):
            yield f"{uri} has no dates"
        known = {segment.number: segment for segment in one.all_segments}
        for segment in other.all_segments:
            date = known[segment.number].date if segment.number in known else None
            if date and segment.date:
                # What comes late begins within the segment.
                later = (segment.date - date).total_seconds()
                lasts = known[segment.number].duration or one.target
                if not -_DATE_TOLERANCE_S < later < lasts + _DATE_TOLERANCE_S:
                    yield f"segment {segment.number} of {uri} is dated {later} s later"


@TOGETHER_RULES("no-type", "6.2.4")
def _types(together: Together) -> Iterator[str]:
    kinds = {
        uri: [tag.value for tag in playlist.named("EXT-X-PLAYLIST-TYPE")]
        for uri, playlist in together.media.items()
    }
    if len({tuple(kind) for kind in kinds.values()}) > 1:
        yield f"playlists differ in EXT-X-PLAYLIST-TYPE: {kinds}"


@TOGETHER_RULES("same-length", "6.2.4")
def _same_length(together: Together) -> Iterator[str]:
    """What one has at its beginning and others have not is a target duration at most."""
    for first, one, uri, other in together.pairs():
        missing = sum(s.duration for s in one.segments if s.number < _begin(other))
        more = sum(s.duration for s in other.segments if s.number < _begin(one))
        if max(missing, more) > one.target:
            yield f"{uri} begins {max(missing, more)} s elsewhere than {first}"


@TOGETHER_RULES("reports", "4.4.5.4")
def _reports(together: Together) -> Iterator[str]:
    """Each playlist reports on the others, and truly."""
    for uri, playlist in together.media.items():
        if playlist.has_ended:
            continue
        reported = set()
        for tag in playlist.named("EXT-X-RENDITION-REPORT"):
            target = normpath(join(dirname(uri), tag.text("URI") or ""))
            reported.add(target)
            other = together.media.get(target)
            if other is None:
                continue
            last = other.all_segments[-1] if other.all_segments else None
            if last is None or tag.number("LAST-MSN") != last.number:
                yield f"{uri} reports {tag.value}, last is {last and last.number}"
            elif last.parts and tag.number("LAST-PART") != len(last.parts) - 1:
                yield f"{uri} reports {tag.value}, last part is {len(last.parts) - 1}"
        for missing in together.media.keys() - reported - {uri}:
            yield f"{uri} does not report on {missing}"


def _begin(playlist: MediaPlaylist) -> int:
    return playlist.all_segments[0].number if playlist.all_segments else 0
