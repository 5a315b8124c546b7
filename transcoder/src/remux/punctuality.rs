//! How punctual the frames of one track are, and from when on one is overdue.
//!
//! The last tens of milliseconds before a hole wait in the encoder for sound that does
//! not come. They have to leave before they are due. But a station may send its sound
//! late as a habit: then a frame is overdue only when it is later than all before it.

use crate::audio::arrival::Arrival;
use crate::ts::clock::Timestamp;

/// Lead by the source's clock with which a frame can still be whole before it is due:
/// 15 ms by the output's, which is 100 ms behind.
const LAST_LEAD_90K: i64 = (15 - 100) * 90;
/// Later than the latest of the last frames by this is later than usual.
const UNUSUAL_90K: i64 = 10 * 90;
/// The latest frame is forgotten at this pace, in ticks a frame: 1 ms a second.
const FORGETTING_90K: i64 = 2;
/// Frames before which nothing is known of a track.
const MIN_FRAMES: u32 = 16;

#[derive(Debug, Default)]
pub(super) struct Punctuality {
    least_lead_90k: i64,
    frames: u32,
}

impl Punctuality {
    /// Note a frame that came out while the sound went on.
    pub(super) fn observe(&mut self, pts: Timestamp, arrival: Option<Arrival>) {
        let Some(arrival) = arrival else { return };
        let lead = pts.since(arrival.now);
        self.least_lead_90k = match self.frames {
            0 => lead,
            _ => lead.min(self.least_lead_90k + FORGETTING_90K),
        };
        self.frames = self.frames.saturating_add(1);
    }

    /// Return whether a frame that is heard at `due` has to leave now, if it is not to be
    /// late.
    pub(super) fn is_overdue(&self, due: Timestamp, arrival: Arrival) -> bool {
        let last = LAST_LEAD_90K.min(self.least_lead_90k - UNUSUAL_90K);
        self.frames >= MIN_FRAMES && due.since(arrival.now) < last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Arrival {
        Arrival {
            now: Timestamp::new(0).offset(ms * 90),
            time_base: 0,
        }
    }

    fn time(ms: i64) -> Timestamp {
        Timestamp::new(0).offset(ms * 90)
    }

    fn with_leads(lead_ms: i64) -> Punctuality {
        let mut punctuality = Punctuality::default();
        for frame in 0..100 {
            punctuality.observe(time(frame * 21 + lead_ms), Some(at(frame * 21)));
        }
        punctuality
    }

    #[test]
    fn a_frame_is_overdue_just_before_it_would_be_late() {
        let punctual = with_leads(-20);
        assert!(!punctual.is_overdue(time(1000), at(1084)));
        assert!(punctual.is_overdue(time(1000), at(1086)));
    }

    #[test]
    fn where_all_are_late_a_frame_is_overdue_when_it_is_later_than_they_were() {
        let late = with_leads(-300);
        assert!(!late.is_overdue(time(1000), at(1305)));
        assert!(late.is_overdue(time(1000), at(1315)));
    }

    #[test]
    fn nothing_is_overdue_before_anything_is_known() {
        assert!(!Punctuality::default().is_overdue(time(0), at(10_000)));
    }
}
