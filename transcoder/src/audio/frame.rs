//! What every audio frame header says, whatever the coding.

use super::{Codec, ac3, adts, dts, latm, mpeg_audio};

/// The header of one audio frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// The coding of this frame.
    pub codec: Codec,
    /// Length of the whole frame with its header, in bytes.
    pub size_bytes: usize,
    /// Samples of each channel; `None` where the header does not say.
    pub samples: Option<u32>,
    /// Sample rate of the coded core in Hz; `None` where the header does not say.
    pub sample_rate_hz: Option<u32>,
    /// Channels with the LFE, of this frame alone; `None` where the header does not say.
    pub channels: Option<u8>,
    /// How the frame belongs to an access unit.
    pub role: Role,
}

impl FrameHeader {
    /// Whether two frames can stand in one elementary stream without a change of
    /// programme: the same family, layer and sample rate. Channels and bit rate
    /// may differ.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let same_coding = match Family::of(self.codec) {
            Family::MpegAudio => self.codec == other.codec,
            family => family == Family::of(other.codec),
        };
        let same_rate = match (self.sample_rate_hz, other.sample_rate_hz) {
            (Some(this), Some(that)) => this == that,
            _ => true,
        };
        same_coding && same_rate
    }

    /// Whether this header is so like another one of the same stream that it is no
    /// chance: at least 22 bits are the same, the length of a constant bit rate among
    /// them. False where the header does not say as much (LATM).
    pub(super) fn is_unmistakable_beside(&self, other: &Self) -> bool {
        let same_form = self.codec == other.codec
            && self.role == other.role
            && self.sample_rate_hz == other.sample_rate_hz
            && self.samples == other.samples
            && self.channels == other.channels;
        // Padding: a slot in MPEG audio, a word in AC-3.
        let lengths_apart = self.size_bytes.abs_diff(other.size_bytes);
        same_form
            && match self.codec {
                Codec::MpegLayer1 => lengths_apart <= 4,
                Codec::MpegLayer2 | Codec::MpegLayer3 => lengths_apart <= 1,
                Codec::Ac3 => lengths_apart <= 2,
                Codec::Eac3 | Codec::AacAdts | Codec::Dts => true,
                Codec::AacLatm => false,
            }
    }
}

/// How a frame belongs to an access unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Begins an access unit.
    Main,
    /// Extends the access unit that the frame before it belongs to.
    Dependent,
    /// Begins an access unit of another programme in the same elementary stream.
    OtherProgramme,
}

/// What a parser says of the bytes in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// The bytes so far could be the beginning of a header.
    NeedMore,
    /// No header begins here, whatever follows.
    NotHere,
    /// A header.
    Header(FrameHeader),
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

    /// The family of a coding.
    pub fn of(codec: Codec) -> Self {
        match codec {
            Codec::MpegLayer1 | Codec::MpegLayer2 | Codec::MpegLayer3 => Self::MpegAudio,
            Codec::Ac3 | Codec::Eac3 => Self::Ac3,
            Codec::AacAdts => Self::Adts,
            Codec::AacLatm => Self::Latm,
            Codec::Dts => Self::Dts,
        }
    }

    /// Parses the header that begins with the first of `bytes`. A header is given
    /// as soon as [`header_bytes`](Self::header_bytes) are there, never before.
    pub fn parse(self, bytes: &[u8]) -> Parsed {
        match self {
            Self::MpegAudio => mpeg_audio::parse(bytes),
            Self::Ac3 => ac3::parse(bytes),
            Self::Adts => adts::parse(bytes),
            Self::Latm => latm::parse(bytes),
            Self::Dts => dts::parse(bytes),
        }
    }

    /// Bytes that a header takes.
    pub fn header_bytes(self) -> usize {
        match self {
            Self::MpegAudio => mpeg_audio::HEADER_BYTES,
            Self::Ac3 => ac3::HEADER_BYTES,
            Self::Adts => adts::HEADER_BYTES,
            Self::Latm => latm::HEADER_BYTES,
            Self::Dts => dts::HEADER_BYTES,
        }
    }

    /// Bytes with which a frame can begin.
    pub(super) fn first_bytes(self) -> &'static [u8] {
        match self {
            Self::MpegAudio | Self::Adts => &[0xFF],
            Self::Ac3 => &[0x0B],
            Self::Latm => &[0x56],
            Self::Dts => &[0x7F],
        }
    }

    /// Whether an access unit can consist of several frames.
    pub(super) fn has_dependents(self) -> bool {
        matches!(self, Self::Ac3 | Self::Dts)
    }

    /// Whether the checksum over the whole frame is right; `None` where the
    /// coding has none.
    pub(super) fn checksum_holds(self, frame: &[u8]) -> Option<bool> {
        match self {
            Self::Ac3 => Some(ac3::checksum_holds(frame)),
            _ => None,
        }
    }
}
