//! The packets of PAT and PMT that a viewer reads first at a point.

use crate::ts::packet::{PACKET_BYTES, Packet, Pid, set_continuity_counter};
use crate::ts::psi::{SectionAssembler, TABLE_PAT, TABLE_PMT, check};

/// Packets of a table that are kept: a section of 4096 bytes.
const MAX_TABLE_PACKETS: usize = 24;

/// PAT and PMTs as they last left.
#[derive(Debug, Default)]
pub(super) struct Tables(Vec<Table>);

/// What the counter of each table's PID has to lead up to, where that is known.
#[derive(Debug, Default, Clone)]
pub(super) struct Counters(Vec<(Pid, u8)>);

/// PAT, or one program's PMT.
#[derive(Debug)]
struct Table {
    pid: Pid,
    /// The service id of a PMT; none for the PAT.
    program: Option<u16>,
    /// The PMT is about to leave, or has left.
    is_known: bool,
    /// The packets of the last section that was whole and good.
    last: Vec<u8>,
    /// Those of the section that is under way.
    coming: Vec<u8>,
    assembler: SectionAssembler,
    version: Option<u8>,
    /// The counter of the PID's last packet.
    counter: Option<u8>,
}

impl Tables {
    /// Follow the PMTs that the PAT names: PID, program, and whether it is known.
    pub(super) fn follow(&mut self, pmts: impl Iterator<Item = (Pid, u16, bool)>) {
        let mut before = std::mem::take(&mut self.0);
        let pat = std::iter::once((Pid::PAT, None, true));
        for (pid, program, is_known) in pat.chain(pmts.map(|(pid, n, known)| (pid, Some(n), known)))
        {
            let is_it = |table: &Table| (table.pid, table.program) == (pid, program);
            let mut table = match before.iter().position(is_it) {
                Some(index) => before.swap_remove(index),
                None => Table::new(pid, program),
            };
            table.is_known = is_known;
            self.0.push(table);
        }
    }

    pub(super) fn pids(&self) -> impl Iterator<Item = Pid> {
        self.0.iter().map(|table| table.pid)
    }

    /// Return whether any program has a PMT.
    pub(super) fn has_pmt(&self) -> bool {
        self.0
            .iter()
            .any(|table| table.program.is_some() && table.is_known)
    }

    /// Return whether a program's tables have left.
    pub(super) fn are_whole(&self, program: u16) -> bool {
        let has_left = |wanted: Option<u16>| {
            self.0
                .iter()
                .any(|table| table.program == wanted && !table.last.is_empty())
        };
        has_left(None) && has_left(Some(program))
    }

    /// Take a packet of a table's PID; return the programs whose PMT is another one now.
    pub(super) fn push(&mut self, packet: Packet<'_>) -> Vec<u16> {
        let mut changed = Vec::new();
        for table in self.0.iter_mut().filter(|t| t.pid == packet.pid()) {
            if table.push(packet) {
                changed.extend(table.program);
            }
        }
        changed
    }

    /// Return the continuity counters of the next packets of the tables' PIDs.
    pub(super) fn counters(&self) -> Counters {
        let next = |table: &Table| Some((table.pid, table.counter?.wrapping_add(1) & 0x0F));
        Counters(self.0.iter().filter_map(next).collect())
    }

    /// Return the packets, with continuity counters that precede `next`.
    pub(super) fn packets(&self, next: &Counters) -> Vec<u8> {
        let mut packets = Vec::new();
        for table in &self.0 {
            packets.extend_from_slice(&table.last);
            packets.extend_from_slice(&table.coming);
        }
        let mut next = next.0.clone();
        for bytes in packets.rchunks_exact_mut(PACKET_BYTES) {
            let Some(bytes) = bytes.first_chunk_mut() else {
                continue;
            };
            let pid = Packet::new(bytes).pid();
            if let Some((_, counter)) = next.iter_mut().find(|(known, _)| *known == pid) {
                *counter = counter.wrapping_sub(1) & 0x0F;
                set_continuity_counter(bytes, *counter);
            }
        }
        packets
    }
}

impl Counters {
    /// Take a packet of a table's PID. The first one determines the PID's continuity counter.
    pub(super) fn push(&mut self, packet: Packet<'_>) {
        let pid = packet.pid();
        if packet.has_payload() && !self.0.iter().any(|(known, _)| *known == pid) {
            self.0.push((pid, packet.continuity_counter()));
        }
    }
}

impl Table {
    fn new(pid: Pid, program: Option<u16>) -> Self {
        Self {
            pid,
            program,
            is_known: false,
            last: Vec::new(),
            coming: Vec::new(),
            assembler: SectionAssembler::default(),
            version: None,
            counter: None,
        }
    }

    /// Take the next packet of its PID; return whether another version begins.
    fn push(&mut self, packet: Packet<'_>) -> bool {
        if !packet.has_payload() {
            return false;
        }
        if self.counter.replace(packet.continuity_counter()) == Some(packet.continuity_counter()) {
            // The packet before, sent again.
            return false;
        }
        let payload = packet.payload();
        let mut changed = false;
        if packet.unit_start() {
            let own = section_header(payload).filter(|&(table_id, id, _)| {
                self.program.map_or(table_id == TABLE_PAT, |program| {
                    table_id == TABLE_PMT && program == id
                })
            });
            let Some((_, _, version)) = own else {
                self.assembler.lose();
                self.coming.clear();
                return false;
            };
            changed = self.version.replace(version) != Some(version);
            if payload.first() == Some(&0) {
                self.assembler.lose();
                self.coming.clear();
            }
        } else if self.coming.is_empty() {
            return false;
        }
        self.coming.extend_from_slice(packet.bytes());
        let wanted = self.program;
        let (mut has_ended, mut is_good) = (false, false);
        self.assembler
            .push(payload, packet.unit_start(), |section| {
                has_ended = true;
                is_good |= check(section).is_some_and(|(header, _)| match wanted {
                    None => header.current && header.table_id == TABLE_PAT,
                    Some(id) => header.current && header.table_id == TABLE_PMT && header.id == id,
                });
            });
        if has_ended {
            let packets = std::mem::take(&mut self.coming);
            if is_good {
                self.last = packets;
            }
            if packet.unit_start() && payload.first() != Some(&0) {
                // Behind the end of one section another one may have begun.
                self.coming.extend_from_slice(packet.bytes());
            }
        } else if self.coming.len() > MAX_TABLE_PACKETS * PACKET_BYTES {
            self.coming.clear();
            self.assembler.lose();
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
