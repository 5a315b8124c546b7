//! The time that all renditions share: 64 bits of 90 kHz, divided into segments.
//!
//! ```text
//! 33-bit stamps  ..., 2^33 - 1, 0, 1, ...        another base: 500, 501, ...
//! time           ..., 2^33 - 1, 2^33, ...        2^34 + 500, ...
//! segments       |    0    |    1    |  (waits for a picture)  |    2    |
//!                '------- epoch 0 ---'                         '- epoch 1
//! ```
//!
//! A time is congruent to its stamp modulo 2^33, and no epoch begins before the one before it
//! ended. The leader, which is the picture or else the first sound, makes the segments; the
//! other renditions follow.

use std::collections::VecDeque;

use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};

/// Times that lie so far from the leader's are of another clock.
pub(super) const UNRELATED: i64 = 10 * TICKS_PER_SECOND;

/// Maximum number of segments that some rendition has not ended. Sound that is later than this
/// counts as missing.
pub(super) const MAX_SPANS: usize = 64;

const MODULUS: i64 = 1 << 33;

/// A segment in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) number: u64,
    pub(super) epoch: u64,
    pub(super) start: i64,
    /// None while the segment is open.
    pub(super) end: Option<i64>,
}

impl Span {
    fn holds(&self, time: i64) -> bool {
        self.start <= time && self.end.is_none_or(|end| time < end)
    }
}

/// Where a time lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    In(Span),
    /// No segment will hold it.
    Nowhere,
    /// A segment may come that holds it.
    Undecided,
}

#[derive(Debug, Default)]
pub(super) struct Timeline {
    spans: VecDeque<Span>,
    next_number: u64,
    epochs: u64,
    /// The leader's latest decode time.
    clock: Option<i64>,
    /// Until when the epochs before were decoded.
    end: Option<i64>,
    /// The next random access point begins an epoch.
    pub(super) wants_epoch: bool,
}

impl Timeline {
    /// Return the leader's latest decode time.
    pub(super) fn clock(&self) -> Option<i64> {
        self.clock
    }

    pub(super) fn set_clock(&mut self, time: i64) {
        self.clock = Some(time);
    }

    /// Return the open segment.
    pub(super) fn open(&self) -> Option<Span> {
        self.spans.back().copied().filter(|span| span.end.is_none())
    }

    pub(super) fn spans(&self) -> impl ExactSizeIterator<Item = Span> {
        self.spans.iter().copied()
    }

    /// Return the time of an epoch's first time stamp. If a segment is open, another track becomes
    /// the leader: its time is near, or belongs to another clock.
    pub(super) fn first_time(&self, stamp: Timestamp) -> i64 {
        let ticks = stamp.ticks_90k() as i64;
        if let (Some(open), Some(clock), Some(near)) =
            (self.open(), self.clock, self.nearest(ticks))
            && (near - clock).abs() <= UNRELATED
            && near >= open.start
        {
            return near;
        }
        match self.end {
            None => ticks,
            Some(end) => end + (ticks - end).rem_euclid(MODULUS),
        }
    }

    /// Return the time nearest to the leader's that is congruent to `time`.
    pub(super) fn nearest(&self, time: i64) -> Option<i64> {
        let clock = self.clock?;
        Some(time + (clock - time + MODULUS / 2).div_euclid(MODULUS) * MODULUS)
    }

    /// Begin an epoch with a segment; return whether one preceded it.
    pub(super) fn begin_epoch(&mut self, start: i64) -> bool {
        self.close(start);
        let is_discontinuity = self.epochs > 0;
        self.epochs += 1;
        self.wants_epoch = false;
        self.begin_segment(start);
        is_discontinuity
    }

    /// End the open segment, and begin the next.
    pub(super) fn begin_segment(&mut self, start: i64) {
        self.close(start);
        if self.spans.len() == MAX_SPANS {
            self.spans.pop_front();
        }
        self.spans.push_back(Span {
            number: self.next_number,
            epoch: self.epochs,
            start,
            end: None,
        });
        self.next_number += 1;
    }

    /// End the open segment; the next one begins an epoch, and its first sample is decoded no
    /// earlier than `decoded_until`.
    pub(super) fn end_epoch(&mut self, shown_until: i64, decoded_until: i64) {
        self.close(shown_until);
        let before = self.end.unwrap_or(decoded_until);
        self.end = Some(before.max(decoded_until));
    }

    fn close(&mut self, end: i64) {
        if let Some(span) = self.spans.back_mut() {
            let start = span.start;
            span.end.get_or_insert(end.max(start));
        }
    }

    /// Return where a time lies. In the open segment only times before the leader's are certain.
    pub(super) fn place(&self, time: i64, is_over: bool) -> Place {
        if let Some(span) = self.spans.iter().find(|span| span.holds(time)) {
            let is_certain = span.end.is_some() || is_over;
            return match self.clock {
                Some(clock) if is_certain || time <= clock => Place::In(*span),
                _ => Place::Undecided,
            };
        }
        match self.spans.back() {
            Some(last) if last.end.is_some_and(|end| time >= end) && !is_over => Place::Undecided,
            None if !is_over => Place::Undecided,
            _ => Place::Nowhere,
        }
    }

    /// Forget segments before `number`.
    pub(super) fn forget_before(&mut self, number: u64) {
        while self
            .spans
            .front()
            .is_some_and(|span| span.end.is_some() && span.number < number)
            && self.spans.len() > 1
        {
            self.spans.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_begins_behind_the_one_before_it_and_keeps_its_stamps() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.first_time(Timestamp::new(700)), 700);
        timeline.begin_epoch(700);
        timeline.end_epoch(1080, 1000);
        assert_eq!(timeline.first_time(Timestamp::new(1000)), 1000);
        assert_eq!(timeline.first_time(Timestamp::new(5000)), 5000);
        assert_eq!(timeline.first_time(Timestamp::new(999)), MODULUS + 999);
    }

    #[test]
    fn times_are_placed_by_the_segments_that_hold_them() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.place(5, false), Place::Undecided);
        timeline.begin_epoch(100);
        timeline.set_clock(150);
        timeline.begin_segment(200);
        timeline.set_clock(210);
        let number = |time| match timeline.place(time, false) {
            Place::In(span) => Some(span.number),
            _ => None,
        };
        assert_eq!(timeline.place(99, false), Place::Nowhere);
        assert_eq!(
            (number(100), number(199), number(200)),
            (Some(0), Some(0), Some(1))
        );
        assert_eq!(timeline.place(211, false), Place::Undecided);
        timeline.end_epoch(300, 300);
        timeline.begin_epoch(500);
        assert_eq!(timeline.place(300, false), Place::Nowhere);
    }
}
