//! Display sets written bit by bit.

/// The page that the tests decode, and the page of objects that it shares with others.
pub(crate) const PAGE: u16 = 2;
pub(crate) const SHARED: u16 = 7;

/// States of a page.
pub(crate) const NORMAL: u8 = 0;
pub(crate) const ACQUISITION: u8 = 1;
pub(crate) const MODE_CHANGE: u8 = 2;

/// Bits written as ones and zeros, with spaces between fields, up to a whole byte.
pub(crate) fn bits(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let byte = |bits: &[u8]| {
        let value = bits.iter().fold(0, |byte, bit| byte << 1 | (bit & 1));
        value << (8 - bits.len())
    };
    digits.chunks(8).map(byte).collect()
}

/// The data of a PES packet.
#[derive(Debug, Clone)]
pub(crate) struct Set {
    bytes: Vec<u8>,
    page_id: u16,
}

/// A region, as a composition segment says it.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    pub(crate) id: u8,
    pub(crate) fills: bool,
    pub(crate) size: (u16, u16),
    /// Bits of a pixel.
    pub(crate) depth: u8,
    pub(crate) clut: u8,
    pub(crate) background: u8,
    /// Id, x, y.
    pub(crate) objects: Vec<(u16, u16, u16)>,
}

impl Region {
    pub(crate) fn new(id: u8, size: (u16, u16), depth: u8) -> Self {
        Self {
            id,
            fills: true,
            size,
            depth,
            clut: 0,
            background: 0,
            objects: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, object: u16, x: u16, y: u16) -> Self {
        self.objects.push((object, x, y));
        self
    }
}

impl Set {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0x20, 0x00],
            page_id: PAGE,
        }
    }

    /// The segments behind it are of this page.
    pub(crate) fn of_page(mut self, page_id: u16) -> Self {
        self.page_id = page_id;
        self
    }

    pub(crate) fn segment(mut self, kind: u8, content: &[u8]) -> Self {
        self.bytes.extend([0x0F, kind]);
        self.bytes.extend(self.page_id.to_be_bytes());
        self.bytes.extend((content.len() as u16).to_be_bytes());
        self.bytes.extend(content);
        self
    }

    /// Regions: id, x, y.
    pub(crate) fn page(
        self,
        time_out_s: u8,
        version: u8,
        state: u8,
        regions: &[(u8, u16, u16)],
    ) -> Self {
        let mut content = vec![time_out_s, version << 4 | state << 2 | 3];
        for (id, x, y) in regions {
            content.extend([*id, 0xFF]);
            content.extend([x.to_be_bytes(), y.to_be_bytes()].concat());
        }
        self.segment(0x10, &content)
    }

    pub(crate) fn region(self, region: &Region) -> Self {
        let depth = match region.depth {
            2 => 1,
            4 => 2,
            _ => 3,
        };
        let mut content = vec![region.id, 0x07 | u8::from(region.fills) << 3];
        content.extend(region.size.0.to_be_bytes());
        content.extend(region.size.1.to_be_bytes());
        content.extend([depth << 5 | depth << 2 | 3, region.clut]);
        // Only the entry of the region's depth counts.
        content.extend(match region.depth {
            2 => [0xEE, 0xE0 | region.background << 2 | 3],
            4 => [0xEE, region.background << 4 | 0xF],
            _ => [region.background, 0xEF],
        });
        for (object, x, y) in &region.objects {
            content.extend(object.to_be_bytes());
            content.extend(x.to_be_bytes());
            content.extend((y | 0xF000).to_be_bytes());
        }
        self.segment(0x11, &content)
    }

    /// Entries: number, flags (0x80, 0x40, 0x20: of 2, 4, 8 bits), Y, Cr, Cb, T.
    pub(crate) fn clut(self, id: u8, version: u8, entries: &[(u8, u8, [u8; 4])]) -> Self {
        let mut content = vec![id, version << 4 | 0xF];
        for (entry, tables, value) in entries {
            content.extend([*entry, tables | 0x1F]);
            content.extend(value);
        }
        self.segment(0x12, &content)
    }

    pub(crate) fn object(self, id: u16, top: &[u8], bottom: &[u8]) -> Self {
        self.object_with(id, 0, top, bottom)
    }

    /// Flags: coding method (2 bits), non-modifying colour, a reserved bit.
    pub(crate) fn object_with(self, id: u16, flags: u8, top: &[u8], bottom: &[u8]) -> Self {
        let mut content = id.to_be_bytes().to_vec();
        content.push(flags);
        content.extend((top.len() as u16).to_be_bytes());
        content.extend((bottom.len() as u16).to_be_bytes());
        content.extend([top, bottom].concat());
        self.segment(0x13, &content)
    }

    /// Window: from x to x, from y to y.
    pub(crate) fn display(self, version: u8, size: (u16, u16), window: Option<[u16; 4]>) -> Self {
        let mut content = vec![version << 4 | u8::from(window.is_some()) << 3 | 7];
        content.extend((size.0 - 1).to_be_bytes());
        content.extend((size.1 - 1).to_be_bytes());
        content.extend(window.iter().flatten().flat_map(|part| part.to_be_bytes()));
        self.segment(0x14, &content)
    }

    pub(crate) fn end(self) -> Self {
        self.segment(0x80, &[])
    }

    /// The bytes, with the end marker behind them.
    pub(crate) fn data(&self) -> Vec<u8> {
        [&self.bytes[..], &[0xFF]].concat()
    }
}

/// A field of an object: a line of pixels for each text, in codes of 2 bits.
pub(crate) fn two_bit_field(lines: &[&str]) -> Vec<u8> {
    field(0x10, lines, "000000", |pixel| match pixel {
        '0' => "0001".to_owned(),
        digit => format!("{:02b}", digit.to_digit(4).expect("a pixel")),
    })
}

/// The same in codes of 4 bits; pixels are hexadecimal digits.
pub(crate) fn four_bit_field(lines: &[&str]) -> Vec<u8> {
    field(0x11, lines, "00000000", |pixel| match pixel {
        '0' => "00001100".to_owned(),
        digit => format!("{:04b}", digit.to_digit(16).expect("a pixel")),
    })
}

fn field(kind: u8, lines: &[&str], end: &str, code: impl Fn(char) -> String) -> Vec<u8> {
    let line = |pixels: &&str| {
        let codes: String = pixels.chars().map(&code).collect();
        [&[kind][..], &bits(&(codes + end)), &[0xF0]].concat()
    };
    lines.iter().flat_map(line).collect()
}
