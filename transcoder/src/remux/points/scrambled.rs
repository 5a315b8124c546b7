//! Whether what leaves is scrambled: runs of packets, and video that only begins clear.

use super::point::PointKind;
use crate::ts::packet::Packet;
use crate::ts::pes::data_of_start;
use crate::ts::scrambling::{Judgement, looks_scrambled};

/// Scrambled packets of video in a row that make it a scrambled one; fewer are damage.
const SCRAMBLED_RUN: u32 = 16;

/// Units of video in a row that begin with scrambled payload behind a clear header and have no start
/// code inside: a clear picture has one in each slice.
const BARE_UNITS: u32 = 4;

/// Scrambled packets in a row.
#[derive(Debug, Default)]
pub(super) struct ScrambledRun {
    packets: u32,
    is_scrambled: bool,
}

/// Units of video that begin clear: those without a start code inside are scrambled.
#[derive(Debug, Default)]
pub(super) struct Bareness {
    has_begun: bool,
    has_start_code: bool,
    bare_units: u32,
}

impl ScrambledRun {
    /// Take the judgement of the PID's next packet; return what it changes.
    pub(super) fn push(&mut self, judgement: Judgement) -> Option<PointKind> {
        match judgement {
            Judgement::Scrambled => {
                self.packets += 1;
                if self.packets == SCRAMBLED_RUN && !self.is_scrambled {
                    self.is_scrambled = true;
                    return Some(PointKind::Scrambled);
                }
            }
            Judgement::Clear => {
                self.packets = 0;
                if std::mem::take(&mut self.is_scrambled) {
                    return Some(PointKind::Clear);
                }
            }
            Judgement::Undecided => {}
        }
        None
    }
}

impl Bareness {
    /// Judge the next packet of video that is clear by its bits and by its beginning.
    pub(super) fn is_scrambled(&mut self, packet: Packet<'_>) -> bool {
        let mut payload = packet.payload();
        if packet.unit_start() {
            if self.has_begun {
                self.bare_units = match self.has_start_code {
                    true => 0,
                    false => self.bare_units.saturating_add(1),
                };
            }
            payload = data_of_start(payload);
            self.has_begun = true;
            self.has_start_code = false;
        }
        if !self.has_start_code || self.bare_units > 0 {
            if has_start_code(payload) {
                self.has_start_code = true;
                self.bare_units = 0;
            } else if packet.unit_start() {
                self.has_start_code = !looks_scrambled(payload);
            }
        }
        self.bare_units >= BARE_UNITS
    }
}

fn has_start_code(payload: &[u8]) -> bool {
    payload.windows(3).any(|bytes| bytes == [0, 0, 1])
}
