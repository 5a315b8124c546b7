//! Elementary streams to split: the frames of the fixtures (a short tone in each
//! coding), and what a transport can do to them.

#![allow(dead_code, reason = "each test binary uses a part of this")]

use xg2g_transcoder::audio::Codec;
use xg2g_transcoder::audio::{access_unit::Lost, framer::Framer};
use xg2g_transcoder::ts::clock::Timestamp;

/// One fixture of each coding.
pub(crate) const FIXTURES: [(Codec, &[u8]); 7] = [
    (Codec::MpegLayer2, include_bytes!("../fixtures/tone.mp2")),
    (Codec::MpegLayer3, include_bytes!("../fixtures/tone.mp3")),
    (Codec::Ac3, include_bytes!("../fixtures/tone.ac3")),
    (Codec::Eac3, include_bytes!("../fixtures/tone.eac3")),
    (Codec::AacAdts, include_bytes!("../fixtures/tone.adts")),
    (Codec::AacLatm, include_bytes!("../fixtures/tone.latm")),
    (Codec::Dts, include_bytes!("../fixtures/tone.dts")),
];

/// The frames of a fixture, cut by arithmetic that is not the framer's.
pub(crate) fn frames(codec: Codec) -> Vec<&'static [u8]> {
    let (_, mut rest) = FIXTURES
        .into_iter()
        .find(|&(other, _)| other == codec)
        .expect("a fixture of the coding");
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let size = match codec {
            Codec::MpegLayer2 => 192,
            Codec::MpegLayer3 => 96,
            Codec::Ac3 => 384,
            Codec::Eac3 => 256,
            Codec::AacLatm => 3 + (usize::from(rest[1] & 0x1F) << 8 | usize::from(rest[2])),
            Codec::AacAdts => {
                usize::from(rest[3] & 3) << 11
                    | usize::from(rest[4]) << 3
                    | usize::from(rest[5] >> 5)
            }
            Codec::Dts => {
                (usize::from(rest[5] & 3) << 12
                    | usize::from(rest[6]) << 4
                    | usize::from(rest[7] >> 4))
                    + 1
            }
            Codec::MpegLayer1 => unreachable!("no fixture"),
        };
        let (frame, behind) = rest.split_at(size);
        frames.push(frame);
        rest = behind;
    }
    frames
}

/// An E-AC-3 frame with another strmtyp and substreamid, and its checksum made good.
pub(crate) fn as_substream(frame: &[u8], strmtyp: u8, substreamid: u8) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[2] = frame[2] & 0x07 | strmtyp << 6 | substreamid << 3;
    let checksum_at = frame.len() - 2;
    let mut remainder = 0u32;
    for &byte in &frame[2..checksum_at] {
        remainder ^= u32::from(byte) << 8;
        for _ in 0..8 {
            remainder <<= 1;
            if remainder & 0x1_0000 != 0 {
                remainder ^= 0x1_8005;
            }
        }
    }
    frame[checksum_at] = (remainder >> 8) as u8;
    frame[checksum_at + 1] = remainder as u8;
    frame
}

/// A step in the life of an elementary stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Payload, with the PTS of the PES packet that begins with it.
    Payload(Vec<u8>, Option<Timestamp>),
    /// Packets are missing.
    Loss,
}

/// A timestamp of the given ticks.
pub(crate) fn time(ticks_90k: u64) -> Timestamp {
    Timestamp::new(ticks_90k)
}

/// Payload that continues a PES packet.
pub(crate) fn bytes(payload: &[u8]) -> Piece {
    Piece::Payload(payload.to_vec(), None)
}

/// Payload that begins a PES packet.
pub(crate) fn pes(pts_90k: u64, payload: &[u8]) -> Piece {
    Piece::Payload(payload.to_vec(), Some(time(pts_90k)))
}

/// An access unit with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) data: Vec<u8>,
    pub(crate) codec: Codec,
    pub(crate) pts_90k: Option<u64>,
    pub(crate) after_loss: bool,
}

/// Takes what units there are.
pub(crate) fn drain(framer: &mut Framer, units: &mut Vec<Unit>) {
    while let Some(unit) = framer.next_unit() {
        units.push(Unit {
            data: unit.data.to_vec(),
            codec: unit.codec,
            pts_90k: unit.pts.map(Timestamp::ticks_90k),
            after_loss: unit.after_loss,
        });
    }
}

/// Gives a framer a piece.
pub(crate) fn feed(framer: &mut Framer, piece: &Piece) {
    match piece {
        Piece::Payload(payload, pts) => framer.push(payload, *pts),
        Piece::Loss => framer.lose(Lost { packets: Some(1) }),
    }
}

/// All units of a stream that ends with its last piece.
pub(crate) fn split(codec: Codec, pieces: &[Piece]) -> Vec<Unit> {
    let mut framer = Framer::new(codec);
    let mut units = Vec::new();
    for piece in pieces {
        feed(&mut framer, piece);
        drain(&mut framer, &mut units);
    }
    framer.flush();
    drain(&mut framer, &mut units);
    units
}
