//! A viewer begins with what can be played, and nothing stays dark.

use std::iter::{once, repeat_n, repeat_with};

use super::*;
use crate::ts::packet::packetise;
use crate::ts::psi::{
    ElementaryStream, Pmt, SectionHeader, TABLE_PAT, TABLE_PMT, program_entry, write_section,
};

type Bytes = [u8; PACKET_BYTES];

const PROGRAM: u16 = 7;
const PMT: u16 = 0x100;
const VIDEO: u16 = 0x101;
const SOUND: u16 = 0x102;
const DATA: u16 = 0x103;
const MPEG2: u8 = 0x02;
const PRIVATE_SECTIONS: u8 = 0x05;
const TEXT: u8 = 0x06;
const AAC: u8 = 0x0F;
const H264: u8 = 0x1B;
const HEVC: u8 = 0x24;
const VVC: u8 = 0x33;

const PREDICTED: &[u8] = &[0, 0, 1, 9, 0xF0, 0, 0, 1, 0x41, 0x9A, 0, 0, 0];
const KEY: &[u8] = &[
    0, 0, 1, 9, 0xF0, 0, 0, 1, 0x67, 0x64, 0, 0x28, 0, 0, 1, 0x65, 0x88, 0x84, 0, 0,
];

/// A stream that a test writes.
struct Stream {
    points: Points,
    streams: Vec<(u8, u16)>,
    found: Vec<Point>,
    /// Of the PIDs from the PMT's on.
    counters: [u8; 4],
}

impl Stream {
    fn new(streams: &[(u8, u16)]) -> Self {
        let mut stream = Self {
            points: Points::new(),
            streams: streams.to_vec(),
            found: Vec::new(),
            counters: [0; 4],
        };
        if !streams.is_empty() {
            stream.follow();
        }
        stream
    }

    fn with_tables(streams: &[(u8, u16)]) -> Self {
        let mut stream = Self::new(streams);
        stream.push(tables(streams));
        stream
    }

    fn follow(&mut self) {
        let pids = |wanted: fn(u8) -> bool| {
            self.streams
                .iter()
                .filter(move |(kind, _)| wanted(*kind))
                .map(|&(kind, pid)| (Pid::new(pid), kind))
        };
        let pictures = pids(|kind| VideoCodec::of_stream_type(kind).is_some())
            .map(|(pid, kind)| Some((pid, PROGRAM, VideoCodec::of_stream_type(kind)?)));
        let named = pids(|_| true).map(|(pid, stream_type)| Named {
            pid,
            program: PROGRAM,
            stream_type,
        });
        self.points.follow(
            once((Pid::new(PMT), PROGRAM, true)),
            pictures.flatten(),
            pids(|kind| kind == AAC).map(|(pid, _)| (pid, PROGRAM)),
            named,
        );
    }

    fn push(&mut self, packets: impl IntoIterator<Item = Bytes>) -> &mut Self {
        for mut bytes in packets {
            let pid = Packet::new(&bytes).pid().value();
            if let Some(counter) = self.counters.get_mut(usize::from(pid.wrapping_sub(PMT))) {
                *counter = (*counter + 1) & 0x0F;
                bytes[3] = bytes[3] & 0xF0 | *counter;
            }
            self.points.observe(Packet::new(&bytes));
            self.found.extend(std::iter::from_fn(|| self.points.take()));
        }
        self
    }

    /// The packets' numbers at which a viewer can begin.
    fn joins(&self) -> Vec<u64> {
        let joins = self.found.iter().filter(|point| can_join(point));
        joins
            .map(|point| point.offset / PACKET_BYTES as u64)
            .collect()
    }

    fn entries(&self) -> usize {
        let is_entry = |point: &&Point| matches!(point.kind, PointKind::Entry { .. });
        self.found.iter().filter(is_entry).count()
    }

    fn has(&self, kind: &PointKind) -> bool {
        self.found.iter().any(|point| point.kind == *kind)
    }
}

fn can_join(point: &Point) -> bool {
    matches!(
        point.kind,
        PointKind::RandomAccess { .. } | PointKind::Entry { .. }
    )
}

fn section(pid: u16, table_id: u8, id: u16, content: &[u8]) -> Vec<Bytes> {
    let header = SectionHeader {
        table_id,
        id,
        version: 1,
        current: true,
        number: 0,
        last_number: 0,
    };
    let section = write_section(header, content).expect("short");
    let mut packets = Vec::new();
    let unit = [&[0], section.as_slice()].concat();
    packetise(Pid::new(pid), &unit, false, &mut packets);
    packets
}

fn pmt(streams: &[(u8, u16)], descriptor_bytes: u8) -> Vec<Bytes> {
    let entry = |&(stream_type, pid): &(u8, u16)| ElementaryStream {
        stream_type,
        pid: Pid::new(pid),
        descriptors: Vec::new(),
    };
    let mut descriptors = vec![0x0A, descriptor_bytes];
    descriptors.resize(2 + usize::from(descriptor_bytes), 0);
    let pmt = Pmt {
        pcr_pid: Pid::new(VIDEO),
        descriptors,
        streams: streams.iter().map(entry).collect(),
    };
    section(PMT, TABLE_PMT, PROGRAM, &pmt.content())
}

fn tables(streams: &[(u8, u16)]) -> Vec<Bytes> {
    let mut tables = section(0, TABLE_PAT, 1, &program_entry(PROGRAM, Pid::new(PMT)));
    tables.extend(pmt(streams, 0));
    tables
}

fn packet(pid: u16, starts: bool, payload: &[u8]) -> Bytes {
    let mut bytes = [0xFF; PACKET_BYTES];
    let [high, low] = pid.to_be_bytes();
    bytes[..4].copy_from_slice(&[0x47, high | u8::from(starts) << 6, low, 0x10]);
    bytes[4..4 + payload.len()].copy_from_slice(payload);
    bytes
}

fn unit(pid: u16, stream_id: u8, at_ms: u64, content: &[u8]) -> Bytes {
    let ticks = 900_000 + at_ms * 90;
    let mut payload = vec![0, 0, 1, stream_id, 0, 0, 0x80, 0x80, 5];
    payload.extend([
        0x21 | (ticks >> 29) as u8 & 0x0E,
        (ticks >> 22) as u8,
        (ticks >> 14) as u8 | 1,
        (ticks >> 7) as u8,
        (ticks << 1) as u8 | 1,
    ]);
    payload.extend(content);
    packet(pid, true, &payload)
}

fn picture(at_ms: u64) -> Bytes {
    unit(VIDEO, 0xE0, at_ms, PREDICTED)
}

fn key(at_ms: u64) -> Bytes {
    unit(VIDEO, 0xE0, at_ms, KEY)
}

fn sound(at_ms: u64) -> Bytes {
    unit(SOUND, 0xC0, at_ms, &[])
}

/// With random_access_indicator.
fn indicated(bytes: Bytes) -> Bytes {
    let mut out = bytes;
    out[3] |= 0x20;
    out[4..6].copy_from_slice(&[1, 0x40]);
    out[6..].copy_from_slice(&bytes[4..PACKET_BYTES - 2]);
    out
}

fn scrambled(mut bytes: Bytes) -> Bytes {
    bytes[3] |= 0x80;
    bytes
}

fn scrambled_payload(pid: u16, starts: bool, seed: u32) -> Bytes {
    let mut state = seed.wrapping_mul(2_654_435_769) | 1;
    let payload: [u8; 184] = std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    });
    packet(pid, starts, &payload)
}

const TELEVISION: &[(u8, u16)] = &[(H264, VIDEO), (AAC, SOUND), (TEXT, DATA)];
const RADIO: &[(u8, u16)] = &[(AAC, SOUND)];

#[test]
fn television_begins_with_a_picture_that_decodes_by_itself_and_nothing_else() {
    let mut stream = Stream::with_tables(TELEVISION);
    stream.push([
        sound(0),
        picture(0),
        sound(40),
        key(80),
        sound(80),
        picture(120),
    ]);
    assert_eq!((stream.joins(), stream.entries()), (vec![5], 0));
}

#[test]
fn pictures_that_came_before_their_tables_are_joined_with_them() {
    let mut stream = Stream::new(TELEVISION);
    stream.push([picture(0), key(40), picture(80)]);
    assert!(stream.joins().is_empty());
    stream.push(tables(TELEVISION));
    assert_eq!(stream.joins(), vec![1]);
    let PointKind::RandomAccess { tables: given, .. } = &stream.found.last().expect("one").kind
    else {
        panic!("{:?}", stream.found);
    };
    let counters: Vec<(u16, u8)> = given
        .chunks(PACKET_BYTES)
        .map(|bytes| Packet::new(bytes.try_into().expect("whole")))
        .map(|packet| (packet.pid().value(), packet.continuity_counter()))
        .collect();
    // Those of the stream follow: PAT 0 and PMT 1.
    assert_eq!(counters, [(0, 15), (PMT, 0)]);
}

#[test]
fn a_table_that_is_under_way_goes_on_behind_the_point() {
    let whole = pmt(TELEVISION, 250);
    assert_eq!(whole.len(), 2);
    let mut stream = Stream::with_tables(TELEVISION);
    stream
        .push(whole.clone())
        .push([whole[0], key(0), whole[1]]);
    let PointKind::RandomAccess { tables: given, .. } = &stream.found.last().expect("one").kind
    else {
        panic!("{:?}", stream.found);
    };
    let is_pmt = |bytes: &&[u8]| bytes[2] == PMT as u8 && bytes[1] & 0x1F == 1;
    let sent: Vec<(bool, u8)> = given
        .chunks(PACKET_BYTES)
        .filter(is_pmt)
        .map(|bytes| (bytes[1] & 0x40 != 0, bytes[3] & 0x0F))
        .collect();
    assert_eq!(sent, [(true, 2), (false, 3), (true, 4)]);
}

#[test]
fn a_damaged_table_is_not_given_to_anybody() {
    let mut stream = Stream::with_tables(TELEVISION);
    let mut damaged = section(0, TABLE_PAT, 1, &program_entry(9, Pid::new(PMT)));
    damaged[0][PACKET_BYTES - 1] ^= 1;
    stream.push(damaged).push([key(0)]);
    let PointKind::RandomAccess { tables: given, .. } = &stream.found.last().expect("one").kind
    else {
        panic!("{:?}", stream.found);
    };
    assert_eq!(given[4..PACKET_BYTES], tables(TELEVISION)[0][4..]);
    assert_eq!(given.len(), 2 * PACKET_BYTES);
}

#[test]
fn a_header_that_fills_its_packet_does_not_move_the_point() {
    let mut stream = Stream::with_tables(TELEVISION);
    let header = [&[0, 0, 1, 0xE0, 0, 0, 0x80, 0, 175][..], &[0xFF; 175]].concat();
    stream.push([packet(VIDEO, true, &header), packet(VIDEO, false, KEY)]);
    assert_eq!(stream.joins(), vec![2]);
}

#[test]
fn after_five_seconds_any_picture_will_do_twice_a_second_until_one_that_decodes() {
    let mut stream = Stream::with_tables(TELEVISION);
    stream.push((0..125).map(|n| picture(n * 40)));
    assert!(stream.joins().is_empty());
    stream.push((125..251).map(|n| picture(n * 40)));
    assert!((8..=11).contains(&stream.entries()), "{}", stream.entries());
    assert_eq!(stream.joins().first(), Some(&127));
    let before = stream.entries();
    stream
        .push([key(10_040)])
        .push((252..375).map(|n| picture(n * 40)));
    assert_eq!(stream.entries(), before);
}

#[test]
fn without_a_clock_patience_is_counted_in_packets() {
    let mut stream = Stream::with_tables(TELEVISION);
    let header = [&[0, 0, 1, 0xE0, 0, 0, 0x80, 0, 0][..], PREDICTED].concat();
    let mut packets = 0;
    while stream.joins().is_empty() {
        stream.push(repeat_n(packet(VIDEO, true, &header), 1000));
        packets += 1000;
        assert!(packets < 110_000);
    }
    assert!((80_000..100_000).contains(&packets), "{packets}");
}

#[test]
fn video_that_is_announced_and_does_not_come_holds_sound_up_for_a_second() {
    let mut stream = Stream::with_tables(TELEVISION);
    stream.push((0..10).map(|n| sound(n * 100)));
    assert!(stream.joins().is_empty());
    stream.push([sound(1000)]);
    assert_eq!(stream.joins(), vec![12]);
    stream.push((11..31).map(|n| sound(n * 100)));
    assert!((3..=5).contains(&stream.entries()), "{}", stream.entries());
}

#[test]
fn sound_is_no_beginning_while_pictures_come() {
    let mut stream = Stream::with_tables(TELEVISION);
    for n in 0..40 {
        stream.push([picture(n * 100), sound(n * 100), sound(n * 100 + 50)]);
    }
    assert!(stream.joins().is_empty());
}

#[test]
fn radio_begins_with_its_first_sound_and_at_most_twice_a_second() {
    let mut stream = Stream::with_tables(RADIO);
    stream.push([packet(SOUND, false, &[]), sound(0)]);
    assert_eq!(stream.joins(), vec![3]);
    stream.push((1..101).map(|n| sound(n * 24)));
    assert!((4..=5).contains(&stream.entries()), "{}", stream.entries());
    let has_tables =
        |p: &Point| matches!(&p.kind, PointKind::Entry { tables } if tables.len() == 376);
    assert!(stream.found.iter().filter(|p| can_join(p)).all(has_tables));
}

#[test]
fn radio_with_text_begins_with_sound_and_without_sound_after_a_second() {
    let mut stream = Stream::with_tables(&[(AAC, SOUND), (TEXT, DATA)]);
    let text = |n: u64| unit(DATA, 0xBD, n * 100, &[]);
    stream.push((0..10).map(text));
    assert!(stream.joins().is_empty());
    stream.push([sound(0)]);
    assert_eq!(stream.joins(), vec![12]);
    let before = stream.entries();
    stream.push((11..40).map(text));
    assert!(stream.entries() > before);
}

#[test]
fn data_alone_begins_where_it_comes() {
    for (kind, begins) in [(TEXT, &[0, 0, 1, 0xBD][..]), (PRIVATE_SECTIONS, &[0, 0x80])] {
        let mut stream = Stream::with_tables(&[(kind, DATA)]);
        stream.push([packet(DATA, false, &[]), packet(DATA, true, begins)]);
        assert_eq!(stream.joins(), vec![3]);
    }
}

#[test]
fn sections_are_not_taken_for_scrambled_payload() {
    let mut stream = Stream::with_tables(&[(PRIVATE_SECTIONS, DATA), (AAC, SOUND)]);
    stream
        .push((1..20).map(|n| scrambled_payload(DATA, true, n)))
        .push([sound(0)]);
    assert_eq!(stream.joins(), vec![21]);
}

#[test]
fn what_never_has_tables_can_be_joined_without() {
    let mut stream = Stream::new(&[]);
    stream.push([sound(0)]);
    assert_eq!(stream.joins(), vec![0]);
    assert!(stream.has(&PointKind::Entry { tables: Vec::new() }));
}

#[test]
fn pictures_without_tables_wait_for_them_and_not_for_ever() {
    let mut stream = Stream::new(&[]);
    stream.push((0..125).map(|n| picture(n * 40)));
    assert!(stream.joins().is_empty());
    stream.push([picture(5000)]);
    assert_eq!(stream.joins(), vec![125]);
}

#[test]
fn tables_and_stuffing_and_service_information_are_no_beginning() {
    let mut stream = Stream::with_tables(TELEVISION);
    for _ in 0..1000 {
        stream.push([packet(0x1FFF, false, &[]), packet(0x12, true, &[0, 0x4E])]);
        stream.push(tables(TELEVISION));
    }
    assert!(stream.joins().is_empty());
}

#[test]
fn an_indicator_is_believed_where_nothing_else_tells() {
    let mut stream = Stream::with_tables(&[(VVC, VIDEO)]);
    stream.push([picture(0), indicated(picture(40)), picture(80)]);
    assert_eq!((stream.joins(), stream.entries()), (vec![3], 1));
    let mut stream = Stream::with_tables(TELEVISION);
    stream.push([indicated(picture(0)), indicated(picture(40))]);
    assert!(stream.joins().is_empty());
}

#[test]
fn a_refresh_without_whole_pictures_begins_at_once_where_there_are_no_others() {
    let h264: &[u8] = &[
        0, 0, 1, 0x67, 0x64, 0, 0x28, 0, 0, 1, 6, 6, 1, 0xC4, 0x80, 0, 0, 1, 0x41, 0x9A, 0, 0, 0,
    ];
    let hevc: &[u8] = &[
        0, 0, 1, 66, 1, 9, 0, 0, 1, 78, 1, 6, 1, 0xC4, 0x80, 0, 0, 1, 2, 1, 0x80,
    ];
    let mpeg2: &[u8] = &[
        0,
        0,
        1,
        0xB3,
        0x2D,
        2,
        0x40,
        0,
        0,
        1,
        0,
        0,
        2 << 3,
        0xFF,
        0xF8,
    ];
    for (kind, refresh) in [(H264, h264), (HEVC, hevc), (MPEG2, mpeg2)] {
        let mut stream = Stream::with_tables(&[(kind, VIDEO), (AAC, SOUND)]);
        stream.push([picture(0), unit(VIDEO, 0xE0, 40, refresh)]);
        assert_eq!(
            (stream.joins(), stream.entries()),
            (vec![3], 1),
            "{kind:#x}"
        );
    }
    let mut stream = Stream::with_tables(TELEVISION);
    stream.push([
        key(0),
        picture(40),
        unit(VIDEO, 0xE0, 80, h264),
        picture(120),
    ]);
    assert_eq!(stream.entries(), 0);
}

#[test]
fn nobody_begins_in_scrambled_payload() {
    let mut stream = Stream::with_tables(TELEVISION);
    stream.push([scrambled(scrambled_payload(VIDEO, true, 1))]);
    for n in 0..100 {
        stream.push([
            scrambled(scrambled_payload(VIDEO, true, 2 * n)),
            scrambled(scrambled_payload(VIDEO, false, 2 * n + 1)),
            sound(u64::from(n) * 100),
            unit(DATA, 0xBD, u64::from(n) * 100, &[]),
        ]);
    }
    assert!(stream.joins().is_empty());
    assert!(stream.has(&PointKind::Scrambled));
}

#[test]
fn scrambled_sound_is_no_place_to_begin_while_pictures_are_missing() {
    let mut stream = Stream::with_tables(TELEVISION);
    for n in 0..100 {
        let text = unit(DATA, 0xBD, u64::from(n) * 100, &[]);
        stream.push([scrambled(scrambled_payload(SOUND, true, n)), text]);
    }
    assert!(stream.joins().is_empty());
}

#[test]
fn nobody_begins_with_text_when_pictures_stay_away_and_the_sound_is_scrambled_payload() {
    let mut stream = Stream::with_tables(TELEVISION);
    stream.push([key(0), picture(40)]);
    for n in 1..100 {
        let text = unit(DATA, 0xBD, u64::from(n) * 100, &[]);
        stream.push([scrambled(scrambled_payload(SOUND, true, n)), text]);
    }
    assert_eq!(stream.entries(), 0);
}

#[test]
fn scrambled_video_starts_the_patience_anew() {
    let mut stream = Stream::with_tables(TELEVISION);
    stream.push((0..120).map(|n| picture(n * 40)));
    stream.push([scrambled(scrambled_payload(VIDEO, true, 1))]);
    stream.push((120..245).map(|n| picture(n * 40)));
    assert!(stream.joins().is_empty());
    stream.push([picture(9800)]);
    assert_eq!(stream.entries(), 1);
}

#[test]
fn pictures_that_are_noise_inside_are_scrambled_payload() {
    let mut stream = Stream::with_tables(TELEVISION);
    for n in 0..400 {
        let content = &scrambled_payload(VIDEO, true, n)[4..174];
        let head = unit(VIDEO, 0xE0, u64::from(n) * 40, content);
        stream.push([head, packet(VIDEO, false, &[])]);
    }
    assert!(stream.joins().is_empty());
    assert!(stream.has(&PointKind::Scrambled));
    stream.push([key(16_000), picture(16_040)]);
    assert_eq!(stream.joins().len(), 1);
    assert!(stream.has(&PointKind::Clear));
}

#[test]
fn radio_behind_noise_begins_when_no_noise_comes_any_more() {
    let mut stream = Stream::with_tables(RADIO);
    for n in 0..3 {
        stream.push(repeat_with(|| scrambled(scrambled_payload(SOUND, true, n))).take(20));
        stream.push((0..199).map(|n| sound(n * 24)));
    }
    assert!(stream.joins().is_empty());
    assert!(stream.has(&PointKind::Scrambled));
    stream.push([sound(4776)]);
    assert_eq!(stream.entries(), 1);
}

#[test]
fn radio_that_is_noise_whose_bits_say_clear_begins_nothing() {
    let mut stream = Stream::with_tables(RADIO);
    stream.push((1..1000).map(|n| scrambled_payload(SOUND, true, n)));
    assert!(stream.joins().is_empty());
    assert!(stream.has(&PointKind::Scrambled));
}

#[test]
fn clear_packets_whose_bits_say_scrambled_are_clear() {
    let mut stream = Stream::with_tables(TELEVISION);
    stream.push([
        scrambled(picture(0)),
        scrambled(key(40)),
        scrambled(picture(80)),
    ]);
    assert_eq!(stream.joins(), vec![3]);
}

#[test]
fn data_that_stays_scrambled_keeps_nobody_from_a_clear_channel() {
    let mut stream = Stream::with_tables(TELEVISION);
    for n in 0..126 {
        stream.push([
            picture(n * 40),
            scrambled(scrambled_payload(DATA, true, n as u32)),
        ]);
    }
    assert_eq!(stream.entries(), 1);
    let mut stream = Stream::with_tables(&[(AAC, SOUND), (TEXT, DATA)]);
    stream.push([scrambled(scrambled_payload(DATA, true, 1)), sound(0)]);
    assert_eq!(stream.joins(), vec![3]);
}

#[test]
fn points_that_wait_for_tables_are_bounded() {
    let mut stream = Stream::new(TELEVISION);
    stream.push((0..1000).map(|n| key(n * 40)));
    stream.push(tables(TELEVISION));
    assert!((60..=64).contains(&stream.joins().len()));
}
