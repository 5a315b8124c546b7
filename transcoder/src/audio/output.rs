//! Decoded samples in, AAC frames with their times out.

use super::counts::Counts;
use super::heard::Joint;
use super::limiter::Limiter;
use super::native::Encoder;
use super::pcm::Pcm;
use super::seam::Seam;
use super::timeline::{FRAME_SAMPLES, FrameTime, Placement, Timeline};
use crate::Error;
use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};

/// An AAC frame in ADTS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AacFrame<'a> {
    pub(crate) time: FrameTime,
    pub(crate) adts: &'a [u8],
}

/// An encoder and the timeline of what it was given.
#[derive(Debug)]
pub(super) struct Output {
    sample_rate_hz: u32,
    channels: u8,
    encoder: Encoder,
    timeline: Timeline,
    seam: Seam,
    /// Silence behind the last sound: it is a hole only when more sound follows.
    trailing_silence: u64,
    limiter: Limiter,
    /// Whether the last samples were mixed, and so may exceed full scale.
    is_mixed: bool,
    /// Interleaved samples behind the limiter, short of a frame.
    pending: Vec<i16>,
    adts: Vec<u8>,
}

impl Output {
    /// Make an output for sound of this rate and these channels, the first of which is
    /// heard at `time`. Fail where no encoder takes them.
    pub(super) fn new(pcm: &Pcm, time: Timestamp, bitrate_bps: u32) -> Result<Self, Error> {
        let encoder = Encoder::new(pcm.sample_rate_hz, pcm.channels, bitrate_bps)?;
        let limiter = Limiter::new(pcm.sample_rate_hz, pcm.channels);
        let delay = encoder.delay_samples() + limiter.delay_samples();
        let start = time.offset(-leading_90k(pcm));
        Ok(Self {
            sample_rate_hz: pcm.sample_rate_hz,
            channels: pcm.channels,
            timeline: Timeline::new(pcm.sample_rate_hz, delay, start),
            encoder,
            seam: Seam::new(pcm.sample_rate_hz, pcm.channels),
            trailing_silence: 0,
            limiter,
            is_mixed: pcm.is_mixed,
            pending: Vec::new(),
            adts: Vec::new(),
        })
    }

    /// Return whether it is for sound of this form.
    pub(super) fn takes(&self, pcm: &Pcm) -> bool {
        (self.sample_rate_hz, self.channels) == (pcm.sample_rate_hz, pcm.channels)
    }

    /// Put the samples of an access unit that is heard at `time` at their place. Where they
    /// do not join smoothly what came before, they are led in without a click.
    pub(super) fn place(
        &mut self,
        pcm: &Pcm,
        time: Timestamp,
        joint: Joint,
        counts: &mut Counts,
        sink: &mut impl FnMut(AacFrame<'_>),
    ) {
        let channels = usize::from(self.channels);
        let (mut samples, mut start) = (pcm.samples.as_slice(), time.offset(-leading_90k(pcm)));
        self.is_mixed = pcm.is_mixed;
        let silent_samples = std::mem::take(&mut self.trailing_silence);
        counts.silence_ms += silent_samples * 1000 / u64::from(self.sample_rate_hz);
        let mut is_cut = joint != Joint::Smooth && self.timeline.has_begun();
        if is_cut {
            // What a filter had kept back still belongs to the sound before.
            let leading = (pcm.leading_samples as usize * channels).min(samples.len());
            self.append(&samples[..leading], counts, sink);
            (samples, start) = (&samples[leading..], time);
        }
        match self.timeline.place(start, joint) {
            Placement::Follow => {}
            Placement::FillThenFollow { silent_samples } => {
                counts.silence_ms += silent_samples * 1000 / u64::from(self.sample_rate_hz);
                self.fill(silent_samples, samples, counts, sink);
                is_cut = false;
            }
            Placement::Trim { samples: count } => {
                samples = samples.get(count as usize * channels..).unwrap_or(&[]);
                is_cut = true;
            }
            Placement::Rebase { silent_samples } => {
                self.fill(silent_samples, &[], counts, sink);
                is_cut = true;
            }
        }
        if is_cut {
            let mut crossed = samples.to_vec();
            self.seam.cross(&mut crossed);
            self.append(&crossed, counts, sink);
        } else {
            self.append(samples, counts, sink);
        }
    }

    /// Push out what the encoder still holds, behind silence.
    pub(super) fn flush(&mut self, counts: &mut Counts, sink: &mut impl FnMut(AacFrame<'_>)) {
        let frames = self.timeline.frames_in_flight() as usize;
        let missing = (frames * self.frame_values()).saturating_sub(self.pending.len());
        let hole = missing / usize::from(self.channels);
        self.fill(hole as u64, &[], counts, sink);
    }

    /// Feed a hole, out of which `next` will lead.
    fn fill(
        &mut self,
        samples: u64,
        next: &[f32],
        counts: &mut Counts,
        sink: &mut impl FnMut(AacFrame<'_>),
    ) {
        let mut hole: Vec<f32> = Vec::new();
        self.seam.fill(samples as usize, next, &mut hole);
        self.timeline.feed_silence(samples);
        self.encode(&hole, counts, sink);
    }

    /// Return when the first incomplete AAC frame with sound is heard.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.timeline.next_due()
    }

    /// Push the sound out of the encoder that waits there for more to come, behind silence.
    pub(super) fn push_out(&mut self, counts: &mut Counts, sink: &mut impl FnMut(AacFrame<'_>)) {
        let samples = self.timeline.frames_holding_sound() * FRAME_SAMPLES;
        let pending = self.pending.len() / usize::from(self.channels);
        let silent_samples = samples.saturating_sub(pending as u64);
        self.trailing_silence += silent_samples;
        self.fill(silent_samples, &[], counts, sink);
    }

    fn append(
        &mut self,
        samples: &[f32],
        counts: &mut Counts,
        sink: &mut impl FnMut(AacFrame<'_>),
    ) {
        self.timeline
            .feed((samples.len() / usize::from(self.channels)) as u64);
        self.encode(samples, counts, sink);
    }

    fn encode(
        &mut self,
        samples: &[f32],
        counts: &mut Counts,
        sink: &mut impl FnMut(AacFrame<'_>),
    ) {
        self.seam.note(samples);
        self.limiter.push(samples, self.is_mixed, &mut self.pending);
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

/// Return how much of the samples is heard before the access unit's own time.
fn leading_90k(pcm: &Pcm) -> i64 {
    i64::from(pcm.leading_samples) * TICKS_PER_SECOND / i64::from(pcm.sample_rate_hz.max(1))
}
