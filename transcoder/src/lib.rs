//! Converts the audio of a live MPEG transport stream to AAC-LC and leaves
//! everything else as it is.
//!
//! ```text
//! bytes -> ts::sync -> packets -> remux -+-> untouched PIDs ----------------> bytes
//!                                        +-> ts::psi: PAT, PMT rewritten ---^
//!                                        '-> ts::pes -> audio::track -------^
//!                                              access units -> PCM -> timeline -> AAC
//! ```
//!
//! ```rust
//! use std::error::Error;
//! use std::io::{Read, Write};
//! use xg2g_transcoder::{Options, Remuxer};
//!
//! fn convert(source: &mut impl Read, target: &mut impl Write) -> Result<(), Box<dyn Error>> {
//!     let mut remuxer = Remuxer::new(Options { bitrate_bps: 128_000, ..Options::default() })?;
//!     let mut input = vec![0; 64 * 1024];
//!     let mut output = Vec::new();
//!     loop {
//!         match source.read(&mut input)? {
//!             0 => break,
//!             length => remuxer.push(&input[..length], &mut output)?,
//!         }
//!         target.write_all(&output)?;
//!         output.clear();
//!     }
//!     remuxer.finish(&mut output)?;
//!     Ok(target.write_all(&output)?)
//! }
//! # fn main() -> Result<(), Box<dyn Error>> {
//! #     let clip = concat!(env!("CARGO_MANIFEST_DIR"), "/../xg2g/simulator/clips/two-hd.ts");
//! #     let source = std::fs::read(clip)?;
//! #     let mut target = Vec::new();
//! #     convert(&mut source.as_slice(), &mut target)?;
//! #     assert!(target.len() > source.len() / 2);
//! #     assert!(target.chunks(188).all(|packet| packet.len() == 188 && packet[0] == 0x47));
//! #     Ok(())
//! # }
//! ```
//!
//! The crate does no I/O, reads no clock and starts no thread: [`Remuxer::push`]
//! takes bytes and appends bytes, and any split of the same input gives the same
//! output.

pub mod audio;
mod error;
pub mod ffi;
mod joining;
mod language;
pub mod mp4;
mod options;
mod remux;
#[cfg(feature = "service")]
pub mod service;
pub mod splice;
mod stats;
pub mod subtitles;
pub mod ts;
mod versions;

pub use error::{Error, ErrorKind};
pub use joining::Joiner;
pub use language::Language;
pub use options::{DualMono, Options, Tracks};
pub use remux::{Point, PointKind, Remuxer};
pub use stats::{Stats, TrackState, TrackStats};
pub use versions::versions;
