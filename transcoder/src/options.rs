//! Options of a stream.

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Language};

/// Options of one [`Remuxer`](crate::Remuxer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Output sample rate in Hz; 0: that of the source.
    pub sample_rate_hz: u32,
    /// Output channels: 1, 2 or 6; 0: those of the source.
    pub channels: u8,
    /// AAC bit rate in bit/s.
    pub bitrate_bps: u32,
    /// Service id of the only program to keep; 0: every program.
    pub program: u16,
    /// Audio tracks of a program to keep.
    pub tracks: Tracks,
    /// Channels to keep of a dual mono track. A language in [`tracks`](Self::tracks) takes
    /// precedence.
    pub dual_mono: DualMono,
    /// Keep the source track and add the AAC track on a free PID.
    pub keep_original: bool,
    /// Number of the remuxer within its stream: 0 for the first, one more after each splice.
    /// From 1 on the output marks a discontinuity on every PID, and its PAT and PMT have
    /// other versions, so that players follow them.
    pub generation: u32,
}

/// Audio tracks of a program to keep.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Tracks {
    /// Every track.
    #[default]
    All,
    /// Only the first track of the PMT.
    First,
    /// Only the track that matches the earliest of these languages; the first track when
    /// none matches.
    Languages(Vec<Language>),
}

impl Tracks {
    /// Returns the choice of these language codes (see [`Language::parse`]), in order of
    /// preference. Fails with [`ErrorKind::InvalidArgument`] for an invalid code, and for
    /// an empty list.
    pub fn in_languages<'a>(codes: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let invalid = |text: String| Error::new(ErrorKind::InvalidArgument, text);
        let languages = codes
            .into_iter()
            .map(|code| {
                Language::parse(code).ok_or_else(|| {
                    invalid(format!(
                        "invalid track language {code:?}; use an ISO 639 code such as \"deu\" or \"de\""
                    ))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if languages.is_empty() {
            return Err(invalid(
                "tracks is empty; use a language, \"all\" or \"first\"".into(),
            ));
        }
        Ok(Self::Languages(languages))
    }
}

/// Channels to keep of a dual mono source, which has a programme in each channel: MPEG audio in
/// mode dual_channel (ISO/IEC 11172-3, 2.4.2.3), AC-3 and E-AC-3 with acmod 0 (1+1; ETSI
/// TS 102 366, 4.4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum DualMono {
    /// Both channels. A mono output has the left one.
    #[default]
    Both,
    /// Only the left channel, in every channel of the output.
    Left,
    /// Only the right channel, in every channel of the output.
    Right,
}

impl DualMono {
    /// Parses `both`, `left` or `right`. Fails with [`ErrorKind::InvalidArgument`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "both" => Ok(Self::Both),
            "left" => Ok(Self::Left),
            "right" => Ok(Self::Right),
            _ => Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("invalid dual_mono {text:?}; use \"both\", \"left\" or \"right\""),
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

    /// Checks the range of every option. Fails with [`ErrorKind::InvalidArgument`], which names
    /// the option.
    pub fn validate(&self) -> Result<(), Error> {
        let invalid = |text: String| Err(Error::new(ErrorKind::InvalidArgument, text));
        if self.sample_rate_hz != 0 && !Self::SAMPLE_RATES_HZ.contains(&self.sample_rate_hz) {
            return invalid(format!(
                "AAC has no sample_rate of {} Hz; use 0 (as the source), 48000, 44100 or 32000",
                self.sample_rate_hz
            ));
        }
        if !matches!(self.channels, 0 | 1 | 2 | 6) {
            return invalid(format!(
                "invalid channels {}; use 0 (as the source), 1, 2 or 6",
                self.channels
            ));
        }
        if !Self::BITRATES_BPS.contains(&self.bitrate_bps) {
            return invalid(format!(
                "invalid bitrate {}; use {} to {} bit/s",
                self.bitrate_bps,
                Self::BITRATES_BPS.start(),
                Self::BITRATES_BPS.end()
            ));
        }
        Ok(())
    }
}
