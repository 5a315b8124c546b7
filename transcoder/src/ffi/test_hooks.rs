//! Exports for tests of the callers, in no library that is shipped: they bring
//! about what a test could otherwise only hope to catch.
#![expect(unsafe_code, reason = "an exported name is an unsafe attribute")]

use std::ffi::{c_int, c_void};
use std::sync::{Condvar, Mutex, PoisonError};

use super::session::Session;
use super::{boundary, call};

/// What the next `process` of a handle does first, once.
pub(super) enum Action {
    Panic,
    /// Stay inside until [`xg2g_test_release`].
    Hold,
}

impl Action {
    pub(super) fn run(self) {
        match self {
            Self::Panic => panic!("deliberate panic of a test"),
            Self::Hold => hold(),
        }
    }
}

struct Gate {
    held: u32,
    releases: u32,
}

static GATE: Mutex<Gate> = Mutex::new(Gate {
    held: 0,
    releases: 0,
});
static RELEASED: Condvar = Condvar::new();

fn hold() {
    let mut gate = GATE.lock().unwrap_or_else(PoisonError::into_inner);
    gate.held += 1;
    let releases = gate.releases;
    gate = RELEASED
        .wait_while(gate, |gate| gate.releases == releases)
        .unwrap_or_else(PoisonError::into_inner);
    gate.held -= 1;
}

/// The next `process` of the handle panics.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_test_panic(handle: *mut c_void) -> c_int {
    call(handle, |session: &mut Session| {
        session.at_next_process = Some(Action::Panic);
        Ok(0)
    })
}

/// The next `process` of the handle stays inside until `xg2g_test_release`.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_test_hold(handle: *mut c_void) -> c_int {
    call(handle, |session: &mut Session| {
        session.at_next_process = Some(Action::Hold);
        Ok(0)
    })
}

/// How many calls are held inside now.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_test_held() -> u32 {
    boundary(0, || {
        GATE.lock().unwrap_or_else(PoisonError::into_inner).held
    })
}

/// Lets every held call go on.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_test_release() {
    boundary((), || {
        GATE.lock().unwrap_or_else(PoisonError::into_inner).releases += 1;
        RELEASED.notify_all();
    });
}
