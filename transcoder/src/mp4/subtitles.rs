//! Subtitles as files, one for each segment of the picture.
//!
//! ```text
//! packets -> PES -> Decoder -> changes -(times)-> screens -> one file a segment
//! ```
//!
//! Subtitles are multiplexed by the time at which they are shown, as sound is, and pictures 0.6 to
//! 1.2 s before (2.7 s in one capture). So the file of a segment is made when the program's clock has passed the segment's
//! end, and [`MAX_LAG`] behind the picture in any case. What comes later is shown from the next
//! segment on.

use std::collections::VecDeque;

use super::event::{Event, Header, Media, Part, Rendition, Segment};
use super::timeline::{Span, Timeline, UNRELATED};
use crate::subtitles::{Change, Decoder, PesAssembler, Shown};
use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};
use crate::ts::continuity::{Continuity, SourceCounter};
use crate::ts::packet::{Packet, Pid};
use crate::ts::scrambling::{Judgement, Scrambling};

/// How long after the end of a video segment the packager waits for its subtitles.
const MAX_LAG: i64 = 3 * TICKS_PER_SECOND;

/// Maximum number of segments that wait for subtitles.
const MAX_WAITING_SPANS: usize = 8;

/// Maximum number of screens that a rendition holds back; the oldest are dropped.
pub(super) const MAX_SCREENS: usize = 64;

/// Maximum size of these screens in bytes, without the one that is shown.
pub(super) const MAX_SCREEN_BYTES: usize = 1024 * 1024;

/// How far before the program's clock a time stamp may lie that has to do with it. What is to
/// be shown before it comes is shown when it comes.
const MAX_BEHIND: i64 = TICKS_PER_SECOND;

/// One subtitle rendition.
#[derive(Debug)]
pub(super) struct SubtitleTrack<D: Decoder> {
    pub(super) pid: Pid,
    pub(super) rendition: Rendition,
    media: Media,
    codecs: &'static str,
    /// The PMT no longer names it: its segments stay empty.
    pub(super) is_gone: bool,
    counter: SourceCounter,
    scrambling: Scrambling,
    pes: PesAssembler,
    /// The program's clock where the PES packet under way began.
    arrival: Option<Timestamp>,
    decoder: D,
    /// Changes that have no place on the time line yet.
    waiting: VecDeque<Change<D::Screen>>,
    screens: VecDeque<Screen<D::Screen>>,
    /// Bytes of both.
    screen_bytes: usize,
    /// The first segment whose file is to be made; none before the rendition begins.
    next: Option<u64>,
    /// The epoch of its latest header.
    epoch: Option<u64>,
    media_changed: bool,
}

/// A change with its place on the time line.
#[derive(Debug)]
struct Screen<S> {
    from: i64,
    /// Until when it is shown, if nothing comes before.
    expires: i64,
    screen: Option<S>,
}

impl<D: Decoder> SubtitleTrack<D> {
    /// Make a rendition that begins with the segment under way, or the next.
    pub(super) fn new(
        pid: Pid,
        rendition: Rendition,
        media: Media,
        codecs: &'static str,
        decoder: D,
    ) -> Self {
        Self {
            pid,
            rendition,
            media,
            codecs,
            is_gone: false,
            counter: SourceCounter::default(),
            scrambling: Scrambling::default(),
            pes: PesAssembler::default(),
            arrival: None,
            decoder,
            waiting: VecDeque::new(),
            screens: VecDeque::new(),
            screen_bytes: 0,
            next: None,
            epoch: None,
            media_changed: false,
        }
    }

    /// Follow the properties that a PMT announces.
    pub(super) fn announce(&mut self, media: &Media) {
        self.is_gone = false;
        if self.media != *media {
            self.media = media.clone();
            self.media_changed = true;
        }
    }

    /// Note that the PMT no longer names it.
    pub(super) fn leave(&mut self, now: Option<Timestamp>) {
        if !std::mem::replace(&mut self.is_gone, true)
            && let Some(at) = now
        {
            self.decoder.lose();
            self.wait(Change {
                at,
                screen: None,
                timeout_90k: 0,
            });
        }
    }

    /// Take the PID's next packet; `now` is the program's clock.
    pub(super) fn push(&mut self, packet: Packet<'_>, now: Option<Timestamp>) {
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
        let [before, this] = self.pes.push(packet.payload(), packet.unit_start());
        if let Some(whole) = before {
            self.decode(&whole.data, whole.pts);
        }
        if packet.unit_start() {
            self.arrival = now;
        }
        if let Some(whole) = this {
            self.decode(&whole.data, whole.pts);
        }
    }

    fn lose(&mut self) {
        self.pes.lose();
        self.decoder.lose();
    }

    /// End the stream.
    pub(super) fn flush(&mut self) {
        if let Some(whole) = self.pes.finish() {
            self.decode(&whole.data, whole.pts);
        }
    }

    fn decode(&mut self, data: &[u8], pts: Option<Timestamp>) {
        let Some(at) = presented_at(pts, self.arrival) else {
            return;
        };
        let mut changes = Vec::new();
        self.decoder.push(data, at, &mut changes);
        for change in changes {
            self.wait(change);
        }
    }

    fn wait(&mut self, change: Change<D::Screen>) {
        self.screen_bytes += bytes_of::<D>(change.screen.as_ref());
        self.waiting.push_back(change);
        let is_too_much = |track: &Self| {
            let count = track.waiting.len() + track.screens.len();
            count > MAX_SCREENS || count > 1 && track.screen_bytes > MAX_SCREEN_BYTES
        };
        while is_too_much(self) {
            let screen = match self.screens.pop_front() {
                Some(oldest) => oldest.screen,
                None => self.waiting.pop_front().and_then(|oldest| oldest.screen),
            };
            self.screen_bytes -= bytes_of::<D>(screen.as_ref());
        }
    }

    /// Return how many bytes it holds back.
    pub(super) fn held_bytes(&self) -> usize {
        self.pes.held_bytes() + self.decoder.held_bytes() + self.screen_bytes
    }

    /// Return the first segment whose file it has to make.
    pub(super) fn needs_from(&self) -> Option<u64> {
        self.next
    }

    /// Make the files of segments whose subtitles are there. `now` is the program's clock. Return
    /// whether any are still to come.
    pub(super) fn follow(
        &mut self,
        timeline: &Timeline,
        now: Option<Timestamp>,
        is_over: bool,
        events: &mut VecDeque<Event>,
    ) -> bool {
        let Some(clock) = timeline.clock() else {
            return !self.is_gone;
        };
        self.place(timeline, clock);
        let passed = now
            .and_then(|now| timeline.nearest(now.ticks_90k() as i64))
            .filter(|passed| (passed - clock).abs() <= UNRELATED);
        let spans = timeline.spans().len();
        let begins = timeline.open().map(|open| open.number);
        let Some(begins) = begins.or_else(|| timeline.spans().last().map(|last| last.number + 1))
        else {
            return !self.is_gone;
        };
        for (index, span) in timeline.spans().enumerate() {
            if span.number < *self.next.get_or_insert(begins) {
                continue;
            }
            if self.is_gone && self.epoch != Some(span.epoch) {
                return false;
            }
            if self.epoch != Some(span.epoch) || std::mem::take(&mut self.media_changed) {
                self.epoch = Some(span.epoch);
                self.media_changed = false;
                events.push_back(Event::Header(self.header(span.number)));
            }
            let is_due = is_over || spans - index > MAX_WAITING_SPANS;
            let end = match span.end {
                Some(end) => end,
                None if is_over => clock.max(span.start),
                None => break,
            };
            let is_passed = passed.is_some_and(|passed| passed >= end);
            if !(is_due || is_passed || clock >= end + MAX_LAG) {
                break;
            }
            self.make(span, end, events);
            self.next = Some(span.number + 1);
        }
        true
    }

    fn header(&self, segment: u64) -> Header {
        Header {
            rendition: self.rendition,
            segment,
            codecs: self.codecs.to_owned(),
            timescale: TICKS_PER_SECOND as u32,
            media: self.media.clone(),
            data: Vec::new(),
        }
    }

    /// Give changes their places. Those of another clock wait until that is the leader's.
    fn place(&mut self, timeline: &Timeline, clock: i64) {
        let time = |change: &Change<D::Screen>| {
            let time = timeline.nearest(change.at.ticks_90k() as i64)?;
            ((time - clock).abs() <= UNRELATED).then_some(time)
        };
        let Some(last) = self
            .waiting
            .iter()
            .rposition(|change| time(change).is_some())
        else {
            return;
        };
        for change in self.waiting.drain(..=last) {
            let Some(time) = time(&change) else {
                self.screen_bytes -= bytes_of::<D>(change.screen.as_ref());
                continue;
            };
            let earliest = self.screens.back().map_or(i64::MIN, |screen| screen.from);
            let from = time.max(earliest);
            self.screens.push_back(Screen {
                from,
                expires: from.saturating_add(change.timeout_90k.max(0)),
                screen: change.screen,
            });
        }
    }

    /// Make the file of a segment.
    fn make(&mut self, span: Span, end: i64, events: &mut VecDeque<Event>) {
        let (Ok(start_90k), Ok(end_90k)) = (u64::try_from(span.start), u64::try_from(end)) else {
            return;
        };
        let mut shown: Vec<Shown<'_, D::Screen>> = Vec::new();
        for (index, screen) in self.screens.iter().enumerate() {
            let next = self.screens.get(index + 1).map(|next| next.from);
            let expires = Some(screen.expires).filter(|_| screen.screen.is_some());
            let until = match (next, expires) {
                (Some(next), Some(expires)) => Some(next.min(expires)),
                (next, expires) => next.or(expires),
            };
            let is_before = until.is_some_and(|until| until <= span.start);
            // One that is told anew for the same time was not whole.
            if is_before || screen.from >= end || until == Some(screen.from) {
                continue;
            }
            shown.push(Shown {
                from_90k: screen.from.max(span.start) as u64,
                until_90k: until
                    .filter(|&until| until <= end)
                    .map(|until| until as u64),
                screen: screen.screen.as_ref(),
            });
        }
        let window = crate::subtitles::Span { start_90k, end_90k };
        let data = D::file(window, &shown);
        let duration = end_90k.saturating_sub(start_90k);
        events.push_back(Event::Part(Part {
            rendition: self.rendition,
            segment: span.number,
            index: 0,
            decode_time: start_90k,
            duration,
            is_independent: true,
            data,
        }));
        events.push_back(Event::Segment(Segment {
            rendition: self.rendition,
            number: span.number,
            parts: 1,
            decode_time: start_90k,
            duration,
        }));
        self.forget_before(end);
    }

    /// Forget screens that no later segment shows.
    fn forget_before(&mut self, end: i64) {
        let is_replaced = |screens: &VecDeque<Screen<D::Screen>>| {
            let next = screens.get(1).is_some_and(|next| next.from <= end);
            next || screens
                .front()
                .is_some_and(|s| s.from < end && s.expires <= end)
        };
        while is_replaced(&self.screens) {
            let screen = self.screens.pop_front().and_then(|oldest| oldest.screen);
            self.screen_bytes -= bytes_of::<D>(screen.as_ref());
        }
    }
}

fn bytes_of<D: Decoder>(screen: Option<&D::Screen>) -> usize {
    screen.map_or(0, D::screen_bytes)
}

/// Return when a PES packet is presented that arrived at `now` of the program's clock: as it
/// says, where that has to do with the clock. Some broadcasters stamp subtitles by another clock,
/// or not at all; theirs are shown when they come.
fn presented_at(pts: Option<Timestamp>, now: Option<Timestamp>) -> Option<Timestamp> {
    match (pts, now) {
        (Some(pts), Some(now)) if !(-MAX_BEHIND..=UNRELATED).contains(&pts.since(now)) => Some(now),
        (pts, now) => pts.or(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_counts_where_it_has_to_do_with_the_clock() {
        let at = |ticks: i64| Timestamp::new(0).offset(ticks);
        let now = Some(at(-100));
        for related in [-90_100, -100, 0, 45_000, 899_900] {
            assert_eq!(presented_at(Some(at(related)), now), Some(at(related)));
        }
        for unrelated in [-90_101, 899_901, 72_000 * 90_000] {
            assert_eq!(presented_at(Some(at(unrelated)), now), now);
        }
        assert_eq!(presented_at(None, now), now);
        assert_eq!(presented_at(Some(at(5)), None), Some(at(5)));
        assert_eq!(presented_at(None, None), None);
    }
}
