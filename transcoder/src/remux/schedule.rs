//! When converted access units leave (ISO/IEC 13818-1, 2.4.2: the T-STD).
//!
//! By the output's clock an access unit has to be whole before its PTS, but not so
//! early that the receiver's audio buffer overflows, and its packets have to be so
//! far apart that the transport buffer does not.

use std::collections::VecDeque;

use super::clock::{MIN_EXTRAPOLATION_27M, Moment};
use crate::audio::timeline::FrameTime;
use crate::ts::clock::{Pcr, TICKS_PER_SECOND, Timestamp};
use crate::ts::packet::{PACKET_BYTES, Pid, packetise};
use crate::ts::pes::write_audio_pes;

/// A PTS further ahead of the clock is unrelated to it: some broadcasters' audio
/// descriptions are hours off. T-STD audio is at most 1 s ahead.
const MAX_LEAD_90K: i64 = 3 * TICKS_PER_SECOND;

/// A unit that may be left out is, when it could not be whole this long before its
/// PTS: the last moment for its packets, which leave a millisecond apart. Sound that is
/// early by less than usual is better than a hole.
const MIN_LEAD_90K: i64 = 8 * 90;

/// What still leads by more than this when another base follows was made for a clock
/// that has jumped back: it would hold up what follows.
const MAX_LEAD_AT_END_90K: i64 = 200 * 90;

/// Aim of the lead, where the buffer allows it.
const TARGET_LEAD_90K: i64 = 80 * 90;
/// Never aim lower: the clock between two PCRs is an estimate.
const MIN_TARGET_LEAD_90K: i64 = 30 * 90;
/// What is left free of the buffer's time, for the same reason and because a unit
/// may be longer than the average by what the bit reservoir saved.
const LEAD_MARGIN_90K: i64 = 60 * 90;

/// T-STD main buffer for AAC with up to 2 and with up to 8 channels, in bytes, and
/// the rate at which the transport buffer empties into it, in bit/s.
const BUFFER_STEREO: (i64, i64) = (3_584, 2_000_000);
const BUFFER_SURROUND: (i64, i64) = (8_976, 5_529_600);

/// Packets that wait for a first PCR: nearly a second. Streams exist that begin with
/// that much audio.
const MAX_PACKETS_BEFORE_CLOCK: usize = 128;

/// Packets held per track. Two seconds at the highest bit rate; reached only when
/// the clock stands still, and then the oldest leave.
const MAX_QUEUED_PACKETS: usize = 1024;

/// Packets of one converted track that wait for their time.
#[derive(Debug)]
pub(super) struct Schedule {
    target_lead_90k: i64,
    /// Half as long again as the transport buffer needs: between two PCRs the clock
    /// is an estimate.
    packet_interval_27m: i64,
    packets: VecDeque<[u8; PACKET_BYTES]>,
    units: VecDeque<Unit>,
    /// Whether packets of the unit in front have left.
    front_has_begun: bool,
    /// Time base of the clock when it was last asked.
    time_base: Option<u32>,
    /// Units at the front that were made for the time base before.
    outdated_units: usize,
    /// Before this the transport buffer has no room.
    next_packet_at: Option<Pcr>,
    /// The next unit sets discontinuity_indicator.
    discontinuity: bool,
    has_begun: bool,
    pes: Vec<u8>,
}

/// An access unit whose packets wait.
#[derive(Debug, Clone, Copy)]
struct Unit {
    pts: Timestamp,
    waiting_packets: usize,
    /// Whether it may be left out: better so than late, and none of its packets has left.
    may_be_left_out: bool,
    /// Whether what follows it stands in another time.
    ends_base: bool,
}

impl Schedule {
    pub(super) fn new(bitrate_bps: u32, channels: u8) -> Self {
        let (buffer_bytes, rate_bps) = if channels == 1 || channels == 2 {
            BUFFER_STEREO
        } else {
            BUFFER_SURROUND
        };
        let buffer_90k = buffer_bytes * 8 * TICKS_PER_SECOND / i64::from(bitrate_bps.max(1));
        Self {
            target_lead_90k: (buffer_90k - LEAD_MARGIN_90K)
                .clamp(MIN_TARGET_LEAD_90K, TARGET_LEAD_90K),
            packet_interval_27m: PACKET_BYTES as i64 * 8 * 27_000_000 * 3 / 2 / rate_bps,
            packets: VecDeque::new(),
            units: VecDeque::new(),
            front_has_begun: false,
            time_base: None,
            outdated_units: 0,
            next_packet_at: None,
            discontinuity: false,
            has_begun: false,
            pes: Vec::new(),
        }
    }

    /// Let the next unit say that it does not follow the one before.
    pub(super) fn mark_discontinuity(&mut self) {
        self.discontinuity = self.has_begun;
    }

    /// Queue one access unit as a PES of its own.
    pub(super) fn add(&mut self, pid: Pid, time: FrameTime, access_unit: &[u8]) {
        if time.starts_base {
            // None of them may hold up what follows in another time.
            let begun = usize::from(self.front_has_begun);
            for unit in self.units.iter_mut().skip(begun) {
                unit.ends_base = true;
            }
        }
        let before = self.packets.len();
        let discontinuity = std::mem::take(&mut self.discontinuity);
        self.has_begun = true;
        write_audio_pes(time.pts, access_unit, &mut self.pes);
        packetise(pid, &self.pes, discontinuity, &mut self.packets);
        self.units.push_back(Unit {
            pts: time.pts,
            waiting_packets: self.packets.len() - before,
            may_be_left_out: time.is_expendable,
            ends_base: false,
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Return whether a first PCR can still be waited for.
    pub(super) fn can_await_clock(&self) -> bool {
        self.packets.len() < MAX_PACKETS_BEFORE_CLOCK
    }

    /// Return the next packet that may leave at this moment; without a clock everything
    /// may.
    pub(super) fn next_due(&mut self, moment: Option<Moment>) -> Option<[u8; PACKET_BYTES]> {
        if let Some(moment) = moment {
            let before = self.time_base.replace(moment.time_base);
            if before.is_some_and(|before| before != moment.time_base) {
                self.change_time_base(moment.now);
            }
            if self.outdated_units == 0 && self.packets.len() < MAX_QUEUED_PACKETS {
                self.leave_out_late(moment.now);
                let lead = self.units.front()?.pts.since(moment.now.timestamp());
                if (self.target_lead_90k..MAX_LEAD_90K).contains(&lead) || !self.has_room(moment) {
                    return None;
                }
            }
        }
        let unit = self.units.front_mut()?;
        unit.may_be_left_out = false;
        unit.waiting_packets -= 1;
        self.front_has_begun = unit.waiting_packets > 0;
        if !self.front_has_begun {
            self.units.pop_front();
            self.outdated_units = self.outdated_units.saturating_sub(1);
        }
        self.packets.pop_front()
    }

    /// Follow a jump of the clock while units waited. Where time is missing they are late
    /// and may be left out; in another time they would wait for nothing, and leave at once.
    fn change_time_base(&mut self, now: Pcr) {
        self.leave_out_far_ahead(now);
        let time_is_missing = self.units.back().is_some_and(|unit| {
            (-MAX_LEAD_90K..MIN_LEAD_90K).contains(&unit.pts.since(now.timestamp()))
        });
        if time_is_missing {
            // A unit of which packets have left stays whole.
            let begun = usize::from(self.front_has_begun);
            for unit in self.units.iter_mut().skip(begun) {
                unit.may_be_left_out = true;
            }
        } else {
            self.outdated_units = self.units.len();
        }
    }

    /// Leave out what would now fill the receiver's buffer for longer than the second that
    /// the T-STD allows.
    fn leave_out_far_ahead(&mut self, now: Pcr) {
        while !self.front_has_begun
            && let Some(unit) = self.units.front()
            && (TICKS_PER_SECOND..MAX_LEAD_90K).contains(&unit.pts.since(now.timestamp()))
        {
            self.packets.drain(..unit.waiting_packets);
            self.units.pop_front();
        }
    }

    fn leave_out_late(&mut self, now: Pcr) {
        while let Some(unit) = self.units.front() {
            let lead = unit.pts.since(now.timestamp());
            // A PTS that has nothing to do with the clock is not late by it.
            let is_needless = unit.may_be_left_out && (-MAX_LEAD_90K..MIN_LEAD_90K).contains(&lead)
                || unit.ends_base && !(0..=MAX_LEAD_AT_END_90K).contains(&lead);
            if !is_needless || self.front_has_begun {
                return;
            }
            self.packets.drain(..unit.waiting_packets);
            self.units.pop_front();
        }
    }

    /// Return whether the transport buffer takes another packet; if so it is counted.
    fn has_room(
        &mut self,
        Moment {
            now,
            packet_ticks_27m,
            ..
        }: Moment,
    ) -> bool {
        // On a slow stream the place of one packet is time enough for several.
        let credit = packet_ticks_27m.clamp(0, MIN_EXTRAPOLATION_27M);
        let from = self
            .next_packet_at
            .filter(|at| (-credit..=MIN_EXTRAPOLATION_27M).contains(&at.since(now)))
            .unwrap_or(now.offset(-credit));
        let has_room = from.since(now) <= 0;
        self.next_packet_at = Some(if has_room {
            from.offset(self.packet_interval_27m)
        } else {
            from
        });
        has_room
    }
}

#[cfg(test)]
mod tests;
