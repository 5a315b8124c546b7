//! Packet alignment: bytes in any pieces to whole packets.
//!
//! ```text
//!              five sync bytes, one stride apart
//!  Searching -------------------------------------> Locked(188 | 204)
//!      ^                                                 |
//!      '-------- two sync bytes missing in a row --------'
//! ```
//!
//! The counts are those of TR 101 290, 5.2.1. 204-byte packets carry 16 bytes of
//! Reed-Solomon parity (EN 300 429), which are left out. Every decision waits for
//! the bytes it depends on, so how the input is cut never shows.

use super::packet::{PACKET_BYTES, SYNC_BYTE};

/// Sync bytes that must stand one stride apart before packets are believed.
const SYNC_RUN: usize = 5;

/// Packet lengths on the wire, the likelier one first.
const STRIDES: [usize; 2] = [PACKET_BYTES, 204];

/// Bytes beyond a position that decide whether packets begin there. Also the
/// bound of what is carried over between calls.
const LOOKAHEAD: usize = (SYNC_RUN - 1) * 204 + 1;

/// Finds packets in a byte stream.
#[derive(Debug, Default)]
pub struct Synchroniser {
    state: State,
    /// Bytes that await more: shorter than [`LOOKAHEAD`] plus one stride.
    carry: Vec<u8>,
    was_locked: bool,
    resyncs: u64,
    bytes_skipped: u64,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Searching,
    Locked {
        stride: usize,
    },
}

impl Synchroniser {
    /// Takes the next bytes and hands every whole packet to `sink`.
    pub fn push(&mut self, mut input: &[u8], mut sink: impl FnMut(&[u8; PACKET_BYTES])) {
        // The carry is completed from the input only as far as needed, so that a
        // large input is not copied.
        while !self.carry.is_empty() && !input.is_empty() {
            let carried = self.carry.len();
            let (head, _) = input.split_at(input.len().min(LOOKAHEAD));
            let mut joined = std::mem::take(&mut self.carry);
            joined.extend_from_slice(head);
            let consumed = self.scan(&joined, false, &mut sink);
            if consumed >= carried {
                input = &input[consumed - carried..];
            } else {
                input = &input[head.len()..];
                joined.drain(..consumed);
                self.carry = joined;
            }
        }
        let consumed = self.scan(input, false, &mut sink);
        self.carry.extend_from_slice(&input[consumed..]);
    }

    /// Ends the stream: hands out packets that only waited for a following one.
    pub fn finish(&mut self, mut sink: impl FnMut(&[u8; PACKET_BYTES])) {
        let rest = std::mem::take(&mut self.carry);
        let consumed = self.scan(&rest, true, &mut sink);
        self.bytes_skipped += (rest.len() - consumed) as u64;
    }

    /// Times that alignment was lost and found again.
    pub fn resyncs(&self) -> u64 {
        self.resyncs
    }

    /// Bytes that belonged to no packet.
    pub fn bytes_skipped(&self) -> u64 {
        self.bytes_skipped
    }

    /// Whether packets were ever found.
    pub fn found_packets(&self) -> bool {
        self.was_locked
    }

    /// Walks `bytes` as far as decisions can be made; returns the bytes done with.
    fn scan(
        &mut self,
        bytes: &[u8],
        at_end: bool,
        sink: &mut impl FnMut(&[u8; PACKET_BYTES]),
    ) -> usize {
        let mut position = 0;
        loop {
            match self.state {
                State::Locked { stride } => {
                    let rest = &bytes[position..];
                    // The parity of a very last packet may be missing.
                    let needed = if at_end { PACKET_BYTES } else { stride };
                    if rest.len() < needed {
                        return position;
                    }
                    if rest[0] == SYNC_BYTE {
                        if let Some(packet) = rest.first_chunk() {
                            sink(packet);
                        }
                        position += stride.min(rest.len());
                        continue;
                    }
                    match rest.get(stride) {
                        None if !at_end => return position,
                        Some(&SYNC_BYTE) => {
                            self.bytes_skipped += stride as u64;
                            position += stride;
                        }
                        _ => self.state = State::Searching,
                    }
                }
                State::Searching => match find_packets(&bytes[position..], at_end) {
                    Search::Found { offset, stride } => {
                        self.bytes_skipped += offset as u64;
                        position += offset;
                        self.state = State::Locked { stride };
                        self.resyncs += u64::from(self.was_locked);
                        self.was_locked = true;
                    }
                    Search::Undecided { offset } => {
                        self.bytes_skipped += offset as u64;
                        return position + offset;
                    }
                },
            }
        }
    }
}

enum Search {
    /// Packets of this stride begin at this offset.
    Found { offset: usize, stride: usize },
    /// Nothing begins before this offset; what follows needs more bytes.
    Undecided { offset: usize },
}

fn find_packets(bytes: &[u8], at_end: bool) -> Search {
    let mut offset = 0;
    while let Some(distance) = bytes[offset..].iter().position(|&byte| byte == SYNC_BYTE) {
        offset += distance;
        let candidate = &bytes[offset..];
        for stride in STRIDES {
            let run = (0..SYNC_RUN)
                .map_while(|k| candidate.get(k * stride))
                .take(SYNC_RUN);
            let (mut seen, mut good) = (0, 0);
            for &byte in run {
                seen += 1;
                good += usize::from(byte == SYNC_BYTE);
            }
            if good < seen {
                continue;
            }
            if seen == SYNC_RUN {
                return Search::Found { offset, stride };
            }
            if !at_end {
                return Search::Undecided { offset };
            }
            // A stream of fewer than five packets: its last one has to end with it.
            if candidate.len() >= PACKET_BYTES && candidate.len().is_multiple_of(stride) {
                return Search::Found { offset, stride };
            }
        }
        offset += 1;
    }
    Search::Undecided {
        offset: bytes.len(),
    }
}

#[cfg(test)]
mod tests {
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
}
