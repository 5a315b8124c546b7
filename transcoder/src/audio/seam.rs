//! Joints in the sound: where samples are missing, and where some were cut out.
//!
//! A tone that ends abruptly clicks. So on both sides of a hole the sound continues for a
//! moment, mirrored and fading. Over a cut, the sound before it and the sound after it are
//! cross-faded. No received sample beside a hole is made quieter.

/// Length of a fade: 5 ms, two periods of the lowest voices, too short to be noticed
/// beside the hole itself.
const FADES_PER_SECOND: usize = 200;

/// The last samples of a row, from which it is continued.
#[derive(Debug)]
pub(super) struct Seam {
    channels: usize,
    fade_samples: usize,
    /// The last samples, interleaved; at most a fade's.
    tail: Vec<f32>,
}

impl Seam {
    pub(super) fn new(sample_rate_hz: u32, channels: u8) -> Self {
        Self {
            channels: usize::from(channels).max(1),
            fade_samples: sample_rate_hz as usize / FADES_PER_SECOND,
            tail: Vec::new(),
        }
    }

    /// Note samples that were appended to the row, interleaved.
    pub(super) fn note(&mut self, appended: &[f32]) {
        let most = self.fade_samples * self.channels;
        if appended.len() >= most {
            self.tail.clear();
            self.tail.extend(&appended[appended.len() - most..]);
            return;
        }
        let kept = (most - appended.len()).min(self.tail.len());
        self.tail.drain(..self.tail.len() - kept);
        self.tail.extend(appended);
    }

    /// Append a hole of `samples` samples of each channel to the row: silence, into which the
    /// tail fades out and out of which `next` fades in.
    pub(super) fn fill(&self, hole: usize, next: &[f32], row: &mut Vec<f32>) {
        let start = row.len();
        row.resize(start + hole * self.channels, 0.0);
        let fade = self.fade_samples.min(hole);
        let filled = &mut row[start..];
        for index in 0..fade {
            let gain = 1.0 - slope(index, fade);
            for channel in 0..self.channels {
                let sample = &mut filled[index * self.channels + channel];
                *sample += self.mirrored_tail(index, channel) * gain;
                let at_end = (hole - 1 - index) * self.channels + channel;
                let coming = next
                    .get(index * self.channels + channel)
                    .copied()
                    .unwrap_or(0.0);
                filled[at_end] += coming * gain;
            }
        }
    }

    /// Cross the tail into the samples that follow a cut.
    pub(super) fn cross(&self, next: &mut [f32]) {
        let fade = self.fade_samples.min(next.len() / self.channels);
        for (index, frame) in next.chunks_exact_mut(self.channels).take(fade).enumerate() {
            let gain = slope(index, fade);
            for (channel, sample) in frame.iter_mut().enumerate() {
                *sample = *sample * gain + self.mirrored_tail(index, channel) * (1.0 - gain);
            }
        }
    }

    /// Return the sample that stands as far before the row's end as `index` is behind it.
    fn mirrored_tail(&self, index: usize, channel: usize) -> f32 {
        let frames = self.tail.len() / self.channels;
        frames
            .checked_sub(index + 1)
            .and_then(|frame| self.tail.get(frame * self.channels + channel))
            .copied()
            .unwrap_or(0.0)
    }
}

/// Rise from 0 to 1 over a fade, level at both ends.
fn slope(index: usize, fade: usize) -> f32 {
    let x = (index as f32 + 0.5) / fade.max(1) as f32;
    x * x * (3.0 - 2.0 * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: u32 = 48_000;
    const FADE: usize = 240;

    fn tone(count: usize, phase: f32) -> Vec<f32> {
        (0..count)
            .flat_map(|index| {
                let angle = 0.0576 * index as f32 + phase;
                [angle.sin(), angle.cos()]
            })
            .collect()
    }

    /// The largest step between neighbouring samples of one channel.
    fn largest_step(samples: &[f32]) -> f32 {
        let steps = samples.iter().zip(&samples[2..]);
        steps.map(|(a, b)| (b - a).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_hole_of_any_length_begins_and_ends_without_a_step_and_touches_no_sample_beside_it() {
        for hole in [1, 2, 100, FADE, FADE + 1, 1152, 5000] {
            let (before, next) = (tone(1000, 0.0), tone(1000, 2.0));
            let mut seam = Seam::new(RATE_HZ, 2);
            before.chunks(14).for_each(|part| seam.note(part));
            let mut row = before.clone();
            seam.fill(hole, &next, &mut row);
            row.extend(&next);
            assert_eq!(row.len(), before.len() + 2 * hole + next.len());
            assert_eq!(row[..before.len()], before);
            let own = largest_step(&before);
            // In a hole of a few samples the two sides cannot but meet steeply.
            if hole >= 100 {
                assert!(largest_step(&row) <= 2.0 * own, "hole of {hole}: {own}");
            }
            if hole > 2 * FADE {
                let middle = before.len() + hole;
                assert_eq!(row[middle..middle + 2], [0.0, 0.0]);
            }
        }
    }

    #[test]
    fn a_cut_is_crossed_without_a_step() {
        let (before, mut next) = (tone(1000, 0.0), tone(1000, 2.5));
        let untouched = next.clone();
        let mut seam = Seam::new(RATE_HZ, 2);
        seam.note(&before);
        seam.cross(&mut next);
        assert_eq!(next[2 * FADE..], untouched[2 * FADE..]);
        let own = largest_step(&before);
        assert!(largest_step(&[before, next].concat()) <= 1.5 * own);
    }

    #[test]
    fn before_any_sound_there_is_silence() {
        let mut row = Vec::new();
        Seam::new(RATE_HZ, 2).fill(1000, &[], &mut row);
        assert_eq!(row, [0.0; 2000]);
        let mut next = tone(1000, 1.0);
        Seam::new(RATE_HZ, 2).cross(&mut next);
        assert!(next[0].abs() < 0.01);
    }
}
