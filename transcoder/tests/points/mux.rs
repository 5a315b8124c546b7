//! Streams of H.264 that tests write, and the points of their output.

use std::iter;

use xg2g_transcoder::ts::packet::{PACKET_BYTES, Packet, Pid, packetise, set_continuity_counter};
use xg2g_transcoder::ts::psi::{
    ElementaryStream, Pmt, SectionAssembler, SectionHeader, TABLE_PAT, TABLE_PMT, check,
    program_entry, write_section,
};
use xg2g_transcoder::{Options, Point, PointKind, Remuxer};

pub(crate) const PMT_PID: Pid = Pid::new(0x100);
pub(crate) const VIDEO: Pid = Pid::new(0x101);
pub(crate) const OTHER_VIDEO: Pid = Pid::new(0x102);

pub(crate) type Bytes = Vec<u8>;

/// Access unit delimiter, parameter sets and the slice of an IDR picture of H.264.
pub(crate) fn idr() -> Bytes {
    let units: [&[u8]; 4] = [
        &[0x09, 0x10],
        &[0x67, 0x64, 0, 0x28, 0xAC],
        &[0x68, 0xEE, 0x3C],
        &[0x65, 0x88, 0x84, 0, 0x33],
    ];
    picture(&units)
}

/// A picture of an open group: an I slice that is no IDR, with its parameters.
pub(crate) fn open_random_access() -> Bytes {
    let units: [&[u8]; 4] = [
        &[0x09, 0x10],
        &[0x67, 0x64, 0, 0x28, 0xAC],
        &[0x68, 0xEE, 0x3C],
        &[0x41, 0b1000_1000, 0x80, 0, 0x33],
    ];
    picture(&units)
}

/// A picture that needs others.
pub(crate) fn dependent() -> Bytes {
    picture(&[&[0x09, 0x30], &[0x41, 0b1001_1000, 0x80, 0, 0x33]])
}

/// A picture that needs others and that none needs.
pub(crate) fn disposable() -> Bytes {
    picture(&[&[0x09, 0x30], &[0x01, 0b1001_1000, 0x80, 0, 0x33]])
}

pub(crate) fn picture(units: &[&[u8]]) -> Bytes {
    let mut bytes: Bytes = units
        .iter()
        .flat_map(|unit| [&[0, 0, 1], *unit].concat())
        .collect();
    bytes.extend([0x5A; 400]);
    bytes
}

pub(crate) fn pes(pts: Option<u64>, header_stuffing: usize, data: &[u8]) -> Bytes {
    let mut bytes = vec![0, 0, 1, 0xE0, 0, 0, 0x80];
    bytes.push(if pts.is_some() { 0x80 } else { 0 });
    bytes.push((header_stuffing + if pts.is_some() { 5 } else { 0 }) as u8);
    if let Some(pts) = pts {
        bytes.extend([
            0x21 | (pts >> 29 & 0x0E) as u8,
            (pts >> 22) as u8,
            (pts >> 14) as u8 | 1,
            (pts >> 7) as u8,
            (pts << 1) as u8 | 1,
        ]);
    }
    bytes.extend(iter::repeat_n(0xFF, header_stuffing));
    bytes.extend(data);
    bytes
}

/// A multiplex in the making.
#[derive(Clone)]
pub(crate) struct Mux {
    pub(crate) counters: Vec<u8>,
    pub(crate) packets: Vec<[u8; PACKET_BYTES]>,
}

impl Mux {
    pub(crate) fn new() -> Self {
        Self {
            counters: vec![0; Pid::COUNT],
            packets: Vec::new(),
        }
    }

    pub(crate) fn packet(&mut self, mut packet: [u8; PACKET_BYTES]) {
        let counter = &mut self.counters[Packet::new(&packet).pid().index()];
        set_continuity_counter(&mut packet, *counter);
        *counter = counter.wrapping_add(1) & 0x0F;
        self.packets.push(packet);
    }

    pub(crate) fn unit(&mut self, pid: Pid, unit: &[u8]) {
        let mut packets: Vec<[u8; PACKET_BYTES]> = Vec::new();
        packetise(pid, unit, false, &mut packets);
        for packet in packets {
            self.packet(packet);
        }
    }

    /// A unit in packets that carry no more than so many bytes each.
    pub(crate) fn thin_unit(&mut self, pid: Pid, unit: &[u8], bytes_each: usize) {
        for (index, part) in unit.chunks(bytes_each).enumerate() {
            let mut packets: Vec<[u8; PACKET_BYTES]> = Vec::new();
            packetise(pid, part, false, &mut packets);
            for mut packet in packets {
                if index > 0 {
                    packet[1] &= !0x40;
                }
                self.packet(packet);
            }
        }
    }

    pub(crate) fn sections(&mut self, pid: Pid, sections: &[Bytes]) {
        self.unit(pid, &[&[0], sections.concat().as_slice()].concat());
    }

    pub(crate) fn tables(&mut self) {
        self.sections(Pid::PAT, &[pat(&[(1, PMT_PID)])]);
        self.sections(PMT_PID, &[pmt(1, 0, VIDEO, 0)]);
    }

    pub(crate) fn pictures(&mut self, pid: Pid, count: u64) {
        for number in 0..count {
            self.unit(pid, &pes(Some(90_000 + 3600 * number), 0, &dependent()));
        }
    }

    pub(crate) fn bytes(&self) -> Bytes {
        self.packets.concat()
    }
}

pub(crate) fn section(table_id: u8, id: u16, version: u8, content: &[u8]) -> Bytes {
    let header = SectionHeader {
        table_id,
        id,
        version,
        current: true,
        number: 0,
        last_number: 0,
    };
    write_section(header, content).expect("short enough")
}

pub(crate) fn pat(entries: &[(u16, Pid)]) -> Bytes {
    let entries = entries
        .iter()
        .map(|&(number, pid)| program_entry(number, pid));
    section(TABLE_PAT, 1, 0, &entries.collect::<Vec<_>>().concat())
}

pub(crate) fn pmt(program: u16, version: u8, video: Pid, descriptor_bytes: usize) -> Bytes {
    let stream = ElementaryStream {
        stream_type: 0x1B,
        pid: video,
        descriptors: Bytes::new(),
    };
    let map = Pmt {
        pcr_pid: video,
        descriptors: vec![0; descriptor_bytes],
        streams: vec![stream],
    };
    section(TABLE_PMT, program, version, &map.content())
}

pub(crate) fn remux_with(
    options: Options,
    stream: &[u8],
    piece_bytes: usize,
) -> (Bytes, Vec<Point>) {
    let mut remuxer = Remuxer::new(options).expect("valid options");
    let (mut output, mut points) = (Vec::new(), Vec::new());
    for piece in stream.chunks(piece_bytes.max(1)) {
        remuxer.push(piece, &mut output).expect("not finished");
        points.extend(iter::from_fn(|| remuxer.take_point()));
    }
    remuxer.finish(&mut output).expect("never fails");
    points.extend(iter::from_fn(|| remuxer.take_point()));
    (output, points)
}

pub(crate) fn remux(stream: &[u8]) -> (Bytes, Vec<Point>) {
    remux_with(Options::default(), stream, 10_000)
}

/// Offset, PTS and tables of each random access point.
pub(crate) fn joins(points: &[Point]) -> Vec<(usize, Option<u64>, &[u8])> {
    let found = points.iter().filter_map(|point| match &point.kind {
        PointKind::RandomAccess { tables, .. } => Some((
            usize::try_from(point.offset).expect("in memory"),
            point.pts.map(|pts| pts.ticks_90k()),
            tables.as_slice(),
        )),
        _ => None,
    });
    found.collect()
}

pub(crate) fn packet_at(output: &[u8], offset: usize) -> Packet<'_> {
    Packet::new(output[offset..].first_chunk().expect("a packet"))
}

/// The sections that a player finds in tables: PID and id of each that is good.
pub(crate) fn sections_in(tables: &[u8]) -> Vec<(u16, u16)> {
    let mut assemblers = vec![];
    let mut found = Vec::new();
    for packet in tables.chunks_exact(PACKET_BYTES) {
        let packet = Packet::new(packet.first_chunk().expect("a packet"));
        let pid = packet.pid();
        let index = assemblers.iter().position(|(known, _)| *known == pid);
        let index = index.unwrap_or_else(|| {
            assemblers.push((pid, SectionAssembler::default()));
            assemblers.len() - 1
        });
        assemblers[index]
            .1
            .push(packet.payload(), packet.unit_start(), |section| {
                let (header, _) = check(section).expect("the CRC is right");
                found.push((pid.value(), header.id));
            });
    }
    found
}
