//! The options of a remuxer in requests: JSON or a query string.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, ToSchema};

use crate::{DualMono, Error, Options, Tracks};

/// Options of a remuxer. Missing ones have their default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RemuxOptions {
    /// Output sample rate in Hz that AAC supports; 0: that of the source.
    #[param(default = 0, maximum = 96_000)]
    #[schema(maximum = 96_000)]
    sample_rate: u32,
    /// Output channels: 1, 2 or 6; 0: those of the source.
    #[param(default = 2, maximum = 6)]
    #[schema(maximum = 6)]
    channels: u8,
    /// AAC bit rate in bit/s.
    #[param(default = 192_000, minimum = 8_000, maximum = 576_000)]
    #[schema(minimum = 8_000, maximum = 576_000)]
    bitrate: u32,
    /// Service id of the only program to keep; 0: every program.
    #[param(default = 0, maximum = 65_535)]
    #[schema(maximum = 65_535)]
    program: u16,
    /// Audio tracks to keep: `all`, `first`, or only the first match of a list of ISO 639 codes in
    /// order of preference. A query string separates the codes by commas. `ger`, `deu` and `de` are
    /// the same language.
    #[schema(schema_with = tracks_schema)]
    #[param(value_type = String, default = "all", pattern = "^(all|first|[A-Za-z]{2,3}(,[A-Za-z]{2,3})*)$")]
    tracks: TrackChoice,
    /// Channels to keep of a dual mono track, which has a programme in each channel: `both`,
    /// `left` or `right`. A language in `tracks` takes precedence.
    #[param(inline, default = "both")]
    #[schema(inline)]
    dual_mono: DualMono,
    /// Keep the source track and add the AAC track on a free PID.
    #[param(default = false)]
    keep_original: bool,
    /// Number of the remuxer within its stream: 0 for the first, one more after each splice. From 1
    /// on the output marks the discontinuity.
    #[param(default = 0)]
    generation: u32,
}

impl Default for RemuxOptions {
    fn default() -> Self {
        let options = Options::default();
        Self {
            sample_rate: options.sample_rate_hz,
            channels: options.channels,
            bitrate: options.bitrate_bps,
            program: options.program,
            tracks: TrackChoice(options.tracks),
            dual_mono: options.dual_mono,
            keep_original: options.keep_original,
            generation: options.generation,
        }
    }
}

impl TryFrom<RemuxOptions> for Options {
    type Error = Error;

    /// Fails when an option is out of its range.
    fn try_from(chosen: RemuxOptions) -> Result<Self, Error> {
        let options = Self {
            sample_rate_hz: chosen.sample_rate,
            channels: chosen.channels,
            bitrate_bps: chosen.bitrate,
            program: chosen.program,
            tracks: chosen.tracks.0,
            keep_original: chosen.keep_original,
            generation: chosen.generation,
            dual_mono: chosen.dual_mono,
        };
        options.validate()?;
        Ok(options)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TrackChoice(Tracks);

impl<'de> Deserialize<'de> for TrackChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Choice;

        impl<'de> Visitor<'de> for Choice {
            type Value = TrackChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"all\", \"first\" or a list of ISO 639 codes")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                match text {
                    "all" => Ok(TrackChoice(Tracks::All)),
                    "first" => Ok(TrackChoice(Tracks::First)),
                    codes => languages(codes.split(',')),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut codes: Vec<String> = Vec::new();
                while let Some(code) = list.next_element()? {
                    codes.push(code);
                }
                languages(codes.iter().map(String::as_str))
            }
        }

        deserializer.deserialize_any(Choice)
    }
}

fn languages<'a, E: de::Error>(codes: impl Iterator<Item = &'a str>) -> Result<TrackChoice, E> {
    Tracks::in_languages(codes)
        .map(TrackChoice)
        .map_err(E::custom)
}

fn tracks_schema() -> utoipa::openapi::schema::Schema {
    use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Type};
    let code = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[A-Za-z]{2,3}$"));
    OneOfBuilder::new()
        .item(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some(["all", "first"])),
        )
        .item(ArrayBuilder::new().items(code).min_items(Some(1)))
        .default(Some("all".into()))
        .into()
}
