//! Subtitles that a PMT announces (ETSI EN 300 468, 6.2.41, 6.2.43, 6.2.48).
//!
//! ```text
//! teletext_descriptor:   { ISO 639-2 24 | teletext_type 5 | magazine 3 | page 8 }*
//! subtitling_descriptor: { ISO 639-2 24 | subtitling_type 8 | composition_page 16
//!                          | ancillary_page 16 }*
//! ```

use crate::Language;
use crate::ts::packet::Pid;
use crate::ts::psi::{ElementaryStream, descriptors};

const VBI_TELETEXT: u8 = 0x46;
const TELETEXT: u8 = 0x56;
const SUBTITLING: u8 = 0x59;

const TYPE_SUBTITLE_PAGE: u8 = 0x02;
const TYPE_HEARING_IMPAIRED_PAGE: u8 = 0x05;

/// Where subtitles of a PID come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A page of teletext: the magazine, 1 to 8, and two hexadecimal digits, as in 0x888.
    Teletext(u16),
    /// Bitmaps.
    Bitmaps {
        /// composition_page_id.
        composition_page: u16,
        /// ancillary_page_id: objects that several pages share. The composition page's own
        /// where there are none.
        ancillary_page: u16,
        /// Whether they are made for a display of more than 576 lines.
        is_high_definition: bool,
    },
}

/// Subtitles that an entry of a PMT announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// Where they are.
    pub pid: Pid,
    /// Which of the PID's.
    pub source: Source,
    /// None for a code of other signs than letters.
    pub language: Option<Language>,
    /// Whether they also describe sounds.
    pub is_hearing_impaired: bool,
}

/// Return the subtitles that an entry announces, each page once.
pub fn announced(entry: &ElementaryStream) -> Vec<Announced> {
    let mut found: Vec<Announced> = Vec::new();
    for descriptor in descriptors(&entry.descriptors) {
        let read = match descriptor.tag {
            VBI_TELETEXT | TELETEXT => descriptor.body.chunks_exact(5).map(teletext).collect(),
            SUBTITLING => descriptor.body.chunks_exact(8).map(bitmaps).collect(),
            _ => Vec::new(),
        };
        for (source, language, is_hearing_impaired) in read.into_iter().flatten() {
            if found.iter().all(|other| !is_same(other.source, source)) {
                found.push(Announced {
                    pid: entry.pid,
                    source,
                    language,
                    is_hearing_impaired,
                });
            }
        }
    }
    found
}

type Read = Option<(Source, Option<Language>, bool)>;

/// Return whether both are one rendition.
fn is_same(one: Source, other: Source) -> bool {
    match (one, other) {
        (Source::Teletext(one), Source::Teletext(other)) => one == other,
        (
            Source::Bitmaps {
                composition_page: one,
                ..
            },
            Source::Bitmaps {
                composition_page: other,
                ..
            },
        ) => one == other,
        _ => false,
    }
}

fn teletext(entry: &[u8]) -> Read {
    let &[a, b, c, kind, page] = entry else {
        return None;
    };
    let is_hearing_impaired = match kind >> 3 {
        TYPE_SUBTITLE_PAGE => false,
        TYPE_HEARING_IMPAIRED_PAGE => true,
        _ => return None,
    };
    // Magazine 8 is written as 0 (EN 300 706, 3.1).
    let magazine = match kind & 7 {
        0 => 8,
        magazine => magazine,
    };
    let page = u16::from(magazine) << 8 | u16::from(page);
    Some((
        Source::Teletext(page),
        language([a, b, c]),
        is_hearing_impaired,
    ))
}

fn bitmaps(entry: &[u8]) -> Read {
    let &[a, b, c, kind, high, low, ancillary_high, ancillary_low] = entry else {
        return None;
    };
    // EN 300 468, table 26, component types of stream content 3. The lower digit names the
    // shape of the monitor, 4 high definition.
    let is_hearing_impaired = match kind {
        0x10..=0x15 => false,
        0x20..=0x25 => true,
        _ => return None,
    };
    let source = Source::Bitmaps {
        composition_page: u16::from_be_bytes([high, low]),
        ancillary_page: u16::from_be_bytes([ancillary_high, ancillary_low]),
        is_high_definition: matches!(kind & 0x0F, 4 | 5),
    };
    Some((source, language([a, b, c]), is_hearing_impaired))
}

fn language(code: [u8; 3]) -> Option<Language> {
    code.iter()
        .all(u8::is_ascii_alphabetic)
        .then(|| Language::of_code(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(descriptors: &[u8]) -> ElementaryStream {
        ElementaryStream {
            stream_type: 0x06,
            pid: Pid::new(0x120),
            descriptors: descriptors.to_vec(),
        }
    }

    fn told(descriptors: &[u8]) -> Vec<(Source, Option<[u8; 3]>, bool)> {
        let found = announced(&entry(descriptors));
        let told = |a: Announced| {
            (
                a.source,
                a.language.map(Language::code),
                a.is_hearing_impaired,
            )
        };
        found.into_iter().map(told).collect()
    }

    #[test]
    fn subtitle_pages_of_teletext_are_found_among_the_others() {
        let body = b"ger\x09\x00ger\x10\x88dut\x29\x99fra\x2F\x02eng\x1A\x01";
        let expected = [
            (Source::Teletext(0x888), Some(*b"deu"), false),
            (Source::Teletext(0x199), Some(*b"nld"), true),
            (Source::Teletext(0x702), Some(*b"fra"), true),
        ];
        for tag in [VBI_TELETEXT, TELETEXT] {
            let descriptor = [&[tag, body.len() as u8], &body[..]].concat();
            assert_eq!(told(&descriptor), expected);
        }
    }

    #[test]
    fn pages_of_bitmaps_are_found_for_every_monitor() {
        for kind in 0..=0xFF {
            let body = [b'e', b'n', b'g', kind, 1, 2, 3, 4];
            let found = told(&[&[SUBTITLING, 8], &body[..]].concat());
            let is_subtitle = matches!(kind, 0x10..=0x15 | 0x20..=0x25);
            assert_eq!(found.len(), usize::from(is_subtitle), "{kind:#x}");
            for (source, language, is_hearing_impaired) in found {
                let expected = Source::Bitmaps {
                    composition_page: 0x0102,
                    ancillary_page: 0x0304,
                    is_high_definition: matches!(kind & 0xF, 4 | 5),
                };
                assert_eq!((source, language), (expected, Some(*b"eng")));
                assert_eq!(is_hearing_impaired, kind >= 0x20);
            }
        }
    }

    #[test]
    fn a_page_that_is_named_twice_is_one_and_signs_are_no_language() {
        let descriptor = b"\x56\x0Fger\x10\x88\0\0\0\x28\x88\0 1\x11\x50";
        let expected = [
            (Source::Teletext(0x888), Some(*b"deu"), false),
            (Source::Teletext(0x150), None, false),
        ];
        assert_eq!(told(descriptor), expected);
    }

    #[test]
    fn a_descriptor_that_ends_early_tells_what_is_whole() {
        assert_eq!(told(b"\x56\x07ger\x10\x88eng").len(), 1);
        assert_eq!(told(b"\x56\x40ger\x10\x88"), []);
        assert_eq!(told(b"\x59\x07eng\x10\0\x01\0"), []);
    }
}
