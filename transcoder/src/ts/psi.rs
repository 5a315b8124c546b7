//! Program specific information: sections, the PAT and the PMT (ISO/IEC 13818-1, 2.4.4).
//!
//! ```text
//! table_id | 1 0 (11) section_length 12 | id 16 | (11) version 5 current 1 | number | last
//! PAT:  { program_number 16 | (111) PID 13 }*                                    | CRC_32
//! PMT:  (111) PCR_PID 13 | (1111) program_info_length 12 | descriptors
//!       { stream_type | (111) PID 13 | (1111) ES_info_length 12 | descriptors }* | CRC_32
//! ```

use crc::{CRC_32_MPEG_2, Crc};

use super::packet::Pid;

/// table_id of a PAT section.
pub const TABLE_PAT: u8 = 0x00;
/// table_id of a PMT section.
pub const TABLE_PMT: u8 = 0x02;

/// Longest section of any table, header included (2.4.4.10).
pub const MAX_SECTION_BYTES: usize = 4096;
/// Longest PAT or PMT section, header included: section_length is at most 1021.
pub const MAX_PSI_SECTION_BYTES: usize = 1024;

const LENGTH_FIELD_END: usize = 3;
const LONG_HEADER_BYTES: usize = 8;
const CRC_BYTES: usize = 4;
const STUFFING: u8 = 0xFF;
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_MPEG_2);

/// An assembler of the sections of one PID.
#[derive(Debug, Default)]
pub struct SectionAssembler {
    /// The section so far, at most [`MAX_SECTION_BYTES`] and one payload.
    partial: Vec<u8>,
    /// Whether `partial` began at a section's first byte.
    aligned: bool,
}

impl SectionAssembler {
    /// Take the payload of the PID's next packet and hand whole sections to `sink`.
    /// Sections are unchecked: their CRC is for [`check`] to judge.
    pub fn push(&mut self, payload: &[u8], unit_start: bool, mut sink: impl FnMut(&[u8])) {
        if !unit_start {
            if self.aligned {
                self.partial.extend_from_slice(payload);
                self.deliver(&mut sink);
            }
            return;
        }
        // pointer_field: bytes of the section before, ahead of the first new one.
        let Some((&pointer, rest)) = payload.split_first() else {
            return self.lose();
        };
        let Some((tail, sections)) = rest.split_at_checked(usize::from(pointer)) else {
            return self.lose();
        };
        if self.aligned && !self.partial.is_empty() {
            self.partial.extend_from_slice(tail);
            self.deliver(&mut sink);
        }
        self.partial.clear();
        self.partial.extend_from_slice(sections);
        self.aligned = true;
        self.deliver(&mut sink);
    }

    /// Return whether a section has begun that has not ended yet.
    pub fn has_begun(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Note that packets are missing here, and drop the partial section.
    pub fn lose(&mut self) {
        self.partial.clear();
        self.aligned = false;
    }

    fn deliver(&mut self, sink: &mut impl FnMut(&[u8])) {
        let mut start = 0;
        while let Some(&table_id) = self.partial.get(start) {
            if table_id == STUFFING {
                // Nothing but stuffing follows until a unit starts (2.4.4.1).
                self.partial.clear();
                return;
            }
            let Some(length) = section_bytes(&self.partial[start..]) else {
                break;
            };
            if length > MAX_SECTION_BYTES {
                return self.lose();
            }
            let Some(section) = self.partial.get(start..start + length) else {
                break;
            };
            sink(section);
            start += length;
        }
        self.partial.drain(..start);
    }
}

/// Return the length that the section's own header gives, once that is there.
fn section_bytes(bytes: &[u8]) -> Option<usize> {
    let header = bytes.first_chunk::<LENGTH_FIELD_END>()?;
    Some(LENGTH_FIELD_END + usize::from(u16::from_be_bytes([header[1], header[2]]) & 0x0FFF))
}

/// The header of a PAT or PMT section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionHeader {
    /// Which table.
    pub table_id: u8,
    /// transport_stream_id of a PAT, program_number of a PMT.
    pub id: u16,
    /// version_number, 0 to 31.
    pub version: u8,
    /// Whether it is in force already.
    pub current: bool,
    /// Its number.
    pub number: u8,
    /// The number of the table's last section.
    pub last_number: u8,
}

/// Split a section of the long form into header and content. None when the structure or the
/// CRC is wrong.
pub fn check(section: &[u8]) -> Option<(SectionHeader, &[u8])> {
    let long_form = section.get(1)? & 0x80 != 0;
    if !long_form || section.len() < LONG_HEADER_BYTES + CRC_BYTES || CRC.checksum(section) != 0 {
        return None;
    }
    let header = SectionHeader {
        table_id: section[0],
        id: u16::from_be_bytes([section[3], section[4]]),
        version: section[5] >> 1 & 0x1F,
        current: section[5] & 1 != 0,
        number: section[6],
        last_number: section[7],
    };
    Some((
        header,
        &section[LONG_HEADER_BYTES..section.len() - CRC_BYTES],
    ))
}

/// Write a section of the long form with its length and CRC. None when the content is too
/// long for a PAT or PMT.
pub fn write_section(header: SectionHeader, content: &[u8]) -> Option<Vec<u8>> {
    let total = LONG_HEADER_BYTES + content.len() + CRC_BYTES;
    if total > MAX_PSI_SECTION_BYTES {
        return None;
    }
    let length = (total - LENGTH_FIELD_END) as u16;
    let mut section = Vec::with_capacity(total);
    section.push(header.table_id);
    section.extend_from_slice(&(0xB000 | length).to_be_bytes());
    section.extend_from_slice(&header.id.to_be_bytes());
    section.push(0xC0 | header.version << 1 | u8::from(header.current));
    section.extend_from_slice(&[header.number, header.last_number]);
    section.extend_from_slice(content);
    section.extend_from_slice(&CRC.checksum(&section).to_be_bytes());
    Some(section)
}

/// Return the programs of a PAT section's content, in order; network_PID entries
/// (program_number 0) are left out.
pub fn programs(content: &[u8]) -> impl Iterator<Item = (u16, Pid)> + '_ {
    content.chunks_exact(4).filter_map(|entry| {
        let number = u16::from_be_bytes([entry[0], entry[1]]);
        (number != 0).then(|| (number, Pid::new(u16::from_be_bytes([entry[2], entry[3]]))))
    })
}

/// Return the entry of one program, as PAT content.
pub fn program_entry(number: u16, pmt_pid: Pid) -> [u8; 4] {
    let [high, low] = number.to_be_bytes();
    let [pid_high, pid_low] = (0xE000 | pmt_pid.value()).to_be_bytes();
    [high, low, pid_high, pid_low]
}

/// Content of a PMT section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pmt {
    /// PID that carries the program's clock.
    pub pcr_pid: Pid,
    /// Descriptors of the program, as bytes.
    pub descriptors: Vec<u8>,
    /// Elementary streams in their order.
    pub streams: Vec<ElementaryStream>,
}

/// One entry of a PMT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementaryStream {
    /// stream_type (table 2-34).
    pub stream_type: u8,
    /// Its PID.
    pub pid: Pid,
    /// Its descriptors, as bytes.
    pub descriptors: Vec<u8>,
}

impl Pmt {
    /// Read a PMT section's content. None when a length reaches past the end.
    pub fn parse(content: &[u8]) -> Option<Self> {
        let (fixed, rest) = content.split_first_chunk::<4>()?;
        let pcr_pid = Pid::new(u16::from_be_bytes([fixed[0], fixed[1]]));
        let (descriptors, mut rest) = rest.split_at_checked(length_12(fixed[2], fixed[3]))?;
        let mut streams = Vec::new();
        while !rest.is_empty() {
            let (entry, after) = rest.split_first_chunk::<5>()?;
            let (descriptors, after) = after.split_at_checked(length_12(entry[3], entry[4]))?;
            streams.push(ElementaryStream {
                stream_type: entry[0],
                pid: Pid::new(u16::from_be_bytes([entry[1], entry[2]])),
                descriptors: descriptors.to_vec(),
            });
            rest = after;
        }
        Some(Self {
            pcr_pid,
            descriptors: descriptors.to_vec(),
            streams,
        })
    }

    /// Return the content of a PMT section.
    pub fn content(&self) -> Vec<u8> {
        let mut content = Vec::new();
        content.extend_from_slice(&(0xE000 | self.pcr_pid.value()).to_be_bytes());
        content.extend_from_slice(&(0xF000 | self.descriptors.len() as u16).to_be_bytes());
        content.extend_from_slice(&self.descriptors);
        for stream in &self.streams {
            content.push(stream.stream_type);
            content.extend_from_slice(&(0xE000 | stream.pid.value()).to_be_bytes());
            content.extend_from_slice(&(0xF000 | stream.descriptors.len() as u16).to_be_bytes());
            content.extend_from_slice(&stream.descriptors);
        }
        content
    }
}

fn length_12(high: u8, low: u8) -> usize {
    usize::from(u16::from_be_bytes([high, low]) & 0x0FFF)
}

/// One descriptor of a descriptor loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor<'a> {
    /// descriptor_tag.
    pub tag: u8,
    /// The bytes after descriptor_length.
    pub body: &'a [u8],
}

/// Walk a descriptor loop; end where a length reaches past the end.
pub fn descriptors(mut bytes: &[u8]) -> impl Iterator<Item = Descriptor<'_>> {
    std::iter::from_fn(move || {
        let (&[tag, length], rest) = bytes.split_first_chunk::<2>()?;
        let (body, rest) = rest.split_at_checked(usize::from(length))?;
        bytes = rest;
        Some(Descriptor { tag, body })
    })
}

#[cfg(test)]
mod tests;
