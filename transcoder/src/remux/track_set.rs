//! The tracks of all programs.

use super::choice::{DeclaredTrack, choose};
use super::clock::Clocks;
use super::routes::FIRST_FREE_PID;
use super::track::Track;
use crate::ts::packet::Pid;
use crate::{Options, TrackStats, Tracks};

/// Tracks that have ended and still show in the statistics.
const MAX_ENDED_TRACKS: usize = 64;

/// Where the search for the PID of an added AAC track begins: above what
/// broadcasters and multiplexers commonly use.
const FIRST_ADDED_PID: u16 = 0x1D00;

/// The tracks that are declared, and what is left of earlier ones.
#[derive(Debug, Default)]
pub(super) struct TrackSet {
    pub(super) tracks: Vec<Track>,
    ended: Vec<TrackStats>,
    /// PIDs that carried AAC of ours and that no PMT names any more.
    pub(super) abandoned_pids: Vec<Pid>,
}

impl TrackSet {
    /// Follow what the programs declare. Append what is left of tracks that have gone.
    /// `is_used`: the stream uses a PID for something.
    pub(super) fn follow(
        &mut self,
        declared: Vec<DeclaredTrack>,
        options: &Options,
        sent_counters: &[Option<u8>],
        is_used: impl Fn(Pid) -> bool,
        output: &mut Vec<u8>,
    ) {
        self.end_others(&declared, output);
        for DeclaredTrack { declaration, heard } in declared {
            let pid = declaration.pid;
            if let Some(track) = self.tracks.iter_mut().find(|track| track.pid == pid) {
                track.redeclare(declaration);
                if let Some(heard) = heard {
                    track.content.hear(heard);
                }
                continue;
            }
            let output_pid = match options.keep_original {
                true => self.free_pid(&is_used).unwrap_or(pid),
                false => pid,
            };
            let last_counter = sent_counters[output_pid.index()];
            let mut track = Track::new(declaration, output_pid, options, last_counter);
            match heard {
                Some(heard) => track.content.hear(heard),
                None => track.content.drop_out(),
            }
            self.tracks.push(track);
        }
    }

    /// End the tracks that are not declared any more.
    fn end_others(&mut self, declared: &[DeclaredTrack], output: &mut Vec<u8>) {
        let stays = |track: &Track| declared.iter().any(|d| d.declaration.pid == track.pid);
        let (kept, gone): (Vec<Track>, Vec<Track>) = std::mem::take(&mut self.tracks)
            .into_iter()
            .partition(stays);
        self.tracks = kept;
        for mut track in gone {
            track.end(output);
            track.finish(output);
            if track.has_replaced_source() && !self.abandoned_pids.contains(&track.pid) {
                self.abandoned_pids.push(track.pid);
            }
            if track.content.is_audio() && self.ended.len() < MAX_ENDED_TRACKS {
                self.ended.push(track.stats());
            }
        }
    }

    /// Return a PID that nothing in the stream uses.
    fn free_pid(&self, is_used: impl Fn(Pid) -> bool) -> Option<Pid> {
        (FIRST_ADDED_PID..Pid::NULL.value())
            .chain(FIRST_FREE_PID..FIRST_ADDED_PID)
            .map(Pid::new)
            .find(|&pid| !is_used(pid) && !self.tracks.iter().any(|t| t.output_pid() == pid))
    }

    /// Follow a track whose entry in the PMT has to change. The same PMT announces the changes
    /// that follow for the other tracks of its program. Return the PIDs of all changed tracks.
    pub(super) fn follow_track(
        &mut self,
        index: usize,
        chosen: &Tracks,
        output: &mut Vec<u8>,
    ) -> Vec<Pid> {
        let track = &self.tracks[index];
        let (pid, program) = (track.pid, track.program);
        let is_scrambled = track.content.state.passes_scrambled();
        let is_clear = track.content.is_clear_again();
        let mut changed = vec![pid];
        let tracks = self.tracks.iter_mut();
        for other in tracks.filter(|other| other.program == program) {
            let before = other.content.signalled();
            if is_scrambled && other.awaits_key() {
                other.give_up_scrambled();
            } else if is_clear {
                other.expect_clear();
            }
            if other.content.signalled() != before {
                other.conclude(output);
                changed.push(other.pid);
            }
        }
        self.choose_again(program, chosen);
        changed
    }

    /// Leave out what is not chosen of a program, of whose tracks one has turned out to be
    /// audio. Those that its PMT names as audio come first.
    fn choose_again(&mut self, program: u16, chosen: &Tracks) {
        let is_choice = |track: &&mut Track| track.program == program && track.is_heard();
        let choices: Vec<&mut Track> = self.tracks.iter_mut().filter(is_choice).collect();
        let candidates: Vec<_> = choices
            .iter()
            .map(|track| (track.pid, track.content.declared))
            .collect();
        if let Some(chosen) = choose(chosen, &candidates) {
            for track in choices {
                if track.pid != chosen.pid {
                    track.content.drop_out();
                } else if let Some(channel) = chosen.channel {
                    track.content.hear(channel);
                }
            }
        }
    }

    /// Append the packets that no longer have a reason to wait, of the tracks on these PIDs.
    pub(super) fn release(&mut self, pids: &[Pid], output: &mut Vec<u8>) {
        let tracks = self.tracks.iter_mut();
        for track in tracks.filter(|track| pids.contains(&track.pid)) {
            track.release(output);
        }
    }

    /// Append the converted packets whose time has come at packet `number`.
    pub(super) fn send_due(&mut self, clocks: &Clocks, number: u64, output: &mut Vec<u8>) {
        for track in &mut self.tracks {
            track.send_due(clocks, number, output);
        }
    }

    /// Return the tracks that are audio.
    pub(super) fn audio(&self) -> impl Iterator<Item = &Track> {
        self.tracks.iter().filter(|track| track.content.is_audio())
    }

    /// Return the counters of the tracks, by PID.
    pub(super) fn stats(&self) -> Vec<TrackStats> {
        let mut stats: Vec<TrackStats> = self.audio().map(Track::stats).collect();
        stats.extend(self.ended.iter().cloned());
        stats.sort_by_key(|track| track.pid);
        stats
    }
}
