"""What has to hold of a multivariant playlist alone."""

import re
from collections import Counter
from collections.abc import Iterator

from . import common
from .complaint import Complaint, Rules
from .playlist import Multivariant, Tag

MULTIVARIANT_RULES: Rules[Multivariant] = Rules()

_MEDIA_TAGS = ("EXTINF", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-PART", "EXT-X-MAP")
_GROUPS = {"AUDIO": "AUDIO", "VIDEO": "VIDEO", "SUBTITLES": "SUBTITLES"}


def check_multivariant(text: str) -> list[Complaint]:
    """Return what a multivariant playlist breaks."""
    return MULTIVARIANT_RULES.check(Multivariant(text))


@MULTIVARIANT_RULES("text", "4.1")
def _text(playlist: Multivariant) -> Iterator[str]:
    yield from common.text_errors(playlist.text)


@MULTIVARIANT_RULES("first-line", "4.4.1.1")
def _first_line(playlist: Multivariant) -> Iterator[str]:
    yield from common.first_line_errors(playlist.text)


@MULTIVARIANT_RULES("kind", "4.1")
def _kind(playlist: Multivariant) -> Iterator[str]:
    for tag in playlist.tags:
        if tag.name in _MEDIA_TAGS:
            yield f"{tag.name} belongs in a media playlist"


@MULTIVARIANT_RULES("once", "4.4.1.2")
def _once(playlist: Multivariant) -> Iterator[str]:
    yield from common.once_errors(playlist.tags)


@MULTIVARIANT_RULES("attributes", "4.2")
def _attributes(playlist: Multivariant) -> Iterator[str]:
    yield from common.attribute_errors(playlist.tags)


@MULTIVARIANT_RULES("variant", "4.4.6.2")
def _variant(playlist: Multivariant) -> Iterator[str]:
    if not playlist.variants:
        yield "there is no variant"
    for tag, uri in playlist.variants:
        if uri is None:
            yield "EXT-X-STREAM-INF without a URI behind it"
        if not tag.number("BANDWIDTH"):
            yield "EXT-X-STREAM-INF without BANDWIDTH"
        average, peak = tag.number("AVERAGE-BANDWIDTH"), tag.number("BANDWIDTH")
        if average and peak and average > peak:
            yield "AVERAGE-BANDWIDTH is above BANDWIDTH"
    for uri in playlist.stray_uris:
        yield f"{uri} without EXT-X-STREAM-INF"


@MULTIVARIANT_RULES("variant-attributes", "4.4.6.2 (SHOULD); Apple: must")
def _variant_attributes(playlist: Multivariant) -> Iterator[str]:
    for tag, _ in playlist.variants:
        codecs = tag.text("CODECS") or ""
        if not codecs:
            yield "EXT-X-STREAM-INF without CODECS"
        if re.search(r"\b(avc|hvc|hev)", codecs):
            for name in ("RESOLUTION", "FRAME-RATE"):
                if tag.text(name) is None:
                    yield f"EXT-X-STREAM-INF without {name}"


@MULTIVARIANT_RULES("frame-rate", "4.4.6.2")
def _frame_rate(playlist: Multivariant) -> Iterator[str]:
    for tag, _ in playlist.variants:
        rate = tag.text("FRAME-RATE")
        if rate is not None and not re.fullmatch(r"\d+\.\d{3}", rate, re.ASCII):
            yield f"FRAME-RATE={rate} has not three decimals"


@MULTIVARIANT_RULES("groups-exist", "4.4.6.2")
def _groups(playlist: Multivariant) -> Iterator[str]:
    known = {(tag.text("TYPE"), tag.text("GROUP-ID")) for tag in playlist.media}
    for tag, _ in playlist.variants:
        for attribute, kind in _GROUPS.items():
            group = tag.text(attribute)
            if group is not None and (kind, group) not in known:
                yield f"{attribute}={group} names no group"
        captions = tag.text("CLOSED-CAPTIONS")
        if captions not in (None, "NONE") and ("CLOSED-CAPTIONS", captions) not in known:
            yield f"CLOSED-CAPTIONS={captions} names no group"


@MULTIVARIANT_RULES("media", "4.4.6.1")
def _media(playlist: Multivariant) -> Iterator[str]:
    for tag in playlist.media:
        for name in ("TYPE", "GROUP-ID", "NAME"):
            if not tag.text(name):
                yield f"EXT-X-MEDIA:{tag.value} without {name}"
        kind = tag.text("TYPE")
        if kind == "SUBTITLES" and not tag.text("URI"):
            yield f"subtitles {tag.text('NAME')} without URI"
        if kind == "CLOSED-CAPTIONS" and tag.text("URI"):
            yield "closed captions with a URI"
        if kind != "SUBTITLES" and tag.text("FORCED") is not None:
            yield "FORCED at what is no subtitles"
        if tag.text("DEFAULT") == "YES" and tag.text("AUTOSELECT") == "NO":
            yield f"{tag.text('NAME')} is default and not selected"


@MULTIVARIANT_RULES("channels", "4.4.6.1 (SHOULD); Apple: must")
def _channels(playlist: Multivariant) -> Iterator[str]:
    for tag in playlist.media:
        if tag.text("TYPE") == "AUDIO" and not re.match(r"[1-9]", tag.text("CHANNELS") or ""):
            yield f"sound {tag.text('NAME')} without CHANNELS"


@MULTIVARIANT_RULES("group-names", "4.4.6.1.1")
def _group_names(playlist: Multivariant) -> Iterator[str]:
    for (kind, group), tags in _by_group(playlist).items():
        for name, count in Counter(tag.text("NAME") for tag in tags).items():
            if count > 1:
                yield f"{kind} group {group} has {name} {count} times"


@MULTIVARIANT_RULES("group-default", "4.4.6.1.1")
def _group_default(playlist: Multivariant) -> Iterator[str]:
    for (kind, group), tags in _by_group(playlist).items():
        if sum(tag.text("DEFAULT") == "YES" for tag in tags) > 1:
            yield f"{kind} group {group} has two defaults"


@MULTIVARIANT_RULES("group-autoselect", "4.4.6.1.1 (SHOULD)")
def _group_autoselect(playlist: Multivariant) -> Iterator[str]:
    names = ("LANGUAGE", "ASSOC-LANGUAGE", "FORCED", "CHARACTERISTICS")
    for (kind, group), tags in _by_group(playlist).items():
        selected = [tag for tag in tags if tag.text("AUTOSELECT") == "YES"]
        for told, count in Counter(tuple(tag.text(n) for n in names) for tag in selected).items():
            if count > 1:
                yield f"{kind} group {group} selects among {count} of {told}"


@MULTIVARIANT_RULES("language", "4.4.6.1")
def _language(playlist: Multivariant) -> Iterator[str]:
    """RFC 5646: the shortest code; three letters only where ISO 639-1 has none of two."""
    long = {"deu", "ger", "eng", "fra", "fre", "ita", "spa", "nld", "dut", "pol", "ces", "cze"}
    for tag in playlist.media:
        language = tag.text("LANGUAGE")
        if language is None:
            continue
        if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", language) or language in long:
            yield f"LANGUAGE={language} is no tag of BCP 47"


@MULTIVARIANT_RULES("independent", "Apple: must")
def _independent(playlist: Multivariant) -> Iterator[str]:
    if not playlist.named("EXT-X-INDEPENDENT-SEGMENTS"):
        yield "EXT-X-INDEPENDENT-SEGMENTS is missing"


@MULTIVARIANT_RULES("session-data", "4.4.6.4")
def _session_data(playlist: Multivariant) -> Iterator[str]:
    seen = Counter((t.text("DATA-ID"), t.text("LANGUAGE")) for t in playlist.named(_DATA))
    for (name, language), count in seen.items():
        if count > 1:
            yield f"{name} of language {language} stands {count} times"
    for tag in playlist.named(_DATA):
        if not tag.text("DATA-ID"):
            yield "session data without DATA-ID"
        if (tag.text("VALUE") is None) == (tag.text("URI") is None):
            yield f"{tag.text('DATA-ID')} needs either VALUE or URI"


_DATA = "EXT-X-SESSION-DATA"


def _by_group(playlist: Multivariant) -> dict[tuple[str | None, str | None], list[Tag]]:
    groups: dict[tuple[str | None, str | None], list[Tag]] = {}
    for tag in playlist.media:
        groups.setdefault((tag.text("TYPE"), tag.text("GROUP-ID")), []).append(tag)
    return groups
