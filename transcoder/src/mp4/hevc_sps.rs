//! The sequence parameter set of HEVC, as far as the sample entry needs it (ISO/IEC 23008-2).

use h264_reader::rbsp::{BitRead, BitReaderError};

use super::nal_bits::bits;

/// general_ fields of profile_tier_level() (ISO/IEC 23008-2, 7.3.3).
#[derive(Debug, Clone, Copy)]
pub(super) struct General {
    pub(super) profile_space: u8,
    pub(super) is_high_tier: bool,
    pub(super) profile_idc: u8,
    pub(super) compatibility: u32,
    /// 48 bits, of which the first four are about scans and packing.
    pub(super) constraints: u64,
    pub(super) is_interlaced: bool,
    pub(super) level_idc: u8,
}

impl General {
    /// Return the codecs parameter (ISO/IEC 14496-15, annex E.3).
    pub(super) fn codecs(self) -> String {
        let space = match self.profile_space {
            1 => "A",
            2 => "B",
            3 => "C",
            _ => "",
        };
        let tier = if self.is_high_tier { 'H' } else { 'L' };
        let mut text = format!(
            "hvc1.{space}{}.{:X}.{tier}{}",
            self.profile_idc,
            self.compatibility.reverse_bits(),
            self.level_idc
        );
        let bytes = self.constraints.to_be_bytes();
        let bytes = &bytes[2..];
        let told = bytes.iter().rposition(|&byte| byte != 0);
        for byte in &bytes[..told.map_or(0, |last| last + 1)] {
            text.push_str(&format!(".{byte:X}"));
        }
        text
    }
}

/// The part of a sequence parameter set up to its bit depths (7.3.2.2.1).
#[derive(Debug)]
pub(super) struct HevcSps {
    pub(super) id: u32,
    pub(super) general: General,
    pub(super) max_sub_layers_minus1: u8,
    pub(super) is_temporal_id_nested: bool,
    pub(super) chroma_format_idc: u8,
    pub(super) bit_depth_luma_minus8: u8,
    pub(super) bit_depth_chroma_minus8: u8,
    pub(super) width: u16,
    pub(super) height: u16,
}

/// What a sequence parameter set of HEVC is refused for.
#[derive(Debug)]
pub(super) struct Unreadable;

impl From<BitReaderError> for Unreadable {
    fn from(_: BitReaderError) -> Self {
        Self
    }
}

pub(super) fn hevc_sps(unit: &[u8]) -> Result<HevcSps, Unreadable> {
    let mut bits = bits(unit, 2);
    bits.skip(4, "sps_video_parameter_set_id")?;
    let max_sub_layers_minus1 = bits.read::<3, u8>("sps_max_sub_layers_minus1")?;
    let is_temporal_id_nested = bits.read_bit("sps_temporal_id_nesting_flag")?;
    if max_sub_layers_minus1 > 6 {
        return Err(Unreadable);
    }
    let general = hevc_general(&mut bits)?;
    skip_sub_layers(&mut bits, max_sub_layers_minus1)?;
    let id = bits.read_ue("sps_seq_parameter_set_id")?;
    let chroma_format_idc = at_most(bits.read_ue("chroma_format_idc")?, 3)?;
    let has_planes = chroma_format_idc == 3 && bits.read_bit("separate_colour_plane_flag")?;
    let width = bits.read_ue("pic_width_in_luma_samples")?;
    let height = bits.read_ue("pic_height_in_luma_samples")?;
    let (mut cut_width, mut cut_height) = (0, 0);
    if bits.read_bit("conformance_window_flag")? {
        let mut edges = [0; 4];
        for edge in &mut edges {
            *edge = u64::from(bits.read_ue("conf_win_offset")?);
        }
        let [left, right, top, bottom] = edges;
        // SubWidthC and SubHeightC (table 6-1).
        let (across, down) = match chroma_format_idc {
            1 => (2, 2),
            2 => (2, 1),
            3 if has_planes => (1, 1),
            _ => (1, 1),
        };
        cut_width = (left + right) * across;
        cut_height = (top + bottom) * down;
    }
    let bit_depth_luma_minus8 = at_most(bits.read_ue("bit_depth_luma_minus8")?, 7)?;
    let bit_depth_chroma_minus8 = at_most(bits.read_ue("bit_depth_chroma_minus8")?, 7)?;
    let cut = |whole: u32, gone: u64| -> Result<u16, Unreadable> {
        let shown = u64::from(whole).checked_sub(gone).ok_or(Unreadable)?;
        let shown = u16::try_from(shown).map_err(|_| Unreadable)?;
        if shown == 0 {
            Err(Unreadable)
        } else {
            Ok(shown)
        }
    };
    if id > 15 {
        return Err(Unreadable);
    }
    Ok(HevcSps {
        id,
        general,
        max_sub_layers_minus1,
        is_temporal_id_nested,
        chroma_format_idc,
        bit_depth_luma_minus8,
        bit_depth_chroma_minus8,
        width: cut(width, cut_width)?,
        height: cut(height, cut_height)?,
    })
}

fn hevc_general(bits: &mut impl BitRead) -> Result<General, Unreadable> {
    let profile_space = bits.read::<2, u8>("general_profile_space")?;
    let is_high_tier = bits.read_bit("general_tier_flag")?;
    let profile_idc = bits.read::<5, u8>("general_profile_idc")?;
    let compatibility = bits.read::<32, u32>("general_profile_compatibility_flags")?;
    let constraints = u64::from(bits.read::<32, u32>("general_constraint_flags")?) << 16
        | u64::from(bits.read::<16, u16>("general_constraint_flags")?);
    let level_idc = bits.read::<8, u8>("general_level_idc")?;
    Ok(General {
        profile_space,
        is_high_tier,
        profile_idc,
        compatibility,
        constraints,
        is_interlaced: constraints >> 46 & 1 != 0,
        level_idc,
    })
}

fn skip_sub_layers(bits: &mut impl BitRead, count: u8) -> Result<(), Unreadable> {
    let mut present = Vec::new();
    for _ in 0..count {
        let profile = bits.read_bit("sub_layer_profile_present_flag")?;
        let level = bits.read_bit("sub_layer_level_present_flag")?;
        present.push((profile, level));
    }
    if count > 0 {
        for _ in count..8 {
            bits.skip(2, "reserved_zero_2bits")?;
        }
    }
    for (profile, level) in present {
        if profile {
            bits.skip(88, "sub_layer_profile")?;
        }
        if level {
            bits.skip(8, "sub_layer_level_idc")?;
        }
    }
    Ok(())
}

fn at_most(value: u32, limit: u8) -> Result<u8, Unreadable> {
    let value = u8::try_from(value).map_err(|_| Unreadable)?;
    if value > limit {
        Err(Unreadable)
    } else {
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codecs_parameter_of_hevc_leaves_trailing_zeros_out() {
        let general = General {
            profile_space: 0,
            is_high_tier: false,
            profile_idc: 2,
            compatibility: 0x2000_0000,
            constraints: 0x9000_0000_0000,
            is_interlaced: false,
            level_idc: 153,
        };
        assert_eq!(general.codecs(), "hvc1.2.4.L153.90");
        let none = General {
            constraints: 0,
            is_high_tier: true,
            profile_space: 1,
            ..general
        };
        assert_eq!(none.codecs(), "hvc1.A2.4.H153");
    }
}
