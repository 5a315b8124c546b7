//! A packager behind a handle: its events wait to be taken one by one.

use serde::Serialize;

use crate::mp4::{Event, Header, Media, Packager, PackagerOptions, Part};
use crate::{Error, ErrorKind, Language};

/// A packager, and the event that was lent last.
pub(super) struct Packaging {
    packager: Packager,
    next: Option<Event>,
    is_finished: bool,
    text: String,
    data: Vec<u8>,
}

/// An event as text: everything but its bytes.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Text<'a> {
    Header {
        rendition: String,
        segment: u64,
        codecs: &'a str,
        timescale: u32,
        media: MediaText,
    },
    Part {
        rendition: String,
        segment: u64,
        index: u32,
        decode_time: u64,
        duration: u64,
        is_independent: bool,
    },
    Segment {
        rendition: String,
        number: u64,
        parts: u32,
        decode_time: u64,
        duration: u64,
    },
    Discontinuity {
        segment: u64,
    },
    NotOffered {
        pid: u16,
        reason: &'static str,
    },
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum MediaText {
    Video {
        width: u16,
        height: u16,
        aspect: Option<(u16, u16)>,
        frames_per_1000_s: Option<u32>,
        is_interlaced: bool,
    },
    Sound {
        language: Option<String>,
        is_description: bool,
        channels: u8,
        sample_rate_hz: u32,
    },
    Text {
        language: Option<String>,
        is_hearing_impaired: bool,
        page: String,
    },
    Images {
        language: Option<String>,
        is_hearing_impaired: bool,
        width: u16,
        height: u16,
    },
}

impl Packaging {
    pub(super) fn new(options: &PackagerOptions) -> Result<Self, Error> {
        Ok(Self {
            packager: Packager::new(options)?,
            next: None,
            is_finished: false,
            text: String::new(),
            data: Vec::new(),
        })
    }

    pub(super) fn process(&mut self, input: &[u8]) -> Result<(), Error> {
        self.require_taken()?;
        if self.is_finished {
            return Err(Error::new(ErrorKind::Finished, "the stream was ended"));
        }
        self.packager.push(input);
        self.next = self.packager.next_event();
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<(), Error> {
        self.require_taken()?;
        if !std::mem::replace(&mut self.is_finished, true) {
            self.packager.finish();
            self.next = self.packager.next_event();
        }
        Ok(())
    }

    /// Take the next input. What waits is bounded by one input: the next one is not taken
    /// before.
    fn require_taken(&self) -> Result<(), Error> {
        if self.next.is_some() {
            let why = "events wait to be taken";
            return Err(Error::new(ErrorKind::OutputTooSmall, why));
        }
        Ok(())
    }

    /// Return the next event as text and bytes.
    pub(super) fn next_event(&mut self) -> Result<Option<(&str, &[u8])>, Error> {
        let Some(event) = self.next.take() else {
            return Ok(None);
        };
        self.next = self.packager.next_event();
        let text = serde_json::to_string(&describe(&event))
            .map_err(|why| Error::new(ErrorKind::Internal, why.to_string()))?;
        self.text = text;
        self.data = match event {
            Event::Header(Header { data, .. }) | Event::Part(Part { data, .. }) => data,
            _ => Vec::new(),
        };
        Ok(Some((&self.text, &self.data)))
    }
}

fn describe(event: &Event) -> Text<'_> {
    match event {
        Event::Header(header) => Text::Header {
            rendition: header.rendition.to_string(),
            segment: header.segment,
            codecs: &header.codecs,
            timescale: header.timescale,
            media: describe_media(&header.media),
        },
        Event::Part(part) => Text::Part {
            rendition: part.rendition.to_string(),
            segment: part.segment,
            index: part.index,
            decode_time: part.decode_time,
            duration: part.duration,
            is_independent: part.is_independent,
        },
        Event::Segment(segment) => Text::Segment {
            rendition: segment.rendition.to_string(),
            number: segment.number,
            parts: segment.parts,
            decode_time: segment.decode_time,
            duration: segment.duration,
        },
        Event::Discontinuity { segment } => Text::Discontinuity { segment: *segment },
        Event::NotOffered(told) => Text::NotOffered {
            pid: told.pid.value(),
            reason: told.reason.name(),
        },
    }
}

fn describe_media(media: &Media) -> MediaText {
    match *media {
        Media::Video {
            width,
            height,
            aspect,
            frames_per_1000_s,
            is_interlaced,
        } => MediaText::Video {
            width,
            height,
            aspect,
            frames_per_1000_s,
            is_interlaced,
        },
        Media::Sound {
            language,
            is_description,
            channels,
            sample_rate_hz,
        } => MediaText::Sound {
            language: language.map(code),
            is_description,
            channels,
            sample_rate_hz,
        },
        Media::Text {
            language,
            is_hearing_impaired,
            page,
        } => MediaText::Text {
            language: language.map(code),
            is_hearing_impaired,
            page: format!("{page:03x}"),
        },
        Media::Images {
            language,
            is_hearing_impaired,
            width,
            height,
        } => MediaText::Images {
            language: language.map(code),
            is_hearing_impaired,
            width,
            height,
        },
    }
}

fn code(language: Language) -> String {
    String::from_utf8_lossy(&language.code()).into_owned()
}
