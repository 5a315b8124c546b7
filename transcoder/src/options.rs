//! What the caller chooses for a stream.

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Language};

/// Options of one [`Remuxer`](crate::Remuxer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Output sample rate in Hz; 0 keeps the source's.
    pub sample_rate_hz: u32,
    /// Output channels: 1, 2 or 6; 0 keeps the source's.
    pub channels: u8,
    /// AAC bit rate in bit/s.
    pub bitrate_bps: u32,
    /// Service id of the one program to keep; 0 keeps every program.
    pub program: u16,
    /// Which audio tracks of a program are kept.
    pub tracks: Tracks,
    /// Which channels of a dual mono track are heard. Where [`tracks`](Self::tracks) names
    /// the language of one of them, that one.
    pub dual_mono: DualMono,
    /// Leave the source track in and add the AAC track on a free PID.
    pub keep_original: bool,
    /// Which of a stream's remuxers this is. 0 is the first; the one that goes on where
    /// another was lost has the next number. Its output marks the discontinuity on every
    /// PID, and its PAT and PMT have other versions, so that players follow them.
    pub generation: u32,
}

/// Which audio tracks of a program are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Tracks {
    /// Every track.
    #[default]
    All,
    /// The first track of the PMT alone.
    First,
    /// The track in the earliest of these languages, alone; the first track when
    /// none is in any.
    Languages(Vec<Language>),
}

impl Tracks {
    /// The tracks in the languages of these codes (see [`Language::parse`]), in order of
    /// preference. Fails with [`ErrorKind::InvalidArgument`] for what is no code, and for
    /// no code at all.
    pub fn in_languages<'a>(codes: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let invalid = |text: String| Error::new(ErrorKind::InvalidArgument, text);
        let languages = codes
            .into_iter()
            .map(|code| {
                Language::parse(code).ok_or_else(|| {
                    invalid(format!(
                        "track language {code:?} is not an ISO 639 code such as \"deu\" or \"de\""
                    ))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if languages.is_empty() {
            return Err(invalid(
                "tracks names no language; use at least one, or \"all\"".into(),
            ));
        }
        Ok(Self::Languages(languages))
    }
}

/// Which channels are heard of a source that has two programmes in its two channels: MPEG
/// audio in mode dual_channel (ISO/IEC 11172-3, 2.4.2.3), AC-3 and E-AC-3 with acmod 0 (1+1;
/// ETSI TS 102 366, 4.4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum DualMono {
    /// Both, left and right; where the output has one channel, the left one.
    #[default]
    Both,
    /// The left one alone, in every channel of the output.
    Left,
    /// The right one alone.
    Right,
}

impl DualMono {
    /// Reads `both`, `left` or `right`; fails with [`ErrorKind::InvalidArgument`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "both" => Ok(Self::Both),
            "left" => Ok(Self::Left),
            "right" => Ok(Self::Right),
            _ => Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("dual_mono {text:?} is not possible; use \"both\", \"left\" or \"right\""),
            )),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sample_rate_hz: 0,
            channels: 2,
            bitrate_bps: 192_000,
            program: 0,
            tracks: Tracks::All,
            dual_mono: DualMono::Both,
            keep_original: false,
            generation: 0,
        }
    }
}

impl Options {
    /// Sample rates that MPEG-4 AAC can signal (ISO/IEC 14496-3, table 1.18), in Hz.
    pub const SAMPLE_RATES_HZ: [u32; 12] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
        8_000,
    ];
    /// Accepted AAC bit rates, in bit/s.
    pub const BITRATES_BPS: std::ops::RangeInclusive<u32> = 8_000..=576_000;

    /// Says which option is out of its range, if one is.
    pub fn validate(&self) -> Result<(), Error> {
        let invalid = |text: String| Err(Error::new(ErrorKind::InvalidArgument, text));
        if self.sample_rate_hz != 0 && !Self::SAMPLE_RATES_HZ.contains(&self.sample_rate_hz) {
            return invalid(format!(
                "sample_rate {} is not a rate of AAC; use 0 (as the source), 48000, 44100 or 32000",
                self.sample_rate_hz
            ));
        }
        if !matches!(self.channels, 0 | 1 | 2 | 6) {
            return invalid(format!(
                "channels {} is not possible; use 0 (as the source), 1, 2 or 6",
                self.channels
            ));
        }
        if !Self::BITRATES_BPS.contains(&self.bitrate_bps) {
            return invalid(format!(
                "bitrate {} is not possible; use {} to {} bit/s",
                self.bitrate_bps,
                Self::BITRATES_BPS.start(),
                Self::BITRATES_BPS.end()
            ));
        }
        Ok(())
    }
}
