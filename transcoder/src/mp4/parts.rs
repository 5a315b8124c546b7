//! Samples of one rendition to parts and segments.

use std::collections::VecDeque;

use super::boxes::{RunSample, part};
use super::event::{Event, Part, Rendition, Segment};

/// Maximum size of a part of video in bytes: one picture of the largest size. More bytes end the
/// part early.
pub(super) const MAX_VIDEO_PART_BYTES: usize = super::pictures::MAX_PICTURE_BYTES;

/// Maximum size of a part of sound in bytes: 5 s of 1.6 Mbit/s.
pub(super) const MAX_SOUND_PART_BYTES: usize = 1024 * 1024;

/// Maximum number of samples of a part: 20 s of sound.
pub(super) const MAX_PART_SAMPLES: usize = 1024;

/// A sample with its data.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) data: Vec<u8>,
    /// In ticks of the rendition.
    pub(super) decode_time: u64,
    pub(super) duration: u32,
    pub(super) composition_offset: i32,
    pub(super) is_sync: bool,
}

/// The part and the segment under way.
#[derive(Debug)]
pub(super) struct Parts {
    rendition: Rendition,
    /// Longest part, in ticks.
    target: u64,
    max_bytes: usize,
    sequence: u32,
    segment: Option<Open>,
    /// Of the part under way.
    samples: Vec<RunSample>,
    data: Vec<u8>,
    decode_time: u64,
    duration: u64,
}

/// The segment under way.
#[derive(Debug)]
struct Open {
    number: u64,
    parts: u32,
    decode_time: Option<u64>,
    duration: u64,
}

impl Parts {
    pub(super) fn new(rendition: Rendition, target: u64) -> Self {
        Self {
            rendition,
            target,
            max_bytes: match rendition {
                Rendition::Video => MAX_VIDEO_PART_BYTES,
                _ => MAX_SOUND_PART_BYTES,
            },
            sequence: 1,
            segment: None,
            samples: Vec::new(),
            data: Vec::new(),
            decode_time: 0,
            duration: 0,
        }
    }

    /// Return the segment under way.
    pub(super) fn segment(&self) -> Option<u64> {
        self.segment.as_ref().map(|open| open.number)
    }

    /// Return how many bytes of samples wait for the end of their part.
    pub(super) fn held_bytes(&self) -> usize {
        self.data.len()
    }

    /// Return whether anything has come of the segment under way.
    pub(super) fn has_begun(&self) -> bool {
        let has_parts = self.segment.as_ref().is_some_and(|open| open.parts > 0);
        has_parts || !self.samples.is_empty()
    }

    /// Decode time of the first sample of the segment under way.
    pub(super) fn begun_at(&self) -> Option<u64> {
        let under_way = (!self.samples.is_empty()).then_some(self.decode_time);
        self.segment.as_ref()?.decode_time.or(under_way)
    }

    /// Return the samples of the part under way.
    pub(super) fn samples(&self) -> &[RunSample] {
        &self.samples
    }

    /// Begin a segment. The one before it has ended.
    pub(super) fn begin(&mut self, number: u64) {
        self.segment = Some(Open {
            number,
            parts: 0,
            decode_time: None,
            duration: 0,
        });
    }

    /// Set how long a part is at most, in ticks.
    pub(super) fn set_target(&mut self, target: u64) {
        self.target = target;
    }

    /// Return whether a part ends before a sample of this duration and size is added.
    pub(super) fn is_full_for(&self, duration: u32, bytes: usize) -> bool {
        !self.samples.is_empty()
            && (self.duration + u64::from(duration) > self.target
                || self.data.len() + bytes > self.max_bytes
                || self.samples.len() == MAX_PART_SAMPLES)
    }

    /// Add the next sample of the segment under way.
    pub(super) fn add(&mut self, mut sample: Sample) {
        if self.samples.is_empty() {
            self.decode_time = sample.decode_time;
        }
        self.samples.push(RunSample {
            duration: sample.duration,
            // A sample is shorter than MAX_PICTURE_BYTES.
            size: sample.data.len() as u32,
            is_sync: sample.is_sync,
            composition_offset: sample.composition_offset,
        });
        self.data.append(&mut sample.data);
        self.duration += u64::from(sample.duration);
    }

    /// End the part under way.
    pub(super) fn flush(&mut self, events: &mut VecDeque<Event>) {
        let Some(open) = &mut self.segment else {
            return;
        };
        let Some(first) = self.samples.first() else {
            return;
        };
        let is_independent = first.is_sync;
        if let Some(data) = part(self.sequence, self.decode_time, &self.samples, &self.data) {
            events.push_back(Event::Part(Part {
                rendition: self.rendition,
                segment: open.number,
                index: open.parts,
                decode_time: self.decode_time,
                duration: self.duration,
                is_independent,
                data,
            }));
            open.decode_time.get_or_insert(self.decode_time);
            open.duration += self.duration;
            open.parts += 1;
            self.sequence = self.sequence.wrapping_add(1);
        }
        self.samples.clear();
        self.data.clear();
        self.duration = 0;
    }

    /// End the segment under way, which without parts is a gap of the given time.
    pub(super) fn end(&mut self, gap: (u64, u64), events: &mut VecDeque<Event>) {
        self.flush(events);
        let Some(open) = self.segment.take() else {
            return;
        };
        let (decode_time, duration) = match open.decode_time {
            Some(decode_time) => (decode_time, open.duration),
            None => gap,
        };
        events.push_back(Event::Segment(Segment {
            rendition: self.rendition,
            number: open.number,
            parts: open.parts,
            decode_time,
            duration,
        }));
    }
}
