//! Audio: recognising, splitting, decoding, encoding, and the sample timeline.

pub mod ac3;
pub mod access_unit;
pub mod adts;
mod bits;
pub(crate) mod conversion;
mod differences;
pub mod dts;
pub mod frame;
pub mod latm;
pub mod limiter;
pub mod mpeg_audio;
pub mod native;
mod output;
mod payload;
mod seam;
mod search;
pub mod sniff;
pub(crate) mod source_clock;
pub(crate) mod timeline;

use serde::Serialize;

/// An audio coding that an elementary stream can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub enum Codec {
    /// MPEG-1/2 audio layer I (ISO/IEC 11172-3, 13818-3).
    #[serde(rename = "mp1")]
    MpegLayer1,
    /// MPEG-1/2 audio layer II.
    #[serde(rename = "mp2")]
    MpegLayer2,
    /// MPEG-1/2 audio layer III.
    #[serde(rename = "mp3")]
    MpegLayer3,
    /// AC-3 (ETSI TS 102 366).
    #[serde(rename = "ac3")]
    Ac3,
    /// Enhanced AC-3 (ETSI TS 102 366, annex E), with or without dependent substreams.
    #[serde(rename = "eac3")]
    Eac3,
    /// AAC in ADTS (ISO/IEC 13818-7).
    #[serde(rename = "aac_adts")]
    AacAdts,
    /// AAC in LOAS/LATM (ISO/IEC 14496-3, 1.7).
    #[serde(rename = "aac_latm")]
    AacLatm,
    /// DTS Coherent Acoustics core (ETSI TS 102 114).
    #[serde(rename = "dts")]
    Dts,
}
