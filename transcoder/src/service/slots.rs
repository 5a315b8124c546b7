//! How many remuxers there may be, and are.

use std::sync::Arc;

use tokio::sync::watch;

/// Room for remuxers.
pub(super) struct Slots {
    capacity: usize,
    taken: Arc<watch::Sender<usize>>,
}

/// One remuxer's slot, which dropping it gives back.
pub(super) struct Slot(Arc<watch::Sender<usize>>);

impl Slots {
    /// Room for so many.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            taken: Arc::new(watch::Sender::new(0)),
        }
    }

    /// How many may be.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many are.
    pub(super) fn taken(&self) -> usize {
        *self.taken.borrow()
    }

    /// Takes a slot, if there is one.
    pub(super) fn take(&self) -> Option<Slot> {
        let took = self.taken.send_if_modified(|taken| {
            let free = *taken < self.capacity;
            *taken += usize::from(free);
            free
        });
        took.then(|| Slot(Arc::clone(&self.taken)))
    }

    /// Waits until none is taken.
    pub(super) async fn empty(&self) {
        // Fails when the sender is gone, which is here.
        let _ = self.taken.subscribe().wait_for(|taken| *taken == 0).await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.send_modify(|taken| *taken -= 1);
    }
}
