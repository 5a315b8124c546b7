//! Packaging: a programme's pictures and sound as CMAF tracks (ISO/IEC 23000-19), which HTTP
//! Live Streaming plays.
//!
//! ```text
//! packets -> sync -> PAT, PMT -> tracks
//! video PID -> PES -> NAL units -> pictures -> times -> segments, parts -+-> events
//! sound PID -> PES -> ADTS frames -> times -> by the picture's segments -+
//! subtitle PID -> PES -> decoder -> screens -> by the picture's segments -'
//! ```
//!
//! - Every track has files of its own: an initialisation segment, and segments of parts.
//! - Segments begin with random access points. The sound's begin where the picture's do.
//! - Subtitles have a file for each of the picture's segments.
//! - Nothing is edited: samples, decode times and presentation times are the broadcast's.
//!   Parameter sets, delimiters and filler leave the samples.
//! - After the start and after a discontinuity pictures that need ones from before are left
//!   out. A picture of which packets are missing is left out.

mod boxes;
mod event;
mod packager;
mod parameters;
mod parts;
mod pictures;
mod sound;
mod subtitle_tracks;
mod subtitles;
mod timeline;
mod video;

pub use event::{Event, Header, Media, NotOffered, Part, Reason, Rendition, Segment};
pub use packager::{MAX_HELD_BYTES, MAX_IMAGES, MAX_SOUNDS, MAX_TEXTS, Packager, PackagerOptions};
