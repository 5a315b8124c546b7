//! When the sound of an access unit is heard, and how it joins the sound before it.

use crate::ts::clock::Timestamp;

/// When a unit is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Not known yet. The unit begins `position_90k` ticks into the elementary stream,
    /// which [`SourceClock::time_of`](super::source_clock::SourceClock::time_of) turns into a time later.
    Later { position_90k: i64, joint: Joint },
    /// At this time, and so joined to the unit before.
    At { time: Timestamp, joint: Joint },
}

/// How a unit's sound joins that of the unit before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    /// It continues it.
    Smooth,
    /// It is another piece of sound.
    Spliced,
    /// Units between them were lost.
    Lost,
}
