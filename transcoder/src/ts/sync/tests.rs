use super::*;

fn packet(number: u8) -> [u8; PACKET_BYTES] {
    let mut bytes = [number; PACKET_BYTES];
    bytes[0] = SYNC_BYTE;
    bytes
}

/// Packets found in `bytes`, fed in pieces of `piece` bytes, by their second byte.
fn found(bytes: &[u8], piece: usize) -> (Vec<u8>, Synchroniser) {
    let mut numbers = Vec::new();
    let mut sync = Synchroniser::default();
    for chunk in bytes.chunks(piece) {
        sync.push(chunk, |p| numbers.push(p[1]));
    }
    sync.finish(|p| numbers.push(p[1]));
    (numbers, sync)
}

fn numbered(range: std::ops::Range<u8>) -> Vec<u8> {
    range.flat_map(packet).collect()
}

#[test]
fn every_cut_of_the_input_finds_the_same_packets() {
    let mut bytes = vec![1, 2, 0x47, 3];
    bytes.extend(numbered(0..12));
    bytes.extend([9; 77]);
    bytes.extend(numbered(12..20));
    let (expected, _) = found(&bytes, bytes.len());
    assert_eq!(expected, (0..20).collect::<Vec<_>>());
    for piece in 1..bytes.len() {
        assert_eq!(found(&bytes, piece).0, expected, "pieces of {piece}");
    }
}

/// Packets with time stamps in front that begin with `upper` and count on.
fn stamped(range: std::ops::Range<u8>, upper: u8) -> Vec<u8> {
    range
        .flat_map(|n| [vec![upper, upper, n, n ^ 0x47], packet(n).to_vec()].concat())
        .collect()
}

#[test]
fn packets_behind_time_stamps_are_found_without_them() {
    for upper in [0, 0x47] {
        let bytes = stamped(0..9, upper);
        for piece in [1, 4, 188, 191, 192, 193, 5000] {
            let (numbers, sync) = found(&bytes, piece);
            assert_eq!(numbers, (0..9).collect::<Vec<_>>(), "stamps of {upper:#x}");
            assert_eq!((sync.bytes_skipped(), sync.resyncs()), (0, 0));
        }
    }
}

#[test]
fn packets_behind_time_stamps_are_found_from_any_byte_on() {
    for upper in [0, 0x47] {
        let bytes = stamped(0..12, upper);
        for cut in 1..=STAMPED_STRIDE {
            let expected: Vec<u8> = (u8::from(cut > STAMP_BYTES)..12).collect();
            assert_eq!(found(&bytes[cut..], 100).0, expected, "cut at {cut}");
        }
    }
}

#[test]
fn packets_behind_time_stamps_are_found_again_after_garbage_of_any_length() {
    for length in 1..400 {
        let garbage = vec![9; length];
        let bytes = [stamped(0..12, 7), garbage, stamped(12..24, 7)].concat();
        let expected: Vec<u8> = (0..24).collect();
        for piece in [61, 5000] {
            assert_eq!(found(&bytes, piece).0, expected, "garbage of {length}");
        }
    }
}

#[test]
fn the_packet_length_may_change_on_the_way() {
    let bytes = [numbered(0..9), stamped(9..20, 1), numbered(20..30)].concat();
    for piece in [1, 192, 5000] {
        // Where time stamps end, the place of one is taken for that of the next.
        let expected: Vec<u8> = (0..30).filter(|&n| n != 20).collect();
        assert_eq!(found(&bytes, piece).0, expected);
    }
}

#[test]
fn a_stream_of_few_stamped_packets_is_found_at_its_end() {
    for count in 1..5 {
        let bytes = stamped(0..count, 0x11);
        assert_eq!(found(&bytes, 50).0, (0..count).collect::<Vec<_>>());
    }
}

#[test]
fn packets_with_parity_are_found_without_it() {
    let bytes: Vec<u8> = (0..9)
        .flat_map(|n| [packet(n).to_vec(), vec![n; 16]].concat())
        .collect();
    for piece in [1, 188, 203, 204, 205, 5000] {
        assert_eq!(found(&bytes, piece).0, (0..9).collect::<Vec<_>>());
    }
}

#[test]
fn one_damaged_sync_byte_costs_one_packet_and_no_search() {
    let mut bytes = numbered(0..10);
    bytes[7 * PACKET_BYTES] = 0;
    let (numbers, sync) = found(&bytes, 1000);
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 8, 9]);
    assert_eq!((sync.resyncs(), sync.bytes_skipped()), (0, 188));
}

#[test]
fn garbage_of_any_length_up_to_a_thousand_bytes_is_skipped() {
    for length in 1..1000 {
        let mut bytes = numbered(0..6);
        bytes.extend(vec![0x11; length]);
        bytes.extend(numbered(6..14));
        let (numbers, sync) = found(&bytes, 333);
        assert!(
            numbers.iter().filter(|&&n| n >= 6).count() >= 7,
            "garbage of {length}"
        );
        assert_eq!(numbers.iter().filter(|&&n| n < 6).count(), 6);
        assert_eq!(sync.bytes_skipped(), length as u64);
    }
}

#[test]
fn a_stream_of_one_packet_is_a_stream() {
    assert_eq!(found(&packet(3), 7).0, [3]);
    assert!(!found(&[0x47; 100], 7).1.found_packets());
}
