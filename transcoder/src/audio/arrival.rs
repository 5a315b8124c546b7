//! What is known of an access unit when it arrives.

use super::access_unit::Lost;
use super::codec::Codec;
use crate::ts::clock::Timestamp;

/// The program's clock when something arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) now: Timestamp,
    /// Which of the clock's time bases that is; it counts the jumps.
    pub(crate) time_base: u32,
}

/// What is known of an access unit before it is decoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnitFacts {
    pub(super) pts: Option<Timestamp>,
    pub(super) codec: Codec,
    /// The rate in its header; None if the header has none.
    pub(super) sample_rate_hz: Option<u32>,
    pub(super) bytes: usize,
    /// Bytes between it and the unit before.
    pub(super) skipped_bytes: u64,
    pub(super) lost: Option<Lost>,
    pub(super) arrival: Option<Arrival>,
}
