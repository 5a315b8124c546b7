//! Calls that a test makes panic or holds inside.

use std::sync::{Condvar, Mutex, PoisonError};

/// What the next `process` of a handle does first, once.
pub(super) enum Action {
    Panic,
    /// Stay inside until [`release`].
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

/// Return how many calls are held inside now.
pub(super) fn held() -> u32 {
    GATE.lock().unwrap_or_else(PoisonError::into_inner).held
}

/// Let every held call go on.
pub(super) fn release() {
    GATE.lock().unwrap_or_else(PoisonError::into_inner).releases += 1;
    RELEASED.notify_all();
}
