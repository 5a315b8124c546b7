//! MPEG audio, layers I to III: ISO/IEC 11172-3 (MPEG-1, 32 to 48 kHz),
//! ISO/IEC 13818-3 (MPEG-2, half those rates), and the unofficial MPEG-2.5
//! (a quarter).

use super::bits::field;
use super::codec::Codec;
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

/// Parse a frame header (ISO/IEC 11172-3, 2.4.1.3):
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

/// Return whether a frame's two channels are two programmes (mode dual_channel, ISO/IEC
/// 11172-3, 2.4.2.3).
pub(super) fn is_dual_mono(frame: &[u8]) -> bool {
    const MODE_DUAL_CHANNEL: u32 = 0b10;
    field(frame, 24, 2) == MODE_DUAL_CHANNEL
}

fn could_begin(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|&byte| byte == 0xFF)
        && bytes.get(1).is_none_or(|&byte| byte & 0xE0 == 0xE0)
}

#[cfg(test)]
mod tests;
