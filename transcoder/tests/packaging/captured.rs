//! Streams as broadcasters send them: the simulated receiver's clips, and captures where they
//! are. Times are compared with those that ffprobe finds in the transport stream.

use std::path::{Path, PathBuf};

use xg2g_transcoder::mp4::{PackagerOptions, Rendition};

use crate::captures::capture;
use crate::files::{Track, check_rules, events};
use crate::judges::{Packet, Scratch, complaints, packets, pictures};
use crate::splitting::remuxed;

const WRAP: i64 = 1 << 33;

/// Clips, of which everything is clean.
const CLIPS: [&str; 5] = [
    "one-hd",
    "two-hd",
    "three-latm",
    "four-radio",
    "six-changes",
];

/// Captures that decode without a complaint from their first random access point on.
const CLEAN_CAPTURES: [&str; 6] = [
    "h264-mp1a-10s",
    "pts-wrap-aac-h264-10seg",
    "pmtlie-aac-as-0x04-h264-12s",
    "h264-ac3-de-16s",
    "hevc-aac-scte35",
    "ac3-51-640k-36s",
];

/// Captures whose group of pictures is open, so that references to what came before are missed
/// by who joins, and damaged ones.
const OTHER_CAPTURES: [&str; 7] = [
    "tnt-fr-eac3x3-dvbsub",
    "tnt-fr-2prog-ac3-dvbsub",
    "tnt-fr-2prog-one-scrambled",
    "tnt-fr-1prog-ac3-ccerr",
    "tnt-fr-eac3-lossy-6s",
    "dvb-h264-mp1a-dvbsub-from-t2mi",
    "tnt-fr-eac3x3-dvbsub-scrambled-csa",
];

/// Captures in which nothing can be relied upon.
const CORRUPT_CAPTURES: [&str; 5] = [
    "corrupt-fuzzed-twin-of-pmtlie",
    "corrupt-capture-tei-crc-pcrjumps",
    "corrupt-lost-sync",
    "atsc-dup-pid-mp2-and-ac3",
    "pmt-change-ac3x3-atsc",
];

pub(crate) fn clip_path(name: &str) -> PathBuf {
    let clips = Path::new(env!("CARGO_MANIFEST_DIR")).join("../xg2g/simulator/clips");
    clips.join(name).with_extension("ts")
}

fn paths(captures: &[&str]) -> Vec<PathBuf> {
    let named = captures.iter().map(|name| format!("{name}.ts"));
    named.filter_map(|name| capture(&name)).collect()
}

fn packaged(stream: &[u8]) -> Vec<Track> {
    let options = PackagerOptions::default();
    let events = events(&options, stream, 188 * 1024);
    check_rules(&options, &events)
}

fn pid(track: &Track) -> Option<u16> {
    match track.header.rendition {
        Rendition::Video => None,
        Rendition::Sound(pid) | Rendition::Text { pid, .. } | Rendition::Images { pid, .. } => {
            Some(pid.value())
        }
    }
}

/// Compares the times of a file with those of the stream. Where something may have been left
/// out, the packets are looked for one by one.
fn check_times(name: &str, track: &Track, source: &[Packet], is_whole: bool) -> usize {
    let file = Scratch::new(&format!("{name}.mp4"), &track.file());
    let Some(found) = packets(file.path(), "0") else {
        return 0;
    };
    assert_eq!(found.len(), track.samples().count(), "{name}");
    assert!(found.iter().any(|packet| packet.is_key));
    let rate = i64::from(track.header.timescale);
    let is_near = |ticks: i64, of_stream: i64| {
        let same = (of_stream.rem_euclid(WRAP) * rate * 2 + 90_000).div_euclid(2 * 90_000);
        let around = WRAP * rate / 90_000;
        let difference = (ticks - same).rem_euclid(around);
        // In samples of sound a time is rounded twice.
        let tolerance = if rate == 90_000 { 0 } else { rate / 2000 };
        difference.min(around - difference) <= tolerance
    };
    let agree = |packet: &Packet, other: &Packet| {
        is_near(packet.pts, other.pts) && is_near(packet.dts, other.dts)
    };
    let mut rest = source;
    for packet in &found {
        let at = rest.iter().position(|other| agree(packet, other));
        let at = at.unwrap_or_else(|| panic!("{name}: {packet:?} is not in the stream"));
        if is_whole && packet != &found[0] {
            let is_leading = |other: &Packet| other.pts < other.dts + (found[0].pts - found[0].dts);
            let left_out = &rest[..at];
            let may_be = track.is_video() && packet == &found[1];
            assert!(
                left_out.is_empty() || may_be && left_out.iter().all(is_leading),
                "{name}: {left_out:?} before {packet:?}"
            );
        }
        rest = &rest[at + 1..];
    }
    // ffprobe guesses durations; the file says them.
    let samples: Vec<_> = track.samples().collect();
    for pair in samples.windows(2) {
        let end = pair[0].dts + pair[0].duration;
        let is_hole = !is_whole && end < pair[1].dts;
        assert!(
            end == pair[1].dts || is_hole,
            "{name}: {end} and {}",
            pair[1].dts
        );
    }
    found.len()
}

fn check_stream(path: &Path, is_whole: bool) -> usize {
    let name = path.file_stem().and_then(|name| name.to_str());
    let name = name.expect("a name");
    let stream = remuxed(path);
    let file = Scratch::new(&format!("{name}.ts"), &stream);
    let mut checked = 0;
    for track in packaged(&stream) {
        let selector = pid(&track).map_or("v:0".to_owned(), |pid| format!("i:{pid:#x}"));
        let Some(source) = packets(file.path(), &selector) else {
            continue;
        };
        checked += check_times(name, &track, &source, is_whole);
    }
    checked
}

#[test]
fn every_sample_has_the_times_of_the_broadcast() {
    let clips = CLIPS.map(clip_path);
    let mut checked = 0;
    for path in clips.into_iter().chain(paths(&CLEAN_CAPTURES)) {
        checked += check_stream(&path, true);
    }
    assert!(checked > 0 || crate::judges::run("ffprobe", &["-version"]).is_none());
}

#[test]
fn what_is_left_of_damaged_broadcasts_has_their_times() {
    for path in paths(&OTHER_CAPTURES) {
        check_stream(&path, false);
    }
}

/// What ffmpeg says of a stream that begins with an open group: its lists of references name
/// pictures from before. Of every picture that it then decodes it says nothing.
const BOOKKEEPING: [&str; 6] = [
    "number of reference frames",
    "mmco: unref short failure",
    "Missing reference picture",
    "reference picture missing during reorder",
    "co located POCs unavailable",
    "Last message repeated",
];

#[test]
fn pictures_of_open_groups_are_whole_and_refer_to_what_is_there() {
    for path in paths(&OTHER_CAPTURES) {
        for track in packaged(&remuxed(&path)) {
            let file = Scratch::new("open.mp4", &track.file());
            let said = complaints(file.path()).unwrap_or_default();
            let is_expected = |line: &str| BOOKKEEPING.iter().any(|text| line.contains(text));
            let other: Vec<&str> = said.lines().filter(|line| !is_expected(line)).collect();
            assert!(other.is_empty(), "{}: {other:?}", path.display());
        }
    }
}

#[test]
fn who_joins_a_captured_open_group_sees_what_the_others_see() {
    let mut compared = Vec::new();
    for path in paths(&[
        "tnt-fr-2prog-ac3-dvbsub",
        "tnt-fr-eac3x3-dvbsub",
        "tnt-fr-1prog-ac3-ccerr",
    ]) {
        let stream = remuxed(&path);
        let whole = packaged(&stream);
        let video = whole.iter().find(|track| track.is_video()).expect("video");
        let file = Scratch::new("whole.mp4", &video.file());
        let whole = pictures(file.path()).unwrap_or_default();
        for tenths in [2, 4, 6] {
            let from = stream.len() / 188 * tenths / 10 * 188;
            let tracks = packaged(&stream[from..]);
            let Some(video) = tracks.iter().find(|track| track.is_video()) else {
                continue;
            };
            let file = Scratch::new("joined.mp4", &video.file());
            let mut joined = pictures(file.path()).unwrap_or_default();
            joined.truncate(joined.len().saturating_sub(4));
            compared.push(joined.len());
            let wrong: Vec<bool> = joined.iter().map(|p| !whole.contains(p)).collect();
            assert!(
                !wrong.contains(&true),
                "{} {tenths}: {wrong:?}",
                path.display()
            );
        }
    }
    assert!(
        compared.is_empty() || compared.iter().sum::<usize>() > 50,
        "{compared:?}"
    );
}

#[test]
fn the_rules_hold_for_corrupt_broadcasts() {
    for path in paths(&CORRUPT_CAPTURES) {
        packaged(&remuxed(&path));
    }
}

#[test]
fn files_decode_without_a_complaint() {
    for path in CLIPS
        .map(clip_path)
        .into_iter()
        .chain(paths(&CLEAN_CAPTURES))
    {
        for (index, track) in packaged(&remuxed(&path)).iter().enumerate() {
            let file = Scratch::new(&format!("decoded-{index}.mp4"), &track.file());
            let said = complaints(file.path()).unwrap_or_default();
            assert_eq!(said, "", "{} {:?}", path.display(), track.header.rendition);
        }
    }
}
