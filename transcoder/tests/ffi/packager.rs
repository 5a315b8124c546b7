//! Packagers.

use std::ffi::{c_int, c_void};
use std::{ptr, slice};

use xg2g_transcoder::ErrorKind::{Finished, InvalidArgument, OutputTooSmall};
use xg2g_transcoder::ffi::*;

use crate::handle::{Handle, code};

fn package(packager: *mut c_void, input: &[u8]) -> c_int {
    // SAFETY: the buffer has the length given.
    unsafe { xg2g_packager_process(packager, input.as_ptr(), input.len()) }
}

/// The next event's text and bytes, or the number that was returned in their place.
fn next_event(packager: *mut c_void) -> Result<(String, Vec<u8>), c_int> {
    let (mut json, mut json_len, mut data, mut data_len) = (ptr::null(), 0, ptr::null(), 0);
    // SAFETY: all four can be written.
    let code = unsafe {
        xg2g_packager_next_event(
            packager,
            &raw mut json,
            &raw mut json_len,
            &raw mut data,
            &raw mut data_len,
        )
    };
    if code != 1 {
        return Err(code);
    }
    // SAFETY: both are lent with their lengths until the next call.
    let [json, data] =
        unsafe { [(json, json_len), (data, data_len)].map(|(start, len)| lent(start, len)) };
    Ok((String::from_utf8(json).expect("text"), data))
}

/// # Safety
/// `start` has `len` bytes, or `len` is 0.
unsafe fn lent(start: *const u8, len: usize) -> Vec<u8> {
    if len == 0 {
        return Vec::new();
    }
    // SAFETY: by this function's contract.
    unsafe { slice::from_raw_parts(start, len) }.to_vec()
}

#[test]
fn a_packager_takes_nothing_while_events_wait() {
    let packager = xg2g_packager_init(0, 2000, 500, 30_000);
    let clip = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../xg2g/simulator/clips/two-hd.ts"
    );
    let clip = std::fs::read(clip).expect("the clip is in the repository");
    assert_eq!(next_event(packager), Err(0));
    assert_eq!(package(packager, &clip[..188 * 4000]), 0);
    assert_eq!(package(packager, &clip[..188]), OutputTooSmall as c_int);
    assert_eq!(xg2g_packager_finish(packager), OutputTooSmall as c_int);
    let mut kinds = std::collections::BTreeMap::new();
    while let Ok((json, data)) = next_event(packager) {
        let event: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let kind = event["event"].as_str().expect("a kind").to_owned();
        assert_eq!(
            matches!(&*kind, "header" | "part"),
            !data.is_empty(),
            "{json}"
        );
        *kinds.entry(kind).or_insert(0) += 1;
    }
    assert!(kinds["header"] == 1 && kinds["part"] > 5 && kinds["not_offered"] == 3);
    assert_eq!(xg2g_packager_finish(packager), 0);
    while next_event(packager).is_ok() {}
    assert_eq!(package(packager, &clip[..188]), Finished as c_int);
    assert_eq!(xg2g_packager_finish(packager), 0);
    xg2g_packager_free(packager);
    assert_eq!(package(packager, &clip[..188]), InvalidArgument as c_int);
    assert_eq!(next_event(packager), Err(InvalidArgument as c_int));
    xg2g_packager_free(packager);
    xg2g_packager_free(ptr::null_mut());
}

#[test]
fn a_packager_is_no_stream_and_refuses_what_is_out_of_range() {
    for (program, segment_ms, part_ms, longest_ms) in [
        (65_536, 2000, 500, 30_000),
        (0, 499, 500, 30_000),
        (0, 20_001, 500, 30_000),
        (0, 2000, 199, 30_000),
        (0, 2000, 5001, 30_000),
        (0, 2000, 500, 499),
        (0, 2000, 500, 30_001),
    ] {
        assert!(xg2g_packager_init(program, segment_ms, part_ms, longest_ms).is_null());
    }
    let stream = Handle::open();
    assert_eq!(package(stream.0, &[0x47]), InvalidArgument as c_int);
    let packager = xg2g_packager_init(7, 500, 200, 30_000);
    assert_eq!(
        Handle(packager).process(&[0x47], 100),
        code(InvalidArgument)
    );
    let null: *mut c_void = ptr::null_mut();
    // SAFETY: NULL is refused.
    let told = unsafe {
        xg2g_packager_next_event(packager, null.cast(), null.cast(), null.cast(), null.cast())
    };
    assert_eq!(told, InvalidArgument as c_int);
    stream.free();
    xg2g_packager_free(packager);
}
