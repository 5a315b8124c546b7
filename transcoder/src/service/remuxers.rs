//! The remuxers of one service: opened within its capacity, used by one call at a time, and
//! freed when deleted, idle for too long, or left by their connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use super::metrics::Metrics;
use super::problem::{Kind, Problem};
use super::sequenced_remuxer::{Call, CallOutput, SequencedRemuxer};
use super::slots::{Slot, Slots};
use super::table::{Id, Table};
use crate::{Options, Stats};

/// Concurrent requests of one remuxer: a call, its retry after a lost connection, and a request
/// for the counters. Each may hold a body.
const MAX_REQUESTS: usize = 3;

/// Inputs up to this size are converted on the event loop: docs/design/transcoder-service.md
/// has the measurements.
const INLINE_BYTES: usize = 8 << 10;

/// Every remuxer of a service.
pub(super) struct Remuxers {
    table: Mutex<Table<Entry>>,
    slots: Slots,
    metrics: Arc<Metrics>,
}

/// A remuxer that is reached by its id.
struct Entry {
    remuxer: SharedRemuxer,
    requests: Arc<Semaphore>,
}

impl Remuxers {
    /// Prepares slots for `capacity` remuxers.
    pub(super) fn new(capacity: usize, metrics: Arc<Metrics>) -> Self {
        Self {
            table: Mutex::new(Table::new()),
            slots: Slots::new(capacity),
            metrics,
        }
    }

    /// Returns the slots.
    pub(super) fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Fails when every remuxer is in use.
    pub(super) fn require_room(&self) -> Result<(), Problem> {
        if self.slots.taken() < self.slots.capacity() {
            return Ok(());
        }
        Err(self.full())
    }

    fn full(&self) -> Problem {
        Problem::new(
            Kind::Full,
            format!(
                "all {} remuxers are in use; retry later, or raise --max-remuxers",
                self.slots.capacity()
            ),
        )
    }

    /// Opens a remuxer for one connection. Dropping it frees it.
    pub(super) fn start(&self, options: Options) -> Result<SharedRemuxer, Problem> {
        let slot = self.slots.take().ok_or_else(|| self.full())?;
        Ok(SharedRemuxer {
            inner: Arc::new(tokio::sync::Mutex::new(Slotted {
                remuxer: SequencedRemuxer::new(options)?,
                _slot: slot,
            })),
            metrics: Arc::clone(&self.metrics),
        })
    }

    /// Opens a remuxer that is used by its id.
    pub(super) fn open(&self, options: Options) -> Result<Id, Problem> {
        let id = Id::random()
            .map_err(|why| Problem::new(Kind::Internal, format!("no random numbers: {why}")))?;
        let entry = Entry {
            remuxer: self.start(options)?,
            requests: Arc::new(Semaphore::new(MAX_REQUESTS)),
        };
        self.lock().insert(id, entry, Instant::now());
        Ok(id)
    }

    /// Returns the remuxer of an id for one request.
    pub(super) fn in_use(self: &Arc<Self>, id: &str) -> Result<RequestGuard, Problem> {
        let id: Id = id.parse().map_err(|_| unknown())?;
        let entry = self.lock().get(id).ok_or_else(unknown)?;
        let permit = Arc::clone(&entry.requests)
            .try_acquire_owned()
            .map_err(|_| {
                Problem::new(
                    Kind::Busy,
                    format!("{MAX_REQUESTS} requests of this remuxer are running; wait for one"),
                )
            })?;
        Ok(RequestGuard {
            remuxers: Arc::clone(self),
            id,
            entry,
            _permit: permit,
        })
    }

    /// Deletes a remuxer. A call that is running still completes.
    pub(super) fn remove(&self, id: &str) -> Result<(), Problem> {
        let id = id.parse().map_err(|_| unknown())?;
        // Dropped after the table is unlocked.
        let removed = self.lock().remove(id);
        removed.map(drop).ok_or_else(unknown)
    }

    /// Frees the remuxers that have been unused for `idle`. Returns their number.
    pub(super) fn reap(&self, idle: Duration) -> usize {
        let reaped = self.lock().reap(idle, Instant::now());
        reaped.len()
    }

    fn lock(&self) -> MutexGuard<'_, Table<Entry>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A remuxer in use by one request.
pub(super) struct RequestGuard {
    remuxers: Arc<Remuxers>,
    id: Id,
    entry: Arc<Entry>,
    _permit: OwnedSemaphorePermit,
}

impl RequestGuard {
    /// Runs call number `seq`, after the calls that are running.
    pub(super) async fn call(&self, seq: u64, call: Call) -> Result<CallOutput, Problem> {
        let slotted = Arc::clone(&self.entry.remuxer.inner).lock_owned().await;
        if !self.remuxers.lock().holds(self.id, &self.entry) {
            return Err(unknown());
        }
        self.entry.remuxer.run(slotted, Some(seq), call).await
    }

    /// Returns the counters so far.
    pub(super) async fn stats(&self) -> Result<Stats, Problem> {
        let slotted = self.entry.remuxer.inner.lock().await;
        slotted.remuxer.stats()
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        // Before the entry is dropped: otherwise it could count as unused since its last request.
        self.remuxers.lock().touch(self.id, Instant::now());
    }
}

/// An open remuxer. Dropping it frees it, after the call that is running.
pub(super) struct SharedRemuxer {
    inner: Arc<tokio::sync::Mutex<Slotted>>,
    metrics: Arc<Metrics>,
}

/// A remuxer with its slot.
struct Slotted {
    remuxer: SequencedRemuxer,
    /// Freed together with the remuxer.
    _slot: Slot,
}

impl SharedRemuxer {
    /// Runs the next call.
    pub(super) async fn call(&self, call: Call) -> Result<CallOutput, Problem> {
        let slotted = Arc::clone(&self.inner).lock_owned().await;
        self.run(slotted, None, call).await
    }

    async fn run(
        &self,
        mut slotted: OwnedMutexGuard<Slotted>,
        seq: Option<u64>,
        call: Call,
    ) -> Result<CallOutput, Problem> {
        let seq = seq.unwrap_or(slotted.remuxer.next());
        if let Some(outcome) = slotted.remuxer.known_outcome(seq, &call) {
            return outcome;
        }
        let metrics = Arc::clone(&self.metrics);
        // The closure owns the guard: a client that leaves does not end the call, and its retry
        // waits for the lock.
        convert(call.input_bytes(), move || {
            let begun = Instant::now();
            let outcome = slotted.remuxer.call(seq, &call);
            metrics.count_call(call.input_bytes(), &outcome, begun.elapsed());
            outcome
        })
        .await?
    }
}

fn unknown() -> Problem {
    Problem::new(
        Kind::NotFound,
        "no such remuxer: never opened, deleted, or idle for too long; open another one",
    )
}

/// Runs a conversion of `input_bytes`: a short one on the event loop, another on one of the
/// blocking threads (see [`runtime`](super::server::runtime)). It runs to its end even when the
/// caller is dropped.
async fn convert<T: Send + 'static>(
    input_bytes: usize,
    conversion: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    if input_bytes <= INLINE_BYTES {
        return Ok(conversion());
    }
    tokio::task::spawn_blocking(conversion)
        .await
        .map_err(|_| Problem::new(Kind::Stopping, "the service is stopping"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[tokio::test]
    async fn a_call_that_waits_while_its_remuxer_is_deleted_is_refused() {
        let metrics = Arc::new(Metrics::new().expect("names are valid"));
        let remuxers = Arc::new(Remuxers::new(1, metrics));
        let id = remuxers
            .open(Options::default())
            .expect("it is free")
            .to_string();
        let guard = remuxers.in_use(&id).expect("it is open");
        let running = Arc::clone(&guard.entry.remuxer.inner).lock_owned().await;
        let waiting = guard.call(0, Call::Process(Bytes::from_static(b"late")));
        let delete = async {
            remuxers.remove(&id).expect("it is open");
            drop(running);
        };
        let (refused, ()) = tokio::join!(waiting, delete);
        assert_eq!(refused.expect_err("it is gone").kind(), Kind::NotFound);
        assert_eq!(remuxers.slots().taken(), 1);
        drop(guard);
        assert_eq!(remuxers.slots().taken(), 0);
    }
}
