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

mod opening;
mod pat;
mod points;
mod program;
mod punctuality;
mod schedule;
pub(crate) mod signalling;
mod splice_marks;
mod track;

use crate::ts::continuity::{Continuity, SourceCounter};
use opening::Opening;
use pat::Pat;
use points::{Named, Points};
pub use points::{Point, PointKind};
use program::{PmtPid, Program};
use schedule::{Moment, PCR_ADVANCE_27M, ProgramClock};
use signalling::{DeclaredAudio, declared_audio};
use splice_marks::{SpliceMarks, version_offset};
use track::Track;

use crate::ts::packet::{PACKET_BYTES, Packet, Pid, SYNC_BYTE, set_pcr};
use crate::ts::psi::{self, Pmt, TABLE_PMT};
use crate::ts::sync::Synchroniser;
use crate::ts::video::VideoCodec;
use crate::{DualMono, Error, ErrorKind, Language, Options, Stats, TrackStats, Tracks};

/// Programs that are followed. A satellite transponder has at most some 60.
const MAX_PROGRAMS: usize = 128;

/// Tracks that are followed at a time. Beyond it audio passes untouched.
const MAX_TRACKS: usize = 64;

/// Tracks that have ended and still show in the statistics.
const MAX_ENDED_TRACKS: usize = 64;

/// PIDs below are reserved for tables and service information (EN 300 468, 5.1.3).
const FIRST_FREE_PID: u16 = 0x20;

/// Where the search for the PID of an added AAC track begins: above what
/// broadcasters and multiplexers commonly use.
const FIRST_ADDED_PID: u16 = 0x1D00;

/// Converts the audio of one transport stream.
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
    /// Makes a remuxer; fails when an option is out of its range.
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

    /// Takes the next bytes of the stream and appends what can leave to `output`:
    /// whole packets, often none.
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

    /// Ends the stream and appends what was still held. Further calls do nothing.
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

    /// The oldest point that was not taken yet, in the order in which they became known.
    ///
    /// A point may lie before what the last call gave: whether a decoder can begin with a
    /// picture is known only once its first slice has left. With 1024 points not taken the
    /// oldest are forgotten.
    pub fn next_point(&self) -> Option<&Point> {
        self.stream.points.next()
    }

    /// Takes the point that [`next_point`](Self::next_point) shows.
    pub fn take_point(&mut self) -> Option<Point> {
        self.stream.points.take()
    }

    /// The counters so far.
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

/// What happens to the packets of a PID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Pass,
    Drop,
    Pat,
    /// Index into `pmt_pids`.
    Pmt(u8),
    /// Index into `tracks`.
    Track(u8),
}

/// What came on the PID of a PMT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PmtSection {
    /// The PMT in force of a program with this number.
    Of(u16),
    /// A PMT that is not in force, or of a program that is not followed.
    OfNobody,
    AnotherTable,
    Damaged,
}

/// Everything behind packet alignment.
#[derive(Debug)]
struct Stream {
    options: Options,
    routes: Box<[Route]>,
    counters: Box<[SourceCounter]>,
    /// The continuity counter of each PID's last packet in the output.
    sent_counters: Box<[Option<u8>]>,
    pat: Pat,
    pmt_pids: Vec<PmtPid>,
    programs: Vec<Program>,
    tracks: Vec<Track>,
    clocks: Vec<ProgramClock>,
    ended_tracks: Vec<TrackStats>,
    /// PIDs that a packet was seen on.
    seen: Box<[bool]>,
    /// PIDs that a table in force names.
    named: Box<[bool]>,
    /// PIDs that carried AAC of ours and that no PMT names any more. What the source
    /// still sends there belongs to nothing, and its counters do not follow ours.
    abandoned_pids: Vec<Pid>,
    /// Of a stream that goes on where another remuxer's has broken off.
    marks: Option<SpliceMarks>,
    points: Points,
    /// Packets recognised, those that wait for the tables included.
    packets: u64,
    continuity_errors: u64,
    transport_errors: u64,
    psi_errors: u64,
}

impl Stream {
    fn new(options: Options) -> Self {
        let mut stream = Self {
            pat: Pat::new(version_offset(options.generation)),
            marks: (options.generation > 0).then(SpliceMarks::new),
            options,
            routes: vec![Route::Pass; Pid::COUNT].into(),
            counters: vec![SourceCounter::default(); Pid::COUNT].into(),
            sent_counters: vec![None; Pid::COUNT].into(),
            pmt_pids: Vec::new(),
            programs: Vec::new(),
            tracks: Vec::new(),
            clocks: Vec::new(),
            ended_tracks: Vec::new(),
            seen: vec![false; Pid::COUNT].into(),
            named: vec![false; Pid::COUNT].into(),
            abandoned_pids: Vec::new(),
            points: Points::new(),
            packets: 0,
            continuity_errors: 0,
            transport_errors: 0,
            psi_errors: 0,
        };
        stream.route();
        stream
    }

    /// Counts a packet that was recognised.
    fn note(&mut self, packet: Packet<'_>) {
        self.packets += 1;
        self.seen[packet.pid().index()] = true;
    }

    /// Learns the tables from a packet that waits for the first of them.
    fn study(&mut self, packet: Packet<'_>) {
        if packet.transport_error() || packet.pid() == Pid::NULL {
            return;
        }
        let mut nothing = Vec::new();
        let index = packet.pid().index();
        let continuity = self.counters[index].judge(packet);
        match self.routes[index] {
            Route::Pat => {
                if self.pat.push(packet, continuity).changed {
                    self.follow_pat(&mut nothing);
                }
            }
            Route::Pmt(index) => {
                let entry = &mut self.pmt_pids[usize::from(index)];
                for section in entry.push(packet, continuity, &mut nothing) {
                    self.follow_pmt(packet.pid(), &section, &mut nothing);
                }
            }
            Route::Pass | Route::Drop | Route::Track(_) => {}
        }
    }

    /// How many of the programs that are wanted have had their PMT.
    fn known_programs(&self) -> usize {
        self.programs.iter().filter(|p| p.pmt().is_some()).count()
    }

    /// Whether every program that is wanted has had its PMT.
    fn knows_every_program(&self) -> bool {
        self.pat.is_known() && self.known_programs() == self.programs.len()
    }

    /// Whether a packet of the PID need not wait for a PMT: a table that is known names it,
    /// or no PMT may (EN 300 468, 5.1.3).
    fn has_place(&self, pid: Pid) -> bool {
        pid.value() < FIRST_FREE_PID || pid == Pid::NULL || self.named[pid.index()]
    }

    /// Forgets which packets [`study`](Self::study) has seen: they come again. If no PMT
    /// came it has learnt nothing.
    fn rewind(&mut self) {
        if self.known_programs() == 0 {
            self.pat = Pat::new(version_offset(self.options.generation));
            self.programs.clear();
            self.pmt_pids.clear();
            self.route();
        }
        self.forget_counters();
    }

    /// What comes next does not follow what came.
    fn forget_counters(&mut self) {
        self.counters.fill(SourceCounter::default());
        self.pat.lose();
        for entry in &mut self.pmt_pids {
            entry.lose();
        }
    }

    /// Takes a packet; `number` is its place in the source.
    fn push(&mut self, packet: Packet<'_>, number: u64, output: &mut Vec<u8>) {
        let start = output.len();
        let pid = packet.pid();
        let damaged = packet.transport_error();
        let mut continuity = Continuity::Follows;
        if damaged {
            self.transport_errors += 1;
        } else if pid != Pid::NULL {
            continuity = self.counters[pid.index()].judge(packet);
            let is_error = matches!(continuity, Continuity::Lost { is_error: true, .. });
            self.continuity_errors += u64::from(is_error);
        }
        if !damaged
            && let Some(pcr) = packet.pcr()
            && let Some(clock) = self.clocks.iter_mut().find(|clock| clock.pid == pid)
        {
            clock.observe(pcr, number);
        }
        match self.routes[pid.index()] {
            Route::Pass => output.extend_from_slice(packet.bytes()),
            Route::Drop => {}
            Route::Pat => self.push_pat(packet, continuity, output),
            Route::Pmt(index) => self.push_pmt(index.into(), packet, continuity, output),
            Route::Track(index) => {
                let index = usize::from(index);
                let now = self.now(self.tracks[index].pcr_pid, number);
                if self.tracks[index].push(packet, continuity, now, output) {
                    self.follow_track(index, output);
                }
            }
        }
        self.send_due(number, output);
        self.seal(output, start);
    }

    fn finish(&mut self, output: &mut Vec<u8>) {
        let start = output.len();
        let mut changed = Vec::new();
        for track in &mut self.tracks {
            if track.end(output) {
                changed.push(track.pid);
            }
        }
        self.write_pmts_of(&changed, output);
        for track in &mut self.tracks {
            track.finish(output);
        }
        self.seal(output, start);
    }

    /// The clock of a program at a packet.
    fn now(&self, pcr_pid: Pid, number: u64) -> Option<Moment> {
        let clock = self.clocks.iter().find(|clock| clock.pid == pcr_pid)?;
        clock.moment(number)
    }

    /// Announces what has become of a track. What its program's other tracks are to become
    /// for the same reason is announced with it, in one PMT.
    fn follow_track(&mut self, index: usize, output: &mut Vec<u8>) {
        let track = &self.tracks[index];
        let (pid, program) = (track.pid, track.program);
        let is_scrambled = track.passes_scrambled();
        let is_clear = track.is_clear_again();
        let mut changed = vec![pid];
        for other in self
            .tracks
            .iter_mut()
            .filter(|other| other.program == program)
        {
            let before = other.signalled();
            if is_scrambled && other.awaits_key() {
                other.give_up_scrambled();
            } else if is_clear {
                other.expect_clear();
            }
            if other.signalled() != before {
                other.conclude(output);
                changed.push(other.pid);
            }
        }
        self.choose_again(program);
        self.write_pmts_of(&changed, output);
        self.watch_output();
        for track in self
            .tracks
            .iter_mut()
            .filter(|track| changed.contains(&track.pid))
        {
            track.release(output);
        }
    }

    fn send_due(&mut self, number: u64, output: &mut Vec<u8>) {
        for track in &mut self.tracks {
            let holds_sound = track.holds_sound();
            if !holds_sound && !track.has_waiting() {
                continue;
            }
            let clock = self.clocks.iter().find(|clock| clock.pid == track.pcr_pid);
            let moment = clock.and_then(|clock| clock.moment(number));
            if holds_sound && let Some(moment) = moment {
                track.push_out_overdue(moment.arrival());
            }
            if !track.has_waiting() {
                continue;
            }
            if moment.is_some() || !track.can_await_clock() {
                track.send_due(moment, output);
            }
        }
    }

    /// Leaves out what is not chosen of a program, of whose tracks one has turned out to be
    /// audio. Those that its PMT names as audio come first.
    fn choose_again(&mut self, program: u16) {
        let is_choice = |track: &&mut Track| track.program == program && track.is_heard();
        let choices: Vec<&mut Track> = self.tracks.iter_mut().filter(is_choice).collect();
        let candidates: Vec<_> = choices.iter().map(|t| (t.pid, t.declared())).collect();
        if let Some(chosen) = choose(&self.options.tracks, &candidates) {
            for track in choices {
                if track.pid != chosen.pid {
                    track.drop_out();
                } else if let Some(channel) = chosen.channel {
                    track.hear(channel);
                }
            }
        }
    }

    fn push_pat(&mut self, packet: Packet<'_>, continuity: Continuity, output: &mut Vec<u8>) {
        if self.options.program == 0 {
            output.extend_from_slice(packet.bytes());
        }
        let outcome = self.pat.push(packet, continuity);
        self.psi_errors += outcome.errors;
        if outcome.changed {
            self.follow_pat(output);
        }
        if self.options.program != 0 && outcome.sections > 0 {
            self.pat.write_single(self.options.program, output);
        }
    }

    /// Takes over the programs of a new PAT.
    fn follow_pat(&mut self, output: &mut Vec<u8>) {
        let chosen = self.options.program;
        let wanted: Vec<(u16, Pid)> = self
            .pat
            .programs()
            .filter(|&(number, pid)| pid.is_assignable() && (chosen == 0 || number == chosen))
            .take(MAX_PROGRAMS)
            .collect();
        self.programs
            .retain(|program| wanted.contains(&(program.number, program.pmt_pid)));
        for (number, pmt_pid) in wanted {
            if !self.programs.iter().any(|program| program.number == number) {
                let offset = version_offset(self.options.generation);
                self.programs.push(Program::new(number, pmt_pid, offset));
            }
        }
        let programs = &self.programs;
        self.pmt_pids
            .retain(|entry| programs.iter().any(|p| p.pmt_pid == entry.pid));
        for program in programs {
            if !self
                .pmt_pids
                .iter()
                .any(|entry| entry.pid == program.pmt_pid)
            {
                let counter = self.sent_counters[program.pmt_pid.index()];
                self.pmt_pids.push(PmtPid::new(program.pmt_pid, counter));
            }
        }
        self.follow_programs(output);
    }

    fn push_pmt(
        &mut self,
        index: usize,
        packet: Packet<'_>,
        continuity: Continuity,
        output: &mut Vec<u8>,
    ) {
        let pid = self.pmt_pids[index].pid;
        let sections = self.pmt_pids[index].push(packet, continuity, output);
        for section in sections {
            match self.follow_pmt(pid, &section, output) {
                PmtSection::Of(number) => self.write_pmt(number, output),
                PmtSection::Damaged => {
                    self.psi_errors += 1;
                    self.repeat_pmt(pid, output);
                }
                PmtSection::AnotherTable => {
                    if let Some(entry) = self.pmt_pids.iter_mut().find(|entry| entry.pid == pid) {
                        entry.send(&section, output);
                    }
                }
                PmtSection::OfNobody => {}
            }
        }
    }

    /// Takes over what a section says that came on a PMT's PID.
    fn follow_pmt(&mut self, pid: Pid, section: &[u8], output: &mut Vec<u8>) -> PmtSection {
        if section.first() != Some(&TABLE_PMT) {
            return PmtSection::AnotherTable;
        }
        let read =
            psi::check(section).and_then(|(header, content)| Some((header, Pmt::parse(content)?)));
        let Some((header, pmt)) = read else {
            return PmtSection::Damaged;
        };
        let known = self
            .programs
            .iter_mut()
            .find(|program| program.number == header.id && program.pmt_pid == pid);
        let Some(program) = known.filter(|_| header.current) else {
            return PmtSection::OfNobody;
        };
        if program.follow(header.version, pmt) {
            self.follow_programs(output);
        }
        PmtSection::Of(header.id)
    }

    /// Sends the last good PMT where a damaged one stood, if it is clear which.
    fn repeat_pmt(&mut self, pid: Pid, output: &mut Vec<u8>) {
        let mut numbers = self
            .programs
            .iter()
            .filter(|p| p.pmt_pid == pid)
            .map(|program| program.number);
        if let (Some(number), None) = (numbers.next(), numbers.next()) {
            self.write_pmt(number, output);
        }
    }

    fn write_pmts_of(&mut self, pids: &[Pid], output: &mut Vec<u8>) {
        let numbers: Vec<u16> = self
            .programs
            .iter()
            .filter(|program| pids.iter().any(|&pid| program.declares(pid)))
            .map(|p| p.number)
            .collect();
        for number in numbers {
            self.write_pmt(number, output);
        }
    }

    fn write_pmt(&mut self, number: u16, output: &mut Vec<u8>) {
        let Some(program) = self.programs.iter_mut().find(|p| p.number == number) else {
            return;
        };
        let Some(section) = program.write(&self.tracks) else {
            return;
        };
        if let Some(entry) = self.pmt_pids.iter_mut().find(|e| e.pid == program.pmt_pid) {
            entry.send(&section, output);
        }
    }

    /// Takes over what the programs declare: tracks, clocks, routes.
    fn follow_programs(&mut self, output: &mut Vec<u8>) {
        let mut declared: Vec<(u16, Pid, Pid, DeclaredAudio, Option<DualMono>)> = Vec::new();
        for program in &self.programs {
            let Some(pmt) = program.pmt() else { continue };
            let candidates: Vec<(Pid, DeclaredAudio)> = pmt
                .streams
                .iter()
                .filter(|entry| {
                    entry.pid.is_assignable()
                        && !self.pmt_pids.iter().any(|pmt_pid| pmt_pid.pid == entry.pid)
                })
                .filter_map(|entry| Some((entry.pid, declared_audio(entry)?)))
                .collect();
            let named: Vec<_> = candidates
                .iter()
                .copied()
                .filter(|c| c.1.is_named)
                .collect();
            let chosen = choose(&self.options.tracks, &named);
            for (pid, audio) in candidates {
                let heard = match chosen {
                    // What is not named may be data; whether it is chosen is seen once it is known.
                    _ if !audio.is_named => Some(self.options.dual_mono),
                    None => Some(self.options.dual_mono),
                    Some(chosen) if chosen.pid == pid => {
                        Some(chosen.channel.unwrap_or(self.options.dual_mono))
                    }
                    Some(_) => None,
                };
                declared.push((program.number, pid, pmt.pcr_pid, audio, heard));
            }
        }
        declared.sort_by_key(|known| !known.3.is_named);
        let mut seen = vec![false; Pid::COUNT];
        declared.retain(|known| !std::mem::replace(&mut seen[known.1.index()], true));
        declared.truncate(MAX_TRACKS);

        let mut gone = Vec::new();
        for track in std::mem::take(&mut self.tracks) {
            let stays = declared.iter().any(|known| known.1 == track.pid);
            if stays { &mut self.tracks } else { &mut gone }.push(track);
        }
        for mut track in gone {
            track.end(output);
            track.finish(output);
            if track.has_replaced_source() && !self.abandoned_pids.contains(&track.pid) {
                self.abandoned_pids.push(track.pid);
            }
            if track.is_audio() && self.ended_tracks.len() < MAX_ENDED_TRACKS {
                self.ended_tracks.push(track.stats());
            }
        }
        for (number, pid, pcr_pid, audio, heard) in declared {
            if let Some(track) = self.tracks.iter_mut().find(|track| track.pid == pid) {
                track.redeclare(number, pcr_pid, audio);
                if let Some(heard) = heard {
                    track.hear(heard);
                }
                continue;
            }
            let output_pid = if self.options.keep_original {
                self.free_pid(pid)
            } else {
                pid
            };
            let last_counter = self.sent_counters[output_pid.index()];
            let mut track = Track::new(
                pid,
                output_pid,
                number,
                pcr_pid,
                audio,
                &self.options,
                last_counter,
            );
            match heard {
                Some(heard) => track.hear(heard),
                None => track.drop_out(),
            }
            self.tracks.push(track);
        }

        let mut clock_pids: Vec<Pid> = self
            .programs
            .iter()
            .filter_map(|p| p.pmt())
            .map(|pmt| pmt.pcr_pid)
            .collect();
        clock_pids.sort_unstable();
        clock_pids.dedup();
        self.clocks.retain(|clock| clock_pids.contains(&clock.pid));
        for pid in clock_pids {
            if !self.clocks.iter().any(|clock| clock.pid == pid) {
                self.clocks.push(ProgramClock::new(pid));
            }
        }
        self.route();
    }

    /// A PID that nothing in the stream uses; `fallback` when there is none.
    fn free_pid(&self, fallback: Pid) -> Pid {
        (FIRST_ADDED_PID..Pid::NULL.value())
            .chain(FIRST_FREE_PID..FIRST_ADDED_PID)
            .map(Pid::new)
            .find(|&pid| {
                !self.seen[pid.index()]
                    && !self.pat.programs().any(|(_, pmt_pid)| pmt_pid == pid)
                    && !self.programs.iter().any(|program| program.uses(pid))
                    && !self.tracks.iter().any(|track| track.output_pid == pid)
            })
            .unwrap_or(fallback)
    }

    /// Fills the table of routes.
    fn route(&mut self) {
        let default = if self.options.program == 0 {
            Route::Pass
        } else {
            Route::Drop
        };
        self.routes.fill(default);
        self.routes[..usize::from(FIRST_FREE_PID)].fill(Route::Pass);
        for pid in &self.abandoned_pids {
            self.routes[pid.index()] = Route::Drop;
        }
        for pid in self.programs.iter().flat_map(Program::pids) {
            self.routes[pid.index()] = Route::Pass;
        }
        self.named.fill(false);
        let pmt_pids = self.pmt_pids.iter().map(|entry| entry.pid);
        for pid in self.programs.iter().flat_map(Program::pids).chain(pmt_pids) {
            self.named[pid.index()] = true;
        }
        self.routes[Pid::PAT.index()] = Route::Pat;
        for (index, track) in self.tracks.iter().enumerate() {
            self.routes[track.pid.index()] = Route::Track(index as u8);
        }
        for (index, entry) in self.pmt_pids.iter().enumerate() {
            self.routes[entry.pid.index()] = Route::Pmt(index as u8);
        }
        self.watch_output();
    }

    /// Does what every packet needs that leaves: its PCR is moved back, its counter
    /// remembered for the PID's next packet of ours.
    fn seal(&mut self, output: &mut Vec<u8>, start: usize) {
        if let Some(marks) = &mut self.marks {
            marks.insert(output, start);
        }
        for packet in output[start..].chunks_exact_mut(PACKET_BYTES) {
            let Some(bytes) = packet.first_chunk_mut() else {
                continue;
            };
            debug_assert_eq!(bytes[0], SYNC_BYTE);
            let packet = Packet::new(bytes);
            self.sent_counters[packet.pid().index()] = Some(packet.continuity_counter());
            if let Some(pcr) = packet.pcr() {
                set_pcr(bytes, pcr.offset(-PCR_ADVANCE_27M));
            }
            self.points.observe(Packet::new(bytes));
        }
    }

    /// Tells the points what the output's PIDs carry. Of a program's video the first is
    /// what players choose.
    fn watch_output(&mut self) {
        let pmts = self.programs.iter();
        let pmts = pmts.map(|p| (p.pmt_pid, p.number, p.pmt().is_some()));
        let pictures = self.programs.iter().filter_map(|program| {
            program.pmt()?.streams.iter().find_map(|entry| {
                let codec = VideoCodec::of_stream_type(entry.stream_type)?;
                Some((entry.pid, program.number, codec))
            })
        });
        let audio = self.tracks.iter().filter(|track| track.is_audio());
        let sounds = audio.map(|t| (t.output_pid, t.program));
        let named = self.programs.iter().flat_map(|program| {
            let streams = program.pmt().into_iter().flat_map(|pmt| &pmt.streams);
            streams.map(|entry| Named {
                pid: entry.pid,
                program: program.number,
                stream_type: entry.stream_type,
            })
        });
        self.points.follow(pmts, pictures, sounds, named);
    }

    fn stats(&self) -> Stats {
        let audio = self.tracks.iter().filter(|track| track.is_audio());
        let mut tracks: Vec<TrackStats> = audio.map(Track::stats).collect();
        tracks.extend(self.ended_tracks.iter().cloned());
        tracks.sort_by_key(|track| track.pid);
        Stats {
            packets_in: self.packets,
            continuity_errors: self.continuity_errors,
            transport_errors: self.transport_errors,
            psi_errors: self.psi_errors,
            programs: self.pat.programs().map(|(number, _)| number).collect(),
            tracks,
            ..Stats::default()
        }
    }
}

/// The one track that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chosen {
    pid: Pid,
    /// The channel that has the language, where either has its own.
    channel: Option<DualMono>,
}

/// The one track to keep, by the option; none for all of them.
fn choose(tracks: &Tracks, candidates: &[(Pid, DeclaredAudio)]) -> Option<Chosen> {
    let first = candidates
        .first()
        .map(|&(pid, _)| Chosen { pid, channel: None });
    match tracks {
        Tracks::All => None,
        Tracks::First => first,
        Tracks::Languages(languages) => languages
            .iter()
            .find_map(|&language| {
                let spoken = candidates
                    .iter()
                    .filter_map(|(pid, audio)| Some((*pid, audio, channel(audio, language)?)));
                // The sound itself before a description of the picture, and a track of the
                // language before one that shares it.
                spoken
                    .min_by_key(|&(_, audio, channel)| (audio.is_description, channel.is_some()))
                    .map(|(pid, _, channel)| Chosen { pid, channel })
            })
            .or(first),
    }
}

/// Where a track has a language: in all of it, or in one channel. None where it has not.
fn channel(audio: &DeclaredAudio, language: Language) -> Option<Option<DualMono>> {
    let is = |code: Option<[u8; 3]>| code.is_some_and(|code| Language::of_code(code) == language);
    let shares = audio.other_language.is_some();
    if is(audio.language) {
        Some(shares.then_some(DualMono::Left))
    } else if is(audio.other_language) {
        Some(Some(DualMono::Right))
    } else {
        None
    }
}
