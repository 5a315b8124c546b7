//! What a decoder shows, read from the file that the page of a browser gets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use xg2g_transcoder::subtitles::dvb::DvbDecoder;
use xg2g_transcoder::subtitles::{Change, Decoder, Shown, Span};
use xg2g_transcoder::ts::clock::Timestamp;

use super::written::{PAGE, SHARED, Set};

pub(super) type Screen = <DvbDecoder as Decoder>::Screen;

/// The file of a segment.
#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub(super) start_90k: u64,
    pub(super) events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) from_90k: u64,
    pub(super) until_90k: Option<u64>,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) images: Vec<Image>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Image {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) png: String,
}

impl Image {
    /// Red, green, blue and alpha of every pixel, row by row.
    pub(super) fn pixels(&self) -> Vec<[u8; 4]> {
        let file = STANDARD.decode(&self.png).expect("base64");
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("its size")];
        let info = reader.next_frame(&mut pixels).expect("a frame");
        assert_eq!((info.width, info.height), (self.width, self.height));
        assert_eq!(info.color_type, png::ColorType::Rgba);
        pixels.as_chunks().0.to_vec()
    }

    /// The rows, a letter for each colour.
    pub(super) fn drawn(&self, letters: &[([u8; 4], char)]) -> Vec<String> {
        let letter = |pixel: &[u8; 4]| {
            let named = letters.iter().find(|(colour, _)| colour == pixel);
            named.map_or('?', |(_, letter)| *letter)
        };
        let pixels = self.pixels();
        let rows = pixels.chunks_exact(self.width as usize);
        rows.map(|row| row.iter().map(letter).collect()).collect()
    }
}

/// When the segments of the tests start.
pub(super) const START: u64 = 8_000_000_000;

/// The default colours of 2 bits.
pub(super) const GREYS: [([u8; 4], char); 4] = [
    ([0; 4], '.'),
    ([255; 4], 'W'),
    ([0, 0, 0, 255], 'B'),
    ([127, 127, 127, 255], 'G'),
];

pub(super) fn decoder() -> DvbDecoder {
    DvbDecoder::new(PAGE, SHARED)
}

/// The changes that a display set makes at a time.
pub(super) fn changes(decoder: &mut DvbDecoder, set: &Set, at: u64) -> Vec<Change<Screen>> {
    let mut changes = Vec::new();
    decoder.push(&set.data(), Timestamp::new(at), &mut changes);
    assert!(decoder.held_bytes() <= DvbDecoder::MAX_HELD_BYTES);
    changes
}

/// What a screen shows.
pub(super) fn event(screen: &Screen) -> Event {
    let shown = Shown {
        from_90k: 0,
        until_90k: None,
        screen: Some(screen),
    };
    file(&[shown]).events.pop().expect("an event")
}

pub(super) fn file(shown: &[Shown<'_, Screen>]) -> File {
    let span = Span {
        start_90k: START,
        end_90k: START + 180_000,
    };
    serde_json::from_slice(&DvbDecoder::file(span, shown)).expect("JSON")
}

/// What the display shows behind a display set; none where that is nothing new.
pub(super) fn shows(decoder: &mut DvbDecoder, set: &Set) -> Option<Event> {
    let changes = changes(decoder, set, 0);
    changes
        .last()
        .and_then(|change| change.screen.as_ref())
        .map(event)
}

/// The only image that a display set shows to a decoder that knows nothing else.
pub(super) fn image(set: &Set) -> Image {
    let mut event = shows(&mut decoder(), set).expect("a screen");
    assert_eq!(event.images.len(), 1);
    event.images.remove(0)
}
