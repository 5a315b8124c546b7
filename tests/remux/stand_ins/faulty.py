"""Tables that lie or are absent, and streams that were damaged."""

from __future__ import annotations

from tests.oracle.multiplexer import Entry, Multiplexer, Program, encode, language, sound
from tests.oracle.transport import NULL_PID
from tests.remux.broadcast import coded
from tests.remux.stand_ins import damage
from tests.remux.stand_ins.services import pictures, subtitle_unit, teletext_unit, texts

PMT = 0x1000


def aac_as_mp2() -> bytes:
    """AAC in ADTS that the PMT calls MPEG audio; no PCR."""
    program = Program(1, PMT, NULL_PID, (Entry(0x04, 100), Entry(0x1B, 101)))
    mux = Multiplexer([program], rate_bps=1.2e6, video_pid=101)
    mux.add(100, list(coded("aac", 4.0)))
    mux.run(4.0)
    return mux.output()


def aac_as_mp2_fuzzed() -> bytes:
    """The same with lost packets, spoilt ones, and clocks that are none."""
    return damage.fuzzed(aac_as_mp2(), lost=60, errors=15, clocks=10)


def latm_as_adts() -> bytes:
    """AAC in LATM that the PMT calls ADTS, as a television set has recorded it: a byte stands
    before the first packet, and the tables come near the end alone."""
    entries = (Entry(0x24, 1361, b"\x52\x01\x00"), Entry(0x0F, 1362, b"\x52\x01\x01"))
    mux = Multiplexer([Program(769, PMT, 1361, entries)], rate_bps=2e6, video_pid=1361)
    mux.add(1362, list(coded("aac_latm", 2.0)))
    mux.run(2.0)
    return b"\x99" + damage.tables_at(mux.output(), {0, PMT}, [0.9])


def one_pid_twice() -> bytes:
    """The PMT names each PID of the sound twice, as MP2 and as AC-3, and a language badly."""
    private = b"\x6a\x01\x00\x0a\x00"
    entries = (
        Entry(0x02, 49),
        Entry(0x04, 52, language("eng")),
        Entry(0x04, 53, b"\x0a\x04es\x00\x00"),
        Entry(0x06, 52, private),
        Entry(0x06, 53, private),
    )
    mux = Multiplexer([Program(132, PMT, 49, entries)], rate_bps=3e6, video_pid=49)
    mux.add(52, list(coded("ac3", 2.0, 6)), stream_id=0xBD)
    mux.add(53, encode("ac3", sound(2.0, seed=2), bitrate=192_000), stream_id=0xBD)
    mux.run(2.0)
    return mux.output()


def no_good_pmt() -> bytes:
    """No PMT is valid; packets are lost, spoilt and falsely marked as scrambled, clocks jump; MP2
    and subtitles in 14 languages."""
    codes = ("deu", "eng", "fra", "spa", "por", "ita", "nld", "swe", "dan", "nor", "fin", "pol")
    texts_of = {
        300 + number: b"\x59\x08" + code.encode() + b"\x10\0\1\0\1"
        for number, code in enumerate((*codes, "ces", "ell"))
    }
    entries = (
        Entry(0x1B, 200),
        Entry(0x03, 201, language("deu")),
        *(Entry(0x06, pid, descriptors) for pid, descriptors in texts_of.items()),
    )
    mux = Multiplexer([Program(7, PMT, 200, entries)], rate_bps=3e6, video_pid=200)
    mux.add(201, list(coded("mp2", 2.0)))
    for pid in texts_of:
        texts(mux, pid, 2.0, subtitle_unit, step_s=0.5)
    mux.run(2.0)
    stream = damage.with_bad_sections(mux.output(), PMT)
    stream = damage.falsely_scrambled(stream, {200, 201, *texts_of}, 0.15)
    return damage.fuzzed(stream, lost=130, errors=19, clocks=12)


def sync_lost() -> bytes:
    """Bytes are missing or too many at four places."""
    mux = Multiplexer([Program(1, PMT, 256, (Entry(0x1B, 256),))], rate_bps=1e6, video_pid=256)
    mux.run(1.0)
    return damage.out_of_step(mux.output(), [0.2, 0.4, 0.6, 0.8])


def tables_in_the_middle() -> bytes:
    """PAT and PMT come once, in the middle."""
    program = Program(1, PMT, 256, (Entry(0x1B, 256), Entry(0x0F, 257)))
    mux = Multiplexer([program], rate_bps=1.2e6, video_pid=256)
    mux.add(257, list(coded("aac", 1.0)))
    mux.run(1.0)
    return damage.tables_at(mux.output(), {0, PMT}, [0.5])


def no_tables() -> bytes:
    """Teletext and a picture without PAT and PMT."""
    mux = Multiplexer([Program(1, PMT, NULL_PID, ())], rate_bps=1.5e6)
    texts(mux, 5104, 1.0, teletext_unit, step_s=0.04)
    pictures(mux, 5105, 1.0)
    mux.run(1.0)
    return damage.without_pids(mux.output(), {0, PMT})
