//! One audio PID: from its packets to what leaves on its place.
//!
//! ```text
//! packets -> Scrambling -+-> Content: what they hold -> Outlet -> output
//!                        '-> undecided: wait for the next packet
//! ```

use super::clock::{Clocks, Moment};
use super::content::{Content, Judged, Signalled};
use super::outlet::{Outlet, PacketBytes};
use super::scrambled_run::ScrambledRun;
use super::signalling::DeclaredAudio;
use crate::audio::access_unit::Lost;
use crate::ts::continuity::Continuity;
use crate::ts::packet::{Packet, Pid};
use crate::ts::scrambling::{Judgement, Scrambling};
use crate::{Options, TrackState, TrackStats};

/// Maximum number of packets that wait until the next packet shows whether they are scrambled.
const MAX_UNDECIDED_PACKETS: usize = 16;

/// An audio PID that is rewritten, or may be later.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) pid: Pid,
    /// Program that declares it.
    pub(super) program: u16,
    /// PID of its program's clock.
    pub(super) pcr_pid: Pid,
    pub(super) content: Content,
    outlet: Outlet,
    scrambling: Scrambling,
    run: ScrambledRun,
    undecided: Vec<(PacketBytes, Continuity)>,
    scrambled_packets: u64,
    continuity_errors: u64,
}

/// Where a PMT declares a track.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declaration {
    pub(super) pid: Pid,
    pub(super) program: u16,
    pub(super) pcr_pid: Pid,
    pub(super) audio: DeclaredAudio,
}

impl Track {
    /// Begin a track that a PMT declares. `last_counter` is that of the last packet of
    /// `output_pid` in the output.
    pub(super) fn new(
        declaration: Declaration,
        output_pid: Pid,
        options: &Options,
        last_counter: Option<u8>,
    ) -> Self {
        let Declaration {
            pid,
            program,
            pcr_pid,
            audio,
        } = declaration;
        let keeps_pid = pid == output_pid;
        let is_clock = output_pid == pcr_pid;
        Self {
            pid,
            program,
            pcr_pid,
            content: Content::new(audio, keeps_pid, options),
            outlet: Outlet::new(output_pid, keeps_pid, is_clock, options, last_counter),
            scrambling: Scrambling::default(),
            run: ScrambledRun::default(),
            undecided: Vec::new(),
            scrambled_packets: 0,
            continuity_errors: 0,
        }
    }

    /// Follow a new PMT that declares the PID.
    pub(super) fn redeclare(&mut self, declaration: Declaration) {
        (self.program, self.pcr_pid) = (declaration.program, declaration.pcr_pid);
        self.outlet.is_clock = self.outlet.pid == self.pcr_pid;
        self.content.redeclare(declaration.audio, &mut self.outlet);
    }

    /// Return the PID on which AAC leaves.
    pub(super) fn output_pid(&self) -> Pid {
        self.outlet.pid
    }

    /// Return whether it is audio and was not left out.
    pub(super) fn is_heard(&self) -> bool {
        self.content.is_audio() && !self.content.state.is_dropped()
    }

    /// Return whether what the PMT promises is awaited in vain because it is scrambled.
    pub(super) fn awaits_key(&self) -> bool {
        self.content.state.is_promised() && self.run.is_scrambled()
    }

    /// Let scrambled packets pass.
    pub(super) fn give_up_scrambled(&mut self) {
        self.content.give_up_scrambled(&mut self.outlet);
    }

    /// Promise AAC again, as for other tracks of its program.
    pub(super) fn expect_clear(&mut self) {
        self.content.expect_clear(&mut self.outlet);
    }

    /// Take the PID's next packet; `now` is the clock of its program. Append what leaves at
    /// once. Return whether [`Content::signalled`] has changed: then the PMT has to leave, and
    /// [`release`](Self::release) has to be called after it.
    pub(super) fn push(
        &mut self,
        packet: Packet<'_>,
        continuity: Continuity,
        now: Option<Moment>,
        output: &mut Vec<u8>,
    ) -> bool {
        if !self.outlet.keeps_pid && !self.content.state.is_dropped() {
            output.extend_from_slice(packet.bytes());
        }
        let before = self.content.signalled();
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
        if self.content.signalled() == before {
            self.release(output);
            return false;
        }
        self.conclude(output);
        true
    }

    /// Take the packets that were undecided.
    fn decide(&mut self, are_scrambled: bool, now: Option<Moment>, output: &mut Vec<u8>) {
        for (bytes, continuity) in std::mem::take(&mut self.undecided) {
            self.take(Packet::new(&bytes), continuity, are_scrambled, now, output);
        }
    }

    /// Take a packet of which it is known whether it is scrambled.
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
            self.run.extend(now);
        } else if packet.has_payload() && !packet.transport_error() {
            self.run.end();
        }
        let lost = match continuity {
            Continuity::Lost { is_error, packets } => Some(Lost {
                packets: is_error.then_some(packets.into()),
            }),
            // What it held counts as missing at the next packet.
            _ => packet
                .transport_error()
                .then_some(Lost { packets: Some(0) }),
        };
        if let Some(lost) = lost {
            self.content.lose(lost, &mut self.outlet);
        }
        let input = Judged {
            packet,
            continuity,
            is_scrambled,
            arrival: now.map(|now| now.arrival()),
        };
        self.content
            .take(input, &self.run, &mut self.outlet, output);
        if self.run.is_scrambled() {
            // Then the PMT stays as it is.
            let changes_nothing = self.content.signalled() == Signalled::AsInSource;
            if self.run.lasts_long(now) || changes_nothing {
                self.give_up_scrambled();
            }
        }
    }

    /// Append the packets that must leave before a changed PMT.
    pub(super) fn conclude(&mut self, output: &mut Vec<u8>) {
        if !self.content.state.is_converting() {
            self.outlet.send_due(None, output);
        }
        if self.content.is_clear_again() {
            // Scrambled packets of long ago would only leave in a heap.
            self.outlet.drop_leaving(output);
        }
        self.outlet.conclude(output);
    }

    /// Append packets that no longer have a reason to wait.
    pub(super) fn release(&mut self, output: &mut Vec<u8>) {
        self.outlet.release(output);
        if self.run.is_over() {
            self.content.release(&mut self.outlet, output);
        }
    }

    /// Append the converted packets whose time has come at packet `number`; all of them without
    /// a clock, unless one may still come.
    pub(super) fn send_due(&mut self, clocks: &Clocks, number: u64, output: &mut Vec<u8>) {
        let holds_sound = self.content.state.holds_sound();
        if !holds_sound && !self.outlet.has_waiting() {
            return;
        }
        let moment = clocks.moment(self.pcr_pid, number);
        if let Some(moment) = moment
            && holds_sound
        {
            self.content
                .push_out_overdue(moment.arrival(), &mut self.outlet);
        }
        if moment.is_some() || !self.can_await_clock() {
            self.outlet.send_due(moment, output);
        }
    }

    /// Return whether converted packets have left on the source's PID.
    pub(super) fn has_replaced_source(&self) -> bool {
        self.outlet.keeps_pid && self.outlet.is_ours()
    }

    fn can_await_clock(&self) -> bool {
        self.pcr_pid.is_assignable() && self.outlet.can_await_clock()
    }

    /// End the track: what is held is going to leave. Return whether [`Content::signalled`]
    /// has changed, as [`push`](Self::push) does.
    pub(super) fn end(&mut self, output: &mut Vec<u8>) -> bool {
        let before = self.content.signalled();
        self.decide(true, None, output);
        self.content.end(&self.run, &mut self.outlet);
        if self.content.signalled() == before {
            return false;
        }
        self.conclude(output);
        true
    }

    /// Append everything that is left of a track that has ended.
    pub(super) fn finish(&mut self, output: &mut Vec<u8>) {
        self.outlet.finish(output);
    }

    pub(super) fn stats(&self) -> TrackStats {
        let (mut state, mut counts) = self.content.state.stats();
        counts.add(&self.content.ended);
        if self.run.is_scrambled() && state != TrackState::Dropped {
            state = TrackState::Scrambled;
        }
        TrackStats {
            pid: self.pid.value(),
            program: self.program,
            output_pid: self.output_pid().value(),
            state,
            codec: self.content.state.codec().or(counts.codec),
            language: self.content.language().map(printable),
            frames_decoded: counts.frames_decoded,
            frames_encoded: counts.frames_encoded,
            decode_errors: counts.decode_errors,
            silence_ms: counts.silence_ms,
            scrambled_packets: self.scrambled_packets,
            continuity_errors: self.continuity_errors,
        }
    }
}

/// Return a language code as text; broadcasts hold such as "es" and a zero byte.
fn printable(code: [u8; 3]) -> String {
    let letters = code.into_iter().filter(u8::is_ascii_graphic);
    letters.map(char::from).collect()
}
