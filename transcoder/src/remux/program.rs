//! A program: its PMT as the source sends it, and as it leaves.

use super::content::Signalled;
use super::signalling::{aac_entry, declared_audio, keep_language};
use super::track::Track;
use crate::ts::continuity::{Continuity, OutputCounter};
use crate::ts::packet::{Packet, Pid, packetise, without_payload};
use crate::ts::psi::{
    ElementaryStream, Pmt, SectionAssembler, SectionHeader, TABLE_PMT, descriptors, write_section,
};

/// CA_descriptor (ISO/IEC 13818-1, 2.6.16): names the PID of entitlement messages.
const CA_DESCRIPTOR: u8 = 0x09;

/// A PID that carries PMT sections: of one program, or of several (Enigma2 passes
/// such on).
#[derive(Debug)]
pub(super) struct PmtPid {
    pub(super) pid: Pid,
    assembler: SectionAssembler,
    counter: OutputCounter,
}

impl PmtPid {
    pub(super) fn new(pid: Pid, last_counter: Option<u8>) -> Self {
        Self {
            pid,
            assembler: SectionAssembler::default(),
            counter: OutputCounter::after(last_counter),
        }
    }

    /// Take the PID's next packet and return the sections that it completes. A clock that
    /// it carries is sent on.
    pub(super) fn push(
        &mut self,
        packet: Packet<'_>,
        continuity: Continuity,
        output: &mut Vec<u8>,
    ) -> Vec<Vec<u8>> {
        let mut sections = Vec::new();
        if packet.transport_error() || continuity.is_lost() {
            self.assembler.lose();
        }
        if packet.transport_error() {
            return sections;
        }
        if packet.pcr().is_some() {
            self.counter.send(without_payload(packet), output);
        }
        if continuity != Continuity::Repeats {
            self.assembler
                .push(packet.payload(), packet.unit_start(), |section| {
                    sections.push(section.to_vec());
                });
        }
        sections
    }

    /// Forget a section that was begun.
    pub(super) fn lose(&mut self) {
        self.assembler.lose();
    }

    /// Send a section in packets of its own.
    pub(super) fn send(&mut self, section: &[u8], output: &mut Vec<u8>) {
        let mut packets = Vec::new();
        packetise(self.pid, &[&[0], section].concat(), false, &mut packets);
        for packet in packets {
            self.counter.send(packet, output);
        }
    }
}

/// A program of the PAT.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) number: u16,
    pub(super) pmt_pid: Pid,
    /// Added to the version that the PMT begins with.
    version_offset: u8,
    source: Option<(u8, Pmt)>,
    /// Version and content of the PMT last sent.
    written: Option<(u8, Vec<u8>)>,
}

impl Program {
    pub(super) fn new(number: u16, pmt_pid: Pid, version_offset: u8) -> Self {
        Self {
            number,
            pmt_pid,
            version_offset,
            source: None,
            written: None,
        }
    }

    /// Return the source's PMT, once there is one.
    pub(super) fn pmt(&self) -> Option<&Pmt> {
        self.source.as_ref().map(|(_, pmt)| pmt)
    }

    /// Take the source's PMT; return whether it differs from the one before.
    pub(super) fn follow(&mut self, version: u8, pmt: Pmt) -> bool {
        let changed = self.pmt() != Some(&pmt);
        self.source = Some((version, pmt));
        changed
    }

    /// Return whether its PMT has an entry for the PID.
    pub(super) fn declares(&self, pid: Pid) -> bool {
        self.pmt()
            .is_some_and(|pmt| pmt.streams.iter().any(|entry| entry.pid == pid))
    }

    /// Return whether the program names the PID for any use.
    pub(super) fn uses(&self, pid: Pid) -> bool {
        self.pids().any(|used| used == pid)
    }

    /// Return the PIDs that belong to the program: elementary streams, clock, entitlement
    /// messages.
    pub(super) fn pids(&self) -> impl Iterator<Item = Pid> + '_ {
        self.pmt().into_iter().flat_map(|pmt| {
            let streams = pmt.streams.iter();
            let loops = std::iter::once(&pmt.descriptors)
                .chain(streams.clone().map(|entry| &entry.descriptors));
            let entitlements =
                loops
                    .flat_map(|bytes| descriptors(bytes))
                    .filter_map(|d| match (d.tag, d.body) {
                        (CA_DESCRIPTOR, [_, _, high, low, ..]) => {
                            Some(Pid::new(u16::from_be_bytes([*high, *low])))
                        }
                        _ => None,
                    });
            std::iter::once(pmt.pcr_pid)
                .chain(streams.map(|entry| entry.pid))
                .chain(entitlements)
        })
    }

    /// Return the PMT section to send, with a new version if its content has changed.
    pub(super) fn write(&mut self, tracks: &[Track]) -> Option<Vec<u8>> {
        let (source_version, pmt) = self.source.as_ref()?;
        let content = rewritten(pmt, tracks).content();
        let version = match &self.written {
            Some((version, written)) if *written == content => *version,
            Some((version, _)) => version.wrapping_add(1),
            // A PMT that is sent as it came has to keep its version as well: it may have
            // passed before the PAT named its PID.
            None if content == pmt.content() => source_version.wrapping_add(self.version_offset),
            None => source_version.wrapping_add(self.version_offset + 1),
        } & 0x1F;
        let header = SectionHeader {
            table_id: TABLE_PMT,
            id: self.number,
            version,
            current: true,
            number: 0,
            last_number: 0,
        };
        // Only an added track can make a PMT longer than may be; then it stays out.
        let section =
            write_section(header, &content).or_else(|| write_section(header, &pmt.content()));
        self.written = Some((version, content));
        section
    }
}

/// Return the PMT with the tracks as they leave.
fn rewritten(pmt: &Pmt, tracks: &[Track]) -> Pmt {
    let mut streams = Vec::with_capacity(pmt.streams.len());
    for (index, entry) in pmt.streams.iter().enumerate() {
        let track = tracks.iter().find(|track| track.pid == entry.pid);
        let Some(track) = track.filter(|_| declared_audio(entry).is_some()) else {
            streams.push(entry.clone());
            continue;
        };
        if index != entry_of(pmt, track) {
            continue;
        }
        match track.content.signalled() {
            Signalled::AsInSource => streams.push(entry.clone()),
            Signalled::LeftOut => {}
            Signalled::AsAac => {
                let mut aac = ElementaryStream {
                    pid: track.output_pid(),
                    ..aac_entry(entry)
                };
                keep_language(&mut aac, track.content.heard());
                streams.push(aac);
                // Players that take the first audio get the one they can play.
                if track.output_pid() != track.pid {
                    streams.push(entry.clone());
                }
            }
        }
    }
    Pmt {
        streams,
        ..pmt.clone()
    }
}

/// Of several entries for one PID, the right one; the first until it is known.
fn entry_of(pmt: &Pmt, track: &Track) -> usize {
    let mut entries = (0..pmt.streams.len()).filter(|&i| pmt.streams[i].pid == track.pid);
    let found = track.content.state.codec();
    entries
        .clone()
        .find(|&i| {
            found.is_some() && declared_audio(&pmt.streams[i]).and_then(|d| d.codec) == found
        })
        .or_else(|| entries.find(|&i| declared_audio(&pmt.streams[i]).is_some()))
        .unwrap_or(0)
}
