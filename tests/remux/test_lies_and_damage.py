"""Streams whose PMT lies or whose bytes are damaged, each with what is promised: captures where
they are, and what is made in their stead."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.harness.remuxer import Remuxed, remux
from tests.oracle.audio_sync import Comparison, compare, decode_track
from tests.oracle.transport import Packets, Pmt, Stream, pmts
from tests.oracle.ts_checker import check, each_passthrough_equal, passthrough_equal
from tests.remux.recordings import Recording, capture, stand_in
from xg2g_backends.base import RemuxOptions, TrackState

Get = Callable[[str], Recording]


@pytest.fixture(params=[capture, stand_in], ids=["captured", "made"])
def get(request: pytest.FixtureRequest) -> Get:
    found: Get = request.param
    return found


def last_entry(stream: bytes | Packets, pid: int) -> Stream:
    """What the last PMT says of a PID."""
    packets = stream if isinstance(stream, Packets) else Packets(stream)
    found = [s for pmt in pmts(packets) for s in pmt.streams if s.pid == pid]
    assert found, f"no PMT names PID {pid}"
    return found[-1]


def judged(tape: Recording, pid: int) -> Comparison:
    """The sound of a PID before and after."""
    output = decode_track(tape.output_packets, pid)
    assert output is not None and output.codec == "aac"
    return compare(tape.tracks[pid].decoded, output.decoded)


def assert_converted(tape: Recording, pid: int, correlation: float = 0.95) -> None:
    """The PID is AAC in sync, and the PMT says so."""
    result = judged(tape, pid)
    assert result.points and result.offset_ms <= 1.0, result
    assert result.correlation >= correlation, result
    assert last_entry(tape.output_packets, pid).stream_type == 0x0F
    assert tape.remuxed.track(pid).state is TrackState.CONVERTING


def assert_all_untouched(tape: Recording, pids: set[int]) -> None:
    """Audio may be held until it is known; other PIDs of a program keep their order."""
    source, output = tape.source, tape.remuxed.output
    for group in tape.together:
        result = passthrough_equal(source, output, group & pids - tape.declared_audio)
        assert result.holds(), result
    assert each_passthrough_equal(source, output, pids & tape.declared_audio) == {}
    assert pids & tape.packets.pids()


def scrambled_packets(tape: Recording, pid: int) -> int:
    return int((tape.packets.scrambling[tape.packets.of(pid)] > 0).sum())


def assert_entry_as_in_source(tape: Recording, pid: int) -> None:
    assert last_entry(tape.output_packets, pid) == last_entry(tape.packets, pid)


def test_adts_declared_as_mpeg_audio_passes_and_is_declared_as_it_is(get: Get) -> None:
    tape = get("pmtlie-aac-as-0x04-h264-12s.ts")
    assert_all_untouched(tape, {100, 101})
    assert last_entry(tape.output_packets, 100).stream_type == 0x0F
    assert tape.remuxed.track(100).state is TrackState.PASSING_AAC


def test_latm_declared_as_adts_is_converted(get: Get) -> None:
    """The capture has its only PMT near its end: the tables are put before the rest."""
    tape = get("pmtlie-latm-as-0x0f-hevc-leadbyte.ts")
    tables = np.isin(tape.packets.pid, list(tape.pmt_pids | {0}))
    source = tape.packets.rows[tables].tobytes() + tape.packets.rows[~tables].tobytes()
    output = decode_track(Packets(remux(source).output), 1362)
    before = decode_track(tape.packets, 1362)
    assert output is not None and before is not None and output.codec == "aac"
    result = compare(before.decoded, output.decoded, window_s=0.15)
    assert result.points and result.offset_ms <= 1.0 and result.correlation >= 0.95, result


def test_stray_bytes_before_the_first_packet_are_skipped(get: Get) -> None:
    tape = get("pmtlie-latm-as-0x0f-hevc-leadbyte.ts")
    assert tape.remuxed.stats.bytes_skipped >= 1
    assert tape.output_packets.sync_losses == 0


def test_a_pid_that_is_declared_twice_is_converted_once(get: Get) -> None:
    tape = get("atsc-dup-pid-mp2-and-ac3.ts")
    for pid in (52, 53):
        assert_converted(tape, pid, 0.9)
        assert sum(track.pid == pid for track in tape.remuxed.stats.tracks) == 1


@pytest.mark.parametrize("name", ["dvb-fr-pmt-4xmp2-silent-teletext.ts", "hevc-aac-scte35.ts"])
def test_declared_but_silent_audio_holds_nothing_up(name: str, get: Get) -> None:
    tape = get(name)
    assert_all_untouched(tape, tape.untouched)
    assert {track.state for track in tape.remuxed.stats.tracks} == {TrackState.WAITING}


def test_a_pmt_that_moves_every_pid_is_followed(get: Get) -> None:
    tape = get("pmt-change-ac3x3-atsc.ts")
    output = tape.output_packets
    assert [p.streams[0].pid for p in pmts(output)] == [p.streams[0].pid for p in tape.pmts]
    assert tape.remuxed.track(4693).state is TrackState.CONVERTING
    for pid in (4691, 4692, 4693):
        assert last_entry(output, pid).stream_type == 0x0F
        assert last_entry(output, pid).descriptor(0x0A) == last_entry(tape.packets, pid).descriptor(
            0x0A
        )


def test_204_byte_packets_leave_as_188(get: Get) -> None:
    tape = get("dvbsub-rs204.ts")
    assert tape.packets.rows.tobytes() == tape.remuxed.output or (
        passthrough_equal(tape.packets.rows.tobytes(), tape.remuxed.output, tape.untouched).holds()
    )
    assert len(tape.remuxed.output) == 188 * len(tape.packets)


def test_a_corrupted_twin_keeps_what_its_clean_twin_has(get: Get) -> None:
    tape = get("corrupt-fuzzed-twin-of-pmtlie.ts")
    assert not check(tape.remuxed.output).worse_than(tape.report)
    assert tape.remuxed.stats.transport_errors == int(tape.packets.tei.sum())
    assert tape.remuxed.stats.continuity_errors > 20


def test_a_stream_whose_pmt_is_never_valid_passes(get: Get) -> None:
    tape = get("corrupt-capture-tei-crc-pcrjumps.ts")
    assert tape.remuxed.stats.psi_errors > 0
    assert tape.remuxed.stats.tracks == ()
    assert_all_untouched(tape, tape.untouched)


def test_lost_sync_is_found_again(get: Get) -> None:
    tape = get("corrupt-lost-sync.ts")
    assert tape.remuxed.stats.resyncs >= 1
    assert tape.output_packets.sync_losses == 0
    assert len(tape.output_packets) >= 0.95 * len(tape.packets)


def test_a_scrambled_service_is_reported_and_not_decoded(get: Get) -> None:
    tape = get("tnt-fr-eac3x3-dvbsub-scrambled-csa.ts")
    assert_all_untouched(tape, tape.untouched)
    for pid in (130, 131, 132):
        track = tape.remuxed.track(pid)
        assert track.state is TrackState.SCRAMBLED
        assert track.frames_decoded == track.frames_encoded == 0
        assert track.scrambled_packets == scrambled_packets(tape, pid)
        assert_entry_as_in_source(tape, pid)


def test_the_clear_program_is_converted_beside_a_scrambled_one(get: Get) -> None:
    tape = get("tnt-fr-2prog-one-scrambled.ts")
    assert_converted(tape, 1021)
    scrambled = {pid for pid in tape.declared_audio if scrambled_packets(tape, pid)}
    assert scrambled
    assert_all_untouched(tape, scrambled)
    for pid in scrambled:
        assert tape.remuxed.track(pid).state is TrackState.SCRAMBLED


@pytest.mark.parametrize("name", ["ac4.ts", "truehd-51.ts"])
def test_audio_that_nobody_decodes_passes_untouched(name: str, get: Get) -> None:
    tape = get(name)
    assert_all_untouched(tape, tape.untouched)
    for pid in tape.untouched & {s.pid for pmt in tape.pmts for s in pmt.streams}:
        assert_entry_as_in_source(tape, pid)
    assert all(t.state is not TrackState.CONVERTING for t in tape.remuxed.stats.tracks)


def test_dts_hd_is_decoded_by_its_core(get: Get) -> None:
    tape = get("dts-hd-ma.ts")
    assert last_entry(tape.output_packets, 256).stream_type == 0x0F
    assert tape.remuxed.track(256).frames_encoded > 40
    assert tape.remuxed.track(256).decode_errors == 0


def test_the_wrap_of_the_pts_leaves_aac_as_it_is(get: Get) -> None:
    tape = get("pts-wrap-aac-h264-10seg.ts")
    assert_all_untouched(tape, tape.untouched)


def test_every_program_of_a_multiplex_is_converted(get: Get) -> None:
    tape = get("dvbt-it-mux-8prog-mp2-hevc-hbbtv.ts")
    assert len(tape.converted) == 12
    for pid in tape.converted:
        assert_converted(tape, pid)


def test_one_program_is_kept_alone_when_it_is_asked_for(get: Get) -> None:
    tape = get("dvbt-it-mux-8prog-mp2-hevc-hbbtv.ts")
    for chosen in tape.pmts[:3]:
        output = Packets(remux(tape.source, RemuxOptions(program=chosen.program)).output)
        assert {pmt.program for pmt in pmts(output)} == {chosen.program}
        pids = {stream.pid for stream in chosen.streams}
        others = {s.pid for pmt in tape.pmts for s in pmt.streams} - pids - {chosen.pcr_pid}
        assert not output.pids() & others
        assert pids & tape.packets.pids() <= output.pids()
        alone = tape.packets.rows[np.isin(tape.packets.pid, list(output.pids()))].tobytes()
        assert not check(output.rows.tobytes()).worse_than(check(alone))


def test_mono_becomes_two_equal_channels_or_stays_mono(get: Get) -> None:
    tape = get("dvb-h264-mp1a-dvbsub-from-t2mi.ts")
    assert_converted(tape, 3012)
    stereo = decode_track(tape.output_packets, 3012)
    mono = decode_track(Packets(remux(tape.source, RemuxOptions(channels=0)).output), 3012)
    assert stereo is not None and mono is not None
    assert mono.decoded[-1].samples.shape[0] == 1
    left, right = stereo.decoded[20].samples
    assert np.allclose(left, right, atol=1e-3)
    assert compare(tape.tracks[3012].decoded, mono.decoded).offset_ms <= 1.0


def test_latm_that_goes_from_stereo_to_surround_is_followed(get: Get) -> None:
    assert_converted(get("latm-stereo-to-51-switch.ts"), 256, 0.9)


def test_ac3_that_goes_from_surround_to_stereo_and_back_is_followed(get: Get) -> None:
    assert_converted(get("ac3-51-20-51-switch.ts"), 256, 0.9)


def test_eac3_with_a_dependent_substream_is_one_track(get: Get) -> None:
    tape = get("eac3-71-dependent-substream.ts")
    assert_converted(tape, 256, 0.9)
    assert tape.remuxed.track(256).frames_decoded == len(tape.tracks[256].units)


def test_pes_packets_that_do_not_begin_with_a_frame_are_followed(get: Get) -> None:
    assert_converted(get("dvbt-au-mpeg2v-mp2-latmAD-teletext.ts"), 2315)


def test_latm_audio_description_is_converted(get: Get) -> None:
    assert_converted(get("dvbt-au-mpeg2v-mp2-latmAD-teletext.ts"), 2415)


def test_audio_whose_pts_have_nothing_to_do_with_the_pcr_is_converted(get: Get) -> None:
    assert_converted(get("dvbt-it-mux-8prog-mp2-hevc-hbbtv.ts"), 697)


def test_a_lossy_capture_keeps_its_sync_after_each_loss(get: Get) -> None:
    tape = get("tnt-fr-eac3-lossy-6s.ts")
    output = decode_track(tape.output_packets, 630)
    assert output is not None
    places = tuple(np.linspace(0, 1, 12).tolist())
    result = compare(tape.tracks[630].decoded, output.decoded, places, window_s=0.2)
    assert len(result.points) >= 6
    assert result.offset_ms <= 1.0 and result.correlation >= 0.95, result


def test_a_stream_without_psi_passes_whole(get: Get) -> None:
    tape = get("teletext-only-nopsi.ts")
    assert tape.remuxed.output == tape.packets.rows.tobytes()


def test_packets_before_the_first_pat_and_pmt_pass(get: Get) -> None:
    tape = get("middle-pat-pmt.ts")
    assert_all_untouched(tape, tape.untouched)


def test_languages_and_the_kind_of_a_track_survive(get: Get) -> None:
    tape = get("tnt-fr-eac3x3-dvbsub.ts")
    for pid in (130, 131, 132):
        before, after = last_entry(tape.packets, pid), last_entry(tape.output_packets, pid)
        kept = [(tag, body) for tag, body in before.all_descriptors() if tag in (0x0A, 0x52, 0x7F)]
        left = list(after.all_descriptors())
        assert kept and all(entry in left for entry in kept)
        assert not {0x6A, 0x7A, 0x81, 0xCC} & {tag for tag, _ in left}
    assert last_entry(get("mp2-audiotype3-AD.ts").output_packets, 256).descriptor(
        0x0A
    ) == last_entry(get("mp2-audiotype3-AD.ts").packets, 256).descriptor(0x0A)


def test_the_track_of_a_language_is_kept_alone(get: Get) -> None:
    tape = get("tnt-fr-2prog-ac3-dvbsub.ts")
    result: Remuxed = remux(tape.source, RemuxOptions(tracks=("eng",)))
    output = Packets(result.output)
    program: Pmt = next(p for p in pmts(output) if 222 in {s.pid for s in p.streams})
    assert 221 not in {s.pid for s in program.streams}
    after = output.rows[program.section.packet :].tobytes()
    assert 221 not in Packets(after).pids() and 222 in output.pids()
    assert result.track(221).state is TrackState.DROPPED
