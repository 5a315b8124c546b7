//! What is followed of each PID of the output.

use super::found::Beginning;
use super::scrambled::{Bareness, ScrambledRun};
use crate::ts::continuity::SourceCounter;
use crate::ts::packet::Pid;
use crate::ts::pes::PesReader;
use crate::ts::scrambling::Scrambling;
use crate::ts::video::VideoCodec;

/// Video that players choose.
#[derive(Debug)]
pub(super) struct Video {
    pub(super) pid: Pid,
    pub(super) program: u16,
    pub(super) codec: VideoCodec,
    pub(super) counter: SourceCounter,
    pub(super) pes: PesReader,
    pub(super) head: Option<Head>,
    pub(super) scrambling: Scrambling,
    pub(super) bareness: Bareness,
    pub(super) run: ScrambledRun,
}

/// The beginning of a picture that is being looked at.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) at: Beginning,
    pub(super) random_access_indicator: bool,
    pub(super) bytes: Vec<u8>,
}

/// A track that is audio.
#[derive(Debug)]
pub(super) struct Sound {
    pub(super) pid: Pid,
    pub(super) program: u16,
    pub(super) is_heard: bool,
    pub(super) scrambling: Scrambling,
    pub(super) run: ScrambledRun,
}

/// Text, data, a second picture, sound that is not known to be any.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) pid: Pid,
    pub(super) program: u16,
    /// Whether the PMT announces PES packets. Sections may begin with any bytes, so for them
    /// clear scrambling bits are trusted.
    pub(super) carries_pes: bool,
    pub(super) scrambling: Scrambling,
}

impl Video {
    pub(super) fn new(pid: Pid, program: u16, codec: VideoCodec) -> Self {
        Self {
            pid,
            program,
            codec,
            counter: SourceCounter::default(),
            pes: PesReader::default(),
            head: None,
            scrambling: Scrambling::default(),
            bareness: Bareness::default(),
            run: ScrambledRun::default(),
        }
    }
}

impl Sound {
    pub(super) fn new(pid: Pid, program: u16) -> Self {
        Self {
            pid,
            program,
            is_heard: false,
            scrambling: Scrambling::default(),
            run: ScrambledRun::default(),
        }
    }
}

impl Other {
    pub(super) fn new(pid: Pid, carries_pes: bool) -> Self {
        Self {
            pid,
            program: 0,
            carries_pes,
            scrambling: Scrambling::default(),
        }
    }
}
