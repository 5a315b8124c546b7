//! Points: where in the output a viewer can join, and where it changes.
//!
//! Every packet that leaves passes here, so a point says what a player will read. Its
//! offset counts from the stream's first byte of output: whether a decoder can begin with a
//! picture may be known only some packets after its first one has left.

mod tables;
#[cfg(test)]
mod tests;
mod wait;

use std::collections::VecDeque;

use tables::{Counters, Tables};
use wait::Wait;

use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};
use crate::ts::continuity::{Continuity, SourceCounter};
use crate::ts::packet::{PACKET_BYTES, Packet, Pid};
use crate::ts::pes::{PesReader, data_of_start, pts_of_start};
use crate::ts::scrambling::{Judgement, Scrambling, is_noise};
use crate::ts::video::{Access, VideoCodec, access};

/// Points that wait to be taken. A second of a stream has a few; when nobody takes them
/// the oldest go.
const MAX_POINTS: usize = 1024;

/// Points that wait for the stream's first tables, which leave soon.
const MAX_PENDING: usize = 64;

/// Scrambled packets of video in a row that make it a scrambled one; fewer are damage.
const SCRAMBLED_RUN: u32 = 16;

/// For a picture with which a decoder can begin: the most between two (TS 101 154).
const PATIENCE: i64 = 5 * TICKS_PER_SECOND;

/// Pictures, or sound, that have not come for so long do not come: pictures are at most 0.7 s
/// apart (ISO/IEC 13818-1, 2.7.4).
const ABSENT: i64 = TICKS_PER_SECOND;

/// Between two entries.
const ENTRY_SPACING: i64 = TICKS_PER_SECOND / 2;

/// Clear packets behind noise: before so many, noise comes and goes.
const CLEAR_AFTER_NOISE: u32 = 200;

/// Units of video in a row that begin with noise behind a clear header and have no start
/// code inside: a clear picture has one in each slice.
const BARE_UNITS: u32 = 4;

/// PIDs that carry neither tables nor pictures nor sound and are followed.
const MAX_OTHERS: usize = 254;

/// PIDs below are reserved for tables and service information (EN 300 468, 5.1.3).
const FIRST_ELEMENTARY_PID: usize = 0x20;

/// stream_type of what comes in sections: private ones, DSM-CC, metadata in sections
/// (ISO/IEC 13818-1, table 2-34), cues (SCTE 35).
const SECTION_STREAM_TYPES: [u8; 8] = [0x05, 0x0A, 0x0B, 0x0C, 0x0D, 0x14, 0x16, 0x86];

/// A place in the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Bytes of output before it: a packet begins there.
    pub offset: u64,
    /// What is there.
    pub kind: PointKind,
    /// PTS of the PES packet that begins there, where one does and says it.
    pub pts: Option<Timestamp>,
    /// Service id.
    pub program: u16,
}

/// What is at a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointKind {
    /// A picture with which a decoder can begin.
    RandomAccess {
        /// The coding of the video.
        codec: VideoCodec,
        /// Whether leading pictures follow that do not decode for who begins here: those
        /// with a PTS before the point's.
        is_open: bool,
        /// Packets of PAT and PMT as they last left before the picture, for who begins
        /// here: their continuity counters precede those that follow it.
        tables: Vec<u8>,
    },
    /// Video is missing before it, or another time base begins.
    Discontinuity,
    /// The first sound of a track.
    SoundBegins,
    /// From here on the video is scrambled; where no program has video, the sound.
    Scrambled,
    /// What was scrambled is clear again.
    Clear,
    /// A PMT that differs from the one before it.
    TablesChanged,
    /// A place where a viewer may begin although nothing promises a picture: there is no
    /// video, or it does not come, or no random access point has come for long.
    Entry {
        /// As those of a random access point; empty when the stream has none.
        tables: Vec<u8>,
    },
}

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

/// Looks at every packet of the output.
#[derive(Debug)]
pub(super) struct Points {
    offset: u64,
    roles: Box<[Role]>,
    tables: Tables,
    pictures: Vec<Video>,
    sounds: Vec<Sound>,
    others: Vec<Other>,
    entries: Entries,
    /// Points that wait for the first tables.
    pending: VecDeque<Pending>,
    found: VecDeque<Point>,
}

/// What entries depend on.
#[derive(Debug, Default)]
struct Entries {
    /// Since a random access point, or noise.
    wait: Wait,
    /// Since a picture, or noise.
    no_picture: Wait,
    /// Since sound, or noise.
    no_sound: Wait,
    /// Since the latest entry.
    since_entry: Option<Wait>,
    /// Whether there was a random access point within the patience.
    has_random_access: bool,
    /// Whether a clear picture has come since noise.
    has_clear_picture: bool,
    /// Whether pictures came that no table names.
    has_unnamed_picture: bool,
    had_noise: bool,
    /// Packets since noise.
    clear_packets: u32,
}

/// A point without its tables.
#[derive(Debug)]
struct Pending {
    point: Point,
    counters: Counters,
}

#[derive(Debug)]
struct Video {
    pid: Pid,
    program: u16,
    codec: VideoCodec,
    counter: SourceCounter,
    pes: PesReader,
    head: Option<Head>,
    scrambling: Scrambling,
    bareness: Bareness,
    run: ScrambledRun,
}

/// The beginning of a picture that is being looked at.
#[derive(Debug)]
struct Head {
    offset: u64,
    pts: Option<Timestamp>,
    random_access_indicator: bool,
    bytes: Vec<u8>,
    tables: Vec<u8>,
    counters: Counters,
    is_whole: bool,
}

/// Scrambled packets in a row.
#[derive(Debug, Default)]
struct ScrambledRun {
    packets: u32,
    is_scrambled: bool,
}

/// Whether units of video that begin clear are noise inside.
#[derive(Debug, Default)]
struct Bareness {
    has_begun: bool,
    has_start_code: bool,
    bare_units: u32,
}

#[derive(Debug)]
struct Sound {
    pid: Pid,
    program: u16,
    is_heard: bool,
    scrambling: Scrambling,
    run: ScrambledRun,
}

/// Text, data, a second picture, sound that is not known to be any.
#[derive(Debug)]
struct Other {
    pid: Pid,
    program: u16,
    /// Whether the PMT says that PES packets come: of sections, that begin with anything,
    /// clear bits are believed.
    carries_pes: bool,
    scrambling: Scrambling,
}

/// What a PMT says of a PID, of the output.
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
            pending: VecDeque::new(),
            found: VecDeque::new(),
        };
        points.give_roles();
        points
    }

    pub(super) fn next(&self) -> Option<&Point> {
        self.found.front()
    }

    pub(super) fn take(&mut self) -> Option<Point> {
        self.found.pop_front()
    }

    /// Takes over what the tables say: PMT PIDs with their program and whether its PMT is
    /// known, video and sound, and everything that the PMTs name.
    /// What goes on as it was keeps its state.
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
            self.entries = Entries {
                had_noise: self.entries.had_noise,
                ..Entries::default()
            };
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

    /// Takes the next packet of the output.
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
            self.note(self.offset, PointKind::TablesChanged, None, program);
        }
        for pending in &mut self.pending {
            pending.counters.push(packet);
        }
        for head in self.pictures.iter_mut().flat_map(|video| &mut video.head) {
            head.counters.push(packet);
        }
        self.complete_pending();
    }

    /// Gives points their tables that came before these.
    fn complete_pending(&mut self) {
        while let Some(Pending { point, .. }) = self.pending.front()
            && self.tables.are_whole(point.program)
            && let Some(Pending { point, counters }) = self.pending.pop_front()
        {
            let tables = self.tables.packets(&counters);
            let kind = with_tables(point.kind, tables);
            self.note(point.offset, kind, point.pts, point.program);
        }
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
            self.note(offset, PointKind::Discontinuity, None, program);
        }
        if !packet.has_payload() {
            return;
        }
        let video = &mut self.pictures[index];
        let mut judgement = video.scrambling.judge(packet).this;
        if judgement == Judgement::Clear && video.bareness.is_noise(packet) {
            judgement = Judgement::Scrambled;
        }
        let change = video.run.push(judgement);
        if judgement == Judgement::Scrambled {
            video.head = None;
            video.pes.lose();
        }
        if let Some(kind) = change {
            self.note(offset, kind, None, program);
        }
        if judgement != Judgement::Clear {
            self.entries.hear_noise();
            return;
        }
        self.entries.pass_packet();
        if packet.unit_start() {
            self.begin_picture(index, packet);
        }
        self.look_at_picture(index, packet);
    }

    /// A unit of video begins. The one before it may have told nothing.
    fn begin_picture(&mut self, index: usize, packet: Packet<'_>) {
        let counters = self.tables.counters();
        let head = Head {
            offset: self.offset,
            pts: pts_of_start(packet.payload()),
            random_access_indicator: packet.random_access(),
            bytes: Vec::new(),
            tables: self.tables.packets(&counters),
            is_whole: self.tables.are_whole(self.pictures[index].program),
            counters,
        };
        let before = self.pictures[index].head.replace(head);
        if let Some(before) = before.filter(|head| !head.bytes.is_empty()) {
            self.enter_picture(index, before, false);
        }
        if packet.payload().starts_with(&[0, 0, 1]) {
            self.entries.see_picture();
            let pts = pts_of_start(packet.payload());
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
            head.pts = chunk.pts;
        }
        head.bytes.extend_from_slice(chunk.data);
        match access(video.codec, &head.bytes) {
            Access::NeedMore => video.head = Some(head),
            Access::Dependent => {
                let is_promised = video.codec == VideoCodec::Other && head.random_access_indicator;
                self.enter_picture(index, head, is_promised);
            }
            Access::Refresh => self.enter_picture(index, head, true),
            Access::Random { is_open } => {
                let kind = PointKind::RandomAccess {
                    codec: video.codec,
                    is_open,
                    tables: Vec::new(),
                };
                let program = video.program;
                self.entries.find_random_access();
                self.note_join(head, kind, program);
            }
        }
    }

    /// Makes a picture that is no random access point an entry, if there is none better.
    fn enter_picture(&mut self, index: usize, head: Head, is_promised: bool) {
        if self.entries.takes_picture(is_promised) {
            let program = self.pictures[index].program;
            let tables = Vec::new();
            self.note_join(head, PointKind::Entry { tables }, program);
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
            self.note(offset, PointKind::SoundBegins, None, program);
        }
        if let Some(kind) = change.filter(|_| self.pictures.is_empty()) {
            self.note(offset, kind, None, program);
        }
        if judgement != Judgement::Clear {
            self.hear_noise_beside_pictures();
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
            self.hear_noise_beside_pictures();
        }
    }

    /// A PID that no table names matters while there are none.
    fn observe_unnamed(&mut self, packet: Packet<'_>) {
        if self.tables.has_pmt() || self.others.len() == MAX_OTHERS {
            return;
        }
        let pid = packet.pid();
        self.roles[pid.index()] = Role::Other(self.others.len() as u8);
        self.others.push(Other::new(pid, false));
        self.observe_other(self.others.len() - 1, packet);
    }

    fn hear_noise_beside_pictures(&mut self) {
        self.entries.no_picture.restart();
        if self.pictures.is_empty() || !self.entries.has_clear_picture {
            self.entries.hear_noise();
        }
    }

    /// A clear packet of what is no picture.
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
        self.entries.has_unnamed_picture |= is_video && !has_pmt;
        let pts = pts_of_start(payload);
        self.entries.pass_unit(packet.pid(), pts);
        let is_taken = if self.pictures.is_empty() {
            let is_heard = is_sound || self.sounds.is_empty();
            self.entries.takes_sound(is_heard, has_pmt)
        } else {
            self.entries.takes_instead_of_picture()
        };
        if is_sound {
            self.entries.no_sound.restart();
        }
        if is_taken {
            let counters = self.tables.counters();
            let head = Head {
                offset: self.offset,
                pts,
                random_access_indicator: false,
                bytes: Vec::new(),
                tables: self.tables.packets(&counters),
                is_whole: !has_pmt || self.tables.are_whole(program),
                counters,
            };
            let tables = Vec::new();
            self.note_join(head, PointKind::Entry { tables }, program);
        }
    }

    /// Notes a point where a viewer can begin, once its tables are there.
    fn note_join(&mut self, head: Head, kind: PointKind, program: u16) {
        let kind = with_tables(kind, head.tables);
        if head.is_whole {
            self.note(head.offset, kind, head.pts, program);
            return;
        }
        if self.pending.len() == MAX_PENDING {
            self.pending.pop_front();
        }
        let point = Point {
            offset: head.offset,
            kind,
            pts: head.pts,
            program,
        };
        let counters = head.counters;
        self.pending.push_back(Pending { point, counters });
        self.complete_pending();
    }

    fn note(&mut self, offset: u64, kind: PointKind, pts: Option<Timestamp>, program: u16) {
        if self.found.len() == MAX_POINTS {
            self.found.pop_front();
        }
        self.found.push_back(Point {
            offset,
            kind,
            pts,
            program,
        });
    }
}

impl Entries {
    fn hear_noise(&mut self) {
        self.wait.restart();
        self.no_picture.restart();
        self.no_sound.restart();
        self.has_clear_picture = false;
        self.had_noise = true;
        self.clear_packets = 0;
    }

    fn pass_packet(&mut self) {
        self.clear_packets = self.clear_packets.saturating_add(1);
        for wait in self.waits() {
            wait.pass_packet();
        }
    }

    fn pass_unit(&mut self, pid: Pid, pts: Option<Timestamp>) {
        for wait in self.waits() {
            wait.pass_unit(pid, pts);
        }
    }

    fn waits(&mut self) -> impl Iterator<Item = &mut Wait> {
        [&mut self.wait, &mut self.no_picture, &mut self.no_sound]
            .into_iter()
            .chain(&mut self.since_entry)
    }

    fn see_picture(&mut self) {
        self.has_clear_picture = true;
        self.no_picture.restart();
    }

    fn find_random_access(&mut self) {
        self.has_random_access = true;
        self.wait.restart();
    }

    /// Whether any picture will do; one that promises to become whole does where none is.
    fn takes_picture(&mut self, is_promised: bool) -> bool {
        if self.wait.lasts(PATIENCE) {
            self.has_random_access = false;
        }
        let will_do = self.wait.lasts(PATIENCE) || is_promised && !self.has_random_access;
        will_do && self.is_due()
    }

    fn takes_instead_of_picture(&mut self) -> bool {
        self.no_picture.lasts(ABSENT) && self.is_due()
    }

    /// Nobody plays pictures without tables, of which some streams are sparing.
    fn takes_sound(&mut self, is_heard: bool, has_pmt: bool) -> bool {
        let wanted = if self.had_noise { CLEAR_AFTER_NOISE } else { 1 };
        let comes_later = self.has_unnamed_picture && !has_pmt && !self.wait.lasts(PATIENCE);
        let is_place = is_heard || self.no_sound.lasts(ABSENT);
        is_place && self.clear_packets >= wanted && !comes_later && self.is_due()
    }

    fn is_due(&mut self) -> bool {
        let is_due = self
            .since_entry
            .as_ref()
            .is_none_or(|wait| wait.lasts(ENTRY_SPACING));
        if is_due {
            self.since_entry = Some(Wait::default());
        }
        is_due
    }
}

impl Video {
    fn new(pid: Pid, program: u16, codec: VideoCodec) -> Self {
        Self {
            pid,
            program,
            codec,
            counter: SourceCounter::default(),
            pes: PesReader::default(),
            head: None,
            scrambling: Scrambling::default(),
            bareness: Bareness::default(),
            run: ScrambledRun::default(),
        }
    }
}

impl Sound {
    fn new(pid: Pid, program: u16) -> Self {
        Self {
            pid,
            program,
            is_heard: false,
            scrambling: Scrambling::default(),
            run: ScrambledRun::default(),
        }
    }
}

impl Other {
    fn new(pid: Pid, carries_pes: bool) -> Self {
        Self {
            pid,
            program: 0,
            carries_pes,
            scrambling: Scrambling::default(),
        }
    }
}

impl ScrambledRun {
    /// Takes the judgement of the PID's next packet; returns what it changes.
    fn push(&mut self, judgement: Judgement) -> Option<PointKind> {
        match judgement {
            Judgement::Scrambled => {
                self.packets += 1;
                if self.packets == SCRAMBLED_RUN && !self.is_scrambled {
                    self.is_scrambled = true;
                    return Some(PointKind::Scrambled);
                }
            }
            Judgement::Clear => {
                self.packets = 0;
                if std::mem::take(&mut self.is_scrambled) {
                    return Some(PointKind::Clear);
                }
            }
            Judgement::Undecided => {}
        }
        None
    }
}

impl Bareness {
    /// Judges the next packet of video that is clear by its bits and by its beginning.
    fn is_noise(&mut self, packet: Packet<'_>) -> bool {
        let mut payload = packet.payload();
        if packet.unit_start() {
            if self.has_begun {
                self.bare_units = match self.has_start_code {
                    true => 0,
                    false => self.bare_units.saturating_add(1),
                };
            }
            payload = data_of_start(payload);
            self.has_begun = true;
            self.has_start_code = false;
        }
        if !self.has_start_code || self.bare_units > 0 {
            if has_start_code(payload) {
                self.has_start_code = true;
                self.bare_units = 0;
            } else if packet.unit_start() {
                self.has_start_code = !is_noise(payload);
            }
        }
        self.bare_units >= BARE_UNITS
    }
}

fn with_tables(kind: PointKind, tables: Vec<u8>) -> PointKind {
    match kind {
        PointKind::RandomAccess { codec, is_open, .. } => PointKind::RandomAccess {
            codec,
            is_open,
            tables,
        },
        _ => PointKind::Entry { tables },
    }
}

fn has_start_code(payload: &[u8]) -> bool {
    payload.windows(3).any(|bytes| bytes == [0, 0, 1])
}

fn take_where<T>(items: &mut Vec<T>, is_it: impl FnMut(&T) -> bool) -> Option<T> {
    items
        .iter()
        .position(is_it)
        .map(|index| items.swap_remove(index))
}
