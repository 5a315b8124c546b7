use super::*;

fn header(bytes: [u8; 7]) -> FrameHeader {
    match parse(&bytes) {
        Parsed::Header(header) => header,
        other => panic!("{bytes:02X?} is {other:?}"),
    }
}

#[test]
fn ac3_headers_tell_length_rate_and_channels() {
    let five_one = header([0x0B, 0x77, 0x11, 0xE1, 0x1E, 0x40, 0xE3]);
    assert_eq!(five_one.codec, Codec::Ac3);
    assert_eq!(five_one.size_bytes, 1792);
    assert_eq!(five_one.samples, Some(1536));
    assert_eq!(five_one.sample_rate_hz, Some(48_000));
    assert_eq!(five_one.channels, Some(6));
    let stereo = header([0x0B, 0x77, 0x97, 0xF2, 0x0C, 0x40, 0x43]);
    assert_eq!((stereo.size_bytes, stereo.channels), (384, Some(2)));
}

#[test]
fn at_44100_hz_the_last_bit_of_the_size_code_pads_one_word() {
    let size = |code: u8| header([0x0B, 0x77, 0, 0, 0x40 | code, 0x40, 0x43]).size_bytes;
    assert_eq!((size(0), size(1)), (138, 140));
    assert_eq!((size(36), size(37)), (2786, 2788));
}

#[test]
fn eac3_headers_tell_the_kind_of_substream_and_its_blocks() {
    let whole = header([0x0B, 0x77, 0x04, 0xFF, 0x3F, 0x86, 0xFB]);
    assert_eq!(whole.codec, Codec::Eac3);
    assert_eq!((whole.size_bytes, whole.samples), (2560, Some(1536)));
    assert_eq!((whole.channels, whole.role), (Some(6), Role::Main));
    let one_block = header([0x0B, 0x77, 0x01, 0xFF, 0x0F, 0x86, 0xFF]);
    assert_eq!((one_block.size_bytes, one_block.samples), (1024, Some(256)));
    let dependent = header([0x0B, 0x77, 0x44, 0x7F, 0x3A, 0x80, 0x00]);
    assert_eq!(dependent.role, Role::Dependent);
    let second_programme = header([0x0B, 0x77, 0x0C, 0xFF, 0x3F, 0x86, 0xFB]);
    assert_eq!(second_programme.role, Role::OtherProgramme);
    let half_rate = header([0x0B, 0x77, 0x04, 0xFF, 0xC4, 0x80, 0x00]);
    assert_eq!(half_rate.sample_rate_hz, Some(24_000));
    assert_eq!(half_rate.samples, Some(1536));
}

#[test]
fn reserved_values_are_no_header() {
    for bytes in [
        [0x0B, 0x77, 0, 0, 0xC0, 0x40, 0x43],
        [0x0B, 0x77, 0, 0, 0x26, 0x40, 0x43],
        [0x0B, 0x77, 0, 0, 0x00, 0x88, 0x43],
        [0x0B, 0x77, 0xC4, 0xFF, 0x3F, 0x86, 0xFB],
        [0x0B, 0x77, 0x00, 0x00, 0x3F, 0x86, 0xFB],
        [0x0B, 0x77, 0x04, 0xFF, 0xF4, 0x80, 0x00],
    ] {
        assert_eq!(parse(&bytes), Parsed::NotHere, "{bytes:02X?}");
    }
    assert_eq!(parse(&[0x0B]), Parsed::NeedMore);
    assert_eq!(parse(&[0x77, 0x0B]), Parsed::NotHere);
}

#[test]
fn acmod_0_is_two_programmes_in_both_codings() {
    // bsid 8 and 16.
    for acmod in 0..8u8 {
        let ac3 = [0x0B, 0x77, 0, 0, 0x14, 8 << 3, acmod << 5, 0];
        let eac3 = [0x0B, 0x77, 0, 0xFF, 0x30 | acmod << 1, 16 << 3, 0, 0];
        assert_eq!(is_dual_mono(&ac3), acmod == 0);
        assert_eq!(is_dual_mono(&eac3), acmod == 0);
    }
    assert!(!is_dual_mono(&[]));
}

#[test]
fn only_eac3_can_be_without_mix_levels() {
    // dialnorm, then compre with its 8 bits, then mixmdate.
    for (bytes, expected) in [
        ([0x87, 0xC0, 0x00, 0x00], false),
        ([0x80, 0x10, 0x00, 0x00], true),
        ([0x80, 0x20, 0x00, 0x00], false),
        ([0x80, 0x20, 0x10, 0x00], true),
    ] {
        let frame = [&[0x0B, 0x77, 0, 0xFF, 0x3F][..], &bytes].concat();
        assert_eq!(has_mix_levels(&frame), expected, "{frame:02X?}");
    }
    assert!(has_mix_levels(&[0x0B, 0x77, 0, 0, 0x14, 8 << 3, 7 << 5, 0]));
}

#[test]
fn one_wrong_bit_breaks_the_checksum() {
    for stream in [
        &include_bytes!("../../../tests/fixtures/tone.ac3")[..384],
        &include_bytes!("../../../tests/fixtures/tone.eac3")[..256],
    ] {
        assert!(checksum_holds(stream));
        let mut damaged = stream.to_vec();
        damaged[100] ^= 0x10;
        assert!(!checksum_holds(&damaged));
    }
}
