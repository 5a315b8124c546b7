//! DVB subtitles: for every segment of the picture one file, with the images of its time.

use serde::Deserialize;
use xg2g_transcoder::mp4::{Event, Header, Media, PackagerOptions, Rendition};
use xg2g_transcoder::ts::packet::Pid;

use crate::captured::clip_path;
use crate::captures::ffprobe_packets;
use crate::display_sets::{MODE_CHANGE, NORMAL, Region, Set, two_bit_field};
use crate::files::{check_rules, events};
use crate::splitting::remuxed;
use crate::subtitles::{SECOND, SUBTITLES, Sent, files, program};
use crate::synthetic::{SOUND, Stream, VIDEO};
use crate::written::pes;

const START: u64 = 10 * SECOND;

/// Page 2 in English, with objects of page 7; page 3 in German, for those who do not hear, and
/// for displays of high definition.
const DESCRIPTOR: &[u8] = b"\x59\x10eng\x10\0\x02\0\x07ger\x24\0\x03\0\x03";

const ENGLISH: Rendition = images(2);
const GERMAN: Rendition = images(3);

const fn images(page: u16) -> Rendition {
    Rendition::Images {
        pid: Pid::new(SUBTITLES),
        page,
    }
}

#[derive(Debug, Deserialize)]
struct File {
    start_90k: u64,
    events: Vec<Shown>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Shown {
    from_90k: u64,
    until_90k: Option<u64>,
    width: Option<u32>,
    height: Option<u32>,
    images: Vec<Image>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Image {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

fn options() -> PackagerOptions {
    PackagerOptions {
        segment_ms: 1000,
        ..PackagerOptions::default()
    }
}

fn stream() -> Stream {
    let mut stream = Stream::new();
    tables(&mut stream, DESCRIPTOR);
    stream
}

fn tables(stream: &mut Stream, descriptor: &[u8]) {
    let sound = (0x0F, SOUND, &b"\x0A\x04ger\0"[..]);
    stream.tables(&[(0x1B, VIDEO, &[]), sound, (0x06, SUBTITLES, descriptor)]);
}

/// A display set of a page whose image is so wide; none clears the display.
fn set(page: u16, version: u8, time_out_s: u8, width: Option<u16>) -> Set {
    let set = Set::new().of_page(page);
    match width {
        None => set.page(time_out_s, version, NORMAL, &[]).end(),
        Some(width) => set
            .page(time_out_s, version, MODE_CHANGE, &[(0, 100, 400)])
            .region(&Region {
                background: 1,
                ..Region::new(0, (width, 8), 2)
            })
            .end(),
    }
}

/// A display set that is sent at the time at which it is shown.
fn sent(at: u64, set: &Set) -> Sent {
    (at, pes(Some(at), &set.data()))
}

fn packaged(stream: &Stream) -> Vec<Event> {
    let events = events(&options(), &stream.bytes, 1000);
    check_rules(&options(), &events);
    events
}

/// The files of a rendition.
fn shown(events: &[Event], rendition: Rendition) -> Vec<File> {
    let (_, files) = files(events, rendition);
    let file = |(part, _): &(xg2g_transcoder::mp4::Part, _)| {
        let file: File = serde_json::from_slice(&part.data).expect("JSON");
        assert_eq!(file.start_90k, part.decode_time);
        file
    };
    files.iter().map(file).collect()
}

/// From when, until when and how wide what is shown is, in hundredths of a second behind a file's
/// start; a width of 0 clears.
fn events_of(file: &File) -> Vec<(u64, Option<u64>, u32)> {
    let hundredths = |time: u64| (time - file.start_90k) / 900;
    let event = |shown: &Shown| {
        let width = shown.images.iter().map(|image| image.width).sum();
        (
            hundredths(shown.from_90k),
            shown.until_90k.map(hundredths),
            width,
        )
    };
    file.events.iter().map(event).collect()
}

fn headers(events: &[Event], rendition: Rendition) -> Vec<Header> {
    files(events, rendition).0
}

#[test]
fn each_page_of_a_descriptor_is_a_rendition_that_is_told_before_any_image() {
    let mut stream = stream();
    program(&mut stream, START, 3, Vec::new());
    let events = packaged(&stream);
    for (rendition, name, code, is_hearing_impaired, size) in [
        (ENGLISH, "images-288-2", b"eng", false, (720, 576)),
        (GERMAN, "images-288-3", b"deu", true, (1920, 1080)),
    ] {
        assert_eq!(rendition.to_string(), name);
        let headers = headers(&events, rendition);
        let [header] = headers.as_slice() else {
            panic!("one header");
        };
        assert_eq!((header.segment, header.timescale), (0, 90_000));
        assert_eq!((header.codecs.as_str(), header.data.len()), ("", 0));
        let Media::Images { language, .. } = header.media else {
            panic!("images");
        };
        assert_eq!(language.map(|language| language.code()), Some(*code));
        let media = Media::Images {
            language,
            is_hearing_impaired,
            width: size.0,
            height: size.1,
        };
        assert_eq!(header.media, media);
        let files = shown(&events, rendition);
        assert_eq!(files.len(), 3);
        assert!(files.iter().all(|file| file.events.is_empty()));
    }
}

#[test]
fn an_image_stands_in_the_segment_of_its_time_and_is_repeated_in_those_behind() {
    let mut stream = stream();
    let second = SECOND;
    let sent = vec![
        sent(START + second / 2, &set(2, 1, 30, Some(10))),
        sent(START + second, &set(3, 1, 30, Some(99))),
        sent(START + 5 * second / 2, &set(2, 2, 30, Some(20))),
        sent(START + 13 * second / 4, &set(2, 3, 30, None)),
    ];
    program(&mut stream, START, 5, sent);
    let events = packaged(&stream);
    let files: Vec<_> = shown(&events, ENGLISH).iter().map(events_of).collect();
    assert_eq!(files[0], [(50, None, 10)]);
    assert_eq!(files[1], [(0, None, 10)]);
    assert_eq!(files[2], [(0, Some(50), 10), (50, None, 20)]);
    assert_eq!(files[3][..2], [(0, Some(25), 20), (25, None, 0)]);
    let german = shown(&events, GERMAN);
    assert_eq!(events_of(&german[1]), [(0, None, 99)]);
    let image = &german[1].events[0].images[0];
    assert_eq!((image.x, image.y, image.height), (100, 400, 8));
}

#[test]
fn an_image_goes_at_its_time_out_also_where_that_is_the_end_of_a_segment() {
    for (at, expected) in [(50, [Some(50), None]), (0, [None, Some(100)])] {
        let mut stream = stream();
        let at = START + at * SECOND / 100;
        let sent = vec![sent(at, &set(2, 1, 2, Some(10)))];
        program(&mut stream, START, 5, sent);
        let files: Vec<_> = shown(&packaged(&stream), ENGLISH)
            .iter()
            .map(events_of)
            .collect();
        let ends: Vec<_> = files.iter().flatten().map(|event| event.1).collect();
        let end = ends.iter().position(Option::is_some).expect("an end");
        let (file, until) = match expected {
            [Some(until), _] => (2, until),
            [_, until] => (1, until.unwrap_or_default()),
        };
        assert_eq!((end, ends[end], ends.len()), (file, Some(until), file + 1));
    }
}

#[test]
fn stamps_of_another_clock_and_none_count_from_where_they_arrive() {
    for pts in [
        None,
        Some(START + 72_000 * SECOND),
        Some(START - 3 * SECOND),
    ] {
        let mut stream = stream();
        let sent = vec![(
            START + SECOND / 2,
            pes(pts, &set(2, 1, 30, Some(10)).data()),
        )];
        program(&mut stream, START, 3, sent);
        let files = shown(&packaged(&stream), ENGLISH);
        assert_eq!(events_of(&files[0]), [(52, None, 10)], "{pts:?}");
    }
}

#[test]
fn a_display_set_of_many_packets_is_whole_or_left_out() {
    let line = "1".repeat(600);
    let object = two_bit_field(&[line.as_str(); 8]);
    let big = |version: u8, width: u16| {
        Set::new()
            .page(30, version, MODE_CHANGE, &[(0, 0, 0)])
            .region(&Region::new(0, (width, 16), 2).with(1, 0, 0))
            .object(1, &object, &[])
            .end()
    };
    let sent = || {
        vec![
            sent(START + SECOND / 4, &big(1, 600)),
            sent(START + SECOND / 2, &big(2, 500)),
            sent(START + 3 * SECOND / 4, &big(3, 400)),
        ]
    };
    let mut whole = stream();
    program(&mut whole, START, 3, sent());
    let files = shown(&packaged(&whole), ENGLISH);
    let expected = [(25, Some(50), 600), (50, Some(75), 500), (75, None, 400)];
    assert_eq!(events_of(&files[0]), expected);
    // A packet in the middle of the second one is lost.
    let is_of_subtitles =
        |packet: &[u8]| u16::from_be_bytes([packet[1] & 0x1F, packet[2]]) == SUBTITLES;
    let mut damaged = stream();
    damaged.bytes.clear();
    let mut starts = 0;
    for packet in whole.bytes.chunks_exact(188) {
        let is_start = packet[1] & 0x40 != 0;
        starts += usize::from(is_of_subtitles(packet) && is_start);
        if is_of_subtitles(packet) && !is_start && starts == 2 {
            starts += 10;
            continue;
        }
        damaged.bytes.extend_from_slice(packet);
    }
    let files = shown(&packaged(&damaged), ENGLISH);
    assert_eq!(events_of(&files[0]), [(25, Some(75), 600), (75, None, 400)]);
}

#[test]
fn a_page_that_the_pmt_no_longer_names_is_cleared_and_another_begins() {
    let mut stream = stream();
    let first = vec![sent(START + SECOND / 2, &set(2, 1, 30, Some(10)))];
    program(&mut stream, START, 3, first);
    tables(&mut stream, b"\x59\x08fra\x10\0\x05\0\x05");
    let later = START + 3 * SECOND;
    let other = vec![sent(later + SECOND / 2, &set(5, 1, 30, Some(30)))];
    program(&mut stream, later, 4, other);
    let events = packaged(&stream);
    let english = shown(&events, ENGLISH);
    let last = english.last().map(events_of).unwrap_or_default();
    assert!(last.iter().all(|(_, _, width)| *width == 0), "{last:?}");
    let french = shown(&events, images(5));
    assert!(!headers(&events, images(5)).is_empty());
    let widths: Vec<u32> = french
        .iter()
        .flat_map(events_of)
        .map(|event| event.2)
        .collect();
    assert!(widths.contains(&30) && !widths.contains(&10), "{widths:?}");
}

#[test]
fn a_channel_of_twenty_languages_has_each() {
    let mut descriptor = vec![0x59, 160];
    for page in 0..20u8 {
        descriptor.extend([b'a' + page, b'a', b'a', 0x10, 0, page, 0, page]);
    }
    let mut stream = Stream::new();
    tables(&mut stream, &descriptor);
    let set_of = |page: u16| set(page, 1, 30, Some(10 + page));
    let all = (0..20).map(|page| sent(START + SECOND / 2, &set_of(page)));
    program(&mut stream, START, 3, all.collect());
    let events = packaged(&stream);
    for page in 0..20 {
        let files = shown(&events, images(page));
        let width = u32::from(10 + page);
        assert_eq!(events_of(&files[0]), [(50, None, width)]);
    }
}

/// The simulated receiver's channel with subtitles, which ffmpeg's encoder made: two pages on one
/// PID, and one on another.
#[test]
fn pages_of_a_clip_are_shown_and_cleared_at_the_stamps_that_ffprobe_finds() {
    let clip = clip_path("subtitles");
    let events = events(&options(), &remuxed(&clip), 100_000);
    for (pid, page, size) in [
        (0x1014, 1, (1280, 720)),
        (0x1014, 2, (1280, 720)),
        (0x1015, 1, (720, 576)),
    ] {
        let Some(packets) = ffprobe_packets(&clip, pid) else {
            return;
        };
        let rendition = Rendition::Images {
            pid: Pid::new(pid),
            page,
        };
        let files = shown(&events, rendition);
        assert!(files.len() > 8);
        let changes = files.iter().flat_map(|file| {
            let repeats = |event: &&Shown| event.from_90k != file.start_90k;
            file.events.iter().filter(repeats)
        });
        let (start, end) = (files[0].start_90k, files[files.len() - 1].start_90k);
        let mut stamps: Vec<u64> = packets.iter().filter_map(|(pts, _)| *pts).collect();
        stamps.dedup();
        // The display is cleared, shows a page, is cleared ...
        let states = stamps.into_iter().enumerate();
        let states = states.map(|(index, pts)| (pts, index % 2 == 1));
        let expected: Vec<_> = states
            .filter(|(pts, _)| (start..end).contains(pts))
            .collect();
        let found = changes
            .clone()
            .map(|event| (event.from_90k, !event.images.is_empty()));
        let found: Vec<_> = found.filter(|(from, _)| *from < end).collect();
        assert_eq!(found, expected);
        for event in changes {
            let told = (event.width, event.height);
            let is_cleared = event.images.is_empty();
            assert_eq!(
                told,
                if is_cleared {
                    (None, None)
                } else {
                    (Some(size.0), Some(size.1))
                }
            );
        }
    }
}
