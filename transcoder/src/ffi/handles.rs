//! Handles: numbers that are looked up, never pointers that are followed. So a
//! handle that was freed, freed twice or never given out is recognised, and a
//! free during a call takes effect when the call returns.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use super::session::Session;
use crate::{Error, ErrorKind};

/// What stands behind a handle.
pub(super) struct Slot {
    /// Locked by the one call inside. A panic poisons it.
    session: Mutex<Session>,
    last_error: Mutex<String>,
}

struct Handles {
    slots: BTreeMap<usize, Arc<Slot>>,
    latest: usize,
}

static HANDLES: Mutex<Handles> = Mutex::new(Handles {
    slots: BTreeMap::new(),
    latest: 0,
});

/// Gives a session a handle, which is never 0 and not used again while the
/// process lives (on 32 bits: until four thousand million later).
pub(super) fn insert(session: Session) -> usize {
    let slot = Arc::new(Slot {
        session: Mutex::new(session),
        last_error: Mutex::default(),
    });
    let mut handles = lock(&HANDLES);
    loop {
        handles.latest = handles.latest.wrapping_add(1);
        let handle = handles.latest;
        if handle != 0 && !handles.slots.contains_key(&handle) {
            handles.slots.insert(handle, slot);
            return handle;
        }
    }
}

/// Finds what stands behind a handle.
pub(super) fn find(handle: usize) -> Option<Arc<Slot>> {
    lock(&HANDLES).slots.get(&handle).cloned()
}

/// Ends a handle. The session is dropped here, or by the call that is inside it.
pub(super) fn remove(handle: usize) {
    let slot = lock(&HANDLES).slots.remove(&handle);
    drop(slot);
}

impl Slot {
    /// Runs a call on the session, alone: `Busy` while another call is inside,
    /// `Poisoned` after one panicked. The text of every other error is kept.
    pub(super) fn call<T>(
        &self,
        body: impl FnOnce(&mut Session) -> Result<T, Error>,
    ) -> Result<T, ErrorKind> {
        // The session that a panic leaves behind is out of reach: its lock is poisoned.
        let outcome = catch_unwind(AssertUnwindSafe(|| match self.session.try_lock() {
            Ok(mut session) => body(&mut session),
            Err(TryLockError::WouldBlock) => Err(Error::new(ErrorKind::Busy, "")),
            Err(TryLockError::Poisoned(_)) => Err(Error::new(ErrorKind::Poisoned, "")),
        }));
        let error = match outcome {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(panic) => Error::new(ErrorKind::Internal, panic_text(&*panic)),
        };
        if !matches!(error.kind(), ErrorKind::Busy | ErrorKind::Poisoned) {
            *lock(&self.last_error) = error.to_string();
        }
        Err(error.kind())
    }

    pub(super) fn last_error(&self) -> String {
        lock(&self.last_error).clone()
    }
}

/// Locks what no panic can leave half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("defect: {}", text.unwrap_or("a panic without a text"))
}
