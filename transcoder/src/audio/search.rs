//! Finding the first frame of a stream, or of what follows a damage, in bytes
//! that may hold sync words by chance.

use super::codec::Family;
use super::frame::{FrameHeader, Parsed, Role};
use super::payload::{Payload, Position};

/// The proof that a header requires.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proof {
    /// The coding that is looked for.
    pub(super) family: Family,
    /// Headers that must follow the first, each where the one before it ends; with a
    /// reference one is enough.
    pub(super) successors: usize,
    /// Whether a header that stands at the start of a PES packet needs none.
    pub(super) trust_pes_start: bool,
    /// A frame of the stream. A header at the start of a PES packet has to agree with
    /// it, and one that is [unmistakable](FrameHeader::is_unmistakable_beside) beside
    /// it needs no successor: behind a loss nothing has to wait, and no whole frame is
    /// given up.
    pub(super) reference: Option<FrameHeader>,
}

/// Headers inside a frame that agree with its own: more are no chance, but a short pattern
/// that repeats, of which every chain of headers can be made.
const MAX_INNER_HEADERS: usize = 3;

/// What a search came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A proven header.
    Found(Found),
    /// Undecided; nothing before the position can be a frame.
    Pending(Position),
    /// Bytes are missing at the position, and nothing before it can be proven.
    Exhausted(Position),
}

/// A proven header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) at: Position,
    pub(super) header: FrameHeader,
    /// Position behind the byte that completed the proof.
    pub(super) proven_by: Position,
}

/// What is known of one place.
enum Candidate {
    Proven(Found),
    Pending,
    Refuted,
}

impl Proof {
    /// Look for a proven header from `from` on, up to the next loss.
    ///
    /// Of several, the one whose proof is complete first wins: a chance sync word
    /// that claims a long frame cannot hold up what follows, and the result does
    /// not depend on how many bytes happen to be there.
    pub(super) fn search(&self, payload: &Payload, from: Position) -> Outcome {
        let run = payload.run_from(from);
        let mut first_pending = None;
        let mut earliest: Option<Found> = None;
        let first_bytes = self.family.first_bytes();
        for (offset, _) in run
            .bytes
            .iter()
            .enumerate()
            .filter(|(_, byte)| first_bytes.contains(byte))
        {
            let at = from + offset as u64;
            if earliest.is_some_and(|found| found.proven_by <= at) {
                break;
            }
            match self.examine(payload, at) {
                Candidate::Proven(found) => {
                    if earliest.is_none_or(|earlier| found.proven_by < earlier.proven_by) {
                        earliest = Some(found);
                    }
                }
                Candidate::Pending => first_pending = first_pending.or(Some(at)),
                Candidate::Refuted => {}
            }
        }
        let end = from + run.bytes.len() as u64;
        match earliest {
            Some(found) => Outcome::Found(found),
            None if run.closed => Outcome::Exhausted(end),
            None => Outcome::Pending(first_pending.unwrap_or(end)),
        }
    }

    fn examine(&self, payload: &Payload, at: Position) -> Candidate {
        let run = payload.run_from(at);
        let undecided = if run.closed {
            Candidate::Refuted
        } else {
            Candidate::Pending
        };
        let first = match self.family.parse(run.bytes) {
            Parsed::Header(header) if header.role == Role::Main => header,
            Parsed::NeedMore => return undecided,
            _ => return Candidate::Refuted,
        };
        let proven = |last_header: usize| {
            Candidate::Proven(Found {
                at,
                header: first,
                proven_by: at + (last_header + self.family.header_bytes()) as u64,
            })
        };
        let trusted =
            |offset: usize| self.trust_pes_start && payload.is_pes_start(at + offset as u64);
        if trusted(0) && self.reference.is_none_or(|it| it.agrees_with(&first)) {
            return proven(0);
        }
        if self
            .reference
            .is_some_and(|it| first.is_unmistakable_beside(&it))
        {
            return proven(0);
        }
        let mut last = 0;
        let mut next = first.size_bytes;
        let successors = match self.reference {
            Some(_) => self.successors.min(1),
            None => self.successors,
        };
        for _ in 0..successors {
            let Some(rest) = run.bytes.get(next..) else {
                return undecided;
            };
            let header = match self.family.parse(rest) {
                Parsed::Header(header) if header.agrees_with(&first) => header,
                Parsed::NeedMore => return undecided,
                _ => return Candidate::Refuted,
            };
            last = next;
            if trusted(next) {
                break;
            }
            next += header.size_bytes;
        }
        if self.successors > 1 && self.is_pattern(run.bytes, &first) {
            return Candidate::Refuted;
        }
        proven(last)
    }

    /// Return whether a header stands at `at` and only lacks the bytes that would prove it.
    pub(super) fn is_open(&self, payload: &Payload, at: Position) -> bool {
        matches!(self.examine(payload, at), Candidate::Pending)
    }

    fn is_pattern(&self, bytes: &[u8], first: &FrameHeader) -> bool {
        let frame = bytes.get(1..first.size_bytes).unwrap_or_default();
        let inner = (0..frame.len())
            .filter(|&at| self.family.first_bytes().contains(&frame[at]))
            .filter(|&at| matches!(self.family.parse(&frame[at..]), Parsed::Header(h) if h.agrees_with(first)));
        inner.take(MAX_INNER_HEADERS + 1).count() > MAX_INNER_HEADERS
    }
}
