//! libzvbi as a judge, through ffmpeg: the same pages, and the text that it finds.

use xg2g_transcoder::ts::pes::pts_of_start;

use crate::judges::{Scratch, run};
use crate::made::lines_of;
use crate::synthetic::Stream;
use crate::written::{
    ERASE, Packet, SERIAL, SUBTITLE, boxed, data, header, option, pes, sets, triplet, triplets,
};

const PID: u16 = 0x120;
const SECOND: u64 = 90_000;

/// Lines of text that libzvbi finds in each of these pages, which are 888; none without ffmpeg, or
/// where that has no libzvbi.
fn judged(pages: &[Vec<Packet>]) -> Option<Vec<Vec<String>>> {
    let mut stream = Stream::new();
    stream.tables(&[(0x06, PID, b"\x56\x05eng\x10\x88")]);
    let end = [header(0x8FF, SERIAL)];
    for (index, page) in pages.iter().enumerate() {
        let at = (index as u64 * 2 + 10) * SECOND;
        stream.clock(at - SECOND / 2);
        let unit = |at, packets: &[Packet]| pes(Some(at), &data(packets));
        stream.unit(PID, &unit(at, &[page.as_slice(), &end].concat()));
        let erased = [header(0x888, ERASE | SUBTITLE | SERIAL), end[0]];
        stream.unit(PID, &unit(at + SECOND, &erased));
    }
    texts_of_stream(0x888, &stream)
}

/// The same, of a page in the PES packets of a broadcaster.
pub(crate) fn texts_of_page(page: u16, packets: &[Vec<u8>]) -> Option<Vec<Vec<String>>> {
    let mut stream = Stream::new();
    let [magazine, number] = page.to_be_bytes();
    let descriptor = [0x56, 5, b'e', b'n', b'g', 0x10 | magazine & 7, number];
    stream.tables(&[(0x06, PID, &descriptor)]);
    let first = packets.iter().find_map(|pes| pts_of_start(pes))?;
    stream.clock(first.ticks_90k());
    for pes in packets {
        stream.unit(PID, pes);
    }
    texts_of_stream(page, &stream)
}

/// Lines of every subtitle of a page.
fn texts_of_stream(page: u16, stream: &Stream) -> Option<Vec<Vec<String>>> {
    let file = Scratch::new("judged.ts", &stream.bytes);
    let path = file.path().to_str().expect("a plain path");
    let page = format!("{page:x}");
    let before = [
        "-v",
        "error",
        "-txt_page",
        &page,
        "-txt_format",
        "text",
        "-i",
        path,
    ];
    let after = ["-map", "0:s", "-c:s", "ass", "-f", "ass", "-"];
    let output = run("ffmpeg", &[&before[..], &after[..]].concat())?;
    let text = String::from_utf8(output.stdout).expect("text");
    let events = text
        .lines()
        .filter_map(|line| line.strip_prefix("Dialogue: "));
    let texts = |event: &str| -> Vec<String> {
        let text = event.splitn(10, ',').last().unwrap_or_default();
        let plain = |line: &str| {
            let line = line.replace("\\{", "{").replace("\\}", "}");
            // Newer FFmpegs put a word joiner behind a backslash, which SSA cannot escape.
            line.replace("\\\\", "\\").replace('\u{2060}', "")
        };
        let lines = text.split("\\N").map(|line| plain(line.trim()));
        lines.filter(|line| !line.is_empty()).collect()
    };
    let found: Vec<_> = events
        .map(texts)
        .filter(|lines| !lines.is_empty())
        .collect();
    (!found.is_empty()).then_some(found)
}

/// Designations that table 32 defines and libzvbi has in Unicode: it has no letters of Arabic.
const DEFINED: [u16; 34] = [
    0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 14, 16, 17, 18, 19, 20, 21, 22, 29, 31, 32, 33, 34, 35,
    36, 37, 38, 54, 55, 64, 68, 85,
];

/// Letters for which libzvbi has others that look alike, and the languages of the set do not use.
const ALIKE: [(char, char); 24] = [
    // Diacritical marks that stand alone.
    ('ˋ', '`'),
    ('ˊ', '´'),
    ('ˉ', '¯'),
    ('ˏ', '¸'),
    ('ˍ', '_'),
    ('\u{2126}', 'Ω'),
    ('Ƶ', 'Ż'),
    ('\u{E800}', '₺'),
    ('Ð', 'Đ'),
    ('ð', 'đ'),
    ('Ţ', 'Ț'),
    ('ţ', 'ț'),
    ('Ş', 'Ș'),
    ('ş', 'ș'),
    ('Ǎ', 'Ă'),
    ('ǎ', 'ă'),
    ('Í', 'Î'),
    ('ȩ', 'ę'),
    ('Ѝ', 'Й'),
    ('ѝ', 'й'),
    ('ï', 'ї'),
    ('#', '£'),
    ('¦', '|'),
    ('ɑ', '∝'),
];

fn alike(ours: char, judged: char) -> bool {
    ours == judged || ALIKE.contains(&(judged, ours))
}

fn is_alike(ours: &[String], judged: &[String]) -> bool {
    // What stands for itself in one and for nothing in the other is a space.
    let letters =
        |lines: &[String]| -> Vec<char> { lines.concat().replace(' ', "").chars().collect() };
    let (ours, judged) = (letters(ours), letters(judged));
    ours.len() == judged.len() && ours.iter().zip(&judged).all(|(a, b)| alike(*a, *b))
}

/// A page with three rows of 32 characters.
fn page(designated: u16, row: impl Fn(u16) -> Vec<u8>) -> Vec<Packet> {
    let mut page = head(designated);
    page.extend((0..3).map(|index| boxed(0, 18 + 2 * index, 4, &row(index))));
    page
}

fn head(designated: u16) -> Vec<Packet> {
    vec![
        header(0x888, ERASE | SUBTITLE | SERIAL | option(designated & 7)),
        triplets(0, 28, 0, &sets(u32::from(designated), 0x7F)),
    ]
}

/// Codes of one of three rows.
fn codes(index: u16) -> impl Iterator<Item = u8> {
    let first = 0x20 + index as u8 * 32;
    first..first + 32
}

#[test]
fn letters_of_all_sets_are_those_that_libzvbi_finds() {
    let row = |index| codes(index).collect();
    let pages: Vec<_> = DEFINED
        .iter()
        .map(|&designated| page(designated, row))
        .collect();
    let Some(judged) = judged(&pages) else {
        return;
    };
    assert_eq!(judged.len(), pages.len());
    for (designated, (page, judged)) in DEFINED.iter().zip(pages.iter().zip(&judged)) {
        let mut ours = lines_of(page);
        if *designated == 85 {
            // Hebrew letters: libzvbi gives them from the left.
            ours[2] = ours[2].chars().rev().collect();
        }
        assert!(is_alike(&ours, judged), "{designated}: {ours:?} {judged:?}");
    }
}

/// A page with three rows of dots, whose places packets X/26 fill with letters of a mode.
fn enhanced(designated: u16, row: impl Fn(u16) -> (u32, Vec<u8>)) -> Vec<Packet> {
    let mut places = Vec::new();
    for index in 0..3 {
        let (mode, codes) = row(index);
        places.push(triplet(40 + 18 + 2 * u32::from(index), 0x04, 0));
        let letters = (4..).zip(codes);
        places.extend(letters.map(|(column, code)| triplet(column, mode, code)));
    }
    let mut page = head(designated);
    let packets = places.chunks(13).zip(0..);
    page.extend(packets.map(|(places, number)| triplets(0, 26, number, places)));
    page.extend((0..3).map(|index| boxed(0, 18 + 2 * index, 4, &[b'.'; 32])));
    page
}

#[test]
fn letters_of_packets_26_are_those_that_libzvbi_finds() {
    let second = |index| (0x0F, codes(index).collect());
    let mut pages: Vec<_> = [0, 36, 55].map(|set| enhanced(set, second)).to_vec();
    for (mark, letters) in MARKED {
        pages.push(enhanced(0, |index| match index {
            0 => (mark, letters.bytes().collect()),
            1 => (mark, letters.to_lowercase().bytes().collect()),
            _ => (0x10, codes(1).collect()),
        }));
    }
    let Some(judged) = judged(&pages) else {
        return;
    };
    assert_eq!(judged.len(), pages.len());
    for (page, judged) in pages.iter().zip(&judged) {
        let ours = lines_of(page);
        assert!(is_alike(&ours, judged), "{ours:?} {judged:?}");
    }
}

/// Diacritical marks, and letters that libzvbi knows with them.
const MARKED: [(u32, &str); 13] = [
    (0x11, "AEIOU"),
    (0x12, "ACEILNORSUYZ"),
    (0x13, "ACEGHIJOSUWY"),
    (0x14, "AINOU"),
    (0x15, "AEIOU"),
    (0x16, "AGU"),
    (0x17, "CEGZ"),
    (0x18, "AEIOUY"),
    (0x1A, "AU"),
    (0x1B, "CKLNRST"),
    (0x1D, "OU"),
    (0x1E, "AEIU"),
    (0x1F, "CDELNRSTZ"),
];
