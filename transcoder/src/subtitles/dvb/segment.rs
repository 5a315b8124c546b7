//! Syntax of subtitling segments (ETSI EN 300 743, 7.2).
//!
//! ```text
//! PES_data_field:  20 | 00 | segment ... | FF
//! segment:         0F | type 8 | page_id 16 | length 16 | data
//! 10 page:         time_out 8 | version 4 state 2 (2) | { region 8 | (8) | x 16 | y 16 }*
//! 11 region:       id 8 | version 4 fill 1 (3) | width 16 | height 16 | level 3 depth 3 (2)
//!                  | CLUT 8 | background: 8 bits, 4 bits, 2 bits (2)
//!                  | { object 16 | type 2 provider 2 x 12 | (4) y 12 | type 1, 2: 8, 8 }*
//! 12 CLUT:         id 8 | version 4 (4) | { entry 8 | 2-bit 4-bit 8-bit (4) full_range
//!                  | full: Y 8 Cr 8 Cb 8 T 8, otherwise Y 6 Cr 4 Cb 4 T 2 }*
//! 13 object:       id 16 | version 4 coding 2 non_modifying 1 (1)
//!                  | coding 0: top length 16 | bottom length 16 | top | bottom
//! 14 display:      version 4 window 1 (3) | width - 1 16 | height - 1 16
//!                  | window: x from 16, x to 16, y from 16, y to 16
//! 80 end of display set
//! ```

const DATA_IDENTIFIER: u8 = 0x20;
const SUBTITLE_STREAM_ID: u8 = 0x00;
const SYNC_BYTE: u8 = 0x0F;
const CODING_PIXELS: u8 = 0;

/// A segment of one page.
#[derive(Debug)]
pub(super) struct Segment<'a> {
    pub(super) page_id: u16,
    pub(super) kind: Kind<'a>,
}

/// What a segment defines.
#[derive(Debug)]
pub(super) enum Kind<'a> {
    Page(PageComposition<'a>),
    Region(RegionComposition<'a>),
    Clut(ClutDefinition<'a>),
    Object(ObjectData<'a>),
    Display(DisplayDefinition),
    EndOfDisplaySet,
}

/// What a display shows, and where.
#[derive(Debug)]
pub(super) struct PageComposition<'a> {
    pub(super) time_out_s: u8,
    pub(super) version: u8,
    /// Whether everything that the page needs follows: an acquisition point or a mode change.
    pub(super) is_complete: bool,
    regions: &'a [u8],
}

/// A region, and where its upper left corner stands in the display window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlacedRegion {
    pub(super) region: u8,
    pub(super) x: u16,
    pub(super) y: u16,
}

impl PageComposition<'_> {
    pub(super) fn regions(&self) -> impl Iterator<Item = PlacedRegion> {
        self.regions.chunks_exact(6).map(|entry| PlacedRegion {
            region: entry[0],
            x: u16::from_be_bytes([entry[2], entry[3]]),
            y: u16::from_be_bytes([entry[4], entry[5]]),
        })
    }
}

/// Bits of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Two,
    Four,
    Eight,
}

/// Size, colours and objects of a region.
#[derive(Debug)]
pub(super) struct RegionComposition<'a> {
    pub(super) id: u8,
    pub(super) fills: bool,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) depth: Depth,
    pub(super) clut: u8,
    pub(super) background: u8,
    objects: &'a [u8],
}

/// An object, and where its upper left corner stands in its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlacedObject {
    pub(super) object: u16,
    pub(super) x: u16,
    pub(super) y: u16,
}

impl<'a> RegionComposition<'a> {
    pub(super) fn objects(&self) -> impl Iterator<Item = PlacedObject> + use<'a> {
        const OF_CHARACTERS: [u8; 2] = [1, 2];
        let mut rest = self.objects;
        std::iter::from_fn(move || {
            let (&[id_high, id_low, x_high, x_low, y_high, y_low], behind) =
                rest.split_first_chunk()?;
            // Objects of characters have two colours behind their place.
            let has_colours = OF_CHARACTERS.contains(&(x_high >> 6));
            rest = behind
                .get(if has_colours { 2 } else { 0 }..)
                .unwrap_or_default();
            Some(PlacedObject {
                object: u16::from_be_bytes([id_high, id_low]),
                x: u16::from_be_bytes([x_high & 0x0F, x_low]),
                y: u16::from_be_bytes([y_high & 0x0F, y_low]),
            })
        })
    }
}

/// Entries of a colour look-up table.
#[derive(Debug)]
pub(super) struct ClutDefinition<'a> {
    pub(super) id: u8,
    pub(super) version: u8,
    entries: &'a [u8],
}

/// A colour, and the tables whose entry it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClutEntry {
    pub(super) entry: u8,
    pub(super) in_two: bool,
    pub(super) in_four: bool,
    pub(super) in_eight: bool,
    pub(super) y: u8,
    pub(super) cr: u8,
    pub(super) cb: u8,
    /// T_value: 0 is opaque.
    pub(super) transparency: u8,
}

impl<'a> ClutDefinition<'a> {
    pub(super) fn entries(&self) -> impl Iterator<Item = ClutEntry> + use<'a> {
        let mut rest = self.entries;
        std::iter::from_fn(move || {
            let (&[entry, flags], behind) = rest.split_first_chunk()?;
            let (value, behind) = if flags & 1 == 1 {
                let (&value, behind) = behind.split_first_chunk()?;
                (value, behind)
            } else {
                // The bits that are left out are the lower ones.
                let (&[a, b], behind) = behind.split_first_chunk()?;
                let (y, cr) = (a & 0xFC, a << 6 | b >> 2 & 0x30);
                ([y, cr, b << 2 & 0xF0, b << 6], behind)
            };
            rest = behind;
            let [y, cr, cb, transparency] = value;
            Some(ClutEntry {
                entry,
                in_two: flags & 0x80 != 0,
                in_four: flags & 0x40 != 0,
                in_eight: flags & 0x20 != 0,
                y,
                cr,
                cb,
                transparency,
            })
        })
    }
}

/// Pixels of an object.
#[derive(Debug)]
pub(super) struct ObjectData<'a> {
    pub(super) id: u16,
    /// Whether pixels of the code 1 leave what is under them.
    pub(super) has_non_modifying_colour: bool,
    pub(super) top: &'a [u8],
    pub(super) bottom: &'a [u8],
}

/// The display that the places refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DisplayDefinition {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Where the window stands in which the page is shown.
    pub(super) window_x: u16,
    pub(super) window_y: u16,
}

impl Default for DisplayDefinition {
    /// Return what holds where a stream defines none (EN 300 743, 7.2.1).
    fn default() -> Self {
        Self {
            width: 720,
            height: 576,
            window_x: 0,
            window_y: 0,
        }
    }
}

/// Return the segments of a PES packet's data, up to the end or to what is not a segment. Those of other
/// kinds (disparity, alternative CLUT, stuffing), and those that break off, are left out.
pub(super) fn segments(data: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut rest = match data {
        [DATA_IDENTIFIER, SUBTITLE_STREAM_ID, rest @ ..] => rest,
        _ => &[],
    };
    std::iter::from_fn(move || {
        loop {
            let (&[sync, kind, a, b, c, d], behind) = rest.split_first_chunk()?;
            if sync != SYNC_BYTE {
                return None;
            }
            let length = usize::from(u16::from_be_bytes([c, d]));
            let (content, behind) = behind.split_at_checked(length)?;
            rest = behind;
            if let Some(kind) = parse(kind, content) {
                let page_id = u16::from_be_bytes([a, b]);
                return Some(Segment { page_id, kind });
            }
        }
    })
}

fn parse(kind: u8, content: &[u8]) -> Option<Kind<'_>> {
    match kind {
        0x10 => page(content).map(Kind::Page),
        0x11 => region(content).map(Kind::Region),
        0x12 => clut(content).map(Kind::Clut),
        0x13 => object(content).map(Kind::Object),
        0x14 => display(content).map(Kind::Display),
        0x80 => Some(Kind::EndOfDisplaySet),
        _ => None,
    }
}

fn page(content: &[u8]) -> Option<PageComposition<'_>> {
    let (&[time_out_s, flags], regions) = content.split_first_chunk()?;
    Some(PageComposition {
        time_out_s,
        version: flags >> 4,
        is_complete: matches!(flags >> 2 & 3, 1 | 2),
        regions,
    })
}

fn region(content: &[u8]) -> Option<RegionComposition<'_>> {
    let (&[id, flags, w, idth, h, eight, depth, clut, in_eight, others], objects) =
        content.split_first_chunk()?;
    let (depth, background) = match depth >> 2 & 7 {
        1 => (Depth::Two, others >> 2 & 3),
        2 => (Depth::Four, others >> 4),
        3 => (Depth::Eight, in_eight),
        _ => return None,
    };
    Some(RegionComposition {
        id,
        fills: flags & 8 != 0,
        width: u16::from_be_bytes([w, idth]),
        height: u16::from_be_bytes([h, eight]),
        depth,
        clut,
        background,
        objects,
    })
}

fn clut(content: &[u8]) -> Option<ClutDefinition<'_>> {
    let (&[id, flags], entries) = content.split_first_chunk()?;
    Some(ClutDefinition {
        id,
        version: flags >> 4,
        entries,
    })
}

fn object(content: &[u8]) -> Option<ObjectData<'_>> {
    let (&[id_high, id_low, flags, a, b, c, d], fields) = content.split_first_chunk()?;
    if flags >> 2 & 3 != CODING_PIXELS {
        return None;
    }
    let top = usize::from(u16::from_be_bytes([a, b]));
    let bottom = usize::from(u16::from_be_bytes([c, d]));
    let (top, behind) = fields.split_at_checked(top)?;
    Some(ObjectData {
        id: u16::from_be_bytes([id_high, id_low]),
        has_non_modifying_colour: flags & 2 != 0,
        top,
        // Without a field of its own the bottom one repeats the top one.
        bottom: if bottom == 0 {
            top
        } else {
            behind.get(..bottom)?
        },
    })
}

fn display(content: &[u8]) -> Option<DisplayDefinition> {
    let (&[flags, w, idth, h, eight], window) = content.split_first_chunk()?;
    let (window_x, window_y) = if flags & 8 != 0 {
        let &[x, x_low, _, _, y, y_low, _, _] = window.first_chunk()?;
        (
            u16::from_be_bytes([x, x_low]),
            u16::from_be_bytes([y, y_low]),
        )
    } else {
        (0, 0)
    };
    Some(DisplayDefinition {
        width: u32::from(u16::from_be_bytes([w, idth])) + 1,
        height: u32::from(u16::from_be_bytes([h, eight])) + 1,
        window_x,
        window_y,
    })
}
