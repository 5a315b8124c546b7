//! The marks of a splice: packets that announce that this remuxer continues the stream of a
//! lost one.
//!
//! Only the [`generation`](crate::Options) of the lost remuxer's output is known. So before
//! the first packet of every PID, a packet announces it: an adaptation field with
//! discontinuity_indicator, and the continuity counter that the next packet follows
//! (ISO/IEC 13818-1, 2.4.3.5). The packets themselves are not changed.
//!
//! The PID of the clock is marked as well. There the indicator announces a new time
//! base, which begins with the next PCR. Its values continue, but the viewer has waited for
//! as long as the splice took: by the viewer's own clock this is another time base, and
//! a player should set its clock again. No packet between the mark and that PCR
//! repeats the indicator, although the standard requires it: it would have to be written
//! into packets that pass unchanged, and players need only the first one.

use crate::ts::packet::{PACKET_BYTES, Packet, Pid, discontinuity};

/// Distance between the first table versions of two successive generations. Odd, so that
/// only after 32 generations one begins with the version of another; large, so that changes
/// within a generation rarely reach the next one's versions.
const VERSION_STRIDE: u32 = 11;

/// Added to the source's version_number where a generation's tables begin.
pub(super) fn version_offset(generation: u32) -> u8 {
    (generation.wrapping_mul(VERSION_STRIDE) & 0x1F) as u8
}

/// Which PIDs have been marked at their first packet.
#[derive(Debug)]
pub(super) struct SpliceMarks {
    marked: Box<[bool]>,
}

impl SpliceMarks {
    pub(super) fn new() -> Self {
        Self {
            marked: vec![false; Pid::COUNT].into(),
        }
    }

    /// Put a mark before every packet from `start` on that is the first of its PID.
    pub(super) fn insert(&mut self, output: &mut Vec<u8>, start: usize) {
        let mut at = start;
        while let Some(bytes) = output.get(at..).and_then(<[u8]>::first_chunk) {
            if let Some(mark) = self.before(Packet::new(bytes)) {
                output.splice(at..at, mark);
                at += PACKET_BYTES;
            }
            at += PACKET_BYTES;
        }
    }

    /// Return the mark that must leave before a packet; None if it needs none. Null packets have
    /// no counter, and the counter of a damaged packet cannot be trusted.
    fn before(&mut self, packet: Packet<'_>) -> Option<[u8; PACKET_BYTES]> {
        let pid = packet.pid();
        if pid == Pid::NULL || packet.transport_error() {
            return None;
        }
        let was_marked = std::mem::replace(&mut self.marked[pid.index()], true);
        if was_marked || packet.discontinuity() {
            return None;
        }
        let step = u8::from(packet.has_payload());
        Some(discontinuity(
            pid,
            packet.continuity_counter().wrapping_sub(step),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(pid: u8, byte_1: u8, byte_3: u8, flags: u8) -> [u8; PACKET_BYTES] {
        let mut bytes = [0xAA; PACKET_BYTES];
        bytes[..6].copy_from_slice(&[0x47, byte_1, pid, byte_3, 1, flags]);
        bytes
    }

    fn marked(packets: &[[u8; PACKET_BYTES]]) -> Vec<(u8, u8, bool)> {
        let mut output = vec![0x11; PACKET_BYTES];
        output.extend(packets.concat());
        SpliceMarks::new().insert(&mut output, PACKET_BYTES);
        let packets = output[PACKET_BYTES..].chunks(PACKET_BYTES);
        packets
            .map(|bytes| {
                let packet = Packet::new(bytes.first_chunk().expect("whole packets"));
                let pid = packet.pid().value() as u8;
                (pid, packet.continuity_counter(), packet.discontinuity())
            })
            .collect()
    }

    #[test]
    fn the_first_packet_of_each_pid_follows_its_mark_and_no_other_has_one() {
        let packets = [
            packet(5, 0, 0x10, 0),
            packet(6, 0, 0x27, 0),
            packet(5, 0, 0x11, 0),
            packet(6, 0, 0x18, 0),
        ];
        let mark = |pid, counter| (pid, counter, true);
        let kept = |pid, counter| (pid, counter, false);
        let expected = [
            mark(5, 15),
            kept(5, 0),
            mark(6, 7),
            kept(6, 7),
            kept(5, 1),
            kept(6, 8),
        ];
        assert_eq!(marked(&packets), expected);
    }

    #[test]
    fn what_is_marked_already_null_or_damaged_gets_no_mark() {
        let announced = packet(5, 0, 0x30, 0x80);
        let null = packet(0xFF, 0x1F, 0x10, 0);
        let damaged = packet(7, 0x80, 0x10, 0);
        assert_eq!(marked(&[announced, null, damaged]).len(), 3);
        assert_eq!(marked(&[damaged, packet(7, 0, 0x19, 0)]).len(), 3);
    }

    #[test]
    fn neighbouring_generations_begin_with_other_versions() {
        for generation in 0..100u32 {
            let next = version_offset(generation.wrapping_add(1));
            assert_ne!(version_offset(generation), next);
        }
        assert_eq!(version_offset(0), 0);
    }
}
