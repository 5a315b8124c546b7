//! Colours (ETSI EN 300 743, 7.2.4 and clause 10).

use super::segment::{ClutDefinition, ClutEntry, Depth};

/// Red, green, blue, and how opaque it is.
pub(super) type Rgba = [u8; 4];

const OPAQUE: u8 = 255;

/// The tables of one CLUT family: for each depth of a region one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clut {
    version: Option<u8>,
    two: [Rgba; 4],
    four: [Rgba; 16],
    eight: [Rgba; 256],
}

impl Default for Clut {
    /// Return what holds for entries that the stream does not define (clause 10).
    fn default() -> Self {
        Self {
            version: None,
            two: [
                [0; 4],
                [255, 255, 255, OPAQUE],
                [0, 0, 0, OPAQUE],
                [127, 127, 127, OPAQUE],
            ],
            four: std::array::from_fn(|entry| default_of_16(entry as u8)),
            eight: std::array::from_fn(|entry| default_of_256(entry as u8)),
        }
    }
}

impl Clut {
    /// Take the entries of a definition, unless it has the version of the last one.
    pub(super) fn define(&mut self, definition: &ClutDefinition<'_>) {
        if self.version == Some(definition.version) {
            return;
        }
        self.version = Some(definition.version);
        for defined in definition.entries() {
            let entry = usize::from(defined.entry);
            let colour = rgba(&defined);
            if let Some(place) = self.two.get_mut(entry).filter(|_| defined.in_two) {
                *place = colour;
            }
            if let Some(place) = self.four.get_mut(entry).filter(|_| defined.in_four) {
                *place = colour;
            }
            if let Some(place) = self.eight.get_mut(entry).filter(|_| defined.in_eight) {
                *place = colour;
            }
        }
    }

    /// Return the table for regions of this depth.
    pub(super) fn table(&self, depth: Depth) -> &[Rgba] {
        match depth {
            Depth::Two => &self.two,
            Depth::Four => &self.four,
            Depth::Eight => &self.eight,
        }
    }
}

/// Red, green and blue are the bits 0, 1 and 2 of the entry, 3 halves them.
fn default_of_16(entry: u8) -> Rgba {
    let level = if entry & 8 == 0 { 255 } else { 127 };
    let part = |bit: u8| if entry & bit == 0 { 0 } else { level };
    let alpha = if entry == 0 { 0 } else { OPAQUE };
    [part(1), part(2), part(4), alpha]
}

/// Red, green and blue are the bits 0, 1 and 2 of the entry for a third and 4, 5 and 6 for two
/// thirds of the value that the bits 3 and 7 select.
fn default_of_256(entry: u8) -> Rgba {
    if entry == 0 {
        return [0; 4];
    }
    if entry < 8 {
        let part = |bit: u8| if entry & bit == 0 { 0 } else { 255 };
        return [part(1), part(2), part(4), 63];
    }
    let (third, two_thirds, base, alpha) = match entry & 0x88 {
        0x00 => (85, 170, 0, OPAQUE),
        0x08 => (85, 170, 0, 127),
        0x80 => (43, 85, 127, OPAQUE),
        _ => (43, 85, 0, OPAQUE),
    };
    let part = |bit: u8| -> u8 {
        let low = if entry & bit == 0 { 0 } else { third };
        let high = if entry & bit << 4 == 0 { 0 } else { two_thirds };
        base + low + high
    };
    [part(1), part(2), part(4), alpha]
}

/// Return the colour of an entry, by ITU-R BT.601 for a display of any size: so do the decoders
/// that broadcasts are tried with (libavcodec, VLC).
fn rgba(entry: &ClutEntry) -> Rgba {
    // Y_value 0 is full transparency, whatever the rest says.
    if entry.y == 0 {
        return [0; 4];
    }
    // In 1/65536: 255/219; and 255/224 times 1.402, 0.344136, 0.714136 and 1.772.
    const ROUND: i32 = 1 << 15;
    let y = (i32::from(entry.y) - 16) * 76_309;
    let cr = i32::from(entry.cr) - 128;
    let cb = i32::from(entry.cb) - 128;
    let part = |chroma: i32| ((y + chroma + ROUND) >> 16).clamp(0, 255) as u8;
    [
        part(cr * 104_597),
        part(-cb * 25_675 - cr * 53_279),
        part(cb * 132_201),
        OPAQUE - entry.transparency,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(y: u8, cr: u8, cb: u8, transparency: u8) -> Rgba {
        rgba(&ClutEntry {
            entry: 0,
            in_two: false,
            in_four: false,
            in_eight: false,
            y,
            cr,
            cb,
            transparency,
        })
    }

    #[test]
    fn colours_are_those_of_colour_bars_and_luma_0_is_transparent() {
        // 100 % bars of BT.601, rounded to 8 bits: within a step of what they stand for.
        let bars = [
            ([235, 128, 128], [255, 255, 255]),
            ([210, 146, 16], [255, 255, 0]),
            ([170, 16, 166], [0, 255, 255]),
            ([145, 34, 54], [0, 255, 0]),
            ([106, 222, 202], [255, 0, 255]),
            ([81, 240, 90], [255, 0, 0]),
            ([41, 110, 240], [0, 0, 255]),
            ([16, 128, 128], [0, 0, 0]),
        ];
        for ([y, cr, cb], expected) in bars {
            let [red, green, blue, alpha] = colour(y, cr, cb, 0);
            for (part, expected) in [red, green, blue].into_iter().zip(expected) {
                assert!(part.abs_diff(expected) <= 1, "{y} {cr} {cb}: {part}");
            }
            assert_eq!(alpha, 255);
        }
        assert_eq!(colour(235, 128, 128, 0x40)[3], 0xBF);
        assert_eq!(colour(0, 255, 1, 0), [0; 4]);
        assert_eq!(colour(255, 255, 255, 255)[3], 0);
    }

    #[test]
    fn default_colours_are_those_of_clause_10() {
        let clut = Clut::default();
        let grey = [127, 127, 127, 255];
        assert_eq!(clut.two, [[0; 4], [255; 4], [0, 0, 0, 255], grey], "2 bits");
        assert_eq!(clut.four[0], [0; 4]);
        assert_eq!(clut.four[0b0001], [255, 0, 0, 255]);
        assert_eq!(clut.four[0b0110], [0, 255, 255, 255]);
        assert_eq!(clut.four[0b1000], [0, 0, 0, 255]);
        assert_eq!(clut.four[0b1111], grey);
        assert_eq!(clut.eight[0], [0; 4]);
        assert_eq!(clut.eight[0b0000_0111], [255, 255, 255, 63]);
        assert_eq!(clut.eight[0b0111_0111], [255; 4]);
        assert_eq!(clut.eight[0b0001_0000], [170, 0, 0, 255]);
        assert_eq!(clut.eight[0b0000_1010], [0, 85, 0, 127]);
        assert_eq!(clut.eight[0b1000_0000], grey);
        assert_eq!(clut.eight[0b1111_0111], [255; 4]);
        assert_eq!(clut.eight[0b1100_1100], [0, 0, 128, 255]);
        assert_eq!(clut.eight[0b1000_1000], [0, 0, 0, 255]);
    }
}
