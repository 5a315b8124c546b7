//! The calls of one remuxer in their order: each is done once, however often it arrives.
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
//! Calls are counted from 0, refused ones not. The latest one again gets the same answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;

use super::points::PointQueue;
use super::problem::{Kind, Problem};
use crate::{Error, Options, Remuxer, Stats};

/// Input that is converted between two looks at what has become of it.
const SLICE_BYTES: usize = 16 << 10;

/// An answer may be so much longer than its input: three minutes of stereo at the default bit rate,
/// and less than a second of work. Sound of 8 kbit/s, packed without a pause, becomes 26 times as
/// long as it was: a request of some megabytes would be an hour of it. A live stream's chunk has a
/// second, and what is gathered while a transcoder is away half a minute.
const MAX_GAIN_BYTES: usize = 4 << 20;

/// A call as it arrives.
#[derive(Debug, Clone)]
pub(super) enum Call {
    /// Take the next bytes of the stream.
    Process(Bytes),
    /// End the stream.
    Finish,
}

impl Call {
    /// Bytes that it brings.
    pub(super) fn input_bytes(&self) -> usize {
        match self {
            Self::Process(input) => input.len(),
            Self::Finish => 0,
        }
    }
}

/// What a call gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CallOutput {
    /// What can leave.
    pub(super) output: Bytes,
    /// Points, as the text of their header; empty without any.
    pub(super) points: Bytes,
}

/// One remuxer and the answer to its latest call.
pub(super) struct SequencedRemuxer {
    state: State,
    /// Number of the next call.
    next: u64,
    /// CallOutput to the latest call, and whether that was a `Finish`.
    latest: Option<(bool, CallOutput)>,
    /// Points for which the latest answer had no room.
    points: PointQueue,
}

enum State {
    Streaming(Box<Remuxer>),
    Finished(Box<Remuxer>),
    Broken,
}

impl SequencedRemuxer {
    /// Makes the remuxer.
    pub(super) fn new(options: Options) -> Result<Self, Error> {
        Ok(Self {
            state: State::Streaming(Box::new(Remuxer::new(options)?)),
            next: 0,
            latest: None,
            points: PointQueue::default(),
        })
    }

    /// Answers call number `seq`, if that takes no conversion: a refusal, or the latest
    /// answer again.
    pub(super) fn answer(&self, seq: u64, call: &Call) -> Option<Result<CallOutput, Problem>> {
        let finishes = matches!(call, Call::Finish);
        match (&self.state, &self.latest) {
            (State::Broken, _) => Some(Err(poisoned())),
            (State::Finished(_), _) if !finishes => Some(Err(Problem::new(
                Kind::Finished,
                "the stream was finished; open another remuxer",
            ))),
            _ if seq == self.next => None,
            (_, Some((was_finish, answer)))
                if self.next.checked_sub(1) == Some(seq) && *was_finish == finishes =>
            {
                Some(Ok(answer.clone()))
            }
            _ => Some(Err(self.out_of_sequence(seq))),
        }
    }

    /// Does call number `seq`, or answers it as [`answer`](Self::answer) does. A panic
    /// breaks this session and goes no further.
    pub(super) fn call(&mut self, seq: u64, call: &Call) -> Result<CallOutput, Problem> {
        if let Some(answer) = self.answer(seq, call) {
            return answer;
        }
        // A panic leaves Broken behind, so nothing half changed is met again.
        let state = std::mem::replace(&mut self.state, State::Broken);
        let points = &mut self.points;
        let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| run(state, call, points))) else {
            self.latest = None;
            return Err(Problem::new(
                Kind::Internal,
                "a defect in the remuxer ended this stream; open another remuxer",
            ));
        };
        let (state, answer) = outcome;
        self.state = state;
        if matches!(self.state, State::Broken) {
            self.latest = None;
        }
        let answer = answer?;
        self.next += 1;
        self.latest = Some((matches!(call, Call::Finish), answer.clone()));
        Ok(answer)
    }

    /// Number of the next call.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The counters so far.
    pub(super) fn stats(&self) -> Result<Stats, Problem> {
        match &self.state {
            State::Streaming(remuxer) | State::Finished(remuxer) => Ok(remuxer.stats()),
            State::Broken => Err(poisoned()),
        }
    }

    fn out_of_sequence(&self, seq: u64) -> Problem {
        let next = self.next;
        let again = match (&self.latest, next.checked_sub(1)) {
            (Some((true, _)), Some(last)) => format!(", or finish {last} again"),
            (Some((false, _)), Some(last)) => format!(", or process {last} again"),
            _ => String::new(),
        };
        Problem::new(
            Kind::BadSequence,
            format!("seq {seq} is out of sequence: the next call is {next}{again}"),
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
    // The answer is kept until the next call: without the room that the vector had to spare.
    output.shrink_to_fit();
    let answer = outcome.map(|()| CallOutput {
        output: Bytes::from(output),
        points: points.take(),
    });
    (state, answer)
}

/// Converts piece by piece, and stops where the answer has become too long: what was converted
/// cannot be taken back, so that the remuxer is of no use any more.
fn push_bounded(
    remuxer: &mut Remuxer,
    input: &[u8],
    output: &mut Vec<u8>,
    points: &mut PointQueue,
) -> Result<(), Problem> {
    let longest = input.len() + MAX_GAIN_BYTES;
    for slice in input.chunks(SLICE_BYTES) {
        remuxer.push(slice, output)?;
        // A remuxer forgets the oldest of a thousand.
        points.collect(remuxer);
        if output.len() > longest {
            return Err(Problem::new(
                Kind::TooLarge,
                "the body has minutes of sound; send it in smaller ones, with another remuxer",
            ));
        }
    }
    // An empty call is one, too.
    if input.is_empty() {
        remuxer.push(input, output)?;
    }
    Ok(())
}

fn poisoned() -> Problem {
    Problem::new(
        Kind::Poisoned,
        "an earlier call of this remuxer failed; open another",
    )
}

#[cfg(test)]
mod tests;
