//! MPEG-TS syntax (ISO/IEC 13818-1): bytes to packets, sections, PES and clocks,
//! and back.

pub mod clock;
pub mod packet;
pub mod pes;
pub mod psi;
pub mod sync;
pub mod video;
