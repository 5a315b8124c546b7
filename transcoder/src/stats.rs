//! Counters of one stream. They serialise to the JSON that the C ABI, the
//! service and `xg2g remux --stats` show.

use serde::Serialize;

use crate::audio::Codec;

/// Counters since the remuxer was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct Stats {
    /// Bytes taken in.
    pub bytes_in: u64,
    /// Bytes given out.
    pub bytes_out: u64,
    /// Whole transport packets recognised.
    pub packets_in: u64,
    /// Losses shown by a continuity counter, on any PID.
    pub continuity_errors: u64,
    /// Packets with transport_error_indicator set.
    pub transport_errors: u64,
    /// Times that packet alignment was lost and found again.
    pub resyncs: u64,
    /// Bytes thrown away while aligning.
    pub bytes_skipped: u64,
    /// PSI sections dropped for a bad CRC or a bad structure.
    pub psi_errors: u64,
    /// Service ids that the PAT lists.
    pub programs: Vec<u16>,
    /// One entry per audio track, in PID order: what a PMT names as audio, and what is
    /// audio without being named.
    pub tracks: Vec<TrackStats>,
}

/// Counters of one audio track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct TrackStats {
    /// PID in the source.
    pub pid: u16,
    /// Service id of the program that declares it.
    pub program: u16,
    /// PID of the AAC track; equal to `pid` unless the original is kept.
    pub output_pid: u16,
    /// What is done with it.
    pub state: TrackState,
    /// What the elementary stream holds, once known.
    pub codec: Option<Codec>,
    /// ISO 639-2 code of the PMT.
    pub language: Option<String>,
    /// Access units decoded.
    pub frames_decoded: u64,
    /// AAC access units encoded.
    pub frames_encoded: u64,
    /// Access units that the decoder refused, and losses of frame alignment.
    pub decode_errors: u64,
    /// Silence put in for what was missing, in milliseconds.
    pub silence_ms: u64,
    /// Packets whose payload is scrambled, whatever transport_scrambling_control says.
    pub scrambled_packets: u64,
    /// Continuity errors on this PID.
    pub continuity_errors: u64,
}

/// What is done with an audio track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrackState {
    /// Declared, and nothing recognised yet.
    Waiting,
    /// Decoded and encoded as AAC.
    Converting,
    /// AAC in ADTS already: passes untouched.
    PassingAac,
    /// Passes untouched because it is scrambled.
    Scrambled,
    /// Passes untouched because it cannot be decoded.
    Unsupported,
    /// Left out: another track was chosen.
    Dropped,
}
