//! Points of any stream: no bytes do harm, and what begins at a point holds together.

use std::iter;

use proptest::prelude::*;
use xg2g_transcoder::ts::packet::{PACKET_BYTES, Packet, Pid, SYNC_BYTE};
use xg2g_transcoder::ts::psi::{ElementaryStream, Pmt, TABLE_PMT};
use xg2g_transcoder::{Joiner, Options, Point, PointKind};

use crate::mux::{
    Bytes, Mux, OTHER_VIDEO, PMT_PID, VIDEO, dependent, disposable, idr, joins, open_random_access,
    packet_at, pat, pes, pmt, remux, remux_with, section, sections_in,
};

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
