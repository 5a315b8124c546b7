//! Which tracks the programs declare, and which of them are kept.

use super::programs::Programs;
use super::signalling::{DeclaredAudio, declared_audio};
use super::track::Declaration;
use crate::ts::packet::Pid;
use crate::{DualMono, Language, Options, Tracks};

/// Tracks that are followed at a time. Beyond it audio passes untouched.
const MAX_TRACKS: usize = 64;

/// A track that a PMT declares.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeclaredTrack {
    pub(super) declaration: Declaration,
    /// What is heard of it; none where another track is kept instead.
    pub(super) heard: Option<DualMono>,
}

/// The one track that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) pid: Pid,
    /// The channel that has the language, where either has its own.
    pub(super) channel: Option<DualMono>,
}

/// Return the tracks that the programs declare, each PID once: those that are named as audio
/// first.
pub(super) fn declared_tracks(programs: &Programs, options: &Options) -> Vec<DeclaredTrack> {
    let mut declared = Vec::new();
    for program in programs.iter() {
        let Some(pmt) = program.pmt() else { continue };
        let is_candidate =
            |pid: Pid| pid.is_assignable() && !programs.pmt_pids().any(|pmt_pid| pmt_pid == pid);
        let candidates: Vec<(Pid, DeclaredAudio)> = pmt
            .streams
            .iter()
            .filter(|entry| is_candidate(entry.pid))
            .filter_map(|entry| Some((entry.pid, declared_audio(entry)?)))
            .collect();
        let is_named = |candidate: &&(Pid, DeclaredAudio)| candidate.1.is_named;
        let named: Vec<_> = candidates.iter().filter(is_named).copied().collect();
        let chosen = choose(&options.tracks, &named);
        for (pid, audio) in candidates {
            let heard = match chosen {
                // What is not named may be data; whether it is chosen is seen once it is known.
                _ if !audio.is_named => Some(options.dual_mono),
                None => Some(options.dual_mono),
                Some(chosen) if chosen.pid == pid => {
                    Some(chosen.channel.unwrap_or(options.dual_mono))
                }
                Some(_) => None,
            };
            let declaration = Declaration {
                pid,
                program: program.number,
                pcr_pid: pmt.pcr_pid,
                audio,
            };
            declared.push(DeclaredTrack { declaration, heard });
        }
    }
    declared.sort_by_key(|track| !track.declaration.audio.is_named);
    let mut seen = vec![false; Pid::COUNT];
    declared.retain(|track| !std::mem::replace(&mut seen[track.declaration.pid.index()], true));
    declared.truncate(MAX_TRACKS);
    declared
}

/// Return the one track to keep, by the option; none for all of them.
pub(super) fn choose(tracks: &Tracks, candidates: &[(Pid, DeclaredAudio)]) -> Option<Chosen> {
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

/// Return where a track has a language: in all of it, or in one channel. None where it has not.
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
