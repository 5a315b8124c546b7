//! Errors that a caller gets. Damaged stream content is no error: it is counted in
//! [`Stats`](crate::Stats), and the stream continues.

use std::fmt;

/// The kinds of failure, with the numbers they carry through the C ABI.
///
/// A number is never given a second meaning; a retired one stays reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum ErrorKind {
    /// A defect of this library.
    Internal = -1,
    /// The caller's output buffer cannot hold the output; nothing is lost.
    OutputTooSmall = -2,
    /// An argument or option is out of its range.
    InvalidArgument = -3,
    /// An earlier call on this handle panicked; the handle can only be freed.
    Poisoned = -4,
    /// A codec could not be set up.
    Codec = -5,
    /// The stream was finished before.
    Finished = -6,
    /// Another call on the same handle is under way.
    Busy = -7,
}

/// An error: its kind, and one sentence for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    /// Make an error of the given kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// Return the kind, for programs.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
