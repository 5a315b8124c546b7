//! MPEG-TS syntax (ISO/IEC 13818-1): bytes to packets, sections, PES and clocks,
//! and back.

pub mod clock;
pub(crate) mod continuity;
pub mod packet;
pub mod pes;
pub mod psi;
pub(crate) mod scrambling;
pub mod sync;
pub mod video;
