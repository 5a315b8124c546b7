//! Display sets in transport streams: written for ffmpeg, and read out of captures.

use xg2g_transcoder::ts::clock::Timestamp;
use xg2g_transcoder::ts::packet::{PACKET_BYTES, Packet, Pid, packetise};
use xg2g_transcoder::ts::pes::{data_of_start, pts_of_start};
use xg2g_transcoder::ts::psi::{
    ElementaryStream, Pmt, SectionHeader, TABLE_PAT, TABLE_PMT, program_entry, write_section,
};
use xg2g_transcoder::ts::sync::Synchroniser;

use super::written::PAGE;

pub(super) const PID: u16 = 0x120;
const PMT: u16 = 0x100;

/// A stream with nothing but these packets of subtitles, each at its time.
pub(super) fn stream(sets: &[(Timestamp, Vec<u8>)]) -> Vec<u8> {
    let [high, low] = PAGE.to_be_bytes();
    let pmt = Pmt {
        pcr_pid: Pid::new(0x1FFF),
        descriptors: Vec::new(),
        streams: vec![ElementaryStream {
            stream_type: 0x06,
            pid: Pid::new(PID),
            descriptors: vec![0x59, 8, b'e', b'n', b'g', 0x10, high, low, high, low],
        }],
    };
    let mut packets: Vec<[u8; PACKET_BYTES]> = Vec::new();
    let pat = program_entry(1, Pid::new(PMT)).to_vec();
    for (pid, table_id, content) in [(0, TABLE_PAT, pat), (PMT, TABLE_PMT, pmt.content())] {
        let header = SectionHeader {
            table_id,
            id: 1,
            version: 0,
            current: true,
            number: 0,
            last_number: 0,
        };
        let section = write_section(header, &content).expect("a small section");
        packetise(
            Pid::new(pid),
            &[&[0], &section[..]].concat(),
            false,
            &mut packets,
        );
    }
    let first = packets.len();
    for (at, data) in sets {
        packetise(
            Pid::new(PID),
            &pes(at.ticks_90k(), data),
            false,
            &mut packets,
        );
    }
    for (index, packet) in packets[first..].iter_mut().enumerate() {
        packet[3] = packet[3] & 0xF0 | index as u8 & 0x0F;
    }
    packets.concat()
}

fn pes(at: u64, data: &[u8]) -> Vec<u8> {
    let [high, low] = (data.len() as u16 + 8).to_be_bytes();
    let stamp = [
        0x21 | (at >> 29) as u8 & 0x0E,
        (at >> 22) as u8,
        (at >> 14) as u8 | 1,
        (at >> 7) as u8,
        (at << 1) as u8 | 1,
    ];
    let head = [0, 0, 1, 0xBD, high, low, 0x84, 0x80, 5];
    [&head[..], &stamp, data].concat()
}

/// The whole PES packets of a PID, with their times.
pub(super) fn packets_of(stream: &[u8], pid: u16) -> Vec<(Timestamp, Vec<u8>)> {
    let mut units: Vec<Vec<u8>> = Vec::new();
    let mut synchroniser = Synchroniser::default();
    let mut take = |bytes: &[u8; PACKET_BYTES]| {
        let packet = Packet::new(bytes);
        if packet.pid() != Pid::new(pid) || packet.is_scrambled() {
            return;
        }
        if packet.unit_start() {
            units.push(Vec::new());
        }
        if let Some(unit) = units.last_mut() {
            unit.extend_from_slice(packet.payload());
        }
    };
    synchroniser.push(stream, &mut take);
    synchroniser.finish(&mut take);
    let whole = units.into_iter().filter_map(|mut unit| {
        let length = 6 + usize::from(u16::from_be_bytes([*unit.get(4)?, *unit.get(5)?]));
        (unit.len() >= length).then(|| unit.truncate(length))?;
        Some((pts_of_start(&unit)?, data_of_start(&unit).to_vec()))
    });
    whole.collect()
}
