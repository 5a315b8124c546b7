//! One audio PID: from its packets to what leaves on its place.
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
//!
//! The PMT promises AAC while probing and converting, and says what the source says
//! otherwise. A player that has read one PMT may never read the next, so it changes when
//! the stream has changed and not while something is still being found out: while probing
//! packets are held, and scrambling is waited out for a while in silence. What is not
//! named as audio is held only as long as its packets look like the beginning of a frame.

use std::collections::VecDeque;

use super::punctuality::Punctuality;
use super::schedule::{Moment, Schedule};
use super::signalling::DeclaredAudio;
use crate::audio::Codec;
use crate::audio::access_unit::Lost;
use crate::audio::conversion::Conversion;
use crate::audio::counts::Counts;
use crate::audio::output::AacFrame;
use crate::audio::pcm::OutputFormat;
use crate::audio::sniff::{Sniffer, Verdict};
use crate::audio::source_clock::Arrival;
use crate::ts::clock::Pcr;
use crate::ts::continuity::{Continuity, OutputCounter};
use crate::ts::packet::{PACKET_BYTES, Packet, Pid, discontinuity, without_payload};
use crate::ts::pes::{EsChunk, PesReader};
use crate::ts::scrambling::{Judgement, Scrambling};
use crate::{DualMono, Options, TrackState, TrackStats};

/// Scrambled packets in a row that make a track a scrambled one; fewer are damage.
const SCRAMBLED_RUN: usize = 16;

/// How long sound may be scrambled before the PMT stops promising AAC, in 27 MHz: 2 s. A
/// softcam that has to wait for a key takes less, and a change of the PMT costs players
/// more than the silence.
const SCRAMBLED_GRACE_27M: i64 = 54_000_000;

/// The same where no clock shows it, and the bound of what is held: a second of DTS.
const MAX_SCRAMBLED_PACKETS: usize = 1024;

/// Packets that wait for the next to tell whether they are scrambled.
const MAX_UNDECIDED_PACKETS: usize = 16;

/// Held packets that leave for one that comes: more than one, so that they catch up.
const RELEASED_AT_ONCE: usize = 2;

/// Packets held while probing: what a sniffer may want, in packets half full.
const MAX_HELD_PACKETS: usize = 512;

/// Bytes without a frame header after which another coding is looked for: more than
/// any frame, so that one damaged frame is not enough.
const RESNIFF_AFTER_BYTES: usize = 8 * 1024;

/// Searches for another coding that may fail until none is believed in: some seconds.
const MAX_RESNIFFS: u8 = 4;

/// Beginnings that looked like a frame and were none, after which what is not named as
/// audio is not held again.
const MAX_FALSE_BEGINNINGS: u8 = 3;

/// PES packets in a row that do not begin with ADTS until AAC is no longer believed.
const FOREIGN_PES_RUN: u8 = 16;

type PacketBytes = [u8; PACKET_BYTES];

/// An audio PID that is rewritten, or may come to be.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) pid: Pid,
    pub(super) output_pid: Pid,
    /// Program that declares it.
    pub(super) program: u16,
    /// PID of its program's clock.
    pub(super) pcr_pid: Pid,
    declared: DeclaredAudio,
    format: OutputFormat,
    bitrate_bps: u32,
    state: State,
    scrambling: Scrambling,
    /// Scrambled packets in a row.
    scrambled_run: usize,
    /// When the first of them came.
    scrambled_since: Option<Pcr>,
    undecided: Vec<(PacketBytes, Continuity)>,
    /// Packets of the source that are to leave under the PMT that was sent last.
    leaving: VecDeque<PacketBytes>,
    /// The same under the PMT that has to be sent next.
    leaving_next: VecDeque<PacketBytes>,
    /// Whether the elementary stream has been found to be audio.
    is_proven: bool,
    /// Whether a PES packet has begun that was not audio.
    is_looked_at: bool,
    /// Whether it was scrambled until it was found.
    was_scrambled: bool,
    /// Whether packets have left since the coding of what leaves last changed.
    has_left: bool,
    /// The next packet that leaves is of another coding than those before.
    changes_coding: bool,
    pes: PesReader,
    schedule: Schedule,
    punctuality: Punctuality,
    counter: OutputCounter,
    /// What conversions that have ended did.
    ended: Counts,
    scrambled_packets: u64,
    continuity_errors: u64,
}

#[derive(Debug)]
enum State {
    /// Named as audio; nothing is known yet. Packets are held.
    Probing {
        sniffer: Sniffer,
        held: Vec<PacketBytes>,
    },
    Converting {
        conversion: Box<Conversion>,
        resniff: Option<Sniffer>,
        failed_resniffs: u8,
        /// Scrambled packets.
        held: Vec<PacketBytes>,
    },
    /// Packets leave as they came, but for those that look like the beginning of a frame.
    Seeking(Seeking),
    Passing(Reason),
    Dropped,
}

/// The search in a stream of which the PMT promises nothing.
#[derive(Debug)]
struct Seeking {
    sniffer: Sniffer,
    held: Vec<PacketBytes>,
    /// Where what is held begins, in bytes of the sniffer.
    held_from: Option<u64>,
    false_beginnings: u8,
    /// What is reported until it is found.
    reported: TrackState,
}

/// Why packets pass untouched, and what may end that.
#[derive(Debug)]
enum Reason {
    /// It is AAC in ADTS. Counts PES packets that do not look it.
    Aac { foreign_pes: u8 },
    /// It is scrambled; `inside` its PES packets if these begin clear.
    Scrambled { inside: bool },
    /// The coding is known and the decoder refuses all of it.
    Undecodable,
}

/// What a PMT has to say of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signalled {
    AsInSource,
    AsAac,
    LeftOut,
}

impl Track {
    /// A track that a PMT declares. `last_counter` is that of the PID's last packet
    /// in the output.
    pub(super) fn new(
        pid: Pid,
        output_pid: Pid,
        program: u16,
        pcr_pid: Pid,
        declared: DeclaredAudio,
        options: &Options,
        last_counter: Option<u8>,
    ) -> Self {
        let channels = (options.channels != 0).then_some(options.channels);
        let rate_hz = (options.sample_rate_hz != 0).then_some(options.sample_rate_hz);
        Self {
            pid,
            output_pid,
            program,
            pcr_pid,
            declared,
            format: OutputFormat {
                sample_rate_hz: rate_hz,
                channels,
                dual_mono: options.dual_mono,
            },
            bitrate_bps: options.bitrate_bps,
            state: State::beginning(declared),
            scrambling: Scrambling::default(),
            scrambled_run: 0,
            scrambled_since: None,
            undecided: Vec::new(),
            leaving: VecDeque::new(),
            leaving_next: VecDeque::new(),
            is_proven: false,
            is_looked_at: false,
            was_scrambled: false,
            has_left: false,
            changes_coding: false,
            pes: PesReader::default(),
            schedule: Schedule::new(options.bitrate_bps, options.channels),
            punctuality: Punctuality::default(),
            counter: OutputCounter::after(last_counter),
            ended: Counts::default(),
            scrambled_packets: 0,
            continuity_errors: 0,
        }
    }

    /// Chooses what is heard of it where it has a programme in either channel. Two
    /// programmes are never mixed: of both, one channel has room for the left one alone.
    pub(super) fn hear(&mut self, dual_mono: DualMono) {
        self.format.dual_mono = match (dual_mono, self.format.channels) {
            (DualMono::Both, Some(1)) => DualMono::Left,
            _ => dual_mono,
        };
        if let State::Converting { conversion, .. } = &mut self.state {
            conversion.hear(self.format.dual_mono);
        }
    }

    /// What is heard of it where it has a programme in either channel.
    pub(super) fn heard(&self) -> DualMono {
        self.format.dual_mono
    }

    /// The language that is heard.
    fn language(&self) -> Option<[u8; 3]> {
        let right = self
            .declared
            .other_language
            .filter(|_| self.heard() == DualMono::Right);
        right.or(self.declared.language)
    }

    /// Leaves the track out of the output, because another one was chosen.
    pub(super) fn drop_out(&mut self) {
        self.state = State::Dropped;
    }

    /// Takes over what a new PMT says of the PID.
    pub(super) fn redeclare(&mut self, program: u16, pcr_pid: Pid, declared: DeclaredAudio) {
        (self.program, self.pcr_pid) = (program, pcr_pid);
        let recoded = self.declared.codec != declared.codec;
        self.declared = declared;
        if recoded && matches!(self.state, State::Passing(_) | State::Seeking(_)) {
            self.let_held_leave();
            self.state = State::Seeking(Seeking::new(declared, TrackState::Waiting));
        }
    }

    /// What the PMT has to say.
    pub(super) fn signalled(&self) -> Signalled {
        let is_adts = self.declared.codec == Some(Codec::AacAdts);
        match &self.state {
            State::Probing { .. } if is_adts => Signalled::AsInSource,
            State::Passing(Reason::Aac { .. }) if self.keeps_pid() && !is_adts => Signalled::AsAac,
            State::Probing { .. } | State::Converting { .. } => Signalled::AsAac,
            State::Seeking(_) if self.declared.is_taken_for_audio && !self.is_looked_at => {
                Signalled::LeftOut
            }
            State::Passing(_) | State::Seeking(_) => Signalled::AsInSource,
            State::Dropped => Signalled::LeftOut,
        }
    }

    /// The coding found in the elementary stream, if any.
    pub(super) fn codec(&self) -> Option<Codec> {
        match &self.state {
            State::Converting { conversion, .. } => conversion.counts().codec,
            State::Passing(Reason::Aac { .. }) => Some(Codec::AacAdts),
            _ => None,
        }
    }

    /// Whether the PMT names it as audio, or it was found to be.
    pub(super) fn is_audio(&self) -> bool {
        self.declared.is_named || self.is_proven
    }

    /// Whether it is audio and was not left out.
    pub(super) fn is_heard(&self) -> bool {
        self.is_audio() && !matches!(self.state, State::Dropped)
    }

    /// What the PMT declares.
    pub(super) fn declared(&self) -> DeclaredAudio {
        self.declared
    }

    /// Takes the PID's next packet; `now` is the clock of its program. Appends what leaves
    /// at once. Returns whether [`signalled`](Self::signalled) has changed: then the PMT
    /// has to leave, and [`release`](Self::release) has to be called after it.
    pub(super) fn push(
        &mut self,
        packet: Packet<'_>,
        continuity: Continuity,
        now: Option<Moment>,
        output: &mut Vec<u8>,
    ) -> bool {
        if !self.keeps_pid() && !matches!(self.state, State::Dropped) {
            output.extend_from_slice(packet.bytes());
        }
        let before = self.signalled();
        if continuity.is_lost() {
            self.continuity_errors += 1;
        }
        let verdict = self.scrambling.judge(packet);
        match verdict.this {
            Judgement::Undecided => {
                self.undecided.push((*packet.bytes(), continuity));
                if self.undecided.len() >= MAX_UNDECIDED_PACKETS {
                    self.scrambling.believe();
                    self.decide(true, now, output);
                }
            }
            this => {
                self.decide(verdict.before == Judgement::Scrambled, now, output);
                let is_scrambled = this == Judgement::Scrambled;
                self.take(packet, continuity, is_scrambled, now, output);
            }
        }
        if self.signalled() == before {
            self.release(output);
            return false;
        }
        self.conclude(output);
        true
    }

    /// Takes the packets that were undecided.
    fn decide(&mut self, are_scrambled: bool, now: Option<Moment>, output: &mut Vec<u8>) {
        for (bytes, continuity) in std::mem::take(&mut self.undecided) {
            self.take(Packet::new(&bytes), continuity, are_scrambled, now, output);
        }
    }

    /// Takes a packet of which it is known whether it is scrambled.
    fn take(
        &mut self,
        packet: Packet<'_>,
        continuity: Continuity,
        is_scrambled: bool,
        now: Option<Moment>,
        output: &mut Vec<u8>,
    ) {
        if is_scrambled {
            self.scrambled_packets += 1;
            self.scrambled_run += 1;
            if self.scrambled_run == 1 {
                self.scrambled_since = now.map(|now| now.now());
            }
        } else if packet.has_payload() && !packet.transport_error() {
            self.scrambled_run = 0;
        }
        match continuity {
            Continuity::Lost { is_error, packets } => self.lose(Lost {
                packets: is_error.then_some(packets.into()),
            }),
            // What it held counts as missing at the next packet.
            _ if packet.transport_error() => self.lose(Lost { packets: Some(0) }),
            _ => {}
        }
        let chunk = self.chunk(packet, continuity, is_scrambled);
        match &mut self.state {
            State::Dropped => self.send_clock(packet, output),
            State::Probing { held, .. } => {
                held.push(*packet.bytes());
                self.probe(chunk);
            }
            State::Converting { held, .. } => {
                if is_scrambled {
                    held.push(*packet.bytes());
                } else {
                    let held = std::mem::take(held);
                    for bytes in held.iter().chain([packet.bytes()]) {
                        self.send_clock(Packet::new(bytes), output);
                    }
                }
                self.convert(chunk, is_scrambled, now.map(|now| now.arrival()));
            }
            State::Seeking(seeking) => {
                let repeats = continuity == Continuity::Repeats && self.counter.is_ours();
                if !repeats {
                    seeking.held.push(*packet.bytes());
                }
                self.seek(chunk);
            }
            State::Passing(_) => {
                let repeats = continuity == Continuity::Repeats && self.counter.is_ours();
                self.watch(packet, chunk, !repeats);
            }
        }
        if self.is_scrambled_for_long(now) {
            self.give_up_scrambled();
        }
    }

    /// Whether the last packets were scrambled.
    fn is_scrambled(&self) -> bool {
        self.scrambled_run >= SCRAMBLED_RUN
    }

    fn is_scrambled_for_long(&mut self, now: Option<Moment>) -> bool {
        if !self.is_scrambled() {
            return false;
        }
        // Then the PMT stays as it is.
        let changes_nothing = self.signalled() == Signalled::AsInSource;
        let elapsed = match (self.scrambled_since, now) {
            (Some(since), Some(now)) => now.now().since(since),
            _ => 0,
        };
        if elapsed < 0 {
            self.scrambled_since = now.map(|now| now.now());
        }
        changes_nothing
            || elapsed >= SCRAMBLED_GRACE_27M
            || self.scrambled_run >= MAX_SCRAMBLED_PACKETS
    }

    /// Whether what the PMT promises is waited for in vain because it is scrambled.
    pub(super) fn awaits_key(&self) -> bool {
        let promises = matches!(self.state, State::Probing { .. } | State::Converting { .. });
        promises && self.is_scrambled()
    }

    /// Whether it has become clear.
    pub(super) fn is_clear_again(&self) -> bool {
        self.was_scrambled && self.signalled() == Signalled::AsAac
    }

    /// Whether it passes because it is scrambled.
    pub(super) fn passes_scrambled(&self) -> bool {
        matches!(self.state, State::Passing(Reason::Scrambled { .. }))
    }

    /// Lets scrambled packets pass.
    pub(super) fn give_up_scrambled(&mut self) {
        match self.state {
            State::Dropped | State::Passing(Reason::Scrambled { .. }) => {}
            State::Converting { .. } => {
                self.end_conversion(State::Passing(Reason::Scrambled { inside: false }));
            }
            _ => {
                self.let_held_leave();
                self.state = State::Passing(Reason::Scrambled { inside: false });
            }
        }
    }

    /// Promises AAC again: what was scrambled is going to be clear, as other tracks of its
    /// program are.
    pub(super) fn expect_clear(&mut self) {
        if self.passes_scrambled() && self.declared.codec.is_some() && self.declared.is_named {
            self.leaving.append(&mut self.leaving_next);
            self.state = State::beginning(self.declared);
        }
    }

    /// Appends what has to leave before a PMT that says something else.
    pub(super) fn conclude(&mut self, output: &mut Vec<u8>) {
        if !matches!(self.state, State::Converting { .. }) {
            self.send_due(None, output);
        }
        if self.is_clear_again() {
            // Scrambled packets of long ago would only leave in a heap.
            for bytes in std::mem::take(&mut self.leaving) {
                self.send_clock(Packet::new(&bytes), output);
            }
        }
        self.release_up_to(usize::MAX, output);
        self.leaving = std::mem::take(&mut self.leaving_next);
        self.changes_coding = std::mem::take(&mut self.has_left);
    }

    /// Lets packets go that no longer have a reason to wait: a few at a time, for the
    /// receiver's transport buffer.
    pub(super) fn release(&mut self, output: &mut Vec<u8>) {
        self.leaving.append(&mut self.leaving_next);
        self.release_up_to(RELEASED_AT_ONCE, output);
        if let State::Converting { held, .. } = &mut self.state
            && self.scrambled_run == 0
        {
            for bytes in std::mem::take(held) {
                self.send_clock(Packet::new(&bytes), output);
            }
        }
    }

    fn release_up_to(&mut self, count: usize, output: &mut Vec<u8>) {
        let count = count.min(self.leaving.len());
        if count > 0 {
            self.announce(output);
        }
        for bytes in self.leaving.drain(..count) {
            self.counter.pass(bytes, output);
        }
    }

    /// Says before the first packet of another coding that it does not follow. On the PID
    /// of the clock that would mean another time base (2.4.3.5).
    fn announce(&mut self, output: &mut Vec<u8>) {
        self.has_left = true;
        if std::mem::take(&mut self.changes_coding) && self.output_pid != self.pcr_pid {
            self.counter.send(discontinuity(self.output_pid, 0), output);
        }
    }

    /// Lets packets leave under the PMT that is sent next, or the last when none is.
    fn let_leave(&mut self, packets: impl IntoIterator<Item = PacketBytes>) {
        if self.keeps_pid() {
            self.leaving_next.extend(packets);
        }
    }

    fn let_held_leave(&mut self) {
        let held = match &mut self.state {
            State::Probing { held, .. }
            | State::Converting { held, .. }
            | State::Seeking(Seeking { held, .. }) => std::mem::take(held),
            State::Passing(_) | State::Dropped => return,
        };
        self.let_leave(held);
    }

    /// Appends the converted packets whose time has come.
    pub(super) fn send_due(&mut self, moment: Option<Moment>, output: &mut Vec<u8>) {
        while let Some(bytes) = self.schedule.next_due(moment) {
            self.announce(output);
            self.counter.send(bytes, output);
        }
    }

    /// Whether packets of ours have left on the source's PID.
    pub(super) fn has_replaced_source(&self) -> bool {
        self.keeps_pid() && self.counter.is_ours()
    }

    /// Whether converted packets wait.
    pub(super) fn has_waiting(&self) -> bool {
        !self.schedule.is_empty()
    }

    /// Whether sound waits in its encoder for more to come.
    pub(super) fn holds_sound(&self) -> bool {
        match &self.state {
            State::Converting { conversion, .. } => conversion.next_due().is_some(),
            _ => false,
        }
    }

    /// Pushes the sound out of the encoder that would otherwise be late: where the source
    /// pauses, or something was lost.
    pub(super) fn push_out_overdue(&mut self, arrival: Arrival) {
        if let State::Converting { conversion, .. } = &mut self.state
            && let Some(due) = conversion.next_due()
            && self.punctuality.is_overdue(due, arrival)
            && conversion.misses_a_unit(arrival)
        {
            let (pid, schedule) = (self.output_pid, &mut self.schedule);
            conversion.push_out(|frame| enqueue(schedule, pid, frame));
        }
    }

    /// Whether its packets may wait for a first PCR that is yet to come.
    pub(super) fn can_await_clock(&self) -> bool {
        self.pcr_pid.is_assignable() && self.schedule.can_await_clock()
    }

    /// Ends the track: what is held is going to leave. Returns whether
    /// [`signalled`](Self::signalled) has changed, as for [`push`](Self::push).
    pub(super) fn end(&mut self, output: &mut Vec<u8>) -> bool {
        let before = self.signalled();
        self.decide(true, None, output);
        let is_scrambled = self.is_scrambled();
        match &mut self.state {
            State::Converting { conversion, .. } => {
                let (pid, schedule) = (self.output_pid, &mut self.schedule);
                conversion.finish(|frame| enqueue(schedule, pid, frame));
                if is_scrambled {
                    self.end_conversion(State::Passing(Reason::Scrambled { inside: false }));
                }
            }
            State::Probing { .. } if is_scrambled => self.give_up_scrambled(),
            // Of the last packets it never came to be known what they are.
            _ => self.let_held_leave(),
        }
        if self.signalled() == before {
            return false;
        }
        self.conclude(output);
        true
    }

    /// Appends everything that is left of a track that has ended.
    pub(super) fn finish(&mut self, output: &mut Vec<u8>) {
        self.send_due(None, output);
        self.leaving.append(&mut self.leaving_next);
        self.release_up_to(usize::MAX, output);
    }

    pub(super) fn stats(&self) -> TrackStats {
        let (state, mut counts) = match &self.state {
            State::Probing { .. } => (TrackState::Waiting, Counts::default()),
            State::Converting { conversion, .. } => (TrackState::Converting, conversion.counts()),
            State::Seeking(seeking) => (seeking.reported, Counts::default()),
            State::Passing(reason) => (reason.state(), Counts::default()),
            State::Dropped => (TrackState::Dropped, Counts::default()),
        };
        let is_dropped = state == TrackState::Dropped;
        let state = if self.is_scrambled() && !is_dropped {
            TrackState::Scrambled
        } else {
            state
        };
        counts.add(&self.ended);
        TrackStats {
            pid: self.pid.value(),
            program: self.program,
            output_pid: self.output_pid.value(),
            state,
            codec: self.codec().or(counts.codec),
            language: self.language().map(printable),
            frames_decoded: counts.frames_decoded,
            frames_encoded: counts.frames_encoded,
            decode_errors: counts.decode_errors,
            silence_ms: counts.silence_ms,
            scrambled_packets: self.scrambled_packets,
            continuity_errors: self.continuity_errors,
        }
    }

    fn keeps_pid(&self) -> bool {
        self.pid == self.output_pid
    }

    fn lose(&mut self, lost: Lost) {
        self.pes.lose();
        // On the PID of the clock the indicator would mean another time base
        // (2.4.3.5).
        if self.output_pid != self.pcr_pid {
            self.schedule.mark_discontinuity();
        }
        match &mut self.state {
            State::Probing { sniffer, .. } | State::Seeking(Seeking { sniffer, .. }) => {
                sniffer.lose();
            }
            State::Converting {
                conversion,
                resniff,
                ..
            } => {
                conversion.lose(lost);
                if let Some(sniffer) = resniff {
                    sniffer.lose();
                }
            }
            State::Passing(_) | State::Dropped => {}
        }
    }

    /// The packet's share of the elementary stream; none of a damaged, repeated or
    /// scrambled one.
    fn chunk<'a>(
        &mut self,
        packet: Packet<'a>,
        continuity: Continuity,
        is_scrambled: bool,
    ) -> Option<EsChunk<'a>> {
        let usable = !is_scrambled
            && !packet.transport_error()
            && packet.has_payload()
            && continuity != Continuity::Repeats;
        if !usable {
            return None;
        }
        self.pes.push(packet.payload(), packet.unit_start())
    }

    fn probe(&mut self, chunk: Option<EsChunk<'_>>) {
        let State::Probing { sniffer, held } = &mut self.state else {
            return;
        };
        if let Some(chunk) = chunk {
            sniffer.push(chunk.data, chunk.pts);
        }
        let verdict = match sniffer.verdict() {
            // Scrambled packets have a time limit of their own.
            Verdict::NeedMore
                if held.len() >= MAX_HELD_PACKETS && self.scrambled_run < SCRAMBLED_RUN =>
            {
                Verdict::Unknown
            }
            verdict => verdict,
        };
        let sniffer = match verdict {
            Verdict::NeedMore => return,
            _ => std::mem::replace(sniffer, Sniffer::new(None)),
        };
        match (verdict, sniffer) {
            (Verdict::Found(codec), sniffer) if codec != Codec::AacAdts => {
                self.begin_conversion(sniffer);
            }
            (Verdict::Found(_), _) => {
                self.is_proven = true;
                self.let_held_leave();
                self.state = State::Passing(Reason::Aac { foreign_pes: 0 });
            }
            (_, sniffer) => {
                self.let_held_leave();
                self.state = self.unknown(&sniffer);
            }
        }
    }

    /// The state of a stream in which nothing was found.
    fn unknown(&self, sniffer: &Sniffer) -> State {
        if self.declared.codec.is_some() && self.declared.is_named && sniffer.looks_scrambled() {
            return State::Passing(Reason::Scrambled { inside: true });
        }
        State::Seeking(Seeking::new(self.declared, TrackState::Unsupported))
    }

    fn seek(&mut self, chunk: Option<EsChunk<'_>>) {
        let State::Seeking(seeking) = &mut self.state else {
            return;
        };
        let verdict = seeking.push(chunk);
        if seeking.held_from.is_none() {
            if !self.is_looked_at && chunk.is_some() {
                // What left unannounced is of the same coding.
                self.is_looked_at = true;
                self.has_left &= !self.declared.is_taken_for_audio;
            }
            let held = std::mem::take(&mut seeking.held);
            self.let_leave(held);
        }
        let State::Seeking(seeking) = &mut self.state else {
            return;
        };
        let sniffer = match verdict {
            Verdict::NeedMore => return,
            _ => std::mem::replace(&mut seeking.sniffer, Sniffer::new(None)),
        };
        match verdict {
            Verdict::Found(codec) if codec != Codec::AacAdts => self.begin_conversion(sniffer),
            Verdict::Found(_) => {
                self.is_proven = true;
                self.leaving.append(&mut self.leaving_next);
                self.let_held_leave();
                self.state = State::Passing(Reason::Aac { foreign_pes: 0 });
            }
            _ => {
                let false_beginnings = seeking.false_beginnings;
                self.let_held_leave();
                self.state = self.unknown(&sniffer);
                if let State::Seeking(seeking) = &mut self.state {
                    seeking.false_beginnings = false_beginnings;
                }
            }
        }
    }

    /// Looks at a packet that passes.
    fn watch(&mut self, packet: Packet<'_>, chunk: Option<EsChunk<'_>>, leaves: bool) {
        let State::Passing(reason) = &mut self.state else {
            return;
        };
        match (reason, chunk) {
            (Reason::Scrambled { inside }, Some(chunk)) if chunk.starts_pes => {
                let mut seeking = Seeking::new(self.declared, TrackState::Scrambled);
                if *inside {
                    // Noise begins with something like a header time and again.
                    seeking.sniffer = Sniffer::new(None);
                }
                seeking.held.extend(leaves.then_some(*packet.bytes()));
                self.state = State::Seeking(seeking);
                self.seek(Some(chunk));
                return;
            }
            (Reason::Aac { foreign_pes }, Some(chunk))
                if chunk.starts_pes && !chunk.data.is_empty() =>
            {
                let looks_it = matches!(chunk.data, [0xFF, second, ..] if second & 0xF6 == 0xF0);
                *foreign_pes = if looks_it { 0 } else { *foreign_pes + 1 };
                if *foreign_pes >= FOREIGN_PES_RUN {
                    self.state = State::Seeking(Seeking::new(self.declared, TrackState::Waiting));
                }
            }
            _ => {}
        }
        self.let_leave(leaves.then_some(*packet.bytes()));
    }

    fn convert(
        &mut self,
        chunk: Option<EsChunk<'_>>,
        is_scrambled: bool,
        arrival: Option<Arrival>,
    ) {
        let is_first_of_scrambled = self.scrambled_run == SCRAMBLED_RUN;
        if is_scrambled {
            self.lose(Lost { packets: Some(1) });
        }
        let State::Converting {
            conversion,
            resniff,
            failed_resniffs,
            ..
        } = &mut self.state
        else {
            return;
        };
        let (pid, schedule) = (self.output_pid, &mut self.schedule);
        if is_scrambled && is_first_of_scrambled {
            // What came before is not kept in the encoder until it is late.
            conversion.finish(|frame| enqueue(schedule, pid, frame));
        }
        let Some(chunk) = chunk else { return };
        let punctuality = &mut self.punctuality;
        conversion.push(chunk, arrival, |frame| {
            if !frame.time.is_expendable {
                punctuality.observe(frame.time.pts, arrival);
            }
            enqueue(schedule, pid, frame);
        });
        if conversion.is_hopeless() {
            self.end_conversion(State::Passing(Reason::Undecodable));
            return;
        }
        if conversion.unrecognised_bytes() < RESNIFF_AFTER_BYTES {
            *resniff = None;
            *failed_resniffs = 0;
            return;
        }
        let sniffer = resniff.get_or_insert_with(|| Sniffer::new(None));
        sniffer.push(chunk.data, chunk.pts);
        match sniffer.verdict() {
            Verdict::NeedMore => {}
            Verdict::Found(Codec::AacAdts) => {
                self.end_conversion(State::Passing(Reason::Aac { foreign_pes: 0 }));
            }
            Verdict::Found(_) => {
                if let Some(framer) = resniff.take().and_then(Sniffer::into_framer) {
                    conversion.replace_source(framer, |frame| enqueue(schedule, pid, frame));
                }
            }
            Verdict::Unknown => {
                *failed_resniffs += 1;
                let sniffer = resniff.take();
                if *failed_resniffs >= MAX_RESNIFFS
                    && let Some(sniffer) = sniffer
                {
                    let next = self.unknown(&sniffer);
                    self.end_conversion(next);
                }
            }
        }
    }

    fn begin_conversion(&mut self, sniffer: Sniffer) {
        let Some(framer) = sniffer.into_framer() else {
            return;
        };
        let mut conversion = Conversion::new(framer, self.format, self.bitrate_bps);
        let (pid, schedule) = (self.output_pid, &mut self.schedule);
        let nothing = EsChunk {
            data: &[],
            starts_pes: false,
            pts: None,
            dts: None,
        };
        conversion.push(nothing, None, |frame| enqueue(schedule, pid, frame));
        self.leaving.append(&mut self.leaving_next);
        self.was_scrambled = matches!(&self.state,
            State::Seeking(seeking) if seeking.reported == TrackState::Scrambled);
        // Clocks in them are still to leave.
        let held = match &mut self.state {
            State::Probing { held, .. } | State::Seeking(Seeking { held, .. }) => {
                std::mem::take(held)
            }
            _ => Vec::new(),
        };
        self.is_proven = true;
        self.state = State::Converting {
            conversion: Box::new(conversion),
            resniff: None,
            failed_resniffs: 0,
            held,
        };
    }

    /// Goes on in another state, behind what is still in the encoder.
    fn end_conversion(&mut self, next: State) {
        self.let_held_leave();
        if let State::Converting { conversion, .. } = &mut self.state {
            let (pid, schedule) = (self.output_pid, &mut self.schedule);
            conversion.finish(|frame| enqueue(schedule, pid, frame));
            self.ended.add(&conversion.counts());
        }
        self.state = next;
    }

    /// Sends the PCR that a packet of a rewritten PID carries.
    fn send_clock(&mut self, packet: Packet<'_>, output: &mut Vec<u8>) {
        if packet.pcr().is_some() && !packet.transport_error() && self.keeps_pid() {
            self.counter.send(without_payload(packet), output);
        }
    }
}

impl State {
    /// Where a track begins of which nothing is known but its declaration.
    fn beginning(declared: DeclaredAudio) -> Self {
        if declared.is_named && declared.codec.is_some() {
            Self::Probing {
                sniffer: Sniffer::new(declared.codec),
                held: Vec::new(),
            }
        } else if declared.is_named {
            Self::Seeking(Seeking::new(declared, TrackState::Unsupported))
        } else {
            Self::Seeking(Seeking::new(declared, TrackState::Waiting))
        }
    }
}

impl Seeking {
    fn new(declared: DeclaredAudio, reported: TrackState) -> Self {
        Self {
            sniffer: Sniffer::new(declared.codec),
            held: Vec::new(),
            held_from: None,
            false_beginnings: 0,
            reported,
        }
    }

    /// Takes the next of the elementary stream; says by `held_from` whether what is held
    /// has to wait.
    fn push(&mut self, chunk: Option<EsChunk<'_>>) -> Verdict {
        let Some(chunk) = chunk else {
            return Verdict::NeedMore;
        };
        let may_hold = self.false_beginnings < MAX_FALSE_BEGINNINGS;
        if self.held_from.is_none() && chunk.starts_pes && may_hold {
            self.held_from = Some(self.sniffer.end());
        }
        self.sniffer.push(chunk.data, chunk.pts);
        let verdict = self.sniffer.verdict();
        if verdict == Verdict::NeedMore
            && let Some(from) = self.held_from
            && !self.sniffer.is_promising(from)
        {
            self.held_from = None;
            // Of a header that was none at once nothing has waited.
            self.false_beginnings += u8::from(self.held.len() > 1);
        }
        verdict
    }
}

impl Reason {
    fn state(&self) -> TrackState {
        match self {
            Self::Aac { .. } => TrackState::PassingAac,
            Self::Scrambled { .. } => TrackState::Scrambled,
            Self::Undecodable => TrackState::Unsupported,
        }
    }
}

/// A language code as text; broadcasts hold such as "es" and a zero byte.
fn printable(code: [u8; 3]) -> String {
    let letters = code.into_iter().filter(u8::is_ascii_graphic);
    letters.map(char::from).collect()
}

fn enqueue(schedule: &mut Schedule, pid: Pid, frame: AacFrame<'_>) {
    if frame.time.starts_base {
        schedule.mark_discontinuity();
    }
    schedule.add(pid, frame.time, frame.adts);
}
