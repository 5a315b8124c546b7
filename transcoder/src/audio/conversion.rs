//! One elementary stream in, AAC frames with their times out.

use super::Codec;
use super::access_unit::{AccessUnit, Framer};
use super::limiter::Limiter;
use super::native::{Decoder, Encoder, OutputFormat, Pcm};
use super::timeline::{FRAME_SAMPLES, FrameTime, Placement, Timeline};
use crate::DualMono;
use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};
use crate::ts::pes::EsChunk;

/// Access units that may fail before the first success until the stream counts as
/// one that cannot be decoded: about a second.
const HOPELESS_AFTER_UNITS: u64 = 40;

/// Decodes an elementary stream and encodes it as AAC-LC.
#[derive(Debug)]
pub(crate) struct Conversion {
    format: OutputFormat,
    bitrate_bps: u32,
    framer: Framer,
    decoder: Option<(Codec, Decoder)>,
    pcm: Pcm,
    clock: Option<SourceClock>,
    output: Option<Output>,
    counts: Counts,
}

/// What a conversion did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) codec: Option<Codec>,
    pub(crate) frames_decoded: u64,
    pub(crate) frames_encoded: u64,
    pub(crate) decode_errors: u64,
    pub(crate) silence_ms: u64,
}

impl Counts {
    /// Adds what another conversion of the same stream did before.
    pub(crate) fn add(&mut self, earlier: &Self) {
        self.codec = self.codec.or(earlier.codec);
        self.frames_decoded += earlier.frames_decoded;
        self.frames_encoded += earlier.frames_encoded;
        self.decode_errors += earlier.decode_errors;
        self.silence_ms += earlier.silence_ms;
    }
}

/// An AAC frame in ADTS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AacFrame<'a> {
    pub(crate) time: FrameTime,
    pub(crate) adts: &'a [u8],
}

impl Conversion {
    pub(crate) fn new(framer: Framer, format: OutputFormat, bitrate_bps: u32) -> Self {
        Self {
            format,
            bitrate_bps,
            framer,
            decoder: None,
            pcm: Pcm::default(),
            clock: None,
            output: None,
            counts: Counts::default(),
        }
    }

    /// Takes the next bytes of the elementary stream.
    pub(crate) fn push(&mut self, chunk: EsChunk<'_>, mut sink: impl FnMut(AacFrame<'_>)) {
        self.framer.push(chunk.data, chunk.pts);
        self.convert(&mut sink);
    }

    /// Bytes of the elementary stream are missing here.
    pub(crate) fn lose(&mut self) {
        self.framer.lose();
    }

    /// Goes on with another elementary stream, in time with the one before.
    pub(crate) fn replace_source(&mut self, framer: Framer, mut sink: impl FnMut(AacFrame<'_>)) {
        self.framer = framer;
        self.decoder = None;
        self.clock = None;
        self.convert(&mut sink);
    }

    /// Chooses what is heard of a dual mono source from now on.
    pub(crate) fn hear(&mut self, dual_mono: DualMono) {
        self.format.dual_mono = dual_mono;
        if let Some((_, decoder)) = &mut self.decoder {
            decoder.hear(dual_mono);
        }
    }

    /// Ends the stream: gives out what is still in the encoder.
    pub(crate) fn finish(&mut self, mut sink: impl FnMut(AacFrame<'_>)) {
        self.framer.flush();
        self.convert(&mut sink);
        if let Some(mut output) = self.output.take() {
            output.flush(&mut self.counts, &mut sink);
        }
    }

    /// Bytes since the last access unit without a header among them.
    pub(crate) fn unrecognised_bytes(&self) -> usize {
        self.framer.unrecognised_bytes()
    }

    /// Whether access units arrive and none could ever be decoded.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.counts.frames_decoded == 0 && self.counts.decode_errors >= HOPELESS_AFTER_UNITS
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    fn convert(&mut self, sink: &mut impl FnMut(AacFrame<'_>)) {
        while let Some(unit) = self.framer.next_unit() {
            self.counts.codec = Some(unit.codec);
            if unit.after_loss {
                self.counts.decode_errors += 1;
            }
            match (unit.pts, unit.after_loss) {
                (Some(pts), _) => self.clock = Some(SourceClock::at(pts)),
                // How much is missing is not known before the next PTS.
                (None, true) => self.clock = None,
                (None, false) => {}
            }
            let pts = self.clock.as_ref().map(SourceClock::now);
            match decode(&mut self.decoder, self.format, &unit, &mut self.pcm) {
                Ok(()) => self.counts.frames_decoded += 1,
                Err(()) => self.counts.decode_errors += 1,
            }
            self.clock = self
                .clock
                .take()
                .and_then(|clock| clock.after(unit_duration(&unit, &self.pcm)));
            if let Some(pts) = pts
                && !self.pcm.samples.is_empty()
            {
                feed(
                    &mut self.output,
                    self.bitrate_bps,
                    &self.pcm,
                    pts,
                    &mut self.counts,
                    sink,
                );
            }
        }
    }
}

/// Where the source's own PTS have come to.
#[derive(Debug)]
struct SourceClock {
    /// The last PTS that the source gave.
    origin: Timestamp,
    /// Samples since, and their rate.
    samples: u64,
    sample_rate_hz: u32,
}

impl SourceClock {
    fn at(pts: Timestamp) -> Self {
        Self {
            origin: pts,
            samples: 0,
            sample_rate_hz: 1,
        }
    }

    fn now(&self) -> Timestamp {
        let ticks = self.samples as i64 * TICKS_PER_SECOND / i64::from(self.sample_rate_hz);
        self.origin.offset(ticks)
    }

    /// The clock behind an access unit; none when the unit's length is not known.
    fn after(self, duration: Option<(u32, u32)>) -> Option<Self> {
        let (samples, sample_rate_hz) = duration.filter(|&(_, rate)| rate > 0)?;
        Some(if self.sample_rate_hz == sample_rate_hz {
            Self {
                samples: self.samples + u64::from(samples),
                ..self
            }
        } else {
            Self {
                origin: self.now(),
                samples: samples.into(),
                sample_rate_hz,
            }
        })
    }
}

/// Samples per channel of an access unit and their rate: the decoder's word, or the
/// header's when nothing was decoded.
fn unit_duration(unit: &AccessUnit<'_>, pcm: &Pcm) -> Option<(u32, u32)> {
    if pcm.source_samples > 0 {
        return Some((pcm.source_samples, pcm.source_sample_rate_hz));
    }
    unit.header.samples.zip(unit.header.sample_rate_hz)
}

/// Decodes a unit, with a new decoder where the coding has changed.
fn decode(
    decoder: &mut Option<(Codec, Decoder)>,
    format: OutputFormat,
    unit: &AccessUnit<'_>,
    pcm: &mut Pcm,
) -> Result<(), ()> {
    *pcm = Pcm {
        samples: std::mem::take(&mut pcm.samples),
        ..Pcm::default()
    };
    pcm.samples.clear();
    if decoder
        .as_ref()
        .is_none_or(|(codec, _)| *codec != unit.codec)
    {
        *decoder = Decoder::new(unit.codec, format)
            .ok()
            .map(|new| (unit.codec, new));
    } else if unit.after_loss
        && let Some((_, decoder)) = decoder
    {
        decoder.reset();
    }
    let (_, decoder) = decoder.as_mut().ok_or(())?;
    decoder.decode(unit.data, pcm).map_err(|_| ())
}

/// An encoder and the timeline of what it was given.
#[derive(Debug)]
struct Output {
    sample_rate_hz: u32,
    channels: u8,
    encoder: Encoder,
    timeline: Timeline,
    limiter: Limiter,
    /// Interleaved samples behind the limiter, short of a frame.
    pending: Vec<i16>,
    adts: Vec<u8>,
}

/// Puts decoded samples at their place; begins a new encoder where rate or channels
/// have changed.
fn feed(
    output: &mut Option<Output>,
    bitrate_bps: u32,
    pcm: &Pcm,
    pts: Timestamp,
    counts: &mut Counts,
    sink: &mut impl FnMut(AacFrame<'_>),
) {
    let leading = i64::from(pcm.leading_samples) * TICKS_PER_SECOND;
    let start = pts.offset(-leading / i64::from(pcm.sample_rate_hz.max(1)));
    let same = |o: &Output| (o.sample_rate_hz, o.channels) == (pcm.sample_rate_hz, pcm.channels);
    if !output.as_ref().is_some_and(same) {
        if let Some(mut old) = output.take() {
            old.flush(counts, sink);
        }
        let Ok(encoder) = Encoder::new(pcm.sample_rate_hz, pcm.channels, bitrate_bps) else {
            counts.decode_errors += 1;
            return;
        };
        let limiter = Limiter::new(pcm.sample_rate_hz, pcm.channels);
        let delay = encoder.delay_samples() + limiter.delay_samples();
        let timeline = Timeline::new(pcm.sample_rate_hz, delay, start);
        *output = Some(Output {
            sample_rate_hz: pcm.sample_rate_hz,
            channels: pcm.channels,
            encoder,
            timeline,
            limiter,
            pending: Vec::new(),
            adts: Vec::new(),
        });
    }
    if let Some(output) = output {
        output.place(pcm, start, counts, sink);
    }
}

impl Output {
    fn place(
        &mut self,
        pcm: &Pcm,
        start: Timestamp,
        counts: &mut Counts,
        sink: &mut impl FnMut(AacFrame<'_>),
    ) {
        let mut kept = pcm.samples.as_slice();
        match self.timeline.place(start) {
            Placement::Follow => {}
            Placement::FillThenFollow { silent_samples } => {
                counts.silence_ms += silent_samples * 1000 / u64::from(self.sample_rate_hz);
                self.feed_silence(silent_samples, counts, sink);
            }
            Placement::Trim { samples: count } => {
                let skipped = count as usize * usize::from(self.channels);
                kept = kept.get(skipped..).unwrap_or(&[]);
            }
            Placement::Rebase { silent_samples } => {
                self.feed_silence(silent_samples, counts, sink);
            }
        }
        self.limiter.push(kept, pcm.is_mixed, &mut self.pending);
        self.timeline
            .feed((kept.len() / usize::from(self.channels)) as u64);
        self.encode_whole_frames(counts, sink);
    }

    fn feed_silence(
        &mut self,
        samples: u64,
        counts: &mut Counts,
        sink: &mut impl FnMut(AacFrame<'_>),
    ) {
        let silence = vec![0.0; samples as usize * usize::from(self.channels)];
        self.limiter.push(&silence, false, &mut self.pending);
        self.timeline.feed(samples);
        self.encode_whole_frames(counts, sink);
    }

    /// Pushes out what the encoder still holds, behind silence.
    fn flush(&mut self, counts: &mut Counts, sink: &mut impl FnMut(AacFrame<'_>)) {
        let values = self.timeline.frames_in_flight() as usize * self.frame_values();
        let silence = vec![0.0; values.saturating_sub(self.pending.len())];
        self.limiter.push(&silence, false, &mut self.pending);
        self.encode_whole_frames(counts, sink);
    }

    fn encode_whole_frames(&mut self, counts: &mut Counts, sink: &mut impl FnMut(AacFrame<'_>)) {
        let frame_values = self.frame_values();
        let mut done = 0;
        for frame in self.pending.chunks_exact(frame_values) {
            done += frame_values;
            self.adts.clear();
            match self.encoder.encode(frame, &mut self.adts) {
                Ok(0) => {}
                Ok(_) => {
                    counts.frames_encoded += 1;
                    if let Some(time) = self.timeline.next_frame() {
                        sink(AacFrame {
                            time,
                            adts: &self.adts,
                        });
                    }
                }
                Err(_) => counts.decode_errors += 1,
            }
        }
        self.pending.drain(..done);
    }

    fn frame_values(&self) -> usize {
        FRAME_SAMPLES as usize * usize::from(self.channels)
    }
}
