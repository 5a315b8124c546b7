//! Files of segments: what WebVTT allows and players read, judged by a parser of our own that
//! takes nothing else, and by ffmpeg.

use proptest::prelude::*;
use xg2g_transcoder::subtitles::teletext::{Screen, TeletextDecoder};
use xg2g_transcoder::subtitles::{Decoder, Shown, Span};

use crate::judges::{Scratch, run};
use crate::made::Heard;
use crate::written::{ERASE, Packet, SUBTITLE, boxed, header, option};

const SECOND: u64 = 90_000;

/// A cue as a strict parser reads it.
#[derive(Debug, PartialEq, Eq)]
struct Cue {
    from_ms: u64,
    until_ms: u64,
    settings: Vec<(String, String)>,
    lines: Vec<String>,
}

impl Cue {
    fn setting(&self, name: &str) -> Option<&str> {
        let found = self.settings.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads a file: the time of its start, and its cues. Panics at whatever is not as it should be.
fn parse(file: &[u8]) -> (u64, Vec<Cue>) {
    let text = std::str::from_utf8(file).expect("UTF-8");
    assert!(!text.contains('\r') && !text.contains('\0') && text.ends_with('\n'));
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let map = head.strip_prefix("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:");
    let start = map.and_then(|map| map.strip_suffix(",LOCAL:00:00:00.000"));
    let start: u64 = start.expect("a map").parse().expect("a number");
    assert!(start < 1 << 33, "33 bits");
    let blocks = body
        .trim_end_matches('\n')
        .split("\n\n")
        .filter(|block| !block.is_empty());
    let cues: Vec<Cue> = blocks.map(parse_cue).collect();
    assert!(cues.is_sorted_by_key(|cue| cue.from_ms));
    (start, cues)
}

fn parse_cue(block: &str) -> Cue {
    let (timing, payload) = block.split_once('\n').expect("lines of text");
    let mut words = timing.split(' ');
    let from_ms = parse_time(words.next().expect("a time"));
    assert_eq!(words.next(), Some("-->"));
    let until_ms = parse_time(words.next().expect("a time"));
    assert!(from_ms < until_ms, "{timing}");
    let settings: Vec<(String, String)> = words
        .map(|word| {
            let (name, value) = word.split_once(':').expect("name and value");
            match name {
                "line" | "position" => {
                    let percent = value.strip_suffix('%').expect("percent");
                    assert!(percent.parse::<u8>().expect("a number") <= 100);
                }
                "align" => assert!(["start", "center", "end"].contains(&value)),
                _ => panic!("{name}"),
            }
            (name.to_owned(), value.to_owned())
        })
        .collect();
    let lines: Vec<String> = payload.split('\n').map(parse_line).collect();
    Cue {
        from_ms,
        until_ms,
        settings,
        lines,
    }
}

fn parse_time(text: &str) -> u64 {
    let bytes = text.as_bytes();
    assert_eq!(
        (bytes.len(), bytes[2], bytes[5], bytes[8]),
        (12, b':', b':', b'.'),
        "{text}"
    );
    let number = |range: std::ops::Range<usize>| {
        text.get(range)
            .expect("digits")
            .parse::<u64>()
            .expect("digits")
    };
    let (hours, minutes, seconds) = (number(0..2), number(3..5), number(6..8));
    assert!(minutes < 60 && seconds < 60);
    ((hours * 60 + minutes) * 60 + seconds) * 1000 + number(9..12)
}

/// The text of a line: tags with classes that need no style sheet are taken out, and references
/// resolved.
fn parse_line(line: &str) -> String {
    const COLOURS: [&str; 8] = [
        "white", "lime", "cyan", "red", "yellow", "magenta", "blue", "black",
    ];
    assert!(!line.is_empty() && !line.contains("-->"));
    let (mut text, mut is_open) = (String::new(), false);
    let mut rest = line;
    while let Some(letter) = rest.chars().next() {
        if let Some(tag) = rest.strip_prefix('<') {
            let (name, after) = tag.split_once('>').expect("the tag ends");
            if let Some(classes) = name.strip_prefix("c.") {
                assert!(!std::mem::replace(&mut is_open, true), "{line}");
                let colour = |class: &str| COLOURS.contains(&class.trim_start_matches("bg_"));
                assert!(classes.split('.').all(colour), "{line}");
            } else {
                assert_eq!(name, "/c");
                assert!(std::mem::replace(&mut is_open, false), "{line}");
            }
            rest = after;
        } else if let Some(reference) = rest.strip_prefix('&') {
            let (name, after) = reference.split_once(';').expect("the reference ends");
            text.push(match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                _ => panic!("{line}"),
            });
            rest = after;
        } else {
            assert_ne!(letter, '>');
            text.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    assert!(!is_open, "{line}");
    text
}

fn screen(packets: &[Packet]) -> Screen {
    let page = [&[header(0x888, ERASE | SUBTITLE | option(1))], packets].concat();
    let mut heard = Heard::of(0x888, None);
    heard.packets(0, &page).screen().clone()
}

/// The file of 2 s from the tenth on, with screens from and until times in seconds and thousandths.
fn file(shown: &[(u64, Option<u64>, Option<&Screen>)]) -> Vec<u8> {
    let time = |ms: u64| 10 * SECOND + ms * 90;
    let shown: Vec<_> = shown
        .iter()
        .map(|&(from, until, screen)| Shown {
            from_90k: time(from),
            until_90k: until.map(time),
            screen,
        })
        .collect();
    let span = Span {
        start_90k: time(0),
        end_90k: time(2000),
    };
    TeletextDecoder::file(span, &shown)
}

/// The cues of a screen that is shown all the time.
fn cues(packets: &[Packet]) -> Vec<Cue> {
    let (start, cues) = parse(&file(&[(0, None, Some(&screen(packets)))]));
    assert_eq!(start, 10 * SECOND);
    assert!(
        cues.iter()
            .all(|cue| (cue.from_ms, cue.until_ms) == (0, 2000))
    );
    cues
}

fn settings(cue: &Cue) -> (Option<&str>, Option<&str>, Option<&str>) {
    (
        cue.setting("line"),
        cue.setting("position"),
        cue.setting("align"),
    )
}

#[test]
fn a_segment_without_subtitles_is_a_file_without_cues() {
    assert_eq!(parse(&file(&[])), (10 * SECOND, Vec::new()));
    assert_eq!(parse(&file(&[(0, None, None)])), (10 * SECOND, Vec::new()));
}

#[test]
fn the_map_has_33_bits() {
    let span = Span {
        start_90k: (1 << 33) + 5,
        end_90k: (1 << 33) + 500,
    };
    assert_eq!(parse(&TeletextDecoder::file(span, &[])).0, 5);
}

#[test]
fn times_count_from_the_segments_start() {
    let (one, two) = (
        screen(&[boxed(0, 22, 8, b"one")]),
        screen(&[boxed(0, 22, 8, b"two")]),
    );
    let (_, cues) = parse(&file(&[
        (0, Some(40), Some(&one)),
        (40, Some(1500), Some(&two)),
        (1500, Some(1520), None),
        (1520, None, Some(&one)),
    ]));
    let times: Vec<_> = cues.iter().map(|cue| (cue.from_ms, cue.until_ms)).collect();
    assert_eq!(times, [(0, 40), (40, 1500), (1520, 2000)]);
    let texts: Vec<_> = cues.iter().map(|cue| cue.lines.concat()).collect();
    assert_eq!(texts, ["one", "two", "one"]);
}

#[test]
fn a_screen_that_was_told_again_is_one_cue() {
    let (one, two) = (
        screen(&[boxed(0, 22, 8, b"one")]),
        screen(&[boxed(0, 22, 8, b"two")]),
    );
    let again = [
        (100, Some(200), Some(&one)),
        (200, Some(900), Some(&one)),
        (900, Some(1000), Some(&two)),
        // Not at once.
        (1100, None, Some(&two)),
    ];
    let (_, cues) = parse(&file(&again));
    let times: Vec<_> = cues.iter().map(|cue| (cue.from_ms, cue.until_ms)).collect();
    assert_eq!(times, [(100, 900), (900, 1000), (1100, 2000)]);
}

#[test]
fn text_cannot_be_taken_for_tags_references_or_times() {
    let text = b"<c.red>&amp; a --> b </c>";
    let cues = cues(&[boxed(0, 22, 6, text)]);
    assert_eq!(cues[0].lines, ["<c.red>&amp; a --> b </c>"]);
}

#[test]
fn colours_are_the_classes_that_players_know() {
    let page = [boxed(0, 22, 4, b"W\x02G\x03Y\x07W\x04\x1D\x06B")];
    let text = String::from_utf8(file(&[(0, None, Some(&screen(&page)))])).expect("UTF-8");
    let line = text.lines().last().expect("a line");
    assert_eq!(
        line,
        "W <c.lime>G </c><c.yellow>Y </c>W <c.cyan.bg_blue>B</c>"
    );
}

#[test]
fn lines_below_one_another_in_one_place_are_one_cue() {
    // Centred, with a colour in front; from a column on; up to a column; about a place.
    let lines = |one: (usize, &[u8]), two: (usize, &[u8])| {
        let double = |(column, text): (usize, &[u8])| (column, [b"\x0D", text].concat());
        let ((a, one), (b, two)) = (double(one), double(two));
        cues(&[boxed(0, 20, a, &one), boxed(0, 22, b, &two)])
    };
    let centred = lines((9, b"twenty letters here."), (13, b"twelve there"));
    assert_eq!(centred.len(), 1);
    assert_eq!(centred[0].lines, ["twenty letters here.", "twelve there"]);
    assert_eq!(settings(&centred[0]), (Some("80%"), None, Some("center")));
    let left = lines((3, b"from the left"), (3, b"and a line"));
    assert_eq!(
        settings(&left[0]),
        (Some("80%"), Some("14%"), Some("start"))
    );
    let right = lines((20, b"at the right"), (23, b"and here."));
    assert_eq!(settings(&right[0]), (Some("80%"), Some("79%"), Some("end")));
    let about = lines((20, b"about in here!"), (24, b"as so?"));
    assert_eq!(about.len(), 1);
    assert_eq!(
        settings(&about[0]),
        (Some("80%"), Some("68%"), Some("center"))
    );
}

#[test]
fn lines_in_other_places_are_cues_of_their_own_and_do_not_cover_each_other() {
    let cues = cues(&[
        boxed(0, 2, 12, b"at the very top "),
        boxed(0, 20, 3, b"somebody asks?"),
        boxed(0, 21, 24, b"an answer!"),
        boxed(0, 23, 13, b"in the middle"),
    ]);
    let found: Vec<_> = cues.iter().map(settings).collect();
    let expected = [
        (Some("8%"), None, Some("center")),
        (Some("78%"), Some("12%"), Some("start")),
        (Some("84%"), Some("82%"), Some("end")),
        (Some("90%"), None, Some("center")),
    ];
    assert_eq!(found, expected);
}

#[test]
fn ffmpeg_finds_the_cues_and_their_times() {
    let screens = [
        screen(&[
            boxed(0, 20, 8, b"Fish & Chips"),
            boxed(0, 22, 8, b"a < b > c"),
        ]),
        screen(&[boxed(0, 22, 8, b"\x03Gr}n \x06und [l")]),
    ];
    let content = file(&[
        (40, Some(700), Some(&screens[0])),
        (700, None, Some(&screens[1])),
    ]);
    let file = Scratch::new("segment.vtt", &content);
    let path = file.path().to_str().expect("a plain path");
    let arguments = ["-v", "error", "-i", path, "-c:s", "srt", "-f", "srt", "-"];
    let Some(output) = run("ffmpeg", &arguments) else {
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout)
        .expect("UTF-8")
        .replace('\r', "");
    let expected = "1\n00:00:00,040 --> 00:00:00,700\nFish & Chips\na < b > c\n\n\
        2\n00:00:00,700 --> 00:00:02,000\nGrün und Äl\n\n";
    assert_eq!(text, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_page_is_a_file_that_a_strict_parser_reads(
        rows in prop::collection::vec((1u16..24, 0usize..30, prop::collection::vec(0u8..0x80, 0..36)), 1..8),
        value in 0u16..8,
    ) {
        let mut page = vec![header(0x888, ERASE | SUBTITLE | option(value))];
        page.extend(rows.iter().map(|(row, column, codes)| boxed(0, *row, *column, codes)));
        let mut heard = Heard::of(0x888, None);
        heard.packets(0, &page);
        if let Some(screen) = heard.changes().first().and_then(|change| change.screen.as_ref()) {
            let (_, cues) = parse(&file(&[(0, None, Some(screen))]));
            let found: Vec<String> = cues.iter().flat_map(|cue| cue.lines.clone()).collect();
            let expected: Vec<String> = heard.lines();
            prop_assert_eq!(found, expected);
            let tops: Vec<u8> = cues
                .iter()
                .filter_map(|cue| cue.setting("line")?.strip_suffix('%')?.parse().ok())
                .collect();
            for (pair, cue) in tops.windows(2).zip(&cues) {
                let room = usize::from(pair[1] - pair[0]);
                prop_assert!(room >= 6 * cue.lines.len() || pair[0] == 0, "{:?}", tops);
            }
        }
    }
}
