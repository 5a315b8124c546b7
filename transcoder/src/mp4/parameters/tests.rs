use proptest::prelude::*;

use super::*;

#[test]
fn the_codecs_parameter_of_hevc_leaves_trailing_zeros_out() {
    let general = General {
        profile_space: 0,
        is_high_tier: false,
        profile_idc: 2,
        compatibility: 0x2000_0000,
        constraints: 0x9000_0000_0000,
        is_interlaced: false,
        level_idc: 153,
    };
    assert_eq!(general.codecs(), "hvc1.2.4.L153.90");
    let none = General {
        constraints: 0,
        is_high_tier: true,
        profile_space: 1,
        ..general
    };
    assert_eq!(none.codecs(), "hvc1.A2.4.H153");
}

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
    let told = sets.describe(VideoCodec::H264).expect("a description");
    assert_eq!((told.width, told.height), (1920, 1080));
    assert_eq!(&told.codecs[told.codecs.len() - 2..], "28");
}

#[test]
fn a_second_field_is_the_other_parity_of_the_same_frame() {
    let first = Field {
        frame_num: 5,
        is_bottom: false,
        is_reference: true,
        is_idr: true,
    };
    let second = Field {
        is_bottom: true,
        is_idr: false,
        ..first
    };
    assert!(first.is_completed_by(second));
    for other in [
        Field {
            is_bottom: false,
            ..second
        },
        Field {
            frame_num: 6,
            ..second
        },
        Field {
            is_reference: false,
            ..second
        },
        Field {
            is_idr: true,
            ..second
        },
    ] {
        assert!(!first.is_completed_by(other), "{other:?}");
    }
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
            sets.describe(codec);
            pps_of_slice(&unit).and_then(|id| sets.slice_syntax(id));
        }
    }
}
