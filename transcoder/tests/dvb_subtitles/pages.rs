//! Pages: when they are shown, what of them stays, and where.

use xg2g_transcoder::subtitles::dvb::{DvbDecoder, MAX_PIXELS};
use xg2g_transcoder::subtitles::{Decoder, Shown};
use xg2g_transcoder::ts::clock::Timestamp;

use super::shown::{Event, GREYS, START, changes, decoder, event, file, shows};
use super::written::{ACQUISITION, MODE_CHANGE, NORMAL, PAGE, Region, SHARED, Set, two_bit_field};

const SECOND: i64 = 90_000;

/// A page of one region with this line of pixels.
fn page(time_out_s: u8, version: u8, state: u8, line: &str) -> Set {
    Set::new()
        .page(time_out_s, version, state, &[(0, 100, 400)])
        .region(&Region::new(0, (line.len() as u16, 2), 2).with(1, 0, 0))
        .object(1, &two_bit_field(&[line]), &[])
        .end()
}

fn cleared(version: u8, state: u8) -> Set {
    Set::new().page(5, version, state, &[]).end()
}

/// The first row of each image.
fn lines(event: &Event) -> Vec<String> {
    let row = |image: &super::shown::Image| image.drawn(&GREYS).swap_remove(0);
    event.images.iter().map(row).collect()
}

/// What stands on the display behind a set; none where that is nothing new.
fn drawn(decoder: &mut DvbDecoder, set: &Set) -> Option<Vec<String>> {
    let changes = changes(decoder, set, 0);
    let change = changes.last()?;
    Some(
        change
            .screen
            .as_ref()
            .map_or(Vec::new(), |screen| lines(&event(screen))),
    )
}

#[test]
fn a_page_is_shown_at_its_time_until_its_time_out() {
    let found = changes(&mut decoder(), &page(7, 1, MODE_CHANGE, "12"), 4711);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].at, Timestamp::new(4711));
    assert_eq!(found[0].timeout_90k, 7 * SECOND);
    let event = event(found[0].screen.as_ref().expect("a screen"));
    assert_eq!((event.width, event.height), (Some(720), Some(576)));
    assert_eq!((event.images[0].x, event.images[0].y), (100, 400));
    assert_eq!(lines(&event), ["WB"]);
}

#[test]
fn a_page_without_a_time_out_has_the_longest() {
    let found = changes(&mut decoder(), &page(0, 1, MODE_CHANGE, "12"), 0);
    assert_eq!(found[0].timeout_90k, 255 * SECOND);
}

#[test]
fn a_page_without_regions_clears_the_display_once() {
    let mut decoder = decoder();
    assert_eq!(changes(&mut decoder, &cleared(0, MODE_CHANGE), 0), []);
    assert!(drawn(&mut decoder, &page(5, 1, MODE_CHANGE, "12")).is_some());
    let found = changes(&mut decoder, &cleared(2, NORMAL), 9);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].at, &found[0].screen), (Timestamp::new(9), &None));
    assert_eq!(changes(&mut decoder, &cleared(2, NORMAL), 10), []);
}

#[test]
fn a_page_whose_regions_show_nothing_clears_the_display() {
    let mut decoder = decoder();
    assert!(drawn(&mut decoder, &page(5, 1, MODE_CHANGE, "12")).is_some());
    assert_eq!(
        drawn(&mut decoder, &page(5, 2, MODE_CHANGE, "00")),
        Some(vec![])
    );
}

#[test]
fn a_page_that_is_sent_again_is_shown_on_as_one_event() {
    let mut decoder = decoder();
    let set = page(5, 1, ACQUISITION, "12");
    let first = changes(&mut decoder, &set, 0);
    let again = changes(&mut decoder, &set, 2);
    let other = changes(&mut decoder, &page(5, 2, ACQUISITION, "21"), 4);
    assert_eq!((again.len(), again[0].timeout_90k), (1, 5 * SECOND));
    let shown = [(0, 2, &first), (2, 4, &again), (4, 6, &other)];
    let shown = shown.map(|(from_90k, until_90k, changes)| Shown {
        from_90k,
        until_90k: Some(until_90k),
        screen: changes[0].screen.as_ref(),
    });
    let events = file(&shown).events;
    let times: Vec<_> = events.iter().map(|e| (e.from_90k, e.until_90k)).collect();
    assert_eq!(times, [(0, Some(4)), (4, Some(6))]);
}

#[test]
fn a_file_says_when_its_segment_starts_also_where_nothing_is_shown() {
    let empty = file(&[]);
    assert_eq!((empty.start_90k, empty.events.len()), (START, 0));
}

#[test]
fn a_page_that_comes_again_after_a_pause_is_another_event() {
    let set = page(5, 1, ACQUISITION, "12");
    let found = changes(&mut decoder(), &set, 0);
    let screen = found[0].screen.as_ref();
    // It timed out at 2, and at 4 another cleared it.
    let shown = [
        (0, Some(2), screen),
        (3, Some(4), screen),
        (4, Some(5), None),
        (5, None, screen),
    ];
    let shown = shown.map(|(from_90k, until_90k, screen)| Shown {
        from_90k,
        until_90k,
        screen,
    });
    let events = file(&shown).events;
    let counts: Vec<_> = events.iter().map(|e| (e.images.len(), e.width)).collect();
    let image = (1, Some(720));
    assert_eq!(counts, [image, image, (0, None), image]);
    assert_eq!(events[3].until_90k, None);
}

#[test]
fn regions_stay_through_a_normal_page_and_go_with_an_acquisition_point_or_a_mode_change() {
    for (state, expected) in [
        (NORMAL, ["WW"].as_slice()),
        (ACQUISITION, &[]),
        (MODE_CHANGE, &[]),
    ] {
        let mut decoder = decoder();
        assert!(drawn(&mut decoder, &page(5, 1, MODE_CHANGE, "11")).is_some());
        assert_eq!(drawn(&mut decoder, &cleared(2, NORMAL)), Some(vec![]));
        let back = Set::new().page(5, 3, state, &[(0, 0, 0)]).end();
        assert_eq!(drawn(&mut decoder, &back).unwrap_or_default(), expected);
    }
}

#[test]
fn an_acquisition_point_of_the_same_version_leaves_the_display_as_it_is() {
    let mut decoder = decoder();
    assert!(drawn(&mut decoder, &page(5, 1, ACQUISITION, "12")).is_some());
    let again = Set::new().page(5, 1, ACQUISITION, &[(0, 100, 400)]).end();
    assert_eq!(drawn(&mut decoder, &again), Some(vec!["WB".to_owned()]));
}

#[test]
fn a_region_keeps_its_pixels_unless_it_is_filled_or_has_another_size() {
    let below = |fills, width| {
        let region = Region {
            fills,
            background: 3,
            ..Region::new(0, (width, 4), 2).with(2, 0, 2)
        };
        let mut decoder = decoder();
        let first = Set::new()
            .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
            .region(&Region::new(0, (2, 4), 2).with(1, 0, 0))
            .object(1, &two_bit_field(&["11"]), &[])
            .end();
        assert_eq!(drawn(&mut decoder, &first), Some(vec!["WW".to_owned()]));
        let second = Set::new()
            .page(5, 2, NORMAL, &[(0, 0, 0)])
            .region(&region)
            .object(2, &two_bit_field(&["22"]), &[])
            .end();
        let event = shows(&mut decoder, &second).expect("a screen");
        event.images[0].drawn(&GREYS)
    };
    assert_eq!(below(false, 2), ["WW", "WW", "BB", "BB"]);
    assert_eq!(below(true, 2), ["GG", "GG", "BB", "BB"]);
    assert_eq!(below(false, 3), ["GGG", "GGG", "BBG", "BBG"]);
}

#[test]
fn a_region_may_be_nothing_but_its_background() {
    let set = Set::new()
        .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
        .region(&Region {
            background: 2,
            ..Region::new(0, (3, 1), 2)
        })
        .end();
    assert_eq!(drawn(&mut decoder(), &set), Some(vec!["BBB".to_owned()]));
}

#[test]
fn places_refer_to_the_window_of_the_display() {
    let set = |version, window| {
        Set::new()
            .display(version, (1920, 1080), window)
            .page(5, version, MODE_CHANGE, &[(0, 100, 400)])
            .region(&Region::new(0, (1, 1), 2).with(1, 0, 0))
            .object(1, &two_bit_field(&["1"]), &[])
            .end()
    };
    let mut decoder = decoder();
    let mut place = |version, window| {
        let event = shows(&mut decoder, &set(version, window)).expect("a screen");
        let size = (event.width, event.height);
        (size, event.images[0].x, event.images[0].y)
    };
    let size = (Some(1920), Some(1080));
    assert_eq!(place(0, None), (size, 100, 400));
    assert_eq!(place(1, Some([600, 1319, 252, 827])), (size, 700, 652));
    // A set without a definition keeps the last one.
    let later = shows(&mut decoder, &page(5, 2, MODE_CHANGE, "1")).expect("a screen");
    assert_eq!((later.width, later.images[0].x), (Some(1920), 700));
}

#[test]
fn the_same_bitmaps_on_another_display_are_another_screen() {
    let mut decoder = decoder();
    let first = changes(&mut decoder, &page(5, 1, ACQUISITION, "1"), 0);
    let set = Set::new()
        .display(1, (1280, 720), None)
        .page(5, 2, NORMAL, &[(0, 100, 400)])
        .end();
    let second = changes(&mut decoder, &set, 0);
    assert_ne!(first[0].screen, second[0].screen);
}

#[test]
fn objects_and_colours_of_the_shared_page_are_used_and_those_of_others_are_not() {
    let set = |page_id| {
        Set::new()
            .of_page(page_id)
            .object(1, &two_bit_field(&["12"]), &[])
            .clut(0, 0, &[(1, 0x80, [16, 128, 128, 0])])
            .of_page(PAGE)
            .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
            .region(&Region {
                background: 3,
                ..Region::new(0, (2, 2), 2).with(1, 0, 0)
            })
            .end()
    };
    assert_eq!(
        drawn(&mut decoder(), &set(SHARED)),
        Some(vec!["BB".to_owned()])
    );
    assert_eq!(drawn(&mut decoder(), &set(3)), Some(vec!["GG".to_owned()]));
}

#[test]
fn a_page_and_a_display_of_the_shared_page_are_another_ones() {
    let mut decoder = decoder();
    assert!(drawn(&mut decoder, &page(5, 1, MODE_CHANGE, "12")).is_some());
    let shared = Set::new()
        .of_page(SHARED)
        .display(3, (1920, 1080), None)
        .page(5, 2, MODE_CHANGE, &[])
        .end();
    assert_eq!(changes(&mut decoder, &shared, 0), []);
    let again = Set::new().page(5, 2, NORMAL, &[(0, 100, 400)]).end();
    let event = shows(&mut decoder, &again).expect("a screen");
    assert_eq!(
        (event.width, lines(&event)),
        (Some(720), vec!["WB".to_owned()])
    );
}

#[test]
fn pages_of_others_on_the_same_pid_are_not_shown() {
    let other = |page_id, set: Set| {
        let mut decoder = DvbDecoder::new(page_id, page_id);
        drawn(&mut decoder, &set)
    };
    let both = || {
        Set::new()
            .of_page(2)
            .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
            .region(&Region::new(0, (2, 2), 2).with(1, 0, 0))
            .object(1, &two_bit_field(&["11"]), &[])
            .end()
            .of_page(3)
            .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
            .region(&Region::new(0, (2, 2), 2).with(1, 0, 0))
            .object(1, &two_bit_field(&["22"]), &[])
            .end()
    };
    assert_eq!(other(2, both()), Some(vec!["WW".to_owned()]));
    assert_eq!(other(3, both()), Some(vec!["BB".to_owned()]));
    assert_eq!(other(4, both()), None);
}

#[test]
fn regions_that_are_not_known_are_left_out() {
    let set = Set::new()
        .page(5, 1, NORMAL, &[(9, 0, 0), (0, 0, 0), (0, 5, 5)])
        .region(&Region::new(0, (2, 2), 2).with(1, 0, 0))
        .object(1, &two_bit_field(&["12"]), &[])
        .end();
    assert_eq!(drawn(&mut decoder(), &set), Some(vec!["WB".to_owned()]));
}

#[test]
fn a_display_set_without_its_end_is_shown_with_its_objects() {
    let set = Set::new()
        .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
        .region(&Region::new(0, (2, 2), 2).with(1, 0, 0))
        .object(1, &two_bit_field(&["12"]), &[]);
    let mut decoder = decoder();
    assert_eq!(drawn(&mut decoder, &set), Some(vec!["WB".to_owned()]));
    let empty = Set::new().page(5, 2, NORMAL, &[]);
    assert_eq!(drawn(&mut decoder, &empty), Some(vec![]));
}

#[test]
fn a_display_set_may_come_in_several_packets_of_one_time() {
    let mut decoder = decoder();
    let page = Set::new().page(5, 1, MODE_CHANGE, &[(0, 0, 0)]);
    let region = Set::new().region(&Region::new(0, (2, 2), 2).with(1, 0, 0));
    let object = Set::new().object(1, &two_bit_field(&["12"]), &[]);
    for part in [page, region, object] {
        assert_eq!(changes(&mut decoder, &part, 5), []);
    }
    let found = changes(&mut decoder, &Set::new().end(), 5);
    assert_eq!((found.len(), found[0].at), (1, Timestamp::new(5)));
    assert_eq!(
        lines(&event(found[0].screen.as_ref().expect("a screen"))),
        ["WB"]
    );
}

#[test]
fn a_display_set_that_nothing_ends_is_shown_when_another_time_begins() {
    let mut decoder = decoder();
    let page = Set::new()
        .page(5, 1, MODE_CHANGE, &[(0, 0, 0)])
        .region(&Region::new(0, (2, 2), 2).with(1, 0, 0));
    let object = Set::new().object(1, &two_bit_field(&["12"]), &[]);
    assert_eq!(changes(&mut decoder, &page, 5), []);
    assert_eq!(changes(&mut decoder, &object, 5), []);
    let found = changes(&mut decoder, &cleared(2, NORMAL), 9);
    let times: Vec<_> = found.iter().map(|change| change.at).collect();
    assert_eq!(times, [Timestamp::new(5), Timestamp::new(9)]);
}

#[test]
fn data_of_other_kinds_and_what_breaks_off_change_nothing() {
    let whole = page(5, 1, MODE_CHANGE, "12").data();
    let mut other_identifier = whole.clone();
    other_identifier[0] = 0x10;
    let mut other_stream = whole.clone();
    other_stream[1] = 1;
    for data in [
        &[][..],
        &whole[..1],
        &whole[..9],
        &other_identifier,
        &other_stream,
    ] {
        let mut found = Vec::new();
        decoder().push(data, Timestamp::new(0), &mut found);
        assert_eq!(found, []);
    }
    let stuffed = Set::new().segment(0xFF, &[0; 9]).segment(0x15, &[1; 5]);
    let with_others = [&stuffed.data()[..stuffed.data().len() - 1], &whole[2..]].concat();
    let mut found = Vec::new();
    decoder().push(&with_others, Timestamp::new(0), &mut found);
    assert_eq!(found.len(), 1);
}

#[test]
fn regions_of_more_pixels_than_a_display_are_not_held() {
    let mut decoder = decoder();
    let mut set = Set::new().page(5, 1, MODE_CHANGE, &[(0, 0, 0), (1, 0, 0), (2, 0, 0)]);
    for (id, size) in [(0, (1920, 1079)), (1, (1920, 2)), (2, (1920, 1))] {
        set = set.region(&Region {
            background: 1,
            ..Region::new(id, size, 2)
        });
    }
    let event = shows(&mut decoder, &set.end()).expect("a screen");
    let heights: Vec<_> = event.images.iter().map(|image| image.height).collect();
    assert_eq!(heights, [1079, 1]);
    assert!(decoder.held_bytes() >= 2 * MAX_PIXELS);
}
