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
