//! Joining: a stream that has long been running begins with a point.
//!
//! ```text
//! tables of the point, then by PID:
//!   table            -----------------------------------------------> passes
//!   of the point     -> its unit -> leading pictures are left out ---> passes
//!   any other        -> what is left of a unit, and units long before
//!                       the point, are left out: the next begins ----> passes
//! ```
//!
//! Leading pictures that others count among their references stay: see
//! [`is_leading_disposable`].
//!
//! A player would take a gap in the continuity counter for a loss. So before the packet after
//! such a gap, another packet announces it: an adaptation field with discontinuity_indicator
//! (ISO/IEC 13818-1, 2.4.3.5). Packets that leave are untouched. If a packet with a PCR is left
//! out, a packet with the PCR alone leaves instead.

use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};
use crate::ts::packet::{
    PACKET_BYTES, Packet, Pid, discontinuity, set_continuity_counter, without_payload,
};
use crate::ts::pes::{data_of_start, pts_of_start};
use crate::ts::psi::{Pmt, SectionAssembler, TABLE_PMT, check};
use crate::ts::video::{VideoCodec, is_leading_disposable};
use crate::{Point, PointKind};

/// Packets within which every PID begins, and leading pictures end: 2.4 s at 10 Mbit/s.
/// What has not begun by then passes as it comes.
const MAX_PACKETS: usize = 16 * 1024;

/// A unit so long before the point is left out: some networks send pictures 1.2 s behind
/// their sound, which players take for the beginning of time.
const EARLY: i64 = TICKS_PER_SECOND;

/// Time stamps that lie so far apart are of different clocks.
const UNRELATED: i64 = 10 * TICKS_PER_SECOND;

/// Pictures in a row that do not precede the point's in display order, from which on none
/// does: the first may be the second field of the point's own.
const TRAILING_UNITS: u8 = 2;

/// The beginning of a viewer's stream, cut out of what a [`Remuxer`](crate::Remuxer) gave from a
/// point on.
///
/// Any split of the same input gives the same output.
#[derive(Debug)]
pub struct Joiner {
    /// Of the point, until they have left.
    tables: Option<Vec<u8>>,
    pts: Option<Timestamp>,
    codec: VideoCodec,
    after_gap: bool,
    /// A packet that is not whole yet.
    partial: Vec<u8>,
    pids: Box<[PidState]>,
    /// The PID of the point's picture or sound, once its packet has come.
    point_pid: Option<Pid>,
    leading: Leading,
    /// PIDs that the PMTs name and that have not begun.
    awaited: usize,
    packets: usize,
}

#[derive(Debug, Default, Clone, Copy)]
struct PidState {
    stage: Stage,
    /// Whether a PMT names it.
    is_named: bool,
    /// Whether something was left out since a packet left.
    has_hole: bool,
    /// The counter of the last packet that left.
    sent: Option<u8>,
    /// The counter of the last packet with a payload that came.
    seen: Option<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No unit has begun.
    #[default]
    Awaited,
    Begun,
    Table,
}

/// The pictures behind the point's that precede it in display order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leading {
    /// They may come. `is_inside`: from the beginning of one that is left out to the next unit.
    Expected {
        is_inside: bool,
        trailing: u8,
    },
    Over,
}

impl Joiner {
    /// Make a joiner for what leaves from `point` on.
    ///
    /// `after_gap`: the viewer has read something else of the stream before, so every
    /// PID's first packet is announced as not following what came before it.
    pub fn new(point: &Point, after_gap: bool) -> Self {
        let (codec, is_open, tables) = match &point.kind {
            PointKind::RandomAccess {
                codec,
                is_open,
                tables,
            } => (*codec, *is_open, tables.clone()),
            PointKind::Entry { tables } => (VideoCodec::Other, false, tables.clone()),
            _ => (VideoCodec::Other, false, Vec::new()),
        };
        let mut pids = vec![PidState::default(); Pid::COUNT];
        pids[Pid::PAT.index()].stage = Stage::Table;
        for packet in packets(&tables) {
            pids[packet.pid().index()].stage = Stage::Table;
        }
        for pid in named_pids(&tables) {
            pids[pid.index()].is_named = true;
        }
        let is_awaited = |pid: &&PidState| pid.is_named && pid.stage == Stage::Awaited;
        let leading = if is_open && point.pts.is_some() {
            Leading::Expected {
                is_inside: false,
                trailing: 0,
            }
        } else {
            Leading::Over
        };
        Self {
            awaited: pids.iter().filter(is_awaited).count(),
            tables: Some(tables),
            pts: point.pts,
            codec,
            after_gap,
            partial: Vec::new(),
            pids: pids.into(),
            point_pid: None,
            leading,
            packets: 0,
        }
    }

    /// Take the next bytes of the stream, of which the first are those at the point, and
    /// append what leaves to `output`.
    pub fn push(&mut self, mut input: &[u8], output: &mut Vec<u8>) {
        if self.is_over() {
            output.extend_from_slice(input);
            return;
        }
        if let Some(tables) = self.tables.take() {
            for packet in packets(&tables) {
                self.send(packet, output);
            }
        }
        if !self.partial.is_empty() {
            let missing = PACKET_BYTES - self.partial.len();
            let (head, rest) = input.split_at(missing.min(input.len()));
            self.partial.extend_from_slice(head);
            input = rest;
            let Some(&bytes) = self.partial.first_chunk() else {
                return;
            };
            self.partial.clear();
            self.push_packet(Packet::new(&bytes), output);
        }
        let mut rest = input;
        while !self.has_joined() {
            let Some((bytes, behind)) = rest.split_first_chunk() else {
                self.partial.extend_from_slice(rest);
                return;
            };
            self.push_packet(Packet::new(bytes), output);
            rest = behind;
        }
        output.extend_from_slice(rest);
    }

    /// Return whether the joiner is done: from now on it returns its input unchanged.
    pub fn is_over(&self) -> bool {
        self.tables.is_none() && self.partial.is_empty() && self.has_joined()
    }

    /// Return the most bytes that the next [`push`](Self::push) appends for `input_len` bytes: every
    /// packet may have another ahead of it.
    pub fn output_bound(&self, input_len: usize) -> usize {
        let tables = self.tables.as_ref().map_or(0, Vec::len);
        let held = tables + self.partial.len();
        held.saturating_add(input_len).saturating_mul(2)
    }

    fn has_joined(&self) -> bool {
        let has_begun = self.awaited == 0 && self.point_pid.is_some() && !self.after_gap;
        has_begun && self.leading == Leading::Over || self.packets >= MAX_PACKETS
    }

    fn push_packet(&mut self, packet: Packet<'_>, output: &mut Vec<u8>) {
        self.packets += 1;
        let pid = packet.pid();
        if pid == Pid::NULL {
            output.extend_from_slice(packet.bytes());
            return;
        }
        let point_pid = *self.point_pid.get_or_insert_with(|| {
            let state = &mut self.pids[pid.index()];
            if state.stage == Stage::Awaited {
                state.stage = Stage::Begun;
                self.awaited -= usize::from(state.is_named);
            }
            pid
        });
        let is_first = self.packets == 1;
        let leaves = match self.pids[pid.index()].stage {
            Stage::Table => true,
            Stage::Begun => pid != point_pid || is_first || !self.is_leading(packet),
            Stage::Awaited => !packet.has_payload() || self.begins(packet),
        };
        if packet.has_payload() && !packet.transport_error() {
            self.pids[pid.index()].seen = Some(packet.continuity_counter());
        }
        if leaves {
            self.send(packet, output);
        } else {
            self.leave_out(packet, output);
        }
    }

    /// Return whether a PID begins with this packet.
    fn begins(&mut self, packet: Packet<'_>) -> bool {
        if !packet.unit_start() || packet.transport_error() || self.is_early(packet) {
            return false;
        }
        let state = &mut self.pids[packet.pid().index()];
        state.stage = Stage::Begun;
        self.awaited -= usize::from(state.is_named);
        true
    }

    fn is_early(&self, packet: Packet<'_>) -> bool {
        let before = self.before_point(packet);
        before.is_some_and(|ticks| ticks > EARLY && ticks < UNRELATED)
    }

    /// Return how long before the point's time the unit belongs that begins in a packet.
    fn before_point(&self, packet: Packet<'_>) -> Option<i64> {
        Some(self.pts?.since(pts_of_start(packet.payload())?))
    }

    /// Return whether a packet of the point's PID is one of a leading picture that is left
    /// out.
    fn is_leading(&mut self, packet: Packet<'_>) -> bool {
        let Leading::Expected {
            is_inside,
            trailing,
        } = self.leading
        else {
            return false;
        };
        if !packet.has_payload() {
            return false;
        }
        let is_repeated = self.pids[packet.pid().index()].seen == Some(packet.continuity_counter());
        if packet.transport_error() || !packet.unit_start() || is_repeated {
            return is_inside;
        }
        // What says no time belongs to what came before it: the second field of a picture.
        let Some(before) = self.before_point(packet) else {
            return is_inside;
        };
        let is_leading = before > 0 && before < UNRELATED;
        let trailing = if is_leading { 0 } else { trailing + 1 };
        let data = data_of_start(packet.payload());
        let is_inside = is_leading && is_leading_disposable(self.codec, data);
        self.leading = if trailing == TRAILING_UNITS {
            Leading::Over
        } else {
            Leading::Expected {
                is_inside,
                trailing,
            }
        };
        is_inside
    }

    fn send(&mut self, packet: Packet<'_>, output: &mut Vec<u8>) {
        let pid = packet.pid();
        let is_counted = pid != Pid::NULL && !packet.transport_error();
        let state = &mut self.pids[pid.index()];
        if is_counted {
            let counter = packet.continuity_counter();
            let before = counter.wrapping_sub(u8::from(packet.has_payload())) & 0x0F;
            let follows = match state.sent {
                None => !self.after_gap,
                Some(sent) => !state.has_hole || sent == before,
            };
            if !follows && !packet.discontinuity() {
                output.extend_from_slice(&discontinuity(pid, before));
            }
            state.sent = Some(counter);
            state.has_hole = false;
        }
        output.extend_from_slice(packet.bytes());
    }

    /// Let nothing of a packet leave but its clock.
    fn leave_out(&mut self, packet: Packet<'_>, output: &mut Vec<u8>) {
        let state = &mut self.pids[packet.pid().index()];
        state.has_hole = true;
        if packet.pcr().is_none() || packet.transport_error() {
            return;
        }
        let mut bytes = without_payload(packet);
        let before = packet.continuity_counter().wrapping_sub(1) & 0x0F;
        let counter = state.sent.unwrap_or(before);
        set_continuity_counter(&mut bytes, counter);
        self.send_clock(Packet::new(&bytes), counter, output);
    }

    fn send_clock(&mut self, clock: Packet<'_>, counter: u8, output: &mut Vec<u8>) {
        let pid = clock.pid();
        let state = &mut self.pids[pid.index()];
        if state.sent.is_none() && self.after_gap && !clock.discontinuity() {
            output.extend_from_slice(&discontinuity(pid, counter));
        }
        state.sent = Some(counter);
        output.extend_from_slice(clock.bytes());
    }
}

fn packets(bytes: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    bytes
        .chunks_exact(PACKET_BYTES)
        .filter_map(|chunk| chunk.first_chunk().map(Packet::new))
}

/// Return the PIDs that the PMTs among these packets name.
fn named_pids(tables: &[u8]) -> Vec<Pid> {
    let mut named = Vec::new();
    let mut assemblers: Vec<(Pid, SectionAssembler)> = Vec::new();
    for packet in packets(tables) {
        let pid = packet.pid();
        let index = assemblers.iter().position(|(known, _)| *known == pid);
        let index = index.unwrap_or_else(|| {
            assemblers.push((pid, SectionAssembler::default()));
            assemblers.len() - 1
        });
        let assembler = &mut assemblers[index].1;
        assembler.push(packet.payload(), packet.unit_start(), |section| {
            let pmt = check(section)
                .filter(|(header, _)| header.table_id == TABLE_PMT && pid != Pid::PAT)
                .and_then(|(_, content)| Pmt::parse(content));
            named.extend(pmt.into_iter().flat_map(|pmt| pmt.streams).map(|s| s.pid));
        });
    }
    named
}
