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

use super::source_clock::Joint;
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

/// Times the samples of one encoder.
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
    /// Where the base begins; frames before it that come out later hold the end of the
    /// sound before, in that one's time.
    base_sample: u64,
    base_has_begun: bool,
    /// Behind the last sample that is sound, and not silence that was put in.
    sounding_until: u64,
    /// What was fed before this sample waited for a gap to end.
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
    /// A timeline whose first sample belongs to `pts`. `encoder_delay` is how many
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

    /// Says how samples whose first one belongs to `pts` join the row.
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

    /// Whether samples were given to the encoder.
    pub(crate) fn has_begun(&self) -> bool {
        self.fed > 0
    }

    /// Notes that samples of sound were given to the encoder.
    pub(crate) fn feed(&mut self, samples: u64) {
        self.fed += samples;
        self.sounding_until = self.fed;
    }

    /// Notes that silence was.
    pub(crate) fn feed_silence(&mut self, samples: u64) {
        self.fed += samples;
    }

    /// When the first AAC frame is heard that holds sound and has not come out yet.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        (self.frames_holding_sound() > 0).then(|| self.pts_of(self.next_start()))
    }

    /// How many frames have to come out until all the sound has.
    pub(crate) fn frames_holding_sound(&self) -> u64 {
        (self.sounding_until + self.encoder_delay)
            .saturating_sub(self.frames * FRAME_SAMPLES)
            .div_ceil(FRAME_SAMPLES)
    }

    /// The row's sample with which the next frame begins.
    fn next_start(&self) -> i64 {
        (self.frames * FRAME_SAMPLES) as i64 - self.encoder_delay as i64
    }

    /// The time of the AAC frame that just came out; none for one before the first
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

    /// Frames that still have to come out for the samples fed so far.
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
mod tests {
    use super::*;

    const RATE_HZ: u32 = 48_000;
    const DELAY: u32 = 2048;
    const START: Timestamp = Timestamp::new(1_000_000);

    /// Feeds frames of `samples` at the given PTS and returns the times of all AAC frames.
    fn times(timeline: &mut Timeline, pts: &[Timestamp], samples: u64) -> Vec<FrameTime> {
        let mut row = timeline.fed;
        let mut frames = Vec::new();
        for &pts in pts {
            let mut kept = samples;
            match timeline.place(pts, Joint::Smooth) {
                Placement::Follow => {}
                Placement::FillThenFollow { silent_samples } => timeline.feed(silent_samples),
                Placement::Trim { samples } => kept = kept.saturating_sub(samples),
                Placement::Rebase { silent_samples } => timeline.feed(silent_samples),
            }
            timeline.feed(kept);
            while row / FRAME_SAMPLES < timeline.fed / FRAME_SAMPLES {
                row += FRAME_SAMPLES;
                frames.extend(timeline.next_frame());
            }
            row = timeline.fed;
        }
        frames
    }

    fn every(ticks: i64, count: i64) -> Vec<Timestamp> {
        (0..count).map(|i| START.offset(i * ticks)).collect()
    }

    #[test]
    fn the_first_frame_given_out_stands_one_frame_before_the_first_sample() {
        let mut timeline = Timeline::new(RATE_HZ, DELAY, START);
        let frames = times(&mut timeline, &every(2160, 20), 1152);
        assert_eq!(frames[0].pts, START.offset(-1920));
        assert_eq!(frames[1].pts, START);
        assert!(frames.windows(2).all(|w| w[1].pts.since(w[0].pts) == 1920));
        assert!(frames.iter().skip(5).all(|frame| !frame.is_expendable));
    }

    #[test]
    fn time_does_not_drift_at_44100_hz_over_two_wraps() {
        let mut timeline = Timeline::new(44_100, DELAY, START);
        let mut frame = None;
        let count = 53 * 3600 * 44_100 / 1024;
        for i in 0..count {
            let pts = START.offset(i * 1024 * 90_000 / 44_100);
            assert_eq!(
                timeline.place(pts, Joint::Smooth),
                Placement::Follow,
                "frame {i}"
            );
            timeline.feed(1024);
            frame = timeline.next_frame();
        }
        let expected = START.offset((count - 3) * 1024 * 90_000 / 44_100);
        let error = frame.map(|f| f.pts.since(expected).abs());
        assert!(error.is_some_and(|ticks| ticks <= 1), "{error:?}");
    }

    #[test]
    fn a_source_clock_that_runs_slow_is_followed_within_a_millisecond() {
        let mut timeline = Timeline::new(RATE_HZ, DELAY, START);
        // 100 ppm: one tick more in every 10,000.
        for i in 0..100_000i64 {
            let pts = START.offset(i * 1920 + i * 1920 / 10_000);
            assert_eq!(timeline.place(pts, Joint::Smooth), Placement::Follow);
            assert!(pts.since(timeline.pts_of(timeline.fed as i64)).abs() <= 3);
            timeline.feed(1024);
            timeline.next_frame();
            assert!(timeline.anchors.len() < 8);
        }
    }

    #[test]
    fn what_a_gap_held_back_is_expendable_and_what_follows_is_not() {
        for gap in [5_760, 20 * 90_000] {
            let mut timeline = Timeline::new(RATE_HZ, DELAY, START);
            times(&mut timeline, &every(2880, 10), 1536);
            let resumed = START.offset(10 * 2880 + gap);
            let pts: Vec<_> = (0..9).map(|i| resumed.offset(i * 2880)).collect();
            let frames = times(&mut timeline, &pts, 1536);
            for frame in frames {
                let since_resumed = frame.pts.since(resumed);
                assert_eq!(frame.is_expendable, since_resumed < 4 * 1920, "{frame:?}");
            }
        }
    }

    #[test]
    fn a_lost_frame_becomes_silence_and_what_follows_keeps_its_time() {
        let mut timeline = Timeline::new(RATE_HZ, DELAY, START);
        let mut pts = every(2880, 20);
        pts.remove(10);
        let frames = times(&mut timeline, &pts, 1536);
        assert!(frames.windows(2).all(|w| w[1].pts.since(w[0].pts) == 1920));
        assert_eq!(timeline.fed, 20 * 1536);
    }

    #[test]
    fn an_overlap_is_cut_out() {
        let mut timeline = Timeline::new(RATE_HZ, DELAY, START);
        times(&mut timeline, &every(2880, 5), 1536);
        let again = START.offset(5 * 2880 - 1800);
        assert_eq!(
            timeline.place(again, Joint::Smooth),
            Placement::Trim { samples: 960 }
        );
    }

    #[test]
    fn a_jump_either_way_is_a_jump_of_the_pts_on_a_frame_boundary() {
        for seconds in [-36_000, -1, 1, 36_000] {
            for delay in [2048, 1600, 2112] {
                let mut timeline = Timeline::new(RATE_HZ, delay, START);
                times(&mut timeline, &every(2160, 7), 1152);
                let jump = START.offset(seconds * 90_000);
                let pts: Vec<_> = (0..9).map(|i| jump.offset(i * 2160)).collect();
                let frames = times(&mut timeline, &pts, 1152);
                let bases: Vec<_> = frames.iter().filter(|f| f.starts_base).collect();
                assert_eq!(bases.len(), 1);
                assert_eq!(bases[0].pts, jump);
                // The end of the sound before the jump still comes, in its own time.
                let before: Vec<_> = frames.iter().take_while(|f| !f.starts_base).collect();
                assert!(before.len() >= 2, "{} frames", before.len());
                assert!(before.windows(2).all(|w| w[1].pts.since(w[0].pts) == 1920));
                let heard_until = before.last().map(|f| f.pts.offset(1920).since(START));
                assert!(heard_until.is_some_and(|ticks| ticks >= 7 * 2160));
            }
        }
    }
}
