//! When the source's sound is heard: its PTS where they are worth something, its own
//! length, and the program's clock where they are not.
//!
//! An elementary stream tells time better than its PTS do: a unit that follows another
//! is heard when the other ends. So time runs with the samples, and PTS are only
//! compared with it:
//!
//! ```text
//!   they scatter around it             nothing moves until their mean is off: jitter
//!   the last ones agree on a step      it is followed
//!   far off, and the PCR says so, too  followed at once: the sound has paused
//!   far off, twice alike               followed
//!   far off once                       bogus
//!   the same as the one before         says nothing
//!   none, always the same              the PCR at arrival stands in for them
//! ```
//!
//! Behind a loss time goes on by the units that are missing, which the continuity
//! counter, the PCR and the mean length of a unit tell; the next PTS corrects that.

use super::arrival::{Arrival, UnitFacts};
use super::codec::Codec;
use super::differences::{Differences, MAX_JITTER_90K};
use super::heard::{Heard, Joint};
use super::leads::Leads;
use super::missing_units::MissingUnits;
use super::position::{Duration, Position};
use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};

/// Differences above this are no jitter.
const MIN_JUMP_90K: i64 = 9_000;
/// Two that are far off mean the same place when they are this close to each other.
const SAME_JUMP_90K: i64 = 180;

/// Sound ahead of the program's clock at arrival, where no PTS says how much: broadcast
/// access units arrive 6 to 83 ms before they are heard.
const ASSUMED_LEAD_90K: i64 = 60 * 90;
/// Leads that a PTS which has to do with the clock can have; multiplexers of files send
/// sound up to a second ahead.
const PLAUSIBLE_LEAD_90K: std::ops::Range<i64> = -3 * TICKS_PER_SECOND..10 * TICKS_PER_SECOND;
/// How long the clock waits for a first PTS, in 90 kHz of sound.
const MAX_WAIT_90K: i64 = 100 * 90;
/// How long the clock waits for a second PTS after a first one that is unrelated to the
/// program's clock.
const MAX_WAIT_FOR_SECOND_90K: i64 = 500 * 90;
/// A PTS that has not changed for this long since the beginning is ignored.
const STUCK_90K: i64 = 200 * 90;
/// After this time without a usable PTS, time follows the PCR.
const MAX_UNGUIDED_90K: i64 = 10 * TICKS_PER_SECOND;

/// Units over which the distance to the PCR is looked at where there is no PTS, and
/// how far it may be off: arrival is not punctual.
const GUIDED_BY_PCR_UNITS: usize = 128;
const MAX_PCR_ERROR_90K: i64 = 40 * 90;
/// Units in a row that are further off than this mean that time has jumped.
const PCR_JUMP_90K: i64 = TICKS_PER_SECOND;
const PCR_JUMP_UNITS: u8 = 3;

/// PTS that have to have been compared before a step is one of the sound. Until then
/// it is the first PTS that was off, and time moves over smoothly.
const SETTLED_PTS: u32 = 32;
/// Time moves over smoothly this far; further it jumps.
const MAX_SLEW_90K: i64 = TICKS_PER_SECOND / 2;

/// The time line of one elementary stream.
#[derive(Debug, Default)]
pub(super) struct SourceClock {
    position: Position,
    /// Time of position 0.
    origin: Option<Timestamp>,
    guide: Guide,
    last_pts: Option<Timestamp>,
    /// A PTS that was not trusted: its position and its difference.
    candidate: Option<Candidate>,
    differences: Differences,
    /// PTS compared since time was last found anew; the first one may itself have been off.
    compared: u32,
    /// How far time still has to move, bit by bit.
    slew_90k: i64,
    /// Coding and rate of the last unit.
    form: Option<(Codec, Option<u32>)>,
    /// The next PTS says how much is missing, or what time another piece of sound that
    /// was joined on belongs to.
    after_loss: bool,
    leads: Leads,
    /// The position of the last PTS that was trusted.
    guided_at_90k: i64,
    missing: MissingUnits,
}

/// What time follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Guide {
    /// A PTS; no second one has shown yet that they move.
    #[default]
    FirstPts,
    Pts,
    /// The PCR, for there is no PTS that is worth anything.
    Pcr(PcrGuide),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PcrGuide {
    /// How far sound is ahead of the clock.
    lead_90k: i64,
    time_base: Option<u32>,
    far_off: u8,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    pts: Timestamp,
    position_90k: i64,
}

impl SourceClock {
    /// Note a packet's share of the elementary stream.
    pub(super) fn observe_packet(&mut self, bytes: usize) {
        self.missing.observe_packet(bytes);
    }

    /// Place the next unit. Call [`advance`](Self::advance) behind it.
    pub(super) fn place(&mut self, unit: UnitFacts) -> Heard {
        let missing = self.missing.before(&unit);
        if let Some(duration) = self.missing.last_duration {
            self.position.advance(duration, missing);
        }
        let form = Some((unit.codec, unit.sample_rate_hz));
        let is_spliced = self.form != form;
        let is_first = self.form.is_none();
        self.form = form;
        self.after_loss |=
            unit.lost.is_some() || unit.skipped_bytes > 0 && !is_first || is_spliced && !is_first;
        let was_lost = self.after_loss && !is_spliced;
        let mut joined = unit.lost.is_none() && missing == 0 && !is_spliced;
        self.missing.observe_unit(unit.bytes);

        let says_something = unit.pts.filter(|_| unit.pts != self.last_pts);
        let repeated = unit.pts.is_some() && says_something.is_none();
        self.last_pts = unit.pts.or(self.last_pts);
        if self.origin.is_none() {
            self.begin(says_something, repeated, unit.arrival);
        } else if let Some(pts) = says_something {
            joined &= self.compare(pts, unit.arrival);
        } else {
            joined &= self.go_on_unguided(repeated, unit.arrival);
        }
        self.slew();
        if let (Some(pts), Some(arrival)) = (says_something, unit.arrival) {
            self.leads.add(pts.since(arrival.now));
        }
        self.missing.note_arrival(&unit);
        let joint = match (joined, was_lost) {
            (true, _) => Joint::Smooth,
            (false, true) => Joint::Lost,
            (false, false) => Joint::Spliced,
        };
        let position_90k = self.position.ticks_90k();
        match self.time_of(position_90k) {
            Some(time) => Heard::At { time, joint },
            None => Heard::Later {
                position_90k,
                joint,
            },
        }
    }

    /// Go on behind a unit. Without a duration it is taken to be as long as the one before
    /// it.
    pub(super) fn advance(&mut self, duration: Option<Duration>) {
        let known = duration.filter(|d| d.sample_rate_hz > 0 && d.samples > 0);
        self.missing.last_duration = known.or(self.missing.last_duration);
        match self.missing.last_duration {
            Some(duration) => self.position.advance(duration, 1),
            // Nothing was heard yet, and how far it is to the next unit is not known.
            None => self.origin = None,
        }
    }

    /// Return whether the next unit lets wait for it longer than they usually do.
    pub(super) fn misses_a_unit(&self, now: Arrival) -> bool {
        self.missing.misses_a_unit(now)
    }

    /// Take the best guess there is for the time of what was placed so far: nothing more
    /// comes.
    pub(super) fn wait_no_longer(&mut self) {
        if self.origin.is_none() {
            self.origin = Some(match self.candidate {
                Some(first) => first.pts.offset(-first.position_90k),
                None => Timestamp::new(0),
            });
        }
    }

    /// Return the time of a place in the elementary stream; `None` before anything is
    /// known.
    pub(super) fn time_of(&self, position_90k: i64) -> Option<Timestamp> {
        self.origin.map(|origin| origin.offset(position_90k))
    }

    /// Find the time of the first units.
    fn begin(&mut self, pts: Option<Timestamp>, repeated: bool, arrival: Option<Arrival>) {
        let position_90k = self.position.ticks_90k();
        if let Some(pts) = pts {
            let is_plausible =
                arrival.is_none_or(|at| PLAUSIBLE_LEAD_90K.contains(&pts.since(at.now)));
            let moves = self.candidate.is_some();
            if is_plausible || moves {
                self.guide = if moves { Guide::Pts } else { Guide::FirstPts };
                self.follow_from(pts);
                return;
            }
            self.candidate = Some(Candidate { pts, position_90k });
        }
        match (self.candidate, arrival) {
            (Some(_), Some(_)) if repeated => {
                self.follow_pcr(arrival);
            }
            (Some(first), _) if position_90k - first.position_90k >= MAX_WAIT_FOR_SECOND_90K => {
                self.origin = Some(first.pts.offset(-first.position_90k));
            }
            (None, _) if position_90k >= MAX_WAIT_90K => {
                self.follow_pcr(arrival);
            }
            _ => {}
        }
    }

    fn follow_from(&mut self, pts: Timestamp) {
        self.candidate = None;
        self.after_loss = false;
        self.differences.clear();
        (self.compared, self.slew_90k) = (0, 0);
        self.guided_at_90k = self.position.ticks_90k();
        self.origin = Some(pts.offset(-self.position.ticks_90k()));
    }

    /// Return how far sound is ahead of the program's clock, where it can have to do with
    /// it.
    fn own_lead(&self, arrival: Option<Arrival>) -> Option<i64> {
        let time = self.time_of(self.position.ticks_90k())?;
        Some(time.since(arrival?.now)).filter(|lead| (0..TICKS_PER_SECOND).contains(lead))
    }

    /// Use the PCR instead of PTS. Return whether time is unchanged.
    fn follow_pcr(&mut self, arrival: Option<Arrival>) -> bool {
        let own_lead = self.own_lead(arrival);
        let lead_90k = own_lead.unwrap_or(ASSUMED_LEAD_90K);
        self.guide = Guide::Pcr(PcrGuide {
            lead_90k,
            time_base: arrival.map(|at| at.time_base),
            far_off: 0,
        });
        self.candidate = None;
        self.differences.clear();
        let position_90k = self.position.ticks_90k();
        match arrival {
            Some(at) if own_lead.is_none() => {
                let before = self.time_of(position_90k);
                let time = at.now.offset(lead_90k);
                let moved = before.map(|before| time.since(before));
                if let Some(moved) = moved.filter(|ticks| ticks.abs() <= MAX_SLEW_90K) {
                    self.slew_90k = moved;
                    return true;
                }
                self.slew_90k = 0;
                self.origin = Some(time.offset(-position_90k));
                false
            }
            _ => {
                self.origin.get_or_insert(Timestamp::new(0));
                true
            }
        }
    }

    /// Compare a PTS with the time that was reached. Return whether the sound continues without
    /// a jump.
    fn compare(&mut self, pts: Timestamp, arrival: Option<Arrival>) -> bool {
        let position_90k = self.position.ticks_90k();
        let Some(time) = self.time_of(position_90k) else {
            return true;
        };
        let difference = pts.since(time);
        let by_pcr = matches!(self.guide, Guide::Pcr(_));
        let is_far = difference.abs() > MIN_JUMP_90K || by_pcr;
        let supported = self.clock_supports(pts, time, arrival);
        if is_far && supported != Some(true) {
            let again = self.candidate.is_some_and(|before| {
                let moved = pts.since(before.pts) - (position_90k - before.position_90k);
                moved.abs() <= SAME_JUMP_90K.max(2 * self.differences.scatter())
            });
            let believed_at_once = self.after_loss && supported.is_none() && !by_pcr;
            if !again && !believed_at_once {
                self.candidate = Some(Candidate { pts, position_90k });
                return true;
            }
        }
        self.candidate = None;
        self.guided_at_90k = position_90k;
        if by_pcr {
            self.differences.clear();
        }
        self.guide = Guide::Pts;
        let after_loss = std::mem::take(&mut self.after_loss);
        if is_far {
            self.differences.clear();
            (self.compared, self.slew_90k) = (0, 0);
            self.shift(difference);
            return difference.abs() <= MAX_JITTER_90K;
        }
        if after_loss {
            let correction = self.correction_behind_loss(difference);
            self.slew_90k = 0;
            self.shift(correction);
            self.differences.add(difference - correction);
            return correction == 0;
        }
        let is_settled = self.compared >= SETTLED_PTS;
        self.compared = self.compared.saturating_add(1);
        self.differences.add(difference - self.slew_90k);
        let correction = self.differences.correction();
        if !is_settled {
            self.slew_90k += correction;
            return true;
        }
        self.shift(correction);
        correction.abs() <= MAX_JITTER_90K
    }

    /// Return whether a PTS far from the time reached fits to the program's clock as
    /// earlier ones did, and that time does not; `None` where this cannot be said.
    fn clock_supports(
        &self,
        pts: Timestamp,
        time: Timestamp,
        arrival: Option<Arrival>,
    ) -> Option<bool> {
        let usual = self.leads.usual()?;
        let error = (pts.since(arrival?.now) - usual).abs();
        Some(error < (pts.since(time) / 4).abs())
    }

    /// Return the correction by the first PTS after a loss: a whole number of missing units if
    /// PTS scatter, else exactly the difference of this PTS.
    fn correction_behind_loss(&self, difference: i64) -> i64 {
        let scatter = self.differences.scatter().max(self.differences.tolerance());
        if difference.abs() <= scatter {
            return 0;
        }
        let unit = self.missing.last_duration.map_or(0, Duration::ticks_90k);
        if unit == 0 {
            return difference;
        }
        let units = (difference + difference.signum() * unit / 2) / unit;
        let rest = difference - units * unit;
        if rest.abs() <= scatter {
            units * unit
        } else {
            difference
        }
    }

    /// Move time a little way of what it still has to, so that AAC frames do not part.
    fn slew(&mut self) {
        let most = self
            .missing
            .last_duration
            .map_or(0, |duration| MAX_JITTER_90K.min(duration.ticks_90k() / 3));
        let ticks_90k = self.slew_90k.clamp(-most, most);
        self.slew_90k -= ticks_90k;
        self.shift(ticks_90k);
    }

    fn shift(&mut self, ticks_90k: i64) {
        self.origin = self.origin.map(|origin| origin.offset(ticks_90k));
    }

    /// Continue without a usable PTS. Return whether the sound continues without a jump.
    fn go_on_unguided(&mut self, repeated: bool, arrival: Option<Arrival>) -> bool {
        let unguided_90k = self.position.ticks_90k() - self.guided_at_90k;
        let never_moved = self.guide == Guide::FirstPts && repeated;
        if never_moved && unguided_90k >= STUCK_90K {
            return self.follow_pcr(arrival);
        }
        if let Guide::Pcr(guide) = self.guide {
            return self.follow(guide, arrival);
        }
        if unguided_90k >= MAX_UNGUIDED_90K && self.own_lead(arrival).is_some() {
            self.follow_pcr(arrival);
        }
        true
    }

    /// Follow the PCR, slowly: arrival is not punctual.
    fn follow(&mut self, mut guide: PcrGuide, arrival: Option<Arrival>) -> bool {
        let Some((arrival, time)) = arrival.zip(self.time_of(self.position.ticks_90k())) else {
            return true;
        };
        let same_base = guide
            .time_base
            .replace(arrival.time_base)
            .is_none_or(|base| base == arrival.time_base);
        let error = arrival.now.since(time) + guide.lead_90k;
        let far = error.abs() > PCR_JUMP_90K;
        guide.far_off = if far { guide.far_off + 1 } else { 0 };
        self.guide = Guide::Pcr(guide);
        if far && (!same_base || guide.far_off >= PCR_JUMP_UNITS) {
            return self.follow_pcr(Some(arrival));
        }
        if far {
            return true;
        }
        self.differences.add(error);
        if let Some(median) = self.differences.median_of(GUIDED_BY_PCR_UNITS)
            && median.abs() > MAX_PCR_ERROR_90K
        {
            self.differences.clear();
            self.shift(median.clamp(-MAX_JITTER_90K, MAX_JITTER_90K));
        }
        true
    }
}

#[cfg(test)]
mod tests;
