//! The program association table as the source sends it, and as it leaves when one
//! program is chosen (ISO/IEC 13818-1, 2.4.4.3).

use crate::ts::continuity::{Continuity, OutputCounter};
use crate::ts::packet::{Packet, Pid, packetise};
use crate::ts::psi::{
    SectionAssembler, SectionHeader, TABLE_PAT, check, program_entry, programs, write_section,
};

/// The PAT in force, of several sections where it has them.
#[derive(Debug)]
pub(super) struct Pat {
    assembler: SectionAssembler,
    /// The table in force.
    current: Table,
    /// A table of which sections are still missing.
    coming: Table,
    output: Written,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Table {
    id: u16,
    version: u8,
    /// Content by section number; empty where it is missing.
    sections: Vec<Vec<u8>>,
}

/// What was last sent in place of the source's PAT.
#[derive(Debug)]
struct Written {
    content: Option<Vec<u8>>,
    version: u8,
    /// Added to the version that the first one has.
    version_offset: u8,
    counter: OutputCounter,
}

/// What a packet of the PAT's PID brought.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Sections that were whole and good.
    pub(super) sections: u32,
    /// Sections that were not.
    pub(super) errors: u64,
    /// Whether the programs have changed.
    pub(super) changed: bool,
}

impl Pat {
    pub(super) fn new(version_offset: u8) -> Self {
        Self {
            assembler: SectionAssembler::default(),
            current: Table::default(),
            coming: Table::default(),
            output: Written {
                content: None,
                version: 0,
                version_offset,
                counter: OutputCounter::after(None),
            },
        }
    }

    pub(super) fn push(&mut self, packet: Packet<'_>, continuity: Continuity) -> Outcome {
        let mut outcome = Outcome::default();
        if packet.transport_error() || continuity.is_lost() {
            self.assembler.lose();
        }
        if packet.transport_error() || continuity == Continuity::Repeats {
            return outcome;
        }
        let mut sections = Vec::new();
        self.assembler
            .push(packet.payload(), packet.unit_start(), |section| {
                sections.push(section.to_vec())
            });
        for section in sections {
            match check(&section) {
                Some((header, content)) if header.table_id == TABLE_PAT => {
                    outcome.sections += 1;
                    outcome.changed |= header.current && self.follow(header, content);
                }
                Some(_) => {}
                None => outcome.errors += 1,
            }
        }
        outcome
    }

    /// Return whether a table is in force.
    pub(super) fn is_known(&self) -> bool {
        !self.current.sections.is_empty()
    }

    /// Forget what was begun.
    pub(super) fn lose(&mut self) {
        self.assembler.lose();
    }

    /// Return the programs in force, in the table's order.
    pub(super) fn programs(&self) -> impl Iterator<Item = (u16, Pid)> + '_ {
        self.current
            .sections
            .iter()
            .flat_map(|content| programs(content))
    }

    /// Append a PAT that lists one program alone, or none when it is not there.
    pub(super) fn write_single(&mut self, number: u16, output: &mut Vec<u8>) {
        let content = self
            .programs()
            .find(|&(known, _)| known == number)
            .map_or_else(Vec::new, |(number, pid)| {
                program_entry(number, pid).to_vec()
            });
        let written = &mut self.output;
        if written.content.as_ref() != Some(&content) {
            written.version = match written.content {
                Some(_) => written.version.wrapping_add(1),
                None => self.current.version.wrapping_add(written.version_offset),
            } & 0x1F;
            written.content = Some(content.clone());
        }
        let header = SectionHeader {
            table_id: TABLE_PAT,
            id: self.current.id,
            version: written.version,
            current: true,
            number: 0,
            last_number: 0,
        };
        let Some(section) = write_section(header, &content) else {
            return;
        };
        let mut packets = Vec::new();
        packetise(
            Pid::PAT,
            &[&[0], section.as_slice()].concat(),
            false,
            &mut packets,
        );
        for packet in packets {
            written.counter.send(packet, output);
        }
    }

    /// Take a good section; return whether a table has become complete that differs from
    /// the one in force.
    fn follow(&mut self, header: SectionHeader, content: &[u8]) -> bool {
        let count = usize::from(header.last_number) + 1;
        let same_table = (self.coming.id, self.coming.version) == (header.id, header.version)
            && self.coming.sections.len() == count;
        if !same_table {
            self.coming = Table {
                id: header.id,
                version: header.version,
                sections: vec![Vec::new(); count],
            };
        }
        if let Some(place) = self.coming.sections.get_mut(usize::from(header.number)) {
            place.clear();
            place.extend_from_slice(content);
        }
        let complete = count == 1 || self.coming.sections.iter().all(|part| !part.is_empty());
        if !complete || self.coming == self.current {
            return false;
        }
        self.current = self.coming.clone();
        true
    }
}
