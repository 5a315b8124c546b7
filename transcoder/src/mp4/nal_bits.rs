//! The bits of a NAL unit.

use h264_reader::rbsp::{BitReader, ByteReader};

/// Return the bits behind a header of `header_bytes` bytes, without emulation prevention.
pub(super) fn bits(unit: &[u8], header_bytes: usize) -> BitReader<ByteReader<&[u8]>> {
    let payload = unit.get(header_bytes..).unwrap_or_default();
    BitReader::new(ByteReader::without_skip(payload))
}
