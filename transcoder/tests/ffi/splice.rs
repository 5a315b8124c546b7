//! What a remuxer is given that goes on after a lost one.

use std::ffi::c_int;
use std::ptr;

use xg2g_transcoder::ErrorKind::{InvalidArgument, OutputTooSmall};
use xg2g_transcoder::ffi::*;
use xg2g_transcoder::ts::{packet, psi};

use crate::handle::{PACKET_BYTES, packets, written};

/// A section of PAT or PMT in a packet of its PID.
fn table(pid: u16, table_id: u8, id: u16, content: &[u8]) -> Vec<u8> {
    let header = psi::SectionHeader {
        table_id,
        id,
        version: 0,
        current: true,
        number: 0,
        last_number: 0,
    };
    let section = psi::write_section(header, content).expect("short enough");
    let mut unit = vec![0];
    unit.extend(section);
    let mut packets: Vec<[u8; PACKET_BYTES]> = Vec::new();
    packet::packetise(packet::Pid::new(pid), &unit, false, &mut packets);
    packets.concat()
}

/// Tables of a program with H.264 on PID 0x101, then null packets and half a one.
fn past() -> Vec<u8> {
    let pat = table(0, psi::TABLE_PAT, 1, &[0, 1, 0xE1, 0x00]);
    let map = [0xE1, 0x01, 0xF0, 0, 0x1B, 0xE1, 0x01, 0xF0, 0];
    let pmt = table(0x100, psi::TABLE_PMT, 1, &map);
    let rest = packets(0..6);
    [&pat, &pmt, &rest[..5 * PACKET_BYTES + 90]].concat()
}

fn splice_lead(
    past: &[u8],
    (program, after_gap): (u32, c_int),
    capacity: usize,
) -> Result<Vec<u8>, c_int> {
    let mut output = vec![0xAA; capacity];
    // SAFETY: both buffers have the lengths given.
    let count = unsafe {
        xg2g_splice_lead(
            past.as_ptr(),
            past.len(),
            program,
            after_gap,
            output.as_mut_ptr(),
            capacity,
        )
    };
    written(count, output)
}

fn splice_keep_video(past: &[u8], body: &[u8], capacity: usize) -> Result<(Vec<u8>, usize), c_int> {
    let mut output = vec![0xAA; capacity];
    let mut given_up = 77;
    // SAFETY: the buffers have the lengths given; the count can be written.
    let count = unsafe {
        xg2g_splice_keep_video(
            past.as_ptr(),
            past.len(),
            body.as_ptr(),
            body.len(),
            1,
            output.as_mut_ptr(),
            capacity,
            &raw mut given_up,
        )
    };
    let body = written(count, output)?;
    Ok((body, given_up))
}

#[test]
fn a_lead_is_written_whole_or_not_at_all() {
    let past = past();
    let expected = [&past[..2 * PACKET_BYTES], &past[7 * PACKET_BYTES..]].concat();
    assert_eq!(splice_lead(&past, (1, 0), past.len()), Ok(expected.clone()));
    assert_eq!(
        splice_lead(&past, (1, 0), expected.len()),
        Ok(expected.clone())
    );
    for capacity in [0, 1, expected.len() - 1] {
        assert_eq!(
            splice_lead(&past, (1, 0), capacity),
            Err(OutputTooSmall as c_int)
        );
    }
    let tables = past[..2 * PACKET_BYTES].to_vec();
    assert_eq!(splice_lead(&past, (0, 1), past.len()), Ok(tables));
    assert_eq!(splice_lead(&[], (0, 0), 0), Ok(vec![]));
}

#[test]
fn video_is_kept_in_a_buffer_as_long_as_the_body() {
    let (past, body) = (past(), packets(5..9));
    let body = &body[90..];
    let kept = splice_keep_video(&past, body, body.len());
    assert_eq!(kept, Ok((body.to_vec(), 0)));
    assert_eq!(
        splice_keep_video(&past, body, body.len() - 1),
        Err(OutputTooSmall as c_int)
    );
    // Without tables nothing is known, and nothing written.
    let unknown = splice_keep_video(&past[2 * PACKET_BYTES..], body, body.len());
    assert_eq!(unknown, Ok((vec![], 77)));
}

#[test]
fn the_splice_functions_refuse_arguments_out_of_range() {
    let past = past();
    for options in [(1 << 16, 0), (0, 2)] {
        assert_eq!(
            splice_lead(&past, options, past.len()),
            Err(InvalidArgument as c_int)
        );
    }
    let mut output = [0; PACKET_BYTES];
    let target = output.as_mut_ptr();
    let (bytes, len) = (past.as_ptr(), past.len());
    let (none, no_target) = (ptr::null::<u8>(), ptr::null_mut::<u8>());
    let no_count = ptr::null_mut::<usize>();
    let mut count = 0;
    let too_long = XG2G_MAX_INPUT_BYTES + 1;
    // SAFETY: what is not NULL has the length given, except for the one that is refused by
    // its length alone.
    let codes = unsafe {
        [
            xg2g_splice_lead(none, 1, 0, 0, target, PACKET_BYTES),
            xg2g_splice_lead(bytes, len, 0, 0, no_target, 1),
            xg2g_splice_lead(bytes, too_long, 0, 0, target, PACKET_BYTES),
            xg2g_splice_keep_video(bytes, len, none, 1, 0, target, 0, &raw mut count),
            xg2g_splice_keep_video(none, 1, bytes, len, 0, target, 0, &raw mut count),
            xg2g_splice_keep_video(bytes, len, bytes, len, 0, no_target, 1, &raw mut count),
            xg2g_splice_keep_video(bytes, len, bytes, len, 0, target, 0, no_count),
            xg2g_splice_keep_video(bytes, len, bytes, len, 1 << 16, target, 0, &raw mut count),
            xg2g_splice_first_packet(none, 1),
        ]
    };
    assert_eq!(codes, [InvalidArgument as c_int; 9]);
}

#[test]
fn the_first_packet_is_told_by_its_place() {
    let stream = [vec![9; 300], packets(0..5)].concat();
    // SAFETY: the inputs have the lengths given.
    let places = unsafe {
        [
            xg2g_splice_first_packet(stream.as_ptr(), stream.len()),
            xg2g_splice_first_packet(stream.as_ptr(), 300),
            xg2g_splice_first_packet(ptr::null(), 0),
        ]
    };
    assert_eq!(places, [300, 300, 0]);
}
