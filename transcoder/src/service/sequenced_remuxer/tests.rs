//! Sequences of calls, and how much one call may become.

use super::*;

/// A clip's first packets: enough that a call has an output.
const CLIP: &[u8] = include_bytes!("../../../../xg2g/simulator/clips/four-radio.ts");

fn remuxer() -> SequencedRemuxer {
    SequencedRemuxer::new(Options::default()).expect("the defaults are valid")
}

fn piece(n: usize) -> Call {
    const BYTES: usize = 188 * 50;
    Call::Process(Bytes::from_static(&CLIP[n * BYTES..][..BYTES]))
}

fn kind(answer: Result<CallOutput, Problem>) -> Kind {
    answer.expect_err("refused").kind()
}

#[test]
fn a_repeated_call_returns_the_same_output_and_runs_once() {
    let mut remuxer = remuxer();
    let first = remuxer.call(0, &piece(0)).expect("in sequence");
    let second = remuxer.call(1, &piece(1)).expect("in sequence");
    let stats = remuxer.stats().expect("it is whole");
    assert!(!second.bytes.is_empty());
    assert_eq!(remuxer.call(1, &piece(1)), Ok(second));
    assert_eq!(remuxer.stats(), Ok(stats));
    assert_ne!(remuxer.call(2, &piece(2)), Ok(first));
}

#[test]
fn a_gap_and_an_older_call_are_refused_and_change_nothing() {
    let mut remuxer = remuxer();
    for n in 0..3 {
        remuxer.call(n, &piece(n as usize)).expect("in sequence");
    }
    let stats = remuxer.stats();
    for seq in [0, 1, 4, u64::MAX] {
        assert_eq!(kind(remuxer.call(seq, &piece(0))), Kind::BadSequence);
    }
    assert_eq!(remuxer.stats(), stats);
    assert!(remuxer.call(3, &piece(3)).is_ok());
}

#[test]
fn a_finish_is_not_the_retry_of_a_process_nor_the_other_way_round() {
    let mut remuxer = remuxer();
    remuxer.call(0, &piece(0)).expect("in sequence");
    assert_eq!(kind(remuxer.call(0, &Call::Finish)), Kind::BadSequence);
    remuxer.call(1, &Call::Finish).expect("in sequence");
    assert_eq!(kind(remuxer.call(1, &piece(1))), Kind::Finished);
    assert_eq!(kind(remuxer.call(2, &piece(1))), Kind::Finished);
}

#[test]
fn a_finish_again_gives_the_rest_again_and_a_further_one_nothing() {
    let mut remuxer = remuxer();
    for n in 0..8 {
        remuxer.call(n, &piece(n as usize)).expect("in sequence");
    }
    let rest = remuxer.call(8, &Call::Finish).expect("in sequence");
    assert!(!rest.bytes.is_empty());
    assert_eq!(remuxer.call(8, &Call::Finish), Ok(rest));
    assert_eq!(remuxer.call(9, &Call::Finish), Ok(CallOutput::default()));
}

/// A radio programme of MP2 at 8 kbit/s, the least there is, without anything in between.
fn dense_sound(bytes: usize) -> Vec<u8> {
    use crate::ts::clock::Timestamp;
    use crate::ts::packet::{PACKET_BYTES, Pid, packetise};
    use crate::ts::pes::write_audio_pes;
    use std::collections::VecDeque;

    fn section(pid: u16, table: &[u8]) -> [u8; PACKET_BYTES] {
        let mut crc = u32::MAX;
        for byte in table {
            crc ^= u32::from(*byte) << 24;
            for _ in 0..8 {
                crc = (crc << 1) ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 };
            }
        }
        let [high, low] = pid.to_be_bytes();
        let mut packet = [0xFF; PACKET_BYTES];
        packet[..5].copy_from_slice(&[0x47, 0x40 | high, low, 0x10, 0]);
        packet[5..][..table.len()].copy_from_slice(table);
        packet[5 + table.len()..][..4].copy_from_slice(&crc.to_be_bytes());
        packet
    }
    let pat = [0, 0xB0, 13, 0, 1, 0xC1, 0, 0, 0, 1, 0xE1, 0];
    let pmt = [
        2, 0xB0, 18, 0, 1, 0xC1, 0, 0, 0xE1, 1, 0xF0, 0, 4, 0xE1, 1, 0xF0, 0,
    ];
    let mut stream = [section(0, &pat), section(0x100, &pmt)].concat();
    // ISO/IEC 13818-3: layer II, 8 kbit/s, 24 kHz, mono: 48 bytes for 48 ms, all of them silent.
    let mut frame = [0; 48];
    frame[..4].copy_from_slice(&[0xFF, 0xF5, 0x14, 0xC0]);
    let frames = frame.repeat(40);
    let (mut pes, mut packets, mut pts) = (Vec::new(), VecDeque::new(), 90_000);
    let mut counter = 0;
    while stream.len() < bytes {
        write_audio_pes(Timestamp::new(pts), &frames, &mut pes);
        pts += 40 * 48 * 90;
        packetise(Pid::new(0x101), &pes, false, &mut packets);
        for mut packet in packets.drain(..) {
            packet[3] = packet[3] & 0xF0 | counter;
            counter = (counter + 1) & 0x0F;
            stream.extend_from_slice(&packet);
        }
    }
    stream
}

#[test]
fn minutes_of_audio_in_one_call_are_refused_before_the_output_is_long() {
    let mut remuxer = remuxer();
    let input = Bytes::from(dense_sound(4 << 20));
    let begun = remuxer.stats().expect("it is whole").bytes_in;
    let refusal = remuxer
        .call(0, &Call::Process(input.clone()))
        .expect_err("too much");
    assert_eq!((begun, refusal.kind()), (0, Kind::TooLarge));
    // The remuxer is freed, and nothing of the answer is kept.
    assert!(matches!(remuxer.state, State::Broken));
    assert!(remuxer.latest.is_none());
    assert_eq!(kind(remuxer.call(0, &Call::Process(input))), Kind::Poisoned);
    assert_eq!(kind(remuxer.call(1, &Call::Finish)), Kind::Poisoned);
}

#[test]
fn the_same_audio_in_small_calls_is_converted_whole() {
    let input = dense_sound(256 << 10);
    let (mut remuxer, mut bytes, mut longest) = (remuxer(), 0, 0);
    for (n, piece) in input.chunks(32 << 10).enumerate() {
        let call = Call::Process(Bytes::copy_from_slice(piece));
        let output = remuxer.call(n as u64, &call).expect("little enough").bytes;
        bytes += output.len();
        longest = longest.max(output.len());
    }
    // It is as dense as is said.
    assert!(bytes > 20 * input.len(), "{bytes}");
    assert!(longest < (32 << 10) + MAX_GAIN_BYTES, "{longest}");
}

#[test]
fn a_long_call_is_sliced_without_a_trace() {
    let input = Bytes::from_static(CLIP);
    let (mut whole, mut cut) = (remuxer(), remuxer());
    let at_once = whole
        .call(0, &Call::Process(input))
        .expect("in sequence")
        .bytes;
    let mut pieces = Vec::new();
    for (n, piece) in CLIP.chunks(1000).enumerate() {
        let call = Call::Process(Bytes::copy_from_slice(piece));
        pieces.extend_from_slice(&cut.call(n as u64, &call).expect("in sequence").bytes);
    }
    assert!(CLIP.len() > 2 * SLICE_BYTES);
    assert!(at_once == pieces);
}

#[cfg(feature = "test-hooks")]
#[test]
fn a_panic_breaks_the_remuxer_and_goes_no_further() {
    let mut remuxer = remuxer();
    let panic = Call::Process(Bytes::from_static(b"xg2g test: panic"));
    assert_eq!(kind(remuxer.call(0, &panic)), Kind::Internal);
    for call in [panic, piece(0), Call::Finish] {
        assert_eq!(kind(remuxer.call(0, &call)), Kind::Poisoned);
        assert_eq!(kind(remuxer.call(1, &call)), Kind::Poisoned);
    }
    assert_eq!(
        remuxer.stats().expect_err("out of reach").kind(),
        Kind::Poisoned
    );
}
