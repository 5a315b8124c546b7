//! PES packets (ISO/IEC 13818-1, 2.4.3.6 and 2.4.3.7).
//!
//! ```text
//! 00 00 01 | stream_id | PES_packet_length 16 |
//! 10 scrambling 2 prio 1 align 1 (c) 1 (o) 1 | PTS_DTS 2 ... | header_data_length 8 | PTS 5 bytes ...
//! PTS: 0010 PTS[32..30] 1 | PTS[29..15] 1 | PTS[14..0] 1      DTS behind it: 0001 ...
//! ```

use super::clock::Timestamp;

/// Bytes before the optional fields.
const FIXED_HEADER_BYTES: usize = 9;
/// Bytes of a PTS, and of a DTS.
const STAMP_BYTES: usize = 5;

/// A reader of the elementary stream of one PID out of its PES packets.
///
/// PES_packet_length is not used: an audio PES ends where the next begins, and a
/// damaged length would cost what follows it.
#[derive(Debug, Default)]
pub struct PesReader {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// Nothing can be read before a PES begins.
    #[default]
    AwaitingStart,
    /// The header so far; at most 9 + 255 bytes.
    Header(Vec<u8>),
    /// Everything is elementary stream until the next start.
    Payload,
}

/// A piece of elementary stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EsChunk<'a> {
    /// The bytes; may be empty where only a header ended.
    pub data: &'a [u8],
    /// Whether these are the first bytes of a PES.
    pub starts_pes: bool,
    /// PTS of the PES that begins with these bytes.
    pub pts: Option<Timestamp>,
    /// DTS of the PES that begins with these bytes, where it has one beside the PTS.
    pub dts: Option<Timestamp>,
}

impl PesReader {
    /// Take the payload of the PID's next packet and return its share of the elementary
    /// stream.
    pub fn push<'a>(&mut self, payload: &'a [u8], unit_start: bool) -> Option<EsChunk<'a>> {
        if unit_start {
            self.state = State::Header(Vec::new());
        }
        match &mut self.state {
            State::AwaitingStart => None,
            State::Payload => Some(EsChunk {
                data: payload,
                starts_pes: false,
                pts: None,
                dts: None,
            }),
            State::Header(header) => {
                let before = header.len();
                header.extend_from_slice(payload);
                match parse_header(header) {
                    Header::Incomplete => None,
                    Header::Malformed => {
                        self.state = State::AwaitingStart;
                        None
                    }
                    Header::Complete { bytes, pts, dts } => {
                        self.state = State::Payload;
                        // Earlier packets held nothing but header bytes.
                        let data = payload.get(bytes - before..).unwrap_or(&[]);
                        Some(EsChunk {
                            data,
                            starts_pes: true,
                            pts,
                            dts,
                        })
                    }
                }
            }
        }
    }

    /// Note that packets are missing here: a header in the making is worth nothing.
    pub fn lose(&mut self) {
        if matches!(self.state, State::Header(_)) {
            self.state = State::AwaitingStart;
        }
    }
}

/// Return the PTS of the PES packet that begins with these bytes, the payload of its first packet;
/// none where it has none there.
pub fn pts_of_start(payload: &[u8]) -> Option<Timestamp> {
    let [0, 0, 1, _, _, _, flags, pts_flags, data_bytes] = *payload.first_chunk()? else {
        return None;
    };
    let has_pts = flags & 0xC0 == 0x80 && pts_flags & 0x80 != 0 && data_bytes >= 5;
    has_pts
        .then(|| parse_pts(&payload[FIXED_HEADER_BYTES..]))
        .flatten()
}

/// Return the elementary stream in the payload of a PES packet's first packet; empty where none
/// begins.
pub fn data_of_start(payload: &[u8]) -> &[u8] {
    let [0, 0, 1, _, _, _, _, _, data_bytes] = payload.first_chunk().unwrap_or(&[0xFF; 9]) else {
        return &[];
    };
    let start = FIXED_HEADER_BYTES + usize::from(*data_bytes);
    payload.get(start..).unwrap_or_default()
}

enum Header {
    Incomplete,
    Malformed,
    Complete {
        bytes: usize,
        pts: Option<Timestamp>,
        dts: Option<Timestamp>,
    },
}

fn parse_header(bytes: &[u8]) -> Header {
    let Some(fixed) = bytes.first_chunk::<FIXED_HEADER_BYTES>() else {
        let start_code = [0, 0, 1];
        let seen = bytes.len().min(start_code.len());
        return if bytes[..seen] == start_code[..seen] {
            Header::Incomplete
        } else {
            Header::Malformed
        };
    };
    let [0, 0, 1, _, _, _, flags, pts_flags, data_bytes] = *fixed else {
        return Header::Malformed;
    };
    // '10' in front. PES_scrambling_control behind it is for those that look at the payload.
    if flags & 0xC0 != 0x80 {
        return Header::Malformed;
    }
    let total = FIXED_HEADER_BYTES + usize::from(data_bytes);
    if bytes.len() < total {
        return Header::Incomplete;
    }
    let pts = (pts_flags & 0x80 != 0)
        .then(|| parse_pts(&bytes[FIXED_HEADER_BYTES..total]))
        .flatten();
    // PTS_DTS_flags '11': the DTS follows the PTS, and its prefix is '0001'.
    let dts_at = FIXED_HEADER_BYTES + STAMP_BYTES;
    let dts = (pts_flags & 0xC0 == 0xC0)
        .then(|| bytes.get(dts_at..total).and_then(parse_dts))
        .flatten();
    Header::Complete {
        bytes: total,
        pts,
        dts,
    }
}

/// Read a PTS; none when its marker bits are wrong, as damage leaves them.
fn parse_pts(field: &[u8]) -> Option<Timestamp> {
    parse_stamp(field, 0xE0, 0x20)
}

/// Read a DTS; none when its marker bits are wrong.
fn parse_dts(field: &[u8]) -> Option<Timestamp> {
    parse_stamp(field, 0xF0, 0x10)
}

fn parse_stamp(field: &[u8], mask: u8, prefix: u8) -> Option<Timestamp> {
    let [a, b, c, d, e] = *field.first_chunk::<STAMP_BYTES>()?;
    if a & c & e & 1 == 0 || a & mask != prefix {
        return None;
    }
    let ticks = u64::from(a >> 1 & 7) << 30
        | u64::from(b) << 22
        | u64::from(c >> 1) << 15
        | u64::from(d) << 7
        | u64::from(e >> 1);
    Some(Timestamp::new(ticks))
}

/// Wrap one access unit of audio into a PES packet that begins with it.
///
/// The unit must leave room in the 16-bit length: an AAC frame has at most 8191
/// bytes.
pub fn write_audio_pes(pts: Timestamp, access_unit: &[u8], pes: &mut Vec<u8>) {
    const STREAM_ID_AUDIO: u8 = 0xC0;
    const FLAGS_ALIGNED: u8 = 0x84;
    const FLAGS_PTS: u8 = 0x80;
    const PTS_BYTES: u8 = 5;
    let length = (3 + usize::from(PTS_BYTES) + access_unit.len()) as u16;
    let [length_high, length_low] = length.to_be_bytes();
    let ticks = pts.ticks_90k();
    pes.clear();
    pes.extend_from_slice(&[0, 0, 1, STREAM_ID_AUDIO, length_high, length_low]);
    pes.extend_from_slice(&[FLAGS_ALIGNED, FLAGS_PTS, PTS_BYTES]);
    pes.extend_from_slice(&[
        0x21 | (ticks >> 29) as u8 & 0x0E,
        (ticks >> 22) as u8,
        (ticks >> 14) as u8 | 1,
        (ticks >> 7) as u8,
        (ticks << 1) as u8 | 1,
    ]);
    pes.extend_from_slice(access_unit);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_access_unit_is_read_back_with_its_pts_at_every_cut_of_the_header() {
        for ticks in [0, 1, 0x1_2345_6789, (1 << 33) - 1] {
            let pts = Timestamp::new(ticks);
            let mut pes = Vec::new();
            write_audio_pes(pts, b"access unit", &mut pes);
            assert_eq!(
                usize::from(u16::from_be_bytes([pes[4], pes[5]])),
                pes.len() - 6
            );
            for cut in 0..=14 {
                let mut reader = PesReader::default();
                let mut data = Vec::new();
                let mut stamps = Vec::new();
                for (index, piece) in [&pes[..cut], &pes[cut..]].into_iter().enumerate() {
                    if let Some(chunk) = reader.push(piece, index == 0) {
                        data.extend_from_slice(chunk.data);
                        stamps.extend(chunk.pts);
                    }
                }
                assert_eq!((data.as_slice(), stamps), (&b"access unit"[..], vec![pts]));
            }
        }
    }

    #[test]
    fn a_dts_is_read_behind_the_pts_where_the_flags_and_its_prefix_say_so() {
        let stamp = |prefix: u8| [prefix | 0x0B, 0x48, 0xD1, 0x59, 0xCF];
        let pes = |flags, prefix| {
            let mut pes = vec![0, 0, 1, 0xE0, 0, 0, 0x80, flags, 10];
            pes.extend(stamp(if flags == 0x80 { 0x20 } else { 0x30 }));
            pes.extend(stamp(prefix));
            pes
        };
        let read = |pes: &[u8]| PesReader::default().push(pes, true).and_then(|c| c.dts);
        let both = pes(0xC0, 0x10);
        let pts = PesReader::default().push(&both, true).and_then(|c| c.pts);
        assert_eq!(read(&both), pts);
        assert!(read(&pes(0xC0, 0x10)).is_some());
        assert_eq!(read(&pes(0x80, 0x10)), None);
        assert_eq!(read(&pes(0xC0, 0x20)), None);
    }

    #[test]
    fn bytes_before_the_first_start_and_after_a_broken_header_are_left_out() {
        let mut reader = PesReader::default();
        assert_eq!(reader.push(b"middle of something", false), None);
        assert_eq!(
            reader.push(&[0, 0, 2, 0xC0, 0, 0, 0x80, 0, 0, 1], true),
            None
        );
        assert_eq!(reader.push(b"still lost", false), None);
    }

    #[test]
    fn a_header_longer_than_the_packet_goes_on_in_the_next() {
        let mut reader = PesReader::default();
        let mut header = vec![0, 0, 1, 0xBD, 0, 0, 0x80, 0, 200];
        header.extend([0xFF; 175]);
        assert_eq!(reader.push(&header, true), None);
        let chunk = reader
            .push(&[&[0xFF; 25][..], b"es"].concat(), false)
            .map(|c| c.data.to_vec());
        assert_eq!(chunk.as_deref(), Some(&b"es"[..]));
    }
}
