//! AAC in ADTS: ISO/IEC 13818-7, 6.2, and ISO/IEC 14496-3, 1.A.2.2.

use super::bits::field;
use super::codec::Codec;
use super::frame::{FrameHeader, Parsed, Role};

/// Bytes of the fixed and the variable header.
pub const HEADER_BYTES: usize = 7;

const CRC_BYTES: usize = 2;

/// Samples of a raw data block, of each channel, at the core's rate.
const BLOCK_SAMPLES: u32 = 1024;

/// Rates by sampling_frequency_index, in Hz (ISO/IEC 14496-3, table 1.18).
const RATES_HZ: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// Parse adts_fixed_header() and adts_variable_header():
///
/// ```text
/// bit  0             12 13 15 16 18     22 23  26 27 28 29 30          43       54  56
///      +--------------+--+--+--+--+------+--+---+--+--+--+--+-----------+--------+---+
///      |1111.1111.1111|ID|00|pa|pr|freq. |pv|chn|or|hm|ci|cs|  length   |fullness|blk|
///      +--------------+--+--+--+--+------+--+---+--+--+--+--+-----------+--------+---+
/// ```
///
/// Channel configuration 0 means that a program config element tells.
pub fn parse(bytes: &[u8]) -> Parsed {
    if bytes.first().is_some_and(|&byte| byte != 0xFF)
        || bytes.get(1).is_some_and(|&byte| byte & 0xF6 != 0xF0)
    {
        return Parsed::NotHere;
    }
    if bytes.len() < HEADER_BYTES {
        return Parsed::NeedMore;
    }
    let Some(&sample_rate_hz) = RATES_HZ.get(field(bytes, 18, 4) as usize) else {
        return Parsed::NotHere;
    };
    let has_crc = field(bytes, 15, 1) == 0;
    let size_bytes = field(bytes, 30, 13) as usize;
    if size_bytes <= HEADER_BYTES + if has_crc { CRC_BYTES } else { 0 } {
        return Parsed::NotHere;
    }
    Parsed::Header(FrameHeader {
        codec: Codec::AacAdts,
        size_bytes,
        samples: Some(BLOCK_SAMPLES * (field(bytes, 54, 2) + 1)),
        sample_rate_hz: Some(sample_rate_hz),
        channels: match field(bytes, 23, 3) {
            0 => None,
            7 => Some(8),
            channels => Some(channels as u8),
        },
        role: Role::Main,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 7] = [0xFF, 0xF1, 0x4C, 0x80, 0x0D, 0x9F, 0xFC];

    #[test]
    fn headers_tell_length_rate_channels_and_blocks() {
        let expected = FrameHeader {
            codec: Codec::AacAdts,
            size_bytes: 108,
            samples: Some(1024),
            sample_rate_hz: Some(48_000),
            channels: Some(2),
            role: Role::Main,
        };
        assert_eq!(parse(&HEADER), Parsed::Header(expected));
        let four_blocks_told_by_elements = [0xFF, 0xF9, 0x4C, 0x00, 0x0D, 0x9F, 0xFF];
        assert_eq!(
            parse(&four_blocks_told_by_elements),
            Parsed::Header(FrameHeader {
                samples: Some(4096),
                channels: None,
                ..expected
            })
        );
    }

    #[test]
    fn what_is_not_adts_is_no_header() {
        let with = |at: usize, byte: u8| {
            let mut bytes = HEADER;
            bytes[at] = byte;
            parse(&bytes)
        };
        assert_eq!(with(1, 0xF3), Parsed::NotHere, "a layer of MPEG audio");
        assert_eq!(with(2, 0x7C), Parsed::NotHere, "an escaped sample rate");
        assert_eq!(with(4, 0x00), Parsed::NotHere, "shorter than its header");
        assert_eq!(parse(&HEADER[..6]), Parsed::NeedMore);
    }
}
