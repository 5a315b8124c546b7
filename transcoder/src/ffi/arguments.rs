//! Checks of what a caller gave.

use std::ffi::c_int;

use crate::{Error, ErrorKind};

pub(super) fn invalid(why: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, why)
}

pub(super) fn range(name: &str) -> Error {
    invalid(format!("{name} is out of range"))
}

/// Refuse a buffer that is shorter than what is to be written.
pub(super) fn require(len: usize, capacity: usize) -> Result<(), Error> {
    if len > capacity {
        let why = format!("the output has {len} bytes, the buffer {capacity}");
        return Err(Error::new(ErrorKind::OutputTooSmall, why));
    }
    Ok(())
}

pub(super) fn not_null<T>(pointer: *const T) -> Result<(), Error> {
    if pointer.is_null() {
        return Err(invalid("a pointer is NULL".into()));
    }
    Ok(())
}

/// Return the part of a caller's buffer whose length fits into the returned `int`.
pub(super) fn writable(output: *mut u8, capacity: usize) -> Result<usize, Error> {
    if capacity > 0 {
        not_null(output)?;
    }
    Ok(capacity.min(c_int::MAX as usize))
}
