//! What a conversion did.

use super::codec::Codec;

/// What a conversion did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) codec: Option<Codec>,
    pub(crate) frames_decoded: u64,
    pub(crate) frames_encoded: u64,
    pub(crate) decode_errors: u64,
    pub(crate) silence_ms: u64,
}

impl Counts {
    /// Add what another conversion of the same stream did before.
    pub(crate) fn add(&mut self, earlier: &Self) {
        self.codec = self.codec.or(earlier.codec);
        self.frames_decoded += earlier.frames_decoded;
        self.frames_encoded += earlier.frames_encoded;
        self.decode_errors += earlier.decode_errors;
        self.silence_ms += earlier.silence_ms;
    }
}
