//! Structs and enums of the C ABI, and what they say in Rust.

use std::ffi::c_char;
use std::mem;

use super::arguments::{invalid, range};
use crate::ts::clock::Timestamp;
use crate::ts::video::VideoCodec;
use crate::{DualMono, Error, Options, Point, PointKind, Tracks};

/// Options of a stream. Every field is read: set them all.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct xg2g_options {
    /// sizeof(xg2g_options), so that later versions can add fields at the end; what this
    /// version does not know has to be 0. No version has padding at the end.
    pub size: usize,
    /// Output sample rate in Hz; 0 keeps the source's.
    pub sample_rate_hz: u32,
    /// Output channels: 1, 2 or 6; 0 keeps the source's.
    pub channels: u32,
    /// AAC bit rate in bit/s; 192000 suits stereo.
    pub bitrate_bps: u32,
    /// Service id of the one program to keep; 0 keeps every program.
    pub program: u32,
    /// 1 leaves the source track in and adds the AAC track on a free PID; else 0.
    pub keep_original: u32,
    /// 0 for a stream's first handle. A handle that continues the stream of a lost one has the
    /// next number: its output says so, and players follow it.
    pub generation: u32,
    /// "all" (or NULL), "first", or ISO 639 codes in order of preference with commas,
    /// "deu,eng": the first that matches is kept alone. "ger", "deu" and "de" are one.
    pub tracks: *const c_char,
    /// Which channels are heard of a track with a programme in either channel: "both" (or
    /// NULL), "left" or "right". A language that tracks names comes first. Absent from the
    /// first version of this struct.
    pub dual_mono: *const c_char,
}

/// sizeof(xg2g_options) in its first version, which is still taken.
pub(super) const FIRST_OPTIONS_BYTES: usize = mem::offset_of!(xg2g_options, dual_mono);

/// What is at a place in the output.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum xg2g_point_kind {
    /// A picture with which a decoder can begin.
    RandomAccess = 0,
    /// Video is missing before it, or another time base begins.
    Discontinuity = 1,
    /// The first sound of a track.
    SoundBegins = 2,
    /// From here on the video is scrambled; where no program has video, the sound.
    Scrambled = 3,
    /// What was scrambled is clear again.
    Clear = 4,
    /// A PMT that differs from the one before it.
    TablesChanged = 5,
    /// A place where a viewer may begin although nothing promises a picture: there is no
    /// video, or it does not come, or no random access point has come for long.
    Entry = 6,
}

/// The coding of a random access point's video.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum xg2g_video_codec {
    /// MPEG-1 or MPEG-2 video.
    Mpeg2 = 1,
    /// H.264.
    H264 = 2,
    /// HEVC.
    Hevc = 3,
    /// Another one, which is not looked into: it has no random access points.
    Other = 4,
}

/// pts_90k of a point without one.
pub const XG2G_NO_PTS: u64 = u64::MAX;

/// A place in the output.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct xg2g_point {
    /// sizeof(xg2g_point), set by the caller: a later library fills no more than that.
    pub size: usize,
    /// Bytes of output before it, counted from the stream's first: a packet begins there.
    pub offset: u64,
    /// PTS of the PES packet that begins there, 33 bits of 90 kHz, or XG2G_NO_PTS.
    pub pts_90k: u64,
    /// An xg2g_point_kind. Callers must ignore kinds that they do not know.
    pub kind: u32,
    /// Service id.
    pub program: u32,
    /// An xg2g_video_codec for a random access point, else 0.
    pub codec: u32,
    /// 1 for a random access point behind which pictures follow that do not decode for a viewer
    /// that begins there (those with an earlier PTS), else 0.
    pub is_open: u32,
    /// Bytes of tables of a random access point or an entry, else 0.
    pub tables_len: usize,
}

/// Return the options that a caller gave, with their texts where they have some.
pub(super) fn options_of(
    given: &xg2g_options,
    tracks: Option<&str>,
    dual_mono: Option<&str>,
) -> Result<Options, Error> {
    Ok(Options {
        sample_rate_hz: given.sample_rate_hz,
        channels: given.channels.try_into().map_err(|_| range("channels"))?,
        bitrate_bps: given.bitrate_bps,
        program: given.program.try_into().map_err(|_| range("program"))?,
        keep_original: match given.keep_original {
            0 => false,
            1 => true,
            _ => return Err(range("keep_original")),
        },
        generation: given.generation,
        dual_mono: dual_mono.map_or(Ok(DualMono::Both), DualMono::parse)?,
        tracks: tracks.map_or(Ok(Tracks::All), parse_tracks)?,
    })
}

fn parse_tracks(text: &str) -> Result<Tracks, Error> {
    match text {
        "all" => Ok(Tracks::All),
        "first" => Ok(Tracks::First),
        codes => Tracks::in_languages(codes.split(',')),
    }
}

/// Return a point as a caller sees it; `size` is the size of the caller's struct.
pub(super) fn describe(point: &Point, size: usize) -> xg2g_point {
    let (kind, codec, is_open, tables_len) = match &point.kind {
        PointKind::RandomAccess {
            codec,
            is_open,
            tables,
        } => {
            let codec = match codec {
                VideoCodec::Mpeg2 => xg2g_video_codec::Mpeg2,
                VideoCodec::H264 => xg2g_video_codec::H264,
                VideoCodec::Hevc => xg2g_video_codec::Hevc,
                VideoCodec::Other => xg2g_video_codec::Other,
            };
            let kind = xg2g_point_kind::RandomAccess;
            (kind, codec as u32, *is_open, tables.len())
        }
        PointKind::Discontinuity => (xg2g_point_kind::Discontinuity, 0, false, 0),
        PointKind::SoundBegins => (xg2g_point_kind::SoundBegins, 0, false, 0),
        PointKind::Scrambled => (xg2g_point_kind::Scrambled, 0, false, 0),
        PointKind::Clear => (xg2g_point_kind::Clear, 0, false, 0),
        PointKind::TablesChanged => (xg2g_point_kind::TablesChanged, 0, false, 0),
        PointKind::Entry { tables } => (xg2g_point_kind::Entry, 0, false, tables.len()),
    };
    xg2g_point {
        size,
        offset: point.offset,
        pts_90k: point.pts.map_or(XG2G_NO_PTS, Timestamp::ticks_90k),
        kind: kind as u32,
        program: point.program.into(),
        codec,
        is_open: is_open.into(),
        tables_len,
    }
}

/// Return the point that a caller gave, where a viewer can begin.
pub(super) fn point_of(given: xg2g_point, tables: &[u8]) -> Result<Point, Error> {
    let codecs = [
        (xg2g_video_codec::Mpeg2, VideoCodec::Mpeg2),
        (xg2g_video_codec::H264, VideoCodec::H264),
        (xg2g_video_codec::Hevc, VideoCodec::Hevc),
    ];
    let codec = codecs
        .iter()
        .find(|(number, _)| *number as u32 == given.codec)
        .map_or(VideoCodec::Other, |&(_, codec)| codec);
    let tables = tables.to_vec();
    let kind = if given.kind == xg2g_point_kind::RandomAccess as u32 {
        PointKind::RandomAccess {
            codec,
            is_open: given.is_open != 0,
            tables,
        }
    } else if given.kind == xg2g_point_kind::Entry as u32 {
        PointKind::Entry { tables }
    } else {
        let kind = given.kind;
        return Err(invalid(format!("nobody begins at a point of kind {kind}")));
    };
    Ok(Point {
        offset: given.offset,
        kind,
        pts: (given.pts_90k != XG2G_NO_PTS).then(|| Timestamp::new(given.pts_90k)),
        program: given
            .program
            .try_into()
            .map_err(|_| invalid("point.program is out of range".into()))?,
    })
}
