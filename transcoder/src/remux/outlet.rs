//! What leaves on the place of one track: packets of the source and converted ones, in
//! order and with one continuity counter.

use std::collections::VecDeque;
use std::mem;

use super::clock::Moment;
use super::schedule::Schedule;
use crate::Options;
use crate::audio::output::AacFrame;
use crate::ts::continuity::OutputCounter;
use crate::ts::packet::{PACKET_BYTES, Packet, Pid, discontinuity, without_payload};

/// Packets that waited and leave for one that comes: more than one, so that they catch up.
const RELEASED_AT_ONCE: usize = 2;

pub(super) type PacketBytes = [u8; PACKET_BYTES];

/// The packets of one track that are to leave.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) pid: Pid,
    /// Whether it is the source's PID.
    pub(super) keeps_pid: bool,
    /// Whether the program's clock is on this PID. There discontinuity_indicator would mean
    /// another time base (ISO/IEC 13818-1, 2.4.3.5).
    pub(super) is_clock: bool,
    /// Packets of the source that leave under the PMT that was sent last.
    leaving: VecDeque<PacketBytes>,
    /// Packets of the source that leave under the PMT that has to be sent next.
    leaving_next: VecDeque<PacketBytes>,
    /// Whether packets have left since the coding of what leaves last changed.
    has_left: bool,
    /// The next packet that leaves is of another coding than those before.
    changes_coding: bool,
    schedule: Schedule,
    counter: OutputCounter,
}

impl Outlet {
    /// Make the outlet of a track. `last_counter` is that of the PID's last packet in the
    /// output.
    pub(super) fn new(
        pid: Pid,
        keeps_pid: bool,
        is_clock: bool,
        options: &Options,
        last_counter: Option<u8>,
    ) -> Self {
        Self {
            pid,
            keeps_pid,
            is_clock,
            leaving: VecDeque::new(),
            leaving_next: VecDeque::new(),
            has_left: false,
            changes_coding: false,
            schedule: Schedule::new(options.bitrate_bps, options.channels),
            counter: OutputCounter::after(last_counter),
        }
    }

    /// Return whether converted packets have left, so that the source's counters no longer fit.
    pub(super) fn is_ours(&self) -> bool {
        self.counter.is_ours()
    }

    /// Return whether converted packets wait for their time.
    pub(super) fn has_waiting(&self) -> bool {
        !self.schedule.is_empty()
    }

    /// Return whether converted packets may wait for a first PCR that is yet to come.
    pub(super) fn can_await_clock(&self) -> bool {
        self.schedule.can_await_clock()
    }

    /// Queue a converted frame.
    pub(super) fn enqueue(&mut self, frame: AacFrame<'_>) {
        if frame.time.starts_base {
            self.schedule.mark_discontinuity();
        }
        self.schedule.add(self.pid, frame.time, frame.adts);
    }

    /// Let the next converted frame say that packets are missing before it.
    pub(super) fn mark_loss(&mut self) {
        if !self.is_clock {
            self.schedule.mark_discontinuity();
        }
    }

    /// Append the converted packets whose time has come; all of them without a clock.
    pub(super) fn send_due(&mut self, moment: Option<Moment>, output: &mut Vec<u8>) {
        while let Some(bytes) = self.schedule.next_due(moment) {
            self.announce(output);
            self.counter.send(bytes, output);
        }
    }

    /// Append the PCR that a packet of a rewritten PID carries.
    pub(super) fn send_clock(&mut self, packet: Packet<'_>, output: &mut Vec<u8>) {
        if packet.pcr().is_some() && !packet.transport_error() && self.keeps_pid {
            self.counter.send(without_payload(packet), output);
        }
    }

    /// Let packets leave under the PMT that is sent next, or the last when none is.
    pub(super) fn let_leave(&mut self, packets: impl IntoIterator<Item = PacketBytes>) {
        if self.keeps_pid {
            self.leaving_next.extend(packets);
        }
    }

    /// Let every packet so far leave under the PMT that was sent last.
    pub(super) fn settle(&mut self) {
        self.leaving.append(&mut self.leaving_next);
    }

    /// Take what has left so far to be of the coding that leaves from now on.
    pub(super) fn forget_coding(&mut self) {
        self.has_left = false;
    }

    /// Append only the clocks of the packets that wait under the PMT that was sent last.
    pub(super) fn drop_leaving(&mut self, output: &mut Vec<u8>) {
        for bytes in mem::take(&mut self.leaving) {
            self.send_clock(Packet::new(&bytes), output);
        }
    }

    /// Append the packets that must leave before a changed PMT.
    pub(super) fn conclude(&mut self, output: &mut Vec<u8>) {
        self.release_up_to(usize::MAX, output);
        self.leaving = mem::take(&mut self.leaving_next);
        self.changes_coding = mem::take(&mut self.has_left);
    }

    /// Append packets that no longer have a reason to wait: a few at a time, for the
    /// receiver's transport buffer.
    pub(super) fn release(&mut self, output: &mut Vec<u8>) {
        self.settle();
        self.release_up_to(RELEASED_AT_ONCE, output);
    }

    /// Append everything that is left.
    pub(super) fn finish(&mut self, output: &mut Vec<u8>) {
        self.send_due(None, output);
        self.settle();
        self.release_up_to(usize::MAX, output);
    }

    fn release_up_to(&mut self, count: usize, output: &mut Vec<u8>) {
        let count = count.min(self.leaving.len());
        if count > 0 {
            self.announce(output);
        }
        for bytes in self.leaving.drain(..count) {
            self.counter.pass(bytes, output);
        }
    }

    /// Say before the first packet of another coding that it does not follow.
    fn announce(&mut self, output: &mut Vec<u8>) {
        self.has_left = true;
        if mem::take(&mut self.changes_coding) && !self.is_clock {
            self.counter.send(discontinuity(self.pid, 0), output);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PID: Pid = Pid::new(0x100);

    fn packet(counter: u8) -> PacketBytes {
        let mut bytes = [0; PACKET_BYTES];
        bytes[..4].copy_from_slice(&[0x47, 0x01, 0x00, 0x10 | counter]);
        bytes
    }

    /// Which packets that leave announce that they do not follow, where the PMT changes behind
    /// the second.
    fn announced(is_clock: bool) -> Vec<bool> {
        let mut outlet = Outlet::new(PID, true, is_clock, &Options::default(), None);
        let mut output = Vec::new();
        for counter in 0..4 {
            outlet.let_leave([packet(counter)]);
            match counter {
                1 => {
                    outlet.settle();
                    outlet.conclude(&mut output);
                }
                _ => outlet.release(&mut output),
            }
        }
        let packets = output.chunks(PACKET_BYTES);
        let packets = packets.filter_map(|bytes| bytes.first_chunk());
        packets.map(|p| Packet::new(p).discontinuity()).collect()
    }

    #[test]
    fn another_coding_is_announced_once_and_never_on_the_pid_of_the_clock() {
        assert_eq!(announced(false), [false, false, true, false, false]);
        assert_eq!(announced(true), [false; 4]);
    }
}
