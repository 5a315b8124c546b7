//! What is known of the elementary stream of a track.
//!
//! ```text
//!  named as audio            a header was found              another coding, nothing
//!  ---> Probing ------------------------------> Converting --------------------.
//!         |                                        ^                           |
//!         | AAC already, nothing found,            | a coding was proven       |
//!         | scrambled for long                     |                           v
//!         '--------------------------------> Seeking <------> Passing <--------'
//!  ---------------------------------------------^       AAC already, scrambled,
//!  not named, or nothing that is decoded                refused by the decoder
//! ```

use std::mem;

use super::converting::Converting;
use super::outlet::PacketBytes;
use super::seeking::Seeking;
use super::signalling::DeclaredAudio;
use crate::TrackState;
use crate::audio::Codec;
use crate::audio::access_unit::Lost;
use crate::audio::counts::Counts;
use crate::audio::sniff::Sniffer;

/// What is known, and what is held until more is.
#[derive(Debug)]
pub(super) enum State {
    /// Named as audio; nothing is known yet. Packets are held.
    Probing(Box<Probing>),
    Converting(Box<Converting>),
    /// Packets leave, except those that look like the beginning of a frame.
    Seeking(Box<Seeking>),
    Passing(Reason),
    Dropped,
}

#[derive(Debug)]
pub(super) struct Probing {
    pub(super) sniffer: Sniffer,
    pub(super) held: Vec<PacketBytes>,
}

/// Why packets pass untouched, and what may end that.
#[derive(Debug)]
pub(super) enum Reason {
    /// It is AAC in ADTS. Counts PES packets that do not look it.
    Aac { foreign_pes: u8 },
    /// It is scrambled; `inside` its PES packets if these begin clear.
    Scrambled { inside: bool },
    /// The coding is known and the decoder refuses all of it.
    Undecodable,
}

impl State {
    /// Return where a track begins of which nothing is known but its declaration.
    pub(super) fn beginning(declared: DeclaredAudio) -> Self {
        if declared.is_named && declared.codec.is_some() {
            return Self::Probing(Box::new(Probing {
                sniffer: Sniffer::new(declared.codec),
                held: Vec::new(),
            }));
        }
        let reported = if declared.is_named {
            TrackState::Unsupported
        } else {
            TrackState::Waiting
        };
        Self::Seeking(Box::new(Seeking::new(declared, reported)))
    }

    /// Return whether it was left out because another track was chosen.
    pub(super) fn is_dropped(&self) -> bool {
        matches!(self, Self::Dropped)
    }

    pub(super) fn is_converting(&self) -> bool {
        matches!(self, Self::Converting(_))
    }

    /// Return whether the PMT promises AAC and none has been found to pass.
    pub(super) fn is_promised(&self) -> bool {
        matches!(self, Self::Probing(_) | Self::Converting(_))
    }

    /// Return whether it passes because it is scrambled.
    pub(super) fn passes_scrambled(&self) -> bool {
        matches!(self, Self::Passing(Reason::Scrambled { .. }))
    }

    /// Return the coding found in the elementary stream, if any.
    pub(super) fn codec(&self) -> Option<Codec> {
        match self {
            Self::Converting(converting) => converting.conversion.counts().codec,
            Self::Passing(Reason::Aac { .. }) => Some(Codec::AacAdts),
            _ => None,
        }
    }

    /// Return whether sound waits in its encoder for more to come.
    pub(super) fn holds_sound(&self) -> bool {
        match self {
            Self::Converting(converting) => converting.conversion.next_due().is_some(),
            _ => false,
        }
    }

    /// Return what is reported, and what the conversion under way did.
    pub(super) fn stats(&self) -> (TrackState, Counts) {
        let reported = match self {
            Self::Converting(converting) => {
                return (TrackState::Converting, converting.conversion.counts());
            }
            Self::Probing(_) => TrackState::Waiting,
            Self::Seeking(seeking) => seeking.reported,
            Self::Passing(Reason::Aac { .. }) => TrackState::PassingAac,
            Self::Passing(Reason::Scrambled { .. }) => TrackState::Scrambled,
            Self::Passing(Reason::Undecodable) => TrackState::Unsupported,
            Self::Dropped => TrackState::Dropped,
        };
        (reported, Counts::default())
    }

    /// Say that packets are missing here.
    pub(super) fn lose(&mut self, lost: Lost) {
        match self {
            Self::Probing(probing) => probing.sniffer.lose(),
            Self::Seeking(seeking) => seeking.sniffer.lose(),
            Self::Converting(converting) => converting.lose(lost),
            Self::Passing(_) | Self::Dropped => {}
        }
    }

    /// Return the packets that are held, which are the caller's from now on.
    pub(super) fn take_held(&mut self) -> Vec<PacketBytes> {
        match self {
            Self::Probing(probing) => mem::take(&mut probing.held),
            Self::Converting(converting) => mem::take(&mut converting.held),
            Self::Seeking(seeking) => mem::take(&mut seeking.held),
            Self::Passing(_) | Self::Dropped => Vec::new(),
        }
    }
}
