//! From packets to the program's renditions.

use super::event::Event;
use super::packager_options::PackagerOptions;
use super::tracks::Tracks;
use super::video_epoch::Targets;
use crate::Error;
use crate::ts::packet::{PACKET_BYTES, Packet, Pid};
use crate::ts::psi::{
    ElementaryStream, Pmt, SectionAssembler, TABLE_PAT, TABLE_PMT, check, programs,
};
use crate::ts::sync::Synchroniser;

/// Maximum number of programs of a PAT among which the packager waits for one: as many as a
/// section of a full multiplex holds.
const MAX_PROGRAMS: usize = 64;

/// A maker of CMAF tracks of one program of a transport stream, as a
/// [`Remuxer`](crate::Remuxer) gives it: pictures in H.264 or HEVC, sound in AAC.
///
/// Any split of the same input gives the same events. No bytes make it panic.
///
/// Call [`push`](Self::push), then [`next_event`](Self::next_event) until there is none: the
/// events that wait hold no more than what was pushed since, and what the limits named in this
/// module allow to be held back.
#[derive(Debug)]
pub struct Packager {
    targets: Targets,
    wanted: u16,
    sync: Synchroniser,
    pat: SectionAssembler,
    /// The program; while none has shown its PMT, every one that may be it.
    programs: Vec<Program>,
    streams: Vec<ElementaryStream>,
    tracks: Tracks,
}

/// A program of the PAT.
#[derive(Debug)]
struct Program {
    number: u16,
    pmt_pid: Pid,
    pmt: SectionAssembler,
}

impl Packager {
    /// Make a packager; fail with [`InvalidArgument`](crate::ErrorKind::InvalidArgument).
    pub fn new(options: &PackagerOptions) -> Result<Self, Error> {
        options.validate()?;
        let targets = options.targets();
        Ok(Self {
            targets,
            wanted: options.program,
            sync: Synchroniser::default(),
            pat: SectionAssembler::default(),
            programs: Vec::new(),
            streams: Vec::new(),
            tracks: Tracks::new(targets),
        })
    }

    /// Take the next bytes of the transport stream.
    pub fn push(&mut self, input: &[u8]) {
        let mut sync = std::mem::take(&mut self.sync);
        sync.push(input, |packet| self.push_packet(packet));
        self.sync = sync;
    }

    /// End the stream: what was held back becomes parts and segments. The last picture, whose end
    /// nothing shows, is left out.
    pub fn finish(&mut self) {
        let mut sync = std::mem::take(&mut self.sync);
        sync.finish(|packet| self.push_packet(packet));
        self.tracks.finish();
    }

    /// Return the next event; `None` when it takes more bytes.
    pub fn next_event(&mut self) -> Option<Event> {
        self.tracks.events.pop_front()
    }

    fn push_packet(&mut self, bytes: &[u8; PACKET_BYTES]) {
        let packet = Packet::new(bytes);
        if packet.transport_error() {
            return;
        }
        let pid = packet.pid();
        if pid == Pid::PAT {
            self.push_pat(packet);
        } else if let Some(index) = self.programs.iter().position(|p| p.pmt_pid == pid) {
            self.push_pmt(index, packet);
        } else {
            self.tracks.push(packet);
        }
    }

    fn push_pat(&mut self, packet: Packet<'_>) {
        let wanted = self.wanted;
        let mut listed: Vec<(u16, Pid)> = Vec::new();
        self.pat
            .push(packet.payload(), packet.unit_start(), |section| {
                let content = check(section)
                    .filter(|(header, _)| header.table_id == TABLE_PAT && header.current)
                    .map(|(_, content)| content);
                let found = programs(content.unwrap_or_default()).filter(|&(number, pid)| {
                    (wanted == 0 || number == wanted) && pid.is_assignable()
                });
                listed.extend(found.take(MAX_PROGRAMS));
            });
        let goes_on = |program: &Program| listed.contains(&(program.number, program.pmt_pid));
        if listed.is_empty() || self.programs.iter().any(goes_on) {
            return;
        }
        listed.truncate(MAX_PROGRAMS);
        self.programs = listed
            .into_iter()
            .map(|(number, pmt_pid)| Program {
                number,
                pmt_pid,
                pmt: SectionAssembler::default(),
            })
            .collect();
    }

    fn push_pmt(&mut self, index: usize, packet: Packet<'_>) {
        let Some(program) = self.programs.get_mut(index) else {
            return;
        };
        let (number, mut found) = (program.number, None);
        program
            .pmt
            .push(packet.payload(), packet.unit_start(), |section| {
                let pmt = check(section)
                    .filter(|(header, _)| header.table_id == TABLE_PMT && header.current)
                    .filter(|(header, _)| header.id == number)
                    .and_then(|(_, content)| Pmt::parse(content));
                found = pmt.or(found.take());
            });
        let Some(pmt) = found else {
            return;
        };
        // The first that has a PMT is the program: a PAT may list others that do not come.
        self.programs.swap(0, index);
        self.programs.truncate(1);
        self.tracks.follow_clock(pmt.pcr_pid);
        if pmt.streams != self.streams {
            self.tracks.follow(&pmt.streams);
            self.streams = pmt.streams;
        }
    }

    /// Return how many bytes of samples are held back, at most
    /// [`MAX_HELD_BYTES`](super::MAX_HELD_BYTES). Events that were not taken are not among them.
    pub fn held_bytes(&self) -> usize {
        self.tracks.held_bytes()
    }

    /// Return the longest part in ticks of 90 kHz: PART-TARGET.
    pub fn part_target_90k(&self) -> u64 {
        self.targets.part.unsigned_abs()
    }
}
