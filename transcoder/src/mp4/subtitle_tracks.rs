//! The program's subtitles of one kind.

use std::collections::VecDeque;

use super::event::{Event, Media, Rendition};
use super::subtitles::{self, SubtitleTrack};
use super::timeline::Timeline;
use crate::subtitles::{Announced, Decoder, MAX_PES_BYTES, Source};
use crate::ts::clock::Timestamp;
use crate::ts::packet::{Packet, Pid};

/// Return the maximum number of bytes that one rendition of subtitles holds back.
pub(super) const fn max_held_bytes<D: Decoder>() -> usize {
    MAX_PES_BYTES + D::MAX_HELD_BYTES + subtitles::MAX_SCREEN_BYTES + D::MAX_SCREEN_BYTES
}

/// Renditions that a decoder of one kind makes.
#[derive(Debug)]
pub(super) struct SubtitleTracks<D: Decoder> {
    tracks: Vec<SubtitleTrack<D>>,
    most: usize,
    codecs: &'static str,
}

impl<D: Decoder> SubtitleTracks<D> {
    /// Follow at most `most` renditions; `codecs` is their CODECS attribute.
    pub(super) fn new(most: usize, codecs: &'static str) -> Self {
        Self {
            tracks: Vec::new(),
            most,
            codecs,
        }
    }

    /// Keep these alone: the PMT names no other.
    pub(super) fn keep(&mut self, named: &[Rendition], now: Option<Timestamp>) {
        for track in &mut self.tracks {
            if !named.contains(&track.rendition) {
                track.leave(now);
            }
        }
    }

    /// Take a rendition that the PMT names. Where there are as many as there may be, one that it no
    /// longer names makes way.
    pub(super) fn announce(
        &mut self,
        pid: Pid,
        rendition: Rendition,
        media: Media,
        decoder: impl FnOnce() -> D,
    ) {
        if let Some(known) = self.tracks.iter_mut().find(|t| t.rendition == rendition) {
            known.announce(&media);
            return;
        }
        if self.tracks.len() == self.most {
            let Some(gone) = self.tracks.iter().position(|track| track.is_gone) else {
                return;
            };
            self.tracks.remove(gone);
        }
        let track = SubtitleTrack::new(pid, rendition, media, self.codecs, decoder());
        self.tracks.push(track);
    }

    /// Take a packet, if one of them is on its PID.
    pub(super) fn push(&mut self, packet: Packet<'_>, now: Option<Timestamp>) {
        let pid = packet.pid();
        for track in self.tracks.iter_mut().filter(|track| track.pid == pid) {
            track.push(packet, now);
        }
    }

    /// Make the files that are due; see [`SubtitleTrack::follow`].
    pub(super) fn follow(
        &mut self,
        timeline: &Timeline,
        now: Option<Timestamp>,
        is_over: bool,
        events: &mut VecDeque<Event>,
    ) {
        self.tracks
            .retain_mut(|track| track.follow(timeline, now, is_over, events));
    }

    /// Return the first segment of which a file is to be made.
    pub(super) fn needs_from(&self) -> Option<u64> {
        let tracks = self.tracks.iter();
        tracks.filter_map(SubtitleTrack::needs_from).min()
    }

    /// End the stream.
    pub(super) fn flush(&mut self) {
        for track in &mut self.tracks {
            track.flush();
        }
    }

    /// Return how many bytes they hold back.
    pub(super) fn held_bytes(&self) -> usize {
        self.tracks.iter().map(SubtitleTrack::held_bytes).sum()
    }
}

/// Return the rendition of announced subtitles.
pub(super) fn rendition(announced: &Announced) -> Rendition {
    let pid = announced.pid;
    match announced.source {
        Source::Teletext(page) => Rendition::Text { pid, page },
        Source::Bitmaps {
            composition_page: page,
            ..
        } => Rendition::Images { pid, page },
    }
}

/// Return the media of announced subtitles.
pub(super) fn subtitle_media(announced: &Announced) -> Media {
    let Announced {
        language,
        is_hearing_impaired,
        ..
    } = *announced;
    match announced.source {
        Source::Teletext(page) => Media::Text {
            language,
            is_hearing_impaired,
            page,
        },
        Source::Bitmaps {
            is_high_definition, ..
        } => {
            // EN 300 743, 7.2.1: the display where the stream defines none.
            let (width, height) = match is_high_definition {
                true => (1920, 1080),
                false => (720, 576),
            };
            Media::Images {
                language,
                is_hearing_impaired,
                width,
                height,
            }
        }
    }
}
