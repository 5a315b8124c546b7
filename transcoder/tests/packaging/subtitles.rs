//! Subtitles: for every segment of the picture one file, with what is shown in its time.

use xg2g_transcoder::mp4::{
    Event, Header, MAX_TEXTS, Media, Packager, PackagerOptions, Part, Rendition, Segment,
};
use xg2g_transcoder::ts::packet::Pid;

use crate::files::{check_rules, events};
use crate::synthetic::{FRAME, Kind, SOUND, Shape, Stream, VIDEO};
use crate::written::{ERASE, Packet, SUBTITLE, boxed, data, header, pes};

/// The PID of the subtitles.
pub(crate) const SUBTITLES: u16 = 0x120;
pub(crate) const SECOND: u64 = 90_000;
const WRAP: u64 = 1 << 33;

/// How long before it is shown a picture is sent.
const LEAD: u64 = SECOND;

/// Page 888 in German, page 150 in English for those who do not hear.
const DESCRIPTOR: &[u8] = b"\x56\x0Ager\x10\x88eng\x29\x50";

const GERMAN: Rendition = Rendition::Text {
    pid: Pid::new(SUBTITLES),
    page: 0x888,
};
const ENGLISH: Rendition = Rendition::Text {
    pid: Pid::new(SUBTITLES),
    page: 0x150,
};

fn options() -> PackagerOptions {
    PackagerOptions {
        segment_ms: 1000,
        ..PackagerOptions::default()
    }
}

fn tables(stream: &mut Stream) {
    stream.tables(&[
        (0x1B, VIDEO, &[]),
        (0x0F, SOUND, b"\x0A\x04ger\0"),
        (0x06, SUBTITLES, DESCRIPTOR),
    ]);
}

/// What is sent of subtitles: when it is multiplexed, and the PES packet.
pub(crate) type Sent = (u64, Vec<u8>);

/// A page that is sent at the time at which it is shown.
fn shown(at: u64, packets: &[Packet]) -> Sent {
    (at, pes(Some(at), &data(packets)))
}

fn subtitle(at: u64, text: &[u8]) -> Sent {
    let page = [header(0x888, ERASE | SUBTITLE), boxed(0, 22, 10, text)];
    shown(at, &page)
}

fn erased(at: u64) -> Sent {
    shown(at, &[header(0x888, ERASE | SUBTITLE)])
}

/// Seconds of pictures, each with an IDR picture first, and of sound: `start` is when the first
/// is shown. Pictures are sent a second before, sound and subtitles in time, and the clock with
/// them.
pub(crate) fn program(stream: &mut Stream, start: u64, seconds: u64, mut sent: Vec<Sent>) {
    sent.reverse();
    let mut sound_at = start;
    for n in 0..seconds * 25 {
        let pts = start + n * FRAME;
        let now = pts - LEAD;
        stream.clock(now % WRAP);
        let kind = if n % 25 == 0 { Kind::Idr } else { Kind::P };
        stream.picture(kind, Shape::Frame, Some((pts % WRAP, pts % WRAP)));
        while sound_at <= now {
            stream.sound(sound_at % WRAP);
            sound_at += 1920;
        }
        while let Some((_, unit)) = sent.pop_if(|(at, _)| *at <= now) {
            stream.unit(SUBTITLES, &unit);
        }
    }
}

/// Headers, and files with their ends, of a rendition.
pub(crate) fn files(events: &[Event], rendition: Rendition) -> (Vec<Header>, Vec<(Part, Segment)>) {
    let headers = events.iter().filter_map(|event| match event {
        Event::Header(header) if header.rendition == rendition => Some(header.clone()),
        _ => None,
    });
    let parts = events.iter().filter_map(|event| match event {
        Event::Part(part) if part.rendition == rendition => Some(part.clone()),
        _ => None,
    });
    let segments = events.iter().filter_map(|event| match event {
        Event::Segment(segment) if segment.rendition == rendition => Some(*segment),
        _ => None,
    });
    let (parts, segments): (Vec<Part>, Vec<Segment>) = (parts.collect(), segments.collect());
    assert_eq!(parts.len(), segments.len());
    for (part, segment) in parts.iter().zip(&segments) {
        assert_eq!((part.segment, part.index), (segment.number, 0));
        assert_eq!(segment.parts, 1);
        let times = (part.decode_time, part.duration);
        assert_eq!(times, (segment.decode_time, segment.duration));
    }
    (headers.collect(), parts.into_iter().zip(segments).collect())
}

/// Number, and text below the header, of each file.
fn texts(events: &[Event], rendition: Rendition) -> Vec<(u64, String)> {
    let (_, files) = files(events, rendition);
    let text = |(part, _): (Part, Segment)| {
        let text = String::from_utf8(part.data).expect("UTF-8");
        let map = format!(
            "X-TIMESTAMP-MAP=MPEGTS:{},LOCAL:00:00:00.000\n",
            part.decode_time % WRAP
        );
        let head = format!("WEBVTT\n{map}");
        let cues = text.strip_prefix(&head).unwrap_or_else(|| panic!("{text}"));
        (part.segment, cues.trim().to_owned())
    };
    files.into_iter().map(text).collect()
}

fn packaged(stream: &Stream) -> Vec<Event> {
    let events = events(&options(), &stream.bytes, 1000);
    check_rules(&options(), &events);
    events
}

#[test]
fn renditions_are_told_before_any_subtitle_is_shown() {
    let mut stream = Stream::new();
    tables(&mut stream);
    program(&mut stream, 10 * SECOND, 3, Vec::new());
    let events = packaged(&stream);
    for (rendition, language, is_hearing_impaired, page, name) in [
        (GERMAN, b"deu", false, 0x888, "text-288-888"),
        (ENGLISH, b"eng", true, 0x150, "text-288-150"),
    ] {
        let (headers, files) = files(&events, rendition);
        assert_eq!(rendition.to_string(), name);
        let [header] = headers.as_slice() else {
            panic!("one header");
        };
        let Media::Text { language: told, .. } = header.media else {
            panic!("text");
        };
        assert_eq!(told.map(|told| told.code()), Some(*language));
        let media = Media::Text {
            language: told,
            is_hearing_impaired,
            page,
        };
        assert_eq!(header.media, media);
        assert_eq!((header.segment, header.timescale), (0, 90_000));
        assert_eq!((header.codecs.as_str(), header.data.len()), ("wvtt", 0));
        assert_eq!(files.len(), 3);
    }
}

#[test]
fn every_segment_of_the_picture_has_one_file_that_begins_with_it() {
    let mut stream = Stream::new();
    tables(&mut stream);
    program(&mut stream, WRAP - 2 * SECOND, 5, Vec::new());
    // Another time base, and a discontinuity.
    program(&mut stream, 30 * SECOND, 3, Vec::new());
    let events = packaged(&stream);
    let (_, video) = segments_of(&events, Rendition::Video);
    let starts = segment_starts(&events);
    for rendition in [GERMAN, ENGLISH] {
        let (headers, files) = files(&events, rendition);
        let begin: Vec<u64> = headers.iter().map(|header| header.segment).collect();
        assert_eq!(begin, [0, 5]);
        let numbers: Vec<u64> = files.iter().map(|(part, _)| part.segment).collect();
        assert_eq!(numbers, video);
        let times: Vec<u64> = files.iter().map(|(part, _)| part.decode_time).collect();
        assert_eq!(times, starts);
    }
}

fn segments_of(events: &[Event], rendition: Rendition) -> (Vec<Segment>, Vec<u64>) {
    let segments = events.iter().filter_map(|event| match event {
        Event::Segment(segment) if segment.rendition == rendition => Some(*segment),
        _ => None,
    });
    let segments: Vec<Segment> = segments.collect();
    let numbers = segments.iter().map(|segment| segment.number).collect();
    (segments, numbers)
}

/// When the first picture of each segment is shown: pictures here are not reordered.
fn segment_starts(events: &[Event]) -> Vec<u64> {
    let (segments, _) = segments_of(events, Rendition::Video);
    segments.iter().map(|segment| segment.decode_time).collect()
}

#[test]
fn a_cue_stands_in_the_segment_of_its_time_and_over_a_border_in_both() {
    let start = 10 * SECOND;
    let mut stream = Stream::new();
    tables(&mut stream);
    let sent = vec![
        subtitle(start + SECOND / 2, b"one"),
        erased(start + 3 * SECOND / 2),
        subtitle(start + 2 * SECOND, b"two"),
        subtitle(start + 9 * SECOND / 4, b"three"),
    ];
    program(&mut stream, start, 5, sent);
    let one = |from: &str, until: &str, text: &str| {
        format!("00:00:0{from} --> 00:00:0{until} line:88% position:28% align:start\n{text}")
    };
    let both = format!(
        "{}\n\n{}",
        one("0.000", "0.250", "two"),
        one("0.250", "1.000", "three")
    );
    let expected = [
        one("0.500", "1.000", "one"),
        one("0.000", "0.500", "one"),
        both,
        one("0.000", "1.000", "three"),
        // The last picture, whose end nothing shows, is left out.
        one("0.000", "0.960", "three"),
    ];
    let found: Vec<String> = texts(&packaged(&stream), GERMAN)
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(found, expected);
    assert!(
        texts(&packaged(&stream), ENGLISH)
            .iter()
            .all(|(_, text)| text.is_empty())
    );
}

#[test]
fn a_file_waits_for_the_clock_and_never_for_subtitles() {
    let start = 10 * SECOND;
    let mut stream = Stream::new();
    tables(&mut stream);
    program(&mut stream, start, 6, Vec::new());
    let events = packaged(&stream);
    let at = |wanted: &dyn Fn(&Event) -> bool| events.iter().position(wanted);
    for number in 0..3 {
        let is_file = |event: &Event| matches!(event, Event::Segment(s) if s.rendition == GERMAN && s.number == number);
        let is_picture = |ahead: u64| {
            move |event: &Event| {
                matches!(event, Event::Segment(s)
                    if s.rendition == Rendition::Video && s.number == number + ahead)
            }
        };
        // Pictures are sent a second before they are shown: a segment.
        let file = at(&is_file).expect("a file");
        assert!(at(&is_picture(0)).expect("a segment") < file);
        assert!(file < at(&is_picture(2)).expect("a segment"));
    }
}

#[test]
fn without_a_clock_a_file_comes_three_seconds_behind_the_picture() {
    let start = 10 * SECOND;
    let mut stream = Stream::new();
    tables(&mut stream);
    for n in 0..150 {
        let pts = start + n * FRAME;
        let kind = if n % 25 == 0 { Kind::Idr } else { Kind::P };
        stream.picture(kind, Shape::Frame, Some((pts, pts)));
    }
    let events = packaged(&stream);
    let is_file = |event: &&Event| matches!(event, Event::Segment(s) if s.rendition == GERMAN);
    let video =
        events.split(|event| matches!(event, Event::Segment(s) if s.rendition == Rendition::Video));
    let counts: Vec<usize> = video
        .map(|part| part.iter().filter(is_file).count())
        .collect();
    assert_eq!(counts[..6], [0, 0, 0, 0, 1, 1]);
}

#[test]
fn a_cue_that_is_late_is_shown_from_the_next_segment_on() {
    let start = 10 * SECOND;
    let mut stream = Stream::new();
    tables(&mut stream);
    let (at, page) = subtitle(start + SECOND / 2, b"late");
    let (gone_at, gone) = erased(start + 9 * SECOND / 4);
    program(
        &mut stream,
        start,
        5,
        vec![(at + SECOND, page), (gone_at, gone)],
    );
    let found: Vec<bool> = texts(&packaged(&stream), GERMAN)
        .iter()
        .map(|(_, text)| text.contains("late"))
        .collect();
    assert_eq!(found, [false, true, true, false, false]);
}

#[test]
fn stamps_of_another_clock_and_none_count_from_where_they_arrive() {
    let start = 10 * SECOND;
    for pts in [
        None,
        Some(start + 72_000 * SECOND),
        Some(start + 20 * SECOND),
        Some(start - 3 * SECOND),
    ] {
        let mut stream = Stream::new();
        tables(&mut stream);
        let page = [header(0x888, ERASE | SUBTITLE), boxed(0, 22, 10, b"here")];
        let sent = vec![(start + SECOND / 2, pes(pts, &data(&page)))];
        program(&mut stream, start, 3, sent);
        let (_, first) = &texts(&packaged(&stream), GERMAN)[0];
        assert!(first.starts_with("00:00:00.520 --> "), "{pts:?} {first}");
    }
}

/// The cues of a file: times in milliseconds of the segment, and text without tags.
fn cues(text: &str) -> Vec<(u64, u64, String)> {
    let blocks = text.split("\n\n").filter(|block| !block.is_empty());
    let ms = |time: &str| -> u64 {
        let number = |at: usize, length| time[at..at + length].parse::<u64>().expect("digits");
        (number(3, 2) * 60 + number(6, 2)) * 1000 + number(9, 3)
    };
    let cue = |block: &str| {
        let (timing, text) = block.split_once('\n').expect("text");
        (
            ms(&timing[..12]),
            ms(&timing[17..29]),
            text.replace("<c.yellow>", "").replace("</c>", ""),
        )
    };
    blocks.map(cue).collect()
}

#[test]
fn subtitles_of_the_simulators_card_tell_the_time_at_which_they_are_shown() {
    let events = events(&options(), &crate::splitting::clip("subtitles"), 188 * 100);
    let page = |page| Rendition::Text {
        pid: Pid::new(0x1013),
        page,
    };
    for (number, front, line) in [
        (0x888, "Es ist ", "Seite 888: äöü ÄÖÜ ß"),
        (0x889, "(Piepton) ", "Seite 889"),
        (0x777, "It is ", "page 777: £ # ½"),
    ] {
        let (_, files) = files(&events, page(number));
        let mut starts = Vec::new();
        for ((part, _), (_, text)) in files.iter().zip(texts(&events, page(number))) {
            for (from, until, text) in cues(&text) {
                let (first, second) = text.split_once('\n').expect("two lines");
                assert_eq!(second, line);
                let seconds: u64 = first.strip_prefix(front).expect("the text")[3..]
                    .parse()
                    .expect("a time");
                // Cues from before and into the next segment are parts of one.
                let from = part.decode_time + from * 90;
                let until = part.decode_time + until * 90;
                match starts.last_mut() {
                    Some((last, _, end)) if *last == seconds => *end = until,
                    _ => starts.push((seconds, from, until)),
                }
            }
        }
        assert!(starts.len() > 3, "{starts:?}");
        let whole = &starts[1..starts.len() - 1];
        let zero = whole[0].1 - whole[0].0 * SECOND;
        for (seconds, from, until) in whole {
            assert!(from.abs_diff(zero + seconds * SECOND) < 180, "{starts:?}");
            assert!(
                (until - from).abs_diff(SECOND * 16 / 10) < 180,
                "{starts:?}"
            );
        }
    }
}

#[test]
fn a_page_whose_rows_come_in_several_packets_is_one_cue() {
    let start = 10 * SECOND;
    let at = start + SECOND / 2;
    let mut stream = Stream::new();
    tables(&mut stream);
    let head = header(0x888, ERASE | SUBTITLE);
    let sent = vec![
        (at, pes(Some(at), &data(&[head, boxed(0, 20, 8, b"one")]))),
        (
            at + 3600,
            pes(Some(at + 3600), &data(&[boxed(0, 22, 8, b"two")])),
        ),
        // The same again.
        (at + 7200, pes(Some(at + 7200), &data(&[head]))),
        (
            at + 10_800,
            pes(Some(at + 10_800), &data(&[boxed(0, 20, 8, b"one")])),
        ),
        (
            at + 14_400,
            pes(Some(at + 14_400), &data(&[boxed(0, 22, 8, b"two")])),
        ),
        erased(at + 18_000),
    ];
    program(&mut stream, start, 3, sent);
    let found = texts(&packaged(&stream), GERMAN);
    assert_eq!(cues(&found[0].1), [(500, 700, "one\ntwo".to_owned())]);
}

#[test]
fn what_is_not_erased_goes_after_half_a_minute() {
    let start = 10 * SECOND;
    let mut stream = Stream::new();
    tables(&mut stream);
    program(&mut stream, start, 34, vec![subtitle(start, b"forgotten")]);
    let found = texts(&packaged(&stream), GERMAN);
    let lengths: Vec<u64> = found
        .iter()
        .map(|(_, text)| cues(text).iter().map(|(from, until, _)| until - from).sum())
        .collect();
    assert_eq!(lengths[..30], [1000; 30]);
    assert_eq!(lengths[30..], [0; 4]);
}

#[test]
fn a_pes_packet_that_lost_a_packet_is_left_out() {
    let start = 10 * SECOND;
    let page = [
        header(0x888, ERASE | SUBTITLE),
        boxed(0, 18, 8, b"one"),
        boxed(0, 20, 8, b"two"),
        boxed(0, 22, 8, b"three"),
    ];
    let mut stream = Stream::new();
    tables(&mut stream);
    let sent = vec![
        shown(start + SECOND / 4, &page),
        subtitle(start + SECOND / 2, b"whole"),
    ];
    program(&mut stream, start, 3, sent);
    let is_teletext = |packet: &[u8]| packet[1] & 0x1F == 0x01 && packet[2] == 0x20;
    let second = stream
        .bytes
        .chunks(188)
        .enumerate()
        .filter(|(_, packet)| is_teletext(packet))
        .nth(1);
    let at = second.expect("a packet").0 * 188;
    stream.bytes.drain(at..at + 188);
    let found = texts(&packaged(&stream), GERMAN);
    assert_eq!(cues(&found[0].1), [(500, 1000, "whole".to_owned())]);
}

#[test]
fn rows_behind_a_lost_packet_do_not_belong_to_the_page_before_it() {
    let start = 10 * SECOND;
    let mut stream = Stream::new();
    tables(&mut stream);
    let sent = vec![
        subtitle(start + SECOND / 4, b"ours"),
        shown(start + SECOND / 2, &[header(0x8FF, SUBTITLE)]),
        shown(
            start + SECOND * 3 / 4,
            &[boxed(0, 18, 8, b"of another page")],
        ),
    ];
    program(&mut stream, start, 3, sent);
    let mut packets = stream.bytes.chunks(188).enumerate();
    let is_subtitles = |packet: &[u8]| packet[1] & 0x1F == 0x01 && packet[2] == 0x20;
    let second = packets.by_ref().filter(|(_, p)| is_subtitles(p)).nth(1);
    let at = second.expect("a packet").0 * 188;
    stream.bytes.drain(at..at + 188);
    let found = texts(&packaged(&stream), GERMAN);
    assert_eq!(cues(&found[0].1), [(250, 1000, "ours".to_owned())]);
}

#[test]
fn a_rendition_begins_and_ends_without_a_discontinuity_and_its_files_without_a_gap() {
    let start = 10 * SECOND;
    let without: [(u8, u16, &[u8]); 2] = [(0x1B, VIDEO, &[]), (0x0F, SOUND, b"\x0A\x04ger\0")];
    let mut stream = Stream::new();
    stream.tables(&without);
    program(&mut stream, start, 4, Vec::new());
    stream.version = 1;
    tables(&mut stream);
    program(
        &mut stream,
        start + 4 * SECOND,
        4,
        vec![subtitle(start + 5 * SECOND, b"now")],
    );
    stream.version = 2;
    stream.tables(&without);
    program(&mut stream, start + 8 * SECOND, 4, Vec::new());
    let events = packaged(&stream);
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::Discontinuity { .. }))
    );
    let (headers, files) = files(&events, GERMAN);
    assert_eq!(headers.len(), 1);
    assert_eq!(headers[0].segment, 3);
    let numbers: Vec<u64> = files.iter().map(|(part, _)| part.segment).collect();
    assert_eq!(numbers, (3..12).collect::<Vec<u64>>());
    let has_cue: Vec<bool> = texts(&events, GERMAN)
        .iter()
        .map(|(_, t)| !t.is_empty())
        .collect();
    // Until the table no longer names it.
    assert_eq!(
        has_cue,
        [false, false, true, true, false, false, false, false, false]
    );
}

#[test]
fn a_table_that_says_something_else_of_a_page_is_another_header() {
    let start = 10 * SECOND;
    let mut stream = Stream::new();
    tables(&mut stream);
    program(&mut stream, start, 3, Vec::new());
    stream.version = 1;
    let other: &[u8] = b"\x56\x05eng\x28\x88";
    stream.tables(&[
        (0x1B, VIDEO, &[]),
        (0x0F, SOUND, b"\x0A\x04ger\0"),
        (0x06, SUBTITLES, other),
    ]);
    program(&mut stream, start + 3 * SECOND, 3, Vec::new());
    let (headers, files) = files(&packaged(&stream), GERMAN);
    let told: Vec<_> = headers
        .iter()
        .map(|header| match header.media {
            Media::Text {
                language,
                is_hearing_impaired,
                ..
            } => (
                language.map(|language| language.code()),
                is_hearing_impaired,
            ),
            _ => panic!("text"),
        })
        .collect();
    assert_eq!(told, [(Some(*b"deu"), false), (Some(*b"eng"), true)]);
    assert_eq!(files.len(), 6);
}

#[test]
fn where_sound_leads_its_segments_have_subtitles() {
    let start = 10 * SECOND;
    let mut stream = Stream::new();
    stream.tables(&[(0x0F, SOUND, b""), (0x06, SUBTITLES, DESCRIPTOR)]);
    let mut page = Some(subtitle(start + SECOND / 2, b"radio").1);
    for n in 0..200 {
        let at = start + n * 1920;
        stream.sound(at);
        if at >= start + SECOND / 2
            && let Some(page) = page.take()
        {
            stream.unit(SUBTITLES, &page);
        }
    }
    let events = events(&options(), &stream.bytes, 1000);
    let (sound, _) = segments_of(&events, Rendition::Sound(Pid::new(SOUND)));
    let found = texts(&events, GERMAN);
    assert_eq!(found.len(), sound.len());
    assert_eq!(cues(&found[0].1).len(), 1);
}

#[test]
fn pages_beyond_the_bound_are_left_out() {
    let pages: Vec<u8> = (0..40).flat_map(|n| [b'g', b'e', b'r', 0x10, n]).collect();
    let descriptor = [&[0x56, pages.len() as u8], &pages[..]].concat();
    let mut stream = Stream::new();
    stream.tables(&[(0x1B, VIDEO, &[]), (0x06, SUBTITLES, &descriptor)]);
    program(&mut stream, 10 * SECOND, 2, Vec::new());
    let events = packaged(&stream);
    let is_text = |event: &&Event| matches!(event, Event::Header(header) if matches!(header.media, Media::Text { .. }));
    assert_eq!(events.iter().filter(is_text).count(), MAX_TEXTS);
}

#[test]
fn subtitles_that_no_picture_takes_are_held_within_their_bound() {
    let mut stream = Stream::new();
    tables(&mut stream);
    let text = |n: u64| format!("number {n} of very many subtitles");
    for n in 0..3000 {
        stream.unit(SUBTITLES, &subtitle(n * FRAME, text(n).as_bytes()).1);
    }
    let mut packager = Packager::new(&options()).expect("valid options");
    packager.push(&stream.bytes);
    let held = packager.held_bytes();
    assert!((1000..64 * 1024).contains(&held), "{held}");
    // Those that came last are shown with the pictures of their time.
    let mut stream = Stream::new();
    program(&mut stream, 2990 * FRAME, 2, Vec::new());
    packager.push(&stream.bytes);
    packager.finish();
    let events: Vec<Event> = std::iter::from_fn(|| packager.next_event()).collect();
    let found = texts(&events, GERMAN);
    assert!(found[0].1.contains("number 2990 of"), "{found:?}");
    assert!(found[0].1.contains("number 2999 of"), "{found:?}");
}
