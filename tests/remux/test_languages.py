"""Which track is kept for a language, and which channel of one that has two."""

from __future__ import annotations

from itertools import product
from string import ascii_lowercase

import pytest

from tests.harness.remuxer import Remuxed, remux
from tests.oracle.audio_sync import TimeLine, decode_track
from tests.oracle.multiplexer import (
    Coded,
    Entry,
    Multiplexer,
    Program,
    dual_mono,
    encode,
    language,
    languages,
    tones,
)
from tests.oracle.transport import Packets, pmts
from tests.remux.broadcast import coded
from tests.remux.test_level import level_db
from xg2g_backends.base import RemuxOptions
from xg2g_backends.errors import InvalidArgumentError
from xg2g_backends.languages import is_language

PIDS = (0x102, 0x103, 0x104)
SECONDS = 3.0
LEFT_HZ, RIGHT_HZ = 440.0, 1000.0
SUPPLEMENTARY_AD = bytes.fromhex("7f020686")
"""supplementary_audio_descriptor, editorial_classification 1 (EN 300 468, 6.4.11)."""
PAIRS = (
    "alb sqi, arm hye, baq eus, bur mya, chi zho, cze ces, dut nld, fre fra, geo kat, ger deu, "
    "gre ell, ice isl, mac mkd, mao mri, may msa, per fas, rum ron, slo slk, tib bod, wel cym"
)
"""ISO 639-2/B and /T codes that differ (Library of Congress)."""


def service(*descriptors: bytes, seconds: float = 0.7, units: list[Coded] | None = None) -> bytes:
    """MP2 tracks with these descriptors."""
    pairs = list(zip(PIDS, descriptors, strict=False))
    entries = tuple(Entry(0x03, pid, each) for pid, each in pairs)
    mux = Multiplexer([Program(7, 0x100, 0x101, (Entry(0x1B, 0x101), *entries))], video_pid=0x101)
    for pid, _ in pairs:
        mux.add(pid, units or list(coded("mp2", seconds)))
    mux.run(seconds)
    return mux.output()


def kept(source: bytes, *wanted: str) -> list[str | None]:
    """The languages that are left."""
    tracks = remux(source, RemuxOptions(tracks=wanted)).stats.tracks
    return [track.language for track in tracks if track.state != "dropped"]


@pytest.mark.parametrize("pair", PAIRS.split(", "))
def test_both_codes_of_a_language_find_it(pair: str) -> None:
    for wanted, sent in (pair.split(), reversed(pair.split())):
        source = service(language("eng"), language(sent))
        assert kept(source, wanted) == [sent]
        assert kept(source, "xho", wanted.upper()) == [sent]


def test_a_language_may_be_named_by_its_two_letters_and_sent_in_capitals() -> None:
    source = service(language("eng"), language("GER"))
    assert kept(source, "de") == ["GER"]
    assert kept(source, "xh", "EN") == ["eng"]


@pytest.mark.parametrize("code", ["qaa", "qad", "mul", "und"])
def test_codes_for_no_one_language_are_themselves(code: str) -> None:
    assert kept(service(language("fra"), language(code)), code) == [code]
    assert kept(service(language("fra"), language("deu")), code) == ["fra"]


def test_python_and_the_library_know_the_same_codes() -> None:
    texts = ["".join(letters) for letters in product(ascii_lowercase, repeat=2)]
    texts += ["", "d", "deu", "DEU", "qaa", "d1u", "deut", "e "]
    for text in texts:
        options = RemuxOptions()
        object.__setattr__(options, "tracks", (text,))
        try:
            remux(b"", options)
            taken = True
        except InvalidArgumentError:
            taken = False
        assert taken == is_language(text), text


@pytest.mark.parametrize(
    "description", [language("deu", 3), SUPPLEMENTARY_AD + language("deu")], ids=["type", "class"]
)
def test_the_sound_itself_is_kept_and_not_its_description(description: bytes) -> None:
    for main in (language("ger"), language("deu")):
        source = service(language("eng"), description, main)
        remuxed = remux(source, RemuxOptions(tracks=("de",)))
        states = {track.pid: track.state for track in remuxed.stats.tracks}
        assert states[PIDS[2]] == "converting"
        assert states[PIDS[0]] == states[PIDS[1]] == "dropped"


def both(*descriptors: bytes) -> bytes:
    """A service of dual mono tracks: French left, German right."""
    units = dual_mono(encode("mp2", tones(SECONDS, (LEFT_HZ, RIGHT_HZ), 0.1)))
    return service(*descriptors or (languages("fre", "ger"),), seconds=SECONDS, units=units)


def heard(remuxed: Remuxed, pid: int = PIDS[0]) -> list[tuple[float, ...]]:
    """The levels of both tones in each channel of the output, in dB."""
    track = decode_track(Packets(remuxed.output), pid)
    assert track is not None
    assert track.codec == "aac"
    line = TimeLine(track.decoded, track.decoded[0].pts_90k, 48_000)
    settled = line.samples[:, 24_000 : round((SECONDS - 0.5) * 48_000)]
    return [tuple(level_db(row, hz) for hz in (LEFT_HZ, RIGHT_HZ)) for row in settled]


def says(remuxed: Remuxed, pid: int = PIDS[0]) -> list[bytes]:
    """What each PMT of the output says of the languages of a PID."""
    found = []
    for pmt in pmts(Packets(remuxed.output)):
        for entry in pmt.streams:
            if entry.pid == pid:
                found += [b"\x0a" + body for tag, body in entry.all_descriptors() if tag == 0x0A]
    return found


FRENCH, GERMAN = language("fre"), language("ger")


@pytest.mark.parametrize(
    ("options", "channels", "said"),
    [
        (RemuxOptions(), "lr", languages("fre", "ger")),
        (RemuxOptions(channels=0), "lr", languages("fre", "ger")),
        (RemuxOptions(channels=1), "l", FRENCH),
        (RemuxOptions(dual_mono="left"), "ll", FRENCH),
        (RemuxOptions(dual_mono="right"), "rr", GERMAN),
        (RemuxOptions(dual_mono="right", channels=1), "r", GERMAN),
        (RemuxOptions(dual_mono="right", channels=0), "r", GERMAN),
        (RemuxOptions(tracks=("deu",)), "rr", GERMAN),
        (RemuxOptions(tracks=("fr",), dual_mono="right"), "ll", FRENCH),
        (RemuxOptions(tracks=("deu",), channels=1), "r", GERMAN),
        (RemuxOptions(tracks=("eng",)), "lr", languages("fre", "ger")),
        (RemuxOptions(tracks=("eng",), dual_mono="right"), "rr", GERMAN),
        (RemuxOptions(tracks="first", dual_mono="left"), "ll", FRENCH),
    ],
    ids=str,
)
def test_of_two_programmes_in_a_track_the_chosen_one_is_heard_and_named(
    options: RemuxOptions, channels: str, said: bytes
) -> None:
    remuxed = remux(both(), options)
    levels = heard(remuxed)
    assert len(levels) == len(channels)
    for (left_db, right_db), expected in zip(levels, channels, strict=True):
        loud, silent = (left_db, right_db) if expected == "l" else (right_db, left_db)
        assert loud == pytest.approx(-20, abs=0.2)
        assert silent < -60
    named = [b"\x0a" + bytes([len(body) - 1]) + body[1:] for body in says(remuxed)]
    assert set(named) == {said}
    right_alone = set(channels) == {"r"}
    assert remuxed.stats.tracks[0].language == ("ger" if right_alone else "fre")


def test_a_track_of_the_language_comes_before_one_that_shares_it() -> None:
    source = both(languages("fre", "ger"), GERMAN)
    remuxed = remux(source, RemuxOptions(tracks=("deu",)))
    assert [track.state for track in remuxed.stats.tracks] == ["dropped", "converting"]


def test_stereo_stays_stereo_with_every_choice_of_dual_mono() -> None:
    units = encode("mp2", tones(SECONDS, (LEFT_HZ, RIGHT_HZ), 0.1))
    source = service(language("fre"), seconds=SECONDS, units=units)
    (left, right) = heard(remux(source, RemuxOptions(dual_mono="right")))
    assert left[0] > -21 and left[1] < -60
    assert right[1] > -21 and right[0] < -60


def test_the_original_keeps_both_languages() -> None:
    remuxed = remux(both(), RemuxOptions(keep_original=True, dual_mono="right"))
    assert set(says(remuxed)) == {b"\x0afre\0ger\0"}
    added = remuxed.stats.tracks[0].output_pid
    assert added != PIDS[0]
    assert set(says(remuxed, added)) == {b"\x0ager\0"}
