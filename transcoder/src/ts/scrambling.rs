//! Whether the payload of a PID's packets is scrambled.
//!
//! transport_scrambling_control announces it (ISO/IEC 13818-1, 2.4.3.3), but is not always
//! right: descramblers leave it set on payload that they have descrambled, and clear it on
//! payload for which they had no key. The beginning of a PES packet shows the truth: a start
//! code, or scrambled payload, whose bytes are spread evenly. Between two such beginnings the
//! bits are trusted if they were right before.

use super::packet::Packet;

/// Distinct values in the payload of a scrambled packet, at least: of 184 random bytes some
/// 132 differ, and in one of a hundred thousand packets fewer than 110. Tables, text and
/// stuffing have far fewer.
const SCRAMBLED_VALUES_PER_184_BYTES: usize = 110;

/// A shorter payload does not show whether it is scrambled.
const MIN_SCRAMBLED_BYTES: usize = 64;

/// What is known of a packet's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    Clear,
    Scrambled,
    /// The bits announce scrambling, but the earlier packets give no reason to trust them. The
    /// PID's next packets decide.
    Undecided,
}

/// The judgements of a packet, and of the undecided packets before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) before: Judgement,
    pub(crate) this: Judgement,
}

/// A judge of the packets of one PID that carries PES packets.
#[derive(Debug, Default)]
pub(crate) struct Scrambling {
    /// Whether the bits were right where a PES packet with them set began.
    bits_are_right: Option<bool>,
    /// The PES packet under way began with scrambled payload although its bits say clear.
    unit_is_scrambled: bool,
}

impl Scrambling {
    /// Judge the PID's next packet.
    pub(crate) fn judge(&mut self, packet: Packet<'_>) -> Verdict {
        let says_scrambled = packet.is_scrambled();
        let payload = packet.payload();
        let this = if packet.transport_error() || payload.is_empty() {
            // Nothing can be learnt from it, and nothing of it is used.
            Judgement::Clear
        } else if packet.unit_start() && payload.len() >= 3 {
            let is_clear = begins_clear(payload);
            if says_scrambled {
                self.bits_are_right = Some(!is_clear);
                self.unit_is_scrambled = false;
                clear_if(is_clear)
            } else {
                self.unit_is_scrambled = !is_clear && looks_scrambled(payload);
                clear_if(!self.unit_is_scrambled)
            }
        } else if says_scrambled {
            match self.bits_are_right {
                Some(right) => clear_if(!right),
                None => Judgement::Undecided,
            }
        } else {
            clear_if(!self.unit_is_scrambled)
        };
        // A packet whose bits say clear, or that begins clear, ends a doubt: scrambling
        // begins with a key, for seconds, and not for the rest of a PES packet.
        let before = match this {
            Judgement::Scrambled if says_scrambled => Judgement::Scrambled,
            Judgement::Undecided => Judgement::Undecided,
            _ => Judgement::Clear,
        };
        Verdict { before, this }
    }

    /// Believe the bits: no PES packet began while they were in doubt.
    pub(crate) fn believe(&mut self) {
        self.bits_are_right = Some(true);
    }
}

fn clear_if(is_clear: bool) -> Judgement {
    if is_clear {
        Judgement::Clear
    } else {
        Judgement::Scrambled
    }
}

/// Return whether a PES packet begins (2.4.3.6).
fn begins_clear(payload: &[u8]) -> bool {
    payload.starts_with(&[0, 0, 1])
}

/// Return whether a payload's values are spread as evenly as scrambling leaves them.
pub(crate) fn looks_scrambled(payload: &[u8]) -> bool {
    let mut values = [false; 256];
    for &byte in payload {
        values[usize::from(byte)] = true;
    }
    let distinct = values.iter().filter(|&&seen| seen).count();
    let expected = SCRAMBLED_VALUES_PER_184_BYTES * payload.len() / 184;
    payload.len() >= MIN_SCRAMBLED_BYTES && distinct >= expected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ts::packet::PACKET_BYTES;

    const CLEAR: &[u8] = &[0, 0, 1, 0xC0];

    /// Bytes that pass for scrambled ones.
    fn scrambled_bytes(seed: u32) -> [u8; PACKET_BYTES] {
        let mut state = seed.wrapping_mul(2_654_435_769) | 1;
        std::array::from_fn(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        })
    }

    fn packet(unit_start: bool, bits: u8, begins: &[u8]) -> [u8; PACKET_BYTES] {
        let mut bytes = scrambled_bytes(7);
        bytes[..4].copy_from_slice(&[0x47, u8::from(unit_start) << 6, 0x50, bits << 6 | 0x10]);
        bytes[4..4 + begins.len()].copy_from_slice(begins);
        bytes
    }

    fn judged(packets: &[[u8; PACKET_BYTES]]) -> Vec<Judgement> {
        let mut scrambling = Scrambling::default();
        packets
            .iter()
            .map(|bytes| scrambling.judge(Packet::new(bytes)).this)
            .collect()
    }

    #[test]
    fn bits_that_are_set_on_clear_packets_are_not_believed() {
        let packets = [packet(true, 2, CLEAR), packet(false, 3, &[])];
        assert_eq!(judged(&packets), [Judgement::Clear; 2]);
    }

    #[test]
    fn bits_that_are_set_on_scrambled_payload_are_believed() {
        let packets = [packet(true, 2, &[]), packet(false, 3, &[])];
        assert_eq!(judged(&packets), [Judgement::Scrambled; 2]);
    }

    #[test]
    fn scrambled_payload_is_scrambled_whatever_the_bits_say() {
        let packets = [packet(true, 0, &[]), packet(false, 0, &[])];
        assert_eq!(judged(&packets), [Judgement::Scrambled; 2]);
    }

    #[test]
    fn what_is_neither_a_pes_packet_nor_spread_evenly_is_not_scrambled() {
        let mut table = [0xFF; PACKET_BYTES];
        table[..8].copy_from_slice(&[0x47, 0x40, 0x50, 0x10, 0, 0x42, 0xF0, 0x10]);
        assert_eq!(judged(&[table]), [Judgement::Clear]);
    }

    #[test]
    fn bits_set_in_the_middle_of_a_pes_packet_are_in_doubt_until_the_next_tells() {
        let doubtful = packet(false, 2, &[]);
        for (next, expected) in [
            (packet(false, 0, &[]), Judgement::Clear),
            (packet(true, 0, CLEAR), Judgement::Clear),
            (packet(true, 2, CLEAR), Judgement::Clear),
            (packet(true, 2, &[]), Judgement::Scrambled),
        ] {
            let mut scrambling = Scrambling::default();
            scrambling.judge(Packet::new(&packet(true, 0, CLEAR)));
            let verdict = scrambling.judge(Packet::new(&doubtful));
            assert_eq!(verdict.this, Judgement::Undecided);
            assert_eq!(scrambling.judge(Packet::new(&next)).before, expected);
        }
    }
}
