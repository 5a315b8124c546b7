//! The maximum number of remuxers, and how many are open.

use std::sync::Arc;

use tokio::sync::watch;

/// Slots for remuxers.
pub(super) struct Slots {
    capacity: usize,
    taken: Arc<watch::Sender<usize>>,
}

/// The slot of one remuxer. Dropping it frees the slot.
pub(super) struct Slot(Arc<watch::Sender<usize>>);

impl Slots {
    /// Returns `capacity` free slots.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            taken: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Returns the number of slots.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the number of slots that are taken.
    pub(super) fn taken(&self) -> usize {
        *self.taken.borrow()
    }

    /// Takes a slot; `None` when all are taken.
    pub(super) fn take(&self) -> Option<Slot> {
        let took = self.taken.send_if_modified(|taken| {
            let free = *taken < self.capacity;
            *taken += usize::from(free);
            free
        });
        took.then(|| Slot(Arc::clone(&self.taken)))
    }

    /// Waits until no slot is taken.
    pub(super) async fn empty(&self) {
        // Fails only when the sender is gone, and self holds it.
        let _ = self.taken.subscribe().wait_for(|taken| *taken == 0).await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.send_modify(|taken| *taken -= 1);
    }
}
