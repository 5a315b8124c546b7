//! What the last PTS were off, and what follows from it: nothing while they only
//! scatter, a correction when they agree that time is off.

use std::collections::VecDeque;

/// Differences that are kept: some seconds of jitter of 40 ms average out.
const KEPT: usize = 128;

/// PTS that scatter no more than this are clean: time follows their steps.
const CLEAN_SCATTER_90K: i64 = 450;
/// PTS agree when they are this close to each other; they may be rounded to
/// milliseconds.
const AGREEING_90K: i64 = 180;
/// How many in a row have to agree on a step: few behind clean ones, more at a beginning.
const AGREEING_BEHIND_CLEAN: usize = 3;
const AGREEING_AT_FIRST: usize = 8;

/// What the last PTS of a clean stream may be off together before time is corrected: as
/// much as they scatter, but at least the rounding of 90 kHz and less than the
/// millisecond that sound may be off the picture. So the drift of a steady clock is
/// followed closely, and small jitter is not heard.
const TOLERANCE_90K: (i64, i64) = (9, 63);
/// How many these are: most of a second, so that a jitter of 2 ms averages out.
const CLEAN_WINDOW: usize = 32;

/// Fewer differences of a stream that jitters say nothing.
const MIN_JITTERING: usize = 16;

/// Time moves at most this far for the mean of PTS that scatter: further would part the
/// AAC frames.
pub(super) const MAX_JITTER_90K: i64 = 900;

/// The last differences between PTS and time reached, oldest first.
#[derive(Debug, Default)]
pub(super) struct Differences {
    kept: VecDeque<i64>,
}

impl Differences {
    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }

    pub(super) fn add(&mut self, difference: i64) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(difference);
    }

    /// Return how far the middle eight tenths lie apart: single outliers do not count.
    pub(super) fn scatter(&self) -> i64 {
        scatter(&self.sorted(0, self.kept.len()))
    }

    /// Return what the last ones may be off together without meaning anything.
    pub(super) fn tolerance(&self) -> i64 {
        self.scatter().clamp(TOLERANCE_90K.0, TOLERANCE_90K.1)
    }

    /// Return the median; `None` while there are fewer than `count`.
    pub(super) fn median_of(&self, count: usize) -> Option<i64> {
        let sorted = self.sorted(0, self.kept.len());
        (sorted.len() >= count).then(|| sorted[sorted.len() / 2])
    }

    /// Return how far the differences together move time; 0 if they show no step. The kept
    /// differences count from there on.
    pub(super) fn correction(&mut self) -> i64 {
        let step = self.step();
        if step.is_some() {
            // Those before it were right about another time.
            let agreed = self.kept.len() - AGREEING_BEHIND_CLEAN;
            self.kept.drain(..agreed);
        }
        let correction = step.unwrap_or_else(|| self.drift());
        for difference in &mut self.kept {
            *difference -= correction;
        }
        correction
    }

    /// Return a step on which the last ones agree.
    fn step(&self) -> Option<i64> {
        let count = self.kept.len();
        let agreed = |last: usize| {
            let recent = self.sorted(count.checked_sub(last)?, count);
            let spread = recent[last - 1] - recent[0];
            (spread <= AGREEING_90K).then(|| recent[last / 2])
        };
        let before = self.sorted(0, count.saturating_sub(AGREEING_BEHIND_CLEAN));
        let scatter = scatter(&before);
        if before.len() >= AGREEING_AT_FIRST && scatter <= CLEAN_SCATTER_90K {
            let step = agreed(AGREEING_BEHIND_CLEAN)?;
            return (step.abs() > AGREEING_90K.max(2 * scatter)).then_some(step);
        }
        agreed(AGREEING_AT_FIRST).filter(|step| step.abs() > AGREEING_90K)
    }

    /// Return how far the mean is off.
    fn drift(&self) -> i64 {
        let count = self.kept.len();
        let scattered = self.scatter();
        if scattered > CLEAN_SCATTER_90K {
            if count < MIN_JITTERING {
                return 0;
            }
            let sorted = self.sorted(0, count);
            let inner = &sorted[count / 10..count - count / 10];
            let mean = inner.iter().sum::<i64>() / inner.len().max(1) as i64;
            // Three times what the mean of so many is off by chance.
            let tolerance = scattered / (count as i64).isqrt();
            return if mean.abs() > tolerance {
                mean.clamp(-MAX_JITTER_90K, MAX_JITTER_90K)
            } else {
                0
            };
        }
        let Some(from) = count.checked_sub(CLEAN_WINDOW) else {
            return 0;
        };
        let sorted = self.sorted(from, count);
        let median = sorted[CLEAN_WINDOW / 2];
        let mean = sorted.iter().sum::<i64>() / CLEAN_WINDOW as i64;
        let spread = sorted[CLEAN_WINDOW - 1] - sorted[0];
        let tolerance = spread.clamp(TOLERANCE_90K.0, TOLERANCE_90K.1);
        if mean.abs() > tolerance && median.abs() > tolerance {
            median
        } else {
            0
        }
    }

    fn sorted(&self, from: usize, to: usize) -> Vec<i64> {
        let mut values: Vec<i64> = self.kept.range(from..to).copied().collect();
        values.sort_unstable();
        values
    }
}

fn scatter(sorted: &[i64]) -> i64 {
    match sorted.len() {
        0 => 0,
        count => sorted[count - 1 - count / 10] - sorted[count / 10],
    }
}
