//! AAC in LOAS: AudioSyncStream() around LATM's AudioMuxElement (ISO/IEC
//! 14496-3, 1.7.2). What is inside is the decoder's to read: StreamMuxConfig
//! need not be in every element.

use super::bits::field;
use super::codec::Codec;
use super::frame::{FrameHeader, Parsed, Role};

/// Bytes of the sync word and the length.
pub const HEADER_BYTES: usize = 3;

/// Parse the start of AudioSyncStream():
///
/// ```text
/// bit  0             11                    24
///      +--------------+---------------------+
///      |010.1011.0111 |audioMuxLengthBytes  |   (0x2B7; the length without these bytes)
///      +--------------+---------------------+
/// ```
pub fn parse(bytes: &[u8]) -> Parsed {
    if bytes.first().is_some_and(|&byte| byte != 0x56)
        || bytes.get(1).is_some_and(|&byte| byte & 0xE0 != 0xE0)
    {
        return Parsed::NotHere;
    }
    if bytes.len() < HEADER_BYTES {
        return Parsed::NeedMore;
    }
    let element_bytes = field(bytes, 11, 13) as usize;
    if element_bytes == 0 {
        return Parsed::NotHere;
    }
    Parsed::Header(FrameHeader {
        codec: Codec::AacLatm,
        size_bytes: HEADER_BYTES + element_bytes,
        samples: None,
        sample_rate_hz: None,
        channels: None,
        role: Role::Main,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_counts_from_behind_itself() {
        let size = |bytes: &[u8]| match parse(bytes) {
            Parsed::Header(header) => header.size_bytes,
            other => panic!("{other:?}"),
        };
        assert_eq!(size(&[0x56, 0xE1, 0x45]), 0x145 + 3);
        assert_eq!(size(&[0x56, 0xFF, 0xFF]), 8191 + 3);
    }

    #[test]
    fn an_empty_element_is_no_header() {
        assert_eq!(parse(&[0x56, 0xE0, 0x00]), Parsed::NotHere);
        assert_eq!(parse(&[0x56, 0xC0]), Parsed::NotHere);
        assert_eq!(parse(&[0x56, 0xE0]), Parsed::NeedMore);
    }
}
