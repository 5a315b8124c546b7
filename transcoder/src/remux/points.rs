//! Points: where in the output a viewer can join, and where it changes.
//!
//! Every packet that leaves passes here, so a point says what a player will read. Its
//! offset counts from the stream's first byte of output: whether a decoder can begin with a
//! picture may be known only some packets after its first one has left.

mod entries;
mod followed;
mod found;
mod point;
mod scrambled;
mod tables;
#[cfg(test)]
mod tests;
mod wait;

use entries::Entries;
use followed::{Head, Other, Sound, Video};
use found::{Beginning, Found};
pub use point::{Point, PointKind};
use tables::Tables;

use crate::ts::continuity::Continuity;
use crate::ts::packet::{PACKET_BYTES, Packet, Pid};
use crate::ts::pes::pts_of_start;
use crate::ts::scrambling::Judgement;
use crate::ts::video::{Access, VideoCodec, access};

/// PIDs that carry neither tables nor pictures nor sound and are followed.
const MAX_OTHERS: usize = 254;

/// PIDs below are reserved for tables and service information (EN 300 468, 5.1.3).
const FIRST_ELEMENTARY_PID: usize = 0x20;

/// stream_type of what comes in sections: private ones, DSM-CC, metadata in sections
/// (ISO/IEC 13818-1, table 2-34), cues (SCTE 35).
const SECTION_STREAM_TYPES: [u8; 8] = [0x05, 0x0A, 0x0B, 0x0C, 0x0D, 0x14, 0x16, 0x86];

/// What the output's PIDs carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Service information, and nothing.
    Ignored,
    /// What no PMT names.
    Unnamed,
    /// One of `tables`, or several.
    Table,
    /// Index into `pictures`.
    Picture(u8),
    /// Index into `sounds`.
    Sound(u8),
    /// Index into `others`.
    Other(u8),
}

/// The points of the output, by every packet of it.
#[derive(Debug)]
pub(super) struct Points {
    offset: u64,
    roles: Box<[Role]>,
    tables: Tables,
    pictures: Vec<Video>,
    sounds: Vec<Sound>,
    others: Vec<Other>,
    entries: Entries,
    found: Found,
}

/// A PID that a PMT of the output lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub(super) pid: Pid,
    pub(super) program: u16,
    pub(super) stream_type: u8,
}

impl Points {
    pub(super) fn new() -> Self {
        let mut points = Self {
            offset: 0,
            roles: vec![Role::Ignored; Pid::COUNT].into(),
            tables: Tables::default(),
            pictures: Vec::new(),
            sounds: Vec::new(),
            others: Vec::new(),
            entries: Entries::default(),
            found: Found::default(),
        };
        points.give_roles();
        points
    }

    pub(super) fn next(&self) -> Option<&Point> {
        self.found.next()
    }

    pub(super) fn take(&mut self) -> Option<Point> {
        self.found.take()
    }

    /// Follow what the tables say: PMT PIDs with their program and whether its PMT is
    /// known, video and sound, and everything that the PMTs name. PIDs that they do not change
    /// keep their state.
    pub(super) fn follow(
        &mut self,
        pmts: impl Iterator<Item = (Pid, u16, bool)>,
        pictures: impl Iterator<Item = (Pid, u16, VideoCodec)>,
        sounds: impl Iterator<Item = (Pid, u16)>,
        named: impl Iterator<Item = Named>,
    ) {
        let had_pictures = !self.pictures.is_empty();
        self.tables.follow(pmts);
        let mut known = std::mem::take(&mut self.pictures);
        for (pid, program, codec) in pictures {
            let same =
                |video: &Video| (video.pid, video.program, video.codec) == (pid, program, codec);
            let video = take_where(&mut known, same);
            self.pictures
                .push(video.unwrap_or_else(|| Video::new(pid, program, codec)));
        }
        let mut known = std::mem::take(&mut self.sounds);
        for (pid, program) in sounds {
            let sound = take_where(&mut known, |sound| {
                (sound.pid, sound.program) == (pid, program)
            });
            self.sounds
                .push(sound.unwrap_or_else(|| Sound::new(pid, program)));
        }
        let mut known = std::mem::take(&mut self.others);
        for named in named.take(MAX_OTHERS) {
            let carries_pes = !SECTION_STREAM_TYPES.contains(&named.stream_type);
            let other = take_where(&mut known, |other| {
                (other.pid, other.carries_pes) == (named.pid, carries_pes)
            });
            self.others.push(Other {
                program: named.program,
                ..other.unwrap_or_else(|| Other::new(named.pid, carries_pes))
            });
        }
        if had_pictures == self.pictures.is_empty() {
            self.entries.restart();
        }
        self.give_roles();
    }

    fn give_roles(&mut self) {
        self.roles.fill(Role::Unnamed);
        self.roles[..FIRST_ELEMENTARY_PID].fill(Role::Ignored);
        self.roles[Pid::NULL.index()] = Role::Ignored;
        for (index, other) in (0..).zip(&self.others) {
            self.roles[other.pid.index()] = Role::Other(index);
        }
        for (index, sound) in (0..).zip(&self.sounds) {
            self.roles[sound.pid.index()] = Role::Sound(index);
        }
        for (index, video) in (0..).zip(&self.pictures) {
            self.roles[video.pid.index()] = Role::Picture(index);
        }
        for pid in self.tables.pids() {
            self.roles[pid.index()] = Role::Table;
        }
    }

    /// Take the next packet of the output.
    pub(super) fn observe(&mut self, packet: Packet<'_>) {
        if !packet.transport_error() {
            match self.roles[packet.pid().index()] {
                Role::Ignored => {}
                Role::Unnamed => self.observe_unnamed(packet),
                Role::Table => self.observe_table(packet),
                Role::Picture(index) => self.observe_picture(index.into(), packet),
                Role::Sound(index) => self.observe_sound(index.into(), packet),
                Role::Other(index) => self.observe_other(index.into(), packet),
            }
        }
        self.offset += PACKET_BYTES as u64;
    }

    fn observe_table(&mut self, packet: Packet<'_>) {
        for program in self.tables.push(packet) {
            self.found
                .note(self.offset, PointKind::TablesChanged, program);
        }
        self.found.count(packet);
        for head in self.pictures.iter_mut().flat_map(|video| &mut video.head) {
            head.at.counters.push(packet);
        }
        self.found.complete(&self.tables);
    }

    fn observe_picture(&mut self, index: usize, packet: Packet<'_>) {
        let offset = self.offset;
        let video = &mut self.pictures[index];
        let program = video.program;
        let continuity = video.counter.judge(packet);
        if continuity == Continuity::Repeats {
            return;
        }
        if packet.discontinuity() || continuity.is_lost() {
            video.head = None;
            video.pes.lose();
            self.found.note(offset, PointKind::Discontinuity, program);
        }
        if !packet.has_payload() {
            return;
        }
        let video = &mut self.pictures[index];
        let mut judgement = video.scrambling.judge(packet).this;
        if judgement == Judgement::Clear && video.bareness.is_scrambled(packet) {
            judgement = Judgement::Scrambled;
        }
        let change = video.run.push(judgement);
        if judgement == Judgement::Scrambled {
            video.head = None;
            video.pes.lose();
        }
        if let Some(kind) = change {
            self.found.note(offset, kind, program);
        }
        if judgement != Judgement::Clear {
            self.entries.see_scrambled();
            return;
        }
        self.entries.pass_packet();
        if packet.unit_start() {
            self.begin_picture(index, packet);
        }
        self.look_at_picture(index, packet);
    }

    /// Take the beginning of a unit of video. The unit before it may have had no result.
    fn begin_picture(&mut self, index: usize, packet: Packet<'_>) {
        let pts = pts_of_start(packet.payload());
        let program = self.pictures[index].program;
        let head = Head {
            at: Beginning::new(self.offset, program, pts, &self.tables),
            random_access_indicator: packet.random_access(),
            bytes: Vec::new(),
        };
        let before = self.pictures[index].head.replace(head);
        if let Some(before) = before.filter(|head| !head.bytes.is_empty()) {
            self.enter(before.at, false);
        }
        if packet.payload().starts_with(&[0, 0, 1]) {
            self.entries.see_picture();
            self.entries.pass_unit(packet.pid(), pts);
        }
    }

    fn look_at_picture(&mut self, index: usize, packet: Packet<'_>) {
        let video = &mut self.pictures[index];
        let Some(chunk) = video.pes.push(packet.payload(), packet.unit_start()) else {
            return;
        };
        let Some(mut head) = video.head.take() else {
            return;
        };
        if chunk.starts_pes {
            head.at.pts = chunk.pts;
        }
        head.bytes.extend_from_slice(chunk.data);
        match access(video.codec, &head.bytes) {
            Access::NeedMore => video.head = Some(head),
            Access::Dependent => {
                let is_promised = video.codec == VideoCodec::Other && head.random_access_indicator;
                self.enter(head.at, is_promised);
            }
            Access::Refresh => self.enter(head.at, true),
            Access::Random { is_open } => {
                let kind = PointKind::RandomAccess {
                    codec: video.codec,
                    is_open,
                    tables: Vec::new(),
                };
                self.entries.find_random_access();
                self.found.note_beginning(head.at, kind, &self.tables);
            }
        }
    }

    /// Make a picture that is no random access point an entry, if there is none better.
    fn enter(&mut self, at: Beginning, is_promised: bool) {
        if self.entries.takes_picture(is_promised) {
            let tables = Vec::new();
            self.found
                .note_beginning(at, PointKind::Entry { tables }, &self.tables);
        }
    }

    fn observe_sound(&mut self, index: usize, packet: Packet<'_>) {
        let sound = &mut self.sounds[index];
        let (program, offset) = (sound.program, self.offset);
        let begins = packet.unit_start() && packet.payload().starts_with(&[0, 0, 1]);
        let is_first = begins && !sound.is_heard;
        sound.is_heard |= begins;
        if !packet.has_payload() {
            return;
        }
        let judgement = sound.scrambling.judge(packet).this;
        let change = sound.run.push(judgement);
        if is_first {
            self.found.note(offset, PointKind::SoundBegins, program);
        }
        if let Some(kind) = change.filter(|_| self.pictures.is_empty()) {
            self.found.note(offset, kind, program);
        }
        if judgement != Judgement::Clear {
            self.see_scrambled_beside_pictures();
        } else {
            self.pass(packet, program, true);
        }
    }

    fn observe_other(&mut self, index: usize, packet: Packet<'_>) {
        if !packet.has_payload() {
            return;
        }
        let other = &mut self.others[index];
        let program = other.program;
        let judgement = other.scrambling.judge(packet).this;
        let is_believed = !other.carries_pes && !packet.is_scrambled();
        if judgement == Judgement::Clear || is_believed {
            self.pass(packet, program, false);
        } else if !self.pictures.is_empty() || self.sounds.is_empty() {
            self.see_scrambled_beside_pictures();
        }
    }

    /// Take a packet of a PID that no table names: it matters while there are no tables.
    fn observe_unnamed(&mut self, packet: Packet<'_>) {
        if self.tables.has_pmt() || self.others.len() == MAX_OTHERS {
            return;
        }
        let pid = packet.pid();
        self.roles[pid.index()] = Role::Other(self.others.len() as u8);
        self.others.push(Other::new(pid, false));
        self.observe_other(self.others.len() - 1, packet);
    }

    fn see_scrambled_beside_pictures(&mut self) {
        self.entries
            .see_scrambled_beside_pictures(!self.pictures.is_empty());
    }

    /// Take a clear packet of what is no picture.
    fn pass(&mut self, packet: Packet<'_>, program: u16, is_sound: bool) {
        self.entries.pass_packet();
        let payload = packet.payload();
        let begins_pes = payload.starts_with(&[0, 0, 1]);
        // Sections begin too.
        let is_unit = packet.unit_start() && (begins_pes || self.pictures.is_empty());
        if !is_unit || payload.is_empty() {
            return;
        }
        let has_pmt = self.tables.has_pmt();
        let is_video = begins_pes && payload.get(3).is_some_and(|id| (0xE0..=0xEF).contains(id));
        if is_video && !has_pmt {
            self.entries.see_unnamed_picture();
        }
        let pts = pts_of_start(payload);
        self.entries.pass_unit(packet.pid(), pts);
        let is_taken = if self.pictures.is_empty() {
            let is_heard = is_sound || self.sounds.is_empty();
            self.entries.takes_sound(is_heard, has_pmt)
        } else {
            self.entries.takes_instead_of_picture()
        };
        if is_sound {
            self.entries.hear_sound();
        }
        if is_taken {
            let mut at = Beginning::new(self.offset, program, pts, &self.tables);
            if !has_pmt {
                at = at.expect_no_tables();
            }
            let tables = Vec::new();
            self.found
                .note_beginning(at, PointKind::Entry { tables }, &self.tables);
        }
    }
}

fn take_where<T>(items: &mut Vec<T>, is_it: impl FnMut(&T) -> bool) -> Option<T> {
    items
        .iter()
        .position(is_it)
        .map(|index| items.swap_remove(index))
}
