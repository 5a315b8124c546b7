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
//! The crate does no I/O, reads no clock and starts no thread: [`Remuxer::push`]
//! takes bytes and appends bytes, and any split of the same input gives the same
//! output.

pub mod audio;
mod error;
pub mod ffi;
mod options;
mod remux;
#[cfg(feature = "service")]
pub mod service;
mod stats;
pub mod ts;
mod versions;

pub use error::{Error, ErrorKind};
pub use options::{Options, Tracks};
pub use remux::Remuxer;
pub use stats::{Stats, TrackState, TrackStats};
pub use versions::versions;
