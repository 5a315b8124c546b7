//! The header with the points of a call: those of the library, whatever happens to answers.

use std::iter;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use xg2g_transcoder::ts::packet::PACKET_BYTES;
use xg2g_transcoder::ts::video::VideoCodec;
use xg2g_transcoder::{Options, Point, PointKind, Remuxer};

use super::harness::{Answer, CLIP, Running};

/// What proxies that hold a head in 4 KiB have room for.
const HEADER_BYTES: usize = 3 << 10;

/// A point as a client has it.
#[derive(Debug, PartialEq)]
struct Found {
    offset: u64,
    kind: String,
    program: u64,
    pts_90k: Option<u64>,
    codec: Option<String>,
    is_open: bool,
    tables: Vec<u8>,
}

fn found(answer: &Answer) -> Vec<Found> {
    let Some(header) = answer.header("xg2g-points") else {
        return Vec::new();
    };
    assert!(header.len() <= HEADER_BYTES);
    let points: Vec<Value> = serde_json::from_str(header).expect("a JSON array");
    assert!(!points.is_empty());
    points.iter().map(read).collect()
}

fn read(point: &Value) -> Found {
    let tables = point["tables"].as_array().into_iter().flatten();
    Found {
        offset: point["offset"].as_u64().expect("an offset"),
        kind: point["kind"].as_str().expect("a kind").into(),
        program: point["program"].as_u64().expect("a program"),
        pts_90k: point["pts_90k"].as_u64(),
        codec: point["codec"].as_str().map(str::to_owned),
        is_open: point["is_open"].as_bool().unwrap_or(false),
        tables: tables.flat_map(packet).collect(),
    }
}

fn packet(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("text");
    let mut packet = STANDARD.decode(text).expect("base64");
    packet.resize(PACKET_BYTES, 0xFF);
    packet
}

fn of_the_library(point: Point) -> Found {
    let mut found = Found {
        offset: point.offset,
        kind: String::new(),
        program: point.program.into(),
        pts_90k: point.pts.map(|pts| pts.ticks_90k()),
        codec: None,
        is_open: false,
        tables: Vec::new(),
    };
    let kind = match point.kind {
        PointKind::RandomAccess {
            codec,
            is_open,
            tables,
        } => {
            assert_eq!(codec, VideoCodec::H264);
            found.codec = Some("h264".into());
            (found.is_open, found.tables) = (is_open, tables);
            "random_access"
        }
        PointKind::Discontinuity => "discontinuity",
        PointKind::SoundBegins => "sound_begins",
        PointKind::TablesChanged => "tables_changed",
        other => panic!("{other:?} in the clip"),
    };
    found.kind = kind.into();
    found
}

fn expected(stream: &[u8]) -> Vec<Found> {
    let mut remuxer = Remuxer::new(Options::default()).expect("the defaults are valid");
    let (mut output, mut points) = (Vec::new(), Vec::new());
    for piece in stream.chunks(1_000) {
        remuxer.push(piece, &mut output).expect("a stream");
        points.extend(iter::from_fn(|| remuxer.take_point()));
    }
    remuxer.finish(&mut output).expect("its end");
    points.extend(iter::from_fn(|| remuxer.take_point()));
    points.into_iter().map(of_the_library).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_points_of_pieces_are_those_of_the_library() {
    let service = Running::start(&[]).await;
    let mut client = service.client().await;
    let expected = expected(CLIP);
    assert!(expected.iter().any(|point| !point.tables.is_empty()));
    for piece_bytes in [1_316, 192_512, 1 << 20] {
        let remuxer = client.open().await;
        let (mut points, mut seq) = (Vec::new(), 0);
        for piece in CLIP.chunks(piece_bytes) {
            points.extend(found(&client.process(&remuxer, seq, piece).await));
            seq += 1;
        }
        points.extend(found(&client.finish(&remuxer, seq).await));
        assert_eq!(points, expected, "in pieces of {piece_bytes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_the_output_comes_with_its_points() {
    let service = Running::start(&[]).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    let stream = &CLIP[..75 * PACKET_BYTES];
    let mut points = found(&client.process(&remuxer, 0, stream).await);
    let before = points.len();
    let rest = client.finish(&remuxer, 1).await;
    points.extend(found(&rest));
    assert_eq!(points, expected(stream));
    assert!(points.len() > before);
    let again = client.finish(&remuxer, 1).await;
    assert_eq!(found(&again), found(&rest));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_gets_the_same_points() {
    let service = Running::start(&[]).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    let first = client.process(&remuxer, 0, &CLIP[..188_000]).await;
    let second = client.process(&remuxer, 1, &CLIP[188_000..564_000]).await;
    assert!(found(&first) != found(&second) && !found(&second).is_empty());
    for _ in 0..2 {
        let mut client = service.client().await;
        let again = client.process(&remuxer, 1, &CLIP[188_000..564_000]).await;
        assert_eq!(found(&again), found(&second));
    }
}

/// A stream whose video lacks every other packet: in one piece it has more points than a remuxer
/// keeps.
fn torn() -> Vec<u8> {
    let mut video = 0;
    CLIP[..1_750_000]
        .chunks_exact(PACKET_BYTES)
        .filter(|packet| {
            let is_video = u16::from_be_bytes([packet[1], packet[2]]) & 0x1FFF == 0x101;
            video += u32::from(is_video);
            !is_video || video % 2 == 0
        })
        .flatten()
        .copied()
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_do_not_fit_come_with_the_next_responses() {
    let service = Running::start(&[]).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    let stream = torn();
    let expected = expected(&stream);
    assert!(expected.len() > 1_024, "{}", expected.len());
    let (mut points, mut calls) = (found(&client.process(&remuxer, 0, stream).await), 1);
    assert!(points.len() < expected.len());
    loop {
        let more = found(&client.finish(&remuxer, calls).await);
        if more.is_empty() {
            break;
        }
        assert!(calls < 100);
        points.extend(more);
        calls += 1;
    }
    assert_eq!(points, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_stream_in_one_request_has_no_points() {
    let service = Running::start(&[]).await;
    let mut client = service.client().await;
    let answer = client.post("/v1/remux", CLIP).await;
    assert_eq!((answer.status, answer.header("xg2g-points")), (200, None));
}
