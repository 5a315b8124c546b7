//! Options of a stream.

use std::ffi::{CStr, CString, c_int};
use std::{mem, ptr};

use xg2g_transcoder::ErrorKind::InvalidArgument;
use xg2g_transcoder::ffi::*;

/// Options as of a later version of the struct. Without padding at its end, whose bytes mean
/// nothing and would be read as a field.
#[repr(C)]
struct LaterOptions {
    known: xg2g_options,
    later: u64,
}

fn options() -> LaterOptions {
    LaterOptions {
        known: xg2g_options {
            size: mem::size_of::<xg2g_options>(),
            sample_rate_hz: 0,
            channels: 2,
            bitrate_bps: 192_000,
            program: 0,
            keep_original: 0,
            generation: 0,
            tracks: ptr::null(),
            dual_mono: ptr::null(),
        },
        later: 0,
    }
}

/// The error of opening with these options; "" when it succeeds.
fn open_error(options: &LaterOptions) -> String {
    let (mut error, mut text) = (0, [0x55_u8; 120]);
    // SAFETY: the options have their size, and the text its capacity.
    let handle = unsafe {
        xg2g_audio_remux_init_with_options(
            (&raw const *options).cast(),
            &raw mut error,
            text.as_mut_ptr().cast(),
            text.len(),
        )
    };
    if handle.is_null() {
        assert_eq!(error, InvalidArgument as c_int);
        let text = CStr::from_bytes_until_nul(&text).expect("a NUL");
        return text.to_str().expect("UTF-8").to_owned();
    }
    assert_eq!((error, text[0]), (0, 0x55));
    xg2g_audio_remux_free(handle);
    String::new()
}

#[test]
fn options_of_a_later_version_are_taken_unless_they_ask_for_what_is_unknown() {
    let mut later = options();
    later.known.size = mem::size_of::<LaterOptions>();
    assert_eq!(open_error(&later), "");
    later.later = 1;
    assert!(open_error(&later).contains("this version of the library lacks"));
}

#[test]
fn options_of_the_first_version_are_taken_and_what_they_lack_is_not_read() {
    let mut first = options();
    first.known.size = mem::offset_of!(xg2g_options, dual_mono);
    first.known.dual_mono = ptr::dangling();
    assert_eq!(open_error(&first), "");
    for none in [first.known.size - 1, first.known.size + 1] {
        first.known.size = none;
        assert!(open_error(&first).contains("options.size"));
    }
}

#[test]
fn options_out_of_range_are_refused_with_a_line_that_says_which() {
    let with = |change: fn(&mut xg2g_options)| {
        let mut options = options();
        change(&mut options.known);
        open_error(&options)
    };
    assert!(with(|o| o.sample_rate_hz = 47_999).contains("47999"));
    assert!(with(|o| o.channels = 258).contains("channels"));
    assert!(with(|o| o.bitrate_bps = 1).contains("bitrate 1"));
    assert!(with(|o| o.program = 0x1_0000).contains("program"));
    assert!(with(|o| o.keep_original = 2).contains("keep_original"));
    for (tracks, error) in [
        (c"all", ""),
        (c"first", ""),
        (c"deu,eng", ""),
        (c"", "\"\""),
        (c"deu,german", "\"german\""),
        (c"d\xFFu", "ISO 639"),
        (c"de,ger,EN", ""),
        (c"xx", "\"xx\""),
    ] {
        let mut options = options();
        let tracks = CString::from(tracks);
        options.known.tracks = tracks.as_ptr();
        let said = open_error(&options);
        assert!(
            said.contains(error) && said.is_empty() == error.is_empty(),
            "{said}"
        );
    }
    for (dual_mono, error) in [
        (c"both", ""),
        (c"left", ""),
        (c"right", ""),
        (c"Left", "dual_mono \"Left\""),
        (c"", "dual_mono \"\""),
    ] {
        let mut options = options();
        options.known.dual_mono = dual_mono.as_ptr();
        let said = open_error(&options);
        assert!(
            said.contains(error) && said.is_empty() == error.is_empty(),
            "{said}"
        );
    }
    assert!(xg2g_audio_remux_init(-1, 2, 192_000).is_null());
    assert!(xg2g_audio_remux_init(0, 3, 192_000).is_null());
    assert!(xg2g_audio_remux_init(0, 2, 0).is_null());
}

#[test]
fn a_text_is_cut_off_at_the_capacity_between_characters() {
    let mut options = options();
    options.known.tracks = c"\u{e9}\u{e9}".as_ptr();
    let whole = open_error(&options);
    for capacity in 0..whole.len() {
        let mut cut = vec![0x55_u8; whole.len()];
        // SAFETY: the options have their size, and the text has that capacity.
        let handle = unsafe {
            xg2g_audio_remux_init_with_options(
                &raw const options.known,
                ptr::null_mut(),
                cut.as_mut_ptr().cast(),
                capacity,
            )
        };
        assert!(handle.is_null());
        assert!(cut[capacity..].iter().all(|byte| *byte == 0x55));
        if capacity > 0 {
            let text = CStr::from_bytes_until_nul(&cut).expect("a NUL");
            assert!(whole.starts_with(text.to_str().expect("UTF-8")));
        }
    }
}
