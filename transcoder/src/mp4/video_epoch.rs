//! The pictures between two discontinuities, to samples, parts and segments.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use super::boxes::{RunSample, video_header};
use super::event::{Event, Header, Media, Rendition};
use super::parameters::Sets;
use super::parts::{Parts, Sample};
use super::pictures::Picture;
use super::sample_entry::Description;
use super::timeline::Timeline;
use crate::ts::clock::TICKS_PER_SECOND;
use crate::ts::video::Access;

/// Options of a video track.
#[derive(Debug, Clone, Copy)]
pub(super) struct Targets {
    /// In 90 kHz.
    pub(super) segment: i64,
    pub(super) part: i64,
    /// How long a segment is at most.
    pub(super) longest: i64,
}

/// Pictures between two discontinuities.
#[derive(Debug)]
pub(super) struct Epoch {
    targets: Targets,
    is_hevc: bool,
    pub(super) sets: Sets,
    description: Description,
    has_header: bool,
    /// Decode time of the latest picture.
    pub(super) time: i64,
    /// Presentation time of the latest random access point, and less the one before it.
    access_time: i64,
    group: i64,
    /// Presentation time below which pictures do not decode, until one is above it.
    leading_before: Option<i64>,
    /// The latest sample, whose duration is known with the next one.
    pub(super) waiting: Option<Sample>,
}

/// When a picture is decoded and shown, in 64 bits of 90 kHz.
#[derive(Debug, Clone, Copy)]
pub(super) struct PictureTime {
    pub(super) time: i64,
    /// Presentation time less decode time.
    pub(super) offset: i64,
    /// Whether it is a random access point.
    pub(super) is_random: bool,
}

impl Epoch {
    /// Begin with a random access point that is shown `offset` after its decode time.
    pub(super) fn new(
        picture: Picture,
        description: Description,
        time: i64,
        offset: i64,
        targets: Targets,
        is_hevc: bool,
    ) -> Self {
        let access_time = time + offset;
        let is_open = matches!(picture.access, Access::Random { is_open: true });
        Self {
            targets,
            is_hevc,
            sets: picture.sets.unwrap_or_default(),
            description,
            has_header: false,
            time,
            access_time,
            group: 0,
            leading_before: is_open.then_some(access_time),
            waiting: sample(picture.data, time, offset, true),
        }
    }

    /// Take the next picture of the epoch under way.
    pub(super) fn go_on(
        &mut self,
        picture: Picture,
        at: PictureTime,
        parts: &mut Parts,
        timeline: &mut Timeline,
        events: &mut VecDeque<Event>,
    ) {
        let PictureTime {
            time,
            offset,
            is_random,
        } = at;
        let shown_at = time + offset;
        if let Some(access_time) = self.leading_before {
            let is_leading = shown_at < access_time;
            if picture.is_disposable && (is_leading || self.is_hevc) {
                return;
            }
            if !is_leading {
                self.leading_before = None;
            }
        }
        self.end_longest(time, parts, timeline, events);
        let cuts = is_random && {
            self.group = shown_at - self.access_time;
            self.access_time = shown_at;
            let elapsed = timeline.open().map_or(0, |span| shown_at - span.start);
            elapsed > 0 && elapsed + self.group > self.targets.segment
        };
        self.end_waiting(time, parts, events);
        if cuts {
            self.flush_part(parts, events);
            parts.end((0, 0), events);
            timeline.begin_segment(shown_at);
            if let Some(span) = timeline.open() {
                parts.begin(span.number);
            }
        }
        let mut data = picture.data;
        if !is_random && !picture.new_sets.is_empty() {
            // The next random access point brings them in an initialisation segment.
            data.splice(0..0, picture.new_sets);
        }
        self.waiting = sample(data, time, offset, is_random);
    }

    /// Begin a segment with the latest sample where that, which ends at `time`, would make the one
    /// under way too long.
    fn end_longest(
        &mut self,
        time: i64,
        parts: &mut Parts,
        timeline: &mut Timeline,
        events: &mut VecDeque<Event>,
    ) {
        let waiting = self.waiting.as_ref();
        let (Some(begun_at), Some(waiting), Some(span)) =
            (parts.begun_at(), waiting, timeline.open())
        else {
            return;
        };
        let (begun_at, ends_at) = (begun_at as i64, waiting.decode_time as i64);
        if time - begun_at <= self.targets.longest || ends_at <= begun_at {
            return;
        }
        self.flush_part(parts, events);
        parts.end((0, 0), events);
        timeline.begin_segment(span.start + ends_at - begun_at);
        if let Some(span) = timeline.open() {
            parts.begin(span.number);
        }
    }

    /// Give the latest sample its duration: up to `time`.
    pub(super) fn end_waiting(
        &mut self,
        time: i64,
        parts: &mut Parts,
        events: &mut VecDeque<Event>,
    ) {
        let Some(mut sample) = self.waiting.take() else {
            return;
        };
        let duration = time - sample.decode_time as i64;
        sample.duration = u32::try_from(duration).unwrap_or_default();
        if parts.is_full_for(sample.duration, sample.data.len()) {
            self.flush_part(parts, events);
        }
        parts.add(sample);
    }

    /// End the part under way, behind the initialisation segment.
    pub(super) fn flush_part(&mut self, parts: &mut Parts, events: &mut VecDeque<Event>) {
        let samples = parts.samples();
        if !self.has_header && !samples.is_empty() {
            self.has_header = true;
            let rate = frames_per_1000_s(samples);
            let timescale = NonZeroU32::MIN.saturating_add(TICKS_PER_SECOND as u32 - 1);
            let description = &self.description;
            let data = video_header(description, timescale);
            if let (Some(data), Some(segment)) = (data, parts.segment()) {
                events.push_back(Event::Header(Header {
                    rendition: Rendition::Video,
                    segment,
                    codecs: description.codecs.clone(),
                    timescale: timescale.get(),
                    media: Media::Video {
                        width: description.width,
                        height: description.height,
                        aspect: description.aspect,
                        frames_per_1000_s: rate,
                        is_interlaced: description.is_interlaced,
                    },
                    data,
                }));
            }
        }
        parts.flush(events);
    }
}

/// Return the frame rate by durations: those that pictures left out have made longer do not
/// count.
fn frames_per_1000_s(samples: &[RunSample]) -> Option<u32> {
    let mut durations: Vec<u64> = samples.iter().map(|s| u64::from(s.duration)).collect();
    durations.sort_unstable();
    let median = *durations.get(durations.len() / 2)?;
    durations.retain(|&duration| duration > 0 && duration <= median + median / 2);
    let (count, total) = (durations.len() as u64, durations.iter().sum::<u64>());
    let rate = (count * 1000 * TICKS_PER_SECOND as u64 + total / 2).checked_div(total)?;
    u32::try_from(rate).ok().filter(|_| samples.len() > 1)
}

fn sample(data: Vec<u8>, time: i64, offset: i64, is_sync: bool) -> Option<Sample> {
    Some(Sample {
        data,
        decode_time: u64::try_from(time).ok()?,
        duration: 0,
        composition_offset: i32::try_from(offset).ok()?,
        is_sync,
    })
}
