//! The visible part of a region, and its PNG.

use super::clut::Rgba;

/// Pixels with a palette, and where they stand on the display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bitmap {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: usize,
    /// Entries of the palette, row by row.
    pub(super) pixels: Vec<u8>,
    pub(super) palette: Vec<Rgba>,
}

impl Bitmap {
    /// Cut off what is transparent around a region at this place; none where nothing is visible.
    /// Pixels are entries of the palette.
    pub(super) fn visible(
        pixels: &[u8],
        width: usize,
        palette: &[Rgba],
        place: (u32, u32),
    ) -> Option<Self> {
        let shows = |pixel: &u8| palette.get(usize::from(*pixel)).is_some_and(|c| c[3] > 0);
        let rows = || pixels.chunks_exact(width.max(1));
        let top = rows().position(|row| row.iter().any(shows))?;
        let bottom = rows().rposition(|row| row.iter().any(shows))?;
        let (mut left, mut right) = (width, 0);
        for row in rows().take(bottom + 1).skip(top) {
            if let Some(first) = row[..left].iter().position(shows) {
                left = first;
            }
            if let Some(last) = row[right..].iter().rposition(shows) {
                right += last + 1;
            }
        }
        let kept = rows().take(bottom + 1).skip(top);
        Some(Self {
            x: place.0 + left as u32,
            y: place.1 + top as u32,
            width: right - left,
            pixels: kept.flat_map(|row| &row[left..right]).copied().collect(),
            palette: palette.to_vec(),
        })
    }

    pub(super) fn height(&self) -> usize {
        self.pixels.len() / self.width.max(1)
    }

    /// Return the bitmap as a PNG with a palette, of no more bits a pixel than it needs.
    pub(super) fn png(&self) -> Vec<u8> {
        let (depth, bits) = match self.palette.len() {
            0..=4 => (png::BitDepth::Two, 2),
            5..=16 => (png::BitDepth::Four, 4),
            _ => (png::BitDepth::Eight, 8),
        };
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height() as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(depth);
        encoder.set_palette(
            self.palette
                .iter()
                .flat_map(|c| &c[..3])
                .copied()
                .collect::<Vec<_>>(),
        );
        encoder.set_trns(self.palette.iter().map(|c| c[3]).collect::<Vec<_>>());
        // Entries of a palette have no gradients that a filter could follow.
        encoder.set_filter(png::Filter::NoFilter);
        let packed: Vec<u8> = self
            .pixels
            .chunks_exact(self.width.max(1))
            .flat_map(|row| row.chunks(8 / bits))
            .map(|pixels| {
                let joined = pixels
                    .iter()
                    .fold(0u16, |byte, pixel| byte << bits | u16::from(*pixel));
                (joined << (8 - bits * pixels.len())) as u8
            })
            .collect();
        let written = encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&packed));
        debug_assert!(written.is_ok(), "{written:?}");
        file
    }
}
