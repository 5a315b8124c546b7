//! Telling what an elementary stream holds by its sync words: PMTs lie.

use super::access_unit::Lost;
use super::codec::{Codec, Family};
use super::framer::Framer;
use super::payload::{Payload, Position};
use super::search::{Found, Outcome, Proof};
use crate::ts::clock::Timestamp;

/// Bytes after which a stream without a chain of headers is given up: three
/// times the longest LATM frame, or a second of broadcast audio.
pub const MAX_SNIFFED_BYTES: usize = 32 * 1024;

/// Fewer bytes do not show how they are spread.
const MIN_SPREAD_BYTES: u64 = 4096;

/// Chi-squared of the values of bytes, above which they are not scrambled: six standard
/// deviations above that of random ones.
const MAX_SCRAMBLED_SPREAD: u64 = 400;

/// What the bytes so far say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    NeedMore,
    /// The coding of the first frame; [`Sniffer::into_framer`] continues with it.
    Found(Codec),
    /// Within [`MAX_SNIFFED_BYTES`] there was no audio that can be recognised.
    Unknown,
}

/// The search for the coding of one elementary stream.
///
/// A header at the start of a PES packet that agrees with the declared coding is
/// enough; otherwise three in a row have to stand where the one before says. The
/// verdict does not depend on how the bytes were divided between calls.
#[derive(Debug)]
pub struct Sniffer {
    payload: Payload,
    searches: [Search; Family::ALL.len()],
    found: Option<Found>,
}

#[derive(Debug)]
struct Search {
    proof: Proof,
    from: Position,
}

impl Sniffer {
    /// Make a sniffer for a stream that the PMT declares to be of this coding.
    pub fn new(declared: Option<Codec>) -> Self {
        let declared = declared.map(Family::of);
        Self {
            payload: Payload::default(),
            searches: Family::ALL.map(|family| Search {
                proof: Proof {
                    family,
                    // The sync word of LATM has but 11 bits.
                    successors: if family == Family::Latm { 3 } else { 2 },
                    trust_pes_start: declared == Some(family),
                    reference: None,
                },
                from: 0,
            }),
            found: None,
        }
    }

    /// Append payload of the elementary stream, as [`Framer::push`] does. Bytes are kept
    /// until the verdict has fallen.
    pub fn push(&mut self, payload: &[u8], pts: Option<Timestamp>) {
        self.payload.push(payload, pts);
    }

    /// Say that bytes are missing here, as [`Framer::lose`] does.
    pub fn lose(&mut self) {
        self.payload.lose(Lost::default());
    }

    /// Return what the bytes so far say. Once it is not `NeedMore`, it stays.
    pub fn verdict(&mut self) -> Verdict {
        if self.found.is_none() {
            self.found = self
                .searches
                .iter_mut()
                .filter_map(|search| search.advance(&self.payload))
                .filter(|found| found.proven_by <= MAX_SNIFFED_BYTES as u64)
                .min_by_key(|found| found.proven_by);
        }
        match self.found {
            Some(found) => Verdict::Found(found.header.codec),
            None if self.payload.end() < MAX_SNIFFED_BYTES as u64 => Verdict::NeedMore,
            _ => Verdict::Unknown,
        }
    }

    /// Return the position behind the last byte.
    pub(crate) fn end(&self) -> u64 {
        self.payload.end()
    }

    /// Return whether what stands at a position can still turn out to be the first frame.
    pub(crate) fn is_promising(&self, at: u64) -> bool {
        let mut proofs = self.searches.iter().map(|search| search.proof);
        proofs.any(|proof| proof.is_open(&self.payload, at))
    }

    /// Return whether the bytes are spread as those of a scrambled stream are: evenly.
    /// Asked where there was no audio; coded sound is never spread so evenly.
    pub(crate) fn looks_scrambled(&self) -> bool {
        let bytes = self.payload.slice(0, self.payload.end());
        let mut counts = [0u64; 256];
        for &byte in bytes {
            counts[usize::from(byte)] += 1;
        }
        let total = bytes.len() as u64;
        // Chi-squared of 255 degrees of freedom times `total`: random bytes have 255, give or
        // take 23.
        let spread: u64 = counts
            .iter()
            .map(|&n| (n * 256).abs_diff(total).pow(2))
            .sum();
        total >= MIN_SPREAD_BYTES && spread / 256 <= MAX_SCRAMBLED_SPREAD * total
    }

    /// Return a framer that begins with the first frame found and has every byte and PTS
    /// since; `None` without such a frame.
    pub fn into_framer(self) -> Option<Framer> {
        let Self { payload, found, .. } = self;
        found.map(|found| Framer::at_frame(payload, found))
    }
}

impl Search {
    fn advance(&mut self, payload: &Payload) -> Option<Found> {
        loop {
            match self.proof.search(payload, self.from) {
                Outcome::Found(found) => return Some(found),
                Outcome::Exhausted(end) => self.from = end,
                Outcome::Pending(from) => {
                    self.from = from;
                    return None;
                }
            }
        }
    }
}
