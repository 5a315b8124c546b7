//! Transport packets (ISO/IEC 13818-1, 2.4.3.2 and 2.4.3.4).
//!
//! ```text
//! byte  0         1                 2        3
//!      [47]  [TEI|PUSI|prio|PID 12..8] [PID 7..0] [TSC 2|AFC 2|CC 4]
//! byte  4            5                                6..12
//!      [AF length]  [DI|RAI|ESPI|PCR|OPCR|SP|TPD|AFE] [PCR base 33|res 6|ext 9] ...
//! ```

use std::fmt;

use super::clock::Pcr;

/// Length of a transport packet.
pub const PACKET_BYTES: usize = 188;

/// First byte of every packet.
pub const SYNC_BYTE: u8 = 0x47;

const HEADER_BYTES: usize = 4;
const PCR_FIELD: std::ops::Range<usize> = 6..12;
const FLAG_DISCONTINUITY: u8 = 0x80;
const FLAG_RANDOM_ACCESS: u8 = 0x40;
const FLAG_PCR: u8 = 0x10;

/// A packet identifier: 13 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(u16);

impl Pid {
    /// Program association table.
    pub const PAT: Self = Self(0);
    /// Null packets.
    pub const NULL: Self = Self(0x1FFF);
    /// How many there are.
    pub const COUNT: usize = 0x2000;

    /// Make the PID in the lower 13 bits of `value`.
    pub const fn new(value: u16) -> Self {
        Self(value & 0x1FFF)
    }

    /// Return the number.
    pub const fn value(self) -> u16 {
        self.0
    }

    /// Return the number, for tables with [`COUNT`](Self::COUNT) entries.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Return whether an elementary stream or a PMT may have it: 0x0000 to 0x000F and
    /// 0x1FFF are reserved (2.4.3.3, table 2-3).
    pub const fn is_assignable(self) -> bool {
        self.0 >= 0x10 && self.0 < 0x1FFF
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// A view of one packet. Field accessors never fail: a malformed adaptation field
/// yields no payload and no PCR.
#[derive(Clone, Copy)]
pub struct Packet<'a>(&'a [u8; PACKET_BYTES]);

impl<'a> Packet<'a> {
    /// Views 188 bytes that begin with the sync byte.
    pub fn new(bytes: &'a [u8; PACKET_BYTES]) -> Self {
        Self(bytes)
    }

    /// Return the packet as it stands in the stream.
    pub fn bytes(self) -> &'a [u8; PACKET_BYTES] {
        self.0
    }

    /// transport_error_indicator: the demodulator could not correct this packet.
    pub fn transport_error(self) -> bool {
        self.0[1] & 0x80 != 0
    }

    /// payload_unit_start_indicator: a PES packet or a section begins here.
    pub fn unit_start(self) -> bool {
        self.0[1] & 0x40 != 0
    }

    /// Return the packet identifier.
    pub fn pid(self) -> Pid {
        Pid::new(u16::from_be_bytes([self.0[1], self.0[2]]))
    }

    /// Return whether transport_scrambling_control is set.
    pub fn is_scrambled(self) -> bool {
        self.0[3] & 0xC0 != 0
    }

    /// Return whether the header announces a payload; only such packets advance the
    /// counter.
    pub fn has_payload(self) -> bool {
        self.0[3] & 0x10 != 0
    }

    /// continuity_counter, 0 to 15.
    pub fn continuity_counter(self) -> u8 {
        self.0[3] & 0x0F
    }

    /// Return the payload; empty when there is none or the adaptation field is malformed.
    pub fn payload(self) -> &'a [u8] {
        if !self.has_payload() {
            return &[];
        }
        let start = if self.has_adaptation() {
            HEADER_BYTES + 1 + usize::from(self.0[4])
        } else {
            HEADER_BYTES
        };
        self.0.get(start..).unwrap_or(&[])
    }

    /// discontinuity_indicator of the adaptation field.
    pub fn discontinuity(self) -> bool {
        self.has_adaptation() && self.0[4] > 0 && self.0[5] & FLAG_DISCONTINUITY != 0
    }

    /// random_access_indicator of the adaptation field.
    pub fn random_access(self) -> bool {
        self.has_adaptation() && self.0[4] > 0 && self.0[5] & FLAG_RANDOM_ACCESS != 0
    }

    /// Return the program clock reference, when this packet carries one.
    pub fn pcr(self) -> Option<Pcr> {
        let complete = self.has_adaptation() && (7..=183).contains(&self.0[4]);
        if !complete || self.0[5] & FLAG_PCR == 0 {
            return None;
        }
        let field = &self.0[PCR_FIELD];
        let base = u64::from(u32::from_be_bytes([field[0], field[1], field[2], field[3]])) << 1
            | u64::from(field[4] >> 7);
        let extension = u64::from(field[4] & 1) << 8 | u64::from(field[5]);
        Some(Pcr::new(base * 300 + extension))
    }

    fn has_adaptation(self) -> bool {
        self.0[3] & 0x20 != 0
    }
}

/// Overwrite the PCR of a packet that carries one.
pub fn set_pcr(packet: &mut [u8; PACKET_BYTES], pcr: Pcr) {
    let (base, extension) = (pcr.ticks_27m() / 300, pcr.ticks_27m() % 300);
    packet[6..10].copy_from_slice(&((base >> 1) as u32).to_be_bytes());
    // The six reserved bits between base and extension keep their value.
    packet[10] = (base as u8 & 1) << 7 | packet[10] & 0x7E | (extension >> 8) as u8;
    packet[11] = extension as u8;
}

/// Overwrite the continuity counter.
pub fn set_continuity_counter(packet: &mut [u8; PACKET_BYTES], counter: u8) {
    packet[3] = packet[3] & 0xF0 | counter & 0x0F;
}

/// Return the packet without its payload: what is left of a rewritten PID's packet that
/// carries a PCR. The continuity counter has to be set by the caller to that of the PID's
/// last packet (2.4.3.3: it does not advance without a payload).
pub fn without_payload(packet: Packet<'_>) -> [u8; PACKET_BYTES] {
    let mut bytes = *packet.bytes();
    let kept = HEADER_BYTES + 1 + usize::from(bytes[4]);
    bytes[1] &= !0x40;
    bytes[3] = bytes[3] & 0x0F | 0x20;
    bytes[4] = (PACKET_BYTES - HEADER_BYTES - 1) as u8;
    if let Some(stuffing) = bytes.get_mut(kept..) {
        stuffing.fill(0xFF);
    }
    bytes
}

/// Return a packet that says no more than that its PID's packets do not follow those
/// before: `counter` is that of the packet before, so that the next one follows this.
pub fn discontinuity(pid: Pid, counter: u8) -> [u8; PACKET_BYTES] {
    let mut packet = [0xFF; PACKET_BYTES];
    packet[0] = SYNC_BYTE;
    packet[1..3].copy_from_slice(&pid.value().to_be_bytes());
    packet[3] = 0x20 | counter & 0x0F;
    packet[4] = (PACKET_BYTES - HEADER_BYTES - 1) as u8;
    packet[5] = FLAG_DISCONTINUITY;
    packet
}

/// Cut one unit (a PES packet, or sections behind their pointer_field) into packets of a
/// PID with continuity counter 0 and append them to `packets`.
///
/// `discontinuity` sets discontinuity_indicator in the first of them.
pub fn packetise(
    pid: Pid,
    unit: &[u8],
    discontinuity: bool,
    packets: &mut impl Extend<[u8; PACKET_BYTES]>,
) {
    let mut rest = unit;
    let mut first = true;
    while !rest.is_empty() {
        let mut packet = [0xFF; PACKET_BYTES];
        packet[0] = SYNC_BYTE;
        packet[1..3].copy_from_slice(&pid.value().to_be_bytes());
        packet[3] = 0x10;
        if first {
            packet[1] |= 0x40;
        }
        let flags_bytes = if first && discontinuity { 2 } else { 0 };
        let room = PACKET_BYTES - HEADER_BYTES - flags_bytes;
        let taken = rest.len().min(room);
        let adaptation_bytes = PACKET_BYTES - HEADER_BYTES - taken;
        if adaptation_bytes > 0 {
            packet[3] |= 0x20;
            packet[4] = (adaptation_bytes - 1) as u8;
            if adaptation_bytes > 1 {
                packet[5] = if flags_bytes > 0 {
                    FLAG_DISCONTINUITY
                } else {
                    0
                };
            }
        }
        packet[PACKET_BYTES - taken..].copy_from_slice(&rest[..taken]);
        packets.extend([packet]);
        rest = &rest[taken..];
        first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet_with_pcr(pcr: Pcr) -> [u8; PACKET_BYTES] {
        let mut bytes = [0xAA; PACKET_BYTES];
        bytes[..6].copy_from_slice(&[SYNC_BYTE, 0x41, 0x00, 0x37, 7, FLAG_PCR]);
        bytes[6..12].copy_from_slice(&[0, 0, 0, 0, 0x7E, 0]);
        set_pcr(&mut bytes, pcr);
        bytes
    }

    #[test]
    fn a_pcr_that_was_set_is_read_back_up_to_the_end_of_its_range() {
        for ticks in [0, 1, 299, 300, 27_000_000, (1 << 33) * 300 - 1] {
            let bytes = packet_with_pcr(Pcr::new(ticks));
            assert_eq!(Packet::new(&bytes).pcr(), Some(Pcr::new(ticks)));
            assert_eq!(bytes[10] & 0x7E, 0x7E, "reserved bits stay");
        }
    }

    #[test]
    fn a_packet_without_its_payload_keeps_its_pcr_and_pid() {
        let bytes = packet_with_pcr(Pcr::new(123_456_789));
        let bare = without_payload(Packet::new(&bytes));
        let view = Packet::new(&bare);
        assert_eq!(view.pcr(), Some(Pcr::new(123_456_789)));
        assert_eq!(view.pid(), Pid::new(0x100));
        assert!(!view.has_payload() && !view.unit_start() && view.payload().is_empty());
    }

    #[test]
    fn a_unit_of_any_length_comes_back_from_its_packets() {
        for length in 1..600 {
            for discontinuity in [false, true] {
                let unit: Vec<u8> = (0..length).map(|i| i as u8).collect();
                let mut packets = Vec::new();
                packetise(Pid::new(0x1234), &unit, discontinuity, &mut packets);
                let payload: Vec<u8> = packets
                    .iter()
                    .flat_map(|p| Packet::new(p).payload())
                    .copied()
                    .collect();
                assert_eq!(payload, unit);
                let first = Packet::new(&packets[0]);
                assert!(first.unit_start());
                assert_eq!(first.discontinuity(), discontinuity);
                assert!(packets.iter().skip(1).all(|p| !Packet::new(p).unit_start()));
            }
        }
    }

    #[test]
    fn an_adaptation_field_past_the_end_yields_nothing() {
        for length in 184..=255 {
            let mut bytes = packet_with_pcr(Pcr::new(1));
            bytes[4] = length;
            let view = Packet::new(&bytes);
            assert!(view.payload().is_empty());
            assert_eq!(view.pcr(), None);
        }
    }
}
