//! Promises, each shown by a page that was written for it.

use proptest::prelude::*;
use xg2g_transcoder::Language;
use xg2g_transcoder::subtitles::teletext::{Colour, Run, Screen, TIMEOUT_S, TeletextDecoder};
use xg2g_transcoder::subtitles::{Change, Decoder};
use xg2g_transcoder::ts::clock::Timestamp;

use crate::written::{
    ERASE, INHIBIT, Packet, SERIAL, SUBTITLE, boxed, data, header, odd, option, row, sets, triplet,
    triplets,
};

const SECOND: u64 = 90_000;

const START: u16 = ERASE | SUBTITLE;

/// A decoder of page 888, and what it said.
pub(crate) struct Heard {
    decoder: TeletextDecoder,
    changes: Vec<Change<Screen>>,
}

impl Heard {
    fn new() -> Self {
        Self::of(0x888, None)
    }

    pub(crate) fn of(page: u16, language: Option<&[u8; 3]>) -> Self {
        Self {
            decoder: TeletextDecoder::new(page, language.copied().map(Language::of_code)),
            changes: Vec::new(),
        }
    }

    /// Takes the data of a PES packet.
    pub(crate) fn data(&mut self, data: &[u8]) {
        let at = Timestamp::new(0);
        self.decoder.push(data, at, &mut self.changes);
    }

    /// The lines of every screen that is not empty, without those that stand again.
    pub(crate) fn texts(&self) -> Vec<Vec<String>> {
        let screens = self
            .changes
            .iter()
            .filter_map(|change| change.screen.as_ref());
        let mut texts: Vec<_> = screens.map(lines).collect();
        texts.dedup();
        texts
    }

    pub(crate) fn changes(&self) -> &[Change<Screen>] {
        &self.changes
    }

    pub(crate) fn packets(&mut self, seconds: u64, packets: &[Packet]) -> &mut Self {
        let at = Timestamp::new(seconds * SECOND);
        self.decoder.push(&data(packets), at, &mut self.changes);
        self
    }

    /// Seconds, and the lines of text, of every change; none where nothing is shown.
    fn told(&self) -> Vec<(u64, Option<Vec<String>>)> {
        let told = |change: &Change<Screen>| {
            let lines = change.screen.as_ref().map(lines);
            (change.at.ticks_90k() / SECOND, lines)
        };
        self.changes.iter().map(told).collect()
    }

    pub(crate) fn screen(&self) -> &Screen {
        let last = self.changes.last().expect("a change");
        last.screen.as_ref().expect("something is shown")
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        lines(self.screen())
    }
}

fn lines(screen: &Screen) -> Vec<String> {
    let text = |runs: &[Run]| runs.iter().map(|run| run.text.as_str()).collect();
    screen.lines.iter().map(|line| text(&line.runs)).collect()
}

/// What a page shows.
pub(crate) fn lines_of(page: &[Packet]) -> Vec<String> {
    Heard::new().packets(1, page).lines()
}

/// What a page with these packets behind its header shows.
fn shown(controls: u16, packets: &[Packet]) -> Vec<String> {
    let page = [&[header(0x888, START | controls)], packets].concat();
    Heard::new().packets(1, &page).lines()
}

fn some(text: &str) -> Option<Vec<String>> {
    Some(vec![text.to_owned()])
}

#[test]
fn a_page_is_shown_from_its_header_on_until_it_is_erased() {
    let mut heard = Heard::new();
    heard
        .packets(
            1,
            &[header(0x888, START), boxed(0, 22, 8, b"Good evening.")],
        )
        .packets(3, &[header(0x888, START), boxed(0, 22, 8, b"And now:")])
        .packets(7, &[header(0x888, START)])
        .packets(9, &[header(0x888, START)]);
    let expected = [(1, some("Good evening.")), (3, some("And now:")), (7, None)];
    assert_eq!(heard.told(), expected);
}

#[test]
fn a_page_that_is_sent_again_is_told_again_only_so_that_it_stays() {
    let mut heard = Heard::new();
    for seconds in 1..=45 {
        heard.packets(
            seconds,
            &[header(0x888, START), boxed(0, 22, 8, b"Still here")],
        );
    }
    let told: Vec<u64> = heard.told().iter().map(|(seconds, _)| *seconds).collect();
    assert_eq!(told, [1, 11, 21, 31, 41]);
    for change in heard.changes {
        assert_eq!(change.timeout_90k, TIMEOUT_S * SECOND as i64);
    }
}

#[test]
fn rows_that_come_behind_their_header_are_shown_from_its_time_on() {
    let mut heard = Heard::new();
    heard
        .packets(1, &[header(0x888, START), boxed(0, 20, 8, b"One")])
        .packets(2, &[boxed(0, 22, 8, b"Two")])
        .packets(3, &[header(0x8FF, SUBTITLE)])
        .packets(4, &[boxed(0, 23, 8, b"of another page")]);
    let both = Some(vec!["One".to_owned(), "Two".to_owned()]);
    assert_eq!(heard.told(), [(1, some("One")), (1, both)]);
}

#[test]
fn a_page_that_is_not_erased_keeps_the_rows_that_do_not_come() {
    let mut heard = Heard::new();
    heard
        .packets(
            1,
            &[
                header(0x888, START),
                boxed(0, 20, 8, b"One"),
                boxed(0, 22, 8, b"Two"),
            ],
        )
        .packets(2, &[header(0x888, SUBTITLE), boxed(0, 22, 8, b"New")]);
    assert_eq!(heard.lines(), ["One", "New"]);
}

#[test]
fn only_text_in_a_box_is_shown() {
    let outside = row(0, 21, b"no box at all");
    let both = row(0, 22, b"before \x0B\x0Bwithin\x0A\x0Abehind");
    assert_eq!(shown(0, &[outside, both]), ["within"]);
    let unprotected = row(0, 22, b"before\x0Bwithin\x0Abehind");
    assert_eq!(shown(0, &[unprotected]), ["within"]);
    let mut heard = Heard::new();
    heard.packets(1, &[header(0x888, START), outside]);
    assert_eq!(heard.told(), []);
}

#[test]
fn other_pages_and_magazines_have_no_part_in_it() {
    let other = [
        header(0x887, START),
        boxed(0, 20, 8, b"page 887"),
        header(0x188, START),
        boxed(1, 21, 8, b"page 188"),
        header(0x888, START),
        boxed(1, 21, 8, b"page 188"),
        boxed(0, 22, 8, b"page 888"),
        header(0x889, START),
        boxed(0, 23, 8, b"page 889"),
    ];
    let mut heard = Heard::new();
    heard.packets(1, &other);
    assert_eq!(heard.told(), [(1, some("page 888"))]);
    let mut heard = Heard::of(0x188, None);
    heard.packets(1, &other);
    assert_eq!(heard.told(), [(1, some("page 188"))]);
}

#[test]
fn where_magazines_take_turns_a_header_of_another_ends_the_page() {
    let page = |controls| {
        [
            header(0x888, START | controls),
            boxed(0, 20, 8, b"ours"),
            header(0x188, START | controls),
            boxed(0, 22, 8, b"lost its header"),
        ]
    };
    let mut heard = Heard::new();
    heard.packets(1, &page(SERIAL));
    assert_eq!(heard.lines(), ["ours"]);
    let mut heard = Heard::new();
    heard.packets(1, &page(0));
    assert_eq!(heard.lines(), ["ours", "lost its header"]);
}

#[test]
fn a_page_whose_rows_are_not_to_be_shown_is_not() {
    let mut heard = Heard::new();
    heard
        .packets(1, &[header(0x888, START), boxed(0, 22, 8, b"shown")])
        .packets(
            2,
            &[header(0x888, START | INHIBIT), boxed(0, 22, 8, b"hidden")],
        );
    assert_eq!(heard.told(), [(1, some("shown")), (2, None)]);
}

#[test]
fn the_row_beneath_one_of_double_height_shows_its_lower_half() {
    let mut heard = Heard::new();
    heard.packets(
        1,
        &[
            header(0x888, START),
            boxed(0, 20, 8, b"\x0DDouble"),
            boxed(0, 21, 8, b"covered"),
            boxed(0, 22, 8, b"\x0DUp\x0C"),
            boxed(0, 23, 8, b"below"),
        ],
    );
    assert_eq!(heard.lines(), ["Double", "Up"]);
    let screen = heard.screen();
    assert!(screen.lines.iter().all(|line| line.is_double_height));
    assert_eq!(
        screen.lines.iter().map(|line| line.row).collect::<Vec<_>>(),
        [20, 22]
    );
}

#[test]
fn a_wide_character_covers_the_place_to_its_right() {
    assert_eq!(
        shown(0, &[boxed(0, 22, 6, b"\x0EW.I.D.E.\x0C normal")]),
        ["WIDE normal"]
    );
    assert_eq!(
        shown(0, &[boxed(0, 22, 6, b"\x0FB-I-G-\x0Dtall")]),
        ["BIG tall"]
    );
}

#[test]
fn what_is_concealed_stays_so_up_to_the_next_colour() {
    assert_eq!(
        shown(0, &[boxed(0, 22, 6, b"seen\x18hidden\x03seen")]),
        ["seen seen"]
    );
}

#[test]
fn letters_among_blocks_are_letters() {
    let text = b"\x17\x35\x7A AB\x07cd\x1D";
    assert_eq!(shown(0, &[boxed(0, 22, 6, text)]), ["AB cd"]);
}

#[test]
fn colours_are_those_of_the_letters_and_behind_them() {
    let mut heard = Heard::new();
    let text = b"A\x01B\x02C\x03D\x04E\x05F\x06G\x07H\x01\x1D\x03I\x1C\x00J";
    heard.packets(1, &[header(0x888, START), boxed(0, 22, 6, text)]);
    let runs: Vec<_> = heard.screen().lines[0]
        .runs
        .iter()
        .map(|run| (run.text.trim(), run.foreground, run.background))
        .collect();
    use Colour::{Black, Blue, Cyan, Green, Magenta, Red, White, Yellow};
    let expected = [
        ("A", White, Black),
        ("B", Red, Black),
        ("C", Green, Black),
        ("D", Yellow, Black),
        ("E", Blue, Black),
        ("F", Magenta, Black),
        ("G", Cyan, Black),
        ("H", White, Black),
        ("I", Yellow, Red),
        ("J", Black, Black),
    ];
    assert_eq!(runs, expected);
}

#[test]
fn lines_know_their_row_and_columns() {
    let mut heard = Heard::new();
    heard.packets(
        1,
        &[header(0x888, START), boxed(0, 17, 12, b"\x03 twelve ")],
    );
    let line = &heard.screen().lines[0];
    assert_eq!((line.row, line.start, line.end), (17, 14, 20));
    assert!(!line.is_double_height);
}

#[test]
fn packets_26_bring_letters_that_rows_cannot_hold() {
    let position = |row: u32| triplet(40 + row, 0x04, 0);
    let letters = [
        position(22),
        triplet(8, 0x12, b'e'),
        triplet(9, 0x18, b'a'),
        triplet(10, 0x1F, b's'),
        triplet(11, 0x1B, b'c'),
        triplet(12, 0x0F, 0x7B),
        triplet(13, 0x0F, 0x55),
        triplet(14, 0x10, 0x2A),
        // A letter with a mark for which Unicode has no single character.
        triplet(15, 0x19, b'x'),
        triplet(16, 0x10, b'#'),
        position(20),
        triplet(8, 0x11, b'A'),
    ];
    let end = [
        triplet(63, 0x1F, 0x7F),
        position(22),
        triplet(8, 0x11, b'e'),
    ];
    let page = [
        triplets(0, 26, 0, &letters),
        triplets(0, 26, 1, &end),
        boxed(0, 20, 8, b"A row"),
        boxed(0, 22, 8, b"eascLM*x_."),
    ];
    assert_eq!(shown(option(1), &page), ["À row", "éäšçß♪@x\u{323}#."]);
}

#[test]
fn letters_behind_a_packet_26_that_is_missing_have_no_place() {
    let position = |row: u32| triplet(40 + row, 0x04, 0);
    let page = [
        triplets(0, 26, 0, &[position(20), triplet(8, 0x12, b'e')]),
        // The one between has set another row.
        triplets(
            0,
            26,
            2,
            &[
                triplet(9, 0x12, b'e'),
                position(22),
                triplet(10, 0x12, b'e'),
            ],
        ),
        boxed(0, 20, 8, b"eee"),
        boxed(0, 22, 8, b"eee"),
    ];
    assert_eq!(shown(0, &page), ["éee", "eeé"]);
}

#[test]
fn a_letter_of_a_packet_26_goes_with_the_row_that_comes_without_it() {
    let mut heard = Heard::new();
    let letters = [triplet(62, 0x04, 0), triplet(8, 0x12, b'e')];
    heard
        .packets(
            1,
            &[
                header(0x888, START),
                triplets(0, 26, 0, &letters),
                boxed(0, 22, 8, b"ete"),
            ],
        )
        .packets(2, &[header(0x888, SUBTITLE), boxed(0, 22, 8, b"ete")]);
    assert_eq!(heard.told(), [(1, some("éte")), (2, some("ete"))]);
}

#[test]
fn the_header_names_the_national_letters() {
    let text = boxed(0, 22, 4, b"#$@[\\]^_`{|}~");
    let expected = [
        "£$@←½→↑#—¼‖¾÷",
        "#$§ÄÖÜ^_°äöüß",
        "#¤ÉÄÖÅÜ_éäöåü",
        "£$é°ç→↑#ùàòèì",
        "éïàëêùî#èâôûç",
        "ç$¡áéíóú¿üñèà",
        "#ůčťžýířéáěúš",
    ];
    for (value, expected) in expected.iter().enumerate() {
        assert_eq!(shown(option(value as u16), &[text]), [*expected], "{value}");
    }
}

#[test]
fn the_language_of_the_pmt_tells_the_group_where_no_packet_does() {
    let cases: [(&[u8; 3], u16, &[u8], &str); 11] = [
        (b"pol", 0, b"[_}w", "Żółw"),
        (b"tur", 6, b"I{`$", "Işığ"),
        (b"hrv", 5, b"^to |eli", "Što želi"),
        (b"ron", 7, b"\\i `ar}", "Și țară"),
        (b"rus", 4, b"priwet", "привет"),
        (b"ukr", 5, b"ukra&na", "україна"),
        (b"ell", 7, b"Jakgl]qa", "Καλημέρα"),
        (b"est", 2, b"T{nan, `okk", "Tänan, šokk"),
        (b"lit", 3, b"A^i_", "Ačiū"),
        // A page in the letters of the west stays one.
        (b"pol", 1, b"Gr}n", "Grün"),
        (b"ell", 1, b"Gr}n", "Grün"),
    ];
    for (language, value, text, expected) in cases {
        let mut heard = Heard::of(0x888, Some(language));
        let page = [header(0x888, START | option(value)), boxed(0, 22, 8, text)];
        assert_eq!(heard.packets(1, &page).lines(), [expected]);
    }
}

#[test]
fn packets_28_and_29_name_the_sets_of_a_page_and_of_a_magazine() {
    let russian = sets(4 << 3 | 4, 0x7F);
    let greek = sets(6 << 3 | 7, 0x7F);
    let text = boxed(0, 22, 6, b"PIWET");
    let mut heard = Heard::new();
    heard
        .packets(
            1,
            &[triplets(0, 29, 0, &russian), triplets(1, 29, 0, &greek)],
        )
        .packets(2, &[header(0x888, START | option(4)), text])
        .packets(
            3,
            &[
                header(0x888, START | option(7)),
                triplets(0, 28, 0, &greek),
                text,
            ],
        )
        .packets(4, &[header(0x888, START | option(4)), text]);
    let expected = [(2, some("ПИВЕТ")), (3, some("ΠΙΧΕΤ")), (4, some("ПИВЕТ"))];
    assert_eq!(heard.told(), expected);
}

#[test]
fn esc_switches_between_two_sets_where_there_are_two() {
    let both = sets(4 << 3 | 4, 0);
    let page = [
        triplets(0, 28, 0, &both),
        boxed(0, 22, 4, b"mir \x1Bpeace#\x1Bmir"),
    ];
    assert_eq!(shown(option(4), &page), ["мир peace£ мир"]);
    let one = [
        triplets(0, 28, 0, &sets(4 << 3 | 4, 0x7F)),
        boxed(0, 22, 4, b"mir \x1Bmir"),
    ];
    assert_eq!(shown(option(4), &one), ["мир мир"]);
}

#[test]
fn hebrew_and_arabic_are_given_in_the_order_in_which_they_are_read() {
    // On the screen, from the left; read from the right. Players mirror brackets.
    let page = [
        triplets(0, 28, 0, &sets(10 << 3 | 5, 0x7F)),
        boxed(0, 22, 10, b"BBC (12) mely"),
    ];
    assert_eq!(shown(option(5), &page), ["שלום (12) BBC"]);
}

#[test]
fn one_wrong_bit_in_any_protected_byte_changes_nothing() {
    let page = [
        header(0x888, START | option(1)),
        triplets(0, 26, 0, &[triplet(62, 0x04, 0), triplet(10, 0x18, b'o')]),
        boxed(0, 22, 8, b"Gro\x7Ee"),
    ];
    let mut expected = Heard::new();
    expected.packets(1, &page);
    for packet in 0..2 {
        for bit in 0..if packet == 0 { 10 * 8 } else { 9 * 8 } {
            let mut damaged = page;
            damaged[packet][bit / 8] ^= 1 << (bit % 8);
            let mut heard = Heard::new();
            heard.packets(1, &damaged);
            assert_eq!(heard.told(), expected.told(), "{packet} {bit}");
        }
    }
}

#[test]
fn a_damaged_character_leaves_the_one_that_was_there() {
    let mut damaged = boxed(0, 22, 8, b"subtitle");
    for at in [0, 7] {
        damaged[2 + 8 + at] ^= 1;
    }
    assert_eq!(shown(0, &[damaged]), ["ubtitl"]);
    assert_eq!(
        shown(0, &[boxed(0, 22, 8, b"subtitle"), damaged]),
        ["subtitle"]
    );
}

#[test]
fn behind_a_loss_rows_wait_for_a_header() {
    let mut heard = Heard::new();
    heard.packets(1, &[header(0x888, START), boxed(0, 20, 8, b"One")]);
    heard.decoder.lose();
    heard.packets(2, &[boxed(0, 22, 8, b"of another page")]);
    assert_eq!(heard.told(), [(1, some("One"))]);
}

#[test]
fn only_teletext_units_of_ebu_data_are_read() {
    let whole = data(&[header(0x888, START), boxed(0, 22, 8, b"text")]);
    let told = |data: &[u8]| {
        let mut heard = Heard::new();
        heard
            .decoder
            .push(data, Timestamp::new(0), &mut heard.changes);
        heard.changes.len()
    };
    assert_eq!(told(&whole), 1);
    for identifier in [0x0F, 0x20, 0x99] {
        assert_eq!(told(&[&[identifier], &whole[1..]].concat()), 0);
    }
    // Stuffing, and a unit of another kind and length, in between.
    let (first, rest) = whole.split_at(47);
    let other = [&[0xFF, 0x2C][..], &[0xFF; 44], &[0xC3, 3, 1, 2, 3]].concat();
    assert_eq!(told(&[first, &other, rest].concat()), 1);
    let mut not_teletext = whole.clone();
    not_teletext[47] = 0xC0;
    assert_eq!(told(&not_teletext), 0);
    for length in 0..whole.len() {
        told(&whole[..length]);
    }
    assert_eq!(told(&whole[..2 * 46]), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_comes_back(text in "[A-Za-z0-9 .,?!'()-]{1,30}", at in 1u16..24) {
        let words: Vec<&str> = text.split_whitespace().collect();
        prop_assume!(!words.is_empty());
        let found = shown(0, &[boxed(0, at, 4, text.as_bytes())]);
        prop_assert_eq!(found, [words.join(" ")]);
    }

    #[test]
    fn no_bytes_make_it_panic_or_hold_more_than_its_bound(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                prop::collection::vec((any::<u8>(), any::<u8>(), prop::array::uniform32(any::<u8>())), 1..20)
                    .prop_map(|packets| {
                        let packet = |(number, controls, text): &(u8, u8, [u8; 32])| match number % 8 {
                            0 => header(0x888, u16::from(*controls) << 4),
                            1 => {
                                let mut any = triplets(0, 26 + u16::from(number >> 6), 0, &[]);
                                any[3..35].copy_from_slice(text);
                                any
                            }
                            _ => row(0, u16::from(number >> 3), &text.map(odd)),
                        };
                        data(&packets.iter().map(packet).collect::<Vec<_>>())
                    }),
            ],
            1..20,
        ),
    ) {
        let mut heard = Heard::new();
        for (index, piece) in pieces.iter().enumerate() {
            let at = Timestamp::new(index as u64 * SECOND);
            heard.decoder.push(piece, at, &mut heard.changes);
            prop_assert!(heard.decoder.held_bytes() <= TeletextDecoder::MAX_HELD_BYTES);
        }
        for screen in heard.changes.iter().filter_map(|change| change.screen.as_ref()) {
            prop_assert!(TeletextDecoder::screen_bytes(screen) <= TeletextDecoder::MAX_SCREEN_BYTES);
            for line in &screen.lines {
                prop_assert!(line.start < line.end && line.end <= 40 && !line.runs.is_empty());
            }
        }
    }
}
