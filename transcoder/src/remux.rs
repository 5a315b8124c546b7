//! The state machine: transport stream in, transport stream out.

use crate::{Error, ErrorKind, Options, Stats};

/// Converts the audio of one transport stream.
///
/// Call [`push`](Self::push) with the stream's bytes in any pieces, then
/// [`finish`](Self::finish) once.
#[derive(Debug)]
pub struct Remuxer {
    #[expect(dead_code)]
    options: Options,
    stats: Stats,
    finished: bool,
}

impl Remuxer {
    /// Makes a remuxer; fails when an option is out of its range.
    pub fn new(options: Options) -> Result<Self, Error> {
        options.validate()?;
        Ok(Self {
            options,
            stats: Stats::default(),
            finished: false,
        })
    }

    /// Takes the next bytes of the stream and appends what can leave to `output`.
    ///
    /// Stream content is never an error; fails only after [`finish`](Self::finish).
    pub fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), Error> {
        if self.finished {
            return Err(Error::new(ErrorKind::Finished, "push after finish"));
        }
        self.stats.bytes_in += input.len() as u64;
        self.stats.bytes_out += input.len() as u64;
        output.extend_from_slice(input);
        Ok(())
    }

    /// Ends the stream and appends what was still held. Further calls do nothing.
    pub fn finish(&mut self, _output: &mut Vec<u8>) -> Result<(), Error> {
        self.finished = true;
        Ok(())
    }

    /// The counters so far.
    pub fn stats(&self) -> Stats {
        self.stats.clone()
    }
}
