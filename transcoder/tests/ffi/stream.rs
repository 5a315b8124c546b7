//! Streams: what is kept, who may call, what a defect does.

use std::ffi::c_int;
use std::{ptr, slice, thread};

use xg2g_transcoder::ErrorKind::{
    Busy, Finished, Internal, InvalidArgument, OutputTooSmall, Poisoned,
};
use xg2g_transcoder::ffi::test_hooks::{xg2g_test_hold, xg2g_test_panic, xg2g_test_release};
use xg2g_transcoder::ffi::*;

use crate::handle::{Handle, PACKET_BYTES, code, expected, gate, packets, wait_until_held};

#[test]
fn an_output_that_was_too_large_comes_once_when_the_same_input_is_offered_again() {
    let (first, second) = (packets(0..8), packets(8..16));
    let handle = Handle::open();
    let mut output = Vec::new();
    for input in [&first, &second] {
        assert_eq!(handle.process(input, 0), code(OutputTooSmall));
        assert_eq!(handle.process(input, 1), code(OutputTooSmall));
        let capacity = handle.capacity_for(input);
        output.extend(handle.process(input, capacity).expect("enough room"));
    }
    output.extend(handle.finish(1 << 16).expect("enough room"));
    assert_eq!(output, expected(&[&first, &second]));
    assert_eq!(handle.stats()["bytes_in"], first.len() + second.len());
    handle.free();
}

#[test]
fn an_output_that_was_too_large_comes_before_that_of_other_input() {
    let (first, second) = (packets(0..8), packets(8..16));
    let handle = Handle::open();
    assert_eq!(handle.process(&first, 0), code(OutputTooSmall));
    let mut output = handle.process(&second, 1 << 16).expect("enough room");
    output.extend(handle.finish(1 << 16).expect("enough room"));
    assert_eq!(output, expected(&[&first, &second]));
    handle.free();
}

#[test]
fn other_input_is_not_taken_while_the_kept_output_has_no_room() {
    let (first, second) = (packets(0..8), packets(8..16));
    let handle = Handle::open();
    assert_eq!(handle.process(&first, 0), code(OutputTooSmall));
    assert_eq!(handle.process(&second, 0), code(OutputTooSmall));
    assert_eq!(handle.stats()["bytes_in"], first.len());
    let mut output = handle.process(&second, 1 << 16).expect("enough room");
    output.extend(handle.finish(1 << 16).expect("enough room"));
    assert_eq!(output, expected(&[&first, &second]));
    handle.free();
}

#[test]
fn finish_brings_what_was_kept() {
    let input = packets(0..8);
    let handle = Handle::open();
    assert_eq!(handle.process(&input, 0), code(OutputTooSmall));
    assert_eq!(handle.finish(0), code(OutputTooSmall));
    assert_eq!(handle.finish(1 << 16).as_deref(), Ok(&*expected(&[&input])));
    assert_eq!(handle.finish(0).as_deref(), Ok(&[][..]));
    assert_eq!(handle.process(&input, 1 << 16), code(Finished));
    assert!(handle.last_error().contains("finish"));
    handle.free();
}

#[test]
fn equal_inputs_are_two_inputs_when_nothing_was_kept() {
    let input = packets(0..8);
    let handle = Handle::open();
    let mut output = handle.process(&input, 1 << 16).expect("enough room");
    output.extend(handle.process(&input, 1 << 16).expect("enough room"));
    output.extend(handle.finish(1 << 16).expect("enough room"));
    assert_eq!(output, expected(&[&input, &input]));
    handle.free();
}

#[test]
fn nothing_is_lost_or_doubled_whatever_the_splits_and_the_capacities() {
    let input = packets(0..64);
    let wanted = expected(&[&input]);
    let mut random = 1_u32;
    let mut below = |limit: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % limit
    };
    for _ in 0..if cfg!(miri) { 2 } else { 200 } {
        let handle = Handle::open();
        let (mut rest, mut output) = (&input[..], Vec::new());
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(rest.len().min(1 + below(3 * PACKET_BYTES)));
            rest = after;
            let mut capacity = below(4 * PACKET_BYTES);
            loop {
                match handle.process(chunk, capacity) {
                    Ok(ready) => break output.extend(ready),
                    Err(error) => assert_eq!(error, OutputTooSmall as c_int),
                }
                capacity += below(2 * PACKET_BYTES);
            }
            output.extend(handle.process_view(&[]).expect("a view"));
        }
        output.extend(handle.finish(1 << 16).expect("enough room"));
        assert_eq!(output, wanted);
        handle.free();
    }
}

#[test]
fn a_view_holds_the_output_and_what_was_kept_before() {
    let (first, second) = (packets(0..8), packets(8..16));
    let handle = Handle::open();
    assert_eq!(handle.process(&first, 0), code(OutputTooSmall));
    let mut output = handle.process_view(&second).expect("a view");
    let (mut rest, mut len) = (ptr::null(), 0);
    for _ in 0..2 {
        // SAFETY: both results can be written, and what is lent is copied at once.
        output.extend(unsafe {
            assert_eq!(
                xg2g_audio_remux_finish_view(handle.0, &raw mut rest, &raw mut len),
                0
            );
            slice::from_raw_parts(rest, len)
        });
    }
    assert_eq!(output, expected(&[&first, &second]));
    handle.free();
}

#[test]
fn a_second_call_on_a_handle_is_refused_and_disturbs_nothing() {
    let _gate = gate();
    let (first, second) = (packets(0..8), packets(8..16));
    let handle = Handle::open();
    assert_eq!(xg2g_test_hold(handle.0), 0);
    let mut output = thread::scope(|scope| {
        let inside = scope.spawn(|| handle.process(&first, 1 << 16));
        wait_until_held(1);
        assert_eq!(handle.process(&second, 1 << 16), code(Busy));
        assert_eq!(handle.finish(1 << 16), code(Busy));
        assert_eq!(handle.capacity_for(&second), 0);
        assert_eq!(handle.last_error(), "");
        xg2g_test_release();
        inside.join().expect("no panic").expect("enough room")
    });
    output.extend(handle.process(&second, 1 << 16).expect("enough room"));
    output.extend(handle.finish(1 << 16).expect("enough room"));
    assert_eq!(output, expected(&[&first, &second]));
    handle.free();
}

#[test]
fn a_free_during_a_call_lets_it_complete() {
    let _gate = gate();
    let input = packets(0..8);
    let handle = Handle::open();
    assert_eq!(xg2g_test_hold(handle.0), 0);
    thread::scope(|scope| {
        let inside = scope.spawn(|| handle.process(&input, 1 << 16));
        wait_until_held(1);
        handle.free();
        assert_eq!(handle.process(&input, 1 << 16), code(InvalidArgument));
        xg2g_test_release();
        inside.join().expect("no panic").expect("it completes");
    });
    assert_eq!(handle.process(&input, 1 << 16), code(InvalidArgument));
    handle.free();
}

#[test]
fn two_handles_serve_two_threads_at_the_same_time() {
    let _gate = gate();
    let input = packets(0..8);
    let handles = [Handle::open(), Handle::open()];
    thread::scope(|scope| {
        for handle in handles {
            assert_eq!(xg2g_test_hold(handle.0), 0);
            let input = &input;
            scope.spawn(move || handle.process(input, 1 << 16).expect("enough room"));
        }
        wait_until_held(2);
        xg2g_test_release();
    });
    for handle in handles {
        handle.free();
    }
}

#[test]
fn a_panic_becomes_an_error_and_ends_only_its_own_handle() {
    let input = packets(0..8);
    let (broken, sound) = (Handle::open(), Handle::open());
    assert_eq!(xg2g_test_panic(broken.0), 0);
    assert_eq!(broken.process(&input, 1 << 16), code(Internal));
    assert!(broken.last_error().contains("deliberate panic"));
    assert_eq!(broken.process(&input, 1 << 16), code(Poisoned));
    assert_eq!(broken.finish(1 << 16), code(Poisoned));
    assert!(broken.last_error().contains("deliberate panic"));
    broken.free();
    assert!(sound.process(&input, 1 << 16).is_ok());
    sound.free();
}

#[test]
fn a_handle_that_is_none_is_an_error_and_freeing_it_is_fine() {
    let freed = Handle::open();
    freed.free();
    let never = Handle(ptr::without_provenance_mut(usize::MAX));
    for none in [Handle(ptr::null_mut()), never, freed] {
        assert_eq!(none.process(&[0x47], 100), code(InvalidArgument));
        assert_eq!(none.process_view(&[0x47]), code(InvalidArgument));
        assert_eq!(none.finish(100), code(InvalidArgument));
        assert_eq!(none.capacity_for(&[]), 0);
        // SAFETY: NULL with the capacity 0 is allowed.
        let (stats, error) = unsafe {
            (
                xg2g_audio_remux_stats(none.0, ptr::null_mut(), 0),
                xg2g_audio_remux_last_error(none.0, ptr::null_mut(), 0),
            )
        };
        assert_eq!([stats, error], [InvalidArgument as c_int; 2]);
    }
    freed.free();
    xg2g_audio_remux_free(ptr::null_mut());
}

#[test]
fn a_pointer_that_is_null_or_a_length_that_cannot_be_is_an_error() {
    let handle = Handle::open();
    let invalid = InvalidArgument as c_int;
    let mut byte = 0_u8;
    let (mut view, mut len) = (ptr::null(), 0);
    // SAFETY: what is not NULL has the length given, or the length is refused unread.
    unsafe {
        let (h, out) = (handle.0, &raw mut byte);
        assert_eq!(xg2g_audio_remux_process(h, ptr::null(), 1, out, 1), invalid);
        assert_eq!(
            xg2g_audio_remux_process(h, out, 1, ptr::null_mut(), 1),
            invalid
        );
        assert_eq!(xg2g_audio_remux_process(h, out, 1 << 25, out, 1), invalid);
        assert_eq!(
            xg2g_audio_remux_process(h, out, usize::MAX, out, 1),
            invalid
        );
        assert_eq!(
            xg2g_audio_remux_process(h, ptr::null(), 0, ptr::null_mut(), 0),
            0
        );
        assert_eq!(
            xg2g_audio_remux_process_view(h, out, 1, ptr::null_mut(), &raw mut len),
            invalid
        );
        assert_eq!(
            xg2g_audio_remux_process_view(h, out, 1, &raw mut view, ptr::null_mut()),
            invalid
        );
        assert_eq!(
            xg2g_audio_remux_finish_view(h, ptr::null_mut(), ptr::null_mut()),
            invalid
        );
    }
    assert_eq!(handle.stats()["bytes_in"], 0);
    handle.free();
}
