//! The response header that carries points.

use std::collections::VecDeque;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ts::packet::PACKET_BYTES;
use crate::ts::video::VideoCodec;
use crate::{Point, PointKind, Remuxer};

/// Name of the header.
pub(super) const HEADER: &str = "xg2g-points";

/// Longest header with several points; a single point may be longer. A live chunk has a few points
/// of 300 bytes at most. Proxies buffer the whole head of a response, nginx in 4 KiB.
const MAX_HEADER_BYTES: usize = 3 << 10;

/// Longest header with a single point. A point with longer tables, of 50 programs, is dropped.
const MAX_POINT_BYTES: usize = 8 << 10;

/// Most bytes of points that wait for a response: a thousand points without tables. Beyond it the
/// oldest are dropped.
const MAX_WAITING_BYTES: usize = 64 << 10;

/// Stuffing byte after a section in its last packet (ISO/IEC 13818-1, 2.4.4.1).
const STUFFING: u8 = 0xFF;

/// A position in the output where a viewer can join, or where the stream changes
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Point)]
pub(super) struct Body {
    /// Offset in bytes from the beginning of the remuxer's output; a packet begins there. It may
    /// lie before the output of this response.
    offset: u64,
    /// Kind of the point. Ignore kinds that you do not know.
    kind: &'static str,
    /// Service id.
    program: u16,
    /// PTS of the PES packet at `offset`, at 90 kHz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pts_90k: Option<u64>,
    /// Video coding of a random access point.
    #[serde(skip_serializing_if = "Option::is_none")]
    codec: Option<&'static str>,
    /// The pictures with an earlier PTS that follow do not decode for a viewer who starts there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_open: bool,
    /// PAT and PMT packets for a viewer who starts at the point, in base64. The stuffing at the
    /// end of each is left out: fill each packet to 188 bytes with 0xFF.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tables: Vec<String>,
}

impl From<&Point> for Body {
    fn from(point: &Point) -> Self {
        let mut body = Self {
            offset: point.offset,
            kind: "",
            program: point.program,
            pts_90k: point.pts.map(|pts| pts.ticks_90k()),
            codec: None,
            is_open: false,
            tables: Vec::new(),
        };
        body.kind = match &point.kind {
            PointKind::RandomAccess {
                codec,
                is_open,
                tables,
            } => {
                body.codec = match codec {
                    VideoCodec::Mpeg2 => Some("mpeg2"),
                    VideoCodec::H264 => Some("h264"),
                    VideoCodec::Hevc => Some("hevc"),
                    VideoCodec::Other => None,
                };
                body.is_open = *is_open;
                body.tables = packets(tables);
                "random_access"
            }
            PointKind::Discontinuity => "discontinuity",
            PointKind::SoundBegins => "sound_begins",
            PointKind::Scrambled => "scrambled",
            PointKind::Clear => "clear",
            PointKind::TablesChanged => "tables_changed",
            PointKind::Entry { tables } => {
                body.tables = packets(tables);
                "entry"
            }
        };
        body
    }
}

/// Points of a remuxer that wait for a response.
#[derive(Debug, Default)]
pub(super) struct PointQueue {
    texts: VecDeque<String>,
    bytes: usize,
}

impl PointQueue {
    /// Takes the points from a remuxer.
    pub(super) fn collect(&mut self, remuxer: &mut Remuxer) {
        while let Some(point) = remuxer.take_point() {
            self.push(&point);
        }
    }

    /// Takes as many points as fit into one response, as a JSON array; empty without points.
    pub(super) fn take(&mut self) -> Bytes {
        let mut json = String::new();
        while let Some(text) = self.texts.front()
            && (json.is_empty() || json.len() + text.len() + 2 <= MAX_HEADER_BYTES)
        {
            json.push(if json.is_empty() { '[' } else { ',' });
            json.push_str(text);
            self.pop();
        }
        if !json.is_empty() {
            json.push(']');
        }
        Bytes::from(json)
    }

    fn push(&mut self, point: &Point) {
        let text = serde_json::to_string(&Body::from(point)).unwrap_or_default();
        if text.is_empty() || text.len() + 2 > MAX_POINT_BYTES {
            return;
        }
        self.bytes += text.len();
        self.texts.push_back(text);
        while self.bytes > MAX_WAITING_BYTES {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(text) = self.texts.pop_front() {
            self.bytes -= text.len();
        }
    }
}

/// Encodes packets in base64, each without its stuffing, until a point would be too long.
fn packets(tables: &[u8]) -> Vec<String> {
    let mut bytes = 0;
    let mut encoded = Vec::new();
    for packet in tables.chunks(PACKET_BYTES) {
        let stuffing = packet.iter().rev().take_while(|&&byte| byte == STUFFING);
        let text = STANDARD.encode(&packet[..packet.len() - stuffing.count()]);
        bytes += text.len();
        encoded.push(text);
        if bytes > MAX_POINT_BYTES {
            break;
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ts::clock::Timestamp;

    fn random_access(codec: VideoCodec, is_open: bool, tables: Vec<u8>) -> Point {
        Point {
            offset: 188,
            kind: PointKind::RandomAccess {
                codec,
                is_open,
                tables,
            },
            pts: Some(Timestamp::new(9)),
            program: 7,
        }
    }

    fn discontinuity(offset: u64) -> Point {
        Point {
            offset,
            kind: PointKind::Discontinuity,
            pts: None,
            program: 7,
        }
    }

    fn text(answer: &Bytes) -> &str {
        std::str::from_utf8(answer).expect("ASCII")
    }

    #[test]
    fn every_field_is_written_where_it_has_a_value() {
        let mut waiting = PointQueue::default();
        let mut packet = [STUFFING; PACKET_BYTES];
        packet[..2].copy_from_slice(&[0x47, 0]);
        waiting.push(&random_access(VideoCodec::Hevc, true, packet.repeat(2)));
        waiting.push(&random_access(VideoCodec::Mpeg2, false, Vec::new()));
        waiting.push(&discontinuity(376));
        let expected = concat!(
            r#"[{"offset":188,"kind":"random_access","program":7,"pts_90k":9,"codec":"hevc","#,
            r#""is_open":true,"tables":["RwA=","RwA="]},"#,
            r#"{"offset":188,"kind":"random_access","program":7,"pts_90k":9,"codec":"mpeg2"},"#,
            r#"{"offset":376,"kind":"discontinuity","program":7}]"#,
        );
        assert_eq!(text(&waiting.take()), expected);
        assert!(waiting.take().is_empty());
    }

    #[test]
    fn a_long_point_is_sent_alone_and_one_that_is_too_long_is_dropped() {
        let mut waiting = PointQueue::default();
        waiting.push(&discontinuity(0));
        waiting.push(&random_access(
            VideoCodec::H264,
            false,
            vec![0x47; 30 * PACKET_BYTES],
        ));
        waiting.push(&random_access(
            VideoCodec::H264,
            false,
            vec![0x47; 40 * PACKET_BYTES],
        ));
        waiting.push(&discontinuity(752));
        assert!(text(&waiting.take()).contains(r#""offset":0,"#));
        let long = waiting.take();
        assert!((MAX_HEADER_BYTES..MAX_POINT_BYTES).contains(&long.len()));
        assert!(text(&waiting.take()).contains(r#""offset":752,"#));
        assert!(waiting.take().is_empty());
    }

    #[test]
    fn points_that_are_not_fetched_are_bounded_and_the_newest_is_kept() {
        let mut waiting = PointQueue::default();
        for n in 0..10_000 {
            waiting.push(&discontinuity(n * 188));
        }
        assert!(waiting.bytes <= MAX_WAITING_BYTES);
        let mut last = Bytes::new();
        loop {
            let answer = waiting.take();
            if answer.is_empty() {
                break;
            }
            assert!(answer.len() <= MAX_HEADER_BYTES);
            last = answer;
        }
        assert!(text(&last).contains(&format!(r#""offset":{},"#, 9_999 * 188)));
        assert_eq!(waiting.bytes, 0);
    }
}
