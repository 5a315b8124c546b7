//! Subtitles: teletext pages and DVB bitmaps, as files, one for each segment of the picture.
//!
//! ```text
//! PMT -> signalling -> renditions
//! PID -> PES packets, whole -> Decoder -> changes of the screen -> files, one a segment
//! ```
//!
//! Decoders are pure: bytes and times in, changes out. What a file may wait for, and which
//! segment it belongs to, is the packager's ([`crate::mp4`]).

pub mod dvb;
mod pes;
mod signalling;
pub mod teletext;
mod webvtt;

pub use pes::MAX_PES_BYTES;
pub(crate) use pes::PesAssembler;
pub use signalling::{Announced, Source, announced};

use crate::ts::clock::Timestamp;

/// A decoder of the subtitles of one page of one PID.
pub trait Decoder {
    /// All that a page shows at one time.
    type Screen: std::fmt::Debug;

    /// Maximum number of bytes that a decoder holds, without the changes that it has returned.
    const MAX_HELD_BYTES: usize;

    /// Maximum size of a screen in bytes.
    const MAX_SCREEN_BYTES: usize;

    /// Take the data of one whole PES packet, at most [`MAX_PES_BYTES`], that is presented at `at`,
    /// and append what changes on the screen, in order. No bytes make it panic.
    fn push(&mut self, data: &[u8], at: Timestamp, changes: &mut Vec<Change<Self::Screen>>);

    /// Note that PES packets are missing before the next one.
    fn lose(&mut self);

    /// Return how many bytes it holds, at most [`MAX_HELD_BYTES`](Self::MAX_HELD_BYTES).
    fn held_bytes(&self) -> usize;

    /// Return how many bytes a screen has.
    fn screen_bytes(screen: &Self::Screen) -> usize;

    /// Return the file of a segment in which these screens are shown, one behind the other.
    fn file(span: Span, shown: &[Shown<'_, Self::Screen>]) -> Vec<u8>;
}

/// Another screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<S> {
    /// When it is shown.
    pub at: Timestamp,
    /// What is shown from then on; none where nothing is.
    pub screen: Option<S>,
    /// How long it is shown at most, in 90 kHz.
    pub timeout_90k: i64,
}

/// The time of a segment, on the line that all renditions share: 64 bits of 90 kHz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When its first picture is shown.
    pub start_90k: u64,
    /// When the next segment's first picture is.
    pub end_90k: u64,
}

/// A screen in a segment.
#[derive(Debug)]
pub struct Shown<'a, S> {
    /// From when on; the segment's start for what was there before.
    pub from_90k: u64,
    /// Until when; none where it is still shown at the segment's end.
    pub until_90k: Option<u64>,
    /// What; none where nothing is.
    pub screen: Option<&'a S>,
}
