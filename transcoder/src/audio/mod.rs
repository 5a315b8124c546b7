//! Audio: recognising, splitting, decoding, encoding, and the sample timeline.

pub mod ac3;
pub mod access_unit;
pub mod adts;
pub(crate) mod arrival;
mod bits;
mod codec;
pub(crate) mod conversion;
pub(crate) mod counts;
mod differences;
pub mod dts;
pub mod frame;
pub mod framer;
mod headers;
pub(crate) mod heard;
pub mod latm;
mod leads;
pub mod limiter;
mod missing_units;
pub mod mpeg_audio;
pub mod native;
pub(crate) mod output;
mod payload;
pub mod pcm;
mod position;
mod seam;
mod search;
pub mod sniff;
mod source_clock;
pub(crate) mod timeline;

pub use codec::{Codec, Family};
