//! How many access units are missing in front of one, by the continuity counter, the program's
//! clock and the mean length of a unit.

use super::access_unit::Lost;
use super::arrival::{Arrival, UnitFacts};
use super::position::Duration;
use crate::ts::clock::TICKS_PER_SECOND;

/// Number of units after which a pause is nearly forgotten, and the longest pause that
/// counts as usual for the station.
const PAUSE_MEMORY_UNITS: i64 = 64;
const MAX_PAUSE_90K: i64 = TICKS_PER_SECOND / 2;

/// A unit is missed when it comes later than the latest ones by this.
const UNUSUAL_WAIT_90K: i64 = 5 * 90;
/// Units over which the mean length of a unit is taken, and packets likewise.
const MEAN_OVER: u32 = 128;
/// Maximum number of packets that can be missing at once: 10 s of any audio.
const MAX_LOST_PACKETS: f64 = 10_000.0;
/// Bytes that were skipped are units when they are this near to a multiple of a unit.
const UNIT_MULTIPLE_TOLERANCE: f64 = 0.1;

/// The measurements from which missing units are counted.
#[derive(Debug, Default)]
pub(super) struct MissingUnits {
    unit_bytes: Mean,
    packet_bytes: Mean,
    last_arrival: Option<Arrival>,
    /// The longest recent pause before a unit, in 90 kHz.
    usual_pause_90k: i64,
    pub(super) last_duration: Option<Duration>,
}

impl MissingUnits {
    /// Note a packet's share of the elementary stream.
    pub(super) fn observe_packet(&mut self, bytes: usize) {
        self.packet_bytes.add(bytes);
    }

    /// Note the length of a unit.
    pub(super) fn observe_unit(&mut self, bytes: usize) {
        self.unit_bytes.add(bytes);
    }

    /// Return whether the next unit lets wait for it longer than they usually do.
    pub(super) fn misses_a_unit(&self, now: Arrival) -> bool {
        let (Some(last), Some(duration)) = (self.last_arrival, self.last_duration) else {
            return false;
        };
        let usual = duration.ticks_90k() + self.usual_pause_90k + UNUSUAL_WAIT_90K;
        now.time_base == last.time_base && now.now.since(last.now) > usual
    }

    pub(super) fn note_arrival(&mut self, unit: &UnitFacts) {
        if let (Some(now), Some(before), Some(duration), None) = (
            unit.arrival,
            self.last_arrival,
            self.last_duration,
            unit.lost,
        ) && now.time_base == before.time_base
        {
            let pause = now.now.since(before.now) - duration.ticks_90k();
            let fading = self.usual_pause_90k - self.usual_pause_90k / PAUSE_MEMORY_UNITS;
            self.usual_pause_90k = pause.clamp(0, MAX_PAUSE_90K).max(fading);
        }
        self.last_arrival = unit.arrival;
    }

    /// Return how many units are missing in front of this one.
    pub(super) fn before(&self, unit: &UnitFacts) -> u64 {
        let Some(duration) = self.last_duration.filter(|_| self.unit_bytes.value > 0.0) else {
            return 0;
        };
        let skipped = unit.skipped_bytes as f64 / self.unit_bytes.value;
        let Some(lost) = unit.lost.or_else(|| self.unseen_loss(unit, duration)) else {
            // Stuffing between units is no time; units that were damaged are.
            let whole = skipped.round();
            let are_units = (skipped - whole).abs() <= UNIT_MULTIPLE_TOLERANCE * whole.min(2.0);
            return if are_units { whole as u64 } else { 0 };
        };
        let by_clock = self.missing_by_clock(unit.arrival, duration);
        let Some(packets) = lost.packets else {
            return by_clock.unwrap_or(skipped).max(0.0).round() as u64;
        };
        let per_packet = self.packet_bytes.value / self.unit_bytes.value;
        let least = skipped + f64::from(packets) * per_packet;
        let per_turn = 16.0 * per_packet;
        let unpunctual = self.usual_pause_90k as f64 / duration.ticks_90k().max(1) as f64;
        let turns = match by_clock {
            Some(units) if per_turn > 0.0 => ((units - unpunctual - least) / per_turn).round(),
            _ => 0.0,
        };
        let most = MAX_LOST_PACKETS * per_packet;
        (least + turns.max(0.0) * per_turn).min(most).round() as u64
    }

    /// Return a loss of a whole turn of the continuity counter, which the counter does not
    /// show: bytes do not fit together, and time has gone by.
    fn unseen_loss(&self, unit: &UnitFacts, duration: Duration) -> Option<Lost> {
        let by_clock = self.missing_by_clock(unit.arrival, duration)?;
        let missing_90k = (by_clock * duration.ticks_90k() as f64) as i64 - self.usual_pause_90k;
        let turn = 16.0 * self.packet_bytes.value / self.unit_bytes.value;
        let turn_90k = (turn * duration.ticks_90k() as f64) as i64;
        let is_seen = unit.skipped_bytes > 0 && missing_90k > turn_90k / 2;
        is_seen.then_some(Lost { packets: Some(0) })
    }

    /// Return the same by the program's clock, which unpunctual arrival makes vague.
    fn missing_by_clock(&self, arrival: Option<Arrival>, duration: Duration) -> Option<f64> {
        let (now, before) = (arrival?, self.last_arrival?);
        if now.time_base != before.time_base {
            return None;
        }
        let elapsed = now.now.since(before.now) as f64;
        Some(elapsed / duration.ticks_90k().max(1) as f64 - 1.0)
    }
}

/// The mean of the last values.
#[derive(Debug, Default)]
struct Mean {
    value: f64,
    count: u32,
}

impl Mean {
    fn add(&mut self, value: usize) {
        self.count = MEAN_OVER.min(self.count + 1);
        self.value += (value as f64 - self.value) / f64::from(self.count);
    }
}
