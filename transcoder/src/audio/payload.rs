//! The bytes of one elementary stream that are not yet done with, and what its
//! transport said about places in them: where a PES packet with a PTS began, and
//! where bytes are missing.

use std::collections::VecDeque;

use super::access_unit::{Lost, MAX_UNIT_BYTES};
use crate::ts::clock::Timestamp;

/// A place in an elementary stream: bytes received before it.
pub(super) type Position = u64;

/// Payload bytes with their marks.
#[derive(Debug, Default)]
pub(super) struct Payload {
    bytes: Vec<u8>,
    /// Position of `bytes[0]`.
    start: Position,
    pes_starts: VecDeque<PesStart>,
    losses: VecDeque<(Position, Lost)>,
    /// Bytes before this are not needed any more.
    released: Position,
}

/// Where a PES packet with a PTS began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PesStart {
    pub(super) at: Position,
    pub(super) pts: Timestamp,
}

/// Bytes between which nothing is missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) bytes: &'a [u8],
    /// Whether bytes are missing behind it, so that it will never grow.
    pub(super) closed: bool,
}

impl Payload {
    pub(super) fn push(&mut self, payload: &[u8], pts: Option<Timestamp>) {
        self.reclaim();
        if let Some(pts) = pts {
            let at = self.end();
            if self.pes_starts.back().is_some_and(|last| last.at == at) {
                self.pes_starts.pop_back();
            }
            self.pes_starts.push_back(PesStart { at, pts });
        }
        self.bytes.extend_from_slice(payload);
    }

    pub(super) fn lose(&mut self, lost: Lost) {
        let at = self.end();
        match self.losses.back_mut() {
            Some((place, before)) if *place == at => *before = before.and(lost),
            _ => self.losses.push_back((at, lost)),
        }
    }

    /// Return the position behind the last byte.
    pub(super) fn end(&self) -> Position {
        self.start + self.bytes.len() as u64
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.bytes.len() + self.pes_starts.len() * size_of::<PesStart>()
    }

    /// Return the bytes from `at` to the next loss or the end; empty where there are none.
    pub(super) fn run_from(&self, at: Position) -> Run<'_> {
        let loss = self
            .losses
            .iter()
            .map(|&(loss, _)| loss)
            .find(|&loss| loss > at);
        Run {
            bytes: self.slice(at, loss.unwrap_or(self.end())),
            closed: loss.is_some(),
        }
    }

    /// Return the bytes from `from` to `to`; empty where they are not held.
    pub(super) fn slice(&self, from: Position, to: Position) -> &[u8] {
        let index = |at: Position| {
            at.checked_sub(self.start)
                .and_then(|offset| usize::try_from(offset).ok())
        };
        match (index(from), index(to)) {
            (Some(from), Some(to)) => self.bytes.get(from..to).unwrap_or_default(),
            _ => &[],
        }
    }

    pub(super) fn is_pes_start(&self, at: Position) -> bool {
        self.pes_starts
            .binary_search_by_key(&at, |start| start.at)
            .is_ok()
    }

    /// Take the latest PES start at or before `at`, and forget earlier ones.
    pub(super) fn take_pes_start(&mut self, at: Position) -> Option<PesStart> {
        let mut latest = None;
        while let Some(&start) = self.pes_starts.front().filter(|start| start.at <= at) {
            latest = Some(start);
            self.pes_starts.pop_front();
        }
        latest
    }

    /// Return what is missing at or before `at`; `None` where nothing is. What stood before
    /// is forgotten, PES starts included: their access unit may be what is missing.
    pub(super) fn cross_losses(&mut self, at: Position) -> Option<Lost> {
        let mut crossed: Option<Lost> = None;
        while let Some(&(loss, lost)) = self.losses.front().filter(|&&(loss, _)| loss <= at) {
            while self.pes_starts.front().is_some_and(|start| start.at < loss) {
                self.pes_starts.pop_front();
            }
            self.losses.pop_front();
            crossed = Some(crossed.map_or(lost, |before| before.and(lost)));
        }
        crossed
    }

    /// Say that no byte before `at` is asked for again, and no PES start more than
    /// `MAX_UNIT_BYTES` before it.
    pub(super) fn release(&mut self, at: Position) {
        self.released = at.min(self.end());
        let is_stale = |start: &&PesStart| start.at + (MAX_UNIT_BYTES as u64) < at;
        while self.pes_starts.front().filter(is_stale).is_some() {
            self.pes_starts.pop_front();
        }
    }

    /// Drop released bytes once they outnumber the others, so that a byte is moved at most
    /// once on average.
    fn reclaim(&mut self) {
        let dead = self.released.saturating_sub(self.start) as usize;
        if dead > self.bytes.len() / 2 {
            self.bytes.drain(..dead);
            self.start = self.released;
        }
    }
}
