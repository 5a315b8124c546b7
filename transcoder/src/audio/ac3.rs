//! AC-3 and Enhanced AC-3: ETSI TS 102 366, clause 4 and annex E. Both share the
//! sync word and the position of `bsid`, which distinguishes them.

use super::bits::field;
use super::codec::Codec;
use super::frame::{FrameHeader, Parsed, Role};

/// Bytes of either header up to the channel fields.
pub const HEADER_BYTES: usize = 7;

const SYNC_WORD: [u8; 2] = [0x0B, 0x77];

/// Samples of an audio block, of each channel.
const BLOCK_SAMPLES: u32 = 256;

const RATES_HZ: [u32; 3] = [48_000, 44_100, 32_000];

/// Bit rates by frmsizecod / 2, in kbit/s (TS 102 366, table 4.13).
const KBPS: [u32; 19] = [
    32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
];

/// Full-bandwidth channels by acmod (TS 102 366, table 4.3); 0 is two mono
/// programmes.
const CHANNELS: [u8; 8] = [2, 1, 2, 3, 3, 4, 4, 5];

/// Parse the sync frame header of AC-3 or E-AC-3.
pub fn parse(bytes: &[u8]) -> Parsed {
    if !bytes.iter().zip(SYNC_WORD).all(|(&a, b)| a == b) {
        return Parsed::NotHere;
    }
    if bytes.len() < HEADER_BYTES {
        return Parsed::NeedMore;
    }
    let header = match field(bytes, 40, 5) {
        bsid @ 0..=10 => parse_ac3(bytes, bsid),
        11..=16 => parse_eac3(bytes),
        _ => None,
    };
    header.map_or(Parsed::NotHere, Parsed::Header)
}

/// Return whether the two channels of a frame are two programmes (acmod 0, 1+1).
pub(super) fn is_dual_mono(frame: &[u8]) -> bool {
    frame.starts_with(&SYNC_WORD) && acmod(frame) == 0
}

/// Return whether a frame says how loud its centre and surround channels are in a downmix. AC-3
/// always does where it has such channels, E-AC-3 where mixmdate is set (TS 102 366, E.1.2.2).
pub(super) fn has_mix_levels(frame: &[u8]) -> bool {
    const BSI_END_OF_DIALNORM: usize = 50;
    if !is_eac3(frame) {
        return true;
    }
    let has_compression = field(frame, BSI_END_OF_DIALNORM, 1) == 1;
    let mixing_metadata = BSI_END_OF_DIALNORM + 1 + if has_compression { 8 } else { 0 };
    acmod(frame) != 0 && field(frame, mixing_metadata, 1) == 1
}

fn is_eac3(frame: &[u8]) -> bool {
    field(frame, 40, 5) > 10
}

fn acmod(frame: &[u8]) -> u32 {
    field(frame, if is_eac3(frame) { 36 } else { 48 }, 3)
}

/// syncinfo() and bsi() (TS 102 366, 4.3):
///
/// ```text
/// bit  0      16      32    34         40   45    48    51
///      +------+-------+-----+----------+----+-----+-----+--------------+-----+
///      | 0B77 | crc1  |fscod|frmsizecod|bsid|bsmod|acmod| mix levels   |lfeon|
///      +------+-------+-----+----------+----+-----+-----+--------------+-----+
/// ```
///
/// `bsid` 9 and 10 halve and quarter the sample rate; no standard says so, but
/// encoders and decoders agree.
fn parse_ac3(bytes: &[u8], bsid: u32) -> Option<FrameHeader> {
    let rate_code = field(bytes, 32, 2);
    let base_rate_hz = *RATES_HZ.get(rate_code as usize)?;
    let size_code = field(bytes, 34, 6);
    let kbps = *KBPS.get(size_code as usize / 2)?;
    let words = match base_rate_hz {
        48_000 => kbps * 2,
        44_100 => kbps * 320 / 147 + size_code % 2,
        _ => kbps * 3,
    };
    let acmod = field(bytes, 48, 3);
    let has_centre_and_others = acmod & 1 != 0 && acmod != 1;
    let has_surround = acmod & 4 != 0;
    let is_stereo = acmod == 2;
    let mix_level_bits = 2 * [has_centre_and_others, has_surround, is_stereo]
        .map(usize::from)
        .iter()
        .sum::<usize>();
    Some(FrameHeader {
        codec: Codec::Ac3,
        size_bytes: words as usize * 2,
        samples: Some(6 * BLOCK_SAMPLES),
        sample_rate_hz: Some(base_rate_hz >> bsid.saturating_sub(8)),
        channels: Some(channels(acmod, field(bytes, 51 + mix_level_bits, 1))),
        role: Role::Main,
    })
}

/// syncinfo() and bsi() of E-AC-3 (TS 102 366, E.1.2):
///
/// ```text
/// bit  0      16     18    21       32    34        36    39    40
///      +------+------+-----+--------+-----+---------+-----+-----+----+
///      | 0B77 |strmty|subid| frmsiz |fscod|numblksco|acmod|lfeon|bsid|
///      +------+------+-----+--------+-----+---------+-----+-----+----+
///                                   |  3  | fscod2  |  (half rates, six blocks)
/// ```
fn parse_eac3(bytes: &[u8]) -> Option<FrameHeader> {
    const DEPENDENT: u32 = 1;
    const RESERVED: u32 = 3;
    const MIN_FRAME_BYTES: usize = 2 * HEADER_BYTES;

    let role = match (field(bytes, 16, 2), field(bytes, 18, 3)) {
        (RESERVED, _) => return None,
        (DEPENDENT, _) => Role::Dependent,
        (_, 0) => Role::Main,
        _ => Role::OtherProgramme,
    };
    let size_bytes = (field(bytes, 21, 11) as usize + 1) * 2;
    if size_bytes < MIN_FRAME_BYTES {
        return None;
    }
    let second_code = field(bytes, 34, 2) as usize;
    let (sample_rate_hz, blocks) = match RATES_HZ.get(field(bytes, 32, 2) as usize) {
        Some(&rate_hz) => (rate_hz, [1, 2, 3, 6][second_code]),
        None => (RATES_HZ.get(second_code)? / 2, 6),
    };
    Some(FrameHeader {
        codec: Codec::Eac3,
        size_bytes,
        samples: Some(blocks * BLOCK_SAMPLES),
        sample_rate_hz: Some(sample_rate_hz),
        channels: Some(channels(field(bytes, 36, 3), field(bytes, 39, 1))),
        role,
    })
}

fn channels(acmod: u32, lfeon: u32) -> u8 {
    CHANNELS[acmod as usize] + lfeon as u8
}

/// Return whether the frame's cyclic redundancy checks hold. In AC-3 `crc1` makes the first
/// 5/8 of the frame divide evenly and `crc2` the rest (TS 102 366, 6.1.7), in E-AC-3 `crc2`
/// does the whole (E.1.3); in either case the remainder over everything behind the sync
/// word is zero.
pub(super) fn checksum_holds(frame: &[u8]) -> bool {
    let checked = frame.get(SYNC_WORD.len()..).unwrap_or_default();
    0 == checked.iter().fold(0u16, |remainder, &byte| {
        remainder << 8 ^ CRC_TABLE[usize::from((remainder >> 8) as u8 ^ byte)]
    })
}

/// Remainders of x^16 + x^15 + x^2 + 1 by byte.
const CRC_TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            let carry = remainder & 0x8000 != 0;
            remainder <<= 1;
            if carry {
                remainder ^= 0x8005;
            }
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests;
