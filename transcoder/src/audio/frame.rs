//! The fields that audio frame headers of every coding have.

use super::codec::{Codec, Family};

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
    /// Return whether two frames can stand in one elementary stream without a change of
    /// programme: the same family, layer and sample rate. Channels and bit rate may differ.
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

    /// Return whether this header is so like another one of the same stream that it is no
    /// chance: at least 22 bits are the same, the length of a constant bit rate among them.
    /// False where the header does not say as much (LATM).
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

/// The result of a parser for the bytes at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// The bytes so far could be the beginning of a header.
    NeedMore,
    /// No header begins here; more bytes cannot change that.
    NotHere,
    /// A header.
    Header(FrameHeader),
}
