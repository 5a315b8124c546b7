//! Handles: numbers that are looked up, never pointers that are dereferenced. So a
//! freed or unknown handle is detected, and a free during a call takes effect when the
//! call returns.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use super::packaging::Packaging;
use super::session::Session;
use crate::{Error, ErrorKind, Joiner};

/// What can stand behind a handle.
pub(super) trait Kept: Sized + 'static {
    /// Return the handles of its kind. A handle of another kind is not among them.
    fn handles() -> &'static Handles<Self>;
}

impl Kept for Session {
    fn handles() -> &'static Handles<Self> {
        static HANDLES: Handles<Session> = Handles::new();
        &HANDLES
    }
}

impl Kept for Joiner {
    fn handles() -> &'static Handles<Self> {
        static HANDLES: Handles<Joiner> = Handles::new();
        &HANDLES
    }
}

impl Kept for Packaging {
    fn handles() -> &'static Handles<Self> {
        static HANDLES: Handles<Packaging> = Handles::new();
        &HANDLES
    }
}

/// What stands behind a handle.
pub(super) struct Slot<T> {
    /// Locked by the one call inside. A panic poisons it.
    kept: Mutex<T>,
    last_error: Mutex<String>,
}

/// The handles of one kind that are open.
pub(super) struct Handles<T>(Mutex<BTreeMap<usize, Arc<Slot<T>>>>);

/// The latest handle, of any kind.
static LATEST: AtomicUsize = AtomicUsize::new(0);

impl<T> Handles<T> {
    const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

/// Give a value a handle, which is never 0 and not used again while the process lives, by
/// no kind (on 32 bits: until four thousand million later).
pub(super) fn insert<T: Kept>(kept: T) -> usize {
    let slot = Arc::new(Slot {
        kept: Mutex::new(kept),
        last_error: Mutex::default(),
    });
    let mut slots = lock(&T::handles().0);
    loop {
        let handle = LATEST.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if handle != 0 && !slots.contains_key(&handle) {
            slots.insert(handle, slot);
            return handle;
        }
    }
}

/// Find what stands behind a handle.
pub(super) fn find<T: Kept>(handle: usize) -> Option<Arc<Slot<T>>> {
    lock(&T::handles().0).get(&handle).cloned()
}

/// End a handle. What is behind it is dropped here, or by the call that is inside it.
pub(super) fn remove<T: Kept>(handle: usize) {
    let slot = lock(&T::handles().0).remove(&handle);
    drop(slot);
}

impl<T> Slot<T> {
    /// Run a call on what is behind the handle, alone: `Busy` while another call is inside,
    /// `Poisoned` after one panicked. The text of every other error is kept.
    pub(super) fn call<R>(
        &self,
        body: impl FnOnce(&mut T) -> Result<R, Error>,
    ) -> Result<R, ErrorKind> {
        // What a panic leaves behind is out of reach: its lock is poisoned.
        let outcome = catch_unwind(AssertUnwindSafe(|| match self.kept.try_lock() {
            Ok(mut kept) => body(&mut kept),
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

/// Lock what no panic can leave half changed.
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
