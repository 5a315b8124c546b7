//! What a display shows, as the page of a browser takes it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::bitmap::Bitmap;
use crate::subtitles::{Shown, Span};

/// Images on a display.
#[derive(Debug, PartialEq, Eq)]
pub struct Screen {
    width: u32,
    height: u32,
    images: Vec<Image>,
}

/// A PNG, and where its upper left corner stands on the display.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Image {
    x: u32,
    y: u32,
    width: usize,
    height: usize,
    /// In base64.
    png: String,
}

impl Screen {
    /// Make a display of this size with the bitmaps on it.
    pub(super) fn new((width, height): (u32, u32), bitmaps: &[Bitmap]) -> Self {
        let image = |bitmap: &Bitmap| Image {
            x: bitmap.x,
            y: bitmap.y,
            width: bitmap.width,
            height: bitmap.height(),
            png: STANDARD.encode(bitmap.png()),
        };
        Self {
            width,
            height,
            images: bitmaps.iter().map(image).collect(),
        }
    }

    /// Return how many bytes the images have.
    pub(super) fn bytes(&self) -> usize {
        let images = self.images.iter();
        images
            .map(|image| image.png.len() + size_of::<Image>())
            .sum()
    }
}

#[derive(Serialize)]
struct File<'a> {
    start_90k: u64,
    events: Vec<Event<'a>>,
}

#[derive(Serialize)]
struct Event<'a> {
    from_90k: u64,
    until_90k: Option<u64>,
    /// Size of the display; none where nothing was shown on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    images: &'a [Image],
}

/// Return the file of a segment.
pub(super) fn file<S: AsRef<Screen>>(span: Span, shown: &[Shown<'_, S>]) -> Vec<u8> {
    let mut events: Vec<(Event<'_>, Option<&Screen>)> = Vec::new();
    for shown in shown {
        let screen = shown.screen.map(AsRef::as_ref);
        // A page that is sent again is shown on.
        let before = events
            .last_mut()
            .filter(|(event, before)| *before == screen && event.until_90k == Some(shown.from_90k));
        if let Some((event, _)) = before {
            event.until_90k = shown.until_90k;
            continue;
        }
        let event = Event {
            from_90k: shown.from_90k,
            until_90k: shown.until_90k,
            width: screen.map(|screen| screen.width),
            height: screen.map(|screen| screen.height),
            images: screen.map_or(&[], |screen| &screen.images),
        };
        events.push((event, screen));
    }
    let file = File {
        start_90k: span.start_90k,
        events: events.into_iter().map(|(event, _)| event).collect(),
    };
    serde_json::to_vec(&file).unwrap_or_default()
}
