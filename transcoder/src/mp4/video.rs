//! Pictures to samples with their times, segments and parts.
//!
//! ```text
//!            random access point whose parameters can be read
//! Waiting ----------------------------------------------------> Running
//!    ^                                                             |
//!    '--- time stamps jump, or no random access point for long ----'
//! ```

use std::collections::VecDeque;

use super::event::{Event, NotOffered, Reason, Rendition};
use super::parts::Parts;
use super::pictures::{Picture, Pictures};
use super::sample_entry::describe;
use super::timeline::Timeline;
use super::video_epoch::{Epoch, PictureTime, Targets};
use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};
use crate::ts::continuity::{Continuity, SourceCounter};
use crate::ts::packet::{Packet, Pid};
use crate::ts::pes::PesReader;
use crate::ts::scrambling::{Judgement, Scrambling};
use crate::ts::video::{Access, VideoCodec};

/// Pictures without a random access point among them, from which on one that only promises to
/// become whole is where to begin: 5 s of 50 a second.
const PATIENCE_PICTURES: u32 = 250;

/// Number of pictures without either, after which the sound is packaged alone.
const MAX_WAIT_PICTURES: u32 = 2 * PATIENCE_PICTURES;

/// A segment without a random access point in it ends with the epoch, however long the
/// broadcaster's groups of pictures are.
const MAX_SEGMENT: i64 = 30 * TICKS_PER_SECOND;

/// A longer step between decode times is a discontinuity, unless the stream's pictures are
/// further apart than this.
const MAX_STEP: i64 = TICKS_PER_SECOND;

/// Maximum of PTS minus DTS: 16 pictures are reordered, and stills are shown for seconds.
const MAX_REORDERING: i64 = 5 * TICKS_PER_SECOND;

/// The duration of a picture if it is unknown.
const DEFAULT_DURATION: i64 = TICKS_PER_SECOND / 25;

/// The program's picture.
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
    /// Whether the program begins with pictures that only promise to become whole.
    accepts_refresh: bool,
    parts: Parts,
    epoch: Option<Epoch>,
}

#[derive(Debug, Clone, Copy)]
struct Stamps {
    pts: Timestamp,
    dts: Timestamp,
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
            epoch: None,
        }
    }

    /// Take the PID's next packet.
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

    /// Return the next picture that is whole.
    pub(super) fn next_picture(&mut self) -> Option<Picture> {
        self.pictures.next()
    }

    /// Return how many bytes are held.
    pub(super) fn held_bytes(&self) -> usize {
        let waiting = self.epoch.as_ref().and_then(|epoch| epoch.waiting.as_ref());
        let waiting = waiting.map_or(0, |sample| sample.data.len());
        self.pictures.held_bytes() + self.parts.held_bytes() + waiting
    }

    /// Return whether its pictures make the segments.
    pub(super) fn is_running(&self) -> bool {
        self.epoch.is_some()
    }

    /// Return whether there are pictures, but none was packaged for so long that the sound is
    /// packaged alone.
    pub(super) fn is_hopeless(&self) -> bool {
        self.epoch.is_none() && self.waited >= MAX_WAIT_PICTURES
    }

    /// Take a picture into the time line.
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
        if let Some(epoch) = &mut self.epoch {
            let time = epoch.time + step.unwrap_or(DEFAULT_DURATION);
            epoch.time = time;
            timeline.set_clock(time);
            let offset = stamps.pts.since(stamps.dts);
            let has_other_sets = picture.sets.as_ref().is_some_and(|s| *s != epoch.sets);
            let open = timeline.open();
            if is_random && (has_other_sets || timeline.wants_epoch) {
                self.end_epoch_at(time, time + offset, timeline, events);
            } else if !is_random && open.is_some_and(|span| time - span.start > MAX_SEGMENT) {
                self.end_epoch(timeline, events);
            } else {
                let at = PictureTime {
                    time,
                    offset,
                    is_random,
                };
                epoch.go_on(picture, at, &mut self.parts, timeline, events);
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

    /// Return the stamps of a picture. Without its own it follows the one before it.
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

    /// Begin an epoch with a picture.
    fn begin_epoch(
        &mut self,
        picture: Picture,
        stamps: Stamps,
        timeline: &mut Timeline,
        events: &mut VecDeque<Event>,
        troubles: &mut Vec<NotOffered>,
    ) {
        let sets = picture.sets.as_ref();
        let Some(description) = sets.and_then(|sets| describe(sets, self.codec)) else {
            self.waited = self.waited.saturating_add(1);
            troubles.push(self.trouble(Reason::Parameters));
            return;
        };
        self.waited = 0;
        self.accepts_refresh = picture.access == Access::Refresh;
        let time = timeline.first_time(stamps.dts);
        let offset = stamps.pts.since(stamps.dts);
        let is_discontinuity = timeline.begin_epoch(time + offset);
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
        let is_hevc = self.codec == VideoCodec::Hevc;
        self.epoch = Some(Epoch::new(
            picture,
            description,
            time,
            offset,
            self.targets,
            is_hevc,
        ));
    }

    /// End the epoch under way: what comes next does not follow.
    pub(super) fn end_epoch(&mut self, timeline: &mut Timeline, events: &mut VecDeque<Event>) {
        let Some(epoch) = &self.epoch else {
            return;
        };
        let last = epoch.waiting.as_ref();
        let offset = last.map_or(0, |last| i64::from(last.composition_offset));
        let end = epoch.time + self.step;
        self.end_epoch_at(end, end + offset.max(0), timeline, events);
    }

    fn end_epoch_at(
        &mut self,
        end: i64,
        shown_until: i64,
        timeline: &mut Timeline,
        events: &mut VecDeque<Event>,
    ) {
        if let Some(mut epoch) = self.epoch.take() {
            epoch.end_waiting(end, &mut self.parts, events);
            epoch.flush_part(&mut self.parts, events);
        }
        self.parts.end((0, 0), events);
        timeline.end_epoch(shown_until, end);
    }
}
