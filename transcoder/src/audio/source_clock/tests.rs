use super::*;
use crate::audio::access_unit::Lost;

const UNIT_90K: i64 = 2160;
const START: Timestamp = Timestamp::new(500_000);
const MS: i64 = 90;
/// How far ahead of the PCR the sound of these streams is.
const LEAD_90K: i64 = 40 * MS;

/// A unit as its station sends it, in ticks from the start.
#[derive(Clone, Copy)]
struct Sent {
    pts_90k: Option<i64>,
    /// When it truly is heard; it arrives so much earlier as the lead says.
    heard_90k: i64,
    lost_packets: Option<u32>,
}

fn steady(count: i64, pts: impl Fn(i64) -> Option<i64>) -> Vec<Sent> {
    (0..count)
        .map(|index| Sent {
            pts_90k: pts(index * UNIT_90K),
            heard_90k: index * UNIT_90K,
            lost_packets: None,
        })
        .collect()
}

fn facts(unit: Sent, pcr: bool) -> UnitFacts {
    UnitFacts {
        pts: unit.pts_90k.map(|ticks| START.offset(ticks)),
        codec: Codec::MpegLayer2,
        sample_rate_hz: Some(48_000),
        bytes: 576,
        skipped_bytes: 0,
        lost: unit.lost_packets.map(|packets| Lost {
            packets: Some(packets),
        }),
        arrival: pcr.then(|| Arrival {
            now: START.offset(unit.heard_90k - LEAD_90K),
            time_base: 0,
        }),
    }
}

/// When each unit is heard, in ticks from the start, and whether it was smoothly.
fn heard(units: &[Sent], pcr: bool) -> Vec<(i64, Joint)> {
    let mut clock = SourceClock::default();
    let mut times = Vec::new();
    let mut waiting = Vec::new();
    for &unit in units {
        for bytes in [184, 184, 184, 24] {
            clock.observe_packet(bytes);
        }
        let placed = clock.place(facts(unit, pcr));
        clock.advance(Some(Duration {
            samples: 1152,
            sample_rate_hz: 48_000,
        }));
        match placed {
            Heard::Later { position_90k, .. } => waiting.push(position_90k),
            Heard::At { time, joint } => {
                for position_90k in waiting.drain(..) {
                    let time = clock.time_of(position_90k).map(|time| time.since(START));
                    times.push((time.unwrap_or(i64::MIN), Joint::Smooth));
                }
                times.push((time.since(START), joint));
            }
        }
    }
    times
}

/// Nothing is put in, nothing is left out, and no AAC frames part.
fn assert_smooth(times: &[(i64, Joint)], count: usize) {
    assert_eq!(times.len(), count);
    for (index, pair) in times.windows(2).enumerate() {
        let step = pair[1].0 - pair[0].0;
        assert!((step - UNIT_90K).abs() <= MAX_JITTER_90K, "{index}: {step}");
        assert_eq!(pair[1].1, Joint::Smooth, "unit {index}");
    }
}

fn noise() -> impl FnMut(i64) -> i64 {
    let mut state = 1u32;
    move |reach| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        i64::from(state >> 8) % (2 * reach + 1) - reach
    }
}

#[test]
fn pts_on_a_grid_of_video_frames_leave_the_sound_smooth() {
    for grid in [1800, 3003, 3600] {
        for offset in [0, grid / 2, grid - 1] {
            let rounded = |ticks: i64| Some((ticks + offset) / grid * grid);
            let times = heard(&steady(1500, rounded), true);
            assert_smooth(&times, 1500);
            // Rounding shifts what is known of time by half a step at most.
            for (index, (time, _)) in times.iter().enumerate().skip(300) {
                let error = time - index as i64 * UNIT_90K;
                assert!(error.abs() <= grid * 2 / 3, "grid {grid}: {error}");
            }
        }
    }
}

#[test]
fn pts_that_beat_slowly_against_a_grid_leave_the_sound_smooth() {
    // PES packets of 78.37 ms at 44.1 kHz drift by 1.6 ms each against 40 ms.
    let units = steady(4000, |ticks| {
        let due = ticks * 48_000 / 44_100;
        let starts_pes = ticks / UNIT_90K % 3 == 0;
        starts_pes.then_some(due / 3600 * 3600)
    });
    let mut clock = SourceClock::default();
    for (index, mut unit) in units.into_iter().enumerate() {
        unit.heard_90k = unit.heard_90k * 48_000 / 44_100;
        let placed = clock.place(facts(unit, true));
        clock.advance(Some(Duration {
            samples: 1152,
            sample_rate_hz: 44_100,
        }));
        if index > 0 {
            assert!(matches!(
                placed,
                Heard::At {
                    joint: Joint::Smooth,
                    ..
                }
            ));
        }
    }
}

#[test]
fn pts_that_jitter_by_15_ms_leave_the_sound_smooth_and_in_the_middle() {
    let mut random = noise();
    let mut units = steady(3000, Some);
    for unit in &mut units {
        unit.pts_90k = unit.pts_90k.map(|ticks| ticks + random(15 * MS));
    }
    let times = heard(&units, true);
    assert_smooth(&times, 3000);
    for (index, (time, _)) in times.iter().enumerate().skip(200) {
        let error = time - index as i64 * UNIT_90K;
        assert!(error.abs() <= 5 * MS, "unit {index} is {error} off");
    }
}

#[test]
fn repeated_pts_say_nothing() {
    for run in [2, 3, 9] {
        let repeated = |ticks: i64| Some(ticks / UNIT_90K / run * run * UNIT_90K);
        let times = heard(&steady(500, repeated), true);
        assert_smooth(&times, 500);
        assert!(
            (0..)
                .zip(&times)
                .all(|(index, (time, _))| *time == index * UNIT_90K)
        );
    }
}

#[test]
fn without_usable_pts_time_follows_the_pcr_from_the_first_unit_on() {
    let never = steady(1000, |_| None);
    let zero = steady(1000, |_| Some(-40_000_000));
    for units in [never, zero] {
        let times = heard(&units, true);
        assert_smooth(&times, 1000);
        for (index, (time, _)) in times.iter().enumerate() {
            let lead = time - (index as i64 * UNIT_90K - LEAD_90K);
            assert!(
                (0..=100 * MS).contains(&lead),
                "unit {index} leads by {lead}"
            );
        }
    }
    assert_smooth(&heard(&steady(100, |_| None), false), 100);
}

#[test]
fn without_pts_a_pcr_that_runs_faster_is_followed() {
    let mut units = steady(20_000, |_| None);
    for unit in &mut units {
        unit.heard_90k += unit.heard_90k / 2_000;
    }
    let times = heard(&units, true);
    assert_smooth(&times, 20_000);
    let (last, sent) = (times[19_999].0, units[19_999].heard_90k);
    assert!((last - sent).abs() <= 100 * MS, "{last} instead of {sent}");
}

#[test]
fn pts_that_come_later_are_taken_over() {
    let units = steady(600, |ticks| (ticks >= 200 * UNIT_90K).then_some(ticks));
    let times = heard(&units, true);
    assert_eq!(times.len(), 600);
    assert!(
        times[210..]
            .iter()
            .zip(210..)
            .all(|((time, _), n)| *time == n * UNIT_90K)
    );
}

#[test]
fn a_single_bogus_pts_does_nothing() {
    for off in [300 * MS, -300 * MS, 3 * 3600 * 90_000, -40_000_000] {
        for pcr in [true, false] {
            let bogus = |ticks: i64| Some(ticks + if ticks == 90 * UNIT_90K { off } else { 0 });
            let times = heard(&steady(200, bogus), pcr);
            assert_smooth(&times, 200);
            assert!(
                (0..)
                    .zip(&times)
                    .all(|(index, (time, _))| *time == index * UNIT_90K)
            );
        }
    }
}

#[test]
fn a_pause_is_followed_at_once_where_the_pcr_went_on() {
    for pause in [150 * MS, 10 * 90_000] {
        let mut units = steady(100, Some);
        for unit in &mut units[50..] {
            unit.heard_90k += pause;
            unit.pts_90k = Some(unit.heard_90k);
        }
        let times = heard(&units, true);
        assert_eq!(times[50], (50 * UNIT_90K + pause, Joint::Spliced));
        assert_smooth(&times[50..], 50);
    }
}

#[test]
fn a_jump_without_a_pcr_is_followed_at_the_second_pts() {
    for jump in [-36_000, -1, 1, 36_000] {
        let jumped = |ticks: i64| {
            Some(
                ticks
                    + if ticks < 50 * UNIT_90K {
                        0
                    } else {
                        jump * 90_000
                    },
            )
        };
        let times = heard(&steady(100, jumped), false);
        assert_eq!(times[50].0, 50 * UNIT_90K);
        assert_eq!(times[51], (51 * UNIT_90K + jump * 90_000, Joint::Spliced));
    }
}

#[test]
fn a_step_of_a_clean_stream_is_followed_within_three_pts_and_once() {
    for step in [-40 * MS, -5 * MS, 5 * MS, 12 * MS, 80 * MS] {
        let stepped = |ticks: i64| Some(ticks + if ticks < 100 * UNIT_90K { 0 } else { step });
        let times = heard(&steady(200, stepped), true);
        let moved: Vec<usize> = (1..200)
            .filter(|&n| times[n].0 - times[n - 1].0 != UNIT_90K)
            .collect();
        assert_eq!(moved, [102], "step of {step}");
        assert_eq!(times[199].0, 199 * UNIT_90K + step);
    }
}

#[test]
fn a_clock_that_drifts_is_followed_within_a_millisecond() {
    for ppm in [-200, 100, 200] {
        let drifting = |ticks: i64| Some(ticks + ticks * ppm / 1_000_000);
        let units = steady(20_000, drifting);
        let times = heard(&units, true);
        assert_smooth(&times, 20_000);
        for (unit, (time, _)) in units.iter().zip(&times) {
            let error = time - unit.pts_90k.unwrap_or(0);
            assert!(error.abs() <= MS, "{ppm} ppm: {error}");
        }
    }
}

#[test]
fn time_does_not_drift_over_two_wraps_at_44100_hz() {
    let mut clock = SourceClock::default();
    let count = 53 * 3600 * 44_100 / 1152i64;
    for index in 0..count {
        let true_90k = index * 1152 * 90_000 / 44_100;
        let unit = Sent {
            pts_90k: (index % 40 == 0).then_some(true_90k),
            heard_90k: true_90k,
            lost_packets: None,
        };
        let Heard::At { time, joint } = clock.place(facts(unit, true)) else {
            panic!("unit {index} waits");
        };
        assert!(
            time.since(START.offset(true_90k)).abs() <= 1,
            "unit {index}"
        );
        assert!(index == 0 || joint == Joint::Smooth, "unit {index}");
        clock.advance(Some(Duration {
            samples: 1152,
            sample_rate_hz: 44_100,
        }));
    }
}

#[test]
fn behind_a_loss_time_goes_on_by_the_units_that_are_missing() {
    // Four packets a unit, so 17 units are 68 packets: 4 more than four turns.
    for missing in [1usize, 2, 3, 5, 17, 40] {
        let mut units = steady(200, |ticks| (ticks < 50 * UNIT_90K).then_some(ticks));
        units.drain(100..100 + missing);
        units[100].lost_packets = Some((4 * missing % 16) as u32);
        let times = heard(&units, true);
        let expected = (100 + missing as i64) * UNIT_90K;
        assert_eq!(times[100], (expected, Joint::Lost), "{missing} missing");
        assert_smooth(&times[100..], 100 - missing);
    }
}

#[test]
fn a_pts_behind_a_loss_corrects_the_guess() {
    let mut units = steady(200, Some);
    units.drain(100..102);
    units[100].lost_packets = Some(0);
    units[100].pts_90k = None;
    let times = heard(&units, false);
    assert_eq!(times[100], (100 * UNIT_90K, Joint::Lost));
    assert_eq!(times[101], (103 * UNIT_90K, Joint::Lost));
    assert_smooth(&times[101..], 97);
}

#[test]
fn stuffing_between_units_is_no_time_and_damaged_units_are() {
    for (skipped, units) in [(50, 0), (500, 0), (576, 1), (1152, 2), (700, 0)] {
        let mut clock = SourceClock::default();
        let duration = Some(Duration {
            samples: 1152,
            sample_rate_hz: 48_000,
        });
        let silent = Sent {
            pts_90k: None,
            heard_90k: 0,
            lost_packets: None,
        };
        let first = Sent {
            pts_90k: Some(0),
            ..silent
        };
        clock.place(facts(first, false));
        clock.advance(duration);
        let placed = clock.place(UnitFacts {
            skipped_bytes: skipped,
            ..facts(silent, false)
        });
        let Heard::At { time, .. } = placed else {
            panic!("the second unit waits");
        };
        assert_eq!(time.since(START), (1 + units) * UNIT_90K, "{skipped} bytes");
    }
}
