"""Services as terrestrial networks send them."""

from __future__ import annotations

from tests.oracle.multiplexer import Entry, Multiplexer, Program, encode, language, sound
from tests.oracle.transport import NULL_PID
from tests.remux.broadcast import coded
from tests.remux.stand_ins import damage
from tests.remux.stand_ins.elementary import astride, he_aac
from tests.remux.stand_ins.services import (
    pictures,
    subtitle_unit,
    teletext_unit,
    texts,
    track,
)

EAC3, AC3 = b"\x7a\x02\x80\xc2", b"\x6a\x02\x80\x42"
DESCRIBED = b"\x7f\x05\x06\x85fra"
"""supplementary_audio_descriptor of a mix with an audio description (EN 300 468, 6.4.11)."""
TELETEXT = b"\x56\x0aita\x09\x00ita\x11\x77"
HOURS_OFF_S = 20 * 3600.0


def component(tag: int) -> bytes:
    return bytes([0x52, 1, tag])


def subtitling(code: str, kind: int, page: int) -> bytes:
    return b"\x59\x08" + code.encode() + bytes([kind, 0, page, 0, page + 1])


def french_eac3() -> bytes:
    """A picture, three E-AC-3 of which one describes it, two DVB subtitles."""
    seconds = 3.0
    entries = (
        Entry(0x1B, 120, component(1)),
        Entry(0x06, 130, component(2) + language("fre") + EAC3),
        Entry(0x06, 131, component(3) + language("qad") + DESCRIBED + EAC3),
        Entry(0x06, 132, component(4) + language("qaa") + EAC3),
        Entry(0x06, 140, component(5) + subtitling("fra", 0x24, 1)),
        Entry(0x06, 142, component(6) + subtitling("fra", 0x14, 1)),
    )
    mux = Multiplexer([Program(257, 110, 120, entries)], rate_bps=3e6, video_pid=120)
    for seed, pid in enumerate((130, 131, 132)):
        mux.add(pid, list(coded("eac3", seconds, seed=seed)), stream_id=0xBD)
    for pid in (140, 142):
        texts(mux, pid, seconds, subtitle_unit, step_s=0.5)
    mux.run(seconds)
    return mux.output()


def french_eac3_scrambled() -> bytes:
    """The same with all of it scrambled but for the tables."""
    return damage.all_scrambled(french_eac3(), (120, 130, 131, 132, 140, 142))


def _second(with_subtitles: bool = True) -> Program:
    entries = [Entry(0x1B, 1010), Entry(0x06, 1021, language("fra") + AC3)]
    if with_subtitles:
        entries.append(Entry(0x06, 1043, subtitling("fra", 0x20, 3)))
    return Program(8810, 1000, 1010, tuple(entries))


def _ac3(mux: Multiplexer, seconds: float, *pids: int) -> None:
    for pid in pids:
        mux.add(pid, list(coded("ac3", seconds, seed=pid)), stream_id=0xBD)


def two_programs() -> bytes:
    """AC-3 in two languages in one program, in one in the other; subtitles; an EIT."""
    seconds = 2.5
    first = (
        Entry(0x1B, 210),
        Entry(0x06, 221, language("fra") + AC3),
        Entry(0x06, 222, AC3 + language("eng")),
        Entry(0x06, 242, subtitling("fra", 0x10, 1)),
        Entry(0x06, 243, subtitling("fra", 0x20, 3)),
    )
    mux = Multiplexer([Program(8802, 200, 210, first), _second()], rate_bps=5e6, video_pid=210)
    _ac3(mux, seconds, 221, 222, 1021)
    pictures(mux, 1010, seconds)
    for pid in (242, 243, 1043):
        texts(mux, pid, seconds, subtitle_unit, step_s=0.5)
    for number in range(5):
        mux.add_payload(0x12, b"\x00\x4e" + bytes(200), number / 2)
    mux.run(seconds)
    return mux.output()


def two_programs_one_scrambled() -> bytes:
    """A clear program beside a scrambled one; two packets of the picture are lost."""
    seconds = 3.0
    third = (
        Entry(0x1B, 310),
        Entry(0x06, 321, language("fra") + AC3),
        Entry(0x06, 322, AC3 + language("eng")),
    )
    programs = [_second(with_subtitles=False), Program(8803, 300, 310, third)]
    mux = Multiplexer(programs, rate_bps=5e6, video_pid=1010)
    _ac3(mux, seconds, 321, 322, 1021)
    pictures(mux, 310, seconds)
    mux.run(seconds)
    stream = damage.all_scrambled(mux.output(), (310, 321, 322))
    lost = [damage.nth_of(stream, 1010, number) for number in (100, 400)]
    return damage.without_packets(stream, lost)


def one_packet_lost() -> bytes:
    """AC-3 and a picture with one lost packet in each."""
    seconds = 3.0
    mux = Multiplexer([_second()], rate_bps=3e6, video_pid=1010)
    _ac3(mux, seconds, 1021)
    texts(mux, 1043, seconds, subtitle_unit, step_s=0.5)
    mux.run(seconds)
    stream = mux.output()
    lost = [damage.nth_of(stream, pid, 300) for pid in (1010, 1021)]
    return damage.without_packets(stream, lost)


def lossy_eac3() -> bytes:
    """E-AC-3 and subtitles over a bad line, one PCR of which is missing."""
    seconds = 7.0
    entries = (
        Entry(0x1B, 620, component(1)),
        Entry(0x06, 630, component(2) + language("fre") + EAC3),
        Entry(0x06, 640, component(5) + subtitling("fra", 0x20, 1)),
    )
    mux = Multiplexer([Program(262, 600, 620, entries)], rate_bps=1.7e6, video_pid=620)
    mux.add(630, list(coded("eac3", seconds)), stream_id=0xBD)
    texts(mux, 640, seconds, subtitle_unit, step_s=0.5)
    mux.run(seconds)
    stream = damage.without_clock(mux.output(), 620, 0.5, 0.5 + 0.05 / seconds)
    numbers = range(40, len(stream) // 188, len(stream) // 188 // 90)
    return damage.without_packets(stream, numbers)


def italian_multiplex() -> bytes:
    """Eight programs, three of them radio, twelve MP2: aligned and astride PES packets, stereo
    and mono; a description and the teletext have time stamps of another day."""
    seconds = 2.4
    stereo = {650: "ita", 651: "ita", 652: "ITA", 653: "", 654: "", 655: "", 690: "ita"}
    stereo |= {696: "eng", 699: "eng"}
    mono = {694: "oth", 695: "Oth", 697: "Oth"}

    def audio(*pids: int) -> tuple[Entry, ...]:
        names = stereo | mono
        return tuple(Entry(4, pid, language(names[pid]) if names[pid] else b"") for pid in pids)

    data = (
        *(Entry(0x0B, pid, b"\x13\x05\0\0\0\x3d\0\x66\x02\x01\x23") for pid in (3001, 3002)),
        *(Entry(0x05, pid, b"\x6f\x03\x00\x10\xe0") for pid in (2001, 2002)),
        Entry(0x0C, 3101, component(0x32)),
    )
    # So long that the table takes two packets.
    names = b"\xfe\x50" + bytes(80)
    programs = [
        Program(3402, 0x102, 513, (Entry(2, 513, names), *audio(651, 695, 696), *data)),
        Program(3411, 0x10B, 520, (Entry(2, 520), *audio(690), Entry(6, 599, TELETEXT), *data)),
        Program(3405, 0x105, 654, (*audio(654), *data)),
        Program(3406, 0x106, 655, (*audio(655), *data)),
        Program(3410, 0x10A, 500, (Entry(0x24, 500, b"\x38\x0d" + bytes(13)),)),
        Program(3401, 0x101, 512, (Entry(2, 512), *audio(650, 694, 699), *data)),
        Program(3404, 0x104, 653, (*audio(653), *data)),
        Program(
            3403, 0x103, 514, (Entry(2, 514), *audio(652, 697), Entry(6, 578, TELETEXT), *data)
        ),
    ]
    mux = Multiplexer(programs, rate_bps=12e6, video_pid=513)
    for pid in (520, 500, 512, 514):
        pictures(mux, pid, seconds)
    for pid in stereo | mono:
        channels = 1 if pid in mono else 2
        kbps = 64_000 if pid in mono else 128_000
        units = encode("mp2", sound(seconds, channels, seed=pid), bitrate=kbps)
        if pid == 697:
            track(mux, pid, units, late_s=HOURS_OFF_S)
        else:
            mux.add(pid, astride(units) if pid in (650, 653, 694) else units)
    for pid in (599, 578):
        texts(mux, pid, seconds, teletext_unit, late_s=HOURS_OFF_S)
    mux.run(seconds)
    return mux.output()


def australian() -> bytes:
    """MPEG-2 and MP2 astride PES packets, HE-AAC in LATM that describes the picture, teletext,
    an application; the clock has a PID of its own."""
    seconds = 2.6
    description = language("aus", 3) + b"\x7f\x05\x06\x87eng" + b"\x7c\x02\x58\x00"
    entries = (
        Entry(0x02, 2314, component(1)),
        Entry(0x03, 2315, component(2) + language("eng")),
        Entry(0x11, 2415, component(4) + description),
        Entry(0x06, 2316, component(3) + b"\x56\x05eng\x10\x01"),
        Entry(0x05, 5500, component(16) + b"\x6f\x03\x00\x10\xe1"),
    )
    mux = Multiplexer([Program(560, 2300, 2309, entries)], rate_bps=3e6, video_pid=2314)
    mux.add(2315, astride(list(coded("mp2", seconds))))
    mux.add(2415, he_aac("heaac.latm", 48_000))
    texts(mux, 2316, seconds, teletext_unit)
    mux.run(seconds)
    return mux.output()


def mono_mp2() -> bytes:
    """A picture and MP2 in mono; subtitles have time stamps of another day."""
    seconds = 3.0
    entries = (
        Entry(0x1B, 3011, component(1)),
        Entry(0x03, 3012, component(2)),
        Entry(0x06, 3015, component(5) + subtitling("spa", 0x11, 2)),
    )
    mux = Multiplexer([Program(6141, 3000, 3011, entries)], rate_bps=2e6, video_pid=3011)
    mux.add(3012, list(coded("mp2", seconds, 1)))
    texts(mux, 3015, seconds, subtitle_unit, step_s=0.5, late_s=HOURS_OFF_S)
    mux.run(seconds)
    return mux.output()


def silent_mp2() -> bytes:
    """The PMT declares four MP2 and a picture, of which nothing comes; teletext comes."""
    languages = {1061: language("fra"), 1062: language("eng"), 1063: language("deu")}
    languages[1067] = language("qad", 3)
    entries = (
        Entry(0x1B, 1060),
        *(Entry(0x04, pid, code) for pid, code in languages.items()),
        Entry(0x06, 1068, b"\x56\x0afra\x12\x88fra\x11\x89"),
    )
    mux = Multiplexer([Program(4006, 1050, NULL_PID, entries)], rate_bps=1e6)
    texts(mux, 1068, 2.0, teletext_unit, step_s=0.04)
    mux.run(2.0)
    return damage.without_pids(mux.output(), {NULL_PID})


def silent_aac() -> bytes:
    """HEVC, AAC of which nothing comes, and SCTE 35; the PAT names five programs, and the PMT of
    one is there."""
    entries = (Entry(0x24, 121), Entry(0x0F, 122, language("eng")), Entry(0x86, 129))
    others = [Program(3000 + n, 0x500 + n, NULL_PID, ()) for n in range(4)]
    programs = [Program(3012, 0x4FF, 121, entries), *others]
    mux = Multiplexer(programs, rate_bps=3e6, video_pid=121)
    for second in range(2):
        mux.add_payload(129, b"\x00\xfc\x30\x11" + bytes(17), float(second))
    mux.run(2.0)
    return damage.without_pids(mux.output(), {program.pmt_pid for program in others})


def atsc_change() -> bytes:
    """The next version of the PMT moves all five PIDs."""

    def program(first: int, version: int) -> Program:
        names = ("eng", "spa", "por")
        audio = (Entry(0x81, first + n, language(name) * 2) for n, name in enumerate(names))
        return Program(
            4, 0x60, first + 3, (*audio, Entry(0x02, first + 3), Entry(0x86, first + 4)), version
        )

    mux = Multiplexer([program(4681, 29)], rate_bps=4e6)
    for first in (4681, 4691):
        mux.programs = [program(first, 29 if first == 4681 else 30)]
        mux.video_pid = first + 3
        for pid in range(first, first + 3):
            # What was declared is sent before the table changes.
            units = [unit for unit in coded("ac3", 1.6, seed=pid) if unit.at_s < 1.44]
            mux.add(pid, units, mux.now_s + 0.1, stream_id=0xBD)
        mux.run(1.5)
    return mux.output()
