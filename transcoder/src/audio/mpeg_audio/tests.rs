use super::*;

fn header(bytes: [u8; 4]) -> FrameHeader {
    match parse(&bytes) {
        Parsed::Header(header) => header,
        other => panic!("{bytes:02X?} is {other:?}"),
    }
}

#[test]
fn lengths_follow_the_tables_of_each_layer_and_version() {
    for (bytes, codec, size_bytes, samples, sample_rate_hz, channels) in [
        (
            [0xFF, 0xFD, 0x44, 0xC4],
            Codec::MpegLayer2,
            192,
            1152,
            48_000,
            1,
        ),
        (
            [0xFF, 0xFC, 0xA4, 0x00],
            Codec::MpegLayer2,
            576,
            1152,
            48_000,
            2,
        ),
        (
            [0xFF, 0xFF, 0xE2, 0x40],
            Codec::MpegLayer1,
            488,
            384,
            44_100,
            2,
        ),
        (
            [0xFF, 0xFB, 0x90, 0x64],
            Codec::MpegLayer3,
            417,
            1152,
            44_100,
            2,
        ),
        (
            [0xFF, 0xFB, 0x92, 0x64],
            Codec::MpegLayer3,
            418,
            1152,
            44_100,
            2,
        ),
        (
            [0xFF, 0xF3, 0x44, 0xC4],
            Codec::MpegLayer3,
            96,
            576,
            24_000,
            1,
        ),
        (
            [0xFF, 0xE3, 0x48, 0xC4],
            Codec::MpegLayer3,
            288,
            576,
            8_000,
            1,
        ),
    ] {
        assert_eq!(
            header(bytes),
            FrameHeader {
                codec,
                size_bytes,
                samples: Some(samples),
                sample_rate_hz: Some(sample_rate_hz),
                channels: Some(channels),
                role: Role::Main,
            },
            "{bytes:02X?}"
        );
    }
}

#[test]
fn the_mode_alone_makes_two_programmes() {
    for (mode, expected) in [(0x04, false), (0x44, false), (0x84, true), (0xC4, false)] {
        assert_eq!(
            is_dual_mono(&[0xFF, 0xFD, 0x44, mode]),
            expected,
            "{mode:02X}"
        );
    }
    assert!(!is_dual_mono(&[]));
}

#[test]
fn free_format_and_reserved_values_are_no_header() {
    for bytes in [
        [0xFF, 0xFD, 0x04, 0xC4],
        [0xFF, 0xFD, 0xF4, 0xC4],
        [0xFF, 0xFD, 0x4C, 0xC4],
        [0xFF, 0xED, 0x44, 0xC4],
        [0xFF, 0xE9, 0x44, 0xC4],
        [0xFF, 0xF9, 0x44, 0xC4],
    ] {
        assert_eq!(parse(&bytes), Parsed::NotHere, "{bytes:02X?}");
    }
}

#[test]
fn the_reserved_emphasis_is_no_reason_to_refuse_a_frame() {
    assert_eq!(
        header([0xFF, 0xFD, 0x44, 0xC6]),
        header([0xFF, 0xFD, 0x44, 0xC4])
    );
}

#[test]
fn the_beginning_of_a_header_asks_for_more() {
    let bytes = [0xFF, 0xFD, 0x44];
    for length in 0..=bytes.len() {
        assert_eq!(parse(&bytes[..length]), Parsed::NeedMore);
    }
    assert_eq!(parse(&[0xFF, 0x00]), Parsed::NotHere);
    assert_eq!(parse(&[0x47]), Parsed::NotHere);
}
