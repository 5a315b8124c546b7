//! A viewer that begins at a point gets a stream that begins there: tables, whole units, nothing that
//! does not decode, and no counter that does not follow unannounced.

use std::fs;
use std::iter;
use std::path::Path;

use proptest::prelude::*;
use xg2g_transcoder::ts::clock::Timestamp;
use xg2g_transcoder::ts::packet::{PACKET_BYTES, Packet, Pid, discontinuity, packetise};
use xg2g_transcoder::ts::psi::{
    ElementaryStream, Pmt, SectionHeader, TABLE_PAT, TABLE_PMT, program_entry, write_section,
};
use xg2g_transcoder::ts::video::VideoCodec;
use xg2g_transcoder::{Joiner, Options, Point, PointKind, Remuxer};

type Bytes = [u8; PACKET_BYTES];

const PMT: u16 = 0x100;
const VIDEO: u16 = 0x101;
const SOUND: u16 = 0x102;
const TEXT: u16 = 0x103;
const SECOND: i64 = 90_000;
/// Of the point; the clock goes around half a second later.
const POINT: Timestamp = Timestamp::new((1 << 33) - 45_000);

/// Writes packets with the counters that belong to them.
#[derive(Default)]
struct Source {
    counters: std::collections::HashMap<u16, u8>,
}

impl Source {
    fn numbered(&mut self, mut packet: Bytes) -> Bytes {
        let pid = Packet::new(&packet).pid().value();
        let counter = self.counters.entry(pid).or_insert(0xA);
        if packet[3] & 0x10 != 0 {
            *counter = (*counter + 1) & 0xF;
        }
        packet[3] = packet[3] & 0xF0 | *counter;
        packet
    }

    fn section(&mut self, pid: u16, table_id: u8, id: u16, content: &[u8]) -> Vec<Bytes> {
        let header = SectionHeader {
            table_id,
            id,
            version: 1,
            current: true,
            number: 0,
            last_number: 0,
        };
        let section = write_section(header, content).expect("short");
        let unit = [&[0], section.as_slice()].concat();
        let mut packets = Vec::new();
        packetise(Pid::new(pid), &unit, false, &mut packets);
        packets.into_iter().map(|p| self.numbered(p)).collect()
    }

    fn tables(&mut self) -> Vec<Bytes> {
        let stream = |stream_type, pid| ElementaryStream {
            stream_type,
            pid: Pid::new(pid),
            descriptors: Vec::new(),
        };
        let pmt = Pmt {
            pcr_pid: Pid::new(VIDEO),
            descriptors: Vec::new(),
            streams: vec![stream(0x1B, VIDEO), stream(0x0F, SOUND), stream(6, TEXT)],
        };
        let mut tables = self.section(0, TABLE_PAT, 1, &program_entry(7, Pid::new(PMT)));
        tables.extend(self.section(PMT, TABLE_PMT, 7, &pmt.content()));
        tables
    }

    /// The first packet of a unit that belongs so long after the point.
    fn unit(&mut self, pid: u16, after: i64) -> Bytes {
        let ticks = POINT.offset(after).ticks_90k();
        let mut packet = self.plain(pid, 0x40, 0x10);
        packet[4..13].copy_from_slice(&[0, 0, 1, 0xE0, 0, 0, 0x80, 0x80, 5]);
        packet[13..18].copy_from_slice(&[
            0x21 | (ticks >> 29) as u8 & 0x0E,
            (ticks >> 22) as u8,
            (ticks >> 14) as u8 | 1,
            (ticks >> 7) as u8,
            (ticks << 1) as u8 | 1,
        ]);
        packet
    }

    fn unit_without_time(&mut self, pid: u16) -> Bytes {
        let mut packet = self.plain(pid, 0x40, 0x10);
        packet[4..13].copy_from_slice(&[0, 0, 1, 0xE0, 0, 0, 0x80, 0, 0]);
        packet
    }

    fn more(&mut self, pid: u16) -> Bytes {
        self.plain(pid, 0, 0x10)
    }

    /// With a PCR, ahead of a payload or alone.
    fn clock(&mut self, pid: u16, control: u8) -> Bytes {
        let mut packet = self.plain(pid, 0, control);
        let length = if control & 0x10 != 0 { 7 } else { 183 };
        packet[4..12].copy_from_slice(&[length, 0x10, 1, 2, 3, 4, 0x7E, 0]);
        packet
    }

    fn plain(&mut self, pid: u16, start: u8, control: u8) -> Bytes {
        let mut packet = [0xEE; PACKET_BYTES];
        let [high, low] = pid.to_be_bytes();
        packet[..4].copy_from_slice(&[0x47, high | start, low, control]);
        self.numbered(packet)
    }
}

fn random_access(tables: &[Bytes], is_open: bool) -> Point {
    let kind = PointKind::RandomAccess {
        codec: VideoCodec::Mpeg2,
        is_open,
        tables: tables.concat(),
    };
    Point {
        offset: 0,
        kind,
        pts: Some(POINT),
        program: 7,
    }
}

fn joined(point: &Point, after_gap: bool, stream: &[Bytes]) -> Vec<Bytes> {
    let mut output = Vec::new();
    Joiner::new(point, after_gap).push(&stream.concat(), &mut output);
    output
        .chunks(PACKET_BYTES)
        .map(|packet| packet.try_into().expect("whole packets"))
        .collect()
}

/// Which packet announces that this one does not follow those before.
fn mark_of(packet: &Bytes) -> Bytes {
    let packet = Packet::new(packet);
    let step = u8::from(packet.has_payload());
    discontinuity(packet.pid(), packet.continuity_counter().wrapping_sub(step))
}

#[test]
fn tables_come_first_and_every_pid_begins_with_a_whole_unit() {
    let mut source = Source::default();
    let tables = source.tables();
    let picture = source.unit(VIDEO, 0);
    let torn = [source.more(SOUND), source.more(TEXT), source.more(SOUND)];
    let rest = [
        source.more(VIDEO),
        source.unit(SOUND, 0),
        source.more(SOUND),
        source.unit_without_time(TEXT),
        source.more(TEXT),
    ];
    let stream = [&[picture][..], &torn, &rest].concat();
    let expected = [&tables[..], &[picture], &rest].concat();
    assert_eq!(
        joined(&random_access(&tables, false), false, &stream),
        expected
    );
}

#[test]
fn tables_of_the_stream_always_pass() {
    let mut source = Source::default();
    let tables = source.tables();
    let picture = source.unit(VIDEO, 0);
    let next = source.tables();
    let stream = [&[picture][..], &next].concat();
    let expected = [&tables[..], &stream].concat();
    assert_eq!(
        joined(&random_access(&tables, true), false, &stream),
        expected
    );
}

#[test]
fn sound_that_belongs_more_than_a_second_before_the_picture_is_left_out() {
    let mut source = Source::default();
    let tables = source.tables();
    let picture = source.unit(VIDEO, 0);
    let early = [source.unit(SOUND, -SECOND - 1), source.more(SOUND)];
    let rest = [source.unit(SOUND, -SECOND), source.more(SOUND)];
    let stream = [&[picture][..], &early, &rest].concat();
    let expected = [&tables[..], &[picture], &rest].concat();
    assert_eq!(
        joined(&random_access(&tables, false), false, &stream),
        expected
    );
}

#[test]
fn sound_of_another_clock_is_not_left_out() {
    let mut source = Source::default();
    let tables = source.tables();
    let stream = [source.unit(VIDEO, 0), source.unit(SOUND, -10 * SECOND)];
    let expected = [&tables[..], &stream].concat();
    assert_eq!(
        joined(&random_access(&tables, false), false, &stream),
        expected
    );
}

#[test]
fn leading_pictures_are_left_out_and_the_hole_is_announced() {
    let mut source = Source::default();
    let tables = source.tables();
    let picture = [source.unit(VIDEO, 0), source.more(VIDEO)];
    let leading = [
        source.unit(VIDEO, -7200),
        source.more(VIDEO),
        source.unit(VIDEO, -3600),
    ];
    let rest = [
        source.unit(VIDEO, 10_800),
        source.more(VIDEO),
        source.unit(VIDEO, 3600),
        source.more(VIDEO),
    ];
    let stream = [&picture[..], &leading, &rest].concat();
    let expected = [&tables[..], &picture, &[mark_of(&rest[0])], &rest].concat();
    assert_eq!(
        joined(&random_access(&tables, true), false, &stream),
        expected
    );
    // Of a closed group nothing is left out.
    let whole = [&tables[..], &stream].concat();
    assert_eq!(
        joined(&random_access(&tables, false), false, &stream),
        whole
    );
}

/// A unit of video that begins with a slice header of H.264, or of HEVC.
fn with_slice(mut unit: Bytes, header: u8) -> Bytes {
    unit[18..22].copy_from_slice(&[0, 0, 1, header]);
    unit
}

#[test]
fn of_h264_only_leading_pictures_that_are_no_reference_are_left_out() {
    const REFERENCE: u8 = 0x41;
    const NO_REFERENCE: u8 = 0x01;
    let mut source = Source::default();
    let tables = source.tables();
    let mut unit = |after, header| with_slice(source.unit(VIDEO, after), header);
    let kept = [unit(0, REFERENCE), unit(-7200, REFERENCE)];
    let left_out = unit(-10_800, NO_REFERENCE);
    let reference = unit(-3600, REFERENCE);
    let more = unit(-1800, NO_REFERENCE);
    let rest = [unit(10_800, REFERENCE), unit(3600, NO_REFERENCE)];
    let stream = [&kept[..], &[left_out, reference, more], &rest].concat();
    let marked = [mark_of(&reference), reference, mark_of(&rest[0])];
    let expected = |codec| {
        let mut point = random_access(&tables, true);
        if let PointKind::RandomAccess { codec: known, .. } = &mut point.kind {
            *known = codec;
        }
        joined(&point, false, &stream)
    };
    let of_h264 = [&tables[..], &kept, &marked, &rest].concat();
    assert_eq!(expected(VideoCodec::H264), of_h264);
    // In the others nothing behind them counts them.
    let of_others = [&tables[..], &kept[..1], &[mark_of(&rest[0])], &rest].concat();
    assert_eq!(expected(VideoCodec::Hevc), of_others);
    assert_eq!(expected(VideoCodec::Mpeg2), of_others);
}

#[test]
fn the_second_field_of_the_points_picture_ends_no_search_for_leading_ones() {
    for second in [Some(1800), None] {
        let mut source = Source::default();
        let tables = source.tables();
        let field = |source: &mut Source, after: i64| match second {
            Some(step) => [source.unit(VIDEO, after), source.unit(VIDEO, after + step)],
            None => [source.unit(VIDEO, after), source.unit_without_time(VIDEO)],
        };
        let picture = field(&mut source, 0);
        let leading = field(&mut source, -3600);
        let rest = [field(&mut source, 3600), field(&mut source, 7200)].concat();
        let stream = [&picture[..], &leading, &rest].concat();
        let expected = [&tables[..], &picture, &[mark_of(&rest[0])], &rest].concat();
        assert_eq!(
            joined(&random_access(&tables, true), false, &stream),
            expected
        );
    }
}

#[test]
fn a_hole_that_the_counter_does_not_show_is_not_announced() {
    let mut source = Source::default();
    let tables = source.tables();
    let picture = source.unit(VIDEO, 0);
    let mut leading = vec![source.unit(VIDEO, -3600)];
    leading.extend(iter::repeat_with(|| source.more(VIDEO)).take(15));
    let rest = source.unit(VIDEO, 3600);
    let stream = [&[picture][..], &leading, &[rest]].concat();
    let expected = [&tables[..], &[picture, rest]].concat();
    assert_eq!(
        joined(&random_access(&tables, true), false, &stream),
        expected
    );
}

#[test]
fn a_repeated_packet_goes_the_way_of_the_first() {
    let mut source = Source::default();
    let tables = source.tables();
    let picture = source.unit(VIDEO, 0);
    let leading = source.unit(VIDEO, -3600);
    let rest = [source.unit(VIDEO, 7200), source.unit(VIDEO, 3600)];
    let stream = [&[picture, picture, leading, leading][..], &rest].concat();
    let expected = [&tables[..], &[picture, picture, mark_of(&rest[0])], &rest].concat();
    assert_eq!(
        joined(&random_access(&tables, true), false, &stream),
        expected
    );
}

#[test]
fn the_clock_of_what_is_left_out_leaves_alone_and_counts_nothing() {
    let mut source = Source::default();
    let tables = source.tables();
    let picture = source.unit(VIDEO, 0);
    let leading = [source.unit(VIDEO, -3600), source.clock(VIDEO, 0x30)];
    let pure = source.clock(TEXT, 0x20);
    let rest = source.unit(VIDEO, 3600);
    let stream = [&[picture][..], &leading, &[pure, rest]].concat();
    let output = joined(&random_access(&tables, true), false, &stream);
    let clock = Packet::new(&output[tables.len() + 1]);
    assert_eq!(clock.pcr(), Packet::new(&leading[1]).pcr());
    assert!(clock.pcr().is_some() && !clock.has_payload() && !clock.discontinuity());
    let before = Packet::new(&picture).continuity_counter();
    assert_eq!(clock.continuity_counter(), before);
    assert_eq!(output[tables.len() + 2..], [pure, mark_of(&rest), rest]);
}

#[test]
fn after_a_gap_every_pid_is_announced_once() {
    let mut source = Source::default();
    let tables = source.tables();
    let picture = [source.unit(VIDEO, 0), source.more(VIDEO)];
    let torn = source.more(SOUND);
    let sound = [source.unit(SOUND, 0), source.more(SOUND)];
    let more = source.tables();
    let stream = [&picture[..], &[torn], &sound, &more].concat();
    let mut expected: Vec<Bytes> = Vec::new();
    for table in &tables {
        expected.extend([mark_of(table), *table]);
    }
    expected.extend([mark_of(&picture[0]), picture[0], picture[1]]);
    expected.extend([mark_of(&sound[0]), sound[0], sound[1]]);
    expected.extend(&more);
    assert_eq!(
        joined(&random_access(&tables, true), true, &stream),
        expected
    );
}

#[test]
fn it_is_over_when_every_pid_that_the_pmt_names_has_begun() {
    let mut source = Source::default();
    let tables = source.tables();
    let mut joiner = Joiner::new(&random_access(&tables, true), false);
    let mut output = Vec::new();
    let begins = [
        source.unit(VIDEO, 0),
        source.unit(VIDEO, 7200),
        source.unit(VIDEO, 3600),
        source.unit(SOUND, 0),
        source.unit(TEXT, 0),
    ];
    for packet in begins {
        assert!(!joiner.is_over());
        joiner.push(&packet, &mut output);
    }
    assert!(joiner.is_over());
    output.clear();
    let anything = [source.more(0x200), source.unit(SOUND, -2 * SECOND)].concat();
    joiner.push(&anything, &mut output);
    assert_eq!(output, anything);
}

#[test]
fn what_never_begins_holds_nothing_up_for_ever() {
    let mut source = Source::default();
    let tables = source.tables();
    let mut joiner = Joiner::new(&random_access(&tables, true), true);
    let mut output = Vec::new();
    joiner.push(&source.unit(VIDEO, 0), &mut output);
    let mut packets = 0;
    while !joiner.is_over() {
        packets += 1;
        output.clear();
        joiner.push(&source.more(TEXT), &mut output);
        assert!(output.is_empty());
    }
    assert!((8_000..20_000).contains(&packets), "{packets}");
    let torn = source.more(TEXT);
    joiner.push(&torn, &mut output);
    assert_eq!(output, torn);
}

fn clip(name: &str) -> (Vec<u8>, Vec<Point>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../xg2g/simulator/clips");
    let stream = fs::read(folder.join(name)).expect("the clips are part of the repository");
    let mut remuxer = Remuxer::new(Options::default()).expect("valid options");
    let mut output = Vec::new();
    remuxer.push(&stream, &mut output).expect("not finished");
    (output, iter::from_fn(|| remuxer.take_point()).collect())
}

#[test]
fn a_point_of_a_remuxer_leads_to_its_own_packet_behind_its_tables() {
    let (stream, points) = clip("two-hd.ts");
    let mut seen = 0;
    for point in &points {
        let PointKind::RandomAccess { tables, .. } = &point.kind else {
            continue;
        };
        seen += 1;
        let at = usize::try_from(point.offset).expect("in memory");
        let mut output = Vec::new();
        Joiner::new(point, false).push(&stream[at..], &mut output);
        let begin = [tables, &stream[at..at + PACKET_BYTES]].concat();
        assert!(output.starts_with(&begin));
    }
    assert!(seen >= 5);
}

fn in_parts(joiner: &mut Joiner, stream: &[u8], sizes: &[usize]) -> Vec<u8> {
    let (mut rest, mut output) = (stream, Vec::new());
    for &size in sizes.iter().cycle() {
        let (part, behind) = rest.split_at(size.min(rest.len()));
        let bound = output.len() + joiner.output_bound(part.len());
        let was_over = joiner.is_over();
        let before = output.len();
        joiner.push(part, &mut output);
        assert!(output.len() <= bound);
        assert!(!was_over || &output[before..] == part);
        rest = behind;
        if rest.is_empty() {
            return output;
        }
    }
    output
}

/// Bytes that resemble a stream: a few PIDs, units that begin, times near the point's.
fn packets() -> impl Strategy<Value = Vec<u8>> {
    let pid = prop::sample::select(vec![0, PMT, VIDEO, SOUND, TEXT, 0x12, 0x1FFF]);
    let time = -3 * SECOND..3 * SECOND;
    let packet = (pid, any::<[u8; 8]>(), time).prop_map(|(pid, noise, after)| {
        let mut packet = Source::default().unit(pid, after);
        packet[1] = packet[1] & 0x1F | noise[0] & if noise[1] < 20 { 0xE0 } else { 0x40 };
        packet[3] = noise[2];
        if noise[3] < 64 {
            packet[4..8].copy_from_slice(&noise[4..]);
        }
        packet
    });
    prop::collection::vec(packet, 1..120).prop_map(|packets| packets.concat())
}

proptest! {
    #[test]
    fn any_split_of_any_bytes_gives_the_same_bytes(
        mut stream in packets(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        sizes in prop::collection::vec(1usize..700, 1..5),
        is_open: bool,
        after_gap: bool,
    ) {
        for (index, value) in flips {
            let at = index.index(stream.len());
            stream[at] = value;
        }
        let point = random_access(&Source::default().tables(), is_open);
        let length = stream.len();
        let whole = in_parts(&mut Joiner::new(&point, after_gap), &stream, &[length]);
        let parts = in_parts(&mut Joiner::new(&point, after_gap), &stream, &sizes);
        prop_assert_eq!(whole.len() % PACKET_BYTES, 0);
        prop_assert_eq!(whole, parts);
    }
}
