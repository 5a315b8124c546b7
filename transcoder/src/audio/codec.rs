//! The audio codings that are known, and the families in which they occur.

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

/// Codings that share a sync word and so can follow each other in one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// MPEG audio, layers I to III.
    MpegAudio,
    /// AC-3 and E-AC-3.
    Ac3,
    /// AAC in ADTS.
    Adts,
    /// AAC in LOAS/LATM.
    Latm,
    /// DTS, core and extension substreams.
    Dts,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 5] = [
        Self::MpegAudio,
        Self::Ac3,
        Self::Adts,
        Self::Latm,
        Self::Dts,
    ];

    /// Return the family of a coding.
    pub fn of(codec: Codec) -> Self {
        match codec {
            Codec::MpegLayer1 | Codec::MpegLayer2 | Codec::MpegLayer3 => Self::MpegAudio,
            Codec::Ac3 | Codec::Eac3 => Self::Ac3,
            Codec::AacAdts => Self::Adts,
            Codec::AacLatm => Self::Latm,
            Codec::Dts => Self::Dts,
        }
    }
}
