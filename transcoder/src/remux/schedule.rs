//! When converted access units leave (ISO/IEC 13818-1, 2.4.2: the T-STD).
//!
//! By the output's clock an access unit has to be whole before its PTS, but not so
//! early that the receiver's audio buffer overflows, and its packets have to be so
//! far apart that the transport buffer does not.

use std::collections::VecDeque;

use crate::ts::clock::{Pcr, TICKS_PER_SECOND, Timestamp};
use crate::ts::packet::{PACKET_BYTES, Pid, packetise};
use crate::ts::pes::write_audio_pes;

/// How far every PCR of the stream is moved back: 100 ms in 27 MHz.
///
/// Broadcast access units are complete 6 to 83 ms before their PTS; decoding a
/// frame and encoding its samples needs up to 64 ms more. With this, the worst case
/// is still 42 ms early, without holding anything else back.
pub(super) const PCR_ADVANCE_27M: i64 = 2_700_000;

/// A program's clock never runs on by itself for longer than PCRs may be apart
/// (TR 101 290, 5.2.2: 100 ms).
const MAX_EXTRAPOLATION_27M: i64 = 2_700_000;

/// PCRs further apart than this do not show the rate.
const MAX_PCR_STEP_27M: i64 = 27_000_000;

/// A PTS further ahead of the clock has nothing to do with it: some broadcasters'
/// audio descriptions are hours off. T-STD audio is at most 1 s ahead.
const MAX_LEAD_90K: i64 = 3 * TICKS_PER_SECOND;

/// Aim of the lead, where the buffer allows it.
const TARGET_LEAD_90K: i64 = 120 * 90;
/// Never aim lower: the clock between two PCRs is an estimate.
const MIN_TARGET_LEAD_90K: i64 = 30 * 90;
/// What is left free of the buffer's time, for the same reason.
const LEAD_MARGIN_90K: i64 = 25 * 90;

/// T-STD main buffer for AAC with up to 2 and with up to 8 channels, in bytes, and
/// the rate at which the transport buffer empties into it, in bit/s.
const BUFFER_STEREO: (i64, i64) = (3_584, 2_000_000);
const BUFFER_SURROUND: (i64, i64) = (8_976, 5_529_600);

/// Packets that may follow each other at once: two fit the 512-byte transport buffer.
const BURST_PACKETS: i64 = 2;

/// Packets held per track. Two seconds at the highest bit rate; reached only when
/// the clock stands still, and then the oldest leave.
const MAX_QUEUED_PACKETS: usize = 1024;

/// The time of a program by its PCRs, estimated between them from the packets that
/// went by.
#[derive(Debug)]
pub(super) struct ProgramClock {
    pub(super) pid: Pid,
    last: Option<(Pcr, u64)>,
    ticks_per_packet: i64,
}

impl ProgramClock {
    pub(super) fn new(pid: Pid) -> Self {
        Self {
            pid,
            last: None,
            ticks_per_packet: 0,
        }
    }

    /// Takes a PCR of the source, found in packet number `packet_number`.
    pub(super) fn observe(&mut self, pcr: Pcr, packet_number: u64) {
        if let Some((last, last_number)) = self.last {
            let step = pcr.since(last);
            let packets = packet_number.saturating_sub(last_number) as i64;
            if (1..=MAX_PCR_STEP_27M).contains(&step) && packets > 0 {
                self.ticks_per_packet = step / packets;
            }
        }
        self.last = Some((pcr, packet_number));
    }

    /// The output's clock at a packet.
    pub(super) fn moment(&self, packet_number: u64) -> Option<Moment> {
        let (pcr, number) = self.last?;
        let packets = packet_number.saturating_sub(number).min(i64::MAX as u64) as i64;
        let elapsed = packets
            .saturating_mul(self.ticks_per_packet)
            .min(MAX_EXTRAPOLATION_27M);
        Some(Moment {
            now: pcr.offset(elapsed - PCR_ADVANCE_27M),
            packet_ticks_27m: self.ticks_per_packet,
        })
    }
}

/// A moment of the output's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    now: Pcr,
    /// How long a packet of the stream takes.
    packet_ticks_27m: i64,
}

/// Packets of one converted track that wait for their time.
#[derive(Debug)]
pub(super) struct Schedule {
    target_lead_90k: i64,
    packet_interval_27m: i64,
    packets: VecDeque<[u8; PACKET_BYTES]>,
    /// PTS of each unit and how many of its packets are still waiting.
    units: VecDeque<(Timestamp, usize)>,
    /// Before this the transport buffer has no room.
    next_packet_at: Option<Pcr>,
    /// The next unit sets discontinuity_indicator.
    discontinuity: bool,
    has_begun: bool,
    pes: Vec<u8>,
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
            packet_interval_27m: PACKET_BYTES as i64 * 8 * 27_000_000 / rate_bps,
            packets: VecDeque::new(),
            units: VecDeque::new(),
            next_packet_at: None,
            discontinuity: false,
            has_begun: false,
            pes: Vec::new(),
        }
    }

    /// Lets the next unit say that it does not follow the one before.
    pub(super) fn mark_discontinuity(&mut self) {
        self.discontinuity = self.has_begun;
    }

    /// Queues one access unit as a PES of its own.
    pub(super) fn add(&mut self, pid: Pid, pts: Timestamp, access_unit: &[u8]) {
        let before = self.packets.len();
        let discontinuity = std::mem::take(&mut self.discontinuity);
        self.has_begun = true;
        write_audio_pes(pts, access_unit, &mut self.pes);
        packetise(pid, &self.pes, discontinuity, &mut self.packets);
        self.units.push_back((pts, self.packets.len() - before));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// The next packet that may leave at this moment; without a clock everything
    /// may.
    pub(super) fn next_due(&mut self, moment: Option<Moment>) -> Option<[u8; PACKET_BYTES]> {
        let &(pts, waiting) = self.units.front()?;
        if let Some(moment) = moment
            && self.packets.len() < MAX_QUEUED_PACKETS
        {
            let lead = pts.since(moment.now.timestamp());
            if (self.target_lead_90k..MAX_LEAD_90K).contains(&lead) || !self.has_room(moment) {
                return None;
            }
        }
        if waiting <= 1 {
            self.units.pop_front();
        } else if let Some(unit) = self.units.front_mut() {
            unit.1 -= 1;
        }
        self.packets.pop_front()
    }

    /// Whether the transport buffer takes another packet; if so it is counted.
    fn has_room(
        &mut self,
        Moment {
            now,
            packet_ticks_27m,
        }: Moment,
    ) -> bool {
        // On a slow stream the place of one packet is time enough for several.
        let burst = packet_ticks_27m.clamp(
            BURST_PACKETS * self.packet_interval_27m,
            MAX_EXTRAPOLATION_27M,
        );
        let from = self
            .next_packet_at
            .filter(|at| (-burst..=MAX_EXTRAPOLATION_27M).contains(&at.since(now)))
            .unwrap_or(now.offset(-burst));
        let has_room = from.since(now) <= 0;
        self.next_packet_at = Some(if has_room {
            from.offset(self.packet_interval_27m)
        } else {
            from
        });
        has_room
    }
}
