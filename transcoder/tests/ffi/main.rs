//! What the header promises to callers, tried from their side of the ABI. The
//! streams hold no audio, so that miri can run this: it cannot call into C.
#![expect(unsafe_code, reason = "this calls a C ABI")]

mod handle;
mod joiner;
mod options;
mod packager;
mod splice;
mod stream;
mod texts;
