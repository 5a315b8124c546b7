//! AAC in ADTS to raw access units with their times.
//!
//! ```text
//! packets -> PES -> Framer -> frames (anchor + samples) -> held until the leader has passed
//!                                                       -> segment by time -> parts
//! ```
//!
//! Times are counted in samples from an anchor, as stamps are rounded to 90 kHz. A stamp that
//! says otherwise by more than [`TOLERANCE`] is the next anchor.

use std::collections::VecDeque;

use super::boxes::{SoundFormat, sound_header};
use super::event::{Event, Header, Media, NotOffered, Reason, Rendition};
use super::parts::{Parts, Sample};
use super::sound_epoch::{SoundEpoch, to_samples};
use super::sound_frames::{FRAME_SAMPLES, Frame, Frames, MAX_HELD_FRAMES};
use super::timeline::{Place, Span, Timeline, UNRELATED};
use crate::Language;
use crate::ts::clock::TICKS_PER_SECOND;
use crate::ts::packet::{Packet, Pid};

/// Sound that has not come so long after the leader passed does not come.
const MAX_LAG: i64 = 3 * TICKS_PER_SECOND;

/// A hole that is longer than this is left in the time line; a shorter one is filled by the
/// frame before it.
const MAX_FILL: i64 = TICKS_PER_SECOND / 5;

/// A sound track of the program.
#[derive(Debug)]
pub(super) struct SoundTrack {
    pub(super) pid: Pid,
    pub(super) language: Option<[u8; 3]>,
    pub(super) is_description: bool,
    pub(super) frames: Frames,
    /// Longest part, in 90 kHz.
    part_target: i64,
    epoch: Option<SoundEpoch>,
}

impl SoundTrack {
    pub(super) fn new(
        pid: Pid,
        language: Option<[u8; 3]>,
        is_description: bool,
        part_target: i64,
    ) -> Self {
        Self {
            pid,
            language,
            is_description,
            frames: Frames::new(),
            part_target,
            epoch: None,
        }
    }

    /// Take the PID's next packet; return how many frames it completes.
    pub(super) fn push(&mut self, packet: Packet<'_>, troubles: &mut Vec<NotOffered>) -> usize {
        self.frames.push(packet, self.pid, troubles)
    }

    /// End the stream.
    pub(super) fn flush(&mut self, troubles: &mut Vec<NotOffered>) -> usize {
        self.frames.flush(self.pid, troubles)
    }

    /// Return the times, in the track's own 64 bits, of the latest frames.
    pub(super) fn latest(&self, count: usize) -> impl Iterator<Item = i64> {
        let skipped = self.frames.held.queue.len().saturating_sub(count);
        self.frames
            .held
            .queue
            .iter()
            .skip(skipped)
            .map(|frame| frame.at.ticks_90k())
    }

    /// Return how many bytes are held, without those in the framer.
    pub(super) fn held_bytes(&self) -> usize {
        let epoch = self.epoch.as_ref();
        let waiting = epoch.and_then(|r| r.waiting.as_ref());
        let waiting = waiting.map_or(0, |sample| sample.data.len());
        self.frames.held.bytes + waiting + epoch.map_or(0, |r| r.parts.held_bytes())
    }

    pub(super) fn held_frames(&self) -> usize {
        self.frames.held.queue.len()
    }

    /// Return how many seconds of sound there were since the latest picture.
    pub(super) fn unaccompanied_s(&self) -> u64 {
        self.frames.unaccompanied / u64::from(self.frames.last_rate_hz)
    }

    /// Put frames into segments, up to the leader's time.
    pub(super) fn follow(
        &mut self,
        timeline: &mut Timeline,
        is_over: bool,
        events: &mut VecDeque<Event>,
        troubles: &mut Vec<NotOffered>,
    ) {
        while let Some((time, shift)) = self.front_time(timeline) {
            let is_related = |time: i64| {
                timeline
                    .clock()
                    .is_some_and(|clock| (time - clock).abs() <= UNRELATED)
            };
            if !is_related(time) {
                let back = self
                    .frames
                    .held
                    .queue
                    .back()
                    .map(|frame| frame.at.ticks_90k());
                let has_related = back
                    .and_then(|time| timeline.nearest(time))
                    .is_some_and(is_related);
                if !has_related && !is_over {
                    if self.frames.held.queue.len() == MAX_HELD_FRAMES {
                        troubles.push(NotOffered {
                            pid: self.pid,
                            reason: Reason::UnrelatedClock,
                        });
                    }
                    break;
                }
                self.frames.held.pop();
                continue;
            }
            match timeline.place(time, is_over) {
                Place::Undecided => break,
                Place::Nowhere => {
                    self.frames.held.pop();
                }
                Place::In(span) => {
                    if let Some(frame) = self.frames.held.pop() {
                        self.add(frame, shift, span, timeline, events);
                    }
                }
            }
        }
        self.end_silent(timeline, events);
    }

    /// Return the time of the oldest frame, and what it is from the track's own.
    fn front_time(&self, timeline: &Timeline) -> Option<(i64, i64)> {
        let own = self.frames.held.queue.front()?.at.ticks_90k();
        let time = timeline.nearest(own)?;
        Some((time, time - own))
    }

    fn add(
        &mut self,
        frame: Frame,
        shift: i64,
        span: Span,
        timeline: &mut Timeline,
        events: &mut VecDeque<Event>,
    ) {
        self.advance(span, Some(frame.format), timeline, events);
        let part_target = self.part_target;
        let Some(epoch) = &mut self.epoch else {
            return;
        };
        if epoch
            .parts
            .segment()
            .is_some_and(|number| number > span.number)
        {
            return;
        }
        let format = *epoch.format.get_or_insert(frame.format);
        if format != frame.format {
            // Another initialisation segment: with the next epoch.
            timeline.wants_epoch = true;
            return;
        }
        if !epoch.has_header {
            let Some(header) = header(self.pid, self.language, self.is_description, format, span)
            else {
                return;
            };
            events.push_back(Event::Header(header));
            epoch.has_header = true;
            epoch
                .parts
                .set_target(to_samples(part_target, format.sample_rate_hz).max(1) as u64);
        }
        let start = to_samples(frame.at.time + shift, format.sample_rate_hz);
        let decode_time = start + frame.at.samples as i64;
        let Ok(decode_time) = u64::try_from(decode_time) else {
            return;
        };
        let fill = to_samples(MAX_FILL.min(part_target), format.sample_rate_hz);
        if !epoch.end_waiting(Some(decode_time), fill, events) {
            return;
        }
        epoch.enter(span, timeline, events);
        epoch.waiting = Some(Sample {
            data: frame.data,
            decode_time,
            duration: FRAME_SAMPLES,
            composition_offset: 0,
            is_sync: true,
        });
    }

    /// End what precedes a segment: every one of the epoch, with gaps where nothing came.
    fn advance(
        &mut self,
        span: Span,
        format: Option<SoundFormat>,
        timeline: &Timeline,
        events: &mut VecDeque<Event>,
    ) {
        if self.epoch.as_ref().is_some_and(|r| r.number != span.epoch) {
            self.end_epoch(timeline, span, events);
        }
        let rate_hz = self.frames.last_rate_hz;
        let target = to_samples(self.part_target, rate_hz).max(1) as u64;
        let rendition = Rendition::Sound(self.pid);
        let epoch = self.epoch.get_or_insert_with(|| SoundEpoch {
            number: span.epoch,
            format,
            has_header: false,
            parts: Parts::new(rendition, target),
            waiting: None,
        });
        if epoch.parts.segment().is_none() {
            // The first of the epoch that it has part in.
            epoch.parts.begin(span.number);
        }
    }

    /// End the epoch that precedes a segment of another.
    fn end_epoch(&mut self, timeline: &Timeline, next: Span, events: &mut VecDeque<Event>) {
        let Some(mut epoch) = self.epoch.take() else {
            return;
        };
        epoch.end_waiting(None, 0, events);
        let rate_hz = epoch.rate_hz(self.frames.last_rate_hz);
        for span in timeline.spans() {
            if span.epoch == epoch.number && span.number < next.number {
                epoch.end_span(span, rate_hz, events);
            }
        }
        if epoch.parts.has_begun() {
            epoch.parts.end((0, 0), events);
        }
    }

    /// End segments for which the sound does not come.
    fn end_silent(&mut self, timeline: &Timeline, events: &mut VecDeque<Event>) {
        let Some(clock) = timeline.clock() else {
            return;
        };
        let late: Vec<Span> = timeline
            .spans()
            .filter(|span| span.end.is_some_and(|end| end + MAX_LAG < clock))
            .collect();
        for span in late {
            let Some(epoch) = &mut self.epoch else {
                return;
            };
            if span.epoch == epoch.number
                && epoch
                    .parts
                    .segment()
                    .is_some_and(|number| number <= span.number)
            {
                epoch.end_waiting(None, 0, events);
                let rate_hz = epoch.rate_hz(self.frames.last_rate_hz);
                epoch.end_span(span, rate_hz, events);
            }
        }
    }

    /// Return the first segment to which it may still add frames; None while there is none.
    pub(super) fn needs_from(&self) -> Option<u64> {
        self.epoch.as_ref()?.parts.segment()
    }

    /// End the track.
    pub(super) fn end(&mut self, events: &mut VecDeque<Event>) {
        if let Some(mut epoch) = self.epoch.take() {
            epoch.end_waiting(None, 0, events);
            if epoch.parts.has_begun() {
                epoch.parts.end((0, 0), events);
            }
        }
    }
}

fn header(
    pid: Pid,
    language: Option<[u8; 3]>,
    is_description: bool,
    format: SoundFormat,
    span: Span,
) -> Option<Header> {
    let data = sound_header(format, language)?;
    Some(Header {
        rendition: Rendition::Sound(pid),
        segment: span.number,
        codecs: format!("mp4a.40.{}", format.config[0] >> 3),
        timescale: format.sample_rate_hz,
        media: Media::Sound {
            language: language.map(Language::of_code),
            is_description,
            channels: format.channels,
            sample_rate_hz: format.sample_rate_hz,
        },
        data,
    })
}
