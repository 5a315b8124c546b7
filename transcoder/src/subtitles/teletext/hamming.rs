//! The codes that protect teletext (ETSI EN 300 706, 8.1 to 8.3).
//!
//! Bits are numbered in the order of their transmission, the first is the lowest.

/// Return the data bits of a byte in Hamming 8/4, D1 the lowest. One wrong bit is put right; none
/// for two.
pub(super) fn nibble(byte: u8) -> Option<u8> {
    let value = NIBBLES[usize::from(byte)];
    (value != INVALID).then_some(value)
}

/// Two bytes in Hamming 8/4: the first holds the lower bits.
pub(super) fn pair(low: u8, high: u8) -> Option<u8> {
    Some(nibble(low)? | nibble(high)? << 4)
}

/// Return the 18 data bits of three bytes in Hamming 24/18, D1 the lowest. One wrong bit is put
/// right; none for two.
pub(super) fn triplet(bytes: [u8; 3]) -> Option<u32> {
    let [a, b, c] = bytes;
    let mut bits = u32::from_le_bytes([a, b, c, 0]);
    // Positions 1 to 23 of the bits that are set: each of the five tests (table 13) has odd parity.
    let set = (1..24u32).filter(|position| bits >> (position - 1) & 1 == 1);
    let wrong = set.fold(0, |sum, position| sum ^ position) ^ 0x1F;
    // With an odd sum, and no other test failed, nothing is wrong; with an even one the last bit is.
    let is_even = bits.count_ones().is_multiple_of(2);
    match (is_even, wrong) {
        (_, 0) => {}
        (true, 1..24) => bits ^= 1 << (wrong - 1),
        _ => return None,
    }
    let data = |from: u32, count: u32| bits >> (from - 1) & ((1 << count) - 1);
    Some(data(3, 1) | data(5, 3) << 1 | data(9, 7) << 4 | data(17, 7) << 11)
}

/// Return the seven bits of a character, whose parity is odd; none where it is not.
pub(super) fn character(byte: u8) -> Option<u8> {
    (byte.count_ones() % 2 == 1).then_some(byte & 0x7F)
}

const INVALID: u8 = 0xFF;

const NIBBLES: [u8; 256] = nibbles();

const fn nibbles() -> [u8; 256] {
    let mut table = [INVALID; 256];
    let mut value = 0;
    while value < 16 {
        let code = hamming_8_4(value);
        table[code as usize] = value;
        let mut bit = 0;
        while bit < 8 {
            table[(code ^ 1 << bit) as usize] = value;
            bit += 1;
        }
        value += 1;
    }
    table
}

/// Return the code of four bits: P1 D1 P2 D2 P3 D3 P4 D4.
const fn hamming_8_4(value: u8) -> u8 {
    let (d1, d2, d3, d4) = (value & 1, value >> 1 & 1, value >> 2 & 1, value >> 3 & 1);
    let p1 = 1 ^ d1 ^ d3 ^ d4;
    let p2 = 1 ^ d1 ^ d2 ^ d4;
    let p3 = 1 ^ d1 ^ d2 ^ d3;
    let p4 = 1 ^ p1 ^ d1 ^ p2 ^ d2 ^ p3 ^ d3 ^ d4;
    p1 | d1 << 1 | p2 << 2 | d2 << 3 | p3 << 4 | d3 << 5 | p4 << 6 | d4 << 7
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EN 300 706, table 11, written with the first bit as the lowest.
    const CODES: [u8; 16] = [
        0x15, 0x02, 0x49, 0x5E, 0x64, 0x73, 0x38, 0x2F, 0xD0, 0xC7, 0x8C, 0x9B, 0xA1, 0xB6, 0xFD,
        0xEA,
    ];

    /// A code of 24 bits for 18 by its definition, and not by positions.
    fn hamming_24_18(data: u32) -> [u8; 3] {
        let d = |n: u32| data >> (n - 1) & 1;
        let sum = |ns: &[u32]| 1 ^ ns.iter().fold(0, |sum, &n| sum ^ d(n));
        let p1 = sum(&[1, 2, 4, 5, 7, 9, 11, 12, 14, 16, 18]);
        let p2 = sum(&[1, 3, 4, 6, 7, 10, 11, 13, 14, 17, 18]);
        let p3 = sum(&[2, 3, 4, 8, 9, 10, 11, 15, 16, 17, 18]);
        let p4 = sum(&[5, 6, 7, 8, 9, 10, 11]);
        let p5 = sum(&[12, 13, 14, 15, 16, 17, 18]);
        let mut bits = vec![p1, p2, d(1), p3, d(2), d(3), d(4), p4];
        bits.extend((5..=11).map(d));
        bits.push(p5);
        bits.extend((12..=18).map(d));
        bits.push(1 ^ bits.iter().fold(0, |sum, bit| sum ^ bit));
        let byte = |n: usize| (0..8).fold(0, |byte, bit| byte | (bits[n * 8 + bit] as u8) << bit);
        [byte(0), byte(1), byte(2)]
    }

    #[test]
    fn four_bits_survive_one_wrong_bit_and_two_are_noticed() {
        for (value, code) in CODES.iter().enumerate() {
            assert_eq!(nibble(*code), Some(value as u8));
            for first in 0..8 {
                assert_eq!(nibble(code ^ 1 << first), Some(value as u8));
                for second in (0..8).filter(|&second| second != first) {
                    assert_eq!(nibble(code ^ 1 << first ^ 1 << second), None);
                }
            }
        }
    }

    #[test]
    fn eighteen_bits_survive_one_wrong_bit_and_two_are_noticed() {
        for data in [0, 1, 0x3FFFF, 0x2A5A5, 0x15A5A, 0x00FF0, 0x20001] {
            let code = u32::from_le_bytes({
                let [a, b, c] = hamming_24_18(data);
                [a, b, c, 0]
            });
            let read = |code: u32| {
                let [a, b, c, _] = code.to_le_bytes();
                triplet([a, b, c])
            };
            assert_eq!(read(code), Some(data), "{data:#x}");
            for first in 0..24 {
                assert_eq!(read(code ^ 1 << first), Some(data), "{data:#x} {first}");
                for second in (0..24).filter(|&second| second != first) {
                    assert_eq!(read(code ^ 1 << first ^ 1 << second), None);
                }
            }
        }
    }

    #[test]
    fn a_character_of_even_parity_is_none() {
        assert_eq!(character(0x61), Some(0x61));
        assert_eq!(character(0xE1), None);
        assert_eq!(character(0x80 | 0x20 | 0x40), Some(0x60));
    }
}
