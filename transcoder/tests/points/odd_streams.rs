//! Points of streams that are legal and seldom: where a viewer can join must be right for
//! them as well.

use xg2g_transcoder::ts::packet::{PACKET_BYTES, Packet, Pid};
use xg2g_transcoder::ts::psi::{ElementaryStream, Pmt, SectionAssembler, TABLE_PAT, TABLE_PMT};
use xg2g_transcoder::{Options, PointKind};

use crate::mux::{
    Bytes, Mux, OTHER_VIDEO, PMT_PID, VIDEO, idr, joins, packet_at, pat, pes, pmt, remux,
    remux_with, section, sections_in,
};

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
