//! The options of a remuxer as a client writes them: JSON, or a query string.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, ToSchema};

use crate::{Error, Options, Tracks};

/// Options of a remuxer. What is left out has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RemuxOptions {
    /// Output sample rate in Hz; 0 keeps the source's. Default 0.
    #[param(required = false)]
    sample_rate: Option<u32>,
    /// Output channels: 1, 2 or 6; 0 keeps the source's. Default 2.
    #[param(required = false)]
    channels: Option<u8>,
    /// AAC bit rate in bit/s, 8000 to 576000. Default 192000.
    #[param(required = false)]
    bitrate: Option<u32>,
    /// Service id of the one program to keep; 0 keeps every program. Default 0.
    #[param(required = false)]
    program: Option<u16>,
    /// `all` (the default), `first`, or ISO 639-2 codes in order of preference, of which the
    /// first that matches is kept alone: as a list, or with commas in a query string.
    #[schema(schema_with = tracks_schema)]
    #[param(required = false, value_type = Option<String>, example = "deu,eng")]
    tracks: Option<TrackChoice>,
    /// Leave the source track in and add the AAC track on a free PID. Default false.
    #[param(required = false)]
    keep_original: Option<bool>,
    /// 0 for a stream's first remuxer, n for the n-th that takes over after a loss: it marks
    /// the discontinuity. Default 0.
    #[param(required = false)]
    generation: Option<u32>,
}

impl RemuxOptions {
    /// The remuxer's own options; fails when one is out of its range.
    pub(super) fn options(self) -> Result<Options, Error> {
        let defaults = Options::default();
        let options = Options {
            sample_rate_hz: self.sample_rate.unwrap_or(defaults.sample_rate_hz),
            channels: self.channels.unwrap_or(defaults.channels),
            bitrate_bps: self.bitrate.unwrap_or(defaults.bitrate_bps),
            program: self.program.unwrap_or(defaults.program),
            tracks: self.tracks.map_or(defaults.tracks, |choice| choice.0),
            keep_original: self.keep_original.unwrap_or(defaults.keep_original),
            generation: self.generation.unwrap_or(defaults.generation),
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
                f.write_str("\"all\", \"first\" or a list of ISO 639-2 codes")
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
    let codes = codes
        .map(|code| {
            code.as_bytes().try_into().map_err(|_| {
                E::custom(format!(
                    "track language {code:?} is not an ISO 639-2 code such as \"deu\""
                ))
            })
        })
        .collect::<Result<Vec<[u8; 3]>, E>>()?;
    if codes.is_empty() {
        return Err(E::custom(
            "tracks names no language; use at least one, or \"all\"",
        ));
    }
    Ok(TrackChoice(Tracks::Languages(codes)))
}

fn tracks_schema() -> utoipa::openapi::schema::Schema {
    use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Type};
    let code = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[A-Za-z]{3}$"));
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
