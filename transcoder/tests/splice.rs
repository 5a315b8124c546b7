//! What a remuxer is given that goes on with a stream where another was lost.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use xg2g_transcoder::splice::{first_packet, lead, lead_after_gap, video_alone};
use xg2g_transcoder::ts::packet::{PACKET_BYTES, Packet, Pid, SYNC_BYTE, packetise};
use xg2g_transcoder::ts::psi::{
    ElementaryStream, Pmt, SectionHeader, TABLE_PAT, TABLE_PMT, program_entry, write_section,
};

const PMT_PID: Pid = Pid::new(0x100);
const VIDEO: Pid = Pid::new(0x101);
const SOUND: Pid = Pid::new(0x102);
const CLOCK: Pid = Pid::new(0x103);

type Bytes = Vec<u8>;

fn section(table_id: u8, id: u16, version: u8, content: &[u8]) -> Bytes {
    numbered_section(table_id, id, version, (0, 0), content)
}

fn numbered_section(
    table_id: u8,
    id: u16,
    version: u8,
    (number, last_number): (u8, u8),
    content: &[u8],
) -> Bytes {
    let header = SectionHeader {
        table_id,
        id,
        version,
        current: true,
        number,
        last_number,
    };
    write_section(header, content).expect("short enough")
}

fn pat(entries: &[(u16, Pid)]) -> Bytes {
    let content: Bytes = entries
        .iter()
        .flat_map(|&(number, pid)| program_entry(number, pid))
        .collect();
    section(TABLE_PAT, 1, 0, &content)
}

fn pmt_of(program: u16, streams: &[(u8, Pid)], descriptor_bytes: usize) -> Bytes {
    let map = Pmt {
        pcr_pid: CLOCK,
        descriptors: vec![0; descriptor_bytes],
        streams: streams
            .iter()
            .map(|&(stream_type, pid)| ElementaryStream {
                stream_type,
                pid,
                descriptors: Bytes::new(),
            })
            .collect(),
    };
    section(TABLE_PMT, program, 0, &map.content())
}

fn pmt(program: u16) -> Bytes {
    pmt_of(program, &[(0x1B, VIDEO), (0x03, SOUND)], 0)
}

/// Packets of whole sections, the first behind its pointer_field.
fn in_packets(pid: Pid, sections: &[&[u8]]) -> Bytes {
    let unit = [&[0], sections.concat().as_slice()].concat();
    let mut packets: Vec<[u8; PACKET_BYTES]> = Vec::new();
    packetise(pid, &unit, false, &mut packets);
    packets.concat()
}

/// Packets that say with their payload which they are.
fn filler(pid: Pid, numbers: std::ops::Range<u8>) -> Bytes {
    numbers
        .flat_map(|number| {
            let mut packet = [number; PACKET_BYTES];
            packet[0] = SYNC_BYTE;
            packet[1..3].copy_from_slice(&pid.value().to_be_bytes());
            packet[3] = 0x10 | number & 0x0F;
            packet
        })
        .collect()
}

/// A second form of packets: with parity behind each, or a time stamp in front.
fn with_stride(packets: &[u8], stride: usize) -> Bytes {
    let mut stream = Bytes::new();
    for (number, packet) in packets.chunks(PACKET_BYTES).enumerate() {
        if stride == 192 {
            stream.extend([number as u8, 1, 2, 3]);
        }
        stream.extend(packet);
        if stride == 204 {
            stream.extend([number as u8; 16]);
        }
    }
    stream
}

fn pids(packets: &[u8], stride: usize) -> Vec<u16> {
    assert!(packets.len().is_multiple_of(stride), "{}", packets.len());
    packets
        .chunks(stride)
        .map(|packet| {
            let packet = Packet::new(packet.first_chunk().expect("a packet"));
            assert_eq!(packet.bytes()[0], SYNC_BYTE);
            packet.pid().value()
        })
        .collect()
}

/// The packets of one PID, out of those of 188 bytes.
fn of(pid: Pid, packets: &[u8]) -> Vec<&[u8]> {
    packets
        .chunks(PACKET_BYTES)
        .filter(|packet| packet.first_chunk().map(|p| Packet::new(p).pid()) == Some(pid))
        .collect()
}

fn clip() -> Bytes {
    let path = "../xg2g/simulator/clips/one-hd.ts";
    let clip = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("readable");
    clip[..3000 * PACKET_BYTES].to_vec()
}

#[test]
fn the_lead_is_the_tables_and_the_packet_that_is_under_way() {
    for stride in [188, 192, 204] {
        let stream = with_stride(&clip(), stride);
        // From the first sync byte on, a time stamp belongs to the packet before it.
        let stream = &stream[usize::from(stride == 192) * 4..];
        for rest in [0, 1, 2, 3, 4, 100, 187] {
            let past = &stream[..2500 * stride + rest];
            let given = lead(past, 0);
            let (tables, cut) = given.split_at(given.len() - rest);
            assert_eq!(cut, &past[2500 * stride..]);
            assert_eq!(pids(tables, stride), [0, 0x100], "{stride}, {rest}");
            for packet in tables.chunks(stride) {
                assert!(past.windows(stride).any(|window| window == packet));
            }
            assert_eq!(lead_after_gap(past, 0), tables);
        }
    }
}

#[test]
fn a_packet_that_is_lost_before_its_section_ends_leaves_the_table_before() {
    let long = |fill| pmt_of(1, &[(fill, VIDEO), (0x03, SOUND)], 300);
    let (old, new) = (
        in_packets(PMT_PID, &[&long(0x1B)]),
        in_packets(PMT_PID, &[&long(0x02)]),
    );
    let head = [in_packets(Pid::PAT, &[&pat(&[(1, PMT_PID)])]), old.clone()].concat();
    let rest = filler(VIDEO, 0..9);
    let whole = [&head[..], &new, &rest].concat();
    assert_eq!(lead(&whole, 1)[PACKET_BYTES..], new);
    let cut = [&head[..], &new[..PACKET_BYTES], &rest].concat();
    assert_eq!(lead(&cut, 1)[PACKET_BYTES..], old);
    // The next one is whole, and nothing of the one that was cut comes along.
    let repaired = [&cut[..], &new, &rest].concat();
    assert_eq!(lead(&repaired, 1)[PACKET_BYTES..], new);
}

#[test]
fn damaged_tables_and_those_not_yet_in_force_are_passed_over() {
    let good = in_packets(PMT_PID, &[&pmt(1)]);
    let head = [in_packets(Pid::PAT, &[&pat(&[(1, PMT_PID)])]), good.clone()].concat();
    let rest = filler(VIDEO, 0..9);
    // Of the last bytes: checksum, a PID, the length, the program.
    for from_end in [1, 8, 24, 22] {
        let mut damaged = good.clone();
        let at = damaged.len() - from_end;
        damaged[at] ^= 0x10;
        assert_eq!(lead(&[&head[..], &damaged, &rest].concat(), 1), head);
    }
    let mut later = pmt_of(1, &[(0x24, VIDEO)], 0);
    later[5] &= !1;
    later.truncate(later.len() - 4);
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_MPEG_2).checksum(&later);
    later.extend(crc.to_be_bytes());
    let later = in_packets(PMT_PID, &[&later]);
    assert_eq!(lead(&[&head[..], &later, &rest].concat(), 1), head);
}

#[test]
fn a_table_that_was_sent_in_packets_twice_each_is_found() {
    let table = in_packets(PMT_PID, &[&pmt_of(1, &[(0x1B, VIDEO)], 300)]);
    let twice: Bytes = table
        .chunks(PACKET_BYTES)
        .flat_map(|p| [p, p].concat())
        .collect();
    let pat = in_packets(Pid::PAT, &[&pat(&[(1, PMT_PID)])]);
    let past = [&pat[..], &twice, &filler(VIDEO, 0..9)].concat();
    assert_eq!(lead(&past, 1), [pat, table].concat());
}

#[test]
fn of_one_program_the_tables_of_others_are_left_out() {
    let (own, other) = (Pid::new(0x200), Pid::new(0x201));
    let past = [
        in_packets(
            Pid::PAT,
            &[&pat(&[(0, Pid::new(0x10)), (1, own), (2, other)])],
        ),
        in_packets(other, &[&pmt(2)]),
        in_packets(own, &[&pmt(1)]),
        filler(VIDEO, 0..9),
    ]
    .concat();
    assert_eq!(pids(&lead(&past, 1), 188), [0, 0x200]);
    assert_eq!(pids(&lead(&past, 2), 188), [0, 0x201]);
    assert_eq!(pids(&lead(&past, 3), 188), [0]);
    assert_eq!(pids(&lead(&past, 0), 188), [0, 0x201, 0x200]);
}

#[test]
fn programs_may_share_the_pid_of_their_pmts_and_its_packets() {
    let pat = in_packets(Pid::PAT, &[&pat(&[(1, PMT_PID), (2, PMT_PID)])]);
    let rest = filler(VIDEO, 0..9);
    let (first, second) = (
        in_packets(PMT_PID, &[&pmt(1)]),
        in_packets(PMT_PID, &[&pmt(2)]),
    );
    let apart = [&pat[..], &first, &second, &rest].concat();
    assert_eq!(lead(&apart, 1), [&pat[..], &first].concat());
    assert_eq!(lead(&apart, 2), [&pat[..], &second].concat());
    let together = in_packets(PMT_PID, &[&pmt(1), &pmt(2)]);
    let past = [&pat[..], &together, &rest].concat();
    for program in [0, 1, 2] {
        assert_eq!(lead(&past, program), [&pat[..], &together].concat());
    }
    // The second begins in the packet in which the first, of several packets, ends.
    let joined = in_packets(PMT_PID, &[&pmt_of(1, &[(0x1B, VIDEO)], 300), &pmt(2)]);
    let past = [&pat[..], &joined, &rest].concat();
    assert_eq!(lead(&past, 1), [&pat[..], &joined].concat());
    assert_eq!(lead(&past, 2)[PACKET_BYTES..], joined[PACKET_BYTES..]);
}

#[test]
fn a_pat_of_several_sections_is_given_whole_and_one_of_an_older_version_is_not() {
    let part = |version, number, program, pid| {
        let content = program_entry(program, pid);
        let section = numbered_section(TABLE_PAT, 1, version, (number, 1), &content);
        in_packets(Pid::PAT, &[&section])
    };
    let (own, other) = (Pid::new(0x200), Pid::new(0x201));
    let maps = [in_packets(own, &[&pmt(1)]), in_packets(other, &[&pmt(2)])].concat();
    let rest = filler(VIDEO, 0..9);
    let both = [part(0, 0, 1, own), part(0, 1, 2, other)].concat();
    let past = [&both[..], &maps, &rest].concat();
    assert_eq!(lead(&past, 0), [&both[..], &maps].concat());
    let newer = part(1, 0, 2, other);
    let past = [&both[..], &maps, &newer, &rest].concat();
    assert_eq!(pids(&lead(&past, 0), 188), [0, 0x201]);
}

#[test]
fn a_stream_too_short_to_show_packets_is_given_as_far_as_none_has_decided_upon_it() {
    let stream = clip();
    for length in [0, 1, 188, 4 * 188] {
        assert_eq!(lead(&stream[..length], 0), stream[..length]);
        assert_eq!(lead_after_gap(&stream[..length], 0), b"");
    }
    let behind_garbage = [&[9; 300], &stream[..4 * 188]].concat();
    assert_eq!(lead(&behind_garbage, 0), stream[..4 * 188]);
}

#[test]
fn what_is_no_transport_stream_gives_nothing() {
    let zeros = vec![0; 100_000];
    assert_eq!(lead(&zeros, 0), b"");
    assert_eq!(video_alone(&zeros, &clip(), 0), None);
    assert_eq!(first_packet(&zeros), zeros.len());
    assert_eq!(first_packet(b""), 0);
}

#[test]
fn the_first_packet_is_found_behind_any_garbage_in_packets_of_any_length() {
    for stride in [188, 192, 204] {
        let stream = with_stride(&filler(VIDEO, 0..9), stride);
        let stamp = usize::from(stride == 192) * 4;
        for garbage in [0, 1, 203, 400, 5000] {
            let bytes = [vec![0; garbage], stream.clone()].concat();
            assert_eq!(first_packet(&bytes), garbage + stamp, "{stride}");
            assert_eq!(
                first_packet(&bytes[..garbage + 4 * stride]),
                garbage + 4 * stride
            );
        }
    }
}

/// PAT and PMT, then enough packets to be seen.
fn past() -> Bytes {
    [
        in_packets(Pid::PAT, &[&pat(&[(1, PMT_PID)])]),
        in_packets(PMT_PID, &[&pmt(1)]),
        filler(VIDEO, 0..5),
    ]
    .concat()
}

#[test]
fn of_a_body_the_video_and_its_clock_are_kept_and_nothing_else() {
    let body = [
        filler(VIDEO, 0..3),
        filler(SOUND, 0..2),
        filler(CLOCK, 0..1),
        in_packets(PMT_PID, &[&pmt(1)]),
        filler(Pid::NULL, 0..1),
        filler(VIDEO, 3..5),
    ]
    .concat();
    for stride in [188, 192, 204] {
        let past = with_stride(&past(), stride);
        let kept = video_alone(&past, &with_stride(&body, stride), 1);
        // In packets with time stamps the first stamp ends the packet before.
        let stamp = usize::from(stride == 192) * 4;
        let kept = kept.expect("video is seen");
        assert_eq!(kept.given_up_bytes, 3 * stride, "{stride}");
        let packets: Bytes = kept.body[stamp..]
            .chunks(stride)
            .flat_map(|packet| packet[..PACKET_BYTES].to_vec())
            .collect();
        assert_eq!(of(VIDEO, &packets), of(VIDEO, &body));
        assert_eq!(of(CLOCK, &packets), of(CLOCK, &body));
        assert_eq!(of(Pid::NULL, &packets).len(), 4);
        assert_eq!(packets.len(), body.len());
    }
}

#[test]
fn sound_that_is_under_way_where_a_body_begins_loses_the_rest_of_its_payload() {
    let sound = filler(SOUND, 7..8);
    let body = filler(VIDEO, 5..8);
    for cut in 1..PACKET_BYTES {
        let past = [&past()[..], &sound[..cut]].concat();
        let kept = video_alone(&past, &[&sound[cut..], &body].concat(), 0).expect("packets");
        let (rest, others) = kept.body.split_at(PACKET_BYTES - cut);
        assert_eq!(others, body, "cut at {cut}");
        let header = 4usize.saturating_sub(cut);
        assert_eq!(rest[..header], sound[cut..cut + header]);
        assert!(rest[header..].iter().all(|&byte| byte == 0xFF));
        assert_eq!(kept.given_up_bytes, rest.len() - header);
    }
}

#[test]
fn video_that_is_under_way_where_a_body_begins_stays() {
    let stream = [past(), filler(VIDEO, 5..20)].concat();
    for cut in past().len()..stream.len() {
        let kept = video_alone(&stream[..cut], &stream[cut..], 1).expect("packets");
        assert_eq!(kept.body, stream[cut..]);
        assert_eq!(kept.given_up_bytes, 0);
    }
}

#[test]
fn a_body_without_known_video_is_not_judged() {
    let radio = [
        in_packets(Pid::PAT, &[&pat(&[(1, PMT_PID)])]),
        in_packets(PMT_PID, &[&pmt_of(1, &[(0x03, SOUND)], 0)]),
        filler(SOUND, 0..5),
    ]
    .concat();
    assert_eq!(video_alone(&radio, &filler(SOUND, 5..9), 1), None);
    assert_eq!(video_alone(&past(), &filler(VIDEO, 5..9), 2), None);
    let torn = [filler(VIDEO, 5..7), vec![0; 188], filler(VIDEO, 8..9)].concat();
    assert_eq!(video_alone(&past(), &torn, 1), None);
}

/// Streams of packets with tables among them, each of which may be damaged.
fn hostile() -> impl Strategy<Value = Bytes> {
    let piece = (0..8u8, any::<u8>(), 0..188usize, 0..40u8);
    let pieces = prop::collection::vec(piece, 0..40);
    (pieces, 0..3usize, 0..400usize).prop_map(|(pieces, form, garbage)| {
        let mut packets = Bytes::new();
        for (what, value, at, often) in pieces {
            let mut part = match what {
                0 => in_packets(Pid::PAT, &[&pat(&[(1, PMT_PID), (2, SOUND)])]),
                1 => in_packets(PMT_PID, &[&pmt(1), &pmt(2)]),
                2 => in_packets(PMT_PID, &[&pmt_of(1, &[(value, VIDEO)], at * 4)]),
                3 => filler(Pid::PAT, value.saturating_sub(3)..value),
                4 => filler(PMT_PID, value.saturating_sub(3)..value),
                _ => filler(VIDEO, value.saturating_sub(often)..value),
            };
            if what % 2 == 0 && !part.is_empty() && value % 3 == 0 {
                let at = at.min(part.len() - 1);
                part[at] = value;
            }
            packets.extend(part);
        }
        let stream = with_stride(&packets, [188, 192, 204][form]);
        let cut = garbage.min(stream.len());
        stream[cut..].to_vec()
    })
}

proptest! {
    #[test]
    fn whatever_comes_the_answers_are_made_of_it(
        past in hostile(),
        noise in prop::collection::vec(any::<u8>(), 0..2000),
        body in hostile(),
        program in 0..3u16,
    ) {
        for past in [&past, &noise] {
            let given = lead(past, program);
            let tables = lead_after_gap(past, program);
            prop_assert!(given.len() <= past.len());
            prop_assert!(given.starts_with(&tables));
            prop_assert!(past.ends_with(&given[tables.len()..]));
            prop_assert!(first_packet(past) <= past.len());
            for body in [&body, &noise] {
                if let Some(kept) = video_alone(past, body, program) {
                    prop_assert_eq!(kept.body.len(), body.len());
                    prop_assert!(kept.given_up_bytes <= body.len());
                    let again = video_alone(past, &kept.body, program);
                    prop_assert_eq!(again.map(|again| again.body), Some(kept.body));
                }
            }
        }
    }
}
