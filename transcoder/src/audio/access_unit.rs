//! Access units: what a decoder takes at once, and what a PTS belongs to.

use super::codec::Codec;
use super::dts;
use super::frame::FrameHeader;
use crate::ts::clock::Timestamp;

/// Longest access unit: a DTS core with its longest extension substream. Frames
/// that would make a unit longer are left out of it.
pub const MAX_UNIT_BYTES: usize = (1 << 14) + dts::MAX_EXTENSION_BYTES;

/// One access unit, borrowed from its [`Framer`](super::framer::Framer).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessUnit<'a> {
    /// The frame with its header and, for E-AC-3 and DTS-HD, its dependent
    /// substreams.
    pub data: &'a [u8],
    /// The coding; E-AC-3 for an AC-3 core with dependent substreams.
    pub codec: Codec,
    /// Header of the (first) frame.
    pub header: FrameHeader,
    /// PTS of the PES packet, for the first unit that begins in one
    /// (ISO/IEC 13818-1, 2.4.3.7). Left out where damage makes it doubtful
    /// which unit that is.
    pub pts: Option<Timestamp>,
    /// Something is missing or was skipped between the previous unit and this.
    pub after_loss: bool,
    /// Bytes since the previous unit that belong to no unit.
    pub skipped_bytes: u64,
    /// What was not received since the previous unit; `None` where nothing is
    /// missing.
    pub lost: Option<Lost>,
}

/// Packets that are missing at one place of an elementary stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lost {
    /// Their number modulo 16: the continuity counter has 4 bits (ISO/IEC 13818-1,
    /// 2.4.3.3). `None` if it is unknown.
    pub packets: Option<u32>,
}

impl Lost {
    /// Return what is missing at this place and at another one before it.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let sum = |(a, b): (u32, u32)| a.saturating_add(b);
        Self {
            packets: self.packets.zip(other.packets).map(sum),
        }
    }
}
