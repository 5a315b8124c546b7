//! DTS Coherent Acoustics: ETSI TS 102 114. Transport streams carry the core as
//! 16-bit big-endian words; the 14-bit and little-endian packings belong to CD
//! and WAV. A DTS-HD extension substream follows the core of its access unit.

use super::bits::field;
use super::codec::Codec;
use super::frame::{FrameHeader, Parsed, Role};

/// Bytes of the core header up to LFF; an extension's header needs fewer.
pub const HEADER_BYTES: usize = 11;

/// Maximum length of an extension substream. The 20-bit length field allows 1 MiB;
/// lossless audio at its peak rate of 24.5 Mbit/s takes 33 kB.
pub const MAX_EXTENSION_BYTES: usize = 48 * 1024;

const CORE_SYNC: [u8; 4] = [0x7F, 0xFE, 0x80, 0x01];
const EXTENSION_SYNC: [u8; 4] = [0x64, 0x58, 0x20, 0x25];

/// Rates by SFREQ in Hz, 0 where invalid (TS 102 114, table 5-5).
const RATES_HZ: [u32; 16] = [
    0, 8_000, 16_000, 32_000, 0, 0, 11_025, 22_050, 44_100, 0, 0, 12_000, 24_000, 48_000, 0, 0,
];

/// Channels by AMODE (TS 102 114, table 5-4); higher values are user-defined.
const CHANNELS: [u8; 16] = [1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 6, 6, 7, 8, 8];

/// Parse a core frame header or an extension substream header.
pub fn parse(bytes: &[u8]) -> Parsed {
    let begins_with = |sync: [u8; 4]| bytes.iter().zip(sync).all(|(&a, b)| a == b);
    let (core, extension) = (begins_with(CORE_SYNC), begins_with(EXTENSION_SYNC));
    if !core && !extension {
        return Parsed::NotHere;
    }
    if bytes.len() < HEADER_BYTES {
        return Parsed::NeedMore;
    }
    let header = if core {
        parse_core(bytes)
    } else {
        parse_extension(bytes)
    };
    header.map_or(Parsed::NotHere, Parsed::Header)
}

/// Parse the core's frame header (TS 102 114, 5.3.1):
///
/// ```text
/// bit  0          32 33    38 39     46       60    66    70    75
///      +----------+--+-----+--+------+--------+-----+-----+-----+-----------+---+
///      | 7FFE8001 |ft|short|cp|NBLKS | FSIZE  |AMODE|SFREQ|RATE | 10 flags  |LFF|
///      +----------+--+-----+--+------+--------+-----+-----+-----+-----------+---+
///                                                                           85  87
/// ```
///
/// Only normal frames (FTYPE 1, SHORT 31) are believed: a termination frame ends
/// a recording, and a broadcast has no end.
fn parse_core(bytes: &[u8]) -> Option<FrameHeader> {
    const NORMAL_FRAME: u32 = 0b1_11111;
    const MIN_BLOCKS_CODE: u32 = 5;
    const MIN_SIZE_CODE: u32 = 95;
    const LFF_INVALID: u32 = 3;

    let (blocks_code, size_code) = (field(bytes, 39, 7), field(bytes, 46, 14));
    let lff = field(bytes, 85, 2);
    if field(bytes, 32, 6) != NORMAL_FRAME
        || blocks_code < MIN_BLOCKS_CODE
        || size_code < MIN_SIZE_CODE
        || lff == LFF_INVALID
    {
        return None;
    }
    let sample_rate_hz = RATES_HZ[field(bytes, 66, 4) as usize];
    if sample_rate_hz == 0 {
        return None;
    }
    Some(FrameHeader {
        codec: Codec::Dts,
        size_bytes: size_code as usize + 1,
        samples: Some((blocks_code + 1) * 32),
        sample_rate_hz: Some(sample_rate_hz),
        channels: CHANNELS
            .get(field(bytes, 60, 6) as usize)
            .map(|channels| channels + u8::from(lff != 0)),
        role: Role::Main,
    })
}

/// Parse the extension substream's header (TS 102 114, 7.4.1):
///
/// ```text
/// bit  0          32       40    42 43
///      +----------+--------+-----+--+---------------+----------------+
///      | 64582025 | user   |index|ty| header size-1 | substream size-1 |
///      +----------+--------+-----+--+---------------+----------------+
///                                 0:      8 bits           16 bits
///                                 1:     12 bits           20 bits
/// ```
fn parse_extension(bytes: &[u8]) -> Option<FrameHeader> {
    let (header_size_bits, size_bits) = match field(bytes, 42, 1) {
        0 => (8, 16),
        _ => (12, 20),
    };
    let header_bytes = field(bytes, 43, header_size_bits) as usize + 1;
    let size_bytes = field(bytes, 43 + header_size_bits, size_bits) as usize + 1;
    if header_bytes < HEADER_BYTES || size_bytes < header_bytes || size_bytes > MAX_EXTENSION_BYTES
    {
        return None;
    }
    Some(FrameHeader {
        codec: Codec::Dts,
        size_bytes,
        samples: None,
        sample_rate_hz: None,
        channels: None,
        role: Role::Dependent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: [u8; 11] = [
        0x7F, 0xFE, 0x80, 0x01, 0xFC, 0x3C, 0x7D, 0xB2, 0x77, 0x00, 0x0D,
    ];
    const EXTENSION: [u8; 11] = [
        0x64, 0x58, 0x20, 0x25, 0x00, 0x03, 0xE0, 0x0E, 0x60, 0x00, 0x00,
    ];

    #[test]
    fn a_core_tells_length_rate_and_channels() {
        assert_eq!(
            parse(&CORE),
            Parsed::Header(FrameHeader {
                codec: Codec::Dts,
                size_bytes: 2012,
                samples: Some(512),
                sample_rate_hz: Some(48_000),
                channels: Some(6),
                role: Role::Main,
            })
        );
    }

    #[test]
    fn an_extension_belongs_to_the_core_before_it() {
        let Parsed::Header(header) = parse(&EXTENSION) else {
            panic!("no header");
        };
        assert_eq!((header.size_bytes, header.role), (116, Role::Dependent));
    }

    #[test]
    fn invalid_fields_are_no_header() {
        let with = |at: usize, byte: u8| {
            let mut bytes = CORE;
            bytes[at] = byte;
            parse(&bytes)
        };
        assert_eq!(with(4, 0x7C), Parsed::NotHere, "a termination frame");
        assert_eq!(with(8, 0x43), Parsed::NotHere, "an invalid sample rate");
        assert_eq!(with(5, 0x00), Parsed::NotHere, "too few blocks");
        let mut endless = EXTENSION;
        (endless[5], endless[6], endless[7], endless[8]) = (0x20, 0xFF, 0xFF, 0xFF);
        assert_eq!(parse(&endless), Parsed::NotHere, "a megabyte");
        assert_eq!(parse(&CORE[..10]), Parsed::NeedMore);
    }
}
