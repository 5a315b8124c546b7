//! The programs of the stream, by its PAT and PMTs.

use super::pat::{Outcome, Pat};
use super::program::{PmtPid, Program};
use super::track::Track;
use crate::ts::continuity::Continuity;
use crate::ts::packet::{Packet, Pid};
use crate::ts::psi::{self, Pmt, TABLE_PMT};

/// Programs that are followed. A satellite transponder has at most some 60.
const MAX_PROGRAMS: usize = 128;

/// The tables in force, and those that leave in their place.
#[derive(Debug)]
pub(super) struct Programs {
    /// Service id of the one program that is kept; 0 for all of them.
    chosen: u16,
    /// Added to the source's version_number where the tables begin.
    version_offset: u8,
    pat: Pat,
    pmt_pids: Vec<PmtPid>,
    programs: Vec<Program>,
}

/// What a section says that came on the PID of a PMT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PmtSection {
    /// The PMT in force of a program with this number.
    Of {
        number: u16,
        /// Whether it differs from the one before.
        is_new: bool,
    },
    /// A PMT that is not in force, or of a program that is not followed.
    OfNobody,
    AnotherTable,
    Damaged,
}

impl Programs {
    pub(super) fn new(chosen: u16, version_offset: u8) -> Self {
        Self {
            chosen,
            version_offset,
            pat: Pat::new(version_offset),
            pmt_pids: Vec::new(),
            programs: Vec::new(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Program> {
        self.programs.iter()
    }

    /// Return the service ids that the PAT lists.
    pub(super) fn listed(&self) -> impl Iterator<Item = u16> {
        self.pat.programs().map(|(number, _)| number)
    }

    /// Return the PIDs that carry PMTs.
    pub(super) fn pmt_pids(&self) -> impl Iterator<Item = Pid> {
        self.pmt_pids.iter().map(|entry| entry.pid)
    }

    /// Return whether a table names the PID for any use.
    pub(super) fn name(&self, pid: Pid) -> bool {
        self.pat.programs().any(|(_, pmt_pid)| pmt_pid == pid)
            || self.programs.iter().any(|program| program.uses(pid))
    }

    /// Return whether a PAT is in force.
    pub(super) fn is_pat_known(&self) -> bool {
        self.pat.is_known()
    }

    /// Return how many of the programs that are wanted have had their PMT.
    pub(super) fn known(&self) -> usize {
        self.programs.iter().filter(|p| p.pmt().is_some()).count()
    }

    /// Return whether every program that is wanted has had its PMT.
    pub(super) fn are_all_known(&self) -> bool {
        self.pat.is_known() && self.known() == self.programs.len()
    }

    /// Forget every table.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.chosen, self.version_offset);
    }

    /// Forget sections that have begun: what comes next does not follow.
    pub(super) fn lose(&mut self) {
        self.pat.lose();
        for entry in &mut self.pmt_pids {
            entry.lose();
        }
    }

    /// Take the next packet of the PAT's PID and follow it. `sent_counters` are those of each
    /// PID's last packet in the output.
    pub(super) fn push_pat(
        &mut self,
        packet: Packet<'_>,
        continuity: Continuity,
        sent_counters: &[Option<u8>],
    ) -> Outcome {
        let outcome = self.pat.push(packet, continuity);
        if outcome.changed {
            self.follow_pat(sent_counters);
        }
        outcome
    }

    /// Append the PAT of the one program that is kept.
    pub(super) fn write_pat(&mut self, output: &mut Vec<u8>) {
        self.pat.write_single(self.chosen, output);
    }

    /// Follow the programs of a new PAT.
    fn follow_pat(&mut self, sent_counters: &[Option<u8>]) {
        let chosen = self.chosen;
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
                self.programs
                    .push(Program::new(number, pmt_pid, self.version_offset));
            }
        }
        let programs = &self.programs;
        self.pmt_pids
            .retain(|entry| programs.iter().any(|p| p.pmt_pid == entry.pid));
        for pid in programs.iter().map(|program| program.pmt_pid) {
            if !self.pmt_pids.iter().any(|entry| entry.pid == pid) {
                self.pmt_pids
                    .push(PmtPid::new(pid, sent_counters[pid.index()]));
            }
        }
    }

    /// Take the next packet of a PMT's PID and return the sections that it completes. Append
    /// a clock that it carries.
    pub(super) fn push_pmt(
        &mut self,
        index: usize,
        packet: Packet<'_>,
        continuity: Continuity,
        output: &mut Vec<u8>,
    ) -> Vec<Vec<u8>> {
        self.pmt_pids[index].push(packet, continuity, output)
    }

    /// Follow a section that came on a PMT's PID.
    pub(super) fn follow_pmt(&mut self, pid: Pid, section: &[u8]) -> PmtSection {
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
        match known.filter(|_| header.current) {
            Some(program) => PmtSection::Of {
                number: header.id,
                is_new: program.follow(header.version, pmt),
            },
            None => PmtSection::OfNobody,
        }
    }

    /// Append a section as it came.
    pub(super) fn send(&mut self, pid: Pid, section: &[u8], output: &mut Vec<u8>) {
        if let Some(entry) = self.pmt_pids.iter_mut().find(|entry| entry.pid == pid) {
            entry.send(section, output);
        }
    }

    /// Append the last good PMT where a damaged one stood, if it is clear which.
    pub(super) fn repeat_pmt(&mut self, pid: Pid, tracks: &[Track], output: &mut Vec<u8>) {
        let mut of_pid = self.programs.iter().filter(|p| p.pmt_pid == pid);
        if let (Some(program), None) = (of_pid.next(), of_pid.next()) {
            self.write_pmt(program.number, tracks, output);
        }
    }

    /// Append the PMTs that declare any of these PIDs.
    pub(super) fn write_pmts_of(&mut self, pids: &[Pid], tracks: &[Track], output: &mut Vec<u8>) {
        let declaring = |p: &&Program| pids.iter().any(|&pid| p.declares(pid));
        let programs = self.programs.iter().filter(declaring);
        for number in programs.map(|p| p.number).collect::<Vec<u16>>() {
            self.write_pmt(number, tracks, output);
        }
    }

    /// Append the PMT of a program, with the tracks as they leave.
    pub(super) fn write_pmt(&mut self, number: u16, tracks: &[Track], output: &mut Vec<u8>) {
        let Some(program) = self.programs.iter_mut().find(|p| p.number == number) else {
            return;
        };
        let pid = program.pmt_pid;
        if let Some(section) = program.write(tracks) {
            self.send(pid, &section, output);
        }
    }
}
