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
