"""The checker of HTTP Live Streaming complains of what is wrong, and of nothing else."""

import re
from dataclasses import dataclass, replace
from functools import cache

import anyio
import pytest

from tests.harness.remuxer import remux
from tests.oracle.hls import (
    FILE_RULES,
    MEDIA_RULES,
    MULTIVARIANT_RULES,
    RELOAD_RULES,
    TOGETHER_RULES,
    Complaint,
    Reloads,
    check_files,
    check_media,
    check_multivariant,
    check_together,
)
from tests.remux.recordings import CLIPS
from xg2g.outputs.hls.media_playlist import media
from xg2g.outputs.hls.multivariant_playlist import multivariant
from xg2g.outputs.hls.options import Targets
from xg2g.outputs.hls.presentation import Presentation
from xg2g.outputs.hls.storage import MemoryStorage
from xg2g_backends.packaging import Packager

MEDIA = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0,PART-HOLD-BACK=1.5
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:1
#EXT-X-MAP:URI="v/header-7.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:00.000Z
#EXTINF:2.0,
v/7.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:02.000Z
#EXTINF:2.0,
v/8.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="v/header-9.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:04.000Z
#EXT-X-PART:DURATION=0.5,URI="v/9.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.5,URI="v/9.1.m4s"
#EXT-X-PART:DURATION=0.45,URI="v/9.2.m4s"
#EXT-X-PART:DURATION=0.2,URI="v/9.3.m4s"
#EXTINF:1.65,
v/9.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:05.650Z
#EXT-X-GAP
#EXTINF:2.0,
v/10.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:07.650Z
#EXT-X-PART:DURATION=0.5,URI="v/11.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v/11.1.m4s"
#EXT-X-RENDITION-REPORT:URI="s.m3u8",LAST-MSN=11,LAST-PART=0
"""

MULTIVARIANT = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-SESSION-DATA:DATA-ID="org.example.one",VALUE="yes"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="German",LANGUAGE="de",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="r/s.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="French",LANGUAGE="fr",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="r/t.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="German",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,URI="r/u.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=2000,AVERAGE-BANDWIDTH=1000,CODECS="avc1.640028,mp4a.40.2",RESOLUTION=1920x1080,FRAME-RATE=25.000,AUDIO="sound",SUBTITLES="text",CLOSED-CAPTIONS=NONE
r/v.m3u8
"""

Change = tuple[str, str]


def changed(text: str, *changes: Change) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def names(complaints: list[Complaint]) -> set[str]:
    return {complaint.rule for complaint in complaints}


WRONG_MEDIA: dict[str, list[Change]] = {
    "text": [("v/8.m4s", "v/8 8.m4s")],
    "first-line": [("#EXTM3U\n", "\n#EXTM3U\n")],
    "kind": [("#EXT-X-PART-INF", '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b"\n#EXT-X-PART-INF')],
    "once": [("#EXT-X-VERSION:6", "#EXT-X-VERSION:6\n#EXT-X-VERSION:6")],
    "attributes": [("LAST-MSN=11", "LAST-MSN=-1")],
    "version": [("VERSION:6", "VERSION:5")],
    "version-no-greater": [("VERSION:6", "VERSION:9")],
    "target-duration": [("#EXTINF:2.0,\nv/7", "#EXTINF:2.5,\nv/7")],
    "sequence-first": [
        ("#EXT-X-DISCONTINUITY-SEQUENCE:1\n", ""),
        ("v/8.m4s\n", "v/8.m4s\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"),
    ],
    "extinf": [("#EXTINF:1.65,", "#EXTINF:1.65")],
    "map": [('#EXT-X-MAP:URI="v/header-7.mp4"\n', "")],
    "map-anew": [("#EXT-X-DISCONTINUITY\n", "")],
    "date": [("2026-01-01T12:00:02.000Z", "2026-01-01T12:00:02.000")],
    "dates-unambiguous": [("12:00:04.000Z", "12:00:02.900Z")],
    "date-at-discontinuity": [("#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:04.000Z\n", "")],
    "part-inf": [("#EXT-X-PART-INF:PART-TARGET=0.5\n", "")],
    "part": [("DURATION=0.5,URI", "URI")],
    "part-not-longer": [("DURATION=0.45", "DURATION=0.51")],
    "part-not-shorter": [("DURATION=0.45", "DURATION=0.42")],
    "parts-within-segment": [("#EXTINF:1.65", "#EXTINF:1.6")],
    "tags-before-parts": [
        ('#EXT-X-MAP:URI="v/header-9.mp4"\n', ""),
        ("#EXTINF:1.65", '#EXT-X-MAP:URI="v/header-9.mp4"\n#EXTINF:1.65'),
    ],
    "parts-near-the-end": [
        (
            "#EXTINF:2.0,\nv/7",
            '#EXT-X-PART:DURATION=0.5,URI="v/7.0.m4s",INDEPENDENT=YES\n#EXTINF:2,\nv/7',
        )
    ],
    "uris-differ": [("v/8.m4s", "v/7.m4s")],
    "server-control": [("HOLD-BACK=6.0", "HOLD-BACK=5.9")],
    "part-hold-back-three": [("PART-HOLD-BACK=1.5", "PART-HOLD-BACK=1.4")],
    "preload-hint": [('PART,URI="v/11.1', 'PART,URI="v/11.0')],
    "rendition-report": [('URI="s.m3u8"', 'URI="/s.m3u8"')],
    "skip": [("#EXT-X-MAP:URI", "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXT-X-MAP:URI")],
    "live-type": [("#EXT-X-PART-INF", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-PART-INF")],
    "discontinuity-sequence": [("#EXT-X-DISCONTINUITY-SEQUENCE:1\n", "")],
    "media-sequence": [("#EXT-X-MEDIA-SEQUENCE:7\n", "")],
}

MORE_WRONG_MEDIA: list[tuple[str, Change]] = [
    ("text", ("#EXTM3U", "\ufeff#EXTM3U")),
    ("text", ("#EXTINF:2.0,", "#EXTINF:2.0,\x07")),
    ("attributes", ("LAST-MSN=11", "LAST-MSN=11,LAST-MSN=11")),
    ("attributes", ('URI="v/9.0.m4s"', "URI=v/9.0.m4s")),
    ("attributes", ("DURATION=0.45", "DURATION=4.5e-1")),
    ("target-duration", ("TARGETDURATION:2", "TARGETDURATION:2.0")),
    ("target-duration", ("TARGETDURATION:2", "TARGETDURATION:1")),
    ("server-control", ("CAN-SKIP-UNTIL=12.0", "CAN-SKIP-UNTIL=11.9")),
    ("server-control", (",PART-HOLD-BACK=1.5", "")),
    ("server-control", ("PART-HOLD-BACK=1.5", "PART-HOLD-BACK=0.9")),
    ("preload-hint", ("#EXT-X-RENDITION", "#EXT-X-ENDLIST\n#EXT-X-RENDITION")),
]


def test_a_good_media_playlist_is_good() -> None:
    assert check_media(MEDIA) == []


@pytest.mark.parametrize("rule", [rule.name for rule in MEDIA_RULES.rules])
def test_each_rule_on_a_media_playlist_is_broken_by_what_breaks_it(rule: str) -> None:
    broken = "#EXTM3U\n" if rule == "not-empty" else changed(MEDIA, *WRONG_MEDIA[rule])
    assert rule in names(check_media(broken))


@pytest.mark.parametrize(("rule", "change"), MORE_WRONG_MEDIA)
def test_a_rule_on_a_media_playlist_is_broken_in_other_ways(rule: str, change: Change) -> None:
    assert rule in names(check_media(changed(MEDIA, change)))


WRONG_MULTIVARIANT: dict[str, list[Change]] = {
    "text": [("r/v.m3u8\n", "r/v.m3u8")],
    "first-line": [("#EXTM3U\n", "")],
    "kind": [("#EXT-X-VERSION:6", "#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2")],
    "once": [("#EXT-X-INDEPENDENT-SEGMENTS\n", "#EXT-X-INDEPENDENT-SEGMENTS\n" * 2)],
    "attributes": [("DEFAULT=YES", "DEFAULT=MAYBE")],
    "variant": [("BANDWIDTH=2000,AVERAGE", "AVERAGE")],
    "variant-attributes": [("FRAME-RATE=25.000,", "")],
    "frame-rate": [("FRAME-RATE=25.000", "FRAME-RATE=25")],
    "groups-exist": [('AUDIO="sound"', 'AUDIO="noise"')],
    "media": [('NAME="French",', "")],
    "channels": [('CHANNELS="2",', "")],
    "group-names": [('NAME="French"', 'NAME="German"')],
    "group-default": [("DEFAULT=NO", "DEFAULT=YES")],
    "group-autoselect": [('LANGUAGE="fr"', 'LANGUAGE="de"')],
    "language": [('LANGUAGE="fr"', 'LANGUAGE="fra"')],
    "independent": [("#EXT-X-INDEPENDENT-SEGMENTS\n", "")],
    "session-data": [(',VALUE="yes"', "")],
}


def test_a_good_multivariant_playlist_is_good() -> None:
    assert check_multivariant(MULTIVARIANT) == []


@pytest.mark.parametrize("rule", [rule.name for rule in MULTIVARIANT_RULES.rules])
def test_each_rule_on_a_multivariant_playlist_is_broken_by_what_breaks_it(rule: str) -> None:
    broken = changed(MULTIVARIANT, *WRONG_MULTIVARIANT[rule])
    assert rule in names(check_multivariant(broken))


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("variant", ("r/v.m3u8\n", "")),
        ("variant", ("AVERAGE-BANDWIDTH=1000", "AVERAGE-BANDWIDTH=2001")),
        ("media", ("DEFAULT=YES,AUTOSELECT=YES", "DEFAULT=YES,AUTOSELECT=NO")),
        ("media", (',URI="r/u.m3u8"', "")),
        ("groups-exist", ('SUBTITLES="text"', 'SUBTITLES="none"')),
    ],
)
def test_a_rule_on_a_multivariant_playlist_is_broken_in_other_ways(
    rule: str, change: Change
) -> None:
    assert rule in names(check_multivariant(changed(MULTIVARIANT, change)))


LATER: list[Change] = [
    ("MEDIA-SEQUENCE:7", "MEDIA-SEQUENCE:8"),
    (
        '#EXT-X-MAP:URI="v/header-7.mp4"\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:00.000Z\n'
        "#EXTINF:2.0,\nv/7.m4s\n",
        '#EXT-X-MAP:URI="v/header-7.mp4"\n',
    ),
    ('#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v/11.1', '#EXT-X-PART:DURATION=0.5,URI="v/11.1'),
    ("#EXT-X-RENDITION", '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v/11.2.m4s"\n#EXT-X-RENDITION'),
]

WRONG_RELOADS: dict[str, list[Change]] = {
    "target-constant": [("TARGETDURATION:2", "TARGETDURATION:3")],
    "tags-constant": [("PART-HOLD-BACK=1.5", "PART-HOLD-BACK=1.6")],
    "media-sequence": [("MEDIA-SEQUENCE:8", "MEDIA-SEQUENCE:6")],
    "numbers-kept": [("MEDIA-SEQUENCE:8", "MEDIA-SEQUENCE:7")],
    "nothing-lost": [
        (
            MEDIA[
                MEDIA.index("#EXT-X-GAP") : MEDIA.index(
                    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:07"
                )
            ],
            "",
        )
    ],
    "segment-unchanged": [("12:00:02.000Z", "12:00:02.001Z")],
    "discontinuity-numbers": [("DISCONTINUITY-SEQUENCE:1", "DISCONTINUITY-SEQUENCE:2")],
    "parts-kept": [('#EXT-X-PART:DURATION=0.5,URI="v/9.0.m4s",INDEPENDENT=YES\n', "")],
    "parts-not-early": [
        (
            MEDIA[MEDIA.index('#EXT-X-PART:DURATION=0.5,URI="v/9.0') : MEDIA.index("#EXTINF:1.65")],
            "",
        )
    ],
    "three-targets-stay": [
        ("MEDIA-SEQUENCE:8", "MEDIA-SEQUENCE:10"),
        ("DISCONTINUITY-SEQUENCE:1", "DISCONTINUITY-SEQUENCE:2"),
        (
            MEDIA[
                MEDIA.index("#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:02") : MEDIA.index(
                    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:05"
                )
            ],
            "",
        ),
    ],
    "hint-kept": [('URI="v/11.1.m4s"', 'URI="v/11.7.m4s"')],
}


def reload(before: str, after: str, elapsed_s: float = 0.5) -> list[Complaint]:
    reloads = Reloads()
    reloads.load(before, 0.0)
    return reloads.load(after, elapsed_s)


def test_a_good_reload_is_good() -> None:
    assert check_media(changed(MEDIA, *LATER)) == []
    assert reload(MEDIA, changed(MEDIA, *LATER)) == []
    assert reload(MEDIA, MEDIA) == []


@pytest.mark.parametrize("rule", [rule.name for rule in RELOAD_RULES.rules])
def test_each_rule_on_a_reload_is_broken_by_what_breaks_it(rule: str) -> None:
    after = changed(MEDIA, *LATER)
    match rule:
        case "end-is-the-end":
            before = MEDIA.partition("#EXT-X-PRELOAD")[0] + "#EXT-X-ENDLIST\n"
            found = reload(before, after)
        case "in-time":
            found = reload(MEDIA, after, 3.1)
        case _:
            found = reload(MEDIA, changed(after, *WRONG_RELOADS[rule]))
    assert rule in names(found)


SOUND = changed(
    MEDIA.replace("v/", "s/"),
    ('URI="s.m3u8",LAST-MSN=11,LAST-PART=0', 'URI="v.m3u8",LAST-MSN=11,LAST-PART=0'),
)
TOGETHER = {"r/v.m3u8": MEDIA, "r/s.m3u8": SOUND}
TWO = "\n".join(
    line for line in MULTIVARIANT.splitlines() if "r/t.m3u8" not in line and "r/u.m3u8" not in line
)
TWO = TWO.replace('SUBTITLES="text",', "") + "\n"

WRONG_TOGETHER: dict[str, list[Change]] = {
    "one-target": [("TARGETDURATION:2", "TARGETDURATION:3")],
    "one-server-control": [("HOLD-BACK=6.0", "HOLD-BACK=7.0")],
    "same-discontinuities": [("#EXT-X-DISCONTINUITY\n", "")],
    "same-dates": [("12:00:02.000Z", "12:00:00.500Z")],
    "no-type": [("#EXT-X-PART-INF", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-PART-INF")],
    "same-length": [
        ("MEDIA-SEQUENCE:7", "MEDIA-SEQUENCE:9"),
        (
            MEDIA.replace("v/", "s/")[
                MEDIA.index("#EXT-X-MAP") : MEDIA.index("#EXT-X-DISCONTINUITY\n")
            ],
            "",
        ),
    ],
    "reports": [("LAST-PART=0", "LAST-PART=3")],
}


def test_playlists_that_belong_together_are_good() -> None:
    assert check_together(TWO, TOGETHER) == []


@pytest.mark.parametrize("rule", [rule.name for rule in TOGETHER_RULES.rules])
def test_each_rule_on_playlists_together_is_broken_by_what_breaks_it(rule: str) -> None:
    if rule == "all-there":
        playlists = {"r/v.m3u8": MEDIA}
    else:
        playlists = TOGETHER | {"r/s.m3u8": changed(SOUND, *WRONG_TOGETHER[rule])}
    assert rule in names(check_together(TWO, playlists))


@dataclass(frozen=True)
class Presented:
    """A presentation with its files, of which tests spoil one thing each."""

    multivariant: str
    media: dict[str, str]
    files: dict[str, bytes]

    def check(self) -> list[Complaint]:
        return check_files(self.multivariant, self.media, self.files.get)

    def with_media(self, uri: str, old: str, new: str) -> "Presented":
        return replace(self, media=self.media | {uri: changed(self.media[uri], (old, new))})

    def with_multivariant(self, pattern: str, new: str) -> "Presented":
        text, count = re.subn(pattern, new, self.multivariant, count=1)
        assert count, pattern
        return replace(self, multivariant=text)

    def with_file(self, uri: str, old: bytes, new: bytes) -> "Presented":
        data = self.files[uri]
        assert old in data
        return replace(self, files=self.files | {uri: data.replace(old, new, 1)})


@cache
def presented() -> Presented:
    """A clip, packaged."""
    storage = MemoryStorage()
    targets = Targets.of(2, 0.333, 2.0)
    presentation = Presentation(storage, targets=targets, window_s=300, run="r")
    with Packager(part_ms=333) as packager:
        stream = remux((CLIPS / "two-hd.ts").read_bytes()).output
        for event in packager.process(stream):
            presentation.take(event)
    playlists = {f"r/{name}.m3u8": media(presentation, name) for name in presentation.renditions}
    uris = re.findall(
        r'(?:URI="|^)([a-z0-9-]+/[^"#\n]*)', "".join(playlists.values()), re.MULTILINE
    )
    files = {f"r/{uri}": data for uri in uris if (data := anyio.run(storage.get, uri)) is not None}
    return Presented(multivariant(presentation), playlists, files)


VIDEO = "r/video.m3u8"


def spoiled(rule: str) -> Presented:
    good = presented()
    match rule:
        case "there-and-whole":
            return replace(
                good, files={u: d for u, d in good.files.items() if u != "r/video/4.m4s"}
            )
        case "map-fits":
            return good.with_file("r/video/4.m4s", b"tfhd\0\2\0\0\0\0\0\1", b"tfhd\0\2\0\0\0\0\0\2")
        case "extinf-true":
            return good.with_media(VIDEO, "#EXTINF:2.00000", "#EXTINF:2.00100")
        case "durations-add-up":
            text = good.media[VIDEO].replace("#EXTINF:2.00000", "#EXTINF:1.80000")
            return replace(good, media=good.media | {VIDEO: text})
        case "same-slots":
            return good.with_media(VIDEO, "#EXTINF:2.00000", "#EXTINF:1.80000")
        case "parts-true":
            return good.with_media(VIDEO, "DURATION=0.32000", "DURATION=0.31000")
        case "parts-make-the-segment":
            at = good.files["r/video/4.m4s"].index(b"mdat") + 20
            data = bytearray(good.files["r/video/4.m4s"])
            data[at] ^= 1
            return replace(good, files=good.files | {"r/video/4.m4s": bytes(data)})
        case "independent":
            return good.with_media(VIDEO, '6.1.m4s"', '6.1.m4s",INDEPENDENT=YES')
        case "times-go-on":
            moved = good.files["r/video/5.m4s"]
            return replace(good, files=good.files | {"r/video/4.m4s": moved})
        case "dates-true":
            date = re.findall(r"TIME:\S*(\d\d\.\d{3})Z", good.media[VIDEO])[2]
            return good.with_media(VIDEO, date, f"{(float(date) + 1) % 60:06.3f}")
        case "codecs-true":
            return good.with_multivariant("avc1", "avc3")
        case "resolution-true":
            return good.with_multivariant("1280x720", "1280x718")
        case "frame-rate-true":
            return good.with_multivariant("25.000", "50.000")
        case "channels-true":
            return good.with_multivariant('CHANNELS="2"', 'CHANNELS="6"')
        case "bandwidth-true":
            return good.with_multivariant("BANDWIDTH=[0-9]+", "BANDWIDTH=200000")
    raise AssertionError(f"nothing breaks {rule}")


def test_good_files_are_good() -> None:
    assert presented().check() == []


@pytest.mark.parametrize("rule", [rule.name for rule in FILE_RULES.rules])
def test_each_rule_on_files_is_broken_by_what_breaks_it(rule: str) -> None:
    assert rule in names(spoiled(rule).check())
