//! Open groups of pictures, made by encoders that are not ours: a viewer that begins in the middle sees
//! what who was there from the start sees.

use xg2g_transcoder::mp4::PackagerOptions;
use xg2g_transcoder::ts::packet::PACKET_BYTES;

use crate::files::{Sample, Track, check_rules, events};
use crate::judges::{Scratch, pictures, run};

/// Pictures that are shown behind a later one, at most.
const REORDERED: usize = 4;

/// Four seconds of moving pictures in open groups of one second.
fn encoded(arguments: &[&str]) -> Option<Vec<u8>> {
    let source = [
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x180:rate=25:duration=4",
    ];
    let target = ["-pix_fmt", "yuv420p", "-f", "mpegts", "-"];
    let output = run("ffmpeg", &[&source[..], arguments, &target].concat())?;
    assert!(output.status.success(), "{output:?}");
    Some(output.stdout)
}

fn check_join(arguments: &[&str]) {
    let Some(stream) = encoded(arguments) else {
        return;
    };
    let options = PackagerOptions {
        segment_ms: 500,
        ..PackagerOptions::default()
    };
    let whole = Scratch::new("whole.ts", &stream);
    let whole = pictures(whole.path()).expect("ffmpeg");
    assert_eq!(whole.len(), 100);
    // The first picture's tables stand behind the beginning, and it alone has none before it.
    let packets = stream.len() / PACKET_BYTES;
    for tenths in [0, 1, 3, 5] {
        let from = packets * tenths / 10 * PACKET_BYTES;
        let events = events(&options, &stream[from..], 4096);
        let tracks = check_rules(&options, &events);
        let [track] = tracks.as_slice() else {
            panic!("one track from {from}: {}", tracks.len());
        };
        check_leading(track, tenths > 0);
        let file = Scratch::new("joined.mp4", &track.file());
        let mut joined = pictures(file.path()).expect("ffmpeg");
        // Where the stream ends the last picture is left out, which is not the last one shown.
        joined.truncate(joined.len().saturating_sub(REORDERED));
        let at = whole
            .iter()
            .position(|picture| Some(picture) == joined.first());
        let at = at.expect("the first picture is one of the stream's");
        assert!(joined.len() > 15, "{tenths}: {}", joined.len());
        assert_eq!(
            joined,
            whole[at..at + joined.len()],
            "from {tenths} tenths on"
        );
    }
}

/// Decoders leave leading pictures out that are marked so: in HEVC their being there shows in
/// the file alone.
fn check_leading(track: &Track, is_join: bool) {
    if !track.header.codecs.starts_with("hvc1") {
        return;
    }
    let is_skipped = |sample: &Sample| {
        let mut units = sample.data.as_slice();
        let mut found = false;
        while let Some((length, rest)) = units.split_first_chunk() {
            let (unit, behind) = rest.split_at(u32::from_be_bytes(*length) as usize);
            found |= matches!(unit[0] >> 1 & 0x3F, 8 | 9);
            units = behind;
        }
        found
    };
    let samples: Vec<_> = track.samples().collect();
    let second = samples.iter().skip(1).position(|sample| sample.is_sync);
    let group = second.map_or(samples.len(), |at| at + 1);
    assert!(samples[..group].iter().all(|sample| !is_skipped(sample)));
    let others = &samples[group..];
    assert!(is_join || others.iter().any(|sample| is_skipped(sample)));
}

#[test]
fn who_joins_an_open_group_of_h264_sees_what_the_others_see() {
    let options = "keyint=24:min-keyint=24:scenecut=0:open-gop=1:bframes=3:b-pyramid=normal";
    check_join(&[
        "-c:v",
        "libx264",
        "-preset",
        "fast",
        "-x264-params",
        options,
    ]);
}

#[test]
fn who_joins_an_open_group_of_hevc_sees_what_the_others_see() {
    let options = "log-level=none:keyint=24:min-keyint=24:scenecut=0:open-gop=1:bframes=3";
    check_join(&[
        "-c:v",
        "libx265",
        "-preset",
        "fast",
        "-x265-params",
        options,
    ]);
}

#[test]
fn who_joins_interlaced_pictures_sees_what_the_others_see() {
    let options = "keyint=24:min-keyint=24:scenecut=0:open-gop=1:bframes=3:tff=1";
    check_join(&[
        "-c:v",
        "libx264",
        "-flags",
        "+ilme+ildct",
        "-x264-params",
        options,
    ]);
}
