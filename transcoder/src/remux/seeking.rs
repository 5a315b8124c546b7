//! The search for audio in an elementary stream of which the PMT promises nothing.

use super::outlet::PacketBytes;
use super::signalling::DeclaredAudio;
use crate::TrackState;
use crate::audio::sniff::{Sniffer, Verdict};
use crate::ts::pes::EsChunk;

/// Beginnings that looked like a frame and were not, after which what is not named as audio is
/// not held again.
const MAX_FALSE_BEGINNINGS: u8 = 3;

/// A search under way: packets leave as they came, except those that look like the beginning of a
/// frame.
#[derive(Debug)]
pub(super) struct Seeking {
    pub(super) sniffer: Sniffer,
    pub(super) held: Vec<PacketBytes>,
    /// Where what is held begins, in bytes of the sniffer.
    held_from: Option<u64>,
    pub(super) false_beginnings: u8,
    /// What is reported until audio is found.
    pub(super) reported: TrackState,
}

impl Seeking {
    pub(super) fn new(declared: DeclaredAudio, reported: TrackState) -> Self {
        Self {
            sniffer: Sniffer::new(declared.codec),
            held: Vec::new(),
            held_from: None,
            false_beginnings: 0,
            reported,
        }
    }

    /// Return whether the packets so far wait until it is known what they are.
    pub(super) fn holds(&self) -> bool {
        self.held_from.is_some()
    }

    /// Take the next of the elementary stream.
    pub(super) fn push(&mut self, chunk: Option<EsChunk<'_>>) -> Verdict {
        let Some(chunk) = chunk else {
            return Verdict::NeedMore;
        };
        let may_hold = self.false_beginnings < MAX_FALSE_BEGINNINGS;
        if self.held_from.is_none() && chunk.starts_pes && may_hold {
            self.held_from = Some(self.sniffer.end());
        }
        self.sniffer.push(chunk.data, chunk.pts);
        let verdict = self.sniffer.verdict();
        if verdict == Verdict::NeedMore
            && let Some(from) = self.held_from
            && !self.sniffer.is_promising(from)
        {
            self.held_from = None;
            // For a header that was refuted at once nothing has waited.
            self.false_beginnings += u8::from(self.held.len() > 1);
        }
        verdict
    }
}
