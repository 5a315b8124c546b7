//! The two clocks of a transport stream (ISO/IEC 13818-1, 2.4.2.1 and 2.4.3.5):
//! 33-bit timestamps of 90 kHz and the program clock reference of 27 MHz. All
//! wrap arithmetic lives here.

use std::fmt;

/// Ticks of a PTS in a second.
pub const TICKS_PER_SECOND: i64 = 90_000;

/// A PTS or DTS: 33 bits of 90 kHz, wrapping every 26.5 hours.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    const MODULUS: u64 = 1 << 33;

    /// Make the timestamp with the given ticks, reduced to 33 bits.
    pub const fn new(ticks_90k: u64) -> Self {
        Self(ticks_90k % Self::MODULUS)
    }

    /// Return the 33-bit value.
    pub const fn ticks_90k(self) -> u64 {
        self.0
    }

    /// This timestamp moved by a signed number of ticks, across the wrap.
    #[must_use]
    pub const fn offset(self, ticks_90k: i64) -> Self {
        Self(
            (self.0 as i64)
                .wrapping_add(ticks_90k)
                .rem_euclid(Self::MODULUS as i64) as u64,
        )
    }

    /// Return the signed ticks from `earlier` to this, by the shorter way around the
    /// circle: between -2^32 and 2^32 - 1.
    pub const fn since(self, earlier: Self) -> i64 {
        let half = Self::MODULUS as i64 / 2;
        (self.0 as i64 - earlier.0 as i64 + half).rem_euclid(Self::MODULUS as i64) - half
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@90k", self.0)
    }
}

/// A program clock reference: 33 bits of 90 kHz times 300 plus 9 bits, in 27 MHz.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pcr(u64);

impl Pcr {
    const MODULUS: u64 = (1 << 33) * 300;

    /// Make the reference with the given 27 MHz ticks, reduced to its range.
    pub const fn new(ticks_27m: u64) -> Self {
        Self(ticks_27m % Self::MODULUS)
    }

    /// Return the value in 27 MHz ticks.
    pub const fn ticks_27m(self) -> u64 {
        self.0
    }

    /// This reference moved by a signed number of 27 MHz ticks, across the wrap.
    #[must_use]
    pub const fn offset(self, ticks_27m: i64) -> Self {
        Self(
            (self.0 as i64)
                .wrapping_add(ticks_27m)
                .rem_euclid(Self::MODULUS as i64) as u64,
        )
    }

    /// Return the signed 27 MHz ticks from `earlier` to this, by the shorter way.
    pub const fn since(self, earlier: Self) -> i64 {
        let half = Self::MODULUS as i64 / 2;
        (self.0 as i64 - earlier.0 as i64 + half).rem_euclid(Self::MODULUS as i64) - half
    }

    /// Return the same moment as a 90 kHz timestamp, rounded down.
    pub const fn timestamp(self) -> Timestamp {
        Timestamp(self.0 / 300)
    }
}

impl fmt::Debug for Pcr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@27M", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_moved_clock_is_as_far_away_as_it_was_moved(
            start in 0u64..1 << 33,
            ticks in -(1i64 << 32)..1 << 32,
        ) {
            let stamp = Timestamp::new(start);
            prop_assert_eq!(stamp.offset(ticks).since(stamp), ticks);
            let pcr = Pcr::new(start * 300);
            prop_assert_eq!(pcr.offset(ticks * 300).since(pcr), ticks * 300);
            prop_assert_eq!(pcr.offset(ticks * 300).timestamp(), stamp.offset(ticks));
        }
    }
}
