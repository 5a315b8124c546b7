//! The content of a track's elementary stream, once it is known, and what happens to it.
//!
//! The PMT announces AAC while the remuxer probes and converts, and the source's coding
//! otherwise. Some players read only one PMT, so it changes only when the stream has
//! changed, and not while the coding is still unknown: packets are held while the remuxer
//! probes, and it waits for some time in silence until scrambling ends. Packets of a PID
//! that is not listed as audio are held only if they look like the beginning of a frame.

use std::mem;

use super::converting::{Converting, Outcome};
use super::outlet::{Outlet, PacketBytes};
use super::punctuality::Punctuality;
use super::scrambled_run::ScrambledRun;
use super::seeking::Seeking;
use super::signalling::DeclaredAudio;
use super::state::{Probing, Reason, State};
use crate::audio::Codec;
use crate::audio::access_unit::Lost;
use crate::audio::arrival::Arrival;
use crate::audio::conversion::Conversion;
use crate::audio::counts::Counts;
use crate::audio::pcm::OutputFormat;
use crate::audio::sniff::{Sniffer, Verdict};
use crate::ts::continuity::Continuity;
use crate::ts::packet::Packet;
use crate::ts::pes::{EsChunk, PesReader};
use crate::{DualMono, Options, TrackState};

/// Packets held while probing: what a sniffer may want, in packets half full.
const MAX_HELD_PACKETS: usize = 512;

/// Number of consecutive PES packets without ADTS at their beginning after which the track no
/// longer counts as AAC.
const FOREIGN_PES_RUN: u8 = 16;

/// The elementary stream of a track.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) declared: DeclaredAudio,
    /// Whether AAC leaves on the source's PID.
    keeps_pid: bool,
    format: OutputFormat,
    bitrate_bps: u32,
    pub(super) state: State,
    /// Whether the elementary stream has been found to be audio.
    is_proven: bool,
    /// Whether a PES packet has begun that was not audio.
    is_looked_at: bool,
    /// Whether it was scrambled until it was found.
    was_scrambled: bool,
    pes: PesReader,
    punctuality: Punctuality,
    /// What conversions that have ended did.
    pub(super) ended: Counts,
}

/// The PMT's entry for a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signalled {
    AsInSource,
    AsAac,
    LeftOut,
}

/// A packet of which it is known whether it is scrambled.
#[derive(Clone, Copy)]
pub(super) struct Judged<'a> {
    pub(super) packet: Packet<'a>,
    pub(super) continuity: Continuity,
    pub(super) is_scrambled: bool,
    /// When it came by the clock of the program.
    pub(super) arrival: Option<Arrival>,
}

impl Content {
    /// Begin with what a PMT declares. `keeps_pid`: AAC leaves on the source's PID.
    pub(super) fn new(declared: DeclaredAudio, keeps_pid: bool, options: &Options) -> Self {
        Self {
            declared,
            keeps_pid,
            format: OutputFormat {
                sample_rate_hz: (options.sample_rate_hz != 0).then_some(options.sample_rate_hz),
                channels: (options.channels != 0).then_some(options.channels),
                dual_mono: options.dual_mono,
            },
            bitrate_bps: options.bitrate_bps,
            state: State::beginning(declared),
            is_proven: false,
            is_looked_at: false,
            was_scrambled: false,
            pes: PesReader::default(),
            punctuality: Punctuality::default(),
            ended: Counts::default(),
        }
    }

    /// Choose the programme of dual mono that is heard. Two programmes are never mixed: if both
    /// are chosen and there is one output channel, it gets the left one.
    pub(super) fn hear(&mut self, dual_mono: DualMono) {
        self.format.dual_mono = match (dual_mono, self.format.channels) {
            (DualMono::Both, Some(1)) => DualMono::Left,
            _ => dual_mono,
        };
        if let State::Converting(converting) = &mut self.state {
            converting.conversion.hear(self.format.dual_mono);
        }
    }

    /// Return which programme of dual mono is heard.
    pub(super) fn heard(&self) -> DualMono {
        self.format.dual_mono
    }

    /// Return the language that is heard.
    pub(super) fn language(&self) -> Option<[u8; 3]> {
        let right = self
            .declared
            .other_language
            .filter(|_| self.heard() == DualMono::Right);
        right.or(self.declared.language)
    }

    /// Leave the track out of the output, because another one was chosen.
    pub(super) fn drop_out(&mut self) {
        self.state = State::Dropped;
    }

    /// Follow a new PMT.
    pub(super) fn redeclare(&mut self, declared: DeclaredAudio, outlet: &mut Outlet) {
        let recoded = self.declared.codec != declared.codec;
        self.declared = declared;
        if recoded && matches!(self.state, State::Passing(_) | State::Seeking(_)) {
            outlet.let_leave(self.state.take_held());
            self.state = self.seeking(TrackState::Waiting);
        }
    }

    /// Return what the PMT has to say.
    pub(super) fn signalled(&self) -> Signalled {
        let is_adts = self.declared.codec == Some(Codec::AacAdts);
        match &self.state {
            State::Probing(_) if is_adts => Signalled::AsInSource,
            State::Passing(Reason::Aac { .. }) if self.keeps_pid && !is_adts => Signalled::AsAac,
            State::Probing(_) | State::Converting(_) => Signalled::AsAac,
            State::Seeking(_) if self.declared.is_taken_for_audio && !self.is_looked_at => {
                Signalled::LeftOut
            }
            State::Passing(_) | State::Seeking(_) => Signalled::AsInSource,
            State::Dropped => Signalled::LeftOut,
        }
    }

    /// Return whether the PMT names it as audio, or it was found to be.
    pub(super) fn is_audio(&self) -> bool {
        self.declared.is_named || self.is_proven
    }

    /// Return whether it has become clear.
    pub(super) fn is_clear_again(&self) -> bool {
        self.was_scrambled && self.signalled() == Signalled::AsAac
    }

    /// Say that packets are missing here.
    pub(super) fn lose(&mut self, lost: Lost, outlet: &mut Outlet) {
        self.pes.lose();
        outlet.mark_loss();
        self.state.lose(lost);
    }

    /// Take the next packet; `run` includes it.
    pub(super) fn take(
        &mut self,
        input: Judged<'_>,
        run: &ScrambledRun,
        outlet: &mut Outlet,
        output: &mut Vec<u8>,
    ) {
        let packet = input.packet;
        if input.is_scrambled && self.state.is_converting() {
            self.lose(Lost { packets: Some(1) }, outlet);
        }
        let chunk = self.chunk(input);
        let repeats = input.continuity == Continuity::Repeats && outlet.is_ours();
        let leaves = || (!repeats).then(|| *packet.bytes());
        self.state = match mem::replace(&mut self.state, State::Dropped) {
            State::Dropped => {
                outlet.send_clock(packet, output);
                State::Dropped
            }
            State::Probing(mut probing) => {
                probing.held.push(*packet.bytes());
                self.probe(probing, chunk, run, outlet)
            }
            State::Converting(mut converting) if input.is_scrambled => {
                converting.held.push(*packet.bytes());
                if run.has_just_begun() {
                    // What came before is not kept in the encoder until it is late.
                    converting.finish(outlet);
                }
                State::Converting(converting)
            }
            State::Converting(mut converting) => {
                for bytes in converting.held.drain(..).chain([*packet.bytes()]) {
                    outlet.send_clock(Packet::new(&bytes), output);
                }
                self.convert(converting, chunk, input.arrival, outlet)
            }
            State::Seeking(mut seeking) => {
                seeking.held.extend(leaves());
                self.seek(seeking, chunk, outlet)
            }
            State::Passing(reason) => self.watch(reason, leaves(), chunk, outlet),
        };
    }

    /// Append the clocks of scrambled packets that were held while converting.
    pub(super) fn release(&mut self, outlet: &mut Outlet, output: &mut Vec<u8>) {
        if let State::Converting(converting) = &mut self.state {
            for bytes in converting.held.drain(..) {
                outlet.send_clock(Packet::new(&bytes), output);
            }
        }
    }

    /// Let scrambled packets pass.
    pub(super) fn give_up_scrambled(&mut self, outlet: &mut Outlet) {
        if !self.state.is_dropped() && !self.state.passes_scrambled() {
            let next = State::Passing(Reason::Scrambled { inside: false });
            let before = mem::replace(&mut self.state, next);
            self.leave(before, outlet);
        }
    }

    /// Promise AAC again: what was scrambled is going to be clear, as other tracks of its
    /// program are.
    pub(super) fn expect_clear(&mut self, outlet: &mut Outlet) {
        if self.state.passes_scrambled() && self.declared.codec.is_some() && self.declared.is_named
        {
            outlet.settle();
            self.state = State::beginning(self.declared);
        }
    }

    /// Push the sound out of the encoder that would otherwise be late: where the source
    /// pauses, or something was lost.
    pub(super) fn push_out_overdue(&mut self, arrival: Arrival, outlet: &mut Outlet) {
        if let State::Converting(converting) = &mut self.state
            && let conversion = &mut converting.conversion
            && let Some(due) = conversion.next_due()
            && self.punctuality.is_overdue(due, arrival)
            && conversion.misses_a_unit(arrival)
        {
            conversion.push_out(|frame| outlet.enqueue(frame));
        }
    }

    /// End the stream: what is held is going to leave.
    pub(super) fn end(&mut self, run: &ScrambledRun, outlet: &mut Outlet) {
        if self.state.is_promised() && run.is_scrambled() {
            self.give_up_scrambled(outlet);
        } else if let State::Converting(converting) = &mut self.state {
            converting.finish(outlet);
        } else {
            // Of the last packets it never came to be known what they are.
            outlet.let_leave(self.state.take_held());
        }
    }

    /// Return the packet's share of the elementary stream; none of a damaged, repeated or
    /// scrambled one.
    fn chunk<'a>(&mut self, input: Judged<'a>) -> Option<EsChunk<'a>> {
        let packet = input.packet;
        let usable = !input.is_scrambled
            && !packet.transport_error()
            && packet.has_payload()
            && input.continuity != Continuity::Repeats;
        if !usable {
            return None;
        }
        self.pes.push(packet.payload(), packet.unit_start())
    }

    fn probe(
        &mut self,
        mut probing: Box<Probing>,
        chunk: Option<EsChunk<'_>>,
        run: &ScrambledRun,
        outlet: &mut Outlet,
    ) -> State {
        if let Some(chunk) = chunk {
            probing.sniffer.push(chunk.data, chunk.pts);
        }
        match probing.sniffer.verdict() {
            // Scrambled packets have a time limit of their own.
            Verdict::NeedMore if probing.held.len() < MAX_HELD_PACKETS || run.is_scrambled() => {
                State::Probing(probing)
            }
            Verdict::Found(codec) => {
                let Probing { sniffer, held } = *probing;
                self.go_on_with(codec, sniffer, held, false, outlet)
            }
            Verdict::NeedMore | Verdict::Unknown => {
                outlet.let_leave(probing.held);
                self.unknown(probing.sniffer.looks_scrambled(), 0)
            }
        }
    }

    fn seek(
        &mut self,
        mut seeking: Box<Seeking>,
        chunk: Option<EsChunk<'_>>,
        outlet: &mut Outlet,
    ) -> State {
        let verdict = seeking.push(chunk);
        if !seeking.holds() {
            let is_first_look = chunk.is_some() && !mem::replace(&mut self.is_looked_at, true);
            if is_first_look && self.declared.is_taken_for_audio {
                // What left unannounced is of the same coding.
                outlet.forget_coding();
            }
            outlet.let_leave(seeking.held.drain(..));
        }
        match verdict {
            Verdict::NeedMore => State::Seeking(seeking),
            Verdict::Found(codec) => {
                let was_scrambled = seeking.reported == TrackState::Scrambled;
                let Seeking { sniffer, held, .. } = *seeking;
                self.go_on_with(codec, sniffer, held, was_scrambled, outlet)
            }
            Verdict::Unknown => {
                outlet.let_leave(seeking.held);
                self.unknown(seeking.sniffer.looks_scrambled(), seeking.false_beginnings)
            }
        }
    }

    fn convert(
        &mut self,
        mut converting: Box<Converting>,
        chunk: Option<EsChunk<'_>>,
        arrival: Option<Arrival>,
        outlet: &mut Outlet,
    ) -> State {
        let Some(chunk) = chunk else {
            return State::Converting(converting);
        };
        let next = match converting.push(chunk, arrival, &mut self.punctuality, outlet) {
            Outcome::GoesOn => return State::Converting(converting),
            Outcome::Undecodable => State::Passing(Reason::Undecodable),
            Outcome::FoundAac => State::Passing(Reason::Aac { foreign_pes: 0 }),
            Outcome::FoundNothing { looks_scrambled } => self.unknown(looks_scrambled, 0),
        };
        self.leave(State::Converting(converting), outlet);
        next
    }

    /// Look at a packet that passes.
    fn watch(
        &mut self,
        mut reason: Reason,
        packet: Option<PacketBytes>,
        chunk: Option<EsChunk<'_>>,
        outlet: &mut Outlet,
    ) -> State {
        let mut next = None;
        if let Some(chunk) = chunk.filter(|chunk| chunk.starts_pes) {
            match &mut reason {
                Reason::Scrambled { inside } => {
                    let mut seeking = Seeking::new(self.declared, TrackState::Scrambled);
                    if *inside {
                        // Scrambled payload begins with something like a header time and again.
                        seeking.sniffer = Sniffer::new(None);
                    }
                    seeking.held.extend(packet);
                    return self.seek(Box::new(seeking), Some(chunk), outlet);
                }
                Reason::Aac { foreign_pes } if !chunk.data.is_empty() => {
                    let looks_it =
                        matches!(chunk.data, [0xFF, second, ..] if second & 0xF6 == 0xF0);
                    *foreign_pes = if looks_it { 0 } else { *foreign_pes + 1 };
                    if *foreign_pes >= FOREIGN_PES_RUN {
                        next = Some(self.seeking(TrackState::Waiting));
                    }
                }
                _ => {}
            }
        }
        outlet.let_leave(packet);
        next.unwrap_or(State::Passing(reason))
    }

    /// Continue with the coding that was found; `held` are the packets in which it was found.
    fn go_on_with(
        &mut self,
        codec: Codec,
        sniffer: Sniffer,
        held: Vec<PacketBytes>,
        was_scrambled: bool,
        outlet: &mut Outlet,
    ) -> State {
        self.is_proven = true;
        outlet.settle();
        if codec == Codec::AacAdts {
            outlet.let_leave(held);
            return State::Passing(Reason::Aac { foreign_pes: 0 });
        }
        let Some(framer) = sniffer.into_framer() else {
            return self.seeking(TrackState::Waiting);
        };
        self.was_scrambled = was_scrambled;
        let conversion = Conversion::new(framer, self.format, self.bitrate_bps);
        State::Converting(Box::new(Converting::new(conversion, held, outlet)))
    }

    /// Return the state of a stream in which nothing was found.
    fn unknown(&self, looks_scrambled: bool, false_beginnings: u8) -> State {
        if self.declared.codec.is_some() && self.declared.is_named && looks_scrambled {
            return State::Passing(Reason::Scrambled { inside: true });
        }
        let mut seeking = Seeking::new(self.declared, TrackState::Unsupported);
        seeking.false_beginnings = false_beginnings;
        State::Seeking(Box::new(seeking))
    }

    fn seeking(&self, reported: TrackState) -> State {
        State::Seeking(Box::new(Seeking::new(self.declared, reported)))
    }

    /// Leave a state for another: what it holds is going to leave, and what is still in an
    /// encoder before it.
    fn leave(&mut self, mut state: State, outlet: &mut Outlet) {
        outlet.let_leave(state.take_held());
        if let State::Converting(mut converting) = state {
            converting.finish(outlet);
            self.ended.add(&converting.conversion.counts());
        }
    }
}
