//! Packet alignment: bytes in any pieces to whole packets.
//!
//! ```text
//!              five sync bytes, one stride apart
//!  Searching -------------------------------------> Locked(188 | 192 | 204)
//!      ^                                                 |
//!      '-------- two sync bytes missing in a row --------'
//! ```
//!
//! The counts are those of TR 101 290, 5.2.1. 204-byte packets carry 16 bytes of
//! Reed-Solomon parity behind them (EN 300 429), 192-byte packets a time stamp of 4
//! bytes in front (M2TS: Blu-ray, AVCHD and many recorders); both are left out. Every
//! decision waits for the bytes it depends on, so how the input is cut never shows.

use super::packet::{PACKET_BYTES, SYNC_BYTE};

/// Number of sync bytes, one stride apart, that prove an alignment of packets.
const SYNC_RUN: usize = 5;

/// Packet length with parity behind each packet.
const PARITY_STRIDE: usize = 204;

/// Packet length with a time stamp in front of each packet.
const STAMPED_STRIDE: usize = STAMP_BYTES + PACKET_BYTES;

/// Arrival time stamp in front of a packet: 2 bits of copy permission, 30 bits of 27 MHz.
const STAMP_BYTES: usize = 4;

/// Packet lengths on the wire, the likelier one first.
const STRIDES: [usize; 3] = [PACKET_BYTES, PARITY_STRIDE, STAMPED_STRIDE];

/// Bytes beyond a position that decide whether packets begin there. Also the
/// bound of what is carried over between calls.
const LOOKAHEAD: usize = (SYNC_RUN - 1) * PARITY_STRIDE + 1;

/// A finder of packets in a byte stream.
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
    /// Take the next bytes and hand every whole packet to `sink`.
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

    /// End the stream: return packets that only waited for a following one.
    pub fn finish(&mut self, mut sink: impl FnMut(&[u8; PACKET_BYTES])) {
        let rest = std::mem::take(&mut self.carry);
        let consumed = self.scan(&rest, true, &mut sink);
        self.bytes_skipped += (rest.len() - consumed) as u64;
    }

    /// Return how often alignment was lost and found again.
    pub fn resyncs(&self) -> u64 {
        self.resyncs
    }

    /// Return how many bytes belonged to no packet.
    pub fn bytes_skipped(&self) -> u64 {
        self.bytes_skipped
    }

    /// Return whether packets were ever found.
    pub fn found_packets(&self) -> bool {
        self.was_locked
    }

    /// Return what was taken and awaits more bytes.
    pub fn pending(&self) -> &[u8] {
        &self.carry
    }

    /// Walk `bytes` while decisions are possible; return the number of finished bytes.
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
                        self.bytes_skipped = self
                            .bytes_skipped
                            .saturating_sub(bytes_in_front(stride) as u64);
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
            let (seen, good) = sync_run(candidate, stride);
            if good < seen {
                continue;
            }
            if seen == SYNC_RUN {
                if stride != STAMPED_STRIDE {
                    return Search::Found { offset, stride };
                }
                match is_stamp(candidate) {
                    Some(true) => continue,
                    None if !at_end => return Search::Undecided { offset },
                    Some(false) | None => return Search::Found { offset, stride },
                }
            }
            if !at_end {
                return Search::Undecided { offset };
            }
            // A stream of fewer than five packets: its last one has to end with it.
            let whole = candidate.len() + bytes_in_front(stride);
            if candidate.len() >= PACKET_BYTES && whole.is_multiple_of(stride) {
                return Search::Found { offset, stride };
            }
        }
        offset += 1;
    }
    Search::Undecided {
        offset: bytes.len(),
    }
}

/// Return the stride of the packets at the start of `bytes`; None if too few packets show it.
pub(crate) fn stride_at(bytes: &[u8]) -> Option<usize> {
    STRIDES.into_iter().find(|&stride| is_run(bytes, stride))
}

/// Return the layout of the packets at the end of `bytes`: their stride, and where the last
/// whole one ends, with its parity or the time stamp of the next one. None if too few packets
/// show it.
pub(crate) fn layout_at_end(bytes: &[u8]) -> Option<(usize, usize)> {
    STRIDES.into_iter().find_map(|stride| {
        (0..stride).find_map(|rest| {
            let end = bytes.len().checked_sub(rest)?;
            let start = end.checked_sub(SYNC_RUN * stride)?;
            let is_begun = bytes.get(end).is_none_or(|&byte| byte == SYNC_BYTE);
            (is_begun && is_run(&bytes[start..], stride)).then_some((stride, end))
        })
    })
}

fn is_run(bytes: &[u8], stride: usize) -> bool {
    sync_run(bytes, stride) == (SYNC_RUN, SYNC_RUN)
        && (stride != STAMPED_STRIDE || is_stamp(bytes) != Some(true))
}

/// Return the bytes of each packet on the wire that stand before its sync byte.
fn bytes_in_front(stride: usize) -> usize {
    if stride == STAMPED_STRIDE {
        STAMP_BYTES
    } else {
        0
    }
}

/// Return how many of the next sync bytes are there to be seen, and how many of them are
/// right.
fn sync_run(bytes: &[u8], stride: usize) -> (usize, usize) {
    let run = (0..SYNC_RUN).map_while(|k| bytes.get(k * stride));
    run.fold((0, 0), |(seen, good), &byte| {
        (seen + 1, good + usize::from(byte == SYNC_BYTE))
    })
}

/// Return whether a run of sync bytes at the start of `bytes` is one of time stamps: their
/// upper bytes stay the same for many packets. Then the true run stands 3 or 4 bytes behind
/// it. In a packet, 3 behind its sync byte, such a value would announce neither payload nor
/// adaptation field. None when more bytes have to come.
fn is_stamp(bytes: &[u8]) -> Option<bool> {
    let mut is_decided = true;
    for distance in [STAMP_BYTES - 1, STAMP_BYTES] {
        let (seen, good) = sync_run(bytes.get(distance..).unwrap_or(&[]), STAMPED_STRIDE);
        if seen == SYNC_RUN && good == SYNC_RUN {
            return Some(true);
        }
        is_decided &= seen == SYNC_RUN || good < seen;
    }
    is_decided.then_some(false)
}

#[cfg(test)]
mod tests;
