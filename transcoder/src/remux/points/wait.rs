//! How long something has not come, by every clock that the stream has.

use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};
use crate::ts::packet::{PACKET_BYTES, Pid};

/// Packets in a second where no clock shows how long it is: 26 Mbit/s.
const PACKETS_PER_SECOND: u64 = 16 * 1024 * 1024 / PACKET_BYTES as u64 / 5;

/// PIDs whose time stamps are followed.
const MAX_CLOCKS: usize = 32;

/// Time stamps of one PID that lie so far apart are of different clocks.
const UNRELATED: i64 = 10 * TICKS_PER_SECOND;

/// The time since it began, or began again.
#[derive(Debug, Default)]
pub(super) struct Wait {
    packets: u64,
    clocks: Vec<UnitClock>,
}

/// The time stamps of one PID's units.
#[derive(Debug)]
struct UnitClock {
    pid: Pid,
    latest: Timestamp,
    elapsed: i64,
}

impl Wait {
    pub(super) fn restart(&mut self) {
        self.packets = 0;
        self.clocks.clear();
    }

    /// Count a packet that carries something.
    pub(super) fn pass_packet(&mut self) {
        self.packets += 1;
    }

    /// Note the beginning of a unit. The units of a PID may not be in the order of their
    /// time stamps.
    pub(super) fn pass_unit(&mut self, pid: Pid, pts: Option<Timestamp>) {
        let Some(pts) = pts else { return };
        let Some(clock) = self.clocks.iter_mut().find(|clock| clock.pid == pid) else {
            if self.clocks.len() < MAX_CLOCKS {
                self.clocks.push(UnitClock {
                    pid,
                    latest: pts,
                    elapsed: 0,
                });
            }
            return;
        };
        let step = pts.since(clock.latest);
        if (0..UNRELATED).contains(&step) {
            clock.elapsed += step;
            clock.latest = pts;
        } else if step.abs() >= UNRELATED {
            clock.latest = pts;
        }
    }

    /// Return whether it lasts so long, in ticks of 90 kHz, by any of the clocks.
    pub(super) fn lasts(&self, ticks: i64) -> bool {
        let packets = PACKETS_PER_SECOND * ticks as u64 / TICKS_PER_SECOND as u64;
        self.packets >= packets || self.clocks.iter().any(|clock| clock.elapsed >= ticks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PID: Pid = Pid::new(0x100);

    fn waited(stamps: &[i64]) -> Wait {
        let mut wait = Wait::default();
        for &stamp in stamps {
            wait.pass_unit(PID, Some(Timestamp::new(0).offset(stamp)));
        }
        wait
    }

    #[test]
    fn pictures_out_of_order_count_once_and_across_the_wrap() {
        let wait = waited(&[-9000, 1800, -5400, -1800, 9000, 5400]);
        assert!(wait.lasts(18_000));
        assert!(!wait.lasts(18_001));
    }

    #[test]
    fn a_clock_that_jumps_counts_nothing() {
        assert!(!waited(&[0, 1 << 31, 0, 1 << 31]).lasts(90));
    }

    #[test]
    fn without_a_clock_packets_count() {
        let mut wait = waited(&[]);
        for _ in 0..5 * PACKETS_PER_SECOND {
            assert!(!wait.lasts(5 * TICKS_PER_SECOND));
            wait.pass_packet();
        }
        assert!(wait.lasts(5 * TICKS_PER_SECOND));
        wait.restart();
        assert!(!wait.lasts(5 * TICKS_PER_SECOND));
    }
}
