//! The bits of a NAL unit.

use h264_reader::rbsp::{BitReader, ByteReader};

/// The bits behind a header of so many bytes, without emulation prevention.
pub(super) fn bits(unit: &[u8], header_bytes: usize) -> BitReader<ByteReader<&[u8]>> {
    let payload = unit.get(header_bytes..).unwrap_or_default();
    BitReader::new(ByteReader::without_skip(payload))
}
