//! DVB subtitles (ETSI EN 300 743): pages of bitmaps, as PNGs with their places.
//!
//! ```text
//! PES data -> segments -> regions, colours -> display set is whole -> bitmaps -> screen
//! ```
//!
//! - A page is shown from its display set's time on, until the next one or its time-out. Sent
//!   again, it is shown on: its time-out begins anew.
//! - A segment of the end of the display set shows the page; so do its objects at the end of
//!   their PES packet, for streams without that segment.
//! - A page is followed from any state on: streams exist that never send an acquisition point.
//! - Left out are objects of characters (coding 1), which no decoder draws, of zlib (coding 2),
//!   disparity and alternative CLUTs.

mod bitmap;
mod clut;
mod pixels;
mod region;
mod screen;
mod segment;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use screen::Screen;

use self::bitmap::Bitmap;
use self::clut::Clut;
use self::region::{Region, pixels_of};
use self::segment::{
    ClutDefinition, DisplayDefinition, Kind, ObjectData, PageComposition, PlacedObject,
    PlacedRegion, RegionComposition, segments,
};
use super::{Change, Decoder, Shown, Span};
use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};

/// Maximum number of pixels of all regions of a page: those of a display of 1920 x 1080.
pub const MAX_PIXELS: usize = 1920 * 1080;

/// Maximum number of objects in all regions of a page. Broadcasts have one in each region.
pub const MAX_OBJECTS: usize = 1024;

/// Maximum number of pixels that the segments of one PES packet may fill and draw: without a
/// limit, one of 64 KiB could take seconds.
const MAX_DRAWN_PIXELS: usize = 8 * MAX_PIXELS;

/// Ids of regions, and of CLUTs.
const IDS: usize = 256;

/// A decoder of the subtitles of one composition page.
#[derive(Debug)]
pub struct DvbDecoder {
    composition_page: u16,
    ancillary_page: u16,
    display: DisplayDefinition,
    page: Page,
    regions: BTreeMap<u8, Region>,
    cluts: BTreeMap<u8, Clut>,
    /// The time of a display set of which the end was not seen.
    pending: Option<Timestamp>,
    shown: Option<Displayed>,
    /// Pixels that the PES packet under way may still draw.
    budget: usize,
}

#[derive(Debug, Default)]
struct Page {
    version: Option<u8>,
    time_out_s: u8,
    regions: Vec<PlacedRegion>,
}

/// What is on the display.
#[derive(Debug)]
struct Displayed {
    display: DisplayDefinition,
    bitmaps: Vec<Bitmap>,
    screen: Arc<Screen>,
}

/// What the segments of a display set in one PES packet brought so far.
#[derive(Default)]
struct Brought<'a> {
    /// Used when the page and its regions are known: an ancillary page's may precede them.
    cluts: Vec<ClutDefinition<'a>>,
    objects: Vec<ObjectData<'a>>,
    has_page: bool,
}

impl DvbDecoder {
    /// Make a decoder of the page that a subtitling_descriptor names.
    pub fn new(composition_page: u16, ancillary_page: u16) -> Self {
        Self {
            composition_page,
            ancillary_page,
            display: DisplayDefinition::default(),
            page: Page::default(),
            regions: BTreeMap::new(),
            cluts: BTreeMap::new(),
            pending: None,
            shown: None,
            budget: 0,
        }
    }

    fn compose_page(&mut self, page: &PageComposition<'_>) {
        // A page of the same version is the same sent again, and may come without the rest.
        if page.is_complete && self.page.version != Some(page.version) {
            self.regions.clear();
            self.cluts.clear();
        }
        let mut regions: Vec<PlacedRegion> = Vec::new();
        for placed in page.regions() {
            if regions.len() < IDS && regions.iter().all(|other| other.region != placed.region) {
                regions.push(placed);
            }
        }
        self.page = Page {
            version: Some(page.version),
            time_out_s: page.time_out_s,
            regions,
        };
    }

    fn compose_region(&mut self, composition: &RegionComposition<'_>) {
        let id = composition.id;
        let pixels = pixels_of(composition);
        let others = self.regions.iter().filter(|(other, _)| **other != id);
        let (held, placed) = others.fold((0, 0), |(pixels, objects), (_, region)| {
            (pixels + region.pixels.len(), objects + region.objects.len())
        });
        if held + pixels > MAX_PIXELS {
            self.regions.remove(&id);
            return;
        }
        let known = self.regions.get(&id);
        if composition.fills || !known.is_some_and(|region| region.is_like(composition)) {
            if !self.spend(pixels) {
                return;
            }
            self.regions.insert(id, Region::new(composition));
        }
        if let Some(region) = self.regions.get_mut(&id) {
            region.clut = composition.clut;
            region.objects.clear();
            let objects = composition.objects().take(MAX_OBJECTS - placed);
            region.objects.extend(objects);
        }
    }

    /// Take pixels from what a PES packet may draw.
    fn spend(&mut self, pixels: usize) -> bool {
        let rest = self.budget.checked_sub(pixels);
        self.budget = rest.unwrap_or(0);
        rest.is_some()
    }

    fn draw(&mut self, object: &ObjectData<'_>) {
        let size = object.top.len() + object.bottom.len();
        let ids: Vec<u8> = self.regions.keys().copied().collect();
        for id in ids {
            let Some(region) = self.regions.get(&id) else {
                continue;
            };
            let is_it = |place: &&PlacedObject| place.object == object.id;
            let places = region.objects.iter().filter(is_it).count();
            let pixels = region.pixels.len().saturating_add(size);
            if places == 0 || !self.spend(places.saturating_mul(pixels)) {
                continue;
            }
            if let Some(region) = self.regions.get_mut(&id) {
                region.draw(object);
            }
        }
    }

    /// Take the colours and objects of a display set, and return whether there were objects.
    fn complete(&mut self, brought: &Brought<'_>) -> bool {
        for clut in &brought.cluts {
            self.cluts.entry(clut.id).or_default().define(clut);
        }
        for object in &brought.objects {
            self.draw(object);
        }
        !brought.objects.is_empty()
    }

    /// Show a display set that is whole: what is on the display changes.
    fn show(&mut self, at: Timestamp, changes: &mut Vec<Change<Arc<Screen>>>) {
        self.pending = None;
        let bitmaps = self.bitmaps();
        if bitmaps.is_empty() {
            if self.shown.take().is_some() {
                changes.push(Change {
                    at,
                    screen: None,
                    timeout_90k: i64::MAX,
                });
            }
            return;
        }
        let known = self
            .shown
            .take()
            .filter(|shown| shown.display == self.display && shown.bitmaps == bitmaps);
        let size = (self.display.width, self.display.height);
        let shown = known.unwrap_or_else(|| Displayed {
            display: self.display,
            screen: Arc::new(Screen::new(size, &bitmaps)),
            bitmaps,
        });
        // A page that names no time-out has the longest one that it could name.
        let time_out_s = match self.page.time_out_s {
            0 => u8::MAX,
            seconds => seconds,
        };
        changes.push(Change {
            at,
            screen: Some(shown.screen.clone()),
            timeout_90k: i64::from(time_out_s) * TICKS_PER_SECOND,
        });
        self.shown = Some(shown);
    }

    /// Return what of the page's regions is visible.
    fn bitmaps(&self) -> Vec<Bitmap> {
        let defaults = Clut::default();
        let placed = self.page.regions.iter();
        placed
            .filter_map(|placed| {
                let region = self.regions.get(&placed.region)?;
                let clut = self.cluts.get(&region.clut).unwrap_or(&defaults);
                let x = u32::from(placed.x) + u32::from(self.display.window_x);
                let y = u32::from(placed.y) + u32::from(self.display.window_y);
                let palette = clut.table(region.depth);
                Bitmap::visible(&region.pixels, region.width, palette, (x, y))
            })
            .collect()
    }
}

impl Decoder for DvbDecoder {
    type Screen = Arc<Screen>;

    const MAX_HELD_BYTES: usize = 2 * MAX_PIXELS
        + MAX_OBJECTS * size_of::<PlacedObject>()
        + IDS * (size_of::<Region>() + size_of::<Clut>() + size_of::<PlacedRegion>())
        + IDS * (size_of::<Bitmap>() + 256 * size_of::<clut::Rgba>());

    /// The PNGs of pixels that cannot be compressed, in base64.
    const MAX_SCREEN_BYTES: usize = (MAX_PIXELS + MAX_PIXELS / 64 + IDS * 4096) / 3 * 4;

    fn push(&mut self, data: &[u8], at: Timestamp, changes: &mut Vec<Change<Self::Screen>>) {
        if let Some(before) = self.pending.filter(|before| *before != at) {
            self.show(before, changes);
        }
        self.budget = MAX_DRAWN_PIXELS;
        let mut brought = Brought::default();
        for segment in segments(data) {
            let is_own = segment.page_id == self.composition_page;
            if !is_own && segment.page_id != self.ancillary_page {
                continue;
            }
            match segment.kind {
                Kind::Page(page) if is_own => {
                    if brought.has_page {
                        self.complete(&std::mem::take(&mut brought));
                    }
                    self.compose_page(&page);
                    brought.has_page = true;
                    self.pending = Some(at);
                }
                Kind::Display(display) if is_own => self.display = display,
                Kind::EndOfDisplaySet if is_own => {
                    self.complete(&std::mem::take(&mut brought));
                    self.show(at, changes);
                }
                Kind::Region(region) => self.compose_region(&region),
                Kind::Clut(clut) => brought.cluts.push(clut),
                Kind::Object(object) => brought.objects.push(object),
                Kind::Page(_) | Kind::Display(_) | Kind::EndOfDisplaySet => {}
            }
        }
        let has_objects = self.complete(&brought);
        if brought.has_page && (has_objects || self.page.regions.is_empty()) {
            self.show(at, changes);
        }
    }

    fn lose(&mut self) {
        // What is missing comes again with the next acquisition point, under a new version or
        // not; until then the page's time-out bounds what is out of date.
    }

    fn held_bytes(&self) -> usize {
        let regions = self.regions.values().map(|region| {
            let objects = region.objects.len() * size_of::<PlacedObject>();
            size_of::<Region>() + region.pixels.len() + objects
        });
        let bitmaps = self
            .shown
            .iter()
            .flat_map(|shown| &shown.bitmaps)
            .map(|bitmap| {
                let palette = bitmap.palette.len() * size_of::<clut::Rgba>();
                size_of::<Bitmap>() + bitmap.pixels.len() + palette
            });
        regions.sum::<usize>()
            + bitmaps.sum::<usize>()
            + self.cluts.len() * size_of::<Clut>()
            + self.page.regions.len() * size_of::<PlacedRegion>()
    }

    fn screen_bytes(screen: &Self::Screen) -> usize {
        screen.bytes()
    }

    fn file(span: Span, shown: &[Shown<'_, Self::Screen>]) -> Vec<u8> {
        screen::file(span, shown)
    }
}
