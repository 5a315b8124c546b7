//! Texts that the library writes.

use std::ffi::CStr;

use xg2g_transcoder::ffi::*;

#[test]
fn every_kind_of_error_has_a_name() {
    for kind in -7..=-1 {
        // SAFETY: a name is a static text.
        let name = unsafe { CStr::from_ptr(xg2g_error_name(kind)) };
        assert!(!name.is_empty());
    }
    assert!(xg2g_error_name(-8).is_null());
    assert!(xg2g_error_name(0).is_null());
}

#[test]
#[cfg_attr(miri, ignore = "asks the codec libraries")]
fn the_versions_of_the_library_and_its_codecs_are_told() {
    // SAFETY: the version is a static text.
    let version = unsafe { CStr::from_ptr(xg2g_version()) };
    let version: serde_json::Value =
        serde_json::from_slice(version.to_bytes()).expect("versions are JSON");
    assert_eq!(version["xg2g-transcoder"], env!("CARGO_PKG_VERSION"));
    for codecs in ["ffmpeg", "fdk-aac"] {
        let number = version[codecs].as_str().expect("a text");
        assert!(
            number.starts_with(|c: char| c.is_ascii_digit()),
            "{version}"
        );
    }
}
