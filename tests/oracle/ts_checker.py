"""Counts what is wrong with a transport stream, by kind, so that an output can be
held against its input. Limits are those of ETSI TR 101 290 v1.4.1 where it has one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from tests.oracle.access_unit import access_units, audio_codec
from tests.oracle.buffer_model import BufferReport, buffer_for, model, pcr_distance_ms
from tests.oracle.transport import (
    NULL_PID,
    PTS_MODULUS,
    Clock,
    Packets,
    Pmt,
    Section,
    crc32,
    pats,
    pes_packets,
    pmts,
    sections,
    signed,
)

PSI_INTERVAL_S = 0.5
PCR_INTERVAL_MS = 100.0
PTS_INTERVAL_S = 0.7
PSI_PIDS_END = 0x20
"""PIDs below are reserved for tables that no PMT names (TS 101 154, EN 300 468)."""
ATSC_BASE_PID = 0x1FFB


@dataclass
class Report:
    """Errors by kind and PID, and the buffer model's view of every audio PID."""

    errors: Counter[tuple[str, int]] = field(default_factory=Counter)
    audio: dict[int, BufferReport] = field(default_factory=dict)
    codecs: dict[int, str] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        """Errors of a kind on all PIDs."""
        return sum(n for (found, _), n in self.errors.items() if found == kind)

    def kinds(self) -> set[str]:
        """The kinds that occurred."""
        return {kind for (kind, _), n in self.errors.items() if n}

    def worse_than(self, reference: Report) -> dict[str, tuple[int, int]]:
        """The kinds of which this stream has more: (here, there)."""
        counts = {kind: (self.count(kind), reference.count(kind)) for kind in self.kinds()}
        return {kind: (ours, theirs) for kind, (ours, theirs) in counts.items() if ours > theirs}


def check(stream: bytes) -> Report:
    """Judges a whole stream."""
    packets = Packets(stream)
    report = Report()
    report.errors["sync", 0] = packets.sync_losses
    programs = pmts(packets)
    _check_packets(packets, report)
    _check_psi(packets, programs, report)
    clocks = {pid: Clock(packets, pid) for pid in {pmt.pcr_pid for pmt in programs}}
    for pid, clock in clocks.items():
        _check_pcr(packets, pid, clock, report)
    _check_references(packets, programs, clocks, report)
    for pid, pcr_pid in _elementary_pids(programs).items():
        _check_elementary(packets, pid, clocks[pcr_pid], report)
    report.errors = +report.errors
    return report


def _elementary_pids(programs: list[Pmt]) -> dict[int, int]:
    return {stream.pid: pmt.pcr_pid for pmt in programs for stream in pmt.streams}


def _check_packets(packets: Packets, report: Report) -> None:
    for pid in packets.pids():
        report.errors["tei", pid] = int(packets.tei[packets.of(pid)].sum())
        if pid != NULL_PID:
            report.errors["cc", pid] = continuity_errors(packets, pid)


def continuity_errors(packets: Packets, pid: int) -> int:
    """Breaks of 2.4.3.3: a packet may come twice, a packet without payload does not
    count, and discontinuity_indicator excuses a break."""
    errors = 0
    last = -1
    repeated = False
    for index in packets.of(pid):
        if packets.tei[index]:
            continue
        cc = int(packets.cc[index])
        step = int(packets.has_payload[index])
        if last < 0 or packets.discontinuity[index]:
            repeated = False
        elif cc == last and step and not repeated:
            repeated = True
            continue
        elif cc != (last + step) & 15:
            errors += 1
            repeated = False
        elif step:
            repeated = False
        last = cc
    return errors


def _check_psi(packets: Packets, programs: list[Pmt], report: Report) -> None:
    pat_sections = list(sections(packets, 0))
    pmt_pids = {pid for _, pat in pats(packets) for pid in pat.values()}
    for pid in {0} | pmt_pids:
        bad = [s for s in sections(packets, pid) if s.data[1] & 0x80 and crc32(s.data)]
        report.errors["psi_crc", pid] = len(bad)
        scrambled = packets.scrambling[packets.of(pid)] != 0
        report.errors["psi_scrambled", pid] = int(scrambled.sum())
    _check_versions([s for s in pat_sections if s.table_id == 0], 0, "pat_version", report)
    by_program: dict[tuple[int, int], list[Section]] = {}
    for pmt in programs:
        pid = int(packets.pid[pmt.section.packet])
        by_program.setdefault((pid, pmt.program), []).append(pmt.section)
        report.errors["pmt_length", pid] += len(pmt.section.data) > 1024
        pids = [stream.pid for stream in pmt.streams]
        report.errors["pmt_duplicate_pid", pid] += len(pids) - len(set(pids))
    for (pid, _), found in by_program.items():
        _check_versions(found, pid, "pmt_version", report)
    for pid in {0} | pmt_pids:
        carriers = [s.packet for s in sections(packets, pid) if s.crc_holds]
        clock = Clock(packets, _reference_pcr(packets, programs))
        if clock.usable and len(carriers) > 1:
            gaps = np.diff(clock.elapsed_s(np.array(carriers)))
            limit_s = PSI_INTERVAL_S + _uncertainty_s(clock)
            report.errors["psi_interval", pid] = int((gaps > limit_s).sum())


def _uncertainty_s(clock: Clock) -> float:
    """Between PCRs further apart than they may be, nobody knows when a packet arrives."""
    steps_ms = clock.steps_27m / 27_000
    apart_ms = steps_ms[(steps_ms > PCR_INTERVAL_MS) & (steps_ms < 1000)]
    return float(apart_ms.max() / 1000) if apart_ms.size else 0.0


def _reference_pcr(packets: Packets, programs: list[Pmt]) -> int:
    counts = {p.pcr_pid: int((packets.pcr_27m[packets.of(p.pcr_pid)] >= 0).sum()) for p in programs}
    return max(counts, key=lambda pid: counts[pid], default=NULL_PID)


def _check_versions(found: list[Section], pid: int, kind: str, report: Report) -> None:
    """A changed content has the next version number, the same content the same one."""
    current = [s for s in found if s.crc_holds and s.data[5] & 1]
    last: dict[int, Section] = {}
    for section in current:
        before = last.get(section.data[6])
        if before is not None:
            changed = section.content != before.content
            report.errors[kind, pid] += changed != (section.version != before.version)
        last[section.data[6]] = section


def _check_pcr(packets: Packets, pid: int, clock: Clock, report: Report) -> None:
    """TR 101 290 2.3a and 2.3b: a step above 100 ms, or backwards, without a mark."""
    for step_27m, position in zip(clock.steps_27m, clock.positions[1:], strict=True):
        if packets.discontinuity[position]:
            continue
        step_ms = pcr_distance_ms(int(step_27m), 0)
        report.errors["pcr_interval", pid] += PCR_INTERVAL_MS < step_ms < 1000
        report.errors["pcr_jump", pid] += step_ms <= 0 or step_ms >= 1000


def _check_references(
    packets: Packets, programs: list[Pmt], clocks: dict[int, Clock], report: Report
) -> None:
    """TR 101 290 1.6 and 3.4a: what a PMT names occurs, and what occurs is named."""
    pat_pids = {pid for _, pat in pats(packets) for pid in pat.values()}
    named = set(_elementary_pids(programs)) | {pmt.pcr_pid for pmt in programs} | pat_pids
    for pid in packets.pids():
        if not programs or pid < PSI_PIDS_END or pid >= ATSC_BASE_PID:
            continue
        report.errors["unreferenced", pid] += pid not in named and not _is_table(packets, pid)
    report.errors["absent", 0] = len(named - packets.pids() - {NULL_PID})


def _is_table(packets: Packets, pid: int) -> bool:
    return next(sections(packets, pid), None) is not None


def _check_elementary(packets: Packets, pid: int, clock: Clock, report: Report) -> None:
    if len(packets.of(pid)) == 0:
        return
    pes = pes_packets(packets, pid)
    audio = [unit for unit in pes if 0xC0 <= unit.stream_id <= 0xDF or unit.stream_id == 0xBD]
    codec = audio_codec(packets, pid) if audio else None
    stamped = [unit for unit in pes if unit.pts_90k is not None]
    if clock.usable and len(stamped) > 1 and (codec or stamped[0].stream_id >> 4 == 0xE):
        gaps = np.diff(clock.elapsed_s(np.array([unit.packet for unit in stamped])))
        report.errors["pts_interval", pid] = int(
            (gaps > PTS_INTERVAL_S + _uncertainty_s(clock)).sum()
        )
    if codec is None:
        return
    report.codecs[pid] = codec
    steps = (signed((b.pts_90k or 0) - (a.pts_90k or 0), PTS_MODULUS) for a, b in pairwise(stamped))
    report.errors["pts_order", pid] = sum(step <= 0 for step in steps)
    units = access_units(packets, pid, codec)
    buffers = model(packets, clock, pid, units, buffer_for(codec, units))
    report.audio[pid] = buffers
    for kind in ("late", "overflow", "transport_overflow", "stay"):
        report.errors[f"tstd_{kind}", pid] = getattr(buffers, kind)


def converted_form_errors(packets: Packets, pid: int) -> list[str]:
    """How a converted track departs from the form this project promises: one ADTS
    access unit per PES packet, aligned, with its length and a PTS."""
    found = []
    for pes in pes_packets(packets, pid):
        data = pes.data
        units = _whole_adts_frames(data)
        if pes.pts_90k is None:
            found.append(f"packet {pes.packet}: no PTS")
        if not pes.aligned:
            found.append(f"packet {pes.packet}: data_alignment_indicator 0")
        if not 0xC0 <= pes.stream_id <= 0xDF:
            found.append(f"packet {pes.packet}: stream_id {pes.stream_id:#x}")
        if pes.length != len(data) + pes.header_bytes - 6:
            found.append(f"packet {pes.packet}: PES_packet_length {pes.length}")
        if units != 1:
            found.append(f"packet {pes.packet}: {units} access units")
    return found


def _whole_adts_frames(data: bytes) -> int:
    """How many whole ADTS frames of one raw block fill the data exactly; 0 if none do."""
    at = count = 0
    while at + 7 <= len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        if data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0 or data[at + 6] & 3 or size < 7:
            return 0
        at += size
        count += 1
    return count if at == len(data) else 0


@dataclass(frozen=True)
class PassThrough:
    """Whether PIDs left as they came."""

    compared: int
    differing: int
    """Packets that differ, were lost, added or changed their order."""
    pcr_shifts_27m: frozenset[int]
    """By how much PCRs moved; one element, or none without a PCR."""

    def holds(self) -> bool:
        return self.differing == 0 and len(self.pcr_shifts_27m) <= 1


def passthrough_equal(source: bytes, output: bytes, pids: set[int]) -> PassThrough:
    """Compares the packets of PIDs, in their order among each other; the PCR field
    alone may differ."""
    before, after = _kept(source, pids), _kept(output, pids)
    common = min(len(before), len(after))
    rows_before, rows_after = before.rows[:common].copy(), after.rows[:common].copy()
    both = (before.pcr_27m[:common] >= 0) & (after.pcr_27m[:common] >= 0)
    moved = (after.pcr_27m[:common] - before.pcr_27m[:common])[both]
    for rows in (rows_before, rows_after):
        rows[both, 6:12] &= np.array([0, 0, 0, 0, 0x7E, 0], np.uint8)
    differing = (rows_before != rows_after).any(axis=1).sum()
    return PassThrough(
        compared=common,
        differing=int(differing) + abs(len(before) - len(after)),
        pcr_shifts_27m=frozenset(signed(int(m), PTS_MODULUS * 300) for m in moved),
    )


def each_passthrough_equal(source: bytes, output: bytes, pids: set[int]) -> dict[int, PassThrough]:
    """The same for PIDs whose order among each other is free; those that differ."""
    found = {pid: passthrough_equal(source, output, {pid}) for pid in pids}
    return {pid: result for pid, result in found.items() if not result.holds()}


def _kept(stream: bytes, pids: set[int]) -> Packets:
    packets = Packets(stream)
    keep = np.isin(packets.pid, list(pids))
    return Packets(packets.rows[keep].tobytes())
