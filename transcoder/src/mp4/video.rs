//! Pictures to samples with their times, segments and parts.
//!
//! ```text
//!            random access point whose parameters can be read
//! Waiting ----------------------------------------------------> Running
//!    ^                                                             |
//!    '--- time stamps jump, or no random access point for long ----'
//! ```

use std::collections::VecDeque;
use std::num::NonZeroU32;

use super::boxes::{RunSample, video_header};
use super::event::{Event, Header, Media, NotOffered, Reason, Rendition};
use super::parameters::{Description, Sets};
use super::parts::{Parts, Sample};
use super::pictures::{Picture, Pictures};
use super::timeline::Timeline;
use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};
use crate::ts::continuity::{Continuity, SourceCounter};
use crate::ts::packet::{Packet, Pid};
use crate::ts::pes::PesReader;
use crate::ts::scrambling::{Judgement, Scrambling};
use crate::ts::video::{Access, VideoCodec};

/// Pictures without a random access point among them, from which on one that only promises to
/// become whole is where to begin: 5 s of 50 a second.
const PATIENCE_PICTURES: u32 = 250;

/// Pictures without any of both, from which on the sound goes on alone.
const MAX_WAIT_PICTURES: u32 = 2 * PATIENCE_PICTURES;

/// A segment without a random access point in it ends with the epoch, however long the
/// broadcaster's groups of pictures are.
const MAX_SEGMENT: i64 = 30 * TICKS_PER_SECOND;

/// A step between decode times that is longer than this is no step of one stream, but for
/// pictures that come more seldom.
const MAX_STEP: i64 = TICKS_PER_SECOND;

/// PTS less DTS, at most: 16 pictures are reordered, and stills are shown for seconds.
const MAX_REORDERING: i64 = 5 * TICKS_PER_SECOND;

/// The duration of a picture that nothing tells.
const DEFAULT_DURATION: i64 = TICKS_PER_SECOND / 25;

/// Options of a video track.
#[derive(Debug, Clone, Copy)]
pub(super) struct Targets {
    /// In 90 kHz.
    pub(super) segment: i64,
    pub(super) part: i64,
    /// How long a segment is at most.
    pub(super) longest: i64,
}

/// The programme's picture.
#[derive(Debug)]
pub(super) struct VideoTrack {
    pub(super) pid: Pid,
    pub(super) codec: VideoCodec,
    targets: Targets,
    counter: SourceCounter,
    scrambling: Scrambling,
    pes: PesReader,
    pictures: Pictures,
    last: Option<Stamps>,
    /// The latest step between decode times.
    step: i64,
    waited: u32,
    /// Whether the programme begins with pictures that only promise to become whole.
    accepts_refresh: bool,
    parts: Parts,
    running: Option<Running>,
}

#[derive(Debug, Clone, Copy)]
struct Stamps {
    pts: Timestamp,
    dts: Timestamp,
}

/// The track within an epoch.
#[derive(Debug)]
struct Running {
    sets: Sets,
    description: Description,
    has_header: bool,
    /// Decode time of the latest picture.
    time: i64,
    /// Presentation time of the latest random access point, and less the one before it.
    access_time: i64,
    group: i64,
    /// Presentation time below which pictures do not decode, until one is above it.
    leading_before: Option<i64>,
    /// The latest sample, whose duration the next one tells.
    waiting: Option<Sample>,
}

impl VideoTrack {
    pub(super) fn new(pid: Pid, codec: VideoCodec, targets: Targets) -> Self {
        Self {
            pid,
            codec,
            targets,
            counter: SourceCounter::default(),
            scrambling: Scrambling::default(),
            pes: PesReader::default(),
            pictures: Pictures::new(codec),
            last: None,
            step: DEFAULT_DURATION,
            waited: 0,
            accepts_refresh: false,
            parts: Parts::new(Rendition::Video, targets.part.max(1) as u64),
            running: None,
        }
    }

    /// Takes the PID's next packet.
    pub(super) fn push(&mut self, packet: Packet<'_>) {
        match self.counter.judge(packet) {
            Continuity::Repeats => return,
            Continuity::Lost { .. } => self.lose(),
            Continuity::Follows => {}
        }
        if !packet.has_payload() {
            return;
        }
        if self.scrambling.judge(packet).this == Judgement::Scrambled {
            self.lose();
            return;
        }
        let Some(chunk) = self.pes.push(packet.payload(), packet.unit_start()) else {
            return;
        };
        if chunk.starts_pes {
            self.pictures.mark(chunk.pts, chunk.dts);
        }
        self.pictures.push(chunk.data);
    }

    fn lose(&mut self) {
        self.pes.lose();
        self.pictures.lose();
    }

    /// The next picture that is whole.
    pub(super) fn next_picture(&mut self) -> Option<Picture> {
        self.pictures.next()
    }

    /// Bytes that are held.
    pub(super) fn held_bytes(&self) -> usize {
        let waiting = self.running.as_ref().and_then(|r| r.waiting.as_ref());
        let waiting = waiting.map_or(0, |sample| sample.data.len());
        self.pictures.held_bytes() + self.parts.held_bytes() + waiting
    }

    /// Whether its pictures make the segments.
    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Whether pictures come and none has been taken for so long that the sound goes on alone.
    pub(super) fn is_hopeless(&self) -> bool {
        self.running.is_none() && self.waited >= MAX_WAIT_PICTURES
    }

    /// Takes a picture into the time line.
    pub(super) fn take(
        &mut self,
        picture: Picture,
        timeline: &mut Timeline,
        events: &mut VecDeque<Event>,
        troubles: &mut Vec<NotOffered>,
    ) {
        let Some(stamps) = self.stamps(&picture) else {
            return;
        };
        let step = self.last.map(|last| stamps.dts.since(last.dts));
        let longest = MAX_STEP.max(4 * self.step);
        let follows = step.is_some_and(|step| step > 0 && step <= longest);
        self.last = Some(stamps);
        match step {
            Some(step) if follows => self.step = step,
            _ => self.end_epoch(timeline, events),
        }
        let is_random = match picture.access {
            Access::Random { .. } => true,
            Access::Refresh => self.accepts_refresh || self.waited >= PATIENCE_PICTURES,
            _ => false,
        };
        if let Some(running) = &mut self.running {
            let time = running.time + step.unwrap_or(DEFAULT_DURATION);
            running.time = time;
            timeline.set_clock(time);
            let offset = stamps.pts.since(stamps.dts);
            if is_random {
                let has_other_sets = picture.sets.as_ref().is_some_and(|s| *s != running.sets);
                if has_other_sets || timeline.wants_epoch {
                    self.end_epoch_at(time, time + offset, timeline, events);
                } else {
                    self.go_on(picture, time, offset, true, timeline, events);
                    return;
                }
            } else if timeline
                .open()
                .is_some_and(|span| time - span.start > MAX_SEGMENT)
            {
                self.end_epoch(timeline, events);
            } else {
                self.go_on(picture, time, offset, false, timeline, events);
                return;
            }
        }
        if !is_random {
            self.waited = self.waited.saturating_add(1);
            if self.is_hopeless() {
                troubles.push(self.trouble(Reason::NoRandomAccess));
            }
            return;
        }
        self.begin_epoch(picture, stamps, timeline, events, troubles);
    }

    fn trouble(&self, reason: Reason) -> NotOffered {
        NotOffered {
            pid: self.pid,
            reason,
        }
    }

    /// Stamps of a picture. Without its own it follows the one before it.
    fn stamps(&self, picture: &Picture) -> Option<Stamps> {
        let stamps = match (picture.pts, self.last) {
            (Some(pts), _) => Stamps {
                pts,
                dts: picture.dts.unwrap_or(pts),
            },
            (None, Some(last)) => Stamps {
                pts: last.pts.offset(self.step),
                dts: last.dts.offset(self.step),
            },
            (None, None) => return None,
        };
        let reordering = stamps.pts.since(stamps.dts);
        (-MAX_REORDERING..=MAX_REORDERING)
            .contains(&reordering)
            .then_some(stamps)
    }

    /// Begins an epoch with a picture.
    fn begin_epoch(
        &mut self,
        picture: Picture,
        stamps: Stamps,
        timeline: &mut Timeline,
        events: &mut VecDeque<Event>,
        troubles: &mut Vec<NotOffered>,
    ) {
        let sets = picture.sets.unwrap_or_default();
        let Some(description) = sets.describe(self.codec) else {
            self.waited = self.waited.saturating_add(1);
            troubles.push(self.trouble(Reason::Parameters));
            return;
        };
        self.waited = 0;
        self.accepts_refresh = picture.access == Access::Refresh;
        let time = timeline.first_time(stamps.dts);
        let offset = stamps.pts.since(stamps.dts);
        let access_time = time + offset;
        let is_discontinuity = timeline.begin_epoch(access_time);
        timeline.set_clock(time);
        let Some(span) = timeline.open() else {
            return;
        };
        if is_discontinuity {
            events.push_back(Event::Discontinuity {
                segment: span.number,
            });
        }
        self.parts.begin(span.number);
        let is_open = matches!(picture.access, Access::Random { is_open: true });
        self.running = Some(Running {
            sets,
            description,
            has_header: false,
            time,
            access_time,
            group: 0,
            leading_before: is_open.then_some(access_time),
            waiting: sample(picture.data, time, offset, true),
        });
    }

    /// Takes the next picture of the epoch under way.
    fn go_on(
        &mut self,
        picture: Picture,
        time: i64,
        offset: i64,
        is_random: bool,
        timeline: &mut Timeline,
        events: &mut VecDeque<Event>,
    ) {
        let Some(running) = &mut self.running else {
            return;
        };
        let shown_at = time + offset;
        if let Some(access_time) = running.leading_before {
            let is_leading = shown_at < access_time;
            if picture.is_disposable && (is_leading || self.codec == VideoCodec::Hevc) {
                return;
            }
            if !is_leading {
                running.leading_before = None;
            }
        }
        self.end_longest(time, timeline, events);
        let Some(running) = &mut self.running else {
            return;
        };
        let cuts = is_random && {
            running.group = shown_at - running.access_time;
            running.access_time = shown_at;
            let elapsed = timeline.open().map_or(0, |span| shown_at - span.start);
            elapsed > 0 && elapsed + running.group > self.targets.segment
        };
        self.end_waiting(time, events);
        if cuts {
            self.flush_part(events);
            self.parts.end((0, 0), events);
            timeline.begin_segment(shown_at);
            if let Some(span) = timeline.open() {
                self.parts.begin(span.number);
            }
        }
        let mut data = picture.data;
        if !is_random && !picture.new_sets.is_empty() {
            // The next random access point brings them in an initialisation segment.
            data.splice(0..0, picture.new_sets);
        }
        if let Some(running) = &mut self.running {
            running.waiting = sample(data, time, offset, is_random);
        }
    }

    /// Begins a segment with the latest sample where that, which ends at `time`, would make the one
    /// under way too long.
    fn end_longest(&mut self, time: i64, timeline: &mut Timeline, events: &mut VecDeque<Event>) {
        let waiting = self.running.as_ref().and_then(|r| r.waiting.as_ref());
        let (Some(begun_at), Some(waiting), Some(span)) =
            (self.parts.begun_at(), waiting, timeline.open())
        else {
            return;
        };
        let (begun_at, ends_at) = (begun_at as i64, waiting.decode_time as i64);
        if time - begun_at <= self.targets.longest || ends_at <= begun_at {
            return;
        }
        self.flush_part(events);
        self.parts.end((0, 0), events);
        timeline.begin_segment(span.start + ends_at - begun_at);
        if let Some(span) = timeline.open() {
            self.parts.begin(span.number);
        }
    }

    /// Gives the latest sample its duration: up to `time`.
    fn end_waiting(&mut self, time: i64, events: &mut VecDeque<Event>) {
        let Some(mut sample) = self.running.as_mut().and_then(|r| r.waiting.take()) else {
            return;
        };
        let duration = time - sample.decode_time as i64;
        sample.duration = u32::try_from(duration).unwrap_or_default();
        if self.parts.is_full_for(sample.duration, sample.data.len()) {
            self.flush_part(events);
        }
        self.parts.add(sample);
    }

    /// Ends the part under way, behind the initialisation segment.
    fn flush_part(&mut self, events: &mut VecDeque<Event>) {
        let Some(running) = &mut self.running else {
            return;
        };
        let samples = self.parts.samples();
        if !running.has_header && !samples.is_empty() {
            running.has_header = true;
            let rate = frames_per_1000_s(samples);
            let timescale = NonZeroU32::MIN.saturating_add(TICKS_PER_SECOND as u32 - 1);
            let description = &running.description;
            let data = video_header(description, timescale);
            if let (Some(data), Some(segment)) = (data, self.parts.segment()) {
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
        self.parts.flush(events);
    }

    /// Ends the epoch under way: what comes next does not follow.
    pub(super) fn end_epoch(&mut self, timeline: &mut Timeline, events: &mut VecDeque<Event>) {
        let Some(running) = &self.running else {
            return;
        };
        let last = running.waiting.as_ref();
        let offset = last.map_or(0, |last| i64::from(last.composition_offset));
        let end = running.time + self.step;
        let shown_until = end + offset.max(0);
        self.end_epoch_at(end, shown_until, timeline, events);
    }

    fn end_epoch_at(
        &mut self,
        end: i64,
        shown_until: i64,
        timeline: &mut Timeline,
        events: &mut VecDeque<Event>,
    ) {
        self.end_waiting(end, events);
        self.flush_part(events);
        self.parts.end((0, 0), events);
        timeline.end_epoch(shown_until, end);
        self.running = None;
    }
}

/// The frame rate by durations: those that pictures left out have made longer do not count.
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
