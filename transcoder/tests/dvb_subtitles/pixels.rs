//! Pixels: run-length codes, map tables, fields, colours.

use super::shown::{GREYS, decoder, image, shows};
use super::written::{MODE_CHANGE, NORMAL, Region, Set, bits, four_bit_field, two_bit_field};

/// A page with a region of this depth, and one object in it.
fn page(size: (u16, u16), depth: u8, top: &[u8], bottom: &[u8]) -> Set {
    Set::new()
        .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
        .region(&Region::new(0, size, depth).with(1, 0, 0))
        .object(1, top, bottom)
        .end()
}

/// A line of pixels as runs: code and length; the region has one line and the colours of 256
/// entries that are all visible and different.
fn runs(depth: u8, kind: u8, codes: &str, expected: &[(u8, usize)]) {
    let width: usize = expected.iter().map(|(_, length)| length).sum();
    let tables = match depth {
        2 => 0x80,
        4 => 0x40,
        _ => 0x20,
    };
    let entries: Vec<_> = (0..=255)
        .map(|n| (n, tables, [n.max(1), 128, 128, n]))
        .collect();
    let data = [&[kind][..], &bits(codes)].concat();
    let set = Set::new()
        .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
        .region(&Region::new(0, (width as u16, 1), depth).with(1, 0, 0))
        .clut(0, 0, &entries)
        .object(1, &data, &[])
        .end();
    let image = image(&set);
    assert_eq!(image.width as usize, width, "the last pixel is cut off");
    let found: Vec<u8> = image.pixels().iter().map(|pixel| 255 - pixel[3]).collect();
    let wanted = expected
        .iter()
        .flat_map(|(code, length)| std::iter::repeat_n(*code, *length));
    assert_eq!(found, wanted.collect::<Vec<u8>>());
}

#[test]
fn every_code_of_2_bits_has_its_length_and_colour() {
    let codes = "01 10 11
        00 01
        00 00 01
        00 1 000 01  00 1 111 10
        00 00 10 0000 11  00 00 10 1111 00
        00 00 11 00000000 01  00 00 11 11111111 10
        00 00 00";
    let expected = [
        (1, 1),
        (2, 1),
        (3, 1),
        (0, 1),
        (0, 2),
        (1, 3),
        (2, 10),
        (3, 12),
        (0, 27),
        (1, 29),
        (2, 284),
    ];
    runs(2, 0x10, codes, &expected);
}

#[test]
fn every_code_of_4_bits_has_its_length_and_colour() {
    let codes = "0001 1111
        0000 1 1 00
        0000 1 1 01
        0000 0 001  0000 0 111
        0000 1 0 00 0101  0000 1 0 11 0110
        0000 1 1 10 0000 0111  0000 1 1 10 1111 1000
        0000 1 1 11 00000000 1001  0000 1 1 11 11111111 1010
        0000 0 000";
    let expected = [
        (1, 1),
        (15, 1),
        (0, 1),
        (0, 2),
        (0, 3),
        (0, 9),
        (5, 4),
        (6, 7),
        (7, 9),
        (8, 24),
        (9, 25),
        (10, 280),
    ];
    runs(4, 0x11, codes, &expected);
}

#[test]
fn every_code_of_8_bits_has_its_length_and_colour() {
    let codes = "00000001 11111111
        00000000 0 0000001  00000000 0 1111111
        00000000 1 0000011 01010101  00000000 1 1111111 10101010
        00000000 0 0000000";
    let expected = [(1, 1), (255, 1), (0, 1), (0, 127), (0x55, 3), (0xAA, 127)];
    runs(8, 0x12, codes, &expected);
}

#[test]
fn codes_of_fewer_bits_than_the_region_are_mapped_by_default_and_by_tables() {
    let two = "01 10 11 0001 000000";
    let four = "0001 0010 1111 00001100 00000000";
    let mapped = |codes: &[u8]| codes.iter().map(|code| (*code, 1)).collect::<Vec<_>>();
    runs(4, 0x10, two, &mapped(&[7, 8, 15, 0]));
    runs(8, 0x10, two, &mapped(&[0x77, 0x88, 0xFF, 0]));
    runs(8, 0x11, four, &mapped(&[0x11, 0x22, 0xFF, 0]));
    // A table precedes the string of which it tells.
    let behind = |table: &str, kind: &str, codes: &str| format!("{table} {kind} {codes}");
    let table = "0001 0010 0011 0100";
    runs(
        4,
        0x20,
        &behind(table, "00010000", two),
        &mapped(&[2, 3, 4, 1]),
    );
    let table = "00001001 00001010 00001011 00001100";
    runs(
        8,
        0x21,
        &behind(table, "00010000", two),
        &mapped(&[10, 11, 12, 9]),
    );
    let table: String = (0..16).map(|n| format!("{:08b}", 100 + n)).collect();
    let expected = mapped(&[101, 102, 115, 100]);
    runs(8, 0x22, &behind(&table, "00010001", four), &expected);
}

#[test]
fn strings_go_on_where_the_last_one_ended_and_lines_begin_at_the_objects_edge() {
    let line = |codes: &str| [&[0x10][..], &bits(codes)].concat();
    let top = [
        line("01 10 000000"),
        line("11 000000"),
        vec![0xF0],
        line("10 000000"),
    ]
    .concat();
    let set = Set::new()
        .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
        .region(&Region::new(0, (6, 4), 2).with(1, 2, 0))
        .object(1, &top, &[0xF0])
        .end();
    let drawn = image(&set).drawn(&GREYS);
    assert_eq!(drawn, ["WBG", "...", "B.."]);
    assert_eq!(image(&set).x, 2);
}

#[test]
fn the_bottom_field_has_lines_of_its_own_or_repeats_the_top_one() {
    let (top, bottom) = (two_bit_field(&["11", "22"]), two_bit_field(&["33", "12"]));
    let both = image(&page((2, 4), 2, &top, &bottom)).drawn(&GREYS);
    assert_eq!(both, ["WW", "GG", "BB", "WB"]);
    let one = image(&page((2, 4), 2, &top, &[])).drawn(&GREYS);
    assert_eq!(one, ["WW", "WW", "BB", "BB"]);
}

#[test]
fn pixels_of_code_1_leave_what_is_under_them_where_the_object_says_so() {
    for (flags, expected) in [(0x2, "GBG"), (0x0, "WBW")] {
        let set = Set::new()
            .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
            .region(&Region {
                background: 3,
                ..Region::new(0, (3, 2), 2).with(1, 0, 0)
            })
            .object_with(1, flags, &two_bit_field(&["121"]), &[])
            .end();
        assert_eq!(image(&set).drawn(&GREYS), [expected, expected]);
    }
}

#[test]
fn what_does_not_fit_its_region_is_cut_off_at_the_edge() {
    let field = two_bit_field(&["1123", "2222"]);
    let set = Set::new()
        .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
        .region(
            &Region::new(0, (3, 2), 2)
                .with(1, 1, 0)
                .with(1, 9, 0)
                .with(1, 0, 9),
        )
        .object(1, &field, &[])
        .end();
    assert_eq!(image(&set).drawn(&GREYS), ["WW", "WW"]);
}

#[test]
fn a_full_row_of_8_bits_may_end_with_one_byte_and_a_longer_one_goes_on() {
    let line = |codes: &[u8]| [&[0x12][..], codes, &[0xF0]].concat();
    let opaque = |code| (code, 0x20, [code, 128, 128, code]);
    let entries: Vec<_> = (1..=255).map(opaque).collect();
    let drawn = |first: &[u8]| {
        let field = [line(first), line(&[7, 8, 0, 0])].concat();
        let set = Set::new()
            .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
            .region(&Region::new(0, (2, 4), 8).with(1, 0, 0))
            .clut(0, 0, &entries)
            .object(1, &field, &[])
            .end();
        let pixels = image(&set).pixels();
        pixels
            .iter()
            .map(|pixel| 255 - pixel[3])
            .collect::<Vec<u8>>()
    };
    let expected = [5, 6, 5, 6, 7, 8, 7, 8];
    assert_eq!(drawn(&[5, 6, 0, 0]), expected);
    assert_eq!(drawn(&[5, 6, 0]), expected);
    assert_eq!(drawn(&[5, 6, 9, 0, 0xF0, 0x12, 0, 0]), expected);
    assert_eq!(drawn(&[5, 6, 0, 0x83, 0xF0, 0, 0]), expected);
}

#[test]
fn strings_of_more_bits_than_the_region_end_the_object() {
    let field = [two_bit_field(&["12"]), four_bit_field(&["FF"])].concat();
    assert_eq!(
        image(&page((2, 4), 2, &field, &[])).drawn(&GREYS),
        ["WB", "WB"]
    );
}

#[test]
fn an_object_that_stands_at_several_places_is_drawn_at_each() {
    let set = Set::new()
        .page(5, 1, MODE_CHANGE, &[(0, 10, 10), (1, 10, 40)])
        .region(&Region::new(0, (5, 2), 2).with(1, 0, 0).with(1, 3, 0))
        .region(&Region::new(1, (2, 2), 2).with(1, 0, 0))
        .object(1, &two_bit_field(&["12"]), &[])
        .end();
    let event = shows(&mut decoder(), &set).expect("a screen");
    let drawn: Vec<_> = event
        .images
        .iter()
        .map(|image| image.drawn(&GREYS))
        .collect();
    assert_eq!(drawn, [["WB.WB", "WB.WB"].to_vec(), ["WB", "WB"].to_vec()]);
}

#[test]
fn images_are_cut_to_what_is_visible() {
    let field = two_bit_field(&["0000000", "0010200", "0000000"]);
    let set = Set::new()
        .page(5, 1, MODE_CHANGE, &[(0, 100, 200)])
        .region(&Region::new(0, (7, 6), 2).with(1, 0, 0))
        .object(1, &field, &[])
        .end();
    let image = image(&set);
    assert_eq!((image.x, image.y), (102, 202));
    assert_eq!(image.drawn(&GREYS), ["W.B", "W.B"]);
}

#[test]
fn colours_have_the_bits_that_their_entry_gives_them() {
    // The first one has 8 bits for each part, the second one 6, 4, 4 and 2.
    let reduced = bits("101010 1001 1100 01");
    let mut content = vec![0, 0x0F, 1, 0x9F, 0x51, 0xF0, 0x5A, 0x20, 2, 0x9E];
    content.extend(&reduced);
    let set = Set::new()
        .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
        .region(&Region::new(0, (2, 2), 2).with(1, 0, 0))
        .segment(0x12, &content)
        .object(1, &two_bit_field(&["12"]), &[])
        .end();
    let pixels = image(&set).pixels();
    // Y 0x51, Cr 0xF0, Cb 0x5A: 1.164 (81 - 16) = 76, and from there 1.596 * 112, and below 0.
    // Y 0xA8, Cr 0x90, Cb 0xC0: 1.164 (168 - 16) = 177, and from there 1.596 * 16,
    // -0.392 * 64 - 0.813 * 16 and 2.017 * 64.
    assert_eq!(pixels[..2], [[254, 0, 0, 0xDF], [203, 139, 255, 0xBF]]);
}

#[test]
fn a_colour_table_of_the_same_version_says_nothing_new_and_others_do() {
    let with = |version, y| {
        Set::new()
            .page(5, 1, NORMAL, &[(0, 0, 0)])
            .region(&Region::new(0, (1, 2), 2).with(1, 0, 0))
            .clut(0, version, &[(1, 0x80, [y, 128, 128, 0])])
            .object(1, &two_bit_field(&["1"]), &[])
            .end()
    };
    let mut decoder = decoder();
    for (version, y, expected) in [(3, 235, 255), (3, 16, 255), (4, 16, 0)] {
        let event = shows(&mut decoder, &with(version, y)).expect("a screen");
        assert_eq!(
            event.images[0].pixels()[0],
            [expected, expected, expected, 255]
        );
    }
}

#[test]
fn colours_that_no_table_defines_are_the_defaults_of_the_regions_depth() {
    let eight = [&[0x12][..], &[0x77, 0x07, 0x00, 0x00]].concat();
    let drawn = |depth, field: &[u8]| image(&page((2, 2), depth, field, &[])).pixels();
    assert_eq!(drawn(2, &two_bit_field(&["13"]))[1], [127, 127, 127, 255]);
    assert_eq!(
        drawn(4, &four_bit_field(&["1C"]))[..2],
        [[255, 0, 0, 255], [0, 0, 127, 255]]
    );
    assert_eq!(drawn(8, &eight)[..2], [[255; 4], [255, 255, 255, 63]]);
}
