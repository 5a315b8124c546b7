//! Points of streams that are legal and seldom: where a viewer can join must be right for
//! them as well.

use std::iter;

use proptest::prelude::*;
use xg2g_transcoder::ts::packet::{
    PACKET_BYTES, Packet, Pid, SYNC_BYTE, packetise, set_continuity_counter,
};
use xg2g_transcoder::ts::psi::{
    ElementaryStream, Pmt, SectionAssembler, SectionHeader, TABLE_PAT, TABLE_PMT, check,
    program_entry, write_section,
};
use xg2g_transcoder::{Joiner, Options, Point, PointKind, Remuxer};

const PMT_PID: Pid = Pid::new(0x100);
const VIDEO: Pid = Pid::new(0x101);
const OTHER_VIDEO: Pid = Pid::new(0x102);

type Bytes = Vec<u8>;

/// Access unit delimiter, parameter sets and the slice of an IDR picture of H.264.
fn idr() -> Bytes {
    let units: [&[u8]; 4] = [
        &[0x09, 0x10],
        &[0x67, 0x64, 0, 0x28, 0xAC],
        &[0x68, 0xEE, 0x3C],
        &[0x65, 0x88, 0x84, 0, 0x33],
    ];
    picture(&units)
}

/// A picture of an open group: an I slice that is no IDR, with its parameters.
fn open_random_access() -> Bytes {
    let units: [&[u8]; 4] = [
        &[0x09, 0x10],
        &[0x67, 0x64, 0, 0x28, 0xAC],
        &[0x68, 0xEE, 0x3C],
        &[0x41, 0b1000_1000, 0x80, 0, 0x33],
    ];
    picture(&units)
}

/// A picture that needs others.
fn dependent() -> Bytes {
    picture(&[&[0x09, 0x30], &[0x41, 0b1001_1000, 0x80, 0, 0x33]])
}

/// A picture that needs others and that none needs.
fn disposable() -> Bytes {
    picture(&[&[0x09, 0x30], &[0x01, 0b1001_1000, 0x80, 0, 0x33]])
}

fn picture(units: &[&[u8]]) -> Bytes {
    let mut bytes: Bytes = units
        .iter()
        .flat_map(|unit| [&[0, 0, 1], *unit].concat())
        .collect();
    bytes.extend([0x5A; 400]);
    bytes
}

fn pes(pts: Option<u64>, header_stuffing: usize, data: &[u8]) -> Bytes {
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
struct Mux {
    counters: Vec<u8>,
    packets: Vec<[u8; PACKET_BYTES]>,
}

impl Mux {
    fn new() -> Self {
        Self {
            counters: vec![0; Pid::COUNT],
            packets: Vec::new(),
        }
    }

    fn packet(&mut self, mut packet: [u8; PACKET_BYTES]) {
        let counter = &mut self.counters[Packet::new(&packet).pid().index()];
        set_continuity_counter(&mut packet, *counter);
        *counter = counter.wrapping_add(1) & 0x0F;
        self.packets.push(packet);
    }

    fn unit(&mut self, pid: Pid, unit: &[u8]) {
        let mut packets: Vec<[u8; PACKET_BYTES]> = Vec::new();
        packetise(pid, unit, false, &mut packets);
        for packet in packets {
            self.packet(packet);
        }
    }

    /// A unit in packets that carry no more than so many bytes each.
    fn thin_unit(&mut self, pid: Pid, unit: &[u8], bytes_each: usize) {
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

    fn sections(&mut self, pid: Pid, sections: &[Bytes]) {
        self.unit(pid, &[&[0], sections.concat().as_slice()].concat());
    }

    fn tables(&mut self) {
        self.sections(Pid::PAT, &[pat(&[(1, PMT_PID)])]);
        self.sections(PMT_PID, &[pmt(1, 0, VIDEO, 0)]);
    }

    fn pictures(&mut self, pid: Pid, count: u64) {
        for number in 0..count {
            self.unit(pid, &pes(Some(90_000 + 3600 * number), 0, &dependent()));
        }
    }

    fn bytes(&self) -> Bytes {
        self.packets.concat()
    }
}

fn section(table_id: u8, id: u16, version: u8, content: &[u8]) -> Bytes {
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

fn pat(entries: &[(u16, Pid)]) -> Bytes {
    let entries = entries
        .iter()
        .map(|&(number, pid)| program_entry(number, pid));
    section(TABLE_PAT, 1, 0, &entries.collect::<Vec<_>>().concat())
}

fn pmt(program: u16, version: u8, video: Pid, descriptor_bytes: usize) -> Bytes {
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

fn remux_with(options: Options, stream: &[u8], piece_bytes: usize) -> (Bytes, Vec<Point>) {
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

fn remux(stream: &[u8]) -> (Bytes, Vec<Point>) {
    remux_with(Options::default(), stream, 10_000)
}

/// Offset, PTS and tables of each random access point.
fn joins(points: &[Point]) -> Vec<(usize, Option<u64>, &[u8])> {
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

fn packet_at(output: &[u8], offset: usize) -> Packet<'_> {
    Packet::new(output[offset..].first_chunk().expect("a packet"))
}

/// The sections that a player finds in tables: PID and id of each that is good.
fn sections_in(tables: &[u8]) -> Vec<(u16, u16)> {
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

#[test]
fn a_point_is_where_its_pes_packet_begins_though_the_header_takes_two_packets() {
    for bytes_each in [1, 3, 8, 9, 13, 14, 20] {
        let mut mux = Mux::new();
        mux.tables();
        mux.pictures(VIDEO, 2);
        let picture = pes(Some(270_000), 30, &idr());
        mux.thin_unit(VIDEO, &picture, bytes_each);
        mux.pictures(VIDEO, 2);
        let (output, points) = remux(&mux.bytes());
        let [(offset, pts, _)] = joins(&points)[..] else {
            panic!("{bytes_each}: {points:?}");
        };
        assert_eq!(pts, Some(270_000));
        let packet = packet_at(&output, offset);
        assert!(packet.unit_start(), "{bytes_each} bytes in each packet");
        assert_eq!(packet.pid(), VIDEO);
        assert!(picture.starts_with(packet.payload()));
    }
}

#[test]
fn a_picture_without_a_pts_is_a_point_without_one() {
    let mut mux = Mux::new();
    mux.tables();
    mux.unit(VIDEO, &pes(None, 0, &idr()));
    mux.pictures(VIDEO, 2);
    let (_, points) = remux(&mux.bytes());
    let [(_, None, tables)] = joins(&points)[..] else {
        panic!("{points:?}");
    };
    assert_eq!(sections_in(tables), [(0, 1), (0x100, 1)]);
}

#[test]
fn time_stamps_about_the_wrap_are_told_as_they_are() {
    let last = (1 << 33) - 1;
    let mut mux = Mux::new();
    mux.tables();
    for pts in [last - 3600, last, 0, 3600] {
        mux.unit(VIDEO, &pes(Some(pts), 0, &idr()));
    }
    mux.pictures(VIDEO, 1);
    let (_, points) = remux(&mux.bytes());
    let stamps: Vec<_> = joins(&points).iter().map(|&(_, pts, _)| pts).collect();
    assert_eq!(stamps, [Some(last - 3600), Some(last), Some(0), Some(3600)]);
}

#[test]
fn a_pmt_in_more_packets_than_are_kept_is_whole_at_the_next_point() {
    let mut mux = Mux::new();
    mux.sections(Pid::PAT, &[pat(&[(1, PMT_PID)])]);
    let long = pmt(1, 0, VIDEO, 900);
    for bytes_each in [10, 40, 1000] {
        mux.thin_unit(PMT_PID, &[&[0], long.as_slice()].concat(), bytes_each);
        mux.unit(VIDEO, &pes(Some(90_000), 0, &idr()));
    }
    mux.pictures(VIDEO, 1);
    let (_, points) = remux(&mux.bytes());
    let joins = joins(&points);
    assert_eq!(joins.len(), 3, "{points:?}");
    for (_, _, tables) in joins {
        assert_eq!(sections_in(tables), [(0, 1), (0x100, 1)]);
    }
}

#[test]
fn a_point_between_two_packets_of_a_pmt_has_a_whole_one() {
    let mut mux = Mux::new();
    mux.tables();
    mux.sections(PMT_PID, &[pmt(1, 1, VIDEO, 300)]);
    let mut next = mux.clone();
    next.packets.clear();
    next.sections(PMT_PID, &[pmt(1, 1, VIDEO, 300)]);
    let [first, second] = next.packets[..] else {
        panic!("a PMT of two packets");
    };
    mux.packets.push(first);
    mux.unit(VIDEO, &pes(Some(90_000), 0, &idr()));
    mux.packets.push(second);
    mux.pictures(VIDEO, 2);
    let (output, points) = remux(&mux.bytes());
    let [(offset, _, tables)] = joins(&points)[..] else {
        panic!("{points:?}");
    };
    // What comes behind the point may complete what the tables end with.
    let rest: Bytes = output[offset..]
        .chunks_exact(PACKET_BYTES)
        .filter(|packet| packet_at(packet, 0).pid() == PMT_PID)
        .collect::<Vec<_>>()
        .concat();
    let read = sections_in(&[tables, &rest].concat());
    assert!(
        read.contains(&(0, 1)) && read.contains(&(0x100, 1)),
        "{read:?}"
    );
}

#[test]
fn programs_that_share_the_pid_of_their_pmts_each_have_theirs() {
    for together in [true, false] {
        let mut mux = Mux::new();
        mux.sections(Pid::PAT, &[pat(&[(1, PMT_PID), (2, PMT_PID)])]);
        let maps = [pmt(1, 0, VIDEO, 200), pmt(2, 0, OTHER_VIDEO, 0)];
        for _ in 0..2 {
            if together {
                mux.sections(PMT_PID, &maps);
            } else {
                for map in &maps {
                    mux.sections(PMT_PID, std::slice::from_ref(map));
                }
            }
            for pid in [VIDEO, OTHER_VIDEO] {
                mux.unit(pid, &pes(Some(90_000), 0, &idr()));
                mux.pictures(pid, 1);
            }
        }
        let stream = mux.bytes();
        let (_, points) = remux(&stream);
        assert_eq!(joins(&points).len(), 4, "{points:?}");
        for (_, _, tables) in joins(&points) {
            let mut read = sections_in(tables);
            read.sort_unstable();
            assert_eq!(read, [(0, 1), (0x100, 1), (0x100, 2)], "{together}");
        }
        let options = Options {
            program: 2,
            ..Options::default()
        };
        let (_, points) = remux_with(options, &stream, 10_000);
        assert_eq!(joins(&points).len(), 2, "{points:?}");
        for (_, _, tables) in joins(&points) {
            assert_eq!(sections_in(tables), [(0, 1), (0x100, 2)], "{together}");
        }
    }
}

#[test]
fn other_tables_on_the_pids_of_pat_and_pmt_do_not_take_their_place() {
    let mut mux = Mux::new();
    mux.tables();
    // A table of the user's that happens to have the program's number.
    mux.sections(PMT_PID, &[section(0xC0, 1, 3, &[7; 20])]);
    // TSDT and user private tables may not be on PID 0; some multiplexers do not care.
    mux.sections(Pid::PAT, &[section(0xC0, 1, 3, &[7; 20])]);
    mux.unit(VIDEO, &pes(Some(90_000), 0, &idr()));
    mux.pictures(VIDEO, 1);
    let (_, points) = remux(&mux.bytes());
    let [(_, _, tables)] = joins(&points)[..] else {
        panic!("{points:?}");
    };
    let mut assembler = SectionAssembler::default();
    let mut kinds = Vec::new();
    for packet in tables.chunks_exact(PACKET_BYTES) {
        let packet = packet_at(packet, 0);
        assembler.push(packet.payload(), packet.unit_start(), |section| {
            kinds.push(section[0]);
        });
    }
    assert!(
        kinds.contains(&TABLE_PAT) && kinds.contains(&TABLE_PMT),
        "{kinds:x?}"
    );
}

#[test]
fn video_that_moves_to_another_pid_is_followed_there() {
    let mut mux = Mux::new();
    mux.tables();
    mux.unit(VIDEO, &pes(Some(90_000), 0, &idr()));
    mux.pictures(VIDEO, 1);
    mux.sections(PMT_PID, &[pmt(1, 1, OTHER_VIDEO, 0)]);
    mux.unit(OTHER_VIDEO, &pes(Some(180_000), 0, &idr()));
    mux.pictures(OTHER_VIDEO, 1);
    // The PMT names it no more.
    mux.unit(VIDEO, &pes(Some(270_000), 0, &idr()));
    mux.pictures(VIDEO, 1);
    let (output, points) = remux(&mux.bytes());
    let found: Vec<_> = joins(&points)
        .iter()
        .map(|&(offset, pts, _)| (packet_at(&output, offset).pid(), pts))
        .collect();
    assert_eq!(found, [(VIDEO, Some(90_000)), (OTHER_VIDEO, Some(180_000))]);
}

#[test]
fn a_stream_that_sends_every_packet_twice_has_the_points_of_one_that_does_not() {
    for bytes_each in [184, 7] {
        let mut mux = Mux::new();
        mux.tables();
        for number in 0..3 {
            mux.thin_unit(VIDEO, &pes(Some(90_000 * number), 0, &idr()), bytes_each);
            mux.pictures(VIDEO, 1);
        }
        let once = mux.bytes();
        let twice: Bytes = mux.packets.iter().flat_map(|p| [*p, *p].concat()).collect();
        let stamps = |stream: &[u8]| -> Vec<_> {
            let (output, points) = remux(stream);
            let found = joins(&points);
            assert!(
                found
                    .iter()
                    .all(|&(at, ..)| packet_at(&output, at).unit_start())
            );
            assert!(points.iter().all(|p| p.kind != PointKind::Discontinuity));
            found.iter().map(|&(_, pts, _)| pts).collect()
        };
        assert_eq!(stamps(&once), [Some(0), Some(90_000), Some(180_000)]);
        assert_eq!(stamps(&twice), stamps(&once));
    }
}

#[test]
fn packets_of_192_and_204_bytes_have_the_points_of_188() {
    let mut mux = Mux::new();
    mux.tables();
    for number in 0..3 {
        mux.unit(VIDEO, &pes(Some(90_000 * number), 0, &idr()));
        mux.pictures(VIDEO, 3);
    }
    let expected = remux(&mux.bytes());
    assert_eq!(joins(&expected.1).len(), 3);
    let parity: Bytes = mux
        .packets
        .iter()
        .flat_map(|p| [&p[..], &[0x47; 16]].concat())
        .collect();
    let stamped: Bytes = mux
        .packets
        .iter()
        .flat_map(|p| [&[1, 2, 3, 4], &p[..]].concat())
        .collect();
    assert_eq!(remux(&parity), expected);
    assert_eq!(remux(&stamped), expected);
}

#[test]
fn more_pids_than_a_byte_counts_do_no_harm() {
    let streams = |first: u16| {
        let of = |number| ElementaryStream {
            stream_type: 0x06,
            pid: Pid::new(first + number),
            descriptors: Bytes::new(),
        };
        let map = Pmt {
            pcr_pid: VIDEO,
            descriptors: Bytes::new(),
            streams: (0..190).map(of).collect(),
        };
        map.content()
    };
    let mut mux = Mux::new();
    let programs: Vec<u16> = (1..=200).collect();
    let entries: Vec<(u16, Pid)> = programs.iter().map(|&n| (n, PMT_PID)).collect();
    mux.sections(Pid::PAT, &[pat(&entries)]);
    for &program in &programs[1..] {
        mux.sections(
            PMT_PID,
            &[section(
                TABLE_PMT,
                program,
                0,
                &streams(0x200 + program * 20),
            )],
        );
    }
    mux.sections(PMT_PID, &[pmt(1, 0, VIDEO, 0)]);
    for pid in 0x120..0x1000 {
        mux.unit(Pid::new(pid), &pes(Some(90_000), 0, &[0xAB; 20]));
    }
    let without_tables = mux
        .packets
        .iter()
        .filter(|packet| Packet::new(packet).pid() > PMT_PID);
    let without_tables: Bytes = without_tables.copied().collect::<Vec<_>>().concat();
    mux.unit(VIDEO, &pes(Some(90_000), 0, &idr()));
    mux.pictures(VIDEO, 1);
    let (_, points) = remux(&mux.bytes());
    assert_eq!(joins(&points).len(), 1);
    let (output, _) = remux(&without_tables);
    assert_eq!(output.len(), without_tables.len());
}

/// Packets of the PIDs that count, damaged and mixed.
fn hostile() -> impl Strategy<Value = Bytes> {
    let piece = (0..10u8, any::<u8>(), 1..190usize, any::<u32>());
    prop::collection::vec(piece, 0..60).prop_map(|pieces| {
        let mut mux = Mux::new();
        for (what, value, size, pts) in pieces {
            let pts = (value & 1 == 0).then_some(u64::from(pts) << 1);
            let begun = mux.packets.len();
            match what {
                0 => mux.sections(Pid::PAT, &[pat(&[(1, PMT_PID), (2, PMT_PID)])]),
                1 => mux.sections(
                    PMT_PID,
                    &[pmt(1, value & 3, VIDEO, size), pmt(2, 0, OTHER_VIDEO, 0)],
                ),
                2 => mux.sections(PMT_PID, &[pmt(1, value, OTHER_VIDEO, size * 4)]),
                3 => mux.tables(),
                4 => mux.thin_unit(VIDEO, &pes(pts, size, &idr()), size.min(184)),
                5 => mux.thin_unit(OTHER_VIDEO, &pes(pts, 0, &idr()), size.min(184)),
                6 => mux.pictures(VIDEO, u64::from(value & 3)),
                _ => mux.unit(VIDEO, &pes(pts, size, &dependent())),
            }
            if value % 7 == 0
                && let Some(packet) = mux.packets.get_mut(begun)
            {
                packet[size % PACKET_BYTES] ^= value | 1;
                packet[0] = SYNC_BYTE;
            }
            if value % 11 == 0 {
                mux.packets.pop();
            }
        }
        mux.bytes()
    })
}

proptest! {
    #[test]
    fn points_of_damaged_streams_are_units_of_video_in_any_pieces(
        stream in hostile(),
        piece_bytes in 1..500usize,
    ) {
        let (output, points) = remux(&stream);
        for (offset, pts, tables) in joins(&points) {
            let packet = packet_at(&output, offset);
            prop_assert!(packet.unit_start());
            prop_assert!(tables.len().is_multiple_of(PACKET_BYTES));
            prop_assert!(pts.is_none_or(|pts| pts < 1 << 33));
        }
        prop_assert!(points.iter().all(|point| point.offset <= output.len() as u64));
        let again = remux_with(Options::default(), &stream, piece_bytes);
        prop_assert_eq!(again, (output, points));
    }
}

const SOUND: Pid = Pid::new(0x110);
const TEXT: Pid = Pid::new(0x111);
const CLOCK: Pid = Pid::new(0x112);

/// An undamaged stream of video in open and closed groups, what belongs to it before and
/// behind, and a clock of its own, mixed as `order` says.
fn mixed(groups: &[(bool, u8, i16)], order: &[u8], bytes_each: usize) -> Bytes {
    let named = [(0x1B, VIDEO), (0x06, SOUND), (0x06, TEXT)];
    let map = Pmt {
        pcr_pid: CLOCK,
        descriptors: Bytes::new(),
        streams: named
            .map(|(stream_type, pid)| ElementaryStream {
                stream_type,
                pid,
                descriptors: Bytes::new(),
            })
            .to_vec(),
    };
    let mut parts: [Mux; 4] = std::array::from_fn(|_| Mux::new());
    let [tables, video, sound, text] = &mut parts;
    let start = (1 << 33) - 200_000;
    for (number, &(is_open, pictures, shift)) in (0u64..).zip(groups) {
        tables.sections(Pid::PAT, &[pat(&[(1, PMT_PID)])]);
        tables.sections(PMT_PID, &[section(TABLE_PMT, 1, 0, &map.content())]);
        let time =
            |ticks: i64| Some((start + number as i64 * 45_000 + ticks).rem_euclid(1 << 33) as u64);
        let first = if is_open { open_random_access() } else { idr() };
        video.thin_unit(VIDEO, &pes(time(0), 0, &first), bytes_each);
        for picture in 0..i64::from(pictures % 8) {
            // With an open group two pictures precede the first in display order.
            let (place, data) = if is_open && picture < 2 {
                (picture - 2, disposable())
            } else {
                (picture + 1, dependent())
            };
            video.unit(VIDEO, &pes(time(place * 3600), 0, &data));
        }
        for pid in [SOUND, TEXT] {
            let part = if pid == SOUND {
                &mut *sound
            } else {
                &mut *text
            };
            let ticks = i64::from(shift) * 8 * i64::from(pid.value() - 0x10F);
            part.thin_unit(pid, &pes(time(ticks), 0, &[0x5A; 300]), bytes_each);
        }
    }
    let mut clock = 0;
    let mut queues = parts.map(|part| part.packets.into_iter());
    let mut packets = Vec::new();
    for index in order
        .iter()
        .copied()
        .chain(iter::repeat_n(0..4, 4000).flatten())
    {
        packets.extend(queues[usize::from(index % 4)].next());
        if index == 7 {
            clock += 1;
            let mut packet = [0xFF; PACKET_BYTES];
            packet[..6].copy_from_slice(&[SYNC_BYTE, 0x01, 0x12, 0x20, 183, 0x10]);
            packet[6..12].copy_from_slice(&[0, 0, 0, clock, 0x7E, 0]);
            packets.push(packet);
        }
    }
    packets.concat()
}

/// Packets of one PID.
fn of(pid: Pid, packets: &[u8]) -> Vec<Packet<'_>> {
    let packets = packets
        .chunks_exact(PACKET_BYTES)
        .map(|packet| packet_at(packet, 0));
    packets.filter(|packet| packet.pid() == pid).collect()
}

/// The PID of a packet that does not follow the one before it, unannounced.
fn broken(stream: &[u8]) -> Option<Pid> {
    let mut counters = vec![None; Pid::COUNT];
    for packet in stream
        .chunks_exact(PACKET_BYTES)
        .map(|packet| packet_at(packet, 0))
    {
        let counter = packet.continuity_counter();
        let expected = counter.wrapping_sub(u8::from(packet.has_payload())) & 0x0F;
        let before = counters[packet.pid().index()].replace(counter);
        if packet.pid() != Pid::NULL
            && before.is_some_and(|b| b != expected)
            && !packet.discontinuity()
        {
            return Some(packet.pid());
        }
    }
    None
}

fn pts_of(packet: Packet<'_>) -> Option<u64> {
    xg2g_transcoder::ts::pes::pts_of_start(packet.payload()).map(|pts| pts.ticks_90k())
}

proptest! {
    #[test]
    fn who_joins_at_any_point_reads_whole_units_without_a_hole_that_is_not_announced(
        groups in prop::collection::vec((any::<bool>(), any::<u8>(), -16_000..16_000i16), 1..6),
        order in prop::collection::vec(0..8u8, 0..300),
        bytes_each in prop::sample::select(vec![20usize, 100, 184]),
        piece_bytes in 1..3000usize,
    ) {
        let (output, points) = remux(&mixed(&groups, &order, bytes_each));
        prop_assert_eq!(broken(&output), None);
        let found = points.iter().filter(|p| matches!(p.kind, PointKind::RandomAccess { .. }));
        let found: Vec<&Point> = found.collect();
        prop_assert_eq!(found.len(), groups.len());
        for (&point, &(is_open, ..)) in found.iter().zip(&groups) {
            let PointKind::RandomAccess { is_open: said, tables, .. } = &point.kind else {
                unreachable!("filtered");
            };
            prop_assert_eq!(*said, is_open);
            let rest = &output[usize::try_from(point.offset).expect("in memory")..];
            let mut joiner = Joiner::new(point, false);
            let mut joined = Vec::new();
            for piece in rest.chunks(piece_bytes) {
                joiner.push(piece, &mut joined);
            }
            prop_assert!(joined.starts_with(tables));
            prop_assert_eq!(sections_in(tables), [(0, 1), (0x100, 1)]);
            prop_assert_eq!(broken(&joined), None);
            let begins = packet_at(&joined, tables.len());
            prop_assert_eq!(pts_of(begins), point.pts.map(|pts| pts.ticks_90k()));
            for pid in [VIDEO, SOUND, TEXT] {
                let (sent, all) = (of(pid, &joined), of(pid, rest));
                let sent: Vec<_> = sent.into_iter().filter(|p| p.has_payload()).collect();
                prop_assert!(sent.first().is_none_or(|packet| packet.unit_start()));
                if pid != VIDEO || !is_open {
                    // From its first unit on nothing is missing.
                    let tail = &all[all.len() - sent.len()..];
                    prop_assert!(sent.iter().zip(tail).all(|(a, b)| a.bytes() == b.bytes()));
                }
            }
            let shown = of(VIDEO, &joined).into_iter().filter_map(pts_of);
            let early = |pts: u64| point.pts.is_some_and(|p| p.offset(-7201).ticks_90k() < pts && pts < p.ticks_90k());
            prop_assert!(!shown.take(3).any(early));
            prop_assert_eq!(of(CLOCK, &joined).len(), of(CLOCK, rest).len());
        }
    }
}
