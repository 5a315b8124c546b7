//! Whole PES packets of a PID (ISO/IEC 13818-1, 2.4.3.6).
//!
//! Subtitles say in PES_packet_length where a packet ends, and the next one may come minutes
//! later: unlike those of sound and pictures, a packet is given as soon as its last byte is there.

use crate::ts::clock::Timestamp;
use crate::ts::pes::PesReader;

/// Maximum size of a PES packet's data: PES_packet_length has 16 bits.
pub const MAX_PES_BYTES: usize = 64 * 1024;

/// Bytes up to the end of PES_packet_length.
const LENGTH_FIELD_END: usize = 6;

/// An assembler of the PES packets of one PID.
#[derive(Debug, Default)]
pub(crate) struct PesAssembler {
    reader: PesReader,
    /// Bytes of the packet from its start code on, so far.
    seen: usize,
    /// The bytes in front, for their length.
    front: Vec<u8>,
    pts: Option<Timestamp>,
    data: Vec<u8>,
    is_open: bool,
}

/// The data of a PES packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) data: Vec<u8>,
    pub(crate) pts: Option<Timestamp>,
}

impl PesAssembler {
    /// Take the payload of the PID's next packet, and return the PES packet that it ends: its own,
    /// or that before it where no length said so.
    pub(crate) fn push(&mut self, payload: &[u8], unit_start: bool) -> [Option<Whole>; 2] {
        let mut before = None;
        if unit_start {
            before = (self.expected() == Some(0)).then(|| self.take()).flatten();
            self.lose();
            self.is_open = true;
        }
        if !self.is_open {
            return [before, None];
        }
        let wanted = LENGTH_FIELD_END.saturating_sub(self.front.len());
        self.front
            .extend_from_slice(&payload[..payload.len().min(wanted)]);
        let seen = self.seen;
        self.seen += payload.len();
        let Some(chunk) = self.reader.push(payload, unit_start) else {
            return [before, None];
        };
        if chunk.starts_pes {
            self.pts = chunk.pts;
        }
        let end = self.expected().filter(|&length| length > 0);
        let end = end.map(|length| LENGTH_FIELD_END + length);
        // What follows the packet's end is stuffing.
        let excess = end.map_or(0, |end| (seen + payload.len()).saturating_sub(end));
        let kept = chunk.data.len().saturating_sub(excess);
        self.data.extend_from_slice(&chunk.data[..kept]);
        if self.data.len() > MAX_PES_BYTES {
            self.lose();
        }
        let is_whole = end.is_some_and(|end| self.seen >= end);
        [before, is_whole.then(|| self.take()).flatten()]
    }

    /// Note that packets are missing here, and with them the PES packet under way.
    pub(crate) fn lose(&mut self) {
        self.is_open = false;
        self.seen = 0;
        self.front.clear();
        self.data.clear();
        self.pts = None;
    }

    /// End the stream: the packet under way ends where no length says otherwise.
    pub(crate) fn finish(&mut self) -> Option<Whole> {
        (self.expected() == Some(0)).then(|| self.take()).flatten()
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.data.len()
    }

    /// PES_packet_length of the packet under way.
    fn expected(&self) -> Option<usize> {
        match (self.is_open, self.front.as_slice()) {
            (true, &[0, 0, 1, _, high, low]) => Some(u16::from_be_bytes([high, low]).into()),
            _ => None,
        }
    }

    fn take(&mut self) -> Option<Whole> {
        let whole = Whole {
            data: std::mem::take(&mut self.data),
            pts: self.pts,
        };
        self.lose();
        (!whole.data.is_empty()).then_some(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PES packet of private data with a PTS, and this length in its header.
    fn pes(data: &[u8], length: usize) -> Vec<u8> {
        let [high, low] = (length as u16).to_be_bytes();
        let head = [0, 0, 1, 0xBD, high, low, 0x84, 0x80, 5];
        [&head[..], &[0x21, 0, 1, 0, 0x15], data].concat()
    }

    fn all(pieces: &[(&[u8], bool)]) -> Vec<Whole> {
        let mut assembler = PesAssembler::default();
        let mut found = Vec::new();
        for (piece, starts) in pieces {
            found.extend(assembler.push(piece, *starts).into_iter().flatten());
        }
        found.extend(assembler.finish());
        found
    }

    fn whole(data: &[u8]) -> Whole {
        Whole {
            data: data.to_vec(),
            pts: Some(Timestamp::new(10)),
        }
    }

    #[test]
    fn a_packet_is_given_with_its_last_byte_at_every_cut() {
        let data: Vec<u8> = (0..300u16).map(|n| n as u8).collect();
        let packet = pes(&data, data.len() + 8);
        for cut in 0..packet.len() {
            let mut assembler = PesAssembler::default();
            let (front, back) = packet.split_at(cut);
            assert_eq!(assembler.push(front, true), [None, None], "{cut}");
            let found = assembler.push(&[back, &[0xFF; 20]].concat(), false);
            assert_eq!(found, [None, Some(whole(&data))], "{cut}");
            assert_eq!(assembler.push(b"more", false), [None, None]);
        }
    }

    #[test]
    fn a_packet_without_a_length_ends_where_the_next_begins() {
        let (one, two) = (pes(b"one", 0), pes(b"two", 11));
        let found = all(&[(&one, true), (b" more", false), (&two, true)]);
        assert_eq!(found, [whole(b"one more"), whole(b"two")]);
        assert_eq!(all(&[(&one, true)]), [whole(b"one")]);
    }

    #[test]
    fn a_packet_that_is_cut_off_or_too_long_is_left_out() {
        let packet = pes(b"subtitle", 16);
        assert_eq!(all(&[(&packet[..20], true), (&packet, true)]).len(), 1);
        let mut pieces: Vec<(&[u8], bool)> = vec![(&packet[..6], true)];
        let endless = pes(&[], 0);
        pieces[0] = (&endless, true);
        pieces.extend(std::iter::repeat_n((&[0u8; 184][..], false), 400));
        assert_eq!(all(&pieces), []);
    }
}
