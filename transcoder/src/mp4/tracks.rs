//! The renditions of a program: what packets of its elementary streams go to.

use std::collections::VecDeque;

use super::event::{Event, NotOffered, Reason, Rendition};
use super::parameters::{MAX_SET_BYTES, MAX_SETS};
use super::parts::MAX_SOUND_PART_BYTES;
use super::pictures::MAX_PICTURE_BYTES;
use super::sound::SoundTrack;
use super::sound_frames::MAX_HELD_FRAME_BYTES;
use super::subtitle_tracks::{SubtitleTracks, max_held_bytes, rendition, subtitle_media};
use super::timeline::Timeline;
use super::video::VideoTrack;
use super::video_epoch::Targets;
use crate::audio::Codec;
use crate::audio::access_unit::MAX_UNIT_BYTES;
use crate::remux::signalling::declared_audio;
use crate::subtitles::dvb::DvbDecoder;
use crate::subtitles::teletext::TeletextDecoder;
use crate::subtitles::{Announced, Source, announced};
use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};
use crate::ts::packet::{Packet, Pid};
use crate::ts::psi::ElementaryStream;
use crate::ts::video::VideoCodec;

/// Maximum number of sound tracks of a program; broadcasts have up to eight.
pub const MAX_SOUNDS: usize = 16;

/// Maximum number of teletext subtitles of a program, each a page of its own.
pub const MAX_TEXTS: usize = 16;

/// Maximum number of DVB subtitles of a program. Satellite channels for many countries have some
/// twenty.
pub const MAX_IMAGES: usize = 32;

/// Most bytes of samples that a packager holds back: of the picture the unit and the picture
/// under way, a first field, a sample whose duration is not known, and a part; of each sound
/// frames that wait for the picture, and a part; of subtitles a PES packet, what their decoder
/// holds, and screens. A channel of 10 Mbit/s holds a part.
pub const MAX_HELD_BYTES: usize = 5 * (MAX_PICTURE_BYTES + MAX_SETS * MAX_SET_BYTES)
    + MAX_SOUNDS * (MAX_HELD_FRAME_BYTES + MAX_SOUND_PART_BYTES + MAX_UNIT_BYTES)
    + MAX_TEXTS * max_held_bytes::<TeletextDecoder>()
    + MAX_IMAGES * max_held_bytes::<DvbDecoder>();

/// Maximum number of kinds of trouble that are reported once for each set of tables.
const MAX_TOLD: usize = 64;

/// Seconds of sound without a picture after which the sound is packaged alone.
const NO_PICTURES_S: u64 = 5;

/// A step between frames of sound that leads, beyond which its clock is another.
const MAX_SOUND_STEP: i64 = TICKS_PER_SECOND;

/// What packets of elementary streams go to.
#[derive(Debug)]
pub(super) struct Tracks {
    targets: Targets,
    video: Option<VideoTrack>,
    sounds: Vec<SoundTrack>,
    texts: SubtitleTracks<TeletextDecoder>,
    images: SubtitleTracks<DvbDecoder>,
    /// The PID with the program's clock, and the clock.
    pcr_pid: Option<Pid>,
    pcr: Option<Timestamp>,
    timeline: Timeline,
    /// The sound that makes the segments; none where the picture does.
    leading_sound: Option<Pid>,
    told: Vec<NotOffered>,
    troubles: Vec<NotOffered>,
    pub(super) events: VecDeque<Event>,
}

impl Tracks {
    pub(super) fn new(targets: Targets) -> Self {
        Self {
            targets,
            video: None,
            sounds: Vec::new(),
            texts: SubtitleTracks::new(MAX_TEXTS, "wvtt"),
            images: SubtitleTracks::new(MAX_IMAGES, ""),
            pcr_pid: None,
            pcr: None,
            timeline: Timeline::default(),
            leading_sound: None,
            told: Vec::new(),
            troubles: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// Return how many bytes of samples are held back, at most [`MAX_HELD_BYTES`].
    pub(super) fn held_bytes(&self) -> usize {
        let video = self.video.as_ref().map_or(0, VideoTrack::held_bytes);
        let sounds = self.sounds.iter().map(SoundTrack::held_bytes);
        let subtitles = self.texts.held_bytes() + self.images.held_bytes();
        video + sounds.sum::<usize>() + subtitles
    }

    /// Follow a PMT. Tracks that it does not change keep their state.
    pub(super) fn follow(&mut self, streams: &[ElementaryStream]) {
        self.told.clear();
        let is_first = self.video.is_none() && self.sounds.is_empty();
        let mut picture = None;
        let mut known = std::mem::take(&mut self.sounds);
        let mut changes = false;
        for stream in streams {
            let pid = stream.pid;
            match VideoCodec::of_stream_type(stream.stream_type) {
                Some(VideoCodec::Mpeg2) => self.tell(pid, Reason::Mpeg2Video),
                Some(VideoCodec::Other) => self.tell(pid, Reason::VideoCoding),
                Some(codec) => {
                    picture.get_or_insert((pid, codec));
                }
                None => {}
            }
            let Some(declared) = declared_audio(stream) else {
                continue;
            };
            let is_listed = self.sounds.iter().any(|sound| sound.pid == pid);
            if is_listed || self.sounds.len() == MAX_SOUNDS {
                continue;
            }
            if declared.codec != Some(Codec::AacAdts) {
                if declared.is_named {
                    self.tell(pid, Reason::SoundCoding);
                }
                continue;
            }
            let (language, is_description) = (declared.language, declared.is_description);
            let same = known.iter().position(|sound| {
                (sound.pid, sound.language, sound.is_description) == (pid, language, is_description)
            });
            self.sounds.push(match same {
                Some(index) => known.swap_remove(index),
                None => {
                    changes = true;
                    SoundTrack::new(pid, language, is_description, self.targets.part)
                }
            });
        }
        for mut gone in known {
            changes = true;
            gone.end(&mut self.events);
        }
        if self.video.as_ref().map(|video| (video.pid, video.codec)) != picture {
            changes = true;
            self.take_pictures();
            if let Some(mut video) = self.video.take() {
                video.end_epoch(&mut self.timeline, &mut self.events);
            }
            self.video = picture.map(|(pid, codec)| VideoTrack::new(pid, codec, self.targets));
            self.leading_sound = None;
        }
        let leads = |pid: Pid| self.sounds.iter().any(|sound| sound.pid == pid);
        if self.leading_sound.is_some_and(|pid| !leads(pid)) {
            self.leading_sound = None;
        }
        self.timeline.wants_epoch |= changes && !is_first;
        self.follow_subtitles(streams);
        self.tell_troubles();
    }

    /// Follow which PID has the program's clock.
    pub(super) fn follow_clock(&mut self, pid: Pid) {
        if self.pcr_pid.replace(pid) != Some(pid) {
            self.pcr = None;
        }
    }

    /// Return the program's clock; the leader's, where it has none.
    fn now(&self) -> Option<Timestamp> {
        let leader = || Timestamp::new(self.timeline.clock()?.rem_euclid(1 << 33) as u64).into();
        self.pcr.or_else(leader)
    }

    /// Follow the subtitles that a PMT lists. A change of them is no discontinuity: a rendition
    /// begins with a segment, and continues without content to the end of the epoch.
    fn follow_subtitles(&mut self, streams: &[ElementaryStream]) {
        let listed: Vec<Announced> = streams.iter().flat_map(announced).collect();
        let now = self.now();
        let named: Vec<Rendition> = listed.iter().map(rendition).collect();
        self.texts.keep(&named, now);
        self.images.keep(&named, now);
        for (announced, rendition) in listed.iter().zip(named) {
            let (pid, media) = (announced.pid, subtitle_media(announced));
            match announced.source {
                Source::Teletext(page) => self.texts.announce(pid, rendition, media, || {
                    TeletextDecoder::new(page, announced.language)
                }),
                Source::Bitmaps {
                    composition_page,
                    ancillary_page,
                    ..
                } => self.images.announce(pid, rendition, media, || {
                    DvbDecoder::new(composition_page, ancillary_page)
                }),
            }
        }
    }

    fn tell(&mut self, pid: Pid, reason: Reason) {
        self.troubles.push(NotOffered { pid, reason });
    }

    /// Tell each trouble once.
    fn tell_troubles(&mut self) {
        for trouble in std::mem::take(&mut self.troubles) {
            if !self.told.contains(&trouble) && self.told.len() < MAX_TOLD {
                self.told.push(trouble);
                self.events.push_back(Event::NotOffered(trouble));
            }
        }
    }

    pub(super) fn push(&mut self, packet: Packet<'_>) {
        let pid = packet.pid();
        if self.pcr_pid == Some(pid)
            && let Some(pcr) = packet.pcr()
        {
            self.pcr = Some(pcr.timestamp());
        }
        if let Some(video) = self.video.as_mut().filter(|video| video.pid == pid) {
            video.push(packet);
            if self.take_pictures() {
                self.follow_leader(false);
            }
        } else if let Some(index) = self.sounds.iter().position(|sound| sound.pid == pid) {
            let count = self.sounds[index].push(packet, &mut self.troubles);
            if count > 0 {
                self.hear(index, count);
                self.follow_leader(false);
            }
        } else {
            let now = self.now();
            self.texts.push(packet, now);
            self.images.push(packet, now);
        }
        if !self.troubles.is_empty() {
            self.tell_troubles();
        }
    }

    /// Take the pictures that are whole; return whether there were any.
    fn take_pictures(&mut self) -> bool {
        let Some(video) = &mut self.video else {
            return false;
        };
        let mut any = false;
        while let Some(picture) = video.next_picture() {
            any = true;
            for sound in &mut self.sounds {
                sound.frames.unaccompanied = 0;
            }
            video.take(
                picture,
                &mut self.timeline,
                &mut self.events,
                &mut self.troubles,
            );
            if video.is_running() {
                self.leading_sound = None;
            }
        }
        any
    }

    /// Take frames of sound that have come. Where no picture leads, the first track that has some
    /// does.
    fn hear(&mut self, index: usize, count: usize) {
        let sound = &self.sounds[index];
        let pid = sound.pid;
        let mut count = count;
        if self.leading_sound.is_none() {
            let is_alone = match &self.video {
                None => true,
                Some(video) => video.is_hopeless() || sound.unaccompanied_s() >= NO_PICTURES_S,
            };
            if !is_alone {
                return;
            }
            if let Some(video) = &mut self.video {
                video.end_epoch(&mut self.timeline, &mut self.events);
                self.troubles.push(NotOffered {
                    pid: video.pid,
                    reason: Reason::NoPictures,
                });
            }
            self.leading_sound = Some(pid);
            self.timeline.wants_epoch = true;
            count = sound.held_frames();
        }
        if self.leading_sound != Some(pid) {
            return;
        }
        let times: Vec<i64> = self.sounds[index].latest(count).collect();
        for own in times {
            self.lead(own);
        }
    }

    /// Follow the leading sound, which has a frame at this time of its own.
    fn lead(&mut self, own: i64) {
        let nearest = self.timeline.nearest(own);
        let follows = nearest.zip(self.timeline.clock()).filter(|(time, clock)| {
            let step = time - clock;
            (0..=MAX_SOUND_STEP).contains(&step) && self.timeline.open().is_some()
        });
        if let Some((time, _)) = follows.filter(|_| !self.timeline.wants_epoch) {
            self.timeline.set_clock(time);
            let start = self.timeline.open().map_or(time, |span| span.start);
            if time - start >= self.targets.segment {
                self.timeline.begin_segment(time);
            }
            return;
        }
        if let (Some(clock), Some(_)) = (self.timeline.clock(), self.timeline.open()) {
            self.timeline.end_epoch(clock + 1, clock + 1);
        }
        let stamp = Timestamp::new(own.rem_euclid(1 << 33) as u64);
        let time = self.timeline.first_time(stamp);
        let is_discontinuity = self.timeline.begin_epoch(time);
        self.timeline.set_clock(time);
        if let Some(span) = self.timeline.open().filter(|_| is_discontinuity) {
            self.events.push_back(Event::Discontinuity {
                segment: span.number,
            });
        }
    }

    /// Package the sounds up to the leader's time.
    fn follow_leader(&mut self, is_over: bool) {
        for sound in &mut self.sounds {
            sound.follow(
                &mut self.timeline,
                is_over,
                &mut self.events,
                &mut self.troubles,
            );
        }
        let (timeline, pcr, events) = (&self.timeline, self.pcr, &mut self.events);
        self.texts.follow(timeline, pcr, is_over, events);
        self.images.follow(timeline, pcr, is_over, events);
        let sounds = self.sounds.iter().filter_map(SoundTrack::needs_from);
        let subtitles = [self.texts.needs_from(), self.images.needs_from()];
        if let Some(number) = sounds.chain(subtitles.into_iter().flatten()).min() {
            self.timeline.forget_before(number);
        }
    }

    pub(super) fn finish(&mut self) {
        self.take_pictures();
        for index in 0..self.sounds.len() {
            let count = self.sounds[index].flush(&mut self.troubles);
            if count > 0 {
                self.hear(index, count);
            }
        }
        if let Some(video) = &mut self.video {
            video.end_epoch(&mut self.timeline, &mut self.events);
        }
        self.texts.flush();
        self.images.flush();
        self.follow_leader(true);
        for sound in &mut self.sounds {
            sound.end(&mut self.events);
        }
        self.tell_troubles();
    }
}
