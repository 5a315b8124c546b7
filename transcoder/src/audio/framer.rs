//! Splitting an elementary stream into access units.

use super::access_unit::{AccessUnit, Lost, MAX_UNIT_BYTES};
use super::codec::{Codec, Family};
use super::frame::{FrameHeader, Parsed, Role};
use super::payload::{Payload, Position, Run};
use super::search::{Found, Outcome, Proof};
use crate::ts::clock::Timestamp;

/// Most bytes that a [`Framer`] holds once [`Framer::next_unit`] has returned
/// `None`: the last unit, in which a search may begin again, and the next one,
/// with as much again that awaits being dropped.
pub const MAX_HELD_BYTES: usize = 4 * MAX_UNIT_BYTES;

/// Units without dependent frames after which the next ones are not expected to
/// have any either. A stream that has them has them in every unit, so this only
/// spans damage.
const UNITS_TO_FORGET_DEPENDENTS: u8 = 16;

/// Number of consecutive right checksums after which a wrong one always means damage.
const PROVEN_CHECKSUMS: u8 = 8;

/// A splitter of one elementary stream into access units.
///
/// Packets may split frames anywhere. In lock, a unit is returned with its last byte;
/// with dependent substreams, only the next header shows which byte that is. Out of
/// lock, a header is trusted at the start of a PES packet, or if other headers follow
/// at the positions that it announces. The units do not depend on how the bytes were
/// divided between calls.
#[derive(Debug)]
pub struct Framer {
    payload: Payload,
    proof: Proof,
    /// Next place to parse; out of lock, place from which to search.
    at: Position,
    locked: bool,
    /// Where a search begins when the frame at `at` turns out wrong: inside the
    /// last unit, which then may have been cut short.
    retry_from: Position,
    /// Where the next unit begins if nothing is missing.
    continues_at: Option<Position>,
    /// What was reported missing since the last unit.
    lost: Option<Lost>,
    last_unit_end: Position,
    /// Bytes since the last unit that other programmes have taken.
    foreign_bytes: u64,
    dependents: Dependents,
    in_other_programme: bool,
    /// Frames in a row whose checksum was right, up to [`PROVEN_CHECKSUMS`]. Encoders
    /// exist that leave it out, and players decode what they send.
    right_checksums: u8,
}

/// Whether access units continue behind their first frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dependents {
    /// No unit has been seen whole.
    Unknown,
    Absent,
    /// Seen; the number of units since without any.
    Present {
        units_without: u8,
    },
}

/// What the place in front of a locked framer holds.
enum Step {
    Unit {
        end: Position,
        header: FrameHeader,
        extended: bool,
    },
    /// A frame that is no part of a unit.
    Skip {
        end: Position,
    },
    /// A loss cuts the frame off.
    Cut {
        end: Position,
    },
    /// The frame is damaged.
    Damaged,
    NeedMore,
}

impl Framer {
    /// Make a framer for a stream of the codec's family: AC-3 and E-AC-3 may follow each
    /// other, as may the layers of MPEG audio.
    pub fn new(codec: Codec) -> Self {
        Self::over(Payload::default(), Family::of(codec))
    }

    fn over(payload: Payload, family: Family) -> Self {
        Self {
            payload,
            proof: Proof {
                family,
                successors: if family == Family::Latm { 2 } else { 1 },
                trust_pes_start: true,
                reference: None,
            },
            at: 0,
            locked: false,
            retry_from: 0,
            continues_at: None,
            lost: None,
            last_unit_end: 0,
            foreign_bytes: 0,
            dependents: Dependents::Unknown,
            in_other_programme: false,
            right_checksums: 0,
        }
    }

    /// Make a framer that begins with a frame found in `payload`.
    pub(super) fn at_frame(payload: Payload, found: Found) -> Self {
        let mut framer = Self::over(payload, Family::of(found.header.codec));
        framer.lost = framer.payload.cross_losses(found.at);
        framer.lock(found);
        framer
    }

    /// Append payload of the elementary stream. `pts` is that of the PES packet which
    /// begins with these bytes.
    ///
    /// Take the units with [`next_unit`](Self::next_unit) before the next call:
    /// then no more than [`MAX_HELD_BYTES`] are kept.
    pub fn push(&mut self, payload: &[u8], pts: Option<Timestamp>) {
        self.payload.push(payload, pts);
    }

    /// Note that bytes are missing here: a continuity error, a scrambled packet.
    ///
    /// A unit in progress is dropped, and the next one says `after_loss`. A whole
    /// unit that only waited for its successor still comes.
    pub fn lose(&mut self, lost: Lost) {
        self.payload.lose(lost);
    }

    /// Say that the stream ends here: what [`lose`](Self::lose) does, for its other
    /// purpose. Take the last units with [`next_unit`](Self::next_unit).
    pub fn flush(&mut self) {
        self.payload.lose(Lost::default());
    }

    /// Return how many bytes there were since the last access unit (or since the beginning)
    /// while no header can be found; 0 in lock. When it grows beyond a few frames the
    /// stream holds something else.
    pub fn unrecognised_bytes(&self) -> usize {
        if self.locked {
            0
        } else {
            self.payload.end().saturating_sub(self.last_unit_end) as usize
        }
    }

    /// Return the next complete access unit; `None` when it takes more bytes.
    pub fn next_unit(&mut self) -> Option<AccessUnit<'_>> {
        loop {
            if let Some(lost) = self.payload.cross_losses(self.at) {
                self.lost = Some(self.lost.map_or(lost, |before| before.and(lost)));
                self.continues_at = None;
                self.unlock(self.at);
            }
            if !self.locked {
                match self.proof.search(&self.payload, self.at) {
                    Outcome::Found(found) => self.lock(found),
                    Outcome::Exhausted(end) => self.at = end,
                    Outcome::Pending(from) => {
                        self.at = from;
                        self.payload.release(from);
                        return None;
                    }
                }
                continue;
            }
            match self.step() {
                Step::Unit {
                    end,
                    header,
                    extended,
                } => return Some(self.give(end, header, extended)),
                Step::Skip { end } => {
                    if self.continues_at == Some(self.at) {
                        self.continues_at = Some(end);
                    }
                    self.foreign_bytes += end - self.at;
                    self.at = end;
                }
                Step::Cut { end } => self.at = end,
                Step::Damaged => self.unlock(self.retry_from),
                Step::NeedMore => {
                    self.payload.release(self.retry_from.min(self.at));
                    return None;
                }
            }
        }
    }

    fn lock(&mut self, found: Found) {
        self.locked = true;
        self.at = found.at;
        self.retry_from = found.at + 1;
        self.in_other_programme = false;
        self.proof.reference = Some(found.header);
    }

    fn unlock(&mut self, search_from: Position) {
        self.locked = false;
        self.at = search_from;
    }

    /// Look at the frame at `self.at`.
    fn step(&mut self) -> Step {
        let run = self.payload.run_from(self.at);
        let family = self.proof.family;
        let cut = Step::Cut {
            end: self.at + run.bytes.len() as u64,
        };
        let undecided = if run.closed { cut } else { Step::NeedMore };
        let header = match family.parse(run.bytes) {
            Parsed::Header(header) => header,
            Parsed::NeedMore => return undecided,
            Parsed::NotHere => return Step::Damaged,
        };
        if self
            .proof
            .reference
            .is_some_and(|reference| !reference.agrees_with(&header))
        {
            return Step::Damaged;
        }
        let Some(frame) = run.bytes.get(..header.size_bytes) else {
            return undecided;
        };
        let end = self.at + header.size_bytes as u64;
        let verified = family.checksum_holds(frame);
        if verified == Some(false) && self.right_checksums > 0 {
            // Cut short, or damaged inside; or else the encoder's checksums are
            // worth nothing, and then the next frame stands where this one ends.
            let rest = run.bytes.get(header.size_bytes..).unwrap_or_default();
            let is_whole = match family.parse(rest) {
                Parsed::NeedMore if !run.closed => return Step::NeedMore,
                Parsed::Header(next) => next.agrees_with(&header),
                _ => false,
            };
            let trusted = self.right_checksums == PROVEN_CHECKSUMS;
            self.right_checksums = 0;
            if trusted || !is_whole {
                self.continues_at = Some(self.at);
                self.retry_from = self.at + 1;
                return Step::Damaged;
            }
        }
        match header.role {
            Role::OtherProgramme => {
                self.in_other_programme = true;
                return Step::Skip { end };
            }
            Role::Dependent => {
                if !self.in_other_programme {
                    self.dependents = Dependents::Present { units_without: 0 };
                }
                return Step::Skip { end };
            }
            Role::Main => {}
        }
        let Some(unit_bytes) = self.unit_bytes(run, &header, verified) else {
            return Step::NeedMore;
        };
        self.right_checksums = match verified {
            Some(true) => PROVEN_CHECKSUMS.min(self.right_checksums + 1),
            _ => 0,
        };
        Step::Unit {
            end: self.at + unit_bytes as u64,
            header,
            extended: unit_bytes > header.size_bytes,
        }
    }

    /// Return the length of the unit that begins with a frame, its dependent frames included;
    /// `None` when it takes more bytes. `verified`: whether the frame's checksum holds.
    fn unit_bytes(
        &self,
        run: Run<'_>,
        header: &FrameHeader,
        verified: Option<bool>,
    ) -> Option<usize> {
        let family = self.proof.family;
        let mut unit_bytes = header.size_bytes;
        if !family.has_dependents() || self.dependents == Dependents::Absent {
            return Some(unit_bytes);
        }
        loop {
            let rest = run.bytes.get(unit_bytes..).unwrap_or_default();
            let dependent = match family.parse(rest) {
                Parsed::NeedMore if !run.closed => return None,
                Parsed::Header(dependent) if dependent.role == Role::Dependent => dependent,
                _ => return Some(unit_bytes),
            };
            let longer = unit_bytes + dependent.size_bytes;
            if !dependent.agrees_with(header) || longer > MAX_UNIT_BYTES {
                return Some(unit_bytes);
            }
            let Some(frame) = rest.get(..dependent.size_bytes) else {
                return run.closed.then_some(unit_bytes);
            };
            if verified == Some(true) && family.checksum_holds(frame) == Some(false) {
                return Some(unit_bytes);
            }
            unit_bytes = longer;
        }
    }

    /// Hand out the unit from `self.at` to `end`.
    fn give(&mut self, end: Position, header: FrameHeader, extended: bool) -> AccessUnit<'_> {
        let start = self.at;
        let after_loss =
            self.lost.is_some() || self.continues_at.is_some_and(|expected| expected != start);
        let skipped_bytes = start
            .saturating_sub(self.last_unit_end)
            .saturating_sub(std::mem::take(&mut self.foreign_bytes));
        let lost = self.lost.take();
        let pts = self.take_pts(start, end);
        self.dependents = match (extended, self.dependents) {
            (true, _) => Dependents::Present { units_without: 0 },
            (false, Dependents::Present { units_without })
                if units_without < UNITS_TO_FORGET_DEPENDENTS =>
            {
                Dependents::Present {
                    units_without: units_without + 1,
                }
            }
            (false, _) => Dependents::Absent,
        };
        self.proof.reference = Some(header);
        self.in_other_programme = false;
        self.at = end;
        self.retry_from = if self.right_checksums > 0 {
            end
        } else {
            start + 1
        };
        self.continues_at = Some(end);
        self.last_unit_end = end;
        self.payload.release(self.retry_from.min(end));
        AccessUnit {
            data: self.payload.slice(start, end),
            codec: if extended && header.codec == Codec::Ac3 {
                Codec::Eac3
            } else {
                header.codec
            },
            header,
            pts,
            after_loss,
            skipped_bytes,
            lost,
        }
    }

    /// Return the PTS for the unit from `start` to `end`. After skipped bytes it is trusted
    /// only if no other unit can have begun before it in the PES packet: none was due there,
    /// and the skipped bytes are less than one unit, the tail of an earlier one.
    fn take_pts(&mut self, start: Position, end: Position) -> Option<Timestamp> {
        let pes = self.payload.take_pes_start(start)?;
        let contiguous = self.continues_at == Some(start);
        let unit_was_due = self
            .continues_at
            .is_some_and(|due| (pes.at..start).contains(&due));
        let only_a_tail = start - pes.at < end - start && !unit_was_due;
        (contiguous || pes.at == start || only_a_tail).then_some(pes.pts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames as long as each coding allows, and sync words that lead nowhere.
    #[test]
    fn what_is_held_stays_bounded() {
        let long_core = [
            0x7F, 0xFE, 0x80, 0x01, 0xFC, 0x3F, 0xFF, 0xF2, 0x77, 0x00, 0x0D,
        ];
        let long_extension = [0x64, 0x58, 0x20, 0x25, 0x00, 0x03, 0xF7, 0xFF, 0xE0, 0, 0];
        let hostile: [(Codec, &[&[u8]]); 4] = [
            (
                Codec::Dts,
                &[&long_core, &[0; 16_373], &long_extension, &[0; 49_141]],
            ),
            (Codec::AacLatm, &[&[0x56, 0xFF, 0xFF], &[0x56; 8191]]),
            (Codec::AacLatm, &[&[0x56, 0xFF, 0xFF, 0x00]]),
            (
                Codec::Eac3,
                &[&[0x0B, 0x77, 0x47, 0xFF, 0x3F, 0x86, 0xFB], &[0; 4089]],
            ),
        ];
        for (codec, parts) in hostile {
            let mut framer = Framer::new(codec);
            let mut units = 0;
            let stream = parts
                .concat()
                .repeat(if parts.len() > 1 { 40 } else { 100_000 });
            for payload in stream.chunks(184) {
                framer.push(payload, Some(Timestamp::new(0)));
                while framer.next_unit().is_some() {
                    units += 1;
                }
                assert!(framer.payload.held_bytes() <= MAX_HELD_BYTES, "{codec:?}");
            }
            assert!(units > 30 || codec != Codec::Dts, "{units} units of DTS");
        }
    }
}
