"""Every capture, clip and stand-in: the same sound at the same time, and a stream without an
error that the source did not have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.oracle.audio_sync import compare, decode_track
from tests.oracle.buffer_model import BufferReport
from tests.oracle.transport import Packets
from tests.oracle.ts_checker import (
    check,
    converted_form_errors,
    each_passthrough_equal,
    passthrough_equal,
)
from tests.remux.broadcast import language_lost
from tests.remux.recordings import Recording, all_sources, complaints, recording

if TYPE_CHECKING:
    from tests.remux.stand_ins.stand_in import StandIn

SYNC_MS = 1.0
LEVEL_DB = 0.5
DOWNMIX_LEVEL_DB = 1.5
"""More than two channels are mixed by the stream's own levels, where the judge mixes centre and
surround at -3 dB: AC-3 of ffmpeg's encoder says -4.5 and -6 dB. A limiter may be at work, too."""
LEAD_MS = (20.0, 150.0)


def _name(source: Path | StandIn) -> str:
    return source.stem if isinstance(source, Path) else f"made {source.stem}"


@pytest.fixture(params=all_sources(), ids=_name, scope="module")
def tape(request: pytest.FixtureRequest) -> Recording:
    path: Path | StandIn = request.param
    return recording(path)


def test_sound_is_the_same_at_the_same_time(tape: Recording) -> None:
    if not tape.tracks:
        pytest.skip("no decodable audio")
    for pid, source in tape.tracks.items():
        output = decode_track(tape.output_packets, pid)
        assert output is not None, f"PID {pid}: no audio in the output"
        if pid in tape.converted:
            assert output.codec == "aac", f"PID {pid}: {output.codec}"
        result = compare(source.decoded, output.decoded)
        where = f"PID {pid} ({source.codec}): {result}"
        if result.silent:
            continue
        assert result.points, where
        assert result.offset_ms <= SYNC_MS, where
        assert result.correlation >= (0.9 if source.channels > 2 else 0.95), where
        limit_db = DOWNMIX_LEVEL_DB if source.channels > 2 else LEVEL_DB
        assert result.level_db <= limit_db, where
        assert result.longest_gap_s <= 0.1, where
        assert result.begins_s <= 0.3, where


def test_structure_has_no_error_that_the_source_did_not_have(tape: Recording) -> None:
    """The buffer model is asked of converted tracks: PCRs that move bring other tracks nearer
    to the end of buffers that only their source can keep."""
    output = check(tape.remuxed.live)
    for kind, pid in list(output.errors):
        if kind.startswith("tstd") and pid not in tape.converted:
            del output.errors[kind, pid]
    output.errors["absent", 0] = check(tape.remuxed.output).errors["absent", 0]
    assert output.worse_than(tape.report) == {}


def test_untouched_pids_leave_as_they_came(tape: Recording) -> None:
    """Audio may be held until it is known; other PIDs of a program keep their order."""
    source = tape.packets.rows[tape.packets.tei == 0].tobytes()
    output = tape.output_packets.rows[tape.output_packets.tei == 0].tobytes()
    for pids in tape.together:
        result = passthrough_equal(source, output, pids & tape.untouched - tape.declared_audio)
        assert result.holds(), (pids, result)
    assert each_passthrough_equal(source, output, tape.untouched & tape.declared_audio) == {}


def test_tracks_keep_their_language_and_their_role(tape: Recording) -> None:
    lost = [language_lost(tape.source, tape.remuxed, pid) for pid in tape.declared_audio]
    assert [line for line in lost if line] == []


def test_converted_tracks_have_the_promised_form_and_lead(tape: Recording) -> None:
    report = check(tape.remuxed.live)
    for pid in tape.converted:
        declared = tape.output_packets.rows[tape.declared_at[pid] + 1 :].tobytes()
        assert converted_form_errors(Packets(declared), pid) == [], f"PID {pid}"
        buffers = report.audio.get(pid, BufferReport())
        leads = buffers.leads_ms
        assert buffers.leads_outside(*LEAD_MS) == 0, f"PID {pid}: {min(leads)} to {max(leads)} ms"


def test_ffmpeg_decodes_the_sound_without_a_new_complaint(tape: Recording) -> None:
    if not tape.tracks:
        pytest.skip("no decodable audio")
    assert len(complaints(tape.remuxed.output)) <= len(complaints(tape.source))
