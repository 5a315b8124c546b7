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
use super::timeline::{Place, Span, Timeline, UNRELATED};
use crate::Language;
use crate::audio::Codec;
use crate::audio::access_unit::{AccessUnit, Lost};
use crate::audio::framer::Framer;
use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};
use crate::ts::continuity::{Continuity, SourceCounter};
use crate::ts::packet::{Packet, Pid};
use crate::ts::pes::PesReader;
use crate::ts::scrambling::{Judgement, Scrambling};

/// Frames of a track that wait for the leader, at most: 10 s. The oldest go.
pub(super) const MAX_HELD_FRAMES: usize = 512;

/// Bytes of these frames, at most: 10 s of 800 kbit/s.
pub(super) const MAX_HELD_FRAME_BYTES: usize = 1024 * 1024;

/// How far a frame's stamp may be from the samples' count: 0.5 ms.
const TOLERANCE: i64 = TICKS_PER_SECOND / 2000;

/// Sound that has not come so long after the leader passed does not come.
const MAX_LAG: i64 = 3 * TICKS_PER_SECOND;

/// A hole that is longer than this is left in the time line; a shorter one is filled by the
/// frame before it.
const MAX_FILL: i64 = TICKS_PER_SECOND / 5;

const FRAME_SAMPLES: u32 = 1024;

/// A sound track of the programme.
#[derive(Debug)]
pub(super) struct SoundTrack {
    pub(super) pid: Pid,
    pub(super) language: Option<[u8; 3]>,
    pub(super) is_description: bool,
    counter: SourceCounter,
    scrambling: Scrambling,
    pes: PesReader,
    framer: Framer,
    anchor: Option<Anchor>,
    frames: Held,
    /// Longest part, in 90 kHz.
    part_target: i64,
    running: Option<Running>,
    /// The sample rate of times that are told without a format.
    last_rate_hz: u32,
    /// Samples since the latest picture.
    pub(super) unaccompanied: u64,
}

/// A time of the track's own 64 bits, and the samples since.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    time: i64,
    samples: u64,
    rate_hz: u32,
}

impl Anchor {
    fn ticks_90k(self) -> i64 {
        let samples = self.samples as i64 * TICKS_PER_SECOND;
        self.time + samples / i64::from(self.rate_hz)
    }
}

#[derive(Debug)]
struct Frame {
    at: Anchor,
    format: SoundFormat,
    data: Vec<u8>,
}

/// Frames that wait for the leader.
#[derive(Debug, Default)]
struct Held {
    queue: VecDeque<Frame>,
    /// Of their data.
    bytes: usize,
}

impl Held {
    /// Adds a frame; the oldest go, where there are too many.
    fn push(&mut self, frame: Frame) {
        self.bytes += frame.data.len();
        self.queue.push_back(frame);
        while self.queue.len() > MAX_HELD_FRAMES || self.bytes > MAX_HELD_FRAME_BYTES {
            self.pop();
        }
    }

    fn pop(&mut self) -> Option<Frame> {
        let frame = self.queue.pop_front()?;
        self.bytes -= frame.data.len();
        Some(frame)
    }
}

/// The track within an epoch.
#[derive(Debug)]
struct Running {
    epoch: u64,
    format: Option<SoundFormat>,
    has_header: bool,
    parts: Parts,
    /// The latest sample, whose duration the next one tells.
    waiting: Option<Sample>,
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
            counter: SourceCounter::default(),
            scrambling: Scrambling::default(),
            pes: PesReader::default(),
            framer: Framer::new(Codec::AacAdts),
            anchor: None,
            frames: Held::default(),
            part_target,
            running: None,
            last_rate_hz: 48_000,
            unaccompanied: 0,
        }
    }

    /// Takes the PID's next packet; returns how many frames it completes.
    pub(super) fn push(&mut self, packet: Packet<'_>, troubles: &mut Vec<NotOffered>) -> usize {
        match self.counter.judge(packet) {
            Continuity::Repeats => return 0,
            Continuity::Lost { .. } => self.lose(),
            Continuity::Follows => {}
        }
        if !packet.has_payload() {
            return 0;
        }
        if self.scrambling.judge(packet).this == Judgement::Scrambled {
            self.lose();
            return 0;
        }
        let Some(chunk) = self.pes.push(packet.payload(), packet.unit_start()) else {
            return 0;
        };
        self.framer.push(chunk.data, chunk.pts);
        self.take_frames(troubles)
    }

    fn lose(&mut self) {
        self.pes.lose();
        self.framer.lose(Lost::default());
    }

    /// Ends the stream.
    pub(super) fn flush(&mut self, troubles: &mut Vec<NotOffered>) -> usize {
        self.framer.flush();
        self.take_frames(troubles)
    }

    /// The times, in the track's own 64 bits, of the latest frames.
    pub(super) fn latest(&self, count: usize) -> impl Iterator<Item = i64> {
        let skipped = self.frames.queue.len().saturating_sub(count);
        self.frames
            .queue
            .iter()
            .skip(skipped)
            .map(|frame| frame.at.ticks_90k())
    }

    /// Bytes that are held, beside what the framer holds.
    pub(super) fn held_bytes(&self) -> usize {
        let running = self.running.as_ref();
        let waiting = running.and_then(|r| r.waiting.as_ref());
        let waiting = waiting.map_or(0, |sample| sample.data.len());
        self.frames.bytes + waiting + running.map_or(0, |r| r.parts.held_bytes())
    }

    pub(super) fn held_frames(&self) -> usize {
        self.frames.queue.len()
    }

    fn take_frames(&mut self, troubles: &mut Vec<NotOffered>) -> usize {
        let mut count = 0;
        while let Some(unit) = self.framer.next_unit() {
            let Some((format, data)) = raw_frame(&unit) else {
                troubles.push(NotOffered {
                    pid: self.pid,
                    reason: Reason::SoundCoding,
                });
                continue;
            };
            let Some(at) = place(self.anchor, format.sample_rate_hz, unit.pts) else {
                continue;
            };
            self.last_rate_hz = format.sample_rate_hz;
            self.anchor = Some(Anchor {
                samples: at.samples + u64::from(FRAME_SAMPLES),
                ..at
            });
            self.unaccompanied += u64::from(FRAME_SAMPLES);
            let data = data.to_vec();
            self.frames.push(Frame { at, format, data });
            count += 1;
        }
        count
    }

    /// Seconds of sound since the latest picture.
    pub(super) fn unaccompanied_s(&self) -> u64 {
        self.unaccompanied / u64::from(self.last_rate_hz)
    }

    /// Puts frames into segments, as far as the leader has passed.
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
                let back = self.frames.queue.back().map(|frame| frame.at.ticks_90k());
                let has_related = back
                    .and_then(|time| timeline.nearest(time))
                    .is_some_and(is_related);
                if !has_related && !is_over {
                    if self.frames.queue.len() == MAX_HELD_FRAMES {
                        troubles.push(NotOffered {
                            pid: self.pid,
                            reason: Reason::UnrelatedClock,
                        });
                    }
                    break;
                }
                self.frames.pop();
                continue;
            }
            match timeline.place(time, is_over) {
                Place::Undecided => break,
                Place::Nowhere => {
                    self.frames.pop();
                }
                Place::In(span) => {
                    if let Some(frame) = self.frames.pop() {
                        self.add(frame, shift, span, timeline, events);
                    }
                }
            }
        }
        self.end_silent(timeline, events);
    }

    /// The time of the oldest frame, and what it is from the track's own.
    fn front_time(&self, timeline: &Timeline) -> Option<(i64, i64)> {
        let own = self.frames.queue.front()?.at.ticks_90k();
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
        let Some(running) = &mut self.running else {
            return;
        };
        if running
            .parts
            .segment()
            .is_some_and(|number| number > span.number)
        {
            return;
        }
        let format = *running.format.get_or_insert(frame.format);
        if format != frame.format {
            // Another initialisation segment: with the next epoch.
            timeline.wants_epoch = true;
            return;
        }
        if !running.has_header {
            let Some(header) = header(self.pid, self.language, self.is_description, format, span)
            else {
                return;
            };
            events.push_back(Event::Header(header));
            running.has_header = true;
            running
                .parts
                .set_target(to_samples(part_target, format.sample_rate_hz).max(1) as u64);
        }
        let start = to_samples(frame.at.time + shift, format.sample_rate_hz);
        let decode_time = start + frame.at.samples as i64;
        let Ok(decode_time) = u64::try_from(decode_time) else {
            return;
        };
        let fill = to_samples(MAX_FILL.min(part_target), format.sample_rate_hz);
        if !running.end_waiting(Some(decode_time), fill, events) {
            return;
        }
        running.enter(span, timeline, events);
        running.waiting = Some(Sample {
            data: frame.data,
            decode_time,
            duration: FRAME_SAMPLES,
            composition_offset: 0,
            is_sync: true,
        });
    }

    /// Ends what precedes a segment: every one of the epoch, with gaps where nothing came.
    fn advance(
        &mut self,
        span: Span,
        format: Option<SoundFormat>,
        timeline: &Timeline,
        events: &mut VecDeque<Event>,
    ) {
        if self.running.as_ref().is_some_and(|r| r.epoch != span.epoch) {
            self.end_running(timeline, span, events);
        }
        let rate_hz = self.last_rate_hz;
        let target = to_samples(self.part_target, rate_hz).max(1) as u64;
        let rendition = Rendition::Sound(self.pid);
        let running = self.running.get_or_insert_with(|| Running {
            epoch: span.epoch,
            format,
            has_header: false,
            parts: Parts::new(rendition, target),
            waiting: None,
        });
        if running.parts.segment().is_none() {
            // The first of the epoch that it has part in.
            running.parts.begin(span.number);
        }
    }

    /// Ends the epoch that precedes a segment of another.
    fn end_running(&mut self, timeline: &Timeline, next: Span, events: &mut VecDeque<Event>) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        running.end_waiting(None, 0, events);
        let rate_hz = running.rate_hz(self.last_rate_hz);
        for span in timeline.spans() {
            if span.epoch == running.epoch && span.number < next.number {
                running.end_span(span, rate_hz, events);
            }
        }
        if running.parts.has_begun() {
            running.parts.end((0, 0), events);
        }
    }

    /// Ends segments for which the sound does not come.
    fn end_silent(&mut self, timeline: &Timeline, events: &mut VecDeque<Event>) {
        let Some(clock) = timeline.clock() else {
            return;
        };
        let late: Vec<Span> = timeline
            .spans()
            .filter(|span| span.end.is_some_and(|end| end + MAX_LAG < clock))
            .collect();
        for span in late {
            let Some(running) = &mut self.running else {
                return;
            };
            if span.epoch == running.epoch
                && running
                    .parts
                    .segment()
                    .is_some_and(|number| number <= span.number)
            {
                running.end_waiting(None, 0, events);
                let rate_hz = running.rate_hz(self.last_rate_hz);
                running.end_span(span, rate_hz, events);
            }
        }
    }

    /// The first segment that it may still add to; none while it has part in none.
    pub(super) fn needs_from(&self) -> Option<u64> {
        self.running.as_ref()?.parts.segment()
    }

    /// Ends the track.
    pub(super) fn end(&mut self, events: &mut VecDeque<Event>) {
        if let Some(mut running) = self.running.take() {
            running.end_waiting(None, 0, events);
            if running.parts.has_begun() {
                running.parts.end((0, 0), events);
            }
        }
    }
}

impl Running {
    fn rate_hz(&self, other: u32) -> u32 {
        self.format.map_or(other, |format| format.sample_rate_hz)
    }

    /// Gives the latest sample its duration: up to the next one's time, where that is not
    /// further away than `fill` samples. Returns false where the next one is too early.
    fn end_waiting(&mut self, next: Option<u64>, fill: i64, events: &mut VecDeque<Event>) -> bool {
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

    /// Goes on to a segment of the same epoch.
    fn enter(&mut self, span: Span, timeline: &Timeline, events: &mut VecDeque<Event>) {
        let rate_hz = self.rate_hz(1);
        for passed in timeline.spans() {
            if passed.number < span.number {
                self.end_span(passed, rate_hz, events);
            }
        }
    }

    /// Ends a segment where it is the one under way, and begins the next.
    fn end_span(&mut self, span: Span, rate_hz: u32, events: &mut VecDeque<Event>) {
        if self.parts.segment() != Some(span.number) {
            return;
        }
        let start = to_samples(span.start, rate_hz).max(0) as u64;
        let end = to_samples(span.end.unwrap_or(span.start), rate_hz).max(0) as u64;
        self.parts.end((start, end.saturating_sub(start)), events);
        self.parts.begin(span.number + 1);
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

/// A 90 kHz time in samples, rounded to the nearest.
fn to_samples(ticks_90k: i64, rate_hz: u32) -> i64 {
    let product = i128::from(ticks_90k) * i128::from(rate_hz);
    let rounded = (product + i128::from(TICKS_PER_SECOND / 2)).div_euclid(TICKS_PER_SECOND.into());
    i64::try_from(rounded).unwrap_or_default()
}

/// Where a frame lies that follows `expected`, and that a stamp may move.
fn place(expected: Option<Anchor>, rate_hz: u32, pts: Option<Timestamp>) -> Option<Anchor> {
    let Some(expected) = expected else {
        return pts.map(|pts| Anchor {
            time: pts.ticks_90k() as i64,
            samples: 0,
            rate_hz,
        });
    };
    let now = expected.ticks_90k();
    let anchored_at = |time| Anchor {
        time,
        samples: 0,
        rate_hz,
    };
    let Some(pts) = pts else {
        return Some(if expected.rate_hz == rate_hz {
            expected
        } else {
            anchored_at(now)
        });
    };
    let deviation = pts.since(Timestamp::new(now.rem_euclid(1 << 33) as u64));
    if deviation.abs() <= TOLERANCE && expected.rate_hz == rate_hz {
        Some(expected)
    } else {
        Some(anchored_at(now + deviation))
    }
}

/// The format of an ADTS frame, and its one raw data block.
fn raw_frame<'a>(unit: &AccessUnit<'a>) -> Option<(SoundFormat, &'a [u8])> {
    let header = unit.header;
    let (Some(sample_rate_hz), Some(channels), Some(FRAME_SAMPLES)) =
        (header.sample_rate_hz, header.channels, header.samples)
    else {
        return None;
    };
    let &[_, second, third, fourth, ..] = unit.data else {
        return None;
    };
    let has_crc = second & 1 == 0;
    let data = unit.data.get(if has_crc { 9 } else { 7 }..)?;
    // profile_ObjectType is the audio object type less 1 (ISO/IEC 14496-3, 1.A.2.2).
    let object_type = (third >> 6) + 1;
    let rate_index = third >> 2 & 0x0F;
    let channel_configuration = (third & 1) << 2 | fourth >> 6;
    Some((
        SoundFormat {
            sample_rate_hz,
            channels,
            config: [
                object_type << 3 | rate_index >> 1,
                rate_index << 7 | channel_configuration << 3,
            ],
        },
        data,
    ))
}
