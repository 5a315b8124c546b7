//! Consecutive scrambled packets of a track: how many make the track a scrambled one, and how
//! long the remuxer waits for the key.

use super::clock::Moment;
use crate::ts::clock::Pcr;

/// Scrambled packets in a row that make a track a scrambled one; fewer are damage.
const SCRAMBLED_RUN: usize = 16;

/// How long sound may be scrambled before the PMT stops promising AAC, in 27 MHz: 2 s. A
/// softcam that has to wait for a key takes less, and a change of the PMT costs players
/// more than the silence.
const SCRAMBLED_GRACE_27M: i64 = 54_000_000;

/// The same where no clock shows it, and the bound of what is held: a second of DTS.
const MAX_SCRAMBLED_PACKETS: usize = 1024;

/// The scrambled packets of a track since its last clear one.
#[derive(Debug, Default)]
pub(super) struct ScrambledRun {
    packets: usize,
    /// When the first of them came.
    since: Option<Pcr>,
}

impl ScrambledRun {
    /// Take a scrambled packet.
    pub(super) fn extend(&mut self, now: Option<Moment>) {
        self.packets += 1;
        if self.packets == 1 {
            self.since = now.map(|now| now.now);
        }
    }

    /// Take a clear packet.
    pub(super) fn end(&mut self) {
        self.packets = 0;
    }

    /// Return whether the last packet was clear.
    pub(super) fn is_over(&self) -> bool {
        self.packets == 0
    }

    /// Return whether the last packets make the track a scrambled one.
    pub(super) fn is_scrambled(&self) -> bool {
        self.packets >= SCRAMBLED_RUN
    }

    /// Return whether the last packet is the one that made it a scrambled one.
    pub(super) fn has_just_begun(&self) -> bool {
        self.packets == SCRAMBLED_RUN
    }

    /// Return whether the track has been scrambled for so long that no key is awaited.
    pub(super) fn lasts_long(&mut self, now: Option<Moment>) -> bool {
        let elapsed = match (self.since, now) {
            (Some(since), Some(now)) => now.now.since(since),
            _ => 0,
        };
        if elapsed < 0 {
            self.since = now.map(|now| now.now);
        }
        elapsed >= SCRAMBLED_GRACE_27M || self.packets >= MAX_SCRAMBLED_PACKETS
    }
}
