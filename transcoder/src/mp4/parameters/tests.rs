use proptest::prelude::*;

use super::*;
use crate::mp4::h264_slice::pps_of_slice;
use crate::mp4::sample_entry::describe;

/// x264's for 1920x1080 with six reference frames, where level 4.0 has room for four.
const TOO_MANY_FRAMES: &[u8] = &[
    0x67, 0x42, 0xc0, 0x28, 0xd9, 0xc0, 0x78, 0x02, 0x27, 0xe5, 0xc0, 0x44, 0x00, 0x00, 0x03, 0x00,
    0x04, 0x00, 0x00, 0x03, 0x00, 0xc8, 0x3c, 0x60, 0xc9, 0xe0,
];

#[test]
fn more_frames_than_the_level_allows_are_taken_and_the_level_is_told_as_it_is() {
    let mut sets = Sets::default();
    sets.insert(VideoCodec::H264, SetKind::Sequence, TOO_MANY_FRAMES);
    sets.insert(
        VideoCodec::H264,
        SetKind::Picture,
        &[0x68, 0xce, 0x3c, 0x80],
    );
    let told = describe(&sets, VideoCodec::H264).expect("a description");
    assert_eq!((told.width, told.height), (1920, 1080));
    assert_eq!(&told.codecs[told.codecs.len() - 2..], "28");
}

proptest! {
    #[test]
    fn no_bytes_upset_the_sets(units in prop::collection::vec(
        (any::<bool>(), 0usize..3, prop::collection::vec(any::<u8>(), 0..80)), 0..90)) {
        let mut sets = Sets::default();
        for (is_hevc, kind, unit) in units {
            let codec = if is_hevc { VideoCodec::Hevc } else { VideoCodec::H264 };
            let kind = [SetKind::Video, SetKind::Sequence, SetKind::Picture][kind];
            sets.insert(codec, kind, &unit);
            prop_assert!(sets.0.len() <= MAX_SETS);
            describe(&sets, codec);
            pps_of_slice(&unit).and_then(|id| sets.slice_syntax(id));
        }
    }
}
