//! Any bytes behind any tables are taken without a panic and within the bound of what is held
//! back, and any division of the input gives the same events.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xg2g_transcoder::mp4::{Event, MAX_HELD_BYTES, Packager, PackagerOptions};
use xg2g_transcoder::ts::packet::{PACKET_BYTES, Pid, packetise};
use xg2g_transcoder::ts::psi::{
    ElementaryStream, Pmt, SectionHeader, TABLE_PAT, TABLE_PMT, program_entry, write_section,
};
use xg2g_transcoder_fuzz::{part_sizes, parts};

const PMT: u16 = 0x100;
const VIDEO: u16 = 0x101;
const SOUND: u16 = 0x102;
const TELETEXT: u16 = 0x103;

/// PAT and PMT of a programme with a picture, a sound and two pages of teletext.
fn tables(video_type: u8) -> Vec<u8> {
    let stream = |stream_type, pid, descriptors: &[u8]| ElementaryStream {
        stream_type,
        pid: Pid::new(pid),
        descriptors: descriptors.to_vec(),
    };
    let pmt = Pmt {
        pcr_pid: Pid::new(VIDEO),
        descriptors: Vec::new(),
        streams: vec![
            stream(video_type, VIDEO, b""),
            stream(0x0F, SOUND, b""),
            stream(0x06, TELETEXT, b"\x56\x0Ager\x10\x88eng\x29\x50"),
        ],
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
        let section = write_section(header, &content).unwrap_or_default();
        let unit = [&[0], section.as_slice()].concat();
        packetise(Pid::new(pid), &unit, false, &mut packets);
    }
    packets.concat()
}

/// The input as payload of packets: a byte says of which PID, whether a unit begins, and how
/// many bytes of the input they share. Teletext is where it says that few are.
fn stream(video_type: u8, mut input: &[u8]) -> Vec<u8> {
    let mut stream = tables(video_type);
    let mut counters = [0u8; 3];
    while let Some((&choice, rest)) = input.split_first() {
        let index = if choice >> 2 < 8 {
            2
        } else {
            usize::from(choice & 1)
        };
        let pid = [VIDEO, SOUND, TELETEXT][index];
        let size = match index {
            2 => usize::from(choice >> 2) * 24 + 16,
            _ => usize::from(choice >> 2) * 3 + 1,
        };
        let size = size.min(rest.len());
        let (data, behind) = rest.split_at(size);
        input = behind;
        let mut packet = [0xFF; PACKET_BYTES];
        let [high, low] = pid.to_be_bytes();
        let start = (choice & 2) << 5;
        let counter = counters[index];
        counters[index] = (counter + 1) & 0xF;
        packet[..4].copy_from_slice(&[0x47, high | start, low, 0x30 | counter]);
        let room = PACKET_BYTES - 5;
        let data = &data[..data.len().min(room)];
        packet[4] = (room - data.len()) as u8;
        if packet[4] > 0 {
            packet[5] = 0;
        }
        packet[PACKET_BYTES - data.len()..].copy_from_slice(data);
        stream.extend_from_slice(&packet);
    }
    stream
}

fn package(stream: &[u8], sizes: impl Iterator<Item = usize>) -> Vec<Event> {
    let options = PackagerOptions::default();
    let Ok(mut packager) = Packager::new(&options) else {
        return Vec::new();
    };
    let mut events = Vec::new();
    for part in parts(stream, sizes) {
        packager.push(part);
        assert!(packager.held_bytes() <= MAX_HELD_BYTES);
        events.extend(std::iter::from_fn(|| packager.next_event()));
    }
    packager.finish();
    events.extend(std::iter::from_fn(|| packager.next_event()));
    events
}

fuzz_target!(|input: &[u8]| {
    let Some((&[choice, a, b], rest)) = input.split_first_chunk() else {
        return;
    };
    let stream = match choice & 3 {
        0 => rest.to_vec(),
        1 => stream(0x24, rest),
        _ => stream(0x1B, rest),
    };
    let whole = package(&stream, std::iter::once(stream.len().max(1)));
    assert!(package(&stream, part_sizes([a, b])) == whole);
});
