use super::*;

const PID: Pid = Pid::new(0x100);

fn moment(output_ms: i64) -> Option<Moment> {
    let now = Pcr::new(0).offset(output_ms * 27_000);
    Some(Moment {
        now,
        packet_ticks_27m: 4_000,
        time_base: 0,
    })
}

fn at(pts: Timestamp) -> FrameTime {
    FrameTime {
        pts,
        starts_base: false,
        is_expendable: false,
    }
}

fn stereo() -> Schedule {
    Schedule::new(192_000, 2)
}

#[test]
fn a_unit_that_is_ready_early_waits_until_the_buffer_has_room_for_its_stay() {
    let mut schedule = stereo();
    schedule.add(PID, at(Timestamp::new(90 * 1000)), &[0; 500]);
    assert!(schedule.next_due(moment(1000 - 90)).is_none());
    assert!(schedule.next_due(moment(1000 - 79)).is_some());
}

#[test]
fn an_expendable_unit_that_would_be_late_does_not_leave() {
    let mut schedule = stereo();
    let late = FrameTime {
        is_expendable: true,
        ..at(Timestamp::new(90 * 1000))
    };
    schedule.add(PID, late, &[1; 400]);
    schedule.add(PID, at(Timestamp::new(90 * 1020)), &[2; 100]);
    let packet = schedule.next_due(moment(995));
    assert_eq!(packet.map(|bytes| bytes[187]), Some(2));
    assert!(schedule.is_empty());
}

#[test]
fn an_expendable_unit_whose_pts_has_nothing_to_do_with_the_clock_is_not_late() {
    for hours in [-20, 10] {
        let mut schedule = stereo();
        let time = FrameTime {
            is_expendable: true,
            ..at(Timestamp::new(0).offset(hours * 3600 * 90_000))
        };
        schedule.add(PID, time, &[0; 100]);
        assert!(schedule.next_due(moment(0)).is_some(), "{hours} h");
    }
}

#[test]
fn a_late_unit_leaves_at_once() {
    let mut schedule = stereo();
    schedule.add(PID, at(Timestamp::new(90 * 1000)), &[0; 100]);
    assert!(schedule.next_due(moment(1010)).is_some());
    assert!(schedule.is_empty());
}

#[test]
fn a_pts_that_has_nothing_to_do_with_the_clock_is_not_waited_for() {
    for hours in [-20, 10] {
        let mut schedule = stereo();
        let pts = Timestamp::new(0).offset(hours * 3600 * 90_000);
        schedule.add(PID, at(pts), &[0; 100]);
        assert!(schedule.next_due(moment(0)).is_some(), "{hours} h");
    }
}

#[test]
fn without_a_clock_nothing_waits() {
    let mut schedule = stereo();
    schedule.add(PID, at(Timestamp::new(5)), &[0; 5000]);
    while schedule.next_due(None).is_some() {}
    assert!(schedule.is_empty());
}

#[test]
fn a_clock_that_stands_still_fills_the_queue_to_its_bound_and_no_further() {
    let mut schedule = stereo();
    for unit in 0..2000 {
        schedule.add(PID, at(Timestamp::new(90_000 + unit * 1920)), &[0; 500]);
        while schedule.next_due(moment(0)).is_some() {}
        assert!(schedule.packets.len() <= MAX_QUEUED_PACKETS);
    }
}

#[test]
fn packets_are_so_far_apart_that_the_transport_buffer_never_overflows() {
    // One packet of a 10 Mbit/s stream takes 150 us.
    let mut schedule = stereo();
    for unit in 0..50 {
        schedule.add(PID, at(Timestamp::new(unit * 1920)), &[0; 700]);
    }
    let (mut held_bytes, mut sent) = (0.0f64, 0);
    for slot in 0..20_000i64 {
        held_bytes = (held_bytes - 2_000_000.0 / 8.0 * 150e-6).max(0.0);
        let now = Pcr::new(0).offset(slot * 4_050);
        let moment = Moment {
            now,
            packet_ticks_27m: 4_050,
            time_base: 0,
        };
        while schedule.next_due(Some(moment)).is_some() {
            held_bytes += 188.0;
            sent += 1;
            assert!(held_bytes <= 512.0, "slot {slot}");
        }
    }
    assert_eq!(sent, 200);
}

#[test]
fn a_radio_stream_slower_than_its_aac_still_keeps_up() {
    // 64 kbit/s of MP2: a packet every 23 ms, in which AAC needs three.
    let mut schedule = stereo();
    for slot in 0..500i64 {
        schedule.add(PID, at(Timestamp::new(slot as u64 * 2070)), &[0; 540]);
        let now = Pcr::new(0).offset(slot * 621_000);
        let moment = Moment {
            now,
            packet_ticks_27m: 621_000,
            time_base: 0,
        };
        while schedule.next_due(Some(moment)).is_some() {}
    }
    assert!(schedule.packets.len() <= 9);
}

#[test]
fn only_the_unit_after_a_mark_says_discontinuity_and_never_the_first() {
    use crate::ts::packet::Packet;
    let mut schedule = stereo();
    schedule.mark_discontinuity();
    schedule.add(PID, at(Timestamp::new(0)), &[0; 100]);
    schedule.mark_discontinuity();
    schedule.mark_discontinuity();
    schedule.add(PID, at(Timestamp::new(1920)), &[0; 100]);
    schedule.add(PID, at(Timestamp::new(3840)), &[0; 100]);
    let flags: Vec<bool> = schedule
        .packets
        .iter()
        .map(|p| Packet::new(p).discontinuity())
        .collect();
    assert_eq!(flags, [false, true, false]);
}
