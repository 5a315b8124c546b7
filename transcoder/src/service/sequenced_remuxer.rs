//! A remuxer whose calls are numbered: each call runs once, however often it arrives.
//!
//! ```text
//!          process: push                      process: Finished
//!            +------+                             +------+
//!            v      |     finish                  v      |
//!          Streaming ------------------------> Finished --+ finish: nothing more
//!              |                                  |
//!              '--- a panic, or too much sound ---+--> Broken: Poisoned
//! ```
//!
//! Calls are counted from 0; refused calls do not count. Repeating the latest call returns the
//! same output.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;

use super::points::PointQueue;
use super::problem::{Kind, Problem};
use crate::{Error, Options, Remuxer, Stats};

/// Input that is converted between two checks of the output's length.
const SLICE_BYTES: usize = 16 << 10;

/// How much longer than its input an output may be: three minutes of stereo at the default bit
/// rate, and less than a second of work. Audio of 8 kbit/s, packed without a pause, becomes 26 times
/// as long: a request of some megabytes could hold an hour of it. A live stream's chunk has a second
/// of audio, and the input gathered during an outage half a minute.
const MAX_GAIN_BYTES: usize = 4 << 20;

/// A call as it arrives.
#[derive(Debug, Clone)]
pub(super) enum Call {
    /// Convert the next bytes of the stream.
    Process(Bytes),
    /// End the stream.
    Finish,
}

impl Call {
    /// Returns the number of bytes that the call brings.
    pub(super) fn input_bytes(&self) -> usize {
        match self {
            Self::Process(input) => input.len(),
            Self::Finish => 0,
        }
    }
}

/// The output of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CallOutput {
    /// The bytes of the stream that are ready.
    pub(super) bytes: Bytes,
    /// The points as the text of their header; empty without any.
    pub(super) points: Bytes,
}

/// One remuxer and the output of its latest call.
pub(super) struct SequencedRemuxer {
    state: State,
    /// Number of the next call.
    next: u64,
    /// Whether the latest call was a `Finish`, and its output.
    latest: Option<(bool, CallOutput)>,
    /// Points that did not fit into the latest response.
    points: PointQueue,
}

enum State {
    Streaming(Box<Remuxer>),
    Finished(Box<Remuxer>),
    Broken,
}

impl SequencedRemuxer {
    /// Creates the remuxer.
    pub(super) fn new(options: Options) -> Result<Self, Error> {
        Ok(Self {
            state: State::Streaming(Box::new(Remuxer::new(options)?)),
            next: 0,
            latest: None,
            points: PointQueue::default(),
        })
    }

    /// Returns the outcome of call number `seq` if it takes no conversion: a refusal, or the
    /// output of the latest call.
    pub(super) fn known_outcome(
        &self,
        seq: u64,
        call: &Call,
    ) -> Option<Result<CallOutput, Problem>> {
        let finishes = matches!(call, Call::Finish);
        match (&self.state, &self.latest) {
            (State::Broken, _) => Some(Err(poisoned())),
            (State::Finished(_), _) if !finishes => Some(Err(Problem::new(
                Kind::Finished,
                "the stream is finished; open another remuxer",
            ))),
            _ if seq == self.next => None,
            (_, Some((was_finish, output)))
                if self.next.checked_sub(1) == Some(seq) && *was_finish == finishes =>
            {
                Some(Ok(output.clone()))
            }
            _ => Some(Err(self.out_of_sequence(seq))),
        }
    }

    /// Runs call number `seq`, or returns its [`known_outcome`](Self::known_outcome). A panic
    /// breaks this remuxer and is not propagated.
    pub(super) fn call(&mut self, seq: u64, call: &Call) -> Result<CallOutput, Problem> {
        if let Some(outcome) = self.known_outcome(seq, call) {
            return outcome;
        }
        // A panic leaves Broken behind: a remuxer that changed half-way is never used again.
        let state = std::mem::replace(&mut self.state, State::Broken);
        let points = &mut self.points;
        let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| run(state, call, points))) else {
            self.latest = None;
            return Err(Problem::new(
                Kind::Internal,
                "a bug in the remuxer ended this stream; open another remuxer",
            ));
        };
        let (state, output) = outcome;
        self.state = state;
        if matches!(self.state, State::Broken) {
            self.latest = None;
        }
        let output = output?;
        self.next += 1;
        self.latest = Some((matches!(call, Call::Finish), output.clone()));
        Ok(output)
    }

    /// Returns the number of the next call.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Returns the counters so far.
    pub(super) fn stats(&self) -> Result<Stats, Problem> {
        match &self.state {
            State::Streaming(remuxer) | State::Finished(remuxer) => Ok(remuxer.stats()),
            State::Broken => Err(poisoned()),
        }
    }

    fn out_of_sequence(&self, seq: u64) -> Problem {
        let next = self.next;
        let again = match (&self.latest, next.checked_sub(1)) {
            (Some((true, _)), Some(last)) => format!(", or repeat finish {last}"),
            (Some((false, _)), Some(last)) => format!(", or repeat process {last}"),
            _ => String::new(),
        };
        Problem::new(
            Kind::BadSequence,
            format!("seq {seq} is out of sequence; use {next} for the next call{again}"),
        )
    }
}

fn run(state: State, call: &Call, points: &mut PointQueue) -> (State, Result<CallOutput, Problem>) {
    let mut output = Vec::new();
    let (state, outcome) = match (state, call) {
        (State::Streaming(mut remuxer), Call::Process(input)) => {
            #[cfg(feature = "test-hooks")]
            super::test_hooks::obey(input);
            match push_bounded(&mut remuxer, input, &mut output, points) {
                Err(why) if why.kind() == Kind::TooLarge => (State::Broken, Err(why)),
                outcome => (State::Streaming(remuxer), outcome),
            }
        }
        (State::Finished(mut remuxer), Call::Process(input)) => {
            let outcome = remuxer.push(input, &mut output).map_err(Problem::from);
            (State::Finished(remuxer), outcome)
        }
        (State::Streaming(mut remuxer) | State::Finished(mut remuxer), Call::Finish) => {
            let outcome = remuxer.finish(&mut output).map_err(Problem::from);
            points.collect(&mut remuxer);
            (State::Finished(remuxer), outcome)
        }
        (State::Broken, _) => (State::Broken, Ok(())),
    };
    // The output is kept until the next call: without the spare capacity of the vector.
    output.shrink_to_fit();
    let output = outcome.map(|()| CallOutput {
        bytes: Bytes::from(output),
        points: points.take(),
    });
    (state, output)
}

/// Converts slice by slice, and fails when the output becomes too long. The conversion cannot be
/// undone, so the remuxer is of no use afterwards.
fn push_bounded(
    remuxer: &mut Remuxer,
    input: &[u8],
    output: &mut Vec<u8>,
    points: &mut PointQueue,
) -> Result<(), Problem> {
    let longest = input.len() + MAX_GAIN_BYTES;
    for slice in input.chunks(SLICE_BYTES) {
        remuxer.push(slice, output)?;
        // A remuxer keeps a thousand points and drops the oldest.
        points.collect(remuxer);
        if output.len() > longest {
            return Err(Problem::new(
                Kind::TooLarge,
                "the body has minutes of audio; open another remuxer and send smaller bodies",
            ));
        }
    }
    // An empty body is a call as well.
    if input.is_empty() {
        remuxer.push(input, output)?;
    }
    Ok(())
}

fn poisoned() -> Problem {
    Problem::new(
        Kind::Poisoned,
        "an earlier call of this remuxer failed; open another one",
    )
}

#[cfg(test)]
mod tests;
