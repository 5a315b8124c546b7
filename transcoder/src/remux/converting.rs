//! A conversion under way, and the search for another coding where it recognises nothing.

use super::outlet::{Outlet, PacketBytes};
use super::punctuality::Punctuality;
use crate::audio::Codec;
use crate::audio::access_unit::Lost;
use crate::audio::arrival::Arrival;
use crate::audio::conversion::Conversion;
use crate::audio::sniff::{Sniffer, Verdict};
use crate::ts::pes::EsChunk;

/// Number of bytes without a frame header after which the remuxer searches for another coding:
/// more than any frame, so that one damaged frame is not enough.
const RESNIFF_AFTER_BYTES: usize = 8 * 1024;

/// Number of failed searches for another coding after which the stream counts as no audio:
/// some seconds.
const MAX_RESNIFFS: u8 = 4;

/// An elementary stream that is converted.
#[derive(Debug)]
pub(super) struct Converting {
    pub(super) conversion: Conversion,
    resniff: Option<Sniffer>,
    failed_resniffs: u8,
    /// Scrambled packets, whose clocks are still to leave.
    pub(super) held: Vec<PacketBytes>,
}

/// What has become of a conversion.
#[derive(Debug)]
pub(super) enum Outcome {
    GoesOn,
    /// The decoder refuses everything.
    Undecodable,
    /// The stream has become AAC in ADTS.
    FoundAac,
    /// The stream holds no audio that is known.
    FoundNothing {
        looks_scrambled: bool,
    },
}

impl Converting {
    /// Begin with the frame that a sniffer has found. `held` are the packets in which it was
    /// searched for.
    pub(super) fn new(
        mut conversion: Conversion,
        held: Vec<PacketBytes>,
        outlet: &mut Outlet,
    ) -> Self {
        let nothing = EsChunk {
            data: &[],
            starts_pes: false,
            pts: None,
            dts: None,
        };
        conversion.push(nothing, None, |frame| outlet.enqueue(frame));
        Self {
            conversion,
            resniff: None,
            failed_resniffs: 0,
            held,
        }
    }

    /// Say that packets are missing here.
    pub(super) fn lose(&mut self, lost: Lost) {
        self.conversion.lose(lost);
        if let Some(sniffer) = &mut self.resniff {
            sniffer.lose();
        }
    }

    /// Queue what is still in the encoder.
    pub(super) fn finish(&mut self, outlet: &mut Outlet) {
        self.conversion.finish(|frame| outlet.enqueue(frame));
    }

    /// Take the next of the elementary stream and queue the frames that are ready.
    pub(super) fn push(
        &mut self,
        chunk: EsChunk<'_>,
        arrival: Option<Arrival>,
        punctuality: &mut Punctuality,
        outlet: &mut Outlet,
    ) -> Outcome {
        self.conversion.push(chunk, arrival, |frame| {
            if !frame.time.is_expendable {
                punctuality.observe(frame.time.pts, arrival);
            }
            outlet.enqueue(frame);
        });
        if self.conversion.is_hopeless() {
            return Outcome::Undecodable;
        }
        if self.conversion.unrecognised_bytes() < RESNIFF_AFTER_BYTES {
            self.resniff = None;
            self.failed_resniffs = 0;
            return Outcome::GoesOn;
        }
        self.resniff(chunk, outlet)
    }

    /// Look for another coding.
    fn resniff(&mut self, chunk: EsChunk<'_>, outlet: &mut Outlet) -> Outcome {
        let mut sniffer = self.resniff.take().unwrap_or_else(|| Sniffer::new(None));
        sniffer.push(chunk.data, chunk.pts);
        match sniffer.verdict() {
            Verdict::NeedMore => self.resniff = Some(sniffer),
            Verdict::Found(Codec::AacAdts) => return Outcome::FoundAac,
            Verdict::Found(_) => {
                if let Some(framer) = sniffer.into_framer() {
                    self.conversion
                        .replace_source(framer, |frame| outlet.enqueue(frame));
                }
            }
            Verdict::Unknown => {
                self.failed_resniffs += 1;
                if self.failed_resniffs >= MAX_RESNIFFS {
                    let looks_scrambled = sniffer.looks_scrambled();
                    return Outcome::FoundNothing { looks_scrambled };
                }
            }
        }
        Outcome::GoesOn
    }
}
