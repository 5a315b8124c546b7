//! Random access: whether a decoder can begin with a picture.
//!
//! ```text
//! MPEG-2   sequence header, then an I picture           ISO/IEC 13818-2, 6.2
//! H.264    SPS, then an IDR picture, or an I picture    ISO/IEC 14496-10, 7.4.1.2.4
//!          (with or without a recovery point SEI: many
//!          broadcasters never send an IDR)              D.2.8
//! HEVC     SPS, then a BLA, IDR or CRA picture          ISO/IEC 23008-2, 7.4.2.2
//! ```
//!
//! Broadcasters repeat the parameter sets in front of every picture that decodes without
//! others (TS 101 154, 5.5.2 and 5.14). A picture without them is no place to join: the
//! decoder of a viewer that joins has none.

/// stream_type of video that is looked into (ISO/IEC 13818-1, table 2-34).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoCodec {
    /// MPEG-1 or MPEG-2 video.
    Mpeg2,
    /// H.264.
    H264,
    /// HEVC.
    Hevc,
    /// Video whose pictures are not looked into: AVS, VC-1, Dirac, VVC.
    Other,
}

impl VideoCodec {
    /// Return the coding that a stream_type names; none when it is no video.
    pub fn of_stream_type(stream_type: u8) -> Option<Self> {
        match stream_type {
            0x01 | 0x02 => Some(Self::Mpeg2),
            0x1B | 0x1F | 0x20 => Some(Self::H264),
            // 0x27 is HEVC to some recorders.
            0x24 | 0x25 | 0x27 => Some(Self::Hevc),
            0x10 | 0x21 | 0x33 | 0x42 | 0xD1 | 0xD2 | 0xD4 | 0xEA => Some(Self::Other),
            _ => None,
        }
    }
}

/// What the beginning of a picture says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The bytes so far do not show it.
    NeedMore,
    /// A decoder can begin here, and every picture after it in display order decodes.
    Random {
        /// Whether pictures that follow in the stream and precede it in display order may
        /// refer to ones before it: a viewer that begins here cannot decode
        /// those.
        is_open: bool,
    },
    /// The picture needs others, and comes with what a decoder needs first: where pictures
    /// are refreshed little by little, this is where to begin.
    Refresh,
    /// The picture needs others, or parameters that do not come with it.
    Dependent,
}

/// Bytes of a picture's beginning that are looked at: parameter sets with scaling lists and
/// SEI messages with captions stay below.
pub const MAX_HEAD_BYTES: usize = 8 * 1024;

/// Say whether a decoder can begin with the picture that begins with these bytes of the
/// elementary stream. From [`MAX_HEAD_BYTES`] on the answer is never `NeedMore`.
pub fn access(codec: VideoCodec, head: &[u8]) -> Access {
    let found = match codec {
        VideoCodec::Mpeg2 => mpeg2(head),
        VideoCodec::H264 => h264(head),
        VideoCodec::Hevc => hevc(head),
        VideoCodec::Other => Access::Dependent,
    };
    if found == Access::NeedMore && head.len() >= MAX_HEAD_BYTES {
        return Access::Dependent;
    }
    found
}

/// Return whether a leading picture, one that precedes in display order the open random access
/// point before it, can be left out and every other still decodes: the first bytes of its
/// elementary stream tell, or do not.
///
/// MPEG-2 has them coded in B, and nothing refers to those. In HEVC no other picture may refer to
/// them (8.3.2). In H.264 the pictures behind them do not need their content (D.2.8), but count
/// them in their lists of references (8.2.4.2): only pictures that are no reference can go.
pub fn is_leading_disposable(codec: VideoCodec, head: &[u8]) -> bool {
    const SLICE: u8 = 1;
    const IDR_SLICE: u8 = 5;
    const REFERENCE: u8 = 0x60;
    match codec {
        VideoCodec::Mpeg2 | VideoCodec::Hevc => true,
        VideoCodec::H264 => units(head)
            .filter_map(|unit| unit.first())
            .find(|&first| (SLICE..=IDR_SLICE).contains(&(first & 0x1F)))
            .is_some_and(|first| first & REFERENCE == 0),
        VideoCodec::Other => false,
    }
}

fn mpeg2(head: &[u8]) -> Access {
    const PICTURE: u8 = 0x00;
    const FIRST_SLICE: u8 = 0x01;
    const LAST_SLICE: u8 = 0xAF;
    const SEQUENCE_HEADER: u8 = 0xB3;
    const GROUP: u8 = 0xB8;
    const INTRA_CODED: u8 = 1;
    const PREDICTIVE_CODED: u8 = 2;
    let mut has_sequence = false;
    let mut closed_group = false;
    for unit in units(head) {
        match *unit {
            [SEQUENCE_HEADER, ..] => has_sequence = true,
            // time_code 25 bits, closed_gop 1 (6.2.2.6).
            [GROUP, _, _, _, flags, ..] => closed_group = flags & 0x40 != 0,
            // temporal_reference 10 bits, picture_coding_type 3 (6.2.3).
            [PICTURE, _, flags, ..] => {
                return match flags >> 3 & 7 {
                    INTRA_CODED if has_sequence => Access::Random {
                        is_open: !closed_group,
                    },
                    // The first behind a sequence header is one of these (6.1.1.6).
                    PREDICTIVE_CODED if has_sequence => Access::Refresh,
                    _ => Access::Dependent,
                };
            }
            [FIRST_SLICE..=LAST_SLICE, ..] => return Access::Dependent,
            _ => {}
        }
    }
    Access::NeedMore
}

fn h264(head: &[u8]) -> Access {
    const SLICE: u8 = 1;
    const PARTITION_A: u8 = 2;
    const IDR_SLICE: u8 = 5;
    const MESSAGES: u8 = 6;
    const SEQUENCE_PARAMETERS: u8 = 7;
    let mut has_parameters = false;
    let mut has_recovery_point = false;
    for unit in units(head) {
        let Some((&first, rest)) = unit.split_first() else {
            return Access::NeedMore;
        };
        match first & 0x1F {
            SEQUENCE_PARAMETERS => has_parameters = true,
            MESSAGES => has_recovery_point |= begins_with_recovery_point(rest),
            IDR_SLICE if has_parameters => return Access::Random { is_open: false },
            SLICE | PARTITION_A if has_parameters => {
                // first_mb_in_slice, slice_type (7.3.3); both fit the first bytes, in which
                // no emulation prevention can stand before slice_type ends.
                let Some(bytes) = rest.first_chunk::<4>() else {
                    return Access::NeedMore;
                };
                return match slice_type(*bytes) {
                    Some(2 | 4 | 7 | 9) => Access::Random { is_open: true },
                    Some(_) if has_recovery_point => Access::Refresh,
                    _ => Access::Dependent,
                };
            }
            SLICE | PARTITION_A | IDR_SLICE => return Access::Dependent,
            _ => {}
        }
    }
    Access::NeedMore
}

/// slice_type of a slice that begins with these bytes; none when it is no valid one.
fn slice_type(bytes: [u8; 4]) -> Option<u32> {
    let bits = u32::from_be_bytes(bytes);
    let (_, after_first) = exp_golomb(bits)?;
    exp_golomb(bits << after_first).map(|(value, _)| value)
}

/// ue(v) at the top of `bits` (9.1), and how many bits it takes; none when they are too few.
fn exp_golomb(bits: u32) -> Option<(u32, u32)> {
    let zeros = bits.leading_zeros();
    let length = 2 * zeros + 1;
    (length < u32::BITS).then(|| ((bits >> (u32::BITS - length)) - 1, length))
}

fn hevc(head: &[u8]) -> Access {
    const LAST_PICTURE_TYPE: u8 = 31;
    const BLA_AND_IDR: std::ops::RangeInclusive<u8> = 16..=20;
    const CRA: u8 = 21;
    const SEQUENCE_PARAMETERS: u8 = 33;
    const MESSAGES: u8 = 39;
    let mut has_parameters = false;
    let mut has_recovery_point = false;
    for unit in units(head) {
        let Some(&first) = unit.first() else {
            return Access::NeedMore;
        };
        match first >> 1 & 0x3F {
            SEQUENCE_PARAMETERS => has_parameters = true,
            CRA if has_parameters => return Access::Random { is_open: true },
            // BLA_W_LP and BLA_W_RADL may have leading pictures, of which those that do not
            // decode are marked as to be skipped.
            kind if has_parameters && BLA_AND_IDR.contains(&kind) => {
                return Access::Random {
                    is_open: kind <= 17,
                };
            }
            0..=LAST_PICTURE_TYPE if has_parameters && has_recovery_point => {
                return Access::Refresh;
            }
            0..=LAST_PICTURE_TYPE => return Access::Dependent,
            MESSAGES => {
                has_recovery_point |= begins_with_recovery_point(unit.get(2..).unwrap_or_default())
            }
            _ => {}
        }
    }
    Access::NeedMore
}

/// Return whether one of the first messages of an SEI unit is a recovery point (H.264
/// D.1.8, HEVC D.2.8): from there on pictures become whole though none stands alone.
fn begins_with_recovery_point(mut messages: &[u8]) -> bool {
    const RECOVERY_POINT: u8 = 6;
    const TRAILING_BITS: u8 = 0x80;
    while let [kind, length, rest @ ..] = messages {
        match *kind {
            RECOVERY_POINT => return true,
            TRAILING_BITS => return false,
            _ => {}
        }
        // Longer types and lengths than a byte are of messages that nobody puts first.
        if *kind == 0xFF || *length == 0xFF {
            return false;
        }
        messages = rest.get(usize::from(*length)..).unwrap_or_default();
    }
    false
}

/// Return what follows each start code (00 00 01), up to the end of the bytes.
fn units(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let codes = bytes.windows(3).enumerate();
    codes
        .filter(|(_, code)| code == &[0, 0, 1])
        .map(|(at, _)| bytes.get(at + 3..).unwrap_or_default())
}

#[cfg(test)]
mod tests;
