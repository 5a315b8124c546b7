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

use super::points::Waiting;
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
pub(super) struct Answer {
    /// What can leave.
    pub(super) output: Bytes,
    /// Points, as the text of their header; empty without any.
    pub(super) points: Bytes,
}

/// One remuxer and the answer to its latest call.
pub(super) struct Session {
    state: State,
    /// Number of the next call.
    next: u64,
    /// Answer to the latest call, and whether that was a `Finish`.
    latest: Option<(bool, Answer)>,
    /// Points for which the latest answer had no room.
    points: Waiting,
}

enum State {
    Streaming(Box<Remuxer>),
    Finished(Box<Remuxer>),
    Broken,
}

impl Session {
    /// Makes the remuxer.
    pub(super) fn new(options: Options) -> Result<Self, Error> {
        Ok(Self {
            state: State::Streaming(Box::new(Remuxer::new(options)?)),
            next: 0,
            latest: None,
            points: Waiting::default(),
        })
    }

    /// Answers call number `seq`, if that takes no conversion: a refusal, or the latest
    /// answer again.
    pub(super) fn answer(&self, seq: u64, call: &Call) -> Option<Result<Answer, Problem>> {
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
    pub(super) fn call(&mut self, seq: u64, call: &Call) -> Result<Answer, Problem> {
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

fn run(state: State, call: &Call, points: &mut Waiting) -> (State, Result<Answer, Problem>) {
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
    let answer = outcome.map(|()| Answer {
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
    points: &mut Waiting,
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
mod tests {
    use super::*;

    /// A clip's first packets: enough that a call has an output.
    const CLIP: &[u8] = include_bytes!("../../../xg2g/simulator/clips/four-radio.ts");

    fn session() -> Session {
        Session::new(Options::default()).expect("the defaults are valid")
    }

    fn piece(n: usize) -> Call {
        const BYTES: usize = 188 * 50;
        Call::Process(Bytes::from_static(&CLIP[n * BYTES..][..BYTES]))
    }

    fn kind(answer: Result<Answer, Problem>) -> Kind {
        answer.expect_err("refused").kind()
    }

    #[test]
    fn the_latest_call_again_gets_the_same_answer_and_is_not_done_twice() {
        let mut session = session();
        let first = session.call(0, &piece(0)).expect("in sequence");
        let second = session.call(1, &piece(1)).expect("in sequence");
        let stats = session.stats().expect("it is whole");
        assert!(!second.output.is_empty());
        assert_eq!(session.call(1, &piece(1)), Ok(second));
        assert_eq!(session.stats(), Ok(stats));
        assert_ne!(session.call(2, &piece(2)), Ok(first));
    }

    #[test]
    fn a_gap_and_an_older_call_are_refused_and_change_nothing() {
        let mut session = session();
        for n in 0..3 {
            session.call(n, &piece(n as usize)).expect("in sequence");
        }
        let stats = session.stats();
        for seq in [0, 1, 4, u64::MAX] {
            assert_eq!(kind(session.call(seq, &piece(0))), Kind::BadSequence);
        }
        assert_eq!(session.stats(), stats);
        assert!(session.call(3, &piece(3)).is_ok());
    }

    #[test]
    fn a_finish_is_not_the_retry_of_a_process_nor_the_other_way_round() {
        let mut session = session();
        session.call(0, &piece(0)).expect("in sequence");
        assert_eq!(kind(session.call(0, &Call::Finish)), Kind::BadSequence);
        session.call(1, &Call::Finish).expect("in sequence");
        assert_eq!(kind(session.call(1, &piece(1))), Kind::Finished);
        assert_eq!(kind(session.call(2, &piece(1))), Kind::Finished);
    }

    #[test]
    fn a_finish_again_gives_the_rest_again_and_a_further_one_nothing() {
        let mut session = session();
        for n in 0..8 {
            session.call(n, &piece(n as usize)).expect("in sequence");
        }
        let rest = session.call(8, &Call::Finish).expect("in sequence");
        assert!(!rest.output.is_empty());
        assert_eq!(session.call(8, &Call::Finish), Ok(rest));
        assert_eq!(session.call(9, &Call::Finish), Ok(Answer::default()));
    }

    /// A radio programme of MP2 at 8 kbit/s, the least there is, without anything in between.
    fn dense_sound(bytes: usize) -> Vec<u8> {
        use crate::ts::clock::Timestamp;
        use crate::ts::packet::{PACKET_BYTES, Pid, packetise};
        use crate::ts::pes::write_audio_pes;
        use std::collections::VecDeque;

        fn section(pid: u16, table: &[u8]) -> [u8; PACKET_BYTES] {
            let mut crc = u32::MAX;
            for byte in table {
                crc ^= u32::from(*byte) << 24;
                for _ in 0..8 {
                    crc = (crc << 1) ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 };
                }
            }
            let [high, low] = pid.to_be_bytes();
            let mut packet = [0xFF; PACKET_BYTES];
            packet[..5].copy_from_slice(&[0x47, 0x40 | high, low, 0x10, 0]);
            packet[5..][..table.len()].copy_from_slice(table);
            packet[5 + table.len()..][..4].copy_from_slice(&crc.to_be_bytes());
            packet
        }
        let pat = [0, 0xB0, 13, 0, 1, 0xC1, 0, 0, 0, 1, 0xE1, 0];
        let pmt = [
            2, 0xB0, 18, 0, 1, 0xC1, 0, 0, 0xE1, 1, 0xF0, 0, 4, 0xE1, 1, 0xF0, 0,
        ];
        let mut stream = [section(0, &pat), section(0x100, &pmt)].concat();
        // ISO/IEC 13818-3: layer II, 8 kbit/s, 24 kHz, mono: 48 bytes for 48 ms, all of them silent.
        let mut frame = [0; 48];
        frame[..4].copy_from_slice(&[0xFF, 0xF5, 0x14, 0xC0]);
        let frames = frame.repeat(40);
        let (mut pes, mut packets, mut pts) = (Vec::new(), VecDeque::new(), 90_000);
        let mut counter = 0;
        while stream.len() < bytes {
            write_audio_pes(Timestamp::new(pts), &frames, &mut pes);
            pts += 40 * 48 * 90;
            packetise(Pid::new(0x101), &pes, false, &mut packets);
            for mut packet in packets.drain(..) {
                packet[3] = packet[3] & 0xF0 | counter;
                counter = (counter + 1) & 0x0F;
                stream.extend_from_slice(&packet);
            }
        }
        stream
    }

    #[test]
    fn minutes_of_sound_in_one_call_are_refused_before_their_answer_is_long() {
        let mut session = session();
        let input = Bytes::from(dense_sound(4 << 20));
        let begun = session.stats().expect("it is whole").bytes_in;
        let refusal = session
            .call(0, &Call::Process(input.clone()))
            .expect_err("too much");
        assert_eq!((begun, refusal.kind()), (0, Kind::TooLarge));
        // The remuxer is freed, and nothing of the answer is kept.
        assert!(matches!(session.state, State::Broken));
        assert!(session.latest.is_none());
        assert_eq!(kind(session.call(0, &Call::Process(input))), Kind::Poisoned);
        assert_eq!(kind(session.call(1, &Call::Finish)), Kind::Poisoned);
    }

    #[test]
    fn the_same_sound_in_small_calls_is_converted_whole() {
        let input = dense_sound(256 << 10);
        let (mut session, mut bytes, mut longest) = (session(), 0, 0);
        for (n, piece) in input.chunks(32 << 10).enumerate() {
            let call = Call::Process(Bytes::copy_from_slice(piece));
            let output = session.call(n as u64, &call).expect("little enough").output;
            bytes += output.len();
            longest = longest.max(output.len());
        }
        // It is as dense as is said.
        assert!(bytes > 20 * input.len(), "{bytes}");
        assert!(longest < (32 << 10) + MAX_GAIN_BYTES, "{longest}");
    }

    #[test]
    fn a_long_call_is_cut_without_a_trace() {
        let input = Bytes::from_static(CLIP);
        let (mut whole, mut cut) = (session(), session());
        let at_once = whole
            .call(0, &Call::Process(input))
            .expect("in sequence")
            .output;
        let mut pieces = Vec::new();
        for (n, piece) in CLIP.chunks(1000).enumerate() {
            let call = Call::Process(Bytes::copy_from_slice(piece));
            pieces.extend_from_slice(&cut.call(n as u64, &call).expect("in sequence").output);
        }
        assert!(CLIP.len() > 2 * SLICE_BYTES);
        assert!(at_once == pieces);
    }

    #[cfg(feature = "test-hooks")]
    #[test]
    fn a_panic_breaks_the_session_and_goes_no_further() {
        let mut session = session();
        let panic = Call::Process(Bytes::from_static(b"xg2g test: panic"));
        assert_eq!(kind(session.call(0, &panic)), Kind::Internal);
        for call in [panic, piece(0), Call::Finish] {
            assert_eq!(kind(session.call(0, &call)), Kind::Poisoned);
            assert_eq!(kind(session.call(1, &call)), Kind::Poisoned);
        }
        assert_eq!(
            session.stats().expect_err("out of reach").kind(),
            Kind::Poisoned
        );
    }
}
