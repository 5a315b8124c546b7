//! Continuity counters (ISO/IEC 13818-1, 2.4.3.3): judged in the source, written in
//! the output. A counter advances with every packet of its PID that has a payload.

use super::packet::{PACKET_BYTES, Packet, set_continuity_counter};

/// How a packet follows the one before on its PID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Continuity {
    Follows,
    /// The packet before, sent again.
    Repeats,
    /// Packets are missing in between.
    Lost {
        /// Whether the source did not announce it by discontinuity_indicator.
        is_error: bool,
        /// How many by the counter, which has 4 bits: less a multiple of 16.
        packets: u8,
    },
}

impl Continuity {
    pub(crate) fn is_lost(self) -> bool {
        matches!(self, Self::Lost { .. })
    }
}

/// The counter of a PID in the source.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SourceCounter {
    last: Option<u8>,
    repeated: bool,
}

impl SourceCounter {
    /// Judge the PID's next packet.
    pub(crate) fn judge(&mut self, packet: Packet<'_>) -> Continuity {
        if !packet.has_payload() {
            return Continuity::Follows;
        }
        let counter = packet.continuity_counter();
        let Some(last) = self.last.replace(counter) else {
            return Continuity::Follows;
        };
        let repeated = std::mem::replace(&mut self.repeated, false);
        let is_error = !packet.discontinuity();
        if counter == last.wrapping_add(1) & 0x0F {
            Continuity::Follows
        } else if counter == last && !repeated && is_error {
            self.repeated = true;
            Continuity::Repeats
        } else {
            Continuity::Lost {
                is_error,
                packets: counter.wrapping_sub(last).wrapping_sub(1) & 0x0F,
            }
        }
    }
}

/// The counter of a PID that we write to.
#[derive(Debug)]
pub(crate) struct OutputCounter {
    last: u8,
    /// Whether the source's counters no longer fit.
    is_ours: bool,
}

impl OutputCounter {
    /// Continue after the counter of the PID's last packet.
    pub(crate) fn after(last: Option<u8>) -> Self {
        Self {
            last: last.unwrap_or(0x0F),
            is_ours: false,
        }
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// Append a packet that we made.
    pub(crate) fn send(&mut self, mut bytes: [u8; PACKET_BYTES], output: &mut Vec<u8>) {
        if Packet::new(&bytes).has_payload() {
            self.last = self.last.wrapping_add(1) & 0x0F;
            self.is_ours = true;
        }
        set_continuity_counter(&mut bytes, self.last);
        output.extend_from_slice(&bytes);
    }

    /// Append a packet of the source: untouched until the counter has become ours.
    pub(crate) fn pass(&mut self, bytes: [u8; PACKET_BYTES], output: &mut Vec<u8>) {
        if self.is_ours {
            self.send(bytes, output);
        } else {
            self.last = Packet::new(&bytes).continuity_counter();
            output.extend_from_slice(&bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(counter: u8, adaptation_field_control: u8, flags: u8) -> [u8; PACKET_BYTES] {
        let mut bytes = [0; PACKET_BYTES];
        bytes[0] = 0x47;
        bytes[3] = adaptation_field_control << 4 | counter;
        bytes[4..6].copy_from_slice(&[1, flags]);
        bytes
    }

    fn judged(packets: &[[u8; PACKET_BYTES]]) -> Vec<Continuity> {
        let mut counter = SourceCounter::default();
        packets
            .iter()
            .map(|bytes| counter.judge(Packet::new(bytes)))
            .collect()
    }

    #[test]
    fn a_packet_may_be_sent_twice_and_no_more() {
        let packets = [
            packet(3, 1, 0),
            packet(4, 1, 0),
            packet(4, 1, 0),
            packet(4, 1, 0),
        ];
        let lost = Continuity::Lost {
            is_error: true,
            packets: 15,
        };
        let expected = [
            Continuity::Follows,
            Continuity::Follows,
            Continuity::Repeats,
            lost,
        ];
        assert_eq!(judged(&packets), expected);
    }

    #[test]
    fn a_packet_without_payload_stands_outside_the_count() {
        let packets = [
            packet(15, 1, 0),
            packet(15, 2, 0),
            packet(7, 2, 0),
            packet(0, 1, 0),
        ];
        assert_eq!(judged(&packets), [Continuity::Follows; 4]);
    }

    #[test]
    fn an_announced_jump_is_a_loss_and_no_error() {
        let packets = [packet(1, 3, 0), packet(9, 3, 0x80)];
        let announced = Continuity::Lost {
            is_error: false,
            packets: 7,
        };
        assert_eq!(judged(&packets)[1], announced);
    }

    #[test]
    fn source_packets_keep_their_counter_until_one_of_ours_was_sent() {
        let (mut counter, mut output) = (OutputCounter::after(None), Vec::new());
        counter.pass(packet(5, 1, 0), &mut output);
        counter.send(packet(0, 1, 0), &mut output);
        counter.send(packet(0, 2, 0), &mut output);
        counter.pass(packet(11, 1, 0), &mut output);
        let written: Vec<u8> = output.chunks(PACKET_BYTES).map(|p| p[3] & 0x0F).collect();
        assert_eq!(written, [5, 6, 6, 7]);
    }
}
