//! Inputs that make a call misbehave. Compiled for tests alone.

use std::thread::sleep;
use std::time::Duration;

/// Panics or takes its time when the input asks for it.
pub(super) fn obey(input: &[u8]) {
    match input {
        b"xg2g test: panic" => panic!("asked to panic"),
        b"xg2g test: take 300 ms" => sleep(Duration::from_millis(300)),
        _ => {}
    }
}
