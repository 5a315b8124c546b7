//! A remuxer together with its output, of which nothing is lost when the
//! caller's buffer is too small.
//!
//! ```text
//!            process: output fits
//!          +---------------------+
//!          v                     |
//!       Given -- too large --> Kept -- same input, or finish: not processed again
//!          ^                     |     other input: its output is appended
//!          +------ it fits ------+
//! ```

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{Error, ErrorKind, Options, Point, Remuxer, Stats};

/// Most bytes of output buffer that stay allocated between calls: enough for a
/// second of the fastest broadcast, and a small part of a stream's memory.
const RETAINED_BYTES: usize = 256 << 10;

pub(super) struct Session {
    remuxer: Remuxer,
    output: Vec<u8>,
    state: Output,
    _counted: Counted,
    #[cfg(feature = "test-hooks")]
    pub(super) at_next_process: Option<super::hold::Action>,
}

enum Output {
    /// The caller has it; the next call drops it.
    Given,
    /// It waits. With a mark it is the whole answer to that input.
    Kept(Option<Mark>),
}

/// Length and hash of an input, by which it is recognised when it is offered again.
#[derive(PartialEq, Eq)]
struct Mark {
    len: usize,
    hash: u64,
}

impl Mark {
    fn of(input: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        input.hash(&mut hasher);
        Self {
            len: input.len(),
            hash: hasher.finish(),
        }
    }
}

static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// One session in the count, for as long as its memory is held.
struct Counted;

impl Counted {
    fn new() -> Self {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Return how many sessions there are.
pub(super) fn alive() -> usize {
    ALIVE.load(Ordering::Relaxed)
}

impl Session {
    pub(super) fn new(options: Options) -> Result<Self, Error> {
        Ok(Self {
            remuxer: Remuxer::new(options)?,
            output: Vec::new(),
            state: Output::Given,
            _counted: Counted::new(),
            #[cfg(feature = "test-hooks")]
            at_next_process: None,
        })
    }

    /// Take input and give what is ready, which the next call drops.
    ///
    /// With more output than `capacity` it gives `OutputTooSmall` and keeps the
    /// output. The same input is then answered with it; other input is processed
    /// and answered after it, or, if `capacity` has no room for even the kept
    /// output, refused without being taken.
    pub(super) fn process(&mut self, input: &[u8], capacity: usize) -> Result<&[u8], Error> {
        #[cfg(feature = "test-hooks")]
        if let Some(action) = self.at_next_process.take() {
            action.run();
        }
        self.drop_given();
        let offered_again =
            matches!(&self.state, Output::Kept(Some(mark)) if *mark == Mark::of(input));
        if !offered_again {
            self.require(capacity)?;
            self.state = Output::Kept(None);
            self.remuxer.push(input, &mut self.output)?;
            if self.output.len() > capacity {
                self.state = Output::Kept(Some(Mark::of(input)));
            }
        }
        self.give(capacity)
    }

    /// End the stream and give the rest, with the same care for `capacity`.
    pub(super) fn finish(&mut self, capacity: usize) -> Result<&[u8], Error> {
        self.drop_given();
        self.state = Output::Kept(None);
        self.remuxer.finish(&mut self.output)?;
        self.give(capacity)
    }

    /// Return a capacity that surely holds the kept output, and by estimate that of
    /// `input_len` more bytes: AAC at its highest rate from a radio service, which is all
    /// audio, stays below twice the input and a few frames.
    pub(super) fn capacity_for(&self, input_len: usize) -> usize {
        let kept = match self.state {
            Output::Given => 0,
            Output::Kept(_) => self.output.len(),
        };
        kept.saturating_add(input_len.saturating_mul(2))
            .saturating_add(64 << 10)
    }

    /// Return the oldest point that was not taken.
    pub(super) fn next_point(&self) -> Option<&Point> {
        self.remuxer.next_point()
    }

    /// Take the point that [`next_point`](Self::next_point) shows.
    pub(super) fn take_point(&mut self) {
        self.remuxer.take_point();
    }

    pub(super) fn stats(&self) -> Stats {
        self.remuxer.stats()
    }

    fn drop_given(&mut self) {
        if matches!(self.state, Output::Given) {
            self.output.clear();
            self.output.shrink_to(RETAINED_BYTES);
        }
    }

    fn require(&self, capacity: usize) -> Result<(), Error> {
        if self.output.len() <= capacity {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::OutputTooSmall,
            format!(
                "the output has {} bytes, the buffer {capacity}",
                self.output.len()
            ),
        ))
    }

    fn give(&mut self, capacity: usize) -> Result<&[u8], Error> {
        self.require(capacity)?;
        self.state = Output::Given;
        Ok(&self.output)
    }
}
