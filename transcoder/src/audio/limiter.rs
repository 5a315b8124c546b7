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

/// Limits one row of samples.
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
    /// A limiter for samples of `channels` channels, which is at rest.
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

    /// How many samples of each channel later than put in a sample comes out.
    pub fn delay_samples(&self) -> u32 {
        self.window as u32 - 1
    }

    /// Takes interleaved samples, full scale being 1, and appends as many to `output`.
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

    /// Takes the gain that the next sample needs, and gives that of the sample that leaves.
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

/// The gain that brings a sample of all channels down to the ceiling.
fn needed_gain(frame: &[f32]) -> u32 {
    let peak = frame.iter().fold(0.0, |peak: f32, s| peak.max(s.abs()));
    if peak > CEILING {
        (CEILING / peak * UNITY as f32) as u32
    } else {
        UNITY
    }
}

/// The nearest value of 16 bits, as swresample rounds: ties to the even one. What is no
/// number becomes silence.
fn quantised(sample: f32) -> i16 {
    // Added to a small number, it leaves no bits behind the point.
    const ROUNDER: f32 = 12_582_912.0;
    let sample = if sample.is_nan() { 0.0 } else { sample };
    let scaled = (sample * FULL_SCALE).clamp(-FULL_SCALE, FULL_SCALE - 1.0);
    // Wrapping, which never happens, lets many samples be rounded at once.
    (scaled + ROUNDER).to_bits().wrapping_sub(ROUNDER.to_bits()) as i16
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    const RATE_HZ: u32 = 48_000;

    /// All of a signal, without the delay.
    fn limited(channels: u8, signal: &[f32]) -> Vec<i16> {
        let mut limiter = Limiter::new(RATE_HZ, channels);
        through(&mut limiter, signal, true)
    }

    fn through(limiter: &mut Limiter, signal: &[f32], limits: bool) -> Vec<i16> {
        let mut output = Vec::new();
        limiter.push(signal, limits, &mut output);
        let delay = limiter.delay_samples() as usize * limiter.channels;
        limiter.push(&vec![0.0; delay], limits, &mut output);
        output.split_off(delay)
    }

    fn sine(amplitude: f32, hz: f32, seconds: f32) -> Vec<f32> {
        (0..(seconds * RATE_HZ as f32) as usize)
            .map(|n| amplitude * (TAU * hz * (n as f32 / RATE_HZ as f32)).sin())
            .collect()
    }

    fn plain(signal: &[f32]) -> Vec<i16> {
        let rounded = signal.iter().map(|s| (s * FULL_SCALE).round_ties_even());
        rounded.map(|s| s as i16).collect()
    }

    #[test]
    fn what_does_not_exceed_the_ceiling_is_left_as_it_is() {
        let signal = sine(CEILING, 997.0, 0.3);
        assert_eq!(limited(1, &signal), plain(&signal));
    }

    #[test]
    fn unlimited_samples_are_cut_off_at_full_scale_and_nothing_else() {
        let signal = sine(1.4, 997.0, 0.3);
        let mut limiter = Limiter::new(RATE_HZ, 1);
        assert_eq!(through(&mut limiter, &signal, false), plain(&signal));
    }

    #[test]
    fn rounding_is_to_the_nearest_and_no_number_is_too_large() {
        for (sample, expected) in [
            (0.5 / FULL_SCALE, 0),
            (1.5 / FULL_SCALE, 2),
            (-0.5 / FULL_SCALE, 0),
            (-1.6 / FULL_SCALE, -2),
            (1.0, i16::MAX),
            (-1.0, i16::MIN),
            (f32::MAX, i16::MAX),
            (f32::INFINITY, i16::MAX),
            (f32::NEG_INFINITY, i16::MIN),
        ] {
            assert_eq!(quantised(sample), expected, "{sample}");
        }
        let mut limiter = Limiter::new(RATE_HZ, 2);
        let hostile = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX];
        through(&mut limiter, &hostile.repeat(500), true);
        let signal = sine(0.5, 997.0, 4.0);
        let after = through(&mut limiter, &signal, true);
        assert_eq!(after[180_000..], plain(&signal)[180_000..]);
    }

    #[test]
    fn a_loud_tone_comes_out_at_the_ceiling_and_undistorted() {
        let output = limited(1, &sine(2.4, 1_000.0, 1.0));
        // Half a second: whole periods.
        let settled = &output[19_200..43_200];
        let (mut re, mut im, mut power) = (0.0, 0.0, 0.0);
        for (n, &sample) in settled.iter().enumerate() {
            let angle = std::f64::consts::TAU * n as f64 / 48.0;
            re += f64::from(sample) * angle.cos();
            im += f64::from(sample) * angle.sin();
            power += f64::from(sample).powi(2);
        }
        let count = settled.len() as f64;
        let amplitude = re.hypot(im) * 2.0 / count;
        let level = amplitude / f64::from(CEILING * FULL_SCALE);
        assert!((level - 1.0).abs() < 0.02, "{level}");
        let tone = amplitude.powi(2) / 2.0 * count;
        let dirt_db = 10.0 * ((power - tone).max(1e-9) / tone).log10();
        assert!(dirt_db < -45.0, "{dirt_db:.1} dB");
    }

    #[test]
    fn the_gain_moves_without_a_step() {
        // A constant shows the gain itself.
        let mut signal = vec![0.5; 9_600];
        signal[4_800] = 3.0;
        let output = limited(1, &signal);
        let attack = output[4_500..4_800].windows(2);
        let release = output[4_801..].windows(2);
        for pair in attack.chain(release) {
            assert!(pair[0].abs_diff(pair[1]) < 100, "{pair:?}");
        }
        let ceiling = (CEILING * FULL_SCALE) as i16;
        assert!((ceiling - 1..=ceiling + 1).contains(&output[4_800]));
        assert_eq!(output[4_800 - 240], 16_384);
        assert!(output[4_799] < 5_200);
        assert!(*output.last().expect("samples") > 10_000);
    }

    #[test]
    fn a_gain_of_one_comes_back_whole() {
        let mut signal = sine(0.5, 440.0, 3.0);
        signal[100] = 5.0;
        let output = limited(1, &signal);
        assert_eq!(output[130_000..], plain(&signal)[130_000..]);
        assert_ne!(output[4_800..9_600], plain(&signal)[4_800..9_600]);
    }

    #[test]
    fn all_channels_have_one_gain() {
        let loud = sine(2.0, 400.0, 0.5);
        let both: Vec<f32> = loud.iter().flat_map(|&s| [s, s / 4.0]).collect();
        for pair in limited(2, &both).chunks_exact(2) {
            assert!(
                (i32::from(pair[0]) - 4 * i32::from(pair[1])).abs() <= 3,
                "{pair:?}"
            );
        }
    }

    #[test]
    fn where_mixed_and_unmixed_sound_meet_the_gain_has_no_step() {
        let mut limiter = Limiter::new(RATE_HZ, 1);
        let mut output = Vec::new();
        limiter.push(&vec![2.0; 4_800], true, &mut output);
        limiter.push(&vec![0.5; 48_000], false, &mut output);
        let seam = 4_800 + limiter.delay_samples() as usize;
        for pair in output[seam..].windows(2) {
            assert!(pair[0].abs_diff(pair[1]) < 100, "{pair:?}");
        }
        assert!(output[seam] < 8_000);
        assert_eq!(output[seam + 40_000], 16_384);
    }

    fn loud_signal() -> impl Strategy<Value = Vec<f32>> {
        let piece = (-4.0f32..4.0, 1usize..700);
        prop::collection::vec(piece, 1..30).prop_map(|pieces| {
            pieces
                .into_iter()
                .flat_map(|(level, count)| {
                    (0..2 * count).map(move |n| level * ((n * n % 17) as f32 / 16.0))
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn no_limited_sample_is_beyond_the_ceiling(signal in loud_signal()) {
            let ceiling = (CEILING * FULL_SCALE).round() as u16;
            for sample in limited(2, &signal) {
                prop_assert!(sample.unsigned_abs() <= ceiling, "{}", sample);
            }
        }

        #[test]
        fn pieces_of_any_size_give_the_same(
            signal in loud_signal(),
            sizes in prop::collection::vec(1usize..900, 1..20),
        ) {
            let mut limiter = Limiter::new(RATE_HZ, 2);
            let mut whole = Vec::new();
            limiter.push(&signal, true, &mut whole);
            let mut limiter = Limiter::new(RATE_HZ, 2);
            let (mut pieces, mut rest) = (Vec::new(), signal.as_slice());
            for size in sizes.iter().cycle() {
                let (piece, others) = rest.split_at((2 * size).min(rest.len()));
                limiter.push(piece, true, &mut pieces);
                rest = others;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(pieces, whole);
        }
    }
}
