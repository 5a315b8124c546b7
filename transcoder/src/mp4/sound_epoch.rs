//! The frames of a sound track between two discontinuities, to samples and parts.

use std::collections::VecDeque;

use super::boxes::SoundFormat;
use super::event::Event;
use super::parts::{Parts, Sample};
use super::sound_frames::FRAME_SAMPLES;
use super::timeline::{Span, Timeline};
use crate::ts::clock::TICKS_PER_SECOND;

/// The frames between two discontinuities.
#[derive(Debug)]
pub(super) struct SoundEpoch {
    pub(super) number: u64,
    pub(super) format: Option<SoundFormat>,
    pub(super) has_header: bool,
    pub(super) parts: Parts,
    /// The latest sample, whose duration is known with the next one.
    pub(super) waiting: Option<Sample>,
}

impl SoundEpoch {
    pub(super) fn rate_hz(&self, other: u32) -> u32 {
        self.format.map_or(other, |format| format.sample_rate_hz)
    }

    /// Give the latest sample its duration: up to the next one's time, where that is not
    /// further away than `fill` samples. Return false where the next one is too early.
    pub(super) fn end_waiting(
        &mut self,
        next: Option<u64>,
        fill: i64,
        events: &mut VecDeque<Event>,
    ) -> bool {
        let Some(mut sample) = self.waiting.take() else {
            return true;
        };
        let mut has_hole = false;
        if let Some(next) = next {
            let Some(duration) = next.checked_sub(sample.decode_time).filter(|&d| d > 0) else {
                self.waiting = Some(sample);
                return false;
            };
            let longest = i64::from(FRAME_SAMPLES) + fill;
            match u32::try_from(duration) {
                Ok(duration) if i64::from(duration) <= longest => sample.duration = duration,
                _ => has_hole = true,
            }
        }
        if self.parts.is_full_for(sample.duration, sample.data.len()) {
            self.parts.flush(events);
        }
        self.parts.add(sample);
        if has_hole {
            // The next part tells its own decode time.
            self.parts.flush(events);
        }
        true
    }

    /// Go on to a segment of the same epoch.
    pub(super) fn enter(&mut self, span: Span, timeline: &Timeline, events: &mut VecDeque<Event>) {
        let rate_hz = self.rate_hz(1);
        for passed in timeline.spans() {
            if passed.number < span.number {
                self.end_span(passed, rate_hz, events);
            }
        }
    }

    /// End a segment where it is the one under way, and begin the next.
    pub(super) fn end_span(&mut self, span: Span, rate_hz: u32, events: &mut VecDeque<Event>) {
        if self.parts.segment() != Some(span.number) {
            return;
        }
        let start = to_samples(span.start, rate_hz).max(0) as u64;
        let end = to_samples(span.end.unwrap_or(span.start), rate_hz).max(0) as u64;
        self.parts.end((start, end.saturating_sub(start)), events);
        self.parts.begin(span.number + 1);
    }
}

/// Return a 90 kHz time in samples, rounded to the nearest.
pub(super) fn to_samples(ticks_90k: i64, rate_hz: u32) -> i64 {
    let product = i128::from(ticks_90k) * i128::from(rate_hz);
    let rounded = (product + i128::from(TICKS_PER_SECOND / 2)).div_euclid(TICKS_PER_SECOND.into());
    i64::try_from(rounded).unwrap_or_default()
}
