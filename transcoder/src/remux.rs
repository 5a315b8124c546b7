//! The state machine: transport stream in, transport stream out.
//!
//! ```text
//! packet -> waits for the PMT of its program -> route of its PID
//!   Pass   -------------------------------------------------> output
//!   Drop
//!   Pat    -> programs, their PMT PIDs -> routes -----------> output (rewritten for one program)
//!   Pmt    -> tracks, clock PIDs -> routes -> rewritten ----> output
//!   Track  -> track: held, passed or converted; schedule ---> output when due
//! ```
//!
//! Every PCR that leaves is moved back by one constant (see `schedule`).

mod choice;
mod clock;
mod content;
mod converting;
mod opening;
mod outlet;
mod pat;
mod points;
mod program;
mod programs;
mod punctuality;
mod routes;
mod schedule;
mod scrambled_run;
mod seeking;
pub(crate) mod signalling;
mod splice_marks;
mod state;
mod stream;
mod track;
mod track_set;

use opening::Opening;
pub use points::{Point, PointKind};
use stream::Stream;

use crate::ts::packet::Packet;
use crate::ts::sync::Synchroniser;
use crate::{Error, ErrorKind, Options, Stats};

/// A converter of the audio of one transport stream.
///
/// Call [`push`](Self::push) with the stream's bytes in any pieces, then
/// [`finish`](Self::finish) once.
#[derive(Debug)]
pub struct Remuxer {
    sync: Synchroniser,
    /// Until the tables are known.
    opening: Option<Opening>,
    stream: Stream,
    bytes_in: u64,
    bytes_out: u64,
    finished: bool,
}

impl Remuxer {
    /// Make a remuxer; fail when an option is out of its range.
    pub fn new(options: Options) -> Result<Self, Error> {
        options.validate()?;
        Ok(Self {
            sync: Synchroniser::default(),
            opening: Some(Opening::default()),
            stream: Stream::new(options),
            bytes_in: 0,
            bytes_out: 0,
            finished: false,
        })
    }

    /// Take the next bytes of the stream and append what can leave to `output`: whole
    /// packets, often none.
    ///
    /// Stream content is never an error; fails only after [`finish`](Self::finish).
    pub fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), Error> {
        if self.finished {
            return Err(Error::new(ErrorKind::Finished, "push after finish"));
        }
        let before = output.len();
        let (opening, stream) = (&mut self.opening, &mut self.stream);
        self.sync.push(input, |packet| {
            let packet = Packet::new(packet);
            stream.note(packet);
            match opening {
                Some(waiting) => {
                    if waiting.push(packet, stream, output) {
                        *opening = None;
                    }
                }
                None => stream.push(packet, stream.packets, output),
            }
        });
        self.bytes_in += input.len() as u64;
        self.bytes_out += (output.len() - before) as u64;
        Ok(())
    }

    /// End the stream and append what was still held. Further calls do nothing.
    pub fn finish(&mut self, output: &mut Vec<u8>) -> Result<(), Error> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        let before = output.len();
        let (opening, stream) = (&mut self.opening, &mut self.stream);
        self.sync.finish(|packet| {
            let packet = Packet::new(packet);
            stream.note(packet);
            match opening {
                Some(waiting) => {
                    waiting.push(packet, stream, output);
                }
                None => stream.push(packet, stream.packets, output),
            }
        });
        if let Some(mut waiting) = opening.take() {
            waiting.end(stream, output);
        }
        stream.finish(output);
        self.bytes_out += (output.len() - before) as u64;
        Ok(())
    }

    /// Return the oldest point that was not taken yet, in the order in which they became
    /// known.
    ///
    /// A point may lie before what the last call gave: whether a decoder can begin with a
    /// picture is known only once its first slice has left. With 1024 points not taken the
    /// oldest are forgotten.
    pub fn next_point(&self) -> Option<&Point> {
        self.stream.points.next()
    }

    /// Take the point that [`next_point`](Self::next_point) shows.
    pub fn take_point(&mut self) -> Option<Point> {
        self.stream.points.take()
    }

    /// Return the counters so far.
    pub fn stats(&self) -> Stats {
        Stats {
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            resyncs: self.sync.resyncs(),
            bytes_skipped: self.sync.bytes_skipped(),
            ..self.stream.stats()
        }
    }
}
