//! Decoded sound, and in which form it is wanted.

use std::{fmt, mem};

use crate::DualMono;

/// What a [`Decoder`](super::native::Decoder) delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutputFormat {
    /// Sample rate in Hz; `None` keeps the source's.
    pub sample_rate_hz: Option<u32>,
    /// Channels: 1, 2 or 6 (5.1). `None` keeps the source's, as far as AAC in ADTS
    /// has channels for them (docs/reference/native-codecs.md).
    pub channels: Option<u8>,
    /// Which channels of a dual mono source are heard.
    pub dual_mono: DualMono,
}

/// Samples decoded from one access unit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pcm {
    /// Interleaved samples in WAV channel order (L R C LFE Ls Rs); full scale is 1.
    pub samples: Vec<f32>,
    /// Whether channels of the source were added up: `samples` may go far beyond full
    /// scale, and are for a [`Limiter`](super::limiter::Limiter).
    pub is_mixed: bool,
    /// Rate of `samples` in Hz.
    pub sample_rate_hz: u32,
    /// Channels of `samples`: 1 to 6.
    pub channels: u8,
    /// How many samples of each channel, at the start, belong before the access
    /// unit's PTS, because the resampler had kept them back; 0 without resampling.
    pub leading_samples: u32,
    /// Samples of each channel that the access unit holds in its own rate.
    pub source_samples: u32,
    /// Sample rate of the access unit in Hz.
    pub source_sample_rate_hz: u32,
    /// Channels of the access unit.
    pub source_channels: u8,
}

impl Pcm {
    /// Forget the samples and keep their memory.
    pub(super) fn clear(&mut self) {
        let mut samples = mem::take(&mut self.samples);
        samples.clear();
        *self = Self {
            samples,
            ..Self::default()
        };
    }
}

/// Why an access unit gave no samples. The next one can be decoded all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// The access unit is damaged, or belongs to another codec.
    Corrupt,
    /// Longer than [`MAX_UNIT_BYTES`](super::access_unit::MAX_UNIT_BYTES) (AC-3 and E-AC-3: [`MAX_AC3_UNIT_BYTES`](super::native::MAX_AC3_UNIT_BYTES)), or
    /// holding more samples than any real one.
    TooLarge,
    /// Not enough memory, or a layout that cannot be converted.
    Unsupported,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Corrupt => "the access unit is damaged",
            Self::TooLarge => "the access unit is too large",
            Self::Unsupported => "the decoded audio cannot be converted",
        })
    }
}

impl std::error::Error for DecodeError {}
