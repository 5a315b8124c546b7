//! Static texts: the names of errors, and versions.

use std::ffi::{CStr, c_int};

use crate::{ErrorKind, versions};

pub(super) fn version_json() -> String {
    format!("{}\0", serde_json::json!(versions()))
}

pub(super) fn error_name(error: c_int) -> Option<&'static CStr> {
    const NAMES: [(ErrorKind, &CStr); 7] = [
        (ErrorKind::Internal, c"internal error"),
        (ErrorKind::OutputTooSmall, c"output too small"),
        (ErrorKind::InvalidArgument, c"invalid argument"),
        (ErrorKind::Poisoned, c"poisoned"),
        (ErrorKind::Codec, c"codec error"),
        (ErrorKind::Finished, c"finished"),
        (ErrorKind::Busy, c"busy"),
    ];
    NAMES
        .iter()
        .find(|(kind, _)| *kind as c_int == error)
        .map(|(_, name)| *name)
}
