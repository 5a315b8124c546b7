//! MPEG audio, layers I to III: ISO/IEC 11172-3 (MPEG-1, 32 to 48 kHz),
//! ISO/IEC 13818-3 (MPEG-2, half those rates), and the unofficial MPEG-2.5
//! (a quarter).

use super::Codec;
use super::bits::field;
use super::frame::{FrameHeader, Parsed, Role};

/// Bytes of the header.
pub const HEADER_BYTES: usize = 4;

/// Bit rates by bitrate_index 1 to 14, in kbit/s (ISO/IEC 11172-3, 2.4.2.3;
/// ISO/IEC 13818-3, 2.4.2.3).
const MPEG1_LAYER1_KBPS: [u32; 14] = [
    32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
];
const MPEG1_LAYER2_KBPS: [u32; 14] = [
    32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
];
const MPEG1_LAYER3_KBPS: [u32; 14] = [
    32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
];
const MPEG2_LAYER1_KBPS: [u32; 14] = [
    32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
];
const MPEG2_LAYER23_KBPS: [u32; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

const MPEG1_RATES_HZ: [u32; 3] = [44_100, 48_000, 32_000];

/// Parses a frame header (ISO/IEC 11172-3, 2.4.1.3):
///
/// ```text
/// bit  0          11 13 15 16     20 22 23 24   26    28 29 30 32
///      +-----------+--+--+--+------+--+--+--+----+-----+--+--+--+
///      |1111.1111.1|ID|ly|pr| rate |sf|pd|pv|mode|m.ext|cr|or|em|
///      +-----------+--+--+--+------+--+--+--+----+-----+--+--+--+
/// ```
///
/// The standard's syncword has 12 bits; its last one is 0 in MPEG-2.5, which
/// makes ID a field of two. Free format (rate 0) has no length of its own and is
/// no header here. The reserved emphasis (2) is taken: stations send it, and no
/// decoder minds.
pub fn parse(bytes: &[u8]) -> Parsed {
    if !could_begin(bytes) {
        return Parsed::NotHere;
    }
    if bytes.len() < HEADER_BYTES {
        return Parsed::NeedMore;
    }
    let rate_shift = match field(bytes, 11, 2) {
        0b11 => 0,
        0b10 => 1,
        0b00 => 2,
        _ => return Parsed::NotHere,
    };
    let codec = match field(bytes, 13, 2) {
        0b11 => Codec::MpegLayer1,
        0b10 => Codec::MpegLayer2,
        0b01 => Codec::MpegLayer3,
        _ => return Parsed::NotHere,
    };
    let lower_rates = rate_shift > 0;
    let kbps_by_index = match (codec, lower_rates) {
        (Codec::MpegLayer1, false) => &MPEG1_LAYER1_KBPS,
        (Codec::MpegLayer2, false) => &MPEG1_LAYER2_KBPS,
        (_, false) => &MPEG1_LAYER3_KBPS,
        (Codec::MpegLayer1, true) => &MPEG2_LAYER1_KBPS,
        (_, true) => &MPEG2_LAYER23_KBPS,
    };
    let rate_index = field(bytes, 16, 4) as usize;
    let (Some(kbps), Some(base_rate_hz)) = (
        rate_index
            .checked_sub(1)
            .and_then(|index| kbps_by_index.get(index)),
        MPEG1_RATES_HZ.get(field(bytes, 20, 2) as usize),
    ) else {
        return Parsed::NotHere;
    };
    let sample_rate_hz = base_rate_hz >> rate_shift;
    let (samples, slot_bytes) = match codec {
        Codec::MpegLayer1 => (384, 4),
        Codec::MpegLayer3 if lower_rates => (576, 1),
        _ => (1152, 1),
    };
    let padding_slots = field(bytes, 22, 1);
    let slots = samples / 8 * kbps * 1000 / sample_rate_hz / slot_bytes + padding_slots;
    const MODE_SINGLE_CHANNEL: u32 = 0b11;
    let channels = if field(bytes, 24, 2) == MODE_SINGLE_CHANNEL {
        1
    } else {
        2
    };
    Parsed::Header(FrameHeader {
        codec,
        size_bytes: (slots * slot_bytes) as usize,
        samples: Some(samples),
        sample_rate_hz: Some(sample_rate_hz),
        channels: Some(channels),
        role: Role::Main,
    })
}

/// Whether a frame's two channels are two programmes (mode dual_channel, ISO/IEC 11172-3,
/// 2.4.2.3).
pub(super) fn is_dual_mono(frame: &[u8]) -> bool {
    const MODE_DUAL_CHANNEL: u32 = 0b10;
    field(frame, 24, 2) == MODE_DUAL_CHANNEL
}

fn could_begin(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|&byte| byte == 0xFF)
        && bytes.get(1).is_none_or(|&byte| byte & 0xE0 == 0xE0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(bytes: [u8; 4]) -> FrameHeader {
        match parse(&bytes) {
            Parsed::Header(header) => header,
            other => panic!("{bytes:02X?} is {other:?}"),
        }
    }

    #[test]
    fn lengths_follow_the_tables_of_each_layer_and_version() {
        for (bytes, codec, size_bytes, samples, sample_rate_hz, channels) in [
            (
                [0xFF, 0xFD, 0x44, 0xC4],
                Codec::MpegLayer2,
                192,
                1152,
                48_000,
                1,
            ),
            (
                [0xFF, 0xFC, 0xA4, 0x00],
                Codec::MpegLayer2,
                576,
                1152,
                48_000,
                2,
            ),
            (
                [0xFF, 0xFF, 0xE2, 0x40],
                Codec::MpegLayer1,
                488,
                384,
                44_100,
                2,
            ),
            (
                [0xFF, 0xFB, 0x90, 0x64],
                Codec::MpegLayer3,
                417,
                1152,
                44_100,
                2,
            ),
            (
                [0xFF, 0xFB, 0x92, 0x64],
                Codec::MpegLayer3,
                418,
                1152,
                44_100,
                2,
            ),
            (
                [0xFF, 0xF3, 0x44, 0xC4],
                Codec::MpegLayer3,
                96,
                576,
                24_000,
                1,
            ),
            (
                [0xFF, 0xE3, 0x48, 0xC4],
                Codec::MpegLayer3,
                288,
                576,
                8_000,
                1,
            ),
        ] {
            assert_eq!(
                header(bytes),
                FrameHeader {
                    codec,
                    size_bytes,
                    samples: Some(samples),
                    sample_rate_hz: Some(sample_rate_hz),
                    channels: Some(channels),
                    role: Role::Main,
                },
                "{bytes:02X?}"
            );
        }
    }

    #[test]
    fn the_mode_alone_makes_two_programmes() {
        for (mode, expected) in [(0x04, false), (0x44, false), (0x84, true), (0xC4, false)] {
            assert_eq!(
                is_dual_mono(&[0xFF, 0xFD, 0x44, mode]),
                expected,
                "{mode:02X}"
            );
        }
        assert!(!is_dual_mono(&[]));
    }

    #[test]
    fn free_format_and_reserved_values_are_no_header() {
        for bytes in [
            [0xFF, 0xFD, 0x04, 0xC4],
            [0xFF, 0xFD, 0xF4, 0xC4],
            [0xFF, 0xFD, 0x4C, 0xC4],
            [0xFF, 0xED, 0x44, 0xC4],
            [0xFF, 0xE9, 0x44, 0xC4],
            [0xFF, 0xF9, 0x44, 0xC4],
        ] {
            assert_eq!(parse(&bytes), Parsed::NotHere, "{bytes:02X?}");
        }
    }

    #[test]
    fn the_reserved_emphasis_is_no_reason_to_refuse_a_frame() {
        assert_eq!(
            header([0xFF, 0xFD, 0x44, 0xC6]),
            header([0xFF, 0xFD, 0x44, 0xC4])
        );
    }

    #[test]
    fn the_beginning_of_a_header_asks_for_more() {
        let bytes = [0xFF, 0xFD, 0x44];
        for length in 0..=bytes.len() {
            assert_eq!(parse(&bytes[..length]), Parsed::NeedMore);
        }
        assert_eq!(parse(&[0xFF, 0x00]), Parsed::NotHere);
        assert_eq!(parse(&[0x47]), Parsed::NotHere);
    }
}
