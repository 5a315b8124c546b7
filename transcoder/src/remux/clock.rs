//! The clocks of the programs, as the output has them.

use crate::audio::arrival::Arrival;
use crate::ts::clock::Pcr;
use crate::ts::packet::Pid;

/// How far every PCR of the stream is moved back: 100 ms in 27 MHz.
///
/// Broadcast access units are complete 6 to 83 ms before their PTS; decoding a
/// frame and encoding its samples needs up to 64 ms more. With this, the worst case
/// is still 42 ms early, without holding anything else back.
pub(super) const PCR_ADVANCE_27M: i64 = 2_700_000;

/// A program's clock runs on by itself at least as long as PCRs may be apart
/// (TR 101 290, 5.2.2: 100 ms), and on streams where they are further apart a
/// little longer than the last two were.
pub(super) const MIN_EXTRAPOLATION_27M: i64 = 2_700_000;

/// PCRs further apart than this do not show the rate.
const MAX_PCR_STEP_27M: i64 = 27_000_000;

/// The clocks of all programs.
#[derive(Debug, Default)]
pub(super) struct Clocks(Vec<ProgramClock>);

impl Clocks {
    /// Follow which PIDs carry the clocks.
    pub(super) fn follow(&mut self, pids: impl Iterator<Item = Pid>) {
        let mut pids: Vec<Pid> = pids.collect();
        pids.sort_unstable();
        pids.dedup();
        self.0.retain(|clock| pids.contains(&clock.pid));
        for pid in pids {
            if !self.0.iter().any(|clock| clock.pid == pid) {
                self.0.push(ProgramClock::new(pid));
            }
        }
    }

    /// Take a PCR of the source, found on this PID in packet number `packet_number`.
    pub(super) fn observe(&mut self, pid: Pid, pcr: Pcr, packet_number: u64) {
        if let Some(clock) = self.0.iter_mut().find(|clock| clock.pid == pid) {
            clock.observe(pcr, packet_number);
        }
    }

    /// Return the output's clock at a packet, of the program whose PCRs are on this PID.
    pub(super) fn moment(&self, pcr_pid: Pid, packet_number: u64) -> Option<Moment> {
        let clock = self.0.iter().find(|clock| clock.pid == pcr_pid)?;
        clock.moment(packet_number)
    }
}

/// The time of a program by its PCRs, estimated between them from the packets that
/// went by.
#[derive(Debug)]
struct ProgramClock {
    pid: Pid,
    last: Option<(Pcr, u64)>,
    last_step: i64,
    /// Counts the jumps.
    time_base: u32,
    ticks_per_packet: i64,
}

impl ProgramClock {
    fn new(pid: Pid) -> Self {
        Self {
            pid,
            last: None,
            last_step: 0,
            time_base: 0,
            ticks_per_packet: 0,
        }
    }

    /// Take a PCR of the source, found in packet number `packet_number`.
    fn observe(&mut self, pcr: Pcr, packet_number: u64) {
        if let Some((last, last_number)) = self.last {
            let step = pcr.since(last);
            let packets = packet_number.saturating_sub(last_number) as i64;
            if (1..=MAX_PCR_STEP_27M).contains(&step) && packets > 0 {
                self.ticks_per_packet = step / packets;
                self.last_step = step;
            } else if step != 0 {
                self.time_base = self.time_base.wrapping_add(1);
            }
        }
        self.last = Some((pcr, packet_number));
    }

    /// Return the output's clock at a packet.
    fn moment(&self, packet_number: u64) -> Option<Moment> {
        let (pcr, number) = self.last?;
        let packets = packet_number.saturating_sub(number).min(i64::MAX as u64) as i64;
        let longest = MIN_EXTRAPOLATION_27M.max(self.last_step + self.last_step / 4);
        let elapsed = packets.saturating_mul(self.ticks_per_packet).min(longest);
        Some(Moment {
            now: pcr.offset(elapsed - PCR_ADVANCE_27M),
            packet_ticks_27m: self.ticks_per_packet,
            time_base: self.time_base,
        })
    }
}

/// A moment of the output's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Pcr,
    /// How long a packet of the stream takes.
    pub(super) packet_ticks_27m: i64,
    /// Which of the clock's time bases this is.
    pub(super) time_base: u32,
}

impl Moment {
    /// Return the source's clock.
    pub(super) fn arrival(&self) -> Arrival {
        Arrival {
            now: self.now.offset(PCR_ADVANCE_27M).timestamp(),
            time_base: self.time_base,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PID: Pid = Pid::new(0x100);

    #[test]
    fn the_clock_between_two_pcrs_runs_with_the_packets() {
        let mut clock = ProgramClock::new(PID);
        assert!(clock.moment(0).is_none());
        clock.observe(Pcr::new(27_000_000), 100);
        clock.observe(Pcr::new(27_000_000 + 1_000_000), 200);
        let now = clock.moment(250).map(|moment| moment.now);
        assert_eq!(now, Some(Pcr::new(28_500_000 - PCR_ADVANCE_27M as u64)));
    }
}
