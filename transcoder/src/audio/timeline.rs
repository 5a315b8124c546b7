//! The sample timeline: which moment each sample given to the encoder belongs to,
//! and therefore which PTS each AAC frame carries.
//!
//! The encoder sees one unbroken row of samples. Anchors tie places in that row to
//! PTS of the source; between anchors time runs with the sample rate, so nothing
//! adds up over hours. Where the source's PTS disagrees with the row:
//!
//! ```text
//!   difference          what happens
//!   up to 0.3 ms        nothing: rounding of 90 kHz and of the source's clock
//!   up to 10 ms         the row goes on, a new anchor takes the source's PTS over
//!   a gap to 100 ms     silence of exactly that length
//!   an overlap to 1 s   that many samples are left out
//!   anything else       a new base: the jump is carried as a jump of the PTS
//! ```

use std::collections::VecDeque;

use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};

/// Samples per channel in an AAC-LC frame.
pub(crate) const FRAME_SAMPLES: u64 = 1024;

const ROUNDING_90K: i64 = 27;
const STEP_90K: i64 = 900;
const FILL_90K: i64 = 9_000;
const OVERLAP_90K: i64 = 90_000;

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
    /// Frames that begin before this sample are left out.
    base_sample: i64,
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
    /// Feed [`Timeline::samples_to_boundary`] of silence, call
    /// [`Timeline::rebase`], and feed them.
    Rebase,
}

/// The time of an AAC frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameTime {
    /// Of its first sample.
    pub(crate) pts: Timestamp,
    /// Whether a new base begins with it.
    pub(crate) starts_base: bool,
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
            // The frame before the first sample primes the decoder's overlap; earlier
            // ones hold nothing.
            base_sample: -(FRAME_SAMPLES as i64),
        }
    }

    /// Says how samples whose first one belongs to `pts` join the row, and remembers
    /// small differences.
    pub(crate) fn place(&mut self, pts: Timestamp) -> Placement {
        let difference = pts.since(self.pts_of(self.fed as i64));
        if difference.abs() <= ROUNDING_90K {
            Placement::Follow
        } else if difference.abs() <= STEP_90K {
            self.anchors.push_back(Anchor {
                sample: self.fed,
                pts,
            });
            Placement::Follow
        } else if (0..=FILL_90K).contains(&difference) {
            Placement::FillThenFollow {
                silent_samples: self.samples_in(difference),
            }
        } else if (-OVERLAP_90K..=0).contains(&difference) {
            Placement::Trim {
                samples: self.samples_in(-difference),
            }
        } else {
            Placement::Rebase
        }
    }

    /// Samples until an AAC frame boundary.
    pub(crate) fn samples_to_boundary(&self) -> u64 {
        (self.fed + self.encoder_delay).wrapping_neg() % FRAME_SAMPLES
    }

    /// Begins a new base at the next sample, which must stand on a frame boundary.
    /// Frames before it that have not come out yet will be left out: by the new
    /// base's clock they are late.
    pub(crate) fn rebase(&mut self, pts: Timestamp) {
        self.anchors.push_back(Anchor {
            sample: self.fed,
            pts,
        });
        self.base_sample = self.fed as i64;
    }

    /// Notes that samples were given to the encoder.
    pub(crate) fn feed(&mut self, samples: u64) {
        self.fed += samples;
    }

    /// The time of the AAC frame that just came out; none when it is to be left out.
    pub(crate) fn next_frame(&mut self) -> Option<FrameTime> {
        let start = (self.frames * FRAME_SAMPLES) as i64 - self.encoder_delay as i64;
        self.frames += 1;
        while self
            .anchors
            .get(1)
            .is_some_and(|next| next.sample as i64 <= start)
        {
            self.anchors.pop_front();
        }
        (start >= self.base_sample).then(|| FrameTime {
            pts: self.pts_of(start),
            starts_base: start - self.base_sample < FRAME_SAMPLES as i64,
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
            match timeline.place(pts) {
                Placement::Follow => {}
                Placement::FillThenFollow { silent_samples } => timeline.feed(silent_samples),
                Placement::Trim { samples } => kept = kept.saturating_sub(samples),
                Placement::Rebase => {
                    timeline.feed(timeline.samples_to_boundary());
                    timeline.rebase(pts);
                }
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
        assert_eq!(
            frames[0],
            FrameTime {
                pts: START.offset(-1920),
                starts_base: true
            }
        );
        assert_eq!(
            frames[1],
            FrameTime {
                pts: START,
                starts_base: false
            }
        );
        assert!(frames.windows(2).all(|w| w[1].pts.since(w[0].pts) == 1920));
    }

    #[test]
    fn time_does_not_drift_at_44100_hz_over_two_wraps() {
        let mut timeline = Timeline::new(44_100, DELAY, START);
        let mut frame = None;
        let count = 53 * 3600 * 44_100 / 1024;
        for i in 0..count {
            let pts = START.offset(i * 1024 * 90_000 / 44_100);
            assert_eq!(timeline.place(pts), Placement::Follow, "frame {i}");
            timeline.feed(1024);
            frame = timeline.next_frame();
        }
        let expected = START.offset((count - 3) * 1024 * 90_000 / 44_100);
        let error = frame.map(|f| f.pts.since(expected).abs());
        assert!(error.is_some_and(|ticks| ticks <= 1), "{error:?}");
    }

    #[test]
    fn a_source_clock_that_runs_slow_is_followed_within_a_third_of_a_millisecond() {
        let mut timeline = Timeline::new(RATE_HZ, DELAY, START);
        // 100 ppm: one tick more in every 10,000.
        for i in 0..100_000i64 {
            let pts = START.offset(i * 1920 + i * 1920 / 10_000);
            assert_eq!(timeline.place(pts), Placement::Follow);
            assert!(pts.since(timeline.pts_of(timeline.fed as i64)).abs() <= ROUNDING_90K);
            timeline.feed(1024);
            timeline.next_frame();
            assert!(timeline.anchors.len() < 8);
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
        assert_eq!(timeline.place(again), Placement::Trim { samples: 960 });
    }

    #[test]
    fn a_jump_of_ten_hours_either_way_is_a_jump_of_the_pts_on_a_frame_boundary() {
        for hours in [-10, 10] {
            for delay in [2048, 1600, 2112] {
                let mut timeline = Timeline::new(RATE_HZ, delay, START);
                times(&mut timeline, &every(2160, 7), 1152);
                let jump = START.offset(hours * 3600 * 90_000);
                let pts: Vec<_> = (0..9).map(|i| jump.offset(i * 2160)).collect();
                let frames = times(&mut timeline, &pts, 1152);
                assert_eq!(
                    frames[0],
                    FrameTime {
                        pts: jump,
                        starts_base: true
                    }
                );
                assert!(frames[1..].iter().all(|f| !f.starts_base));
            }
        }
    }
}
