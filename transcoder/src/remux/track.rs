//! One audio PID: from its packets to what leaves on its place.
//!
//! ```text
//!             a header was found                    scrambled, or another coding
//!  Probing ----------------------> Converting ------------------------------.
//!   |   ^                              ^                                    |
//!   |   | clear again                  | a header was found                 v
//!   |   '------------------------------+--------------------------------- Passing
//!   '------------------------------------------------------------------------^
//!      AAC already, scrambled, nothing found
//! ```
//!
//! While probing, packets are held: the PMT already promises AAC, and none of them
//! may leave before it is known whether they have to.

use std::collections::VecDeque;

use super::continuity::{Continuity, OutputCounter};
use super::schedule::{Moment, Schedule};
use super::signalling::DeclaredAudio;
use crate::audio::Codec;
use crate::audio::access_unit::Framer;
use crate::audio::conversion::{AacFrame, Conversion, Counts};
use crate::audio::native::OutputFormat;
use crate::audio::sniff::{Sniffer, Verdict};
use crate::ts::packet::{PACKET_BYTES, Packet, Pid, without_payload};
use crate::ts::pes::{EsChunk, PesReader};
use crate::{Options, TrackState, TrackStats};

/// Scrambled packets in a row that make a track a scrambled one; fewer are damage.
const SCRAMBLED_RUN: usize = 16;

/// Held packets that leave for one that comes: more than one, so that they catch up.
const RELEASED_AT_ONCE: usize = 2;

/// Packets held while probing: what a sniffer may want, in packets half full.
const MAX_HELD_PACKETS: usize = 512;

/// Bytes without a frame header after which another coding is looked for: more than
/// any frame, so that one damaged frame is not enough.
const RESNIFF_AFTER_BYTES: usize = 8 * 1024;

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
    pes: PesReader,
    schedule: Schedule,
    counter: OutputCounter,
    /// What conversions that have ended did.
    ended: Counts,
    scrambled_packets: u64,
    continuity_errors: u64,
}

#[derive(Debug)]
enum State {
    Probing {
        sniffer: Sniffer,
        held: Held,
    },
    Converting {
        conversion: Box<Conversion>,
        resniff: Option<Sniffer>,
        held: Held,
    },
    Passing {
        reason: Reason,
        held: Held,
    },
    Dropped,
}

/// Packets that wait for a decision, and how many of the last were scrambled.
#[derive(Debug, Default)]
struct Held {
    packets: VecDeque<PacketBytes>,
    scrambled_run: usize,
}

/// Why packets pass untouched, and what may end that.
#[derive(Debug)]
enum Reason {
    /// Not known yet what it is; packets do not wait, for the PMT promises nothing.
    Unknown(Sniffer),
    /// It is AAC in ADTS. Counts PES packets that do not look it.
    Aac { foreign_pes: u8 },
    /// It is scrambled.
    Scrambled,
    /// Nothing that can be decoded was found; the search goes on.
    Unsupported(Sniffer),
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
        let sniffer = Sniffer::new(declared.codec);
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
            state: State::search(sniffer, declared.codec, pid == output_pid, Held::default()),
            pes: PesReader::default(),
            schedule: Schedule::new(options.bitrate_bps, options.channels),
            counter: OutputCounter::after(last_counter),
            ended: Counts::default(),
            scrambled_packets: 0,
            continuity_errors: 0,
        }
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
        if recoded && let State::Passing { reason, .. } = &mut self.state {
            *reason = Reason::Unknown(Sniffer::new(declared.codec));
        }
    }

    /// What the PMT has to say.
    pub(super) fn signalled(&self) -> Signalled {
        match &self.state {
            State::Probing { .. } | State::Converting { .. } => Signalled::AsAac,
            State::Passing {
                reason: Reason::Aac { .. },
                ..
            } if self.keeps_pid() => {
                if self.declared.codec == Some(Codec::AacAdts) {
                    Signalled::AsInSource
                } else {
                    Signalled::AsAac
                }
            }
            State::Passing { .. } => Signalled::AsInSource,
            State::Dropped => Signalled::LeftOut,
        }
    }

    /// The coding found in the elementary stream, if any.
    pub(super) fn codec(&self) -> Option<Codec> {
        match &self.state {
            State::Converting { conversion, .. } => conversion.counts().codec,
            State::Passing {
                reason: Reason::Aac { .. },
                ..
            } => Some(Codec::AacAdts),
            _ => None,
        }
    }

    /// Takes the PID's next packet and appends what leaves at once. Returns whether
    /// [`signalled`](Self::signalled) has changed: then the PMT has to leave first,
    /// and [`release`](Self::release) has to be called after it.
    pub(super) fn push(
        &mut self,
        packet: Packet<'_>,
        continuity: Continuity,
        output: &mut Vec<u8>,
    ) -> bool {
        if !self.keeps_pid() && !matches!(self.state, State::Dropped) {
            output.extend_from_slice(packet.bytes());
        }
        let before = self.signalled();
        if packet.is_scrambled() {
            self.scrambled_packets += 1;
        }
        if continuity.is_lost() {
            self.continuity_errors += 1;
        }
        if continuity.is_lost() || packet.transport_error() {
            self.lose();
        }
        match &mut self.state {
            State::Dropped => self.send_clock(packet, output),
            State::Probing { held, .. } => {
                held.add(packet);
                self.probe(packet, continuity);
            }
            State::Converting { held, .. } => {
                if packet.is_scrambled() && !packet.transport_error() {
                    held.add(packet);
                } else {
                    held.clear();
                    self.send_clock(packet, output);
                }
                self.convert(packet, continuity);
            }
            State::Passing { held, .. } => {
                held.count(packet);
                self.watch(packet, continuity);
                let repeats = continuity == Continuity::Repeats && self.counter.is_ours();
                match &mut self.state {
                    State::Passing { held, .. } | State::Probing { held, .. } => {
                        if !repeats {
                            held.packets.push_back(*packet.bytes());
                        }
                    }
                    State::Converting { .. } => self.send_clock(packet, output),
                    State::Dropped => {}
                }
            }
        }
        if self.signalled() != before {
            return true;
        }
        self.release(output);
        false
    }

    /// Lets held packets go that no longer have a reason to wait: a few at a time, for
    /// the receiver's transport buffer.
    pub(super) fn release(&mut self, output: &mut Vec<u8>) {
        self.release_up_to(RELEASED_AT_ONCE, output);
    }

    fn release_up_to(&mut self, count: usize, output: &mut Vec<u8>) {
        match &mut self.state {
            State::Passing { held, .. } => {
                let count = count.min(held.packets.len());
                for bytes in held.packets.drain(..count) {
                    if self.pid == self.output_pid {
                        self.counter.pass(bytes, output);
                    }
                }
            }
            State::Converting { held, .. } if held.scrambled_run == 0 => {
                for bytes in std::mem::take(&mut held.packets) {
                    self.send_clock(Packet::new(&bytes), output);
                }
            }
            State::Converting { .. } | State::Probing { .. } | State::Dropped => {}
        }
    }

    /// Appends the converted packets whose time has come.
    pub(super) fn send_due(&mut self, moment: Option<Moment>, output: &mut Vec<u8>) {
        while let Some(bytes) = self.schedule.next_due(moment) {
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

    /// Whether its packets may wait for a first PCR that is yet to come.
    pub(super) fn can_await_clock(&self) -> bool {
        self.pcr_pid.is_assignable() && self.schedule.can_await_clock()
    }

    /// Ends the track: everything that is held leaves.
    pub(super) fn finish(&mut self, output: &mut Vec<u8>) {
        if let State::Probing { sniffer, held } = &mut self.state {
            // What never came to be known passes, as it would have.
            let (sniffer, held) = (
                std::mem::replace(sniffer, Sniffer::new(None)),
                std::mem::take(held),
            );
            self.state = State::Passing {
                reason: Reason::Unknown(sniffer),
                held,
            };
        }
        if let State::Converting { conversion, .. } = &mut self.state {
            let (pid, schedule) = (self.output_pid, &mut self.schedule);
            conversion.finish(|frame| enqueue(schedule, pid, frame));
        }
        self.send_due(None, output);
        self.release_up_to(usize::MAX, output);
    }

    pub(super) fn stats(&self) -> TrackStats {
        let (state, mut counts) = match &self.state {
            State::Probing { .. } => (TrackState::Waiting, Counts::default()),
            State::Converting { conversion, .. } => (TrackState::Converting, conversion.counts()),
            State::Passing { reason, .. } => (reason.state(), Counts::default()),
            State::Dropped => (TrackState::Dropped, Counts::default()),
        };
        counts.add(&self.ended);
        TrackStats {
            pid: self.pid.value(),
            program: self.program,
            output_pid: self.output_pid.value(),
            state,
            codec: self.codec().or(counts.codec),
            language: self.declared.language.map(printable),
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

    fn lose(&mut self) {
        self.pes.lose();
        // On the PID of the clock the indicator would mean another time base
        // (2.4.3.5).
        if self.output_pid != self.pcr_pid {
            self.schedule.mark_discontinuity();
        }
        match &mut self.state {
            State::Probing { sniffer, .. }
            | State::Passing {
                reason: Reason::Unknown(sniffer) | Reason::Unsupported(sniffer),
                ..
            } => sniffer.lose(),
            State::Converting {
                conversion,
                resniff,
                ..
            } => {
                conversion.lose();
                if let Some(sniffer) = resniff {
                    sniffer.lose();
                }
            }
            State::Passing { .. } | State::Dropped => {}
        }
    }

    /// The packet's share of the elementary stream; none of a damaged, repeated or
    /// scrambled one.
    fn chunk<'a>(&mut self, packet: Packet<'a>, continuity: Continuity) -> Option<EsChunk<'a>> {
        let usable = !packet.is_scrambled()
            && !packet.transport_error()
            && packet.has_payload()
            && continuity != Continuity::Repeats;
        if !usable {
            return None;
        }
        self.pes.push(packet.payload(), packet.unit_start())
    }

    fn probe(&mut self, packet: Packet<'_>, continuity: Continuity) {
        let chunk = self.chunk(packet, continuity);
        let State::Probing { sniffer, held } = &mut self.state else {
            return;
        };
        if held.scrambled_run >= SCRAMBLED_RUN {
            let held = std::mem::take(held);
            self.state = State::Passing {
                reason: Reason::Scrambled,
                held,
            };
            return;
        }
        let verdict = match chunk {
            Some(chunk) => {
                sniffer.push(chunk.data, chunk.pts);
                sniffer.verdict()
            }
            None => Verdict::NeedMore,
        };
        let verdict = if held.packets.len() >= MAX_HELD_PACKETS && verdict == Verdict::NeedMore {
            Verdict::Unknown
        } else {
            verdict
        };
        let sniffer = match verdict {
            Verdict::NeedMore => return,
            _ => std::mem::replace(sniffer, Sniffer::new(None)),
        };
        let held = std::mem::take(held);
        match (verdict, sniffer.into_framer()) {
            (Verdict::Found(codec), Some(framer)) if codec != Codec::AacAdts => {
                self.begin_conversion(framer, held);
            }
            (Verdict::Found(_), _) => {
                self.state = State::Passing {
                    reason: Reason::Aac { foreign_pes: 0 },
                    held,
                };
            }
            _ => {
                self.state = State::Passing {
                    reason: unsupported(self.declared.codec),
                    held,
                }
            }
        }
    }

    fn watch(&mut self, packet: Packet<'_>, continuity: Continuity) {
        let chunk = self.chunk(packet, continuity);
        let declared = self.declared.codec;
        let keeps_pid = self.keeps_pid();
        let State::Passing { reason, held } = &mut self.state else {
            return;
        };
        if held.scrambled_run >= SCRAMBLED_RUN {
            *reason = Reason::Scrambled;
            return;
        }
        let Some(chunk) = chunk else { return };
        match reason {
            Reason::Undecodable => {}
            Reason::Scrambled => {
                if chunk.starts_pes {
                    let mut sniffer = Sniffer::new(declared);
                    sniffer.push(chunk.data, chunk.pts);
                    self.state = State::search(sniffer, declared, keeps_pid, std::mem::take(held));
                }
            }
            Reason::Aac { foreign_pes } => {
                if chunk.starts_pes && !chunk.data.is_empty() {
                    let looks_it =
                        matches!(chunk.data, [0xFF, second, ..] if second & 0xF6 == 0xF0);
                    *foreign_pes = if looks_it { 0 } else { *foreign_pes + 1 };
                    if *foreign_pes >= FOREIGN_PES_RUN {
                        *reason = Reason::Unknown(Sniffer::new(declared));
                    }
                }
            }
            Reason::Unknown(sniffer) | Reason::Unsupported(sniffer) => {
                sniffer.push(chunk.data, chunk.pts);
                match sniffer.verdict() {
                    Verdict::NeedMore => {}
                    Verdict::Unknown => *reason = unsupported(declared),
                    Verdict::Found(Codec::AacAdts) => *reason = Reason::Aac { foreign_pes: 0 },
                    Verdict::Found(_) => {
                        let sniffer = std::mem::replace(sniffer, Sniffer::new(None));
                        if let Some(framer) = sniffer.into_framer() {
                            self.begin_conversion(framer, Held::default());
                        }
                    }
                }
            }
        }
    }

    fn convert(&mut self, packet: Packet<'_>, continuity: Continuity) {
        let chunk = self.chunk(packet, continuity);
        let State::Converting {
            conversion,
            resniff,
            held,
        } = &mut self.state
        else {
            return;
        };
        if held.scrambled_run >= SCRAMBLED_RUN {
            let held = std::mem::take(held);
            self.end_conversion(Reason::Scrambled, held);
            return;
        }
        let Some(chunk) = chunk else {
            if packet.is_scrambled() {
                self.lose();
            }
            return;
        };
        let (pid, schedule) = (self.output_pid, &mut self.schedule);
        conversion.push(chunk, |frame| enqueue(schedule, pid, frame));
        if conversion.is_hopeless() {
            self.end_conversion(Reason::Undecodable, Held::default());
            return;
        }
        if conversion.unrecognised_bytes() < RESNIFF_AFTER_BYTES {
            *resniff = None;
            return;
        }
        let sniffer = resniff.get_or_insert_with(|| Sniffer::new(None));
        sniffer.push(chunk.data, chunk.pts);
        match sniffer.verdict() {
            Verdict::NeedMore => {}
            Verdict::Found(Codec::AacAdts) => {
                self.end_conversion(Reason::Aac { foreign_pes: 0 }, Held::default());
            }
            Verdict::Found(_) => {
                if let Some(framer) = resniff.take().and_then(Sniffer::into_framer) {
                    conversion.replace_source(framer, |frame| enqueue(schedule, pid, frame));
                }
            }
            Verdict::Unknown => {
                self.end_conversion(unsupported(self.declared.codec), Held::default());
            }
        }
    }

    fn begin_conversion(&mut self, framer: Framer, held: Held) {
        let mut conversion = Conversion::new(framer, self.format, self.bitrate_bps);
        let (pid, schedule) = (self.output_pid, &mut self.schedule);
        let nothing = EsChunk {
            data: &[],
            starts_pes: false,
            pts: None,
        };
        conversion.push(nothing, |frame| enqueue(schedule, pid, frame));
        self.state = State::Converting {
            conversion: Box::new(conversion),
            resniff: None,
            held,
        };
    }

    /// Lets packets pass from now on, behind what is still in the encoder.
    fn end_conversion(&mut self, reason: Reason, mut held: Held) {
        if let State::Converting { conversion, .. } = &mut self.state {
            let (pid, schedule) = (self.output_pid, &mut self.schedule);
            conversion.finish(|frame| enqueue(schedule, pid, frame));
            self.ended.add(&conversion.counts());
        }
        if self.keeps_pid() {
            while let Some(bytes) = self.schedule.take_last() {
                held.packets.push_front(bytes);
                self.counter.take_over();
            }
        }
        self.state = State::Passing { reason, held };
    }

    /// Sends the PCR that a packet of a rewritten PID carries.
    fn send_clock(&mut self, packet: Packet<'_>, output: &mut Vec<u8>) {
        if packet.pcr().is_some() && !packet.transport_error() && self.keeps_pid() {
            self.counter.send(without_payload(packet), output);
        }
    }
}

impl State {
    /// Where a track begins of which nothing is known but its declaration. DTS shares
    /// its stream_type with subtitles, and an original that is kept has to go on
    /// leaving: for these nothing is promised, and nothing held, before more is known.
    fn search(sniffer: Sniffer, declared: Option<Codec>, keeps_pid: bool, held: Held) -> Self {
        match declared {
            None => Self::Passing {
                reason: Reason::Unsupported(sniffer),
                held,
            },
            Some(Codec::AacAdts | Codec::Dts) => Self::Passing {
                reason: Reason::Unknown(sniffer),
                held,
            },
            Some(_) if keeps_pid => Self::Probing { sniffer, held },
            Some(_) => Self::Passing {
                reason: Reason::Unknown(sniffer),
                held,
            },
        }
    }
}

impl Reason {
    fn state(&self) -> TrackState {
        match self {
            Self::Unknown(_) => TrackState::Waiting,
            Self::Aac { .. } => TrackState::PassingAac,
            Self::Scrambled => TrackState::Scrambled,
            Self::Unsupported(_) | Self::Undecodable => TrackState::Unsupported,
        }
    }
}

impl Held {
    fn add(&mut self, packet: Packet<'_>) {
        self.packets.push_back(*packet.bytes());
        self.count(packet);
    }

    fn count(&mut self, packet: Packet<'_>) {
        self.scrambled_run = if packet.is_scrambled() {
            self.scrambled_run + 1
        } else {
            0
        };
    }

    fn clear(&mut self) {
        self.packets.clear();
        self.scrambled_run = 0;
    }
}

/// The search for something that can be decoded begins anew.
fn unsupported(declared: Option<Codec>) -> Reason {
    Reason::Unsupported(Sniffer::new(declared))
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
