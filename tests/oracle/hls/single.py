"""What has to hold of one media playlist."""

import re
from collections.abc import Iterator
from math import floor

from . import common
from .complaint import Complaint, Rules
from .playlist import MediaPlaylist

MEDIA_RULES: Rules[MediaPlaylist] = Rules()

_TOLERANCE_S = 0.0005


def check_media(text: str) -> list[Complaint]:
    """Return what a media playlist breaks."""
    return MEDIA_RULES.check(MediaPlaylist(text))


def rounded(seconds: float) -> int:
    """To the nearest integer."""
    return floor(seconds + 0.5)


@MEDIA_RULES("text", "4.1")
def _text(playlist: MediaPlaylist) -> Iterator[str]:
    yield from common.text_errors(playlist.text)


@MEDIA_RULES("first-line", "4.4.1.1")
def _first_line(playlist: MediaPlaylist) -> Iterator[str]:
    yield from common.first_line_errors(playlist.text)


@MEDIA_RULES("kind", "4.1")
def _kind(playlist: MediaPlaylist) -> Iterator[str]:
    for tag in playlist.tags:
        if tag.name in ("EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-SESSION-DATA"):
            yield f"{tag.name} belongs in a multivariant playlist"


@MEDIA_RULES("once", "4.4.1.2, 4.4.3")
def _once(playlist: MediaPlaylist) -> Iterator[str]:
    yield from common.once_errors(playlist.tags)
    for segment in playlist.all_segments:
        names = [tag.name for tag in segment.tags if tag.name != "EXT-X-PART"]
        for name in {name for name in names if names.count(name) > 1}:
            yield f"segment {segment.number} has {name} twice"


@MEDIA_RULES("attributes", "4.2")
def _attributes(playlist: MediaPlaylist) -> Iterator[str]:
    yield from common.attribute_errors(playlist.tags)


@MEDIA_RULES("version", "8")
def _version(playlist: MediaPlaylist) -> Iterator[str]:
    version = playlist.integer("EXT-X-VERSION") or 1
    needed = 1
    if any("." in t.value.partition(",")[0] for t in playlist.named("EXTINF")):
        needed = 3
    if playlist.named("EXT-X-MAP"):
        needed = 6
    if playlist.named("EXT-X-SKIP"):
        needed = 9
    if version < needed:
        yield f"version {version} for what needs {needed}"


@MEDIA_RULES("version-no-greater", "6.2.1")
def _version_no_greater(playlist: MediaPlaylist) -> Iterator[str]:
    version = playlist.integer("EXT-X-VERSION") or 1
    if version > (9 if playlist.named("EXT-X-SKIP") else 6):
        yield f"version {version} is greater than what is needed"


@MEDIA_RULES("target-duration", "4.4.3.1")
def _target(playlist: MediaPlaylist) -> Iterator[str]:
    if not playlist.integer("EXT-X-TARGETDURATION"):
        yield "EXT-X-TARGETDURATION is missing, zero or no integer"
        return
    for segment in playlist.segments:
        if rounded(segment.duration) > playlist.target:
            yield f"segment {segment.number} lasts {segment.duration} s, target {playlist.target}"
    if playlist.trailing:
        lasts = sum(part.duration for part in playlist.trailing.parts)
        if rounded(lasts) > playlist.target:
            yield f"segment {playlist.trailing.number} lasts {lasts} s already"


@MEDIA_RULES("sequence-first", "4.4.3.2, 4.4.3.3")
def _sequence_first(playlist: MediaPlaylist) -> Iterator[str]:
    behind = False
    for tag in playlist.tags:
        behind |= tag.name in ("EXTINF", "EXT-X-PART", "EXT-X-DISCONTINUITY", "EXT-X-SKIP")
        if behind and tag.name in ("EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE"):
            yield f"{tag.name} stands behind the first segment"
    for name in ("EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE"):
        if playlist.first(name) and playlist.integer(name) is None:
            yield f"{name} is no decimal-integer"


@MEDIA_RULES("extinf", "4.4.4.1")
def _extinf(playlist: MediaPlaylist) -> Iterator[str]:
    for segment in playlist.segments:
        tag = segment.tag("EXTINF")
        if tag is None:
            yield f"segment {segment.number} has no EXTINF"
        elif not re.fullmatch(r"\d+(\.\d+)?,.*", tag.value, re.ASCII):
            yield f"EXTINF:{tag.value} is no duration"
    if playlist.trailing and playlist.trailing.tag("EXTINF"):
        yield "EXTINF without a URI"


@MEDIA_RULES("map", "3.1.2, 4.4.4.5")
def _map(playlist: MediaPlaylist) -> Iterator[str]:
    for tag in playlist.named("EXT-X-MAP"):
        if not tag.text("URI"):
            yield "EXT-X-MAP has no URI"
    has_skipped = bool(playlist.named("EXT-X-SKIP"))
    for segment in playlist.all_segments:
        uris = [segment.uri, *(part.uri for part in segment.parts)]
        is_mp4 = any(uri and uri.endswith((".m4s", ".mp4")) for uri in uris)
        if is_mp4 and not segment.is_gap and segment.map_uri is None and not has_skipped:
            yield f"segment {segment.number} has no EXT-X-MAP"


@MEDIA_RULES("map-anew", "4.4.4.5, 6.2.1")
def _map_anew(playlist: MediaPlaylist) -> Iterator[str]:
    """Other encoding parameters are a discontinuity: so is another map between two segments."""
    mapped = None
    jumped = False
    for segment in playlist.all_segments:
        jumped |= segment.is_discontinuous
        if segment.is_gap:
            continue
        if mapped and segment.map_uri != mapped and not jumped:
            yield f"segment {segment.number} has another map without a discontinuity"
        mapped, jumped = segment.map_uri or mapped, False


@MEDIA_RULES("date", "4.4.4.6")
def _date(playlist: MediaPlaylist) -> Iterator[str]:
    for segment in playlist.all_segments:
        tag = segment.tag("EXT-X-PROGRAM-DATE-TIME")
        if tag and (segment.date is None or segment.date.tzinfo is None or "T" not in tag.value):
            yield f"{tag.value!r} is no date with a time zone"


@MEDIA_RULES("dates-unambiguous", "6.2.1")
def _dates(playlist: MediaPlaylist) -> Iterator[str]:
    """A later segment may overlap the one before it by less than a second, and not wholly."""
    ends = None
    for segment in playlist.all_segments:
        if segment.date is not None:
            if ends is not None and (ends - segment.date.timestamp()) > 1.0:
                yield f"segment {segment.number} begins {segment.date}, before what precedes it"
            ends = segment.date.timestamp() + segment.duration
        elif ends is not None:
            ends += segment.duration


@MEDIA_RULES("date-at-discontinuity", "6.2.1")
def _date_at_discontinuity(playlist: MediaPlaylist) -> Iterator[str]:
    if not playlist.named("EXT-X-PROGRAM-DATE-TIME"):
        return
    for segment in playlist.all_segments:
        if segment.is_discontinuous and segment.date is None:
            yield f"segment {segment.number} has a discontinuity and no date"


@MEDIA_RULES("part-inf", "4.4.3.7")
def _part_inf(playlist: MediaPlaylist) -> Iterator[str]:
    if playlist.named("EXT-X-PART") and playlist.part_target is None:
        yield "parts without EXT-X-PART-INF"
    if playlist.named("EXT-X-PART-INF") and not playlist.part_target:
        yield "EXT-X-PART-INF without PART-TARGET"


@MEDIA_RULES("part", "4.4.4.9")
def _part(playlist: MediaPlaylist) -> Iterator[str]:
    for tag in playlist.named("EXT-X-PART"):
        if not tag.text("URI") or tag.number("DURATION") is None:
            yield f"EXT-X-PART:{tag.value} without URI or DURATION"


@MEDIA_RULES("part-not-longer", "4.4.4.9")
def _part_not_longer(playlist: MediaPlaylist) -> Iterator[str]:
    target = playlist.part_target or 0.0
    for segment in playlist.all_segments:
        for part in segment.parts:
            if target and part.duration > target:
                yield f"{part.uri} lasts {part.duration} s, target {target}"


@MEDIA_RULES("part-not-shorter", "4.4.4.9")
def _part_not_shorter(playlist: MediaPlaylist) -> Iterator[str]:
    """At least 85 % of the target; but the last of a segment, one that is independent, gaps and
    what precedes a gap."""
    target = playlist.part_target or 0.0
    for segment in playlist.all_segments:
        last = len(segment.parts) - 1
        for at, part in enumerate(segment.parts):
            is_last = at == last
            before_gap = not is_last and segment.parts[at + 1].is_gap
            is_free = is_last or part.is_independent or part.is_gap or before_gap
            if not is_free and part.duration < 0.85 * target - _TOLERANCE_S:
                yield f"{part.uri} lasts {part.duration} s, target {target}"


@MEDIA_RULES("parts-within-segment", "3.2, 4.4.4.9")
def _parts_within(playlist: MediaPlaylist) -> Iterator[str]:
    for segment in playlist.segments:
        total = sum(part.duration for part in segment.parts)
        if total > segment.duration + _TOLERANCE_S:
            yield f"parts of segment {segment.number} last {total} s of {segment.duration}"


@MEDIA_RULES("tags-before-parts", "4.4.4.9")
def _tags_before_parts(playlist: MediaPlaylist) -> Iterator[str]:
    late = ("EXT-X-DISCONTINUITY", "EXT-X-MAP", "EXT-X-KEY", "EXT-X-PROGRAM-DATE-TIME")
    for segment in playlist.all_segments:
        names = [tag.name for tag in segment.tags]
        if "EXT-X-PART" in names:
            behind = names[names.index("EXT-X-PART") :]
            for name in set(behind) & set(late):
                yield f"{name} of segment {segment.number} stands behind its first part"


@MEDIA_RULES("parts-near-the-end", "6.2.2")
def _parts_near_the_end(playlist: MediaPlaylist) -> Iterator[str]:
    left = playlist.duration
    for segment in playlist.segments:
        left -= segment.duration
        if segment.parts and left > 3 * playlist.target + _TOLERANCE_S:
            yield f"segment {segment.number} has parts, {left} s from the end"


@MEDIA_RULES("uris-differ", "4.4.4.9, 6.2.1")
def _uris_differ(playlist: MediaPlaylist) -> Iterator[str]:
    """A URI stands for one piece of media; nothing here is a byte range."""
    uris = [uri for s in playlist.all_segments for uri in (s.uri, *(p.uri for p in s.parts)) if uri]
    for uri in {uri for uri in uris if uris.count(uri) > 1}:
        yield f"{uri} stands twice"


@MEDIA_RULES("server-control", "4.4.3.8")
def _server_control(playlist: MediaPlaylist) -> Iterator[str]:
    tag = playlist.first("EXT-X-SERVER-CONTROL")
    if tag is None:
        if playlist.named("EXT-X-PART-INF"):
            yield "EXT-X-PART-INF without EXT-X-SERVER-CONTROL"
        return
    skip, hold, part_hold = (
        tag.number(name) for name in ("CAN-SKIP-UNTIL", "HOLD-BACK", "PART-HOLD-BACK")
    )
    if skip is not None and skip < 6 * playlist.target:
        yield f"CAN-SKIP-UNTIL {skip} is less than six target durations"
    if tag.text("CAN-SKIP-DATERANGES") and skip is None:
        yield "CAN-SKIP-DATERANGES without CAN-SKIP-UNTIL"
    if hold is not None and hold < 3 * playlist.target:
        yield f"HOLD-BACK {hold} is less than three target durations"
    if playlist.part_target and part_hold is None:
        yield "PART-HOLD-BACK is missing"
    if playlist.part_target and (part_hold or 0.0) < 2 * playlist.part_target:
        yield f"PART-HOLD-BACK {part_hold} is less than two part targets"


@MEDIA_RULES("part-hold-back-three", "4.4.3.8 (SHOULD); Apple: must")
def _part_hold_back(playlist: MediaPlaylist) -> Iterator[str]:
    hold = playlist.number("EXT-X-SERVER-CONTROL", "PART-HOLD-BACK")
    if hold is not None and hold < 3 * (playlist.part_target or 0.0):
        yield f"PART-HOLD-BACK {hold} is less than three part targets"


@MEDIA_RULES("preload-hint", "4.4.5.3, 6.2.6")
def _hint(playlist: MediaPlaylist) -> Iterator[str]:
    hints = playlist.named("EXT-X-PRELOAD-HINT")
    for tag in hints:
        if not tag.text("TYPE") or not tag.text("URI"):
            yield "EXT-X-PRELOAD-HINT without TYPE or URI"
    kinds = [tag.text("TYPE") for tag in hints]
    if len(kinds) != len(set(kinds)):
        yield "two hints of one type"
    if hints and playlist.has_ended:
        yield "a hint beside EXT-X-ENDLIST"
    listed = {part.uri for segment in playlist.all_segments for part in segment.parts}
    for tag in hints:
        if tag.text("TYPE") == "PART" and tag.text("URI") in listed:
            yield f"hints at {tag.text('URI')}, which is there"


@MEDIA_RULES("rendition-report", "4.4.5.4")
def _report(playlist: MediaPlaylist) -> Iterator[str]:
    for tag in playlist.named("EXT-X-RENDITION-REPORT"):
        uri = tag.text("URI")
        if not uri or re.match(r"[a-z]+:|/", uri):
            yield f"EXT-X-RENDITION-REPORT:{tag.value} without a relative URI"
        if tag.number("LAST-MSN") is None:
            yield f"the report of {uri} lacks LAST-MSN"


@MEDIA_RULES("skip", "4.4.5.2, 6.2.5.1")
def _skip(playlist: MediaPlaylist) -> Iterator[str]:
    tag = playlist.first("EXT-X-SKIP")
    if tag is None:
        return
    until = playlist.number("EXT-X-SERVER-CONTROL", "CAN-SKIP-UNTIL")
    if until is None:
        yield "a delta update without CAN-SKIP-UNTIL"
    if not tag.number("SKIPPED-SEGMENTS"):
        yield "EXT-X-SKIP without SKIPPED-SEGMENTS"
    if playlist.has_ended:
        yield "a delta update of a playlist that has ended"
    listed = sum(segment.duration for segment in playlist.segments)
    if until is not None and listed < until:
        yield f"skips what is within {until} s of the end"


@MEDIA_RULES("live-type", "6.2.2")
def _live_type(playlist: MediaPlaylist) -> Iterator[str]:
    if playlist.first("EXT-X-PLAYLIST-TYPE"):
        yield "a live playlist has no EXT-X-PLAYLIST-TYPE"


@MEDIA_RULES("discontinuity-sequence", "6.2.2; AVPlayer")
def _discontinuity_sequence(playlist: MediaPlaylist) -> Iterator[str]:
    is_told = playlist.first("EXT-X-DISCONTINUITY-SEQUENCE") is not None
    if playlist.named("EXT-X-DISCONTINUITY") and not is_told:
        yield "a discontinuity, and no EXT-X-DISCONTINUITY-SEQUENCE"


@MEDIA_RULES("media-sequence", "6.2.2")
def _media_sequence(playlist: MediaPlaylist) -> Iterator[str]:
    if playlist.first("EXT-X-MEDIA-SEQUENCE") is None:
        yield "EXT-X-MEDIA-SEQUENCE is missing"


@MEDIA_RULES("not-empty", "4.4.3.1; players")
def _not_empty(playlist: MediaPlaylist) -> Iterator[str]:
    if not playlist.all_segments and not playlist.named("EXT-X-SKIP"):
        yield "there is nothing in it"
