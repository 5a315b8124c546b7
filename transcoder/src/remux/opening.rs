//! The packets before the tables are known.
//!
//! Nothing can be played before the first PAT and PMT, and what is audio only they say:
//! sent on as it came, audio would stand on a PID on which the PMT then promises AAC. So
//! packets wait for the tables:
//!
//! ```text
//!          first PMT                        every PMT that is wanted, or MAX_WAIT
//!  Studying --------> Sorting -------------------------------------------------> over
//!  all wait           those wait that no known table names
//! ```
//!
//! A multiplex has many programs, and none of them waits for the PMT of another. The
//! packets of a PID keep their order.

use super::stream::Stream;
use crate::ts::clock::Pcr;
use crate::ts::packet::{PACKET_BYTES, Packet, Pid};

/// How long packets wait for tables by any clock of the stream: PAT and PMT come at
/// least each 500 ms (TR 101 290, 5.2.1). In 27 MHz.
const MAX_WAIT_27M: i64 = 13_500_000;

/// Packets that come while some wait, where no clock shows how long that is: 500 ms of a
/// transponder at 24 Mbit/s. Also the bound of those that wait.
const MAX_PACKETS: usize = 8192;

/// A stream's first packets, which wait.
#[derive(Debug, Default)]
pub(super) struct Opening {
    waiting: Vec<Waiting>,
    /// Programs known when packets were last let go.
    known_programs: usize,
    /// Packets since the first that had to wait.
    packets: usize,
    first_pcr: Option<(Pid, Pcr)>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    bytes: [u8; PACKET_BYTES],
}

impl Opening {
    /// Take the stream's next packet. `stream` learns the tables from it and writes to
    /// `output` what need not wait. Return whether the wait is over; then nothing is held.
    pub(super) fn push(
        &mut self,
        packet: Packet<'_>,
        stream: &mut Stream,
        output: &mut Vec<u8>,
    ) -> bool {
        let number = stream.packets;
        if self.packets == 0 && packet.pid() == Pid::NULL {
            stream.push(packet, number, output);
            return false;
        }
        self.packets += 1;
        let is_studying = self.known_programs == 0;
        if is_studying || !stream.routes.has_place(packet.pid()) {
            let bytes = *packet.bytes();
            self.waiting.push(Waiting { number, bytes });
        } else {
            stream.push(packet, number, output);
        }
        if is_studying {
            self.study(packet, stream);
        }
        if stream.programs.are_all_known()
            || self.packets >= MAX_PACKETS
            || self.has_waited_long(packet)
        {
            self.end(stream, output);
            return true;
        }
        if is_studying && stream.programs.known() > 0 {
            stream.rewind();
        }
        while self.known_programs != stream.programs.known() {
            self.known_programs = stream.programs.known();
            self.let_go(stream, output, false);
        }
        false
    }

    /// Let go of everything.
    pub(super) fn end(&mut self, stream: &mut Stream, output: &mut Vec<u8>) {
        if self.known_programs == 0 {
            stream.rewind();
        }
        self.let_go(stream, output, true);
    }

    /// Let the stream learn the tables from the packet that came; from all that wait when
    /// with it the first PAT is known: PMTs may have come before it.
    fn study(&self, packet: Packet<'_>, stream: &mut Stream) {
        let knew_programs = stream.programs.is_pat_known();
        stream.study(packet);
        if !knew_programs && stream.programs.is_pat_known() {
            stream.forget_counters();
            for Waiting { bytes, .. } in &self.waiting {
                stream.study(Packet::new(bytes));
            }
        }
    }

    /// Hand the packets to the stream that need not wait any more. What the stream learns
    /// from them counts afterwards: a PID's packets go together.
    fn let_go(&mut self, stream: &mut Stream, output: &mut Vec<u8>, all: bool) {
        let (gone, kept): (Vec<Waiting>, _) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| all || stream.routes.has_place(Packet::new(&waiting.bytes).pid()));
        self.waiting = kept;
        for Waiting { number, bytes } in gone {
            stream.push(Packet::new(&bytes), number, output);
        }
    }

    fn has_waited_long(&mut self, packet: Packet<'_>) -> bool {
        let Some(pcr) = packet.pcr().filter(|_| !packet.transport_error()) else {
            return false;
        };
        let (pid, first) = *self.first_pcr.get_or_insert((packet.pid(), pcr));
        pid == packet.pid() && !(0..MAX_WAIT_27M).contains(&pcr.since(first))
    }
}
