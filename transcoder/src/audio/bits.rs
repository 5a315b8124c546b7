//! Bit fields of a header, numbered as the standards draw them: bit 0 is the
//! most significant bit of the first byte.

/// Return the `width` bits that start at bit `at`, at most 24 of them. Bits beyond the end
/// of `bytes` read as zero.
pub(super) fn field(bytes: &[u8], at: usize, width: usize) -> u32 {
    debug_assert!(width <= 24);
    let first = at / 8;
    let window = (first..first + 4).fold(0, |window, index| {
        window << 8 | u32::from(bytes.get(index).copied().unwrap_or(0))
    });
    window << (at % 8) >> (32 - width)
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_may_cross_bytes_and_end_with_the_last_bit() {
        let bytes = [0b1010_0101, 0b1100_0011, 0xFF];
        assert_eq!(field(&bytes, 0, 1), 1);
        assert_eq!(field(&bytes, 1, 3), 0b010);
        assert_eq!(field(&bytes, 6, 4), 0b0111);
        assert_eq!(field(&bytes, 0, 24), 0xA5_C3FF);
        assert_eq!(field(&bytes, 20, 8), 0xF0);
    }
}
