//! Promises, each shown by a stream that was written for it.

use xg2g_transcoder::mp4::{
    Event, MAX_HELD_BYTES, Media, NotOffered, Packager, PackagerOptions, Reason, Rendition,
};
use xg2g_transcoder::ts::packet::{PACKET_BYTES, Pid};

use crate::files::{Sample, Track, check_rules, events, tracks};
use crate::synthetic::{FRAME, Kind, SOUND, Shape, Stream, VIDEO};

const WRAP: u64 = 1 << 33;
const SECOND: u64 = 90_000;
/// A frame of AAC at 48 kHz.
const AAC: u64 = 1920;

fn options() -> PackagerOptions {
    PackagerOptions {
        segment_ms: 1000,
        ..PackagerOptions::default()
    }
}

/// Pictures of 25 a second with an IDR picture each second, and sound beside them: `length`
/// seconds from `start` on.
fn program(stream: &mut Stream, start: u64, length: u64) {
    program_of_groups(stream, start, length, 25);
}

/// The same with an IDR picture each so many.
fn program_of_groups(stream: &mut Stream, start: u64, length: u64, group: u64) {
    let mut sound_at = start;
    for n in 0..length * 25 {
        let dts = start + n * FRAME;
        let kind = if n % group == 0 { Kind::Idr } else { Kind::P };
        stream.picture(kind, Shape::Frame, Some((dts + FRAME, dts)));
        while sound_at < dts + FRAME {
            stream.sound(sound_at % WRAP);
            sound_at += AAC;
        }
    }
}

fn video_samples(stream: &[u8]) -> Vec<Sample> {
    let events = events(&options(), stream, stream.len());
    let tracks = check_rules(&options(), &events);
    let video = tracks.iter().filter(|track| track.is_video());
    video.flat_map(|track| track.samples().cloned()).collect()
}

#[test]
fn decode_times_go_on_where_the_stamps_begin_again() {
    let start = WRAP - 2 * SECOND - 77;
    let mut stream = Stream::new();
    stream.usual_tables();
    program(&mut stream, start, 5);
    let events = events(&options(), &stream.bytes, 4096);
    let tracks = check_rules(&options(), &events);
    assert_eq!(tracks.len(), 2, "no discontinuity");
    for track in &tracks {
        let rate = u64::from(track.header.timescale);
        let step = if track.is_video() { FRAME } else { 1024 };
        let samples: Vec<_> = track.samples().collect();
        let first = if track.is_video() {
            start
        } else {
            // The first frame that is not before the first picture is shown.
            let start = start + AAC * FRAME.div_ceil(AAC);
            (start * rate + SECOND / 2) / SECOND
        };
        for (n, sample) in (0..).zip(&samples) {
            assert_eq!(sample.dts, first + n * step);
        }
        let last = samples.last().expect("samples").dts;
        assert!(
            last > WRAP * rate / SECOND,
            "the stream goes beyond the wrap"
        );
    }
}

#[test]
fn both_fields_of_a_frame_are_one_sample() {
    let mut stream = Stream::new();
    stream.is_interlaced = true;
    stream.usual_tables();
    for n in 0..60 {
        let dts = 1000 + n * FRAME;
        let frame_num = (n % 16) as u32;
        let (first, second) = match n % 25 {
            0 => (Kind::Idr, Kind::P),
            _ => (Kind::P, Kind::P),
        };
        stream.picture_of(first, Shape::Top, Some((dts + FRAME, dts)), frame_num);
        // A second field has stamps of its own, or none.
        let own = (n % 2 == 0).then_some((dts + FRAME + FRAME / 2, dts + FRAME / 2));
        stream.picture_of(second, Shape::Bottom, own, frame_num);
    }
    let samples = video_samples(&stream.bytes);
    assert_eq!(samples.len(), 59, "the last frame's end is not shown");
    for sample in samples {
        assert_eq!(sample.duration, FRAME);
        let slices = sample.data.windows(4).filter(|w| *w == [0xA5; 4]).count();
        assert!(slices > 2 * 390, "both fields' slices are in it");
    }
}

#[test]
fn fields_of_different_frames_are_different_samples() {
    let mut stream = Stream::new();
    stream.is_interlaced = true;
    stream.usual_tables();
    let mut dts = 1000;
    for (kind, shape, frame_num) in [
        (Kind::Idr, Shape::Frame, 0),
        (Kind::P, Shape::Top, 1),
        // The bottom field of frame 1 is missing.
        (Kind::P, Shape::Top, 2),
        (Kind::P, Shape::Bottom, 2),
        (Kind::P, Shape::Frame, 3),
        (Kind::P, Shape::Frame, 4),
    ] {
        stream.picture_of(kind, shape, Some((dts, dts)), frame_num);
        dts += FRAME / 2;
    }
    assert_eq!(video_samples(&stream.bytes).len(), 4);
}

/// Groups of an I picture, two B pictures that precede it, and four P pictures.
fn open_groups(stream: &mut Stream, start: u64, groups: u64) {
    for group in 0..groups {
        let at = start + group * 7 * FRAME;
        let shown = |place: u64| at + place * FRAME;
        stream.picture(Kind::I, Shape::Frame, Some((shown(3), shown(0))));
        stream.picture(Kind::B, Shape::Frame, Some((shown(1), shown(1))));
        stream.picture(Kind::B, Shape::Frame, Some((shown(2), shown(2))));
        for place in 3..7 {
            stream.picture(
                Kind::P,
                Shape::Frame,
                Some((shown(place + 1), shown(place))),
            );
        }
    }
}

#[test]
fn leading_pictures_are_left_out_behind_the_start_and_behind_a_discontinuity_alone() {
    let mut stream = Stream::new();
    stream.usual_tables();
    open_groups(&mut stream, 5000, 6);
    // Another time base.
    open_groups(&mut stream, 5_000_000, 6);
    let events = events(&options(), &stream.bytes, 1000);
    let tracks = check_rules(&options(), &events);
    let kept: Vec<Vec<u64>> = tracks
        .iter()
        .map(|track| track.samples().map(|sample| sample.dts).collect())
        .collect();
    let expected = |start: u64, last: u64| -> Vec<u64> {
        let all = (0..last).filter(|n| !(1..3).contains(n));
        all.map(|n| start + n * FRAME).collect()
    };
    assert_eq!(kept, [expected(5000, 42), expected(5_000_000, 41)]);
    let first = tracks[0].samples().next().expect("samples");
    assert_eq!(
        first.duration,
        3 * FRAME,
        "up to the next picture that is there"
    );
}

#[test]
fn leading_pictures_that_others_count_among_their_references_stay() {
    let mut stream = Stream::new();
    stream.usual_tables();
    let shown = |place: u64| 5000 + place * FRAME;
    let group = [
        (Kind::I, 3),
        (Kind::ReferenceB, 1),
        (Kind::B, 0),
        (Kind::B, 2),
        (Kind::P, 5),
        (Kind::B, 4),
        (Kind::P, 6),
    ];
    for (dts, (kind, place)) in (0..).zip(group) {
        stream.picture(
            kind,
            Shape::Frame,
            Some((shown(place) + 2 * FRAME, shown(dts))),
        );
    }
    let kept = video_samples(&stream.bytes);
    let kept: Vec<u64> = kept
        .iter()
        .map(|sample| (sample.dts - 5000) / FRAME)
        .collect();
    assert_eq!(kept, [0, 1, 4, 5]);
}

#[test]
fn new_parameter_sets_are_a_discontinuity_with_an_initialisation_segment_of_theirs() {
    let mut stream = Stream::new();
    stream.usual_tables();
    program(&mut stream, 1000, 2);
    stream.width_in_macroblocks = 80;
    program(&mut stream, 1000 + 2 * SECOND, 2);
    let events = events(&options(), &stream.bytes, 1000);
    let tracks = check_rules(&options(), &events);
    let widths: Vec<u16> = tracks
        .iter()
        .filter_map(|track| match track.header.media {
            Media::Video { width, .. } => Some(width),
            _ => None,
        })
        .collect();
    assert_eq!(widths, [720, 1280]);
    let marks: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Discontinuity { segment } => Some(*segment),
            _ => None,
        })
        .collect();
    assert_eq!(marks, [2]);
    let headers = events.iter().filter_map(|event| match event {
        Event::Header(header) => Some((header.rendition, header.segment)),
        _ => None,
    });
    let sound = Rendition::Sound(Pid::new(SOUND));
    let mut headers: Vec<_> = headers.collect();
    headers.sort_by_key(|(rendition, segment)| (*rendition == sound, *segment));
    let video = Rendition::Video;
    assert_eq!(headers, [(video, 0), (video, 2), (sound, 0), (sound, 2)]);
    let video: Vec<_> = tracks.iter().filter(|track| track.is_video()).collect();
    let last = video[0].samples().last().expect("samples");
    let next = video[1].samples().next().expect("samples");
    assert_eq!(
        last.dts + last.duration,
        next.dts,
        "nothing is lost between them"
    );
}

#[test]
fn parameter_sets_are_in_the_initialisation_segment_and_not_in_samples() {
    let mut stream = Stream::new();
    stream.usual_tables();
    program(&mut stream, 1000, 2);
    let sps = stream.sps();
    let events = events(&options(), &stream.bytes, 1000);
    let tracks = tracks(&events);
    let video = tracks.iter().find(|track| track.is_video()).expect("video");
    let has = |bytes: &[u8]| bytes.windows(sps.len()).any(|window| window == sps);
    assert!(has(&video.header.data));
    assert!(video.samples().all(|sample| !has(&sample.data)));
    assert_eq!(video.header.codecs, "avc1.4d0028");
}

#[test]
fn sound_is_cut_where_the_pictures_segments_begin() {
    let mut stream = Stream::new();
    stream.usual_tables();
    program(&mut stream, 900_000, 6);
    let events = events(&options(), &stream.bytes, 1000);
    let tracks = check_rules(&options(), &events);
    let starts = |is_video: bool| -> Vec<u64> {
        let track = tracks.iter().find(|track| track.is_video() == is_video);
        let parts = &track.expect("both").parts;
        parts
            .iter()
            .filter(|(part, _)| part.index == 0)
            .map(|(_, samples)| samples[0].pts)
            .collect()
    };
    let (video, sound) = (starts(true), starts(false));
    assert_eq!((video.len(), sound.len()), (6, 6));
    for (shown, heard) in video.iter().zip(sound) {
        let heard = heard * SECOND / 48_000;
        assert!(
            (*shown..shown + AAC).contains(&heard),
            "{heard} for {shown}"
        );
    }
}

#[test]
fn sound_that_comes_before_its_pictures_waits_for_their_segment() {
    // Sound is 1.2 s ahead of the pictures that belong to it.
    let mut stream = Stream::new();
    stream.usual_tables();
    let ahead = 30 * FRAME;
    for n in 0..125 {
        let dts = 900_000 + n * FRAME;
        let kind = if n % 25 == 0 { Kind::Idr } else { Kind::P };
        stream.picture(kind, Shape::Frame, Some((dts, dts)));
        for half in 0..2 {
            stream.sound(dts + ahead + half * FRAME / 2);
        }
    }
    let events = events(&options(), &stream.bytes, 1000);
    let tracks = check_rules(&options(), &events);
    let sound = tracks
        .iter()
        .find(|track| !track.is_video())
        .expect("sound");
    for (part, samples) in &sound.parts {
        let second = (samples[0].pts * SECOND / 48_000 - 900_000) / SECOND;
        assert_eq!(part.segment, second);
    }
}

#[test]
fn a_picture_that_lost_packets_is_left_out_and_the_one_before_lasts_longer() {
    let mut stream = Stream::new();
    stream.more_slices = 3;
    stream.usual_tables();
    program(&mut stream, 1000, 1);
    let mut lost = stream.bytes.clone();
    // A packet in the middle of some picture.
    let at = lost
        .chunks(PACKET_BYTES)
        .enumerate()
        .filter(|(_, p)| p[1] & 0x5F == 0x01 && p[2] == 0x01)
        .map(|(index, _)| index * PACKET_BYTES)
        .nth(20)
        .expect("such a packet");
    lost.drain(at..at + PACKET_BYTES);
    let (whole, less) = (video_samples(&stream.bytes), video_samples(&lost));
    assert_eq!(less.len(), whole.len() - 1);
    assert!(
        less.iter()
            .all(|sample| whole.iter().any(|w| w.data == sample.data))
    );
    assert_eq!(less.iter().filter(|s| s.duration == 2 * FRAME).count(), 1);
}

#[test]
fn another_time_base_is_a_discontinuity_behind_which_decode_times_go_on() {
    let mut stream = Stream::new();
    stream.usual_tables();
    program(&mut stream, 50_000_000, 3);
    program(&mut stream, 1000, 3);
    let events = events(&options(), &stream.bytes, 1000);
    let tracks = check_rules(&options(), &events);
    let video: Vec<_> = tracks.iter().filter(|track| track.is_video()).collect();
    assert_eq!(video.len(), 2);
    assert_eq!(video[1].samples().next().map(|s| s.dts), Some(WRAP + 1000));
    let sound: Vec<_> = tracks.iter().filter(|track| !track.is_video()).collect();
    assert_eq!(sound.len(), 2);
    let heard = sound[1].samples().next().expect("sound").dts * SECOND / 48_000;
    assert!((WRAP + 1000..WRAP + 1000 + 3 * AAC).contains(&heard));
}

#[test]
fn segments_begin_at_random_access_points_alone() {
    let mut stream = Stream::new();
    stream.usual_tables();
    // A group of 2.6 s with segments of 1 s.
    for n in 0..200 {
        let kind = if n % 65 == 0 { Kind::Idr } else { Kind::P };
        stream.picture(
            kind,
            Shape::Frame,
            Some((1000 + n * FRAME, 1000 + n * FRAME)),
        );
    }
    let events = events(&options(), &stream.bytes, 1000);
    let tracks = check_rules(&options(), &events);
    let durations: Vec<u64> = tracks[0]
        .segments
        .iter()
        .map(|s| s.duration / FRAME)
        .collect();
    assert_eq!(durations, [65, 65, 65, 4]);
}

#[test]
fn a_group_that_is_longer_than_a_segment_may_be_ends_within_it_in_every_track() {
    let options = PackagerOptions {
        longest_ms: 2400,
        ..options()
    };
    let mut stream = Stream::new();
    stream.usual_tables();
    program_of_groups(&mut stream, 1000, 16, 200);
    let events = events(&options, &stream.bytes, 1000);
    let tracks = check_rules(&options, &events);
    assert_eq!(tracks.len(), 2, "no discontinuity");
    let lasting = |track: &Track| -> Vec<u64> {
        let segments = track.segments.iter();
        segments
            .map(|s| s.duration * 25 / u64::from(track.header.timescale))
            .collect()
    };
    let video = tracks.iter().find(|track| track.is_video()).expect("video");
    assert_eq!(lasting(video), [60, 60, 60, 20, 60, 60, 60, 19]);
    let begins: Vec<bool> = video
        .parts
        .iter()
        .filter(|(part, _)| part.index == 0)
        .map(|(part, _)| part.is_independent)
        .collect();
    assert_eq!(
        begins,
        [true, false, false, false, true, false, false, false]
    );
    let sound = tracks
        .iter()
        .find(|track| !track.is_video())
        .expect("sound");
    for (heard, seen) in lasting(sound).iter().zip(lasting(video)).take(7) {
        assert!(heard.abs_diff(seen) <= 1);
    }
}

#[test]
fn a_program_without_pictures_is_cut_by_time() {
    let mut stream = Stream::new();
    stream.tables(&[(0x0F, SOUND, b"\x0A\x04ger\0")]);
    for n in 0..200 {
        stream.sound(WRAP - SECOND + n * AAC);
    }
    let events = events(&options(), &stream.bytes, 1000);
    let tracks = check_rules(&options(), &events);
    assert_eq!(tracks.len(), 1);
    let Media::Sound { language, .. } = tracks[0].header.media else {
        panic!("sound");
    };
    assert_eq!(language.map(|l| l.code()), Some(*b"deu"));
    assert_eq!(tracks[0].segments.len(), 5);
    assert_eq!(tracks[0].samples().count(), 200);
}

#[test]
fn mpeg2_video_is_told_and_the_sound_goes_on_alone() {
    let mut stream = Stream::new();
    stream.tables(&[(0x02, VIDEO, &[]), (0x0F, SOUND, &[])]);
    program(&mut stream, 1000, 3);
    let events = events(&options(), &stream.bytes, 1000);
    let told = NotOffered {
        pid: Pid::new(VIDEO),
        reason: Reason::Mpeg2Video,
    };
    assert!(events.contains(&Event::NotOffered(told)));
    let tracks = check_rules(&options(), &events);
    assert!(tracks.iter().all(|track| !track.is_video()) && tracks.len() == 1);
}

#[test]
fn sound_goes_on_alone_where_announced_pictures_do_not_come_and_they_lead_once_they_do() {
    let mut stream = Stream::new();
    stream.usual_tables();
    for n in 0..500 {
        stream.sound(1000 + n * AAC);
    }
    // Longer than the segments into which sound alone is cut.
    program_of_groups(&mut stream, 1000 + 500 * AAC, 6, 50);
    let events = events(&options(), &stream.bytes, 1000);
    let told = NotOffered {
        pid: Pid::new(VIDEO),
        reason: Reason::NoPictures,
    };
    assert!(events.contains(&Event::NotOffered(told)));
    let tracks = check_rules(&options(), &events);
    assert_eq!(tracks.len(), 3);
    let video = tracks.iter().find(|track| track.is_video()).expect("video");
    let mut sounds = tracks.iter().filter(|track| !track.is_video());
    let (alone, beside) = (sounds.next().expect("one"), sounds.next().expect("two"));
    // Two frames precede the first picture that is shown.
    assert_eq!(alone.samples().count(), 502);
    assert_eq!(beside.header.segment, video.header.segment);
    let starts = |track: &Track| -> Vec<u64> {
        let firsts = track.parts.iter().filter(|(part, _)| part.index == 0);
        let rate = u64::from(track.header.timescale);
        firsts
            .map(|(_, samples)| samples[0].pts * SECOND / rate)
            .collect()
    };
    let (shown, heard) = (starts(video), starts(beside));
    assert_eq!((shown.len(), heard.len()), (3, 3));
    for (shown, heard) in shown.iter().zip(heard) {
        assert!((*shown..shown + AAC).contains(&heard));
    }
}

#[test]
fn a_silent_track_leaves_gaps_for_as_long_as_its_segments_last() {
    let mut stream = Stream::new();
    stream.usual_tables();
    program(&mut stream, 90_000, 2);
    for n in 0..200 {
        let dts = 90_000 + 2 * SECOND + n * FRAME;
        let kind = if n % 25 == 0 { Kind::Idr } else { Kind::P };
        stream.picture(kind, Shape::Frame, Some((dts + FRAME, dts)));
    }
    let events = events(&options(), &stream.bytes, 1000);
    let tracks = check_rules(&options(), &events);
    let sound = tracks
        .iter()
        .find(|track| !track.is_video())
        .expect("sound");
    let gaps: Vec<_> = sound.segments.iter().filter(|s| s.parts == 0).collect();
    assert!(gaps.len() >= 3, "{:?}", sound.segments);
    for gap in gaps {
        assert_eq!(gap.duration, 48_000);
    }
}

/// Packets of a PID with a payload of these bytes, `count` of them.
fn endless(stream: &mut Stream, pid: u16, payload: &[u8; 184], count: usize) {
    for counter in 0..count {
        let [high, low] = pid.to_be_bytes();
        stream
            .bytes
            .extend([0x47, high, low, 0x10 | (counter + 1) as u8 & 0xF]);
        stream.bytes.extend(payload);
    }
}

#[test]
fn what_is_held_back_is_bounded_whatever_comes() {
    let mut noise = [0x5A; 184];
    noise[100..104].copy_from_slice(&[0, 0, 1, 0x41]);
    // A unit that does not end; slices of a picture that does not end; sound without pictures.
    let mut streams = [Stream::new(), Stream::new(), Stream::new()];
    for stream in &mut streams {
        stream.usual_tables();
        stream.picture(Kind::Idr, Shape::Frame, Some((1000, 1000)));
    }
    endless(&mut streams[0], VIDEO, &[0x5A; 184], 120_000);
    endless(&mut streams[1], VIDEO, &noise, 120_000);
    for n in 0..20_000 {
        streams[2].sound(1000 + n * AAC);
    }
    for stream in streams {
        let mut packager = Packager::new(&options()).expect("valid options");
        let mut most = 0;
        for piece in stream.bytes.chunks(64 * 1024) {
            packager.push(piece);
            while packager.next_event().is_some() {}
            most = most.max(packager.held_bytes());
        }
        assert!((1..MAX_HELD_BYTES / 3).contains(&most), "{most}");
    }
}
