//! Packaging: a program's pictures and sound as CMAF tracks (ISO/IEC 23000-19), which HTTP
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
mod h264_slice;
mod hevc_sps;
mod nal_bits;
mod packager;
mod packager_options;
mod parameters;
mod parts;
mod pictures;
mod sample_entry;
mod sound;
mod sound_epoch;
mod sound_frames;
mod subtitle_tracks;
mod subtitles;
mod timeline;
mod tracks;
mod video;
mod video_epoch;

pub use event::{Event, Header, Media, NotOffered, Part, Reason, Rendition, Segment};
pub use packager::Packager;
pub use packager_options::PackagerOptions;
pub use tracks::{MAX_HELD_BYTES, MAX_IMAGES, MAX_SOUNDS, MAX_TEXTS};
