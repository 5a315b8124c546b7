//! The parser of each family's frame headers.

use super::codec::Family;
use super::frame::Parsed;
use super::{ac3, adts, dts, latm, mpeg_audio};

impl Family {
    /// Parse the header that begins with the first of `bytes`. A header is given as soon as
    /// [`header_bytes`](Self::header_bytes) are there, never before.
    pub fn parse(self, bytes: &[u8]) -> Parsed {
        match self {
            Self::MpegAudio => mpeg_audio::parse(bytes),
            Self::Ac3 => ac3::parse(bytes),
            Self::Adts => adts::parse(bytes),
            Self::Latm => latm::parse(bytes),
            Self::Dts => dts::parse(bytes),
        }
    }

    /// Return how many bytes a header takes.
    pub fn header_bytes(self) -> usize {
        match self {
            Self::MpegAudio => mpeg_audio::HEADER_BYTES,
            Self::Ac3 => ac3::HEADER_BYTES,
            Self::Adts => adts::HEADER_BYTES,
            Self::Latm => latm::HEADER_BYTES,
            Self::Dts => dts::HEADER_BYTES,
        }
    }

    /// Return the bytes with which a frame can begin.
    pub(super) fn first_bytes(self) -> &'static [u8] {
        match self {
            Self::MpegAudio | Self::Adts => &[0xFF],
            Self::Ac3 => &[0x0B],
            Self::Latm => &[0x56],
            Self::Dts => &[0x7F],
        }
    }

    /// Return whether an access unit can consist of several frames.
    pub(super) fn has_dependents(self) -> bool {
        matches!(self, Self::Ac3 | Self::Dts)
    }

    /// Return whether the checksum over the whole frame is right; `None` where the coding
    /// has none.
    pub(super) fn checksum_holds(self, frame: &[u8]) -> Option<bool> {
        match self {
            Self::Ac3 => Some(ac3::checksum_holds(frame)),
            _ => None,
        }
    }
}
