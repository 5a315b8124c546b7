//! What is in this library.

use std::collections::BTreeMap;

use crate::audio::native;

/// Return the versions of this library and of the codecs in it, by component; its own is
/// under `xg2g-transcoder`.
pub fn versions() -> BTreeMap<&'static str, String> {
    let mut versions = BTreeMap::from(native::versions());
    versions.insert(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION").to_owned());
    versions
}
