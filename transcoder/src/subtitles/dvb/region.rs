//! Regions: the memory into which objects are drawn (ETSI EN 300 743, 7.2.3).

use super::pixels::{Canvas, Place, draw};
use super::segment::{Depth, ObjectData, PlacedObject, RegionComposition};

/// A rectangle of pixels, and what is drawn into it.
#[derive(Debug)]
pub(super) struct Region {
    pub(super) width: usize,
    pub(super) depth: Depth,
    pub(super) clut: u8,
    pub(super) pixels: Vec<u8>,
    pub(super) objects: Vec<PlacedObject>,
}

impl Region {
    /// Make a region that is filled with its background; objects come with
    /// [`objects`](Self::objects).
    pub(super) fn new(composition: &RegionComposition<'_>) -> Self {
        let pixels = pixels_of(composition);
        Self {
            width: composition.width.into(),
            depth: composition.depth,
            clut: composition.clut,
            pixels: vec![composition.background; pixels],
            objects: Vec::new(),
        }
    }

    /// Return whether its pixels can stay under this composition.
    pub(super) fn is_like(&self, composition: &RegionComposition<'_>) -> bool {
        self.width == usize::from(composition.width)
            && self.pixels.len() == pixels_of(composition)
            && self.depth == composition.depth
    }

    /// Draw an object at every place that it has in the region.
    pub(super) fn draw(&mut self, object: &ObjectData<'_>) {
        let places = self
            .objects
            .iter()
            .filter(|place| place.object == object.id);
        for place in places {
            let mut canvas = Canvas {
                pixels: &mut self.pixels,
                width: self.width,
                depth: self.depth,
            };
            for (line, field) in [object.top, object.bottom].into_iter().enumerate() {
                let place = Place {
                    x: place.x.into(),
                    y: usize::from(place.y) + line,
                };
                draw(&mut canvas, place, field, object.has_non_modifying_colour);
            }
        }
    }
}

/// Return the pixels of a region.
pub(super) fn pixels_of(composition: &RegionComposition<'_>) -> usize {
    usize::from(composition.width) * usize::from(composition.height)
}
