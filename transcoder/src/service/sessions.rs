//! The remuxers of one service: opened within its capacity, used by one call at a time, and
//! given back when deleted, idle for too long, or left by their connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use super::metrics::Metrics;
use super::places::{Place, Places};
use super::problem::{Kind, Problem};
use super::session::{Answer, Call, Session};
use super::table::{Id, Table};
use super::work;
use crate::{Options, Stats};

/// Requests of one remuxer at a time: one that works, its retry after a lost connection, and
/// a question for the counters. Each may hold a body.
const MAX_REQUESTS_INSIDE: usize = 3;

/// Every remuxer of a service.
pub(super) struct Sessions {
    table: Mutex<Table<Entry>>,
    places: Places,
    metrics: Arc<Metrics>,
}

/// A remuxer, and the place it takes until nobody has it any more.
struct Entry {
    running: Running,
    inside: Arc<Semaphore>,
}

impl Sessions {
    /// Room for `capacity` remuxers.
    pub(super) fn new(capacity: usize, metrics: Arc<Metrics>) -> Self {
        Self {
            table: Mutex::new(Table::new()),
            places: Places::new(capacity),
            metrics,
        }
    }

    /// The room that there is.
    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// Refuses when every remuxer is in use.
    pub(super) fn require_room(&self) -> Result<(), Problem> {
        if self.places.taken() < self.places.capacity() {
            return Ok(());
        }
        Err(self.full())
    }

    fn full(&self) -> Problem {
        Problem::new(
            Kind::Full,
            format!("all {} remuxers are in use", self.places.capacity()),
        )
    }

    /// Makes a remuxer for one connection, which is freed when that drops it.
    pub(super) fn start(&self, options: Options) -> Result<Running, Problem> {
        let place = self.places.take().ok_or_else(|| self.full())?;
        Ok(Running {
            session: Arc::new(tokio::sync::Mutex::new(Seat {
                session: Session::new(options)?,
                _place: place,
            })),
            metrics: Arc::clone(&self.metrics),
        })
    }

    /// Makes a remuxer that is used through its id.
    pub(super) fn open(&self, options: Options) -> Result<Id, Problem> {
        let id = Id::random()
            .map_err(|why| Problem::new(Kind::Internal, format!("no random numbers: {why}")))?;
        let entry = Entry {
            running: self.start(options)?,
            inside: Arc::new(Semaphore::new(MAX_REQUESTS_INSIDE)),
        };
        self.lock().insert(id, entry, Instant::now());
        Ok(id)
    }

    /// Enters the remuxer of an id for one request.
    pub(super) fn enter(self: &Arc<Self>, id: &str) -> Result<Visit, Problem> {
        let id: Id = id.parse().map_err(|_| unknown())?;
        let entry = self.lock().get(id).ok_or_else(unknown)?;
        let permit = Arc::clone(&entry.inside).try_acquire_owned().map_err(|_| {
            Problem::new(
                Kind::Busy,
                format!("{MAX_REQUESTS_INSIDE} requests of this remuxer are under way"),
            )
        })?;
        Ok(Visit {
            sessions: Arc::clone(self),
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
pub(super) struct Visit {
    sessions: Arc<Sessions>,
    id: Id,
    entry: Arc<Entry>,
    _permit: OwnedSemaphorePermit,
}

impl Visit {
    /// Does call number `seq` after those that came before it.
    pub(super) async fn call(&self, seq: u64, call: Call) -> Result<Answer, Problem> {
        let seat = Arc::clone(&self.entry.running.session).lock_owned().await;
        if !self.sessions.lock().holds(self.id, &self.entry) {
            return Err(unknown());
        }
        self.entry.running.run(seat, Some(seq), call).await
    }

    /// The counters so far.
    pub(super) async fn stats(&self) -> Result<Stats, Problem> {
        let seat = self.entry.running.session.lock().await;
        seat.session.stats()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        // Before the entry is let go, so that it is never unused and long untouched at once.
        self.sessions.lock().touch(self.id, Instant::now());
    }
}

/// A remuxer that runs. Dropping it frees it, after the call that is inside.
pub(super) struct Running {
    session: Arc<tokio::sync::Mutex<Seat>>,
    metrics: Arc<Metrics>,
}

struct Seat {
    session: Session,
    /// Given back when the remuxer is freed and not before.
    _place: Place,
}

impl Running {
    /// Does the next call.
    pub(super) async fn call(&self, call: Call) -> Result<Answer, Problem> {
        let seat = Arc::clone(&self.session).lock_owned().await;
        self.run(seat, None, call).await
    }

    async fn run(
        &self,
        mut seat: OwnedMutexGuard<Seat>,
        seq: Option<u64>,
        call: Call,
    ) -> Result<Answer, Problem> {
        let seq = seq.unwrap_or(seat.session.next());
        if let Some(answer) = seat.session.answer(seq, &call) {
            return answer;
        }
        let metrics = Arc::clone(&self.metrics);
        // The guard goes along: a client that leaves does not end the call, and its retry
        // waits for the answer here.
        work::convert(call.input_bytes(), move || {
            let begun = Instant::now();
            let answer = seat.session.call(seq, &call);
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
