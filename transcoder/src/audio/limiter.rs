//! A look-ahead peak limiter: mixed channels may exceed full scale, samples of 16 bits
//! cannot.
//!
//! ```text
//!            .-> needed gain -> lowest of the window -> release -> mean of the window -.
//! samples ---+                                                                         x --> 16 bits
//!            '-> delay of the window --------------------------------------------------'
//! ```
//!
//! The lowest gain of a window is held as long as the mean over the same window needs to
//! come down to it, so the gain has reached its place when the peak leaves the delay line,
//! and has moved in a straight line. One gain serves all channels, so that sounds stay
//! where they are between the loudspeakers.
//!
//! Gains are integers, so that sums are exact: a gain of 1 is 1 again after any peak, and
//! leaves every sample as it is.

use std::collections::VecDeque;

/// Peak of limited samples, relative to full scale: -1 dB. What AAC adds to a peak stays
/// below -0.3 dB.
pub const CEILING: f32 = 0.891_250_9;

/// How long a peak is known before it is heard, as a part of a second: 5 ms.
const LOOK_AHEADS_PER_SECOND: u32 = 200;

/// Time constant of the release, as a part of a second: 100 ms.
const RELEASES_PER_SECOND: u32 = 10;

/// A gain of 1. Gains are multiples of its inverse.
const UNITY: u32 = 1 << 24;

/// Full scale of 16 bits.
const FULL_SCALE: f32 = 32_768.0;

/// A limiter of one row of samples.
#[derive(Debug)]
pub struct Limiter {
    channels: usize,
    window: usize,
    release: u32,
    /// Samples that are not heard yet: `window - 1` of each channel.
    line: Vec<f32>,
    /// Number of the sample that comes next.
    next: u64,
    /// Gains below 1 that are needed in the window, each lower than those after it, with the
    /// samples' numbers.
    needed: VecDeque<(u64, u32)>,
    /// The gain behind the release.
    released: u32,
    /// The last `window` of those, oldest first, and their sum.
    gains: VecDeque<u32>,
    sum: u64,
}

impl Limiter {
    /// Make a limiter for samples of `channels` channels, which is at rest.
    pub fn new(sample_rate_hz: u32, channels: u8) -> Self {
        let channels = usize::from(channels.max(1));
        let window = (sample_rate_hz / LOOK_AHEADS_PER_SECOND).max(1) as usize;
        Self {
            channels,
            window,
            release: (sample_rate_hz / RELEASES_PER_SECOND).max(1),
            line: vec![0.0; (window - 1) * channels],
            next: 0,
            needed: VecDeque::new(),
            released: UNITY,
            gains: std::iter::repeat_n(UNITY, window).collect(),
            sum: window as u64 * u64::from(UNITY),
        }
    }

    /// Return the delay of the limiter, in samples of each channel.
    pub fn delay_samples(&self) -> u32 {
        self.window as u32 - 1
    }

    /// Take interleaved samples, full scale being 1, and append as many to `output`.
    ///
    /// With `limits` no sample of these comes out beyond [`CEILING`]. Without, they come out
    /// as they are, cut off at full scale, but for the release of a gain that samples before
    /// them needed.
    pub fn push(&mut self, samples: &[f32], limits: bool, output: &mut Vec<i16>) {
        let frames = samples.len() / self.channels;
        let values = frames * self.channels;
        self.line.extend_from_slice(&samples[..values]);
        if self.is_at_rest() && !(limits && exceeds_ceiling(samples)) {
            output.extend(self.line[..values].iter().map(|&s| quantised(s)));
            self.next += frames as u64;
        } else {
            for (index, frame) in samples.chunks_exact(self.channels).enumerate() {
                let needed = if limits { needed_gain(frame) } else { UNITY };
                let gain = self.advance(needed) as f32 / UNITY as f32;
                let heard = &self.line[index * self.channels..][..self.channels];
                output.extend(heard.iter().map(|&s| quantised(s * gain)));
            }
        }
        self.line.drain(..values);
    }

    fn is_at_rest(&self) -> bool {
        self.needed.is_empty() && self.sum == self.window as u64 * u64::from(UNITY)
    }

    /// Take the gain that the next sample needs, and give that of the sample that leaves.
    fn advance(&mut self, needed: u32) -> u32 {
        if needed < UNITY {
            while self.needed.back().is_some_and(|&(_, gain)| gain >= needed) {
                self.needed.pop_back();
            }
            self.needed.push_back((self.next, needed));
        }
        let oldest = (self.next + 1).saturating_sub(self.window as u64);
        if self.needed.front().is_some_and(|&(at, _)| at < oldest) {
            self.needed.pop_front();
        }
        self.next += 1;
        let lowest = self.needed.front().map_or(UNITY, |&(_, gain)| gain);
        let towards_unity = self.released + (UNITY - self.released).div_ceil(self.release);
        self.released = lowest.min(towards_unity);
        self.gains.push_back(self.released);
        self.sum += u64::from(self.released);
        self.sum -= u64::from(self.gains.pop_front().unwrap_or(UNITY));
        (self.sum / self.window as u64) as u32
    }
}

fn exceeds_ceiling(samples: &[f32]) -> bool {
    // Blocks without an early end: many samples are compared at once.
    let exceeds = |block: &[f32]| {
        block
            .iter()
            .fold(false, |found, s| found | (s.abs() > CEILING))
    };
    samples.chunks(256).any(exceeds)
}

/// Return the gain that brings a sample of all channels down to the ceiling.
fn needed_gain(frame: &[f32]) -> u32 {
    let peak = frame.iter().fold(0.0, |peak: f32, s| peak.max(s.abs()));
    if peak > CEILING {
        (CEILING / peak * UNITY as f32) as u32
    } else {
        UNITY
    }
}

/// Return the nearest value of 16 bits, as swresample rounds: ties to the even one. What is
/// no number becomes silence.
fn quantised(sample: f32) -> i16 {
    // Added to a small number, it leaves no bits behind the point.
    const ROUNDER: f32 = 12_582_912.0;
    let sample = if sample.is_nan() { 0.0 } else { sample };
    let scaled = (sample * FULL_SCALE).clamp(-FULL_SCALE, FULL_SCALE - 1.0);
    // Wrapping, which never happens, lets many samples be rounded at once.
    (scaled + ROUNDER).to_bits().wrapping_sub(ROUNDER.to_bits()) as i16
}

#[cfg(test)]
mod tests;
