//! Points: where in the output a viewer can join, and where it changes.
//!
//! Every packet that leaves passes here, so a point says what a player will read. Its
//! offset counts from the stream's first byte of output: whether a decoder can begin with a
//! picture may be known only some packets after its first one has left.

use std::collections::VecDeque;

use super::continuity::{Continuity, SourceCounter};
use super::scrambling::{Judgement, Scrambling};
use crate::ts::clock::Timestamp;
use crate::ts::packet::{PACKET_BYTES, Packet, Pid};
use crate::ts::pes::PesReader;
use crate::ts::psi::{TABLE_PAT, TABLE_PMT};
use crate::ts::video::{Access, VideoCodec, access};

/// Points that wait to be taken. A second of a stream has a few; when nobody takes them
/// the oldest go.
const MAX_POINTS: usize = 1024;

/// Packets of a table that are kept: a section of 4096 bytes.
const MAX_TABLE_PACKETS: usize = 24;

/// Scrambled packets of video in a row that make it a scrambled one; fewer are damage.
const SCRAMBLED_RUN: u32 = 16;

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
    /// From here on the video is scrambled.
    Scrambled,
    /// Video that was scrambled is clear again.
    Clear,
    /// A PMT that differs from the one before it.
    TablesChanged,
}

/// What the output's PIDs carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Other,
    /// One of `tables`, or several.
    Table,
    /// Index into `pictures`.
    Picture(u8),
    /// Index into `sounds`.
    Sound(u8),
}

/// Looks at every packet of the output.
#[derive(Debug)]
pub(super) struct Points {
    offset: u64,
    roles: Box<[Role]>,
    tables: Vec<Table>,
    pictures: Vec<Video>,
    sounds: Vec<Sound>,
    found: VecDeque<Point>,
}

/// The packets of PAT, or of one program's PMT, as they last left.
#[derive(Debug)]
struct Table {
    pid: Pid,
    /// The service id of a PMT; none for the PAT.
    program: Option<u16>,
    packets: Vec<u8>,
    version: Option<u8>,
    /// Whether the packets that follow belong to it.
    is_open: bool,
}

#[derive(Debug)]
struct Video {
    pid: Pid,
    program: u16,
    codec: VideoCodec,
    counter: SourceCounter,
    pes: PesReader,
    /// Where the present PES packet began: its header may take several packets.
    begun: u64,
    head: Option<Head>,
    scrambling: Scrambling,
    scrambled_run: u32,
    is_scrambled: bool,
}

/// The beginning of a picture that is being looked at.
#[derive(Debug)]
struct Head {
    offset: u64,
    pts: Option<Timestamp>,
    bytes: Vec<u8>,
    tables: Vec<u8>,
}

#[derive(Debug)]
struct Sound {
    pid: Pid,
    program: u16,
    is_heard: bool,
}

impl Points {
    pub(super) fn new() -> Self {
        Self {
            offset: 0,
            roles: vec![Role::Other; Pid::COUNT].into(),
            tables: Vec::new(),
            pictures: Vec::new(),
            sounds: Vec::new(),
            found: VecDeque::new(),
        }
    }

    pub(super) fn next(&self) -> Option<&Point> {
        self.found.front()
    }

    pub(super) fn take(&mut self) -> Option<Point> {
        self.found.pop_front()
    }

    /// Takes over what the tables say: PMT PIDs, video and sound, each with its program.
    /// What goes on as it was keeps its state.
    pub(super) fn follow(
        &mut self,
        pmts: impl Iterator<Item = (Pid, u16)>,
        pictures: impl Iterator<Item = (Pid, u16, VideoCodec)>,
        sounds: impl Iterator<Item = (Pid, u16)>,
    ) {
        let mut known = std::mem::take(&mut self.tables);
        let named = std::iter::once((Pid::PAT, None)).chain(pmts.map(|(pid, n)| (pid, Some(n))));
        for (pid, program) in named {
            let table = take_where(&mut known, |table| {
                table.pid == pid && table.program == program
            });
            self.tables
                .push(table.unwrap_or_else(|| Table::new(pid, program)));
        }
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
            self.sounds.push(sound.unwrap_or(Sound {
                pid,
                program,
                is_heard: false,
            }));
        }
        self.roles.fill(Role::Other);
        for (index, sound) in (0..).zip(&self.sounds) {
            self.roles[sound.pid.index()] = Role::Sound(index);
        }
        for (index, video) in (0..).zip(&self.pictures) {
            self.roles[video.pid.index()] = Role::Picture(index);
        }
        for table in &self.tables {
            self.roles[table.pid.index()] = Role::Table;
        }
    }

    /// Takes the next packet of the output.
    pub(super) fn observe(&mut self, packet: Packet<'_>) {
        if !packet.transport_error() {
            match self.roles[packet.pid().index()] {
                Role::Other => {}
                Role::Table => self.observe_table(packet),
                Role::Picture(index) => self.observe_picture(index.into(), packet),
                Role::Sound(index) => self.observe_sound(index.into(), packet),
            }
        }
        self.offset += PACKET_BYTES as u64;
    }

    fn observe_table(&mut self, packet: Packet<'_>) {
        let mut changed = Vec::new();
        for table in self
            .tables
            .iter_mut()
            .filter(|table| table.pid == packet.pid())
        {
            if table.push(packet) {
                changed.extend(table.program);
            }
        }
        for program in changed {
            self.note(self.offset, PointKind::TablesChanged, None, program);
        }
    }

    fn observe_picture(&mut self, index: usize, packet: Packet<'_>) {
        let offset = self.offset;
        let video = &mut self.pictures[index];
        let program = video.program;
        let mut kinds = Vec::new();
        let continuity = video.counter.judge(packet);
        if continuity == Continuity::Repeats {
            return;
        }
        if packet.discontinuity() || continuity.is_lost() {
            video.head = None;
            video.pes.lose();
            kinds.push(PointKind::Discontinuity);
        }
        let judgement = video.scrambling.judge(packet).this;
        if packet.has_payload() {
            if judgement == Judgement::Scrambled {
                video.head = None;
                video.pes.lose();
                video.scrambled_run += 1;
                if video.scrambled_run == SCRAMBLED_RUN && !video.is_scrambled {
                    video.is_scrambled = true;
                    kinds.push(PointKind::Scrambled);
                }
            } else if judgement == Judgement::Clear {
                video.scrambled_run = 0;
                if std::mem::take(&mut video.is_scrambled) {
                    kinds.push(PointKind::Clear);
                }
            }
        }
        for kind in kinds {
            self.note(offset, kind, None, program);
        }
        if packet.has_payload() && judgement == Judgement::Clear {
            self.look_at_picture(index, packet);
        }
    }

    fn look_at_picture(&mut self, index: usize, packet: Packet<'_>) {
        let video = &mut self.pictures[index];
        if packet.unit_start() {
            video.head = None;
            video.begun = self.offset;
        }
        let Some(chunk) = video.pes.push(packet.payload(), packet.unit_start()) else {
            return;
        };
        if chunk.starts_pes {
            let tables = self.tables.iter().flat_map(|table| &table.packets);
            video.head = Some(Head {
                offset: video.begun,
                pts: chunk.pts,
                bytes: Vec::new(),
                tables: tables.copied().collect(),
            });
        }
        let Some(mut head) = video.head.take() else {
            return;
        };
        head.bytes.extend_from_slice(chunk.data);
        match access(video.codec, &head.bytes) {
            Access::NeedMore => video.head = Some(head),
            Access::Dependent => {}
            Access::Random { is_open } => {
                let kind = PointKind::RandomAccess {
                    codec: video.codec,
                    is_open,
                    tables: head.tables,
                };
                let program = video.program;
                self.note(head.offset, kind, head.pts, program);
            }
        }
    }

    fn observe_sound(&mut self, index: usize, packet: Packet<'_>) {
        let sound = &mut self.sounds[index];
        if !sound.is_heard && packet.unit_start() && packet.payload().starts_with(&[0, 0, 1]) {
            sound.is_heard = true;
            let program = sound.program;
            let offset = self.offset;
            self.note(offset, PointKind::SoundBegins, None, program);
        }
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

impl Table {
    fn new(pid: Pid, program: Option<u16>) -> Self {
        Self {
            pid,
            program,
            packets: Vec::new(),
            version: None,
            is_open: false,
        }
    }

    /// Takes the next packet of its PID; returns whether another version begins.
    fn push(&mut self, packet: Packet<'_>) -> bool {
        if !packet.has_payload() {
            return false;
        }
        let mut changed = false;
        if packet.unit_start() {
            let own = section_header(packet.payload()).filter(|&(table_id, id, _)| {
                self.program.map_or(table_id == TABLE_PAT, |program| {
                    table_id == TABLE_PMT && program == id
                })
            });
            self.is_open = own.is_some();
            if let Some((_, _, version)) = own {
                self.packets.clear();
                changed = self.version.replace(version) != Some(version);
            }
        }
        if self.is_open && self.packets.len() < MAX_TABLE_PACKETS * PACKET_BYTES {
            self.packets.extend_from_slice(packet.bytes());
        }
        changed
    }
}

/// table_id, table_id_extension and version_number of the section that begins in a payload
/// (ISO/IEC 13818-1, 2.4.4.3).
fn section_header(payload: &[u8]) -> Option<(u8, u16, u8)> {
    let (&pointer, rest) = payload.split_first()?;
    let header = rest.get(usize::from(pointer)..)?.first_chunk::<6>()?;
    let id = u16::from_be_bytes([header[3], header[4]]);
    Some((header[0], id, header[5] >> 1 & 0x1F))
}

impl Video {
    fn new(pid: Pid, program: u16, codec: VideoCodec) -> Self {
        Self {
            pid,
            program,
            codec,
            counter: SourceCounter::default(),
            pes: PesReader::default(),
            begun: 0,
            head: None,
            scrambling: Scrambling::default(),
            scrambled_run: 0,
            is_scrambled: false,
        }
    }
}

fn take_where<T>(items: &mut Vec<T>, is_it: impl FnMut(&T) -> bool) -> Option<T> {
    items
        .iter()
        .position(is_it)
        .map(|index| items.swap_remove(index))
}
