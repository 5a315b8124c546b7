//! One elementary stream in, AAC frames with their times out.

use super::access_unit::{AccessUnit, Lost};
use super::arrival::{Arrival, UnitFacts};
use super::codec::Codec;
use super::counts::Counts;
use super::framer::Framer;
use super::heard::{Heard, Joint};
use super::native::Decoder;
use super::output::{AacFrame, Output};
use super::pcm::{OutputFormat, Pcm};
use super::position::Duration;
use super::source_clock::SourceClock;
use crate::DualMono;
use crate::ts::clock::Timestamp;
use crate::ts::pes::EsChunk;

/// Access units that may fail before the first success until the stream counts as
/// one that cannot be decoded: about a second.
const HOPELESS_AFTER_UNITS: u64 = 40;

/// The decoder and the encoder of an elementary stream that becomes AAC-LC.
#[derive(Debug)]
pub(crate) struct Conversion {
    format: OutputFormat,
    bitrate_bps: u32,
    framer: Framer,
    decoder: Option<(Form, Decoder)>,
    pcm: Pcm,
    clock: SourceClock,
    /// Sound of which it is not known yet when it is heard: at most the half second
    /// that the clock waits.
    held: Vec<HeldSound>,
    output: Option<Output>,
    counts: Counts,
}

/// Coding and sample rate. When they change, a new decoder is needed: the old one would
/// report the old rate for the first samples.
type Form = (Codec, Option<u32>);

/// Decoded sound that waits for its time.
#[derive(Debug)]
struct HeldSound {
    pcm: Pcm,
    position_90k: i64,
    joint: Joint,
}

impl Conversion {
    pub(crate) fn new(framer: Framer, format: OutputFormat, bitrate_bps: u32) -> Self {
        Self {
            format,
            bitrate_bps,
            framer,
            decoder: None,
            pcm: Pcm::default(),
            clock: SourceClock::default(),
            held: Vec::new(),
            output: None,
            counts: Counts::default(),
        }
    }

    /// Take the bytes of the elementary stream that the next packet holds. `arrival` is
    /// when it came by the program's clock, where that runs.
    pub(crate) fn push(
        &mut self,
        chunk: EsChunk<'_>,
        arrival: Option<Arrival>,
        mut sink: impl FnMut(AacFrame<'_>),
    ) {
        self.clock.observe_packet(chunk.data.len());
        self.framer.push(chunk.data, chunk.pts);
        self.convert(arrival, &mut sink);
    }

    /// Note that packets of the elementary stream are missing here.
    pub(crate) fn lose(&mut self, lost: Lost) {
        self.framer.lose(lost);
    }

    /// Return when the first AAC frame is heard that holds sound and waits for more of it.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.output.as_ref()?.next_due()
    }

    /// Return whether that sound waits in vain: the next unit is not there when it should
    /// be.
    pub(crate) fn misses_a_unit(&self, now: Arrival) -> bool {
        self.clock.misses_a_unit(now)
    }

    /// Give out the sound that waits in the encoder for more to come.
    pub(crate) fn push_out(&mut self, mut sink: impl FnMut(AacFrame<'_>)) {
        if let Some(output) = &mut self.output {
            output.push_out(&mut self.counts, &mut sink);
        }
    }

    /// Go on with another elementary stream, in time with the one before.
    pub(crate) fn replace_source(&mut self, framer: Framer, mut sink: impl FnMut(AacFrame<'_>)) {
        self.framer = framer;
        self.decoder = None;
        self.clock = SourceClock::default();
        self.held.clear();
        self.convert(None, &mut sink);
    }

    /// Choose what is heard of a dual mono source from now on.
    pub(crate) fn hear(&mut self, dual_mono: DualMono) {
        self.format.dual_mono = dual_mono;
        if let Some((_, decoder)) = &mut self.decoder {
            decoder.hear(dual_mono);
        }
    }

    /// End the stream: output the frames that are still in the encoder.
    pub(crate) fn finish(&mut self, mut sink: impl FnMut(AacFrame<'_>)) {
        self.framer.flush();
        self.convert(None, &mut sink);
        self.clock.wait_no_longer();
        self.give_held(&mut sink);
        if let Some(mut output) = self.output.take() {
            output.flush(&mut self.counts, &mut sink);
        }
    }

    /// Return how many bytes there were since the last access unit without a header among
    /// them.
    pub(crate) fn unrecognised_bytes(&self) -> usize {
        self.framer.unrecognised_bytes()
    }

    /// Return whether access units arrive and none could ever be decoded.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.counts.frames_decoded == 0 && self.counts.decode_errors >= HOPELESS_AFTER_UNITS
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    fn convert(&mut self, arrival: Option<Arrival>, sink: &mut impl FnMut(AacFrame<'_>)) {
        while let Some(unit) = self.framer.next_unit() {
            self.counts.codec = Some(unit.codec);
            if unit.lost.is_some() {
                self.counts.decode_errors += 1;
            }
            let heard = self.clock.place(UnitFacts {
                pts: unit.pts,
                codec: unit.codec,
                sample_rate_hz: unit.header.sample_rate_hz,
                bytes: unit.data.len(),
                skipped_bytes: unit.skipped_bytes,
                lost: unit.lost,
                arrival,
            });
            match decode(&mut self.decoder, self.format, &unit, &mut self.pcm) {
                Ok(()) => self.counts.frames_decoded += 1,
                Err(()) => self.counts.decode_errors += 1,
            }
            self.clock.advance(unit_duration(&unit, &self.pcm));
            if self.pcm.samples.is_empty() {
                continue;
            }
            match heard {
                Heard::Later {
                    position_90k,
                    joint,
                } => self.held.push(HeldSound {
                    pcm: std::mem::take(&mut self.pcm),
                    position_90k,
                    joint,
                }),
                Heard::At { time, joint } => {
                    self.give_held(sink);
                    let pcm = std::mem::take(&mut self.pcm);
                    self.feed(&pcm, time, joint, sink);
                    self.pcm = pcm;
                }
            }
        }
    }

    /// Give the encoder what waited, now that its time is known.
    fn give_held(&mut self, sink: &mut impl FnMut(AacFrame<'_>)) {
        for held in std::mem::take(&mut self.held) {
            if let Some(time) = self.clock.time_of(held.position_90k) {
                self.feed(&held.pcm, time, held.joint, sink);
            }
        }
    }

    /// Put decoded samples at their place; begin a new encoder where rate or channels have
    /// changed.
    fn feed(
        &mut self,
        pcm: &Pcm,
        time: Timestamp,
        joint: Joint,
        sink: &mut impl FnMut(AacFrame<'_>),
    ) {
        if !self.output.as_ref().is_some_and(|output| output.takes(pcm)) {
            if let Some(mut old) = self.output.take() {
                old.flush(&mut self.counts, sink);
            }
            match Output::new(pcm, time, self.bitrate_bps) {
                Ok(output) => self.output = Some(output),
                Err(_) => self.counts.decode_errors += 1,
            }
        }
        if let Some(output) = &mut self.output {
            output.place(pcm, time, joint, &mut self.counts, sink);
        }
    }
}

/// Return the length of an access unit by the decoder, or by its header when nothing was
/// decoded.
fn unit_duration(unit: &AccessUnit<'_>, pcm: &Pcm) -> Option<Duration> {
    let (samples, sample_rate_hz) = if pcm.source_samples > 0 {
        (pcm.source_samples, pcm.source_sample_rate_hz)
    } else {
        unit.header.samples.zip(unit.header.sample_rate_hz)?
    };
    Some(Duration {
        samples,
        sample_rate_hz,
    })
}

/// Decode a unit, with a new decoder where the coding has changed.
fn decode(
    decoder: &mut Option<(Form, Decoder)>,
    format: OutputFormat,
    unit: &AccessUnit<'_>,
    pcm: &mut Pcm,
) -> Result<(), ()> {
    *pcm = Pcm {
        samples: std::mem::take(&mut pcm.samples),
        ..Pcm::default()
    };
    pcm.samples.clear();
    let form = (unit.codec, unit.header.sample_rate_hz);
    if decoder.as_ref().is_none_or(|(old, _)| *old != form) {
        *decoder = Decoder::new(unit.codec, format).ok().map(|new| (form, new));
    }
    let (_, decoder) = decoder.as_mut().ok_or(())?;
    decoder.decode(unit.data, pcm).map_err(|_| ())
}
