//! Pixels of an object's field (ETSI EN 300 743, 7.2.5.1 and 7.2.5.2).
//!
//! ```text
//! 10, 11, 12: pixels of 2, 4, 8 bits, run-length coded, up to their end and a whole byte
//! 20, 21, 22: map table from 2 to 4, 2 to 8, 4 to 8 bits
//! F0:         the next line of the field
//! ```

use super::segment::Depth;

/// Where pixels go: what is drawn outside of it is left out.
pub(super) struct Canvas<'a> {
    pub(super) pixels: &'a mut [u8],
    pub(super) width: usize,
    pub(super) depth: Depth,
}

/// A field's place in its region.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) x: usize,
    /// The field's first line; the next one is two lines below.
    pub(super) y: usize,
}

/// Codes of fewer bits than the region has stand for these entries.
struct Maps {
    two_to_four: [u8; 4],
    two_to_eight: [u8; 4],
    four_to_eight: [u8; 16],
}

impl Default for Maps {
    /// EN 300 743, 10.4 to 10.6.
    fn default() -> Self {
        Self {
            two_to_four: [0x0, 0x7, 0x8, 0xF],
            two_to_eight: [0x00, 0x77, 0x88, 0xFF],
            four_to_eight: std::array::from_fn(|code| code as u8 * 0x11),
        }
    }
}

/// Draw a field. With `keeps_ones`, pixels of the code 1 change nothing.
pub(super) fn draw(canvas: &mut Canvas<'_>, place: Place, data: &[u8], keeps_ones: bool) {
    let mut maps = Maps::default();
    let mut rest = data;
    let Place { mut x, mut y } = place;
    while let Some((&kind, behind)) = rest.split_first() {
        let height = canvas.pixels.len() / canvas.width.max(1);
        if y >= height {
            return;
        }
        rest = behind;
        match kind {
            0x10..=0x12 => {
                let (next_run, map): (NextRun, Option<&[u8]>) = match (kind, canvas.depth) {
                    (0x10, Depth::Two) => (two_bits, None),
                    (0x10, Depth::Four) => (two_bits, Some(&maps.two_to_four)),
                    (0x10, Depth::Eight) => (two_bits, Some(&maps.two_to_eight)),
                    (0x11, Depth::Four) => (four_bits, None),
                    (0x11, Depth::Eight) => (four_bits, Some(&maps.four_to_eight)),
                    (0x12, Depth::Eight) => (eight_bits, None),
                    // More bits than the region has: no decoder knows their colours.
                    _ => return,
                };
                let start = y * canvas.width;
                let row = &mut canvas.pixels[start..start + canvas.width];
                let mut bits = Bits::new(rest);
                while !(kind == 0x12 && x == canvas.width && ends_short(&mut bits))
                    && let Some(Run { length, code }) = next_run(&mut bits)
                {
                    let end = x.saturating_add(length);
                    if !(keeps_ones && code == 1) {
                        let code = map.map_or(code, |map| map[usize::from(code)]);
                        row[x.min(canvas.width)..end.min(canvas.width)].fill(code);
                    }
                    x = end;
                }
                rest = bits.behind();
            }
            0x20 => {
                let Some((&[a, b], behind)) = rest.split_first_chunk() else {
                    return;
                };
                maps.two_to_four = [a >> 4, a & 0xF, b >> 4, b & 0xF];
                rest = behind;
            }
            0x21 => {
                let Some((&map, behind)) = rest.split_first_chunk() else {
                    return;
                };
                (maps.two_to_eight, rest) = (map, behind);
            }
            0x22 => {
                let Some((&map, behind)) = rest.split_first_chunk() else {
                    return;
                };
                (maps.four_to_eight, rest) = (map, behind);
            }
            0xF0 => {
                x = place.x;
                y += 2;
            }
            // Stuffing that some encoders leave, one byte each.
            _ => {}
        }
    }
}

/// Pixels of one code.
struct Run {
    length: usize,
    code: u8,
}

/// Reads the next run of a string; none at its end.
type NextRun = fn(&mut Bits<'_>) -> Option<Run>;

/// Return the next run of 2-bit/pixel_code_string; none at the end of the string.
fn two_bits(bits: &mut Bits<'_>) -> Option<Run> {
    let run = |length: u8, code| {
        Some(Run {
            length: length.into(),
            code,
        })
    };
    match bits.take(2)? {
        0 => {}
        code => return run(1, code),
    }
    if bits.take(1)? == 1 {
        let length = bits.take(3)? + 3;
        return run(length, bits.take(2)?);
    }
    if bits.take(1)? == 1 {
        return run(1, 0);
    }
    match bits.take(2)? {
        0 => None,
        1 => run(2, 0),
        2 => {
            let length = bits.take(4)? + 12;
            run(length, bits.take(2)?)
        }
        _ => {
            let length = usize::from(bits.take(8)?) + 29;
            let code = bits.take(2)?;
            Some(Run { length, code })
        }
    }
}

/// Return the next run of 4-bit/pixel_code_string; none at the end of the string.
fn four_bits(bits: &mut Bits<'_>) -> Option<Run> {
    let run = |length: u8, code| {
        Some(Run {
            length: length.into(),
            code,
        })
    };
    match bits.take(4)? {
        0 => {}
        code => return run(1, code),
    }
    if bits.take(1)? == 0 {
        return match bits.take(3)? {
            0 => None,
            length => run(length + 2, 0),
        };
    }
    if bits.take(1)? == 0 {
        let length = bits.take(2)? + 4;
        return run(length, bits.take(4)?);
    }
    match bits.take(2)? {
        0 => run(1, 0),
        1 => run(2, 0),
        2 => {
            let length = bits.take(4)? + 9;
            run(length, bits.take(4)?)
        }
        _ => {
            let length = usize::from(bits.take(8)?) + 25;
            let code = bits.take(4)?;
            Some(Run { length, code })
        }
    }
}

/// Return the next run of 8-bit/pixel_code_string; none at the end of the string.
fn eight_bits(bits: &mut Bits<'_>) -> Option<Run> {
    let run = |length: u8, code| {
        Some(Run {
            length: length.into(),
            code,
        })
    };
    match bits.take(8)? {
        0 => {}
        code => return run(1, code),
    }
    let has_code = bits.take(1)? == 1;
    let length = bits.take(7)?;
    match (has_code, length) {
        (false, 0) => None,
        (false, length) => run(length, 0),
        (true, length) => run(length, bits.take(8)?),
    }
}

/// Take the end of a string of 8 bits behind a row that is exactly full. libavcodec writes one byte
/// of it instead of two, and the end of the line behind it.
fn ends_short(bits: &mut Bits<'_>) -> bool {
    let count = match bits.behind() {
        [0, 0, ..] => 2,
        [0] | [0, 0xF0, ..] => 1,
        _ => return false,
    };
    for _ in 0..count {
        bits.take(8);
    }
    true
}

/// Bits, the first one being the highest.
struct Bits<'a> {
    bytes: &'a [u8],
    taken: usize,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, taken: 0 }
    }

    /// Return the next bits, eight at most; none where they are not all there.
    fn take(&mut self, count: usize) -> Option<u8> {
        let end = self.taken + count;
        if end > self.bytes.len() * 8 {
            self.taken = self.bytes.len() * 8;
            return None;
        }
        let at = self.taken / 8;
        let next = self.bytes.get(at + 1).copied().unwrap_or(0);
        let pair = u16::from_be_bytes([self.bytes[at], next]);
        let value = pair << (self.taken % 8) >> (16 - count);
        self.taken = end;
        Some(value as u8)
    }

    /// Return the bytes behind the one of which bits were taken last.
    fn behind(&self) -> &'a [u8] {
        &self.bytes[self.taken.div_ceil(8)..]
    }
}
