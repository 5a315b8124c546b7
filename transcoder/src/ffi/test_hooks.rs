//! Exports for tests of the callers, in no library that is shipped: they bring
//! about what a test could otherwise only hope to catch.
#![expect(unsafe_code, reason = "an exported name is an unsafe attribute")]

use std::ffi::{c_int, c_void};

use super::boundary::{boundary, call};
use super::hold::{self, Action};
use super::session::Session;

/// Let the next `process` of the handle panic.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_test_panic(handle: *mut c_void) -> c_int {
    call(handle, |session: &mut Session| {
        session.at_next_process = Some(Action::Panic);
        Ok(0)
    })
}

/// Let the next `process` of the handle stay inside until `xg2g_test_release`.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_test_hold(handle: *mut c_void) -> c_int {
    call(handle, |session: &mut Session| {
        session.at_next_process = Some(Action::Hold);
        Ok(0)
    })
}

/// Return how many calls are held inside now.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_test_held() -> u32 {
    boundary(0, hold::held)
}

/// Let every held call go on.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_test_release() {
    boundary((), hold::release);
}
