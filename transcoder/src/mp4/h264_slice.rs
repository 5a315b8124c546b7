//! The headers of H.264's slices: which picture parameter set, and which field
//! (ISO/IEC 14496-10, 7.3.3).

use h264_reader::nal::sps::{FrameMbsFlags, SeqParameterSet};
use h264_reader::rbsp::BitRead;

use super::nal_bits::bits;

/// What slice headers depend on (ISO/IEC 14496-10, 7.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SliceSyntax {
    frame_num_bits: u32,
    has_colour_planes: bool,
    has_fields: bool,
}

/// The field that a slice of H.264 belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    frame_num: u32,
    is_bottom: bool,
    is_reference: bool,
    is_idr: bool,
}

impl Field {
    /// Return whether `next` is the second field of the frame that this is the first field of
    /// (ISO/IEC 14496-10, 3.30 and 7.4.1.2.4): the other parity, the same frame_num, and both or
    /// none a reference. A second field is no IDR picture.
    pub(super) fn is_completed_by(self, next: Self) -> bool {
        self.is_bottom != next.is_bottom
            && self.frame_num == next.frame_num
            && self.is_reference == next.is_reference
            && !next.is_idr
    }
}

impl SliceSyntax {
    /// Return the syntax that a sequence parameter set asks for.
    pub(super) fn new(sps: &SeqParameterSet) -> Self {
        Self {
            frame_num_bits: u32::from(sps.log2_max_frame_num()),
            has_colour_planes: sps.chroma_info.separate_colour_plane_flag,
            has_fields: matches!(sps.frame_mbs_flags, FrameMbsFlags::Fields { .. }),
        }
    }
}

/// Return the identifier of the PPS that a slice refers to.
pub(super) fn pps_of_slice(unit: &[u8]) -> Option<u32> {
    let mut bits = bits(unit, 1);
    bits.read_ue("first_mb_in_slice").ok()?;
    bits.read_ue("slice_type").ok()?;
    bits.read_ue("pic_parameter_set_id").ok()
}

/// Return the field that a slice belongs to; none where the picture is a frame.
pub(super) fn field_of_slice(unit: &[u8], syntax: SliceSyntax) -> Option<Field> {
    if !syntax.has_fields {
        return None;
    }
    let header = *unit.first()?;
    let mut bits = bits(unit, 1);
    for name in ["first_mb_in_slice", "slice_type", "pic_parameter_set_id"] {
        bits.read_ue(name).ok()?;
    }
    if syntax.has_colour_planes {
        bits.skip(2, "colour_plane_id").ok()?;
    }
    let frame_num = bits.read_var(syntax.frame_num_bits, "frame_num").ok()?;
    let is_field = bits.read_bit("field_pic_flag").ok()?;
    if !is_field {
        return None;
    }
    Some(Field {
        frame_num,
        is_bottom: bits.read_bit("bottom_field_flag").ok()?,
        is_reference: header & 0x60 != 0,
        is_idr: header & 0x1F == 5,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_field_is_the_other_parity_of_the_same_frame() {
        let first = Field {
            frame_num: 5,
            is_bottom: false,
            is_reference: true,
            is_idr: true,
        };
        let second = Field {
            is_bottom: true,
            is_idr: false,
            ..first
        };
        assert!(first.is_completed_by(second));
        for other in [
            Field {
                is_bottom: false,
                ..second
            },
            Field {
                frame_num: 6,
                ..second
            },
            Field {
                is_reference: false,
                ..second
            },
            Field {
                is_idr: true,
                ..second
            },
        ] {
            assert!(!first.is_completed_by(other), "{other:?}");
        }
    }
}
