//! The panic boundary, which every export goes through.

use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::handles::{self, Kept};
use crate::{Error, ErrorKind};

/// Run the body of an export; a panic in it becomes `on_panic`.
pub(super) fn boundary<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    // What a panic could leave half changed is behind locks that it poisons.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(on_panic)
}

/// Run the body of an export that needs no handle.
pub(super) fn answer(body: impl FnOnce() -> Result<c_int, Error>) -> c_int {
    boundary(ErrorKind::Internal as c_int, || {
        body().unwrap_or_else(|why| why.kind() as c_int)
    })
}

/// Run the body of an export on what is behind a handle, with no other call inside.
pub(super) fn call<T: Kept>(
    handle: *mut c_void,
    body: impl FnOnce(&mut T) -> Result<c_int, Error>,
) -> c_int {
    boundary(ErrorKind::Internal as c_int, || {
        handles::find(handle.addr())
            .ok_or(ErrorKind::InvalidArgument)
            .and_then(|slot| slot.call(body))
            .unwrap_or_else(|kind| kind as c_int)
    })
}
