//! Everything behind packet alignment: each packet goes the way of its PID.

use super::choice::declared_tracks;
use super::clock::{Clocks, PCR_ADVANCE_27M};
use super::pat::Outcome;
use super::points::{Named, Points};
use super::programs::{PmtSection, Programs};
use super::routes::{Route, Routes};
use super::splice_marks::{SpliceMarks, version_offset};
use super::track_set::TrackSet;
use crate::ts::continuity::{Continuity, SourceCounter};
use crate::ts::packet::{PACKET_BYTES, Packet, Pid, SYNC_BYTE, set_pcr};
use crate::ts::video::VideoCodec;
use crate::{Options, Stats};

/// The stream under way.
#[derive(Debug)]
pub(super) struct Stream {
    options: Options,
    pub(super) routes: Routes,
    counters: Box<[SourceCounter]>,
    /// The continuity counter of each PID's last packet in the output.
    sent_counters: Box<[Option<u8>]>,
    pub(super) programs: Programs,
    tracks: TrackSet,
    clocks: Clocks,
    /// PIDs that a packet was seen on.
    seen: Box<[bool]>,
    /// For a stream that continues that of a lost remuxer.
    marks: Option<SpliceMarks>,
    pub(super) points: Points,
    /// Packets recognised, those that wait for the tables included.
    pub(super) packets: u64,
    continuity_errors: u64,
    transport_errors: u64,
    psi_errors: u64,
}

impl Stream {
    pub(super) fn new(options: Options) -> Self {
        let mut stream = Self {
            programs: Programs::new(options.program, version_offset(options.generation)),
            marks: (options.generation > 0).then(SpliceMarks::new),
            options,
            routes: Routes::new(),
            counters: vec![SourceCounter::default(); Pid::COUNT].into(),
            sent_counters: vec![None; Pid::COUNT].into(),
            tracks: TrackSet::default(),
            clocks: Clocks::default(),
            seen: vec![false; Pid::COUNT].into(),
            points: Points::new(),
            packets: 0,
            continuity_errors: 0,
            transport_errors: 0,
            psi_errors: 0,
        };
        stream.route();
        stream
    }

    /// Count a packet that was recognised.
    pub(super) fn note(&mut self, packet: Packet<'_>) {
        self.packets += 1;
        self.seen[packet.pid().index()] = true;
    }

    /// Learn the tables from a packet that waits for the first of them.
    pub(super) fn study(&mut self, packet: Packet<'_>) {
        if packet.transport_error() || packet.pid() == Pid::NULL {
            return;
        }
        let (pid, mut nothing) = (packet.pid(), Vec::new());
        let continuity = self.counters[pid.index()].judge(packet);
        match self.routes.of(pid) {
            Route::Pat => {
                self.follow_pat(packet, continuity, &mut nothing);
            }
            Route::Pmt(index) => {
                let index = index.into();
                for section in self
                    .programs
                    .push_pmt(index, packet, continuity, &mut nothing)
                {
                    self.follow_pmt(pid, &section, &mut nothing);
                }
            }
            Route::Pass | Route::Drop | Route::Track(_) => {}
        }
    }

    /// Forget which packets [`study`](Self::study) has seen: they come again. If no PMT
    /// came it has learnt nothing.
    pub(super) fn rewind(&mut self) {
        if self.programs.known() == 0 {
            self.programs.reset();
            self.route();
        }
        self.forget_counters();
    }

    /// Forget the counters: what comes next does not follow what came.
    pub(super) fn forget_counters(&mut self) {
        self.counters.fill(SourceCounter::default());
        self.programs.lose();
    }

    /// Take a packet; `number` is its place in the source.
    pub(super) fn push(&mut self, packet: Packet<'_>, number: u64, output: &mut Vec<u8>) {
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
        if !damaged && let Some(pcr) = packet.pcr() {
            self.clocks.observe(pid, pcr, number);
        }
        match self.routes.of(pid) {
            Route::Pass => output.extend_from_slice(packet.bytes()),
            Route::Drop => {}
            Route::Pat => self.push_pat(packet, continuity, output),
            Route::Pmt(index) => self.push_pmt(index.into(), packet, continuity, output),
            Route::Track(index) => {
                let index = usize::from(index);
                let track = &mut self.tracks.tracks[index];
                let now = self.clocks.moment(track.pcr_pid, number);
                if track.push(packet, continuity, now, output) {
                    self.follow_track(index, output);
                }
            }
        }
        self.tracks.send_due(&self.clocks, number, output);
        self.seal(output, start);
    }

    pub(super) fn finish(&mut self, output: &mut Vec<u8>) {
        let start = output.len();
        let mut changed = Vec::new();
        for track in &mut self.tracks.tracks {
            if track.end(output) {
                changed.push(track.pid);
            }
        }
        self.programs
            .write_pmts_of(&changed, &self.tracks.tracks, output);
        for track in &mut self.tracks.tracks {
            track.finish(output);
        }
        self.seal(output, start);
    }

    /// Announce what has become of a track.
    fn follow_track(&mut self, index: usize, output: &mut Vec<u8>) {
        let changed = self
            .tracks
            .follow_track(index, &self.options.tracks, output);
        self.programs
            .write_pmts_of(&changed, &self.tracks.tracks, output);
        self.watch_output();
        self.tracks.release(&changed, output);
    }

    fn push_pat(&mut self, packet: Packet<'_>, continuity: Continuity, output: &mut Vec<u8>) {
        if self.options.program == 0 {
            output.extend_from_slice(packet.bytes());
        }
        let outcome = self.follow_pat(packet, continuity, output);
        self.psi_errors += outcome.errors;
        if self.options.program != 0 && outcome.sections > 0 {
            self.programs.write_pat(output);
        }
    }

    /// Follow a packet of the PAT.
    fn follow_pat(
        &mut self,
        packet: Packet<'_>,
        continuity: Continuity,
        output: &mut Vec<u8>,
    ) -> Outcome {
        let outcome = self
            .programs
            .push_pat(packet, continuity, &self.sent_counters);
        if outcome.changed {
            self.follow_programs(output);
        }
        outcome
    }

    fn push_pmt(
        &mut self,
        index: usize,
        packet: Packet<'_>,
        continuity: Continuity,
        output: &mut Vec<u8>,
    ) {
        let pid = packet.pid();
        for section in self.programs.push_pmt(index, packet, continuity, output) {
            let read = self.follow_pmt(pid, &section, output);
            let tracks = &self.tracks.tracks;
            match read {
                PmtSection::Of { number, .. } => self.programs.write_pmt(number, tracks, output),
                PmtSection::Damaged => {
                    self.psi_errors += 1;
                    self.programs.repeat_pmt(pid, tracks, output);
                }
                PmtSection::AnotherTable => self.programs.send(pid, &section, output),
                PmtSection::OfNobody => {}
            }
        }
    }

    /// Follow a section that came on a PMT's PID.
    fn follow_pmt(&mut self, pid: Pid, section: &[u8], output: &mut Vec<u8>) -> PmtSection {
        let read = self.programs.follow_pmt(pid, section);
        if matches!(read, PmtSection::Of { is_new: true, .. }) {
            self.follow_programs(output);
        }
        read
    }

    /// Follow what the programs declare: tracks, clocks, routes.
    fn follow_programs(&mut self, output: &mut Vec<u8>) {
        let is_used = |pid: Pid| self.seen[pid.index()] || self.programs.name(pid);
        self.tracks.follow(
            declared_tracks(&self.programs, &self.options),
            &self.options,
            &self.sent_counters,
            is_used,
            output,
        );
        let pmts = self.programs.iter().filter_map(|program| program.pmt());
        self.clocks.follow(pmts.map(|pmt| pmt.pcr_pid));
        self.route();
    }

    /// Give every PID its route.
    fn route(&mut self) {
        let others = match self.options.program {
            0 => Route::Pass,
            _ => Route::Drop,
        };
        self.routes.reset(others, &self.tracks.abandoned_pids);
        let programs = self.programs.iter();
        self.routes
            .set_passing(programs.flat_map(|program| program.pids()));
        let tracks = self.tracks.tracks.iter();
        self.routes.set_tracks(tracks.map(|track| track.pid));
        self.routes.set_pmts(self.programs.pmt_pids());
        self.watch_output();
    }

    /// Do what every packet needs that leaves: move its PCR back, and remember its counter
    /// for the PID's next packet of ours.
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

    /// Tell the points what the output's PIDs carry. Of a program's video the first is
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
        let audio = self.tracks.audio();
        let sounds = audio.map(|track| (track.output_pid(), track.program));
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

    pub(super) fn stats(&self) -> Stats {
        Stats {
            packets_in: self.packets,
            continuity_errors: self.continuity_errors,
            transport_errors: self.transport_errors,
            psi_errors: self.psi_errors,
            programs: self.programs.listed().collect(),
            tracks: self.tracks.stats(),
            ..Stats::default()
        }
    }
}
