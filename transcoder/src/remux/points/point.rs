//! Points: places in the output, and what begins or changes there.

use crate::ts::clock::Timestamp;
use crate::ts::video::VideoCodec;

/// A place in the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Bytes of output before it: a packet begins there.
    pub offset: u64,
    /// What is there.
    pub kind: PointKind,
    /// PTS of the PES packet that begins there; None if no packet begins there, or it has no PTS.
    pub pts: Option<Timestamp>,
    /// Service id.
    pub program: u16,
}

/// What is at a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointKind {
    /// A picture with which a decoder can begin.
    RandomAccess {
        /// The coding of the video.
        codec: VideoCodec,
        /// Whether leading pictures follow that do not decode for a viewer that begins
        /// here: those with a PTS before the point's.
        is_open: bool,
        /// Packets of PAT and PMT as they last left before the picture, for a viewer
        /// that begins here: their continuity counters precede those that follow it.
        tables: Vec<u8>,
    },
    /// Video is missing before it, or another time base begins.
    Discontinuity,
    /// The first sound of a track.
    SoundBegins,
    /// From here on the video is scrambled; where no program has video, the sound.
    Scrambled,
    /// What was scrambled is clear again.
    Clear,
    /// A PMT that differs from the one before it.
    TablesChanged,
    /// A place where a viewer may begin although nothing promises a picture: there is no
    /// video, or it does not come, or no random access point has come for long.
    Entry {
        /// As those of a random access point; empty when the stream has none.
        tables: Vec<u8>,
    },
}

impl PointKind {
    /// Return the kind with these tables. A viewer can begin at all kinds that this is for.
    pub(super) fn with_tables(self, tables: Vec<u8>) -> Self {
        match self {
            Self::RandomAccess { codec, is_open, .. } => Self::RandomAccess {
                codec,
                is_open,
                tables,
            },
            _ => Self::Entry { tables },
        }
    }
}
