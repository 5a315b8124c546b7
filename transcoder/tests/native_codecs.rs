//! What the codec libraries promise through `audio::native`, shown on elementary
//! streams that ffmpeg's encoders made (tests/codecs) and on our own encoder's.

use std::f64::consts::TAU;

use proptest::prelude::*;
use xg2g_transcoder::audio::Codec;
use xg2g_transcoder::audio::native::{Decoder, Encoder, MAX_AC3_UNIT_BYTES};
use xg2g_transcoder::audio::pcm::{DecodeError, OutputFormat, Pcm};
use xg2g_transcoder::{DualMono, ErrorKind};

const FRAME: usize = Encoder::FRAME_SAMPLES;
/// Of 16 bits.
const FULL_SCALE: f64 = 32_768.0;
const AS_SOURCE: OutputFormat = OutputFormat {
    sample_rate_hz: None,
    channels: None,
    dual_mono: DualMono::Both,
};
const STEREO: OutputFormat = OutputFormat {
    sample_rate_hz: None,
    channels: Some(2),
    dual_mono: DualMono::Both,
};

/// An elementary stream of tests/codecs: 48 kHz, a sine in each channel.
struct Clip {
    codec: Codec,
    bytes: &'static [u8],
    /// Size of every access unit, where they are all alike.
    access_unit_bytes: Option<usize>,
    samples_per_access_unit: u32,
    tones_hz: &'static [f64],
}

macro_rules! clip {
    ($codec:ident, $file:literal, $bytes:expr, $samples:literal, $tones:expr) => {
        Clip {
            codec: Codec::$codec,
            bytes: include_bytes!(concat!("codecs/", $file)),
            access_unit_bytes: $bytes,
            samples_per_access_unit: $samples,
            tones_hz: $tones,
        }
    };
}

const STEREO_HZ: &[f64] = &[440.0, 660.0];
const SURROUND_HZ: &[f64] = &[400.0, 500.0, 600.0, 60.0, 700.0, 800.0];

static CLIPS: [Clip; 9] = [
    clip!(MpegLayer2, "mp2-stereo.mp2", Some(576), 1152, STEREO_HZ),
    clip!(MpegLayer3, "mp3-stereo.mp3", Some(384), 1152, STEREO_HZ),
    clip!(Ac3, "ac3-stereo.ac3", Some(768), 1536, STEREO_HZ),
    clip!(Ac3, "ac3-51.ac3", Some(1792), 1536, SURROUND_HZ),
    clip!(Eac3, "eac3-51.eac3", Some(1024), 1536, SURROUND_HZ),
    clip!(AacAdts, "aac-stereo.adts", None, 1024, STEREO_HZ),
    clip!(AacLatm, "aac-stereo.latm", None, 1024, STEREO_HZ),
    clip!(Dts, "dts-51.dts", Some(1024), 512, SURROUND_HZ),
    // ffmpeg -loro_cmixlev 0.841 -loro_surmixlev 0.595
    clip!(Eac3, "eac3-51-levels.eac3", Some(1024), 1536, SURROUND_HZ),
];

impl Clip {
    fn access_units(&self) -> Vec<&'static [u8]> {
        let mut rest = self.bytes;
        let mut units = Vec::new();
        while !rest.is_empty() {
            let bytes = self.access_unit_bytes.unwrap_or_else(|| match self.codec {
                Codec::AacLatm => 3 + (usize::from(rest[1] & 0x1F) << 8 | usize::from(rest[2])),
                _ => adts_bytes(rest),
            });
            let (unit, others) = rest.split_at(bytes);
            units.push(unit);
            rest = others;
        }
        units
    }
}

fn adts_bytes(frame: &[u8]) -> usize {
    usize::from(frame[3] & 3) << 11 | usize::from(frame[4]) << 3 | usize::from(frame[5]) >> 5
}

/// Decodes all, and gives the samples of each channel.
fn decode_all<'a>(
    codec: Codec,
    format: OutputFormat,
    units: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Vec<f64>> {
    let mut decoder = Decoder::new(codec, format).expect("decoder");
    let mut pcm = Pcm::default();
    let mut channels: Vec<Vec<f64>> = Vec::new();
    for unit in units {
        decoder.decode(unit, &mut pcm).expect("a sound access unit");
        channels.resize(usize::from(pcm.channels).max(channels.len()), Vec::new());
        for (channel, samples) in channels.iter_mut().enumerate() {
            samples.extend(
                pcm.samples
                    .iter()
                    .skip(channel)
                    .step_by(usize::from(pcm.channels))
                    .map(|&sample| f64::from(sample) * FULL_SCALE),
            );
        }
    }
    channels
}

/// Encodes one signal per channel to ADTS frames.
fn encode_all(rate_hz: u32, bitrate_bps: u32, channels: &[Vec<i16>]) -> (Vec<Vec<u8>>, u32) {
    let mut encoder = Encoder::new(rate_hz, channels.len() as u8, bitrate_bps).expect("encoder");
    let mut frames = Vec::new();
    for start in (0..channels[0].len()).step_by(FRAME) {
        let samples: Vec<i16> = (start..start + FRAME)
            .flat_map(|at| {
                channels
                    .iter()
                    .map(move |signal| signal.get(at).copied().unwrap_or(0))
            })
            .collect();
        let mut adts = Vec::new();
        let bytes = encoder.encode(&samples, &mut adts).expect("encoded");
        assert_eq!(bytes, adts.len());
        frames.push(adts);
    }
    (frames, encoder.delay_samples())
}

fn sine(amplitude: f64, hz: f64, rate_hz: u32, samples: usize) -> Vec<i16> {
    (0..samples)
        .map(|n| (amplitude * (TAU * hz * n as f64 / f64::from(rate_hz)).sin()) as i16)
        .collect()
}

/// Noise with most of its power in the low half of the band.
fn noise(seed: u32, samples: usize) -> Vec<i16> {
    let mut state = seed;
    let mut previous = 0.0;
    (0..samples)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let white = f64::from((state >> 16) as i16) / 4.0;
            previous = 0.5 * (previous + white);
            previous as i16
        })
        .collect()
}

/// Amplitude and phase of one frequency in a signal.
fn tone(signal: &[f64], hz: f64, rate_hz: f64) -> (f64, f64) {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in signal.iter().enumerate() {
        let angle = TAU * hz * n as f64 / rate_hz;
        re += sample * angle.cos();
        im -= sample * angle.sin();
    }
    let scale = 2.0 / signal.len() as f64;
    ((re * re + im * im).sqrt() * scale, im.atan2(re))
}

fn rms(signal: &[f64]) -> f64 {
    (signal.iter().map(|sample| sample * sample).sum::<f64>() / signal.len() as f64).sqrt()
}

/// 4800 samples (0.1 s: whole periods of every tone used) after the start-up.
fn settled(signal: &[f64]) -> &[f64] {
    &signal[1280..1280 + 4800]
}

#[test]
fn every_codec_gives_back_the_tone_of_each_channel_in_wav_order() {
    for clip in &CLIPS {
        for (channel, signal) in decode_all(clip.codec, AS_SOURCE, clip.access_units())
            .iter()
            .enumerate()
        {
            for (other, &hz) in clip.tones_hz.iter().enumerate() {
                let (amplitude, _) = tone(settled(signal), hz, 48_000.0);
                assert!(
                    if other == channel {
                        amplitude > 8_000.0
                    } else {
                        amplitude < 400.0
                    },
                    "{:?}: {hz} Hz has amplitude {amplitude:.0} in channel {channel}",
                    clip.codec
                );
            }
        }
    }
}

#[test]
fn what_an_access_unit_held_is_reported() {
    for clip in &CLIPS {
        let mut decoder = Decoder::new(clip.codec, STEREO).expect("decoder");
        let mut pcm = Pcm::default();
        for unit in clip.access_units() {
            decoder.decode(unit, &mut pcm).expect("decoded");
            assert_eq!(pcm.source_samples, clip.samples_per_access_unit);
            assert_eq!(pcm.source_sample_rate_hz, 48_000);
            assert_eq!(
                (pcm.sample_rate_hz, pcm.channels, pcm.leading_samples),
                (48_000, 2, 0)
            );
            assert_eq!(pcm.samples.len(), 2 * clip.samples_per_access_unit as usize);
        }
    }
}

#[test]
fn layer_one_is_decoded() {
    // 48 kHz, 384 kbit/s, mono: 384 bytes. The second subband alone, 2 bits a sample,
    // scale factor 2.0 (ISO/IEC 11172-3, 2.4.1.5), every sample the highest value.
    let mut bits = vec![false; 384 * 8];
    let mut at = 0;
    let mut put = |value: u32, width: u32| {
        for bit in (0..width).rev() {
            bits[at] = value >> bit & 1 == 1;
            at += 1;
        }
    };
    put(0xFFFF_C4C0, 32);
    (0..32).for_each(|subband| put(u32::from(subband == 1), 4));
    put(0, 6);
    (0..12).for_each(|_| put(2, 2));
    let frame: Vec<u8> = bits
        .chunks(8)
        .map(|byte| byte.iter().fold(0, |sum, &bit| sum << 1 | u8::from(bit)))
        .collect();

    let channels = decode_all(Codec::MpegLayer1, AS_SOURCE, [frame.as_slice(); 5]);
    assert_eq!((channels.len(), channels[0].len()), (1, 5 * 384));
    assert!(rms(&channels[0][768..]) > 5_000.0);
}

/// What each of left and right gets of every channel in WAV order: the levels of ETSI TS
/// 102 366, 7.8.2, and half of the loudness (in dB) that they take in comparison with -3 dB.
fn downmix_levels(centre: f64, surround: f64) -> [[f64; 6]; 2] {
    let gain = (2.0 / (1.0 + centre.powi(2) + surround.powi(2))).powf(0.25);
    [
        [1.0, 0.0, centre, 0.0, surround, 0.0],
        [0.0, 1.0, centre, 0.0, 0.0, surround],
    ]
    .map(|side| side.map(|level| level * gain))
}

#[test]
fn a_downmix_has_the_levels_of_the_stream_and_is_not_divided_by_their_sum() {
    const MINUS_3_DB: f64 = std::f64::consts::FRAC_1_SQRT_2;
    // AC-3 with the levels that ffmpeg writes by default, E-AC-3 and DTS without any, and
    // E-AC-3 with levels of its own.
    let usual = downmix_levels(MINUS_3_DB, MINUS_3_DB);
    for (clip, levels) in [
        (3, downmix_levels(0.594_604, 0.5)),
        (4, usual),
        (7, usual),
        (8, downmix_levels(0.840_896, 0.594_604)),
    ] {
        let clip = &CLIPS[clip];
        let channels = decode_all(clip.codec, AS_SOURCE, clip.access_units());
        let mixed = decode_all(clip.codec, STEREO, clip.access_units());
        for (side, signal) in mixed.iter().enumerate() {
            for (channel, &hz) in clip.tones_hz.iter().enumerate() {
                let (source, _) = tone(settled(&channels[channel]), hz, 48_000.0);
                let (found, _) = tone(settled(signal), hz, 48_000.0);
                let expected = levels[side][channel];
                assert!(
                    (found / source - expected).abs() < 0.02,
                    "{:?}: {hz} Hz is at {:.3} in side {side}, which should be {expected}",
                    clip.codec,
                    found / source
                );
            }
        }
    }
}

#[test]
fn mono_of_surround_is_half_of_its_stereo_downmix() {
    let mono = OutputFormat {
        channels: Some(1),
        ..AS_SOURCE
    };
    for clip in &CLIPS[3..5] {
        let stereo = decode_all(clip.codec, STEREO, clip.access_units());
        let one = decode_all(clip.codec, mono, clip.access_units());
        for (n, &sample) in one[0].iter().enumerate() {
            let expected = (stereo[0][n] + stereo[1][n]) / 2.0;
            assert!((sample - expected).abs() < 0.1, "{:?}, {n}", clip.codec);
        }
    }
}

#[test]
fn what_was_added_up_is_marked_for_the_limiter() {
    for (clip, channels, is_mixed) in [
        (2, Some(2), false),
        (2, Some(1), false),
        (2, None, false),
        (3, Some(2), true),
        (3, Some(1), true),
        (3, Some(6), false),
        (3, None, false),
    ] {
        let clip = &CLIPS[clip];
        let format = OutputFormat {
            channels,
            ..AS_SOURCE
        };
        let mut decoder = Decoder::new(clip.codec, format).expect("decoder");
        let mut pcm = Pcm::default();
        decoder
            .decode(clip.access_units()[0], &mut pcm)
            .expect("decoded");
        assert_eq!(pcm.is_mixed, is_mixed, "{channels:?}");
    }
}

#[test]
fn mono_and_stereo_become_each_other_at_the_same_level() {
    let mono = OutputFormat {
        channels: Some(1),
        ..AS_SOURCE
    };
    let signal = sine(10_000.0, 440.0, 48_000, 12 * FRAME);
    let one = encode_all(48_000, 96_000, std::slice::from_ref(&signal)).0;
    let two = encode_all(48_000, 192_000, &[signal.clone(), signal]).0;
    for (frames, format, channels) in [(&one, STEREO, 2), (&two, mono, 1)] {
        let decoded = decode_all(Codec::AacAdts, format, frames.iter().map(Vec::as_slice));
        assert_eq!(decoded.len(), channels);
        for channel in decoded {
            let (amplitude, _) = tone(settled(&channel[4096..]), 440.0, 48_000.0);
            assert!((9_800.0..10_200.0).contains(&amplitude), "{amplitude}");
        }
    }
}

#[test]
fn a_resampled_access_unit_says_where_its_samples_belong() {
    let to_48k = OutputFormat {
        sample_rate_hz: Some(48_000),
        ..AS_SOURCE
    };
    let (hz, units) = (1_000.0, 60);
    let (frames, _) = encode_all(
        44_100,
        128_000,
        &[sine(10_000.0, hz, 44_100, units * FRAME)],
    );
    let source = decode_all(Codec::AacAdts, AS_SOURCE, frames.iter().map(Vec::as_slice));

    let mut decoder = Decoder::new(Codec::AacAdts, to_48k).expect("decoder");
    let mut pcm = Pcm::default();
    let mut resampled: Vec<f64> = Vec::new();
    for (k, unit) in frames.iter().enumerate() {
        decoder.decode(unit, &mut pcm).expect("decoded");
        assert_eq!(
            (pcm.sample_rate_hz, pcm.source_sample_rate_hz),
            (48_000, 44_100)
        );
        let starts_at = (k * FRAME) as f64 * 48_000.0 / 44_100.0 - f64::from(pcm.leading_samples);
        let error = starts_at - resampled.len() as f64;
        assert!(
            error.abs() <= 0.51,
            "access unit {k} is off by {error} samples"
        );
        resampled.extend(
            pcm.samples
                .iter()
                .map(|&sample| f64::from(sample) * FULL_SCALE),
        );
    }
    // The same 0.2 s of both: same level, same phase at their start.
    let (level, phase) = tone(&source[0][4410..4410 + 8820], hz, 44_100.0);
    let (level_48k, phase_48k) = tone(&resampled[4800..4800 + 9600], hz, 48_000.0);
    assert!((level_48k / level - 1.0).abs() < 0.01);
    let shift_samples = (phase_48k - phase) / (TAU * hz / 48_000.0);
    assert!(
        shift_samples.abs() < 0.05,
        "shifted by {shift_samples} samples"
    );
}

#[test]
fn a_source_that_changes_its_channels_is_followed() {
    let mut decoder = Decoder::new(Codec::Ac3, AS_SOURCE).expect("decoder");
    let mut pcm = Pcm::default();
    for clip in [&CLIPS[2], &CLIPS[3], &CLIPS[2]] {
        for unit in clip.access_units() {
            decoder.decode(unit, &mut pcm).expect("decoded");
            assert_eq!(usize::from(pcm.channels), clip.tones_hz.len());
            assert_eq!(pcm.samples.len(), 1536 * clip.tones_hz.len());
        }
    }
}

#[test]
fn an_encoded_frame_holds_the_samples_that_the_delay_says() {
    for rate_hz in [16_000, 24_000, 32_000, 44_100, 48_000] {
        for count in [1, 2, 3, 4, 5, 6] {
            let input: Vec<Vec<i16>> = (0..count).map(|seed| noise(seed, 8 * FRAME)).collect();
            let (frames, delay) = encode_all(rate_hz, 96_000 * count, &input);
            let output = decode_all(Codec::AacAdts, AS_SOURCE, frames.iter().map(Vec::as_slice));
            assert_eq!(output.len(), count as usize);
            // The LFE is too narrow to locate a sample.
            for channel in (0..count as usize).filter(|&channel| count < 6 || channel != 3) {
                let pattern = &input[channel][FRAME..FRAME + 512];
                let lag = (0..4 * FRAME)
                    .max_by_key(|&lag| {
                        pattern
                            .iter()
                            .zip(output[channel].get(FRAME + lag..).unwrap_or(&[]))
                            .map(|(&a, &b)| i64::from(a) * b as i64)
                            .sum::<i64>()
                    })
                    .expect("lags");
                assert_eq!(
                    lag, delay as usize,
                    "{rate_hz} Hz, channel {channel} of {count}"
                );
            }
        }
    }
}

#[test]
fn channels_keep_their_order_through_the_encoder() {
    for count in 2..=6 {
        keeps_channel_order(count);
    }
}

fn keeps_channel_order(count: usize) {
    const WITHOUT_LFE_HZ: &[f64] = &[400.0, 500.0, 600.0, 700.0, 800.0];
    let tones_hz = if count < 6 {
        WITHOUT_LFE_HZ
    } else {
        SURROUND_HZ
    };
    let input: Vec<Vec<i16>> = tones_hz[..count]
        .iter()
        .map(|&hz| sine(10_000.0, hz, 48_000, 16 * FRAME))
        .collect();
    let (frames, _) = encode_all(48_000, 384_000, &input);
    assert_eq!(
        usize::from((frames[5][2] & 1) << 2 | frames[5][3] >> 6),
        count,
        "channel_configuration"
    );
    let output = decode_all(Codec::AacAdts, AS_SOURCE, frames.iter().map(Vec::as_slice));
    for (channel, signal) in output.iter().enumerate() {
        let signal = settled(&signal[4096..]);
        let (amplitude, _) = tone(signal, tones_hz[channel], 48_000.0);
        assert!(
            amplitude / 2f64.sqrt() / rms(signal) > 0.98 && amplitude > 9_000.0,
            "channel {channel} of {count}: {amplitude}"
        );
    }
}

#[test]
fn every_encoded_frame_is_one_mpeg_4_adts_frame_of_the_right_rate() {
    let signal = noise(7, 50 * FRAME);
    let (frames, _) = encode_all(48_000, 192_000, &[signal.clone(), signal]);
    for frame in &frames {
        assert_eq!(frame[..2], [0xFF, 0xF1], "sync, MPEG-4, layer 0, no CRC");
        assert_eq!(frame[2] >> 6, 1, "AAC-LC");
        assert_eq!(frame[2] >> 2 & 0xF, 3, "48 kHz");
        assert_eq!((frame[2] & 1) << 2 | frame[3] >> 6, 2, "stereo");
        assert_eq!(frame[6] & 3, 0, "one raw data block");
        assert_eq!(adts_bytes(frame), frame.len());
    }
    let bits = 8 * frames.iter().map(Vec::len).sum::<usize>();
    let bitrate_bps = bits * 48_000 / (frames.len() * FRAME);
    assert!((188_000..196_000).contains(&bitrate_bps), "{bitrate_bps}");
}

#[test]
fn bit_rates_that_aac_cannot_carry_become_the_nearest_possible() {
    for rate_hz in [8_000, 16_000, 44_100, 48_000, 96_000] {
        for channels in [1, 2, 6] {
            for bitrate_bps in [1_000, 8_000, 64_000, 576_000, 2_000_000] {
                let mut encoder = Encoder::new(rate_hz, channels, bitrate_bps).expect("encoder");
                let mut adts = Vec::new();
                for seed in 0..4 {
                    let samples = noise(seed, FRAME * usize::from(channels));
                    encoder.encode(&samples, &mut adts).expect("encoded");
                }
            }
        }
    }
}

#[test]
fn what_cannot_be_set_up_is_an_error() {
    let kind = |channels, rate_hz| {
        Encoder::new(rate_hz, channels, 128_000)
            .expect_err("refused")
            .kind()
    };
    assert_eq!(kind(7, 48_000), ErrorKind::InvalidArgument);
    assert_eq!(kind(2, 47_000), ErrorKind::InvalidArgument);
    let four = OutputFormat {
        channels: Some(4),
        ..AS_SOURCE
    };
    assert_eq!(
        Decoder::new(Codec::Ac3, four).expect_err("refused").kind(),
        ErrorKind::InvalidArgument
    );
}

#[test]
fn a_damaged_access_unit_is_an_error_and_the_next_one_is_decoded() {
    let clip = &CLIPS[2];
    let units = clip.access_units();
    let mut damaged = units[1].to_vec();
    damaged[40..].fill(0xFF);
    let mut decoder = Decoder::new(clip.codec, STEREO).expect("decoder");
    let mut pcm = Pcm::default();
    decoder.decode(units[0], &mut pcm).expect("decoded");
    assert_eq!(
        decoder.decode(&damaged, &mut pcm),
        Err(DecodeError::Corrupt)
    );
    assert_eq!(pcm, Pcm::default());
    decoder.decode(units[2], &mut pcm).expect("decoded");
    assert_eq!(pcm.samples.len(), 2 * 1536);
    let endless = vec![0; MAX_AC3_UNIT_BYTES + 1];
    assert_eq!(
        decoder.decode(&endless, &mut pcm),
        Err(DecodeError::TooLarge)
    );
}

fn formats() -> impl Strategy<Value = OutputFormat> {
    (
        prop::option::of(prop::sample::select(vec![8_000, 44_100, 48_000, 96_000])),
        prop::option::of(prop::sample::select(vec![1, 2, 6])),
    )
        .prop_map(|(sample_rate_hz, channels)| OutputFormat {
            sample_rate_hz,
            channels,
            dual_mono: DualMono::Both,
        })
}

/// Access units with a few bytes overwritten, cut short or with others behind them,
/// and some that are noise from the start.
fn damaged_units() -> impl Strategy<Value = (usize, Vec<Vec<u8>>)> {
    let damage = (
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        prop::option::of(any::<prop::sample::Index>()),
        prop::collection::vec(any::<u8>(), 0..64),
    );
    (0..CLIPS.len(), prop::collection::vec(damage, 1..12)).prop_map(|(index, damages)| {
        let clip = CLIPS[index].access_units();
        let units = damages
            .into_iter()
            .zip(clip.iter().cycle())
            .map(|((overwritten, cut, behind), unit)| {
                let mut unit = unit.to_vec();
                for (at, value) in overwritten {
                    let at = at.index(unit.len());
                    unit[at] = value;
                }
                if let Some(cut) = cut {
                    unit.truncate(cut.index(unit.len()));
                }
                unit.extend(behind);
                unit
            })
            .collect();
        (index, units)
    })
}

proptest! {
    #[test]
    fn damaged_access_units_leave_a_decoder_that_works(
        (index, units) in damaged_units(),
        format in formats(),
    ) {
        let clip = &CLIPS[index];
        let mut decoder = Decoder::new(clip.codec, format).expect("decoder");
        let mut pcm = Pcm::default();
        for unit in &units {
            match decoder.decode(unit, &mut pcm) {
                Ok(()) => {
                    prop_assert!(pcm.samples.len() <= 6 * 12 * 4096);
                    prop_assert_eq!(pcm.samples.len() % usize::from(pcm.channels.max(1)), 0);
                }
                Err(_) => prop_assert_eq!(&pcm, &Pcm::default()),
            }
        }
        decoder.reset();
        let sound = clip.access_units();
        let _ = decoder.decode(sound[0], &mut pcm); // MP3: refers to frames before it
        decoder.decode(sound[1], &mut pcm).expect("sound again");
        // A damaged unit may have announced SBR, which FFmpeg's decoder of AAC does not forget:
        // twice the samples at twice the rate.
        prop_assert_eq!(
            u64::from(pcm.source_samples) * 48_000,
            u64::from(clip.samples_per_access_unit) * u64::from(pcm.source_sample_rate_hz)
        );
    }

    #[test]
    fn noise_is_no_sound(
        codec in prop::sample::select(CLIPS.iter().map(|clip| clip.codec).collect::<Vec<_>>()),
        noise in prop::collection::vec(any::<u8>(), 0..5000),
    ) {
        let mut decoder = Decoder::new(codec, STEREO).expect("decoder");
        let mut pcm = Pcm::default();
        let _ = decoder.decode(&noise, &mut pcm);
        prop_assert!(pcm.samples.len() <= 2 * 12 * 4096);
    }
}
