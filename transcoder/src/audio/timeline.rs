//! The sample timeline: which moment each sample given to the encoder belongs to,
//! and therefore which PTS each AAC frame carries.
//!
//! The encoder sees one unbroken row of samples. Anchors tie places in that row to
//! times of the source; between anchors time runs with the sample rate, so nothing
//! adds up over hours. Where the source's time (see `source_clock`) disagrees with
//! the row:
//!
//! ```text
//!   difference            what happens
//!   up to 10 ms           the row goes on, and a new anchor takes the difference over
//!   a gap to 100 ms, or    silence of exactly that length
//!   to 1 s behind a loss
//!   an overlap to 100 ms  that many samples are left out
//!   anything else         a new base: the jump is carried as a jump of the PTS
//! ```

use std::collections::VecDeque;

use super::heard::Joint;
use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};

/// Frames behind a gap, and at the beginning, that may be late as well: until the
/// source's framing is proven again its units come a frame later than they would.
const UNPROVEN_FRAMES: u64 = 4;

/// Samples per channel in an AAC-LC frame.
pub(crate) const FRAME_SAMPLES: u64 = 1024;

/// Differences up to this come from rounding.
const ROUNDING_90K: i64 = 3;
/// Differences up to this hardly part the AAC frames.
const SMALL_90K: i64 = 900;
const FILL_90K: i64 = 9_000;
const FILL_BEHIND_LOSS_90K: i64 = TICKS_PER_SECOND;
const OVERLAP_90K: i64 = 9_000;

/// The times of the samples of one encoder.
#[derive(Debug)]
pub(crate) struct Timeline {
    sample_rate_hz: u32,
    encoder_delay: u64,
    /// Samples given to the encoder so far.
    fed: u64,
    /// AAC frames that came out so far.
    frames: u64,
    /// Ordered by sample; those that no coming frame needs are dropped.
    anchors: VecDeque<Anchor>,
    /// Where the base begins. Frames before it that the encoder outputs later hold the end of
    /// the earlier sound, with its times.
    base_sample: u64,
    base_has_begun: bool,
    /// End of the last sample that is sound and not inserted silence.
    sounding_until: u64,
    /// The samples before this one waited for the end of a gap.
    resumed_at: u64,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    sample: u64,
    pts: Timestamp,
}

/// What to do with decoded samples before they follow the ones fed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Feed them.
    Follow,
    /// Feed this many samples of silence first.
    FillThenFollow { silent_samples: u64 },
    /// Leave this many of their first samples out.
    Trim { samples: u64 },
    /// Feed this many samples of silence, up to a frame boundary, and then them: a
    /// new base begins there.
    Rebase { silent_samples: u64 },
}

/// The time of an AAC frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameTime {
    /// Of its first sample.
    pub(crate) pts: Timestamp,
    /// Whether a new base begins with it.
    pub(crate) starts_base: bool,
    /// Whether it holds silence, what a gap held back or what first follows it: better
    /// left out than late.
    pub(crate) is_expendable: bool,
}

impl Timeline {
    /// Make a timeline whose first sample belongs to `pts`. `encoder_delay` is how many
    /// samples AAC frame 0 begins before the first sample.
    pub(crate) fn new(sample_rate_hz: u32, encoder_delay: u32, pts: Timestamp) -> Self {
        Self {
            sample_rate_hz,
            encoder_delay: encoder_delay.into(),
            fed: 0,
            frames: 0,
            anchors: VecDeque::from([Anchor { sample: 0, pts }]),
            base_sample: 0,
            base_has_begun: false,
            sounding_until: 0,
            resumed_at: 0,
        }
    }

    /// Decide how samples whose first one belongs to `pts` join the row.
    pub(crate) fn place(&mut self, pts: Timestamp, joint: Joint) -> Placement {
        let difference = pts.since(self.pts_of(self.fed as i64));
        let longest_fill = match joint {
            Joint::Lost => FILL_BEHIND_LOSS_90K,
            Joint::Smooth | Joint::Spliced => FILL_90K,
        };
        if difference.abs() <= SMALL_90K {
            if difference.abs() > ROUNDING_90K {
                self.anchor(self.fed, pts);
            }
            Placement::Follow
        } else if (0..=longest_fill).contains(&difference) {
            let silent_samples = self.samples_in(difference);
            self.resumed_at = self.fed + silent_samples;
            Placement::FillThenFollow { silent_samples }
        } else if (-OVERLAP_90K..=0).contains(&difference) {
            Placement::Trim {
                samples: self.samples_in(-difference),
            }
        } else {
            let silent_samples = (self.fed + self.encoder_delay).wrapping_neg() % FRAME_SAMPLES;
            let sample = self.fed + silent_samples;
            self.anchor(sample, pts);
            self.base_sample = sample;
            self.base_has_begun = false;
            self.resumed_at = sample;
            Placement::Rebase { silent_samples }
        }
    }

    fn anchor(&mut self, sample: u64, pts: Timestamp) {
        self.anchors.push_back(Anchor { sample, pts });
    }

    /// Return whether samples were given to the encoder.
    pub(crate) fn has_begun(&self) -> bool {
        self.fed > 0
    }

    /// Note that samples of sound were given to the encoder.
    pub(crate) fn feed(&mut self, samples: u64) {
        self.fed += samples;
        self.sounding_until = self.fed;
    }

    /// Note that silence was.
    pub(crate) fn feed_silence(&mut self, samples: u64) {
        self.fed += samples;
    }

    /// Return when the first AAC frame with sound that the encoder still holds is heard.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        (self.frames_holding_sound() > 0).then(|| self.pts_of(self.next_start()))
    }

    /// Return how many frames the encoder must still output for all the sound.
    pub(crate) fn frames_holding_sound(&self) -> u64 {
        (self.sounding_until + self.encoder_delay)
            .saturating_sub(self.frames * FRAME_SAMPLES)
            .div_ceil(FRAME_SAMPLES)
    }

    /// Return the row's sample with which the next frame begins.
    fn next_start(&self) -> i64 {
        (self.frames * FRAME_SAMPLES) as i64 - self.encoder_delay as i64
    }

    /// Return the time of the AAC frame that just came out; none for one before the first
    /// sample.
    pub(crate) fn next_frame(&mut self) -> Option<FrameTime> {
        let start = self.next_start();
        self.frames += 1;
        while self
            .anchors
            .get(1)
            .is_some_and(|next| next.sample as i64 <= start)
        {
            self.anchors.pop_front();
        }
        // The frame before the first sample of all primes the decoder's overlap; earlier
        // ones hold nothing.
        if start < -(FRAME_SAMPLES as i64) {
            return None;
        }
        let in_base = self.base_sample == 0 || start >= self.base_sample as i64;
        Some(FrameTime {
            pts: self.pts_of(start),
            starts_base: in_base && !std::mem::replace(&mut self.base_has_begun, true),
            is_expendable: start < (self.resumed_at + UNPROVEN_FRAMES * FRAME_SAMPLES) as i64,
        })
    }

    /// Return how many frames the encoder must still output for the samples so far.
    pub(crate) fn frames_in_flight(&self) -> u64 {
        let covered = self.frames * FRAME_SAMPLES;
        (self.fed + self.encoder_delay)
            .saturating_sub(covered)
            .div_ceil(FRAME_SAMPLES)
    }

    fn pts_of(&self, sample: i64) -> Timestamp {
        let anchor = self
            .anchors
            .iter()
            .rev()
            .find(|anchor| anchor.sample as i64 <= sample)
            .or(self.anchors.front());
        // There is always an anchor: the last one is never dropped.
        let (origin, pts) = anchor.map_or((0, Timestamp::new(0)), |a| (a.sample as i64, a.pts));
        let ticks = (sample - origin) * TICKS_PER_SECOND;
        pts.offset(ticks.div_euclid(i64::from(self.sample_rate_hz)))
    }

    fn samples_in(&self, ticks_90k: i64) -> u64 {
        let scaled = ticks_90k * i64::from(self.sample_rate_hz) + TICKS_PER_SECOND / 2;
        (scaled / TICKS_PER_SECOND) as u64
    }
}

#[cfg(test)]
mod tests;
