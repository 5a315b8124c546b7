use super::*;

const CODE: [u8; 3] = [0, 0, 1];

fn stream(units: &[&[u8]]) -> Vec<u8> {
    units
        .iter()
        .flat_map(|unit| [&CODE, *unit].concat())
        .collect()
}

const H264_SPS: &[u8] = &[0x67, 0x64, 0, 0x28];
const H264_PPS: &[u8] = &[0x68, 0xEE];
const RECOVERY_POINT: &[u8] = &[0x06, 6, 1, 0xC4, 0x80];
/// first_mb_in_slice 0, slice_type 7 (I), then whatever.
const I_SLICE: &[u8] = &[0x41, 0b1000_1000, 0x80, 0, 0];
/// first_mb_in_slice 0, slice_type 5 (P).
const P_SLICE: &[u8] = &[0x41, 0b1001_1000, 0x80, 0, 0];

#[test]
fn h264_begins_at_idr_and_at_i_pictures_with_their_parameters() {
    let idr = stream(&[&[0x09, 0xF0], H264_SPS, H264_PPS, &[0x65, 0x88, 0x84, 0, 0]]);
    assert_eq!(
        access(VideoCodec::H264, &idr),
        Access::Random { is_open: false }
    );
    for messages in [&[RECOVERY_POINT][..], &[]] {
        let mut units = vec![&[0x09, 0x10][..], H264_SPS, H264_PPS];
        units.extend(messages);
        units.push(I_SLICE);
        let open = stream(&units);
        assert_eq!(
            access(VideoCodec::H264, &open),
            Access::Random { is_open: true }
        );
    }
}

#[test]
fn h264_does_not_begin_at_other_pictures_nor_without_parameters() {
    for units in [
        &[H264_SPS, H264_PPS, P_SLICE][..],
        &[I_SLICE],
        &[&[0x65, 0x88, 0x84, 0, 0]],
        &[RECOVERY_POINT, P_SLICE],
    ] {
        assert_eq!(access(VideoCodec::H264, &stream(units)), Access::Dependent);
    }
}

#[test]
fn hevc_begins_at_idr_bla_and_cra_with_their_parameters() {
    let parameters: [&[u8]; 3] = [&[32 << 1, 1], &[33 << 1, 1], &[34 << 1, 1]];
    for (kind, is_open) in [
        (16, true),
        (17, true),
        (18, false),
        (19, false),
        (20, false),
        (21, true),
    ] {
        let slice = [kind << 1, 1, 0x80];
        let with: Vec<&[u8]> = parameters.iter().copied().chain([&slice[..]]).collect();
        assert_eq!(
            access(VideoCodec::Hevc, &stream(&with)),
            Access::Random { is_open }
        );
        assert_eq!(
            access(VideoCodec::Hevc, &stream(&[&slice])),
            Access::Dependent
        );
    }
    let trailing: Vec<&[u8]> = parameters
        .iter()
        .copied()
        .chain([&[2, 1, 0x80][..]])
        .collect();
    assert_eq!(
        access(VideoCodec::Hevc, &stream(&trailing)),
        Access::Dependent
    );
}

#[test]
fn mpeg2_begins_at_i_pictures_behind_a_sequence_header() {
    let sequence: &[u8] = &[0xB3, 0x2D, 0x02, 0x40];
    let picture = |kind: u8| [0x00, 0x00, kind << 3, 0xFF, 0xF8];
    for (flags, is_open) in [(0x40, false), (0x00, true)] {
        let group = [0xB8, 0, 8, 0, flags];
        let units = [sequence, &group, &picture(1)];
        assert_eq!(
            access(VideoCodec::Mpeg2, &stream(&units)),
            Access::Random { is_open }
        );
    }
    for units in [&[sequence, &picture(3)][..], &[&picture(1)], &[&picture(2)]] {
        assert_eq!(access(VideoCodec::Mpeg2, &stream(units)), Access::Dependent);
    }
    let refresh = stream(&[sequence, &picture(2)]);
    assert_eq!(access(VideoCodec::Mpeg2, &refresh), Access::Refresh);
}

#[test]
fn a_head_that_is_cut_short_asks_for_more_and_never_changes_its_mind() {
    let cases = [
        (
            VideoCodec::H264,
            stream(&[&[0x09, 0x10], H264_SPS, H264_PPS, RECOVERY_POINT, I_SLICE]),
        ),
        (VideoCodec::H264, stream(&[&[0x09, 0x10], P_SLICE])),
        (
            VideoCodec::Hevc,
            stream(&[&[33 << 1, 1], &[21 << 1, 1, 0x80]]),
        ),
        (
            VideoCodec::Mpeg2,
            stream(&[&[0xB3, 1, 2, 3], &[0xB8, 0, 8, 0, 0], &[0, 0, 8, 0, 0]]),
        ),
    ];
    for (codec, whole) in cases {
        let verdict = access(codec, &whole);
        assert_ne!(verdict, Access::NeedMore);
        for length in 0..whole.len() {
            let early = access(codec, &whole[..length]);
            assert!(
                early == Access::NeedMore || early == verdict,
                "{codec:?} at {length}"
            );
        }
    }
}

#[test]
fn a_head_is_looked_at_up_to_its_bound() {
    let endless = vec![0xFF; MAX_HEAD_BYTES];
    for codec in [VideoCodec::Mpeg2, VideoCodec::H264, VideoCodec::Hevc] {
        assert_eq!(access(codec, &endless[1..]), Access::NeedMore);
        assert_eq!(access(codec, &endless), Access::Dependent);
    }
}
