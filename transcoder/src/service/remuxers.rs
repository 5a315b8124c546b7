//! The remuxers of one service: opened within its capacity, used by one call at a time, and
//! given back when deleted, idle for too long, or left by their connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use super::metrics::Metrics;
use super::problem::{Kind, Problem};
use super::sequenced_remuxer::{Call, CallOutput, SequencedRemuxer};
use super::slots::{Slot, Slots};
use super::table::{Id, Table};
use crate::{Options, Stats};

/// Requests of one remuxer at a time: one that works, its retry after a lost connection, and
/// a question for the counters. Each may hold a body.
const MAX_REQUESTS_INSIDE: usize = 3;

/// Inputs up to this size are converted where they arrive: docs/design/transcoder-service.md
/// has the measurements.
const INLINE_BYTES: usize = 8 << 10;

/// Every remuxer of a service.
pub(super) struct Remuxers {
    table: Mutex<Table<Entry>>,
    slots: Slots,
    metrics: Arc<Metrics>,
}

/// A remuxer, and the slot it takes until nobody has it any more.
struct Entry {
    remuxer: SharedRemuxer,
    inside: Arc<Semaphore>,
}

impl Remuxers {
    /// Room for `capacity` remuxers.
    pub(super) fn new(capacity: usize, metrics: Arc<Metrics>) -> Self {
        Self {
            table: Mutex::new(Table::new()),
            slots: Slots::new(capacity),
            metrics,
        }
    }

    /// The room that there is.
    pub(super) fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Refuses when every remuxer is in use.
    pub(super) fn require_room(&self) -> Result<(), Problem> {
        if self.slots.taken() < self.slots.capacity() {
            return Ok(());
        }
        Err(self.full())
    }

    fn full(&self) -> Problem {
        Problem::new(
            Kind::Full,
            format!("all {} remuxers are in use", self.slots.capacity()),
        )
    }

    /// Makes a remuxer for one connection, which is freed when that drops it.
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

    /// Makes a remuxer that is used through its id.
    pub(super) fn open(&self, options: Options) -> Result<Id, Problem> {
        let id = Id::random()
            .map_err(|why| Problem::new(Kind::Internal, format!("no random numbers: {why}")))?;
        let entry = Entry {
            remuxer: self.start(options)?,
            inside: Arc::new(Semaphore::new(MAX_REQUESTS_INSIDE)),
        };
        self.lock().insert(id, entry, Instant::now());
        Ok(id)
    }

    /// Enters the remuxer of an id for one request.
    pub(super) fn enter(self: &Arc<Self>, id: &str) -> Result<RequestGuard, Problem> {
        let id: Id = id.parse().map_err(|_| unknown())?;
        let entry = self.lock().get(id).ok_or_else(unknown)?;
        let permit = Arc::clone(&entry.inside).try_acquire_owned().map_err(|_| {
            Problem::new(
                Kind::Busy,
                format!("{MAX_REQUESTS_INSIDE} requests of this remuxer are under way"),
            )
        })?;
        Ok(RequestGuard {
            remuxers: Arc::clone(self),
            id,
            entry,
            _permit: permit,
        })
    }

    /// Takes a remuxer away; a call inside still completes.
    pub(super) fn remove(&self, id: &str) -> Result<(), Problem> {
        let id = id.parse().map_err(|_| unknown())?;
        // Freed when the table is not locked any more.
        let removed = self.lock().remove(id);
        removed.map(drop).ok_or_else(unknown)
    }

    /// Takes away what nobody has used for `idle`, and says how many.
    pub(super) fn reap(&self, idle: Duration) -> usize {
        let reaped = self.lock().reap(idle, Instant::now());
        reaped.len()
    }

    fn lock(&self) -> MutexGuard<'_, Table<Entry>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request's use of a remuxer.
pub(super) struct RequestGuard {
    remuxers: Arc<Remuxers>,
    id: Id,
    entry: Arc<Entry>,
    _permit: OwnedSemaphorePermit,
}

impl RequestGuard {
    /// Does call number `seq` after those that came before it.
    pub(super) async fn call(&self, seq: u64, call: Call) -> Result<CallOutput, Problem> {
        let slotted = Arc::clone(&self.entry.remuxer.inner).lock_owned().await;
        if !self.remuxers.lock().holds(self.id, &self.entry) {
            return Err(unknown());
        }
        self.entry.remuxer.run(slotted, Some(seq), call).await
    }

    /// The counters so far.
    pub(super) async fn stats(&self) -> Result<Stats, Problem> {
        let slotted = self.entry.remuxer.inner.lock().await;
        slotted.remuxer.stats()
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        // Before the entry is let go, so that it is never unused and long untouched at once.
        self.remuxers.lock().touch(self.id, Instant::now());
    }
}

/// A remuxer that runs. Dropping it frees it, after the call that is inside.
pub(super) struct SharedRemuxer {
    inner: Arc<tokio::sync::Mutex<Slotted>>,
    metrics: Arc<Metrics>,
}

struct Slotted {
    remuxer: SequencedRemuxer,
    /// Given back when the remuxer is freed and not before.
    _slot: Slot,
}

impl SharedRemuxer {
    /// Does the next call.
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
        if let Some(answer) = slotted.remuxer.answer(seq, &call) {
            return answer;
        }
        let metrics = Arc::clone(&self.metrics);
        // The guard goes along: a client that leaves does not end the call, and its retry
        // waits for the answer here.
        convert(call.input_bytes(), move || {
            let begun = Instant::now();
            let answer = slotted.remuxer.call(seq, &call);
            metrics.converted(call.input_bytes(), &answer, begun.elapsed());
            answer
        })
        .await?
    }
}

fn unknown() -> Problem {
    Problem::new(
        Kind::NotFound,
        "no such remuxer: never opened, deleted, or idle for too long; open another",
    )
}

/// Runs a conversion of `input_bytes`, if it is not a short one on a thread for it: one for each
/// core, see [`runtime`](super::server::runtime). It runs to its end even if nobody waits any more.
async fn convert<T: Send + 'static>(
    input_bytes: usize,
    conversion: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    if input_bytes <= INLINE_BYTES {
        return Ok(conversion());
    }
    tokio::task::spawn_blocking(conversion)
        .await
        .map_err(|_| Problem::new(Kind::Stopping, "the service is ending"))
}
