//! The packets before the tables are known.
//!
//! Nothing can be played before the first PAT and PMT, and what is audio only they say:
//! sent on as it came, audio would stand on a PID on which the PMT then promises AAC. So
//! packets wait for the tables, and then leave in their order.

use super::Stream;
use crate::ts::clock::Pcr;
use crate::ts::packet::{PACKET_BYTES, Packet, Pid};

/// How long packets wait for tables by any clock of the stream: PAT and PMT come at
/// least each 500 ms (TR 101 290, 5.2.1). In 27 MHz.
const MAX_WAIT_27M: i64 = 13_500_000;

/// Packets that wait where no clock shows how long: 500 ms of a transponder at 24 Mbit/s.
const MAX_PACKETS: usize = 8192;

/// Holds a stream's first packets.
#[derive(Debug, Default)]
pub(super) struct Opening {
    packets: Vec<[u8; PACKET_BYTES]>,
    first_pcr: Option<(Pid, Pcr)>,
}

impl Opening {
    /// Whether a packet has no need to wait: a null packet before all others.
    pub(super) fn lets_pass(&self, packet: Packet<'_>) -> bool {
        self.packets.is_empty() && packet.pid() == Pid::NULL
    }

    /// Takes the next packet; `stream` learns the tables from it. Returns whether the
    /// wait is over.
    pub(super) fn push(&mut self, packet: Packet<'_>, stream: &mut Stream) -> bool {
        self.packets.push(*packet.bytes());
        stream.study(packet) || self.packets.len() >= MAX_PACKETS || self.has_waited_long(packet)
    }

    /// The packets that waited.
    pub(super) fn into_packets(self) -> Vec<[u8; PACKET_BYTES]> {
        self.packets
    }

    fn has_waited_long(&mut self, packet: Packet<'_>) -> bool {
        let Some(pcr) = packet.pcr().filter(|_| !packet.transport_error()) else {
            return false;
        };
        let (pid, first) = *self.first_pcr.get_or_insert((packet.pid(), pcr));
        pid == packet.pid() && !(0..MAX_WAIT_27M).contains(&pcr.since(first))
    }
}
