//! Points say where a viewer can join, whatever the pieces in which a stream comes.

use std::fs;
use std::iter;
use std::path::{Path, PathBuf};

use xg2g_transcoder::ts::packet::{PACKET_BYTES, Packet};
use xg2g_transcoder::{Options, Point, PointKind, Remuxer};

fn clips() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../xg2g/simulator/clips");
    let entries = fs::read_dir(folder).expect("the clips are part of the repository");
    entries
        .map(|entry| entry.expect("readable").path())
        .collect()
}

fn remux(stream: &[u8], piece_bytes: usize) -> (Vec<u8>, Vec<Point>) {
    let mut remuxer = Remuxer::new(Options::default()).expect("valid options");
    let (mut output, mut points) = (Vec::new(), Vec::new());
    for piece in stream.chunks(piece_bytes) {
        remuxer.push(piece, &mut output).expect("not finished");
        points.extend(iter::from_fn(|| remuxer.take_point()));
    }
    remuxer.finish(&mut output).expect("never fails");
    points.extend(iter::from_fn(|| remuxer.take_point()));
    (output, points)
}

fn packet_at(output: &[u8], offset: u64) -> Packet<'_> {
    let start = usize::try_from(offset).expect("in memory");
    Packet::new(output[start..].first_chunk().expect("a packet"))
}

#[test]
fn any_pieces_give_the_same_points() {
    for path in clips() {
        let stream = fs::read(&path).expect("readable");
        let (_, whole) = remux(&stream, stream.len());
        for piece_bytes in [1_000, PACKET_BYTES, 65_536] {
            assert_eq!(remux(&stream, piece_bytes).1, whole, "{}", path.display());
        }
    }
}

#[test]
fn a_random_access_point_is_the_first_packet_of_a_picture_behind_its_tables() {
    let mut seen = 0;
    for path in clips() {
        let stream = fs::read(&path).expect("readable");
        let (output, points) = remux(&stream, 10_000);
        for point in points {
            let PointKind::RandomAccess { tables, .. } = point.kind else {
                continue;
            };
            seen += 1;
            let packet = packet_at(&output, point.offset);
            assert!(packet.unit_start() && point.pts.is_some());
            let pids: Vec<u16> = tables
                .chunks_exact(PACKET_BYTES)
                .filter_map(|bytes| bytes.first_chunk().map(|b| Packet::new(b).pid().value()))
                .collect();
            assert_eq!(pids.first(), Some(&0), "{}: {pids:?}", path.display());
            assert!(pids.len() >= 2, "{}: {pids:?}", path.display());
        }
    }
    assert!(seen >= 30, "{seen} random access points");
}

#[test]
fn every_track_begins_once_and_every_pmt_version_is_told() {
    for path in clips() {
        let stream = fs::read(&path).expect("readable");
        let mut remuxer = Remuxer::new(Options::default()).expect("valid options");
        let mut output = Vec::new();
        remuxer.push(&stream, &mut output).expect("not finished");
        let points: Vec<Point> = iter::from_fn(|| remuxer.take_point()).collect();
        assert!(remuxer.next_point().is_none(), "points are given once");
        let tables = points
            .iter()
            .filter(|p| p.kind == PointKind::TablesChanged)
            .count();
        assert!(tables >= 1, "{}", path.display());
        let sounds: Vec<u64> = points
            .iter()
            .filter(|p| p.kind == PointKind::SoundBegins)
            .map(|p| p.offset)
            .collect();
        assert!(
            sounds
                .iter()
                .all(|&offset| packet_at(&output, offset).unit_start())
        );
    }
}
