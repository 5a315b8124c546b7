//! Parameter sets: what a decoder needs before the first picture, and what they say of all.
//!
//! ```text
//! H.264  SPS, PPS        ISO/IEC 14496-10, 7.3.2.1 and 7.3.2.2   -> avc1, avcC
//! HEVC   VPS, SPS, PPS   ISO/IEC 23008-2, 7.3.2.1 to 7.3.2.3     -> hvc1, hvcC
//! ```
//!
//! They leave the samples and stand in the initialisation segment (ISO/IEC 14496-15, 5.3.3 and
//! 8.3.3): players want `avc1` and `hvc1`, which have them nowhere else.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use h264_reader::nal::sps::{ChromaFormat, FrameMbsFlags, SeqParameterSet};
use h264_reader::rbsp::{BitRead, BitReader, BitReaderError, ByteReader};
use shiguredo_mp4::boxes::{
    Avc1Box, AvccBox, Hvc1Box, HvccBox, HvccNalUintArray, SampleEntry, UnknownBox,
    VisualSampleEntryFields,
};
use shiguredo_mp4::{BoxSize, BoxType, Uint};

use crate::ts::video::VideoCodec;

/// Most parameter sets that are kept: broadcasts have one to four, the standards allow 32 SPS
/// and 256 PPS.
pub(super) const MAX_SETS: usize = 64;

/// Longest parameter set that is kept: scaling lists and VUI stay below 1 KiB, and the boxes'
/// length fields have 16 bits.
pub(super) const MAX_SET_BYTES: usize = 4 * 1024;

/// Lengths of the NAL units in a sample have 4 bytes.
pub(super) const LENGTH_BYTES: usize = 4;

/// A kind of parameter set; in the order in which decoders take them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SetKind {
    Video,
    Sequence,
    Picture,
}

/// The parameter sets in force, by kind and identifier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sets(BTreeMap<(SetKind, u32), Vec<u8>>);

/// What the sets say.
#[derive(Debug, Clone)]
pub(super) struct Description {
    pub(super) entry: SampleEntry,
    /// RFC 6381.
    pub(super) codecs: String,
    pub(super) width: u16,
    pub(super) height: u16,
    /// Width and height of a sample, where they are told and differ.
    pub(super) aspect: Option<(u16, u16)>,
    /// Whether frames may consist of two fields of different time.
    pub(super) is_interlaced: bool,
}

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
    /// Whether `next` is the second field of the frame that this is the first field of
    /// (ISO/IEC 14496-10, 3.30 and 7.4.1.2.4): the other parity, the same frame_num, and both
    /// or none a reference. A second field is no IDR picture.
    pub(super) fn is_completed_by(self, next: Self) -> bool {
        self.is_bottom != next.is_bottom
            && self.frame_num == next.frame_num
            && self.is_reference == next.is_reference
            && !next.is_idr
    }
}

impl Sets {
    /// Takes a parameter set in; returns whether it is new or differs from the one before with
    /// its identifier. What cannot be read is left out.
    pub(super) fn insert(&mut self, codec: VideoCodec, kind: SetKind, unit: &[u8]) -> bool {
        let Some(id) = set_id(codec, kind, unit) else {
            return false;
        };
        let known = self.0.get(&(kind, id));
        let is_full = known.is_none() && self.0.len() == MAX_SETS;
        if known.is_some_and(|known| known == unit) || is_full || unit.len() > MAX_SET_BYTES {
            return false;
        }
        self.0.insert((kind, id), unit.to_vec());
        true
    }

    fn of(&self, kind: SetKind) -> impl Iterator<Item = &Vec<u8>> {
        let range = self.0.range((kind, 0)..=(kind, u32::MAX));
        range.map(|(_, unit)| unit)
    }

    /// How the headers of slices are written that refer to a PPS; none where a set is missing
    /// or cannot be read.
    pub(super) fn slice_syntax(&self, pps_id: u32) -> Option<SliceSyntax> {
        let pps = self.0.get(&(SetKind::Picture, pps_id))?;
        let mut bits = bits(pps, 1);
        bits.read_ue("pic_parameter_set_id").ok()?;
        let sps_id = bits.read_ue("seq_parameter_set_id").ok()?;
        let sps = h264_sps(self.0.get(&(SetKind::Sequence, sps_id))?)?;
        Some(SliceSyntax {
            frame_num_bits: u32::from(sps.log2_max_frame_num()),
            has_colour_planes: sps.chroma_info.separate_colour_plane_flag,
            has_fields: matches!(sps.frame_mbs_flags, FrameMbsFlags::Fields { .. }),
        })
    }

    /// The sample entry and what to tell of it; none where a set is missing or cannot be read.
    pub(super) fn describe(&self, codec: VideoCodec) -> Option<Description> {
        match codec {
            VideoCodec::H264 => self.describe_h264(),
            VideoCodec::Hevc => self.describe_hevc(),
            VideoCodec::Mpeg2 | VideoCodec::Other => None,
        }
    }

    fn describe_h264(&self) -> Option<Description> {
        self.of(SetKind::Picture).next()?;
        let sps_unit = self.of(SetKind::Sequence).next()?;
        let sps = h264_sps(sps_unit)?;
        let (width, height) = sps.pixel_dimensions().ok()?;
        let (width, height) = (u16::try_from(width).ok()?, u16::try_from(height).ok()?);
        let &[_, profile, compatibility, level, ..] = sps_unit.as_slice() else {
            return None;
        };
        // Profiles with more than 4:2:0 or 8 bits say so in the box as well (5.3.3.1.2).
        let has_chroma = sps.profile_idc.has_chroma_info();
        let chroma = &sps.chroma_info;
        let chroma_format = match chroma.chroma_format {
            ChromaFormat::Monochrome => 0,
            ChromaFormat::YUV420 => 1,
            ChromaFormat::YUV422 => 2,
            ChromaFormat::YUV444 => 3,
            ChromaFormat::Invalid(_) => return None,
        };
        let avcc_box = AvccBox {
            avc_profile_indication: profile,
            profile_compatibility: compatibility,
            avc_level_indication: level,
            length_size_minus_one: Uint::new(LENGTH_BYTES as u8 - 1),
            sps_list: self.of(SetKind::Sequence).cloned().collect(),
            pps_list: self.of(SetKind::Picture).cloned().collect(),
            chroma_format: has_chroma.then(|| Uint::new(chroma_format)),
            bit_depth_luma_minus8: has_chroma.then(|| Uint::new(chroma.bit_depth_luma_minus8)),
            bit_depth_chroma_minus8: has_chroma.then(|| Uint::new(chroma.bit_depth_chroma_minus8)),
            sps_ext_list: Vec::new(),
        };
        let vui = sps.vui_parameters.as_ref();
        let aspect = vui
            .and_then(|vui| vui.aspect_ratio_info.as_ref()?.get())
            .filter(|(horizontal, vertical)| horizontal != vertical);
        let entry = SampleEntry::Avc1(Avc1Box {
            visual: visual(width, height),
            avcc_box,
            unknown_boxes: aspect.map(pixel_aspect).into_iter().collect(),
        });
        Some(Description {
            entry,
            codecs: format!("avc1.{profile:02x}{compatibility:02x}{level:02x}"),
            width,
            height,
            aspect,
            is_interlaced: matches!(sps.frame_mbs_flags, FrameMbsFlags::Fields { .. }),
        })
    }

    fn describe_hevc(&self) -> Option<Description> {
        self.of(SetKind::Picture).next()?;
        let sps = hevc_sps(self.of(SetKind::Sequence).next()?).ok()?;
        let arrays = [
            (SetKind::Video, 32),
            (SetKind::Sequence, 33),
            (SetKind::Picture, 34),
        ];
        let nalu_arrays = arrays
            .into_iter()
            .map(|(kind, nal_unit_type)| HvccNalUintArray {
                // Nothing of the kind is in the samples.
                array_completeness: Uint::new(1),
                nal_unit_type: Uint::new(nal_unit_type),
                nalus: self.of(kind).cloned().collect(),
            })
            .collect();
        let general = sps.general;
        let hvcc_box = HvccBox {
            general_profile_space: Uint::new(general.profile_space),
            general_tier_flag: Uint::new(u8::from(general.is_high_tier)),
            general_profile_idc: Uint::new(general.profile_idc),
            general_profile_compatibility_flags: general.compatibility,
            general_constraint_indicator_flags: Uint::new(general.constraints),
            general_level_idc: general.level_idc,
            // 0: nothing is promised.
            min_spatial_segmentation_idc: Uint::new(0),
            parallelism_type: Uint::new(0),
            chroma_format_idc: Uint::new(sps.chroma_format_idc),
            bit_depth_luma_minus8: Uint::new(sps.bit_depth_luma_minus8),
            bit_depth_chroma_minus8: Uint::new(sps.bit_depth_chroma_minus8),
            avg_frame_rate: 0,
            constant_frame_rate: Uint::new(0),
            num_temporal_layers: Uint::new(sps.max_sub_layers_minus1 + 1),
            temporal_id_nested: Uint::new(u8::from(sps.is_temporal_id_nested)),
            length_size_minus_one: Uint::new(LENGTH_BYTES as u8 - 1),
            nalu_arrays,
        };
        let entry = SampleEntry::Hvc1(Hvc1Box {
            visual: visual(sps.width, sps.height),
            hvcc_box,
            unknown_boxes: Vec::new(),
        });
        Some(Description {
            entry,
            codecs: general.codecs(),
            width: sps.width,
            height: sps.height,
            aspect: None,
            is_interlaced: general.is_interlaced,
        })
    }
}

/// Where level_idc stands in a sequence parameter set of H.264, the unit's header included.
const LEVEL_AT: usize = 3;
/// Level 6.2.
const HIGHEST_LEVEL: u8 = 62;

/// The identifier of the PPS that a slice of H.264 refers to; and with the syntax at hand the
/// field, none where the picture is a frame.
pub(super) fn pps_of_slice(unit: &[u8]) -> Option<u32> {
    let mut bits = bits(unit, 1);
    bits.read_ue("first_mb_in_slice").ok()?;
    bits.read_ue("slice_type").ok()?;
    bits.read_ue("pic_parameter_set_id").ok()
}

/// The field that a slice of H.264 belongs to; none where the picture is a frame.
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

fn set_id(codec: VideoCodec, kind: SetKind, unit: &[u8]) -> Option<u32> {
    match (codec, kind) {
        (VideoCodec::H264, SetKind::Sequence) => {
            let sps = h264_sps(unit)?;
            Some(u32::from(sps.id().id()))
        }
        (VideoCodec::H264, SetKind::Picture) => bits(unit, 1).read_ue("pic_parameter_set_id").ok(),
        (VideoCodec::Hevc, SetKind::Video) => bits(unit, 2)
            .read::<4, u32>("vps_video_parameter_set_id")
            .ok(),
        (VideoCodec::Hevc, SetKind::Sequence) => hevc_sps(unit).ok().map(|sps| sps.id),
        (VideoCodec::Hevc, SetKind::Picture) => {
            bits(unit, 2).read_ue("pps_pic_parameter_set_id").ok()
        }
        _ => None,
    }
}

/// The bits behind a header of so many bytes, without emulation prevention.
fn bits(unit: &[u8], header_bytes: usize) -> BitReader<ByteReader<&[u8]>> {
    let payload = unit.get(header_bytes..).unwrap_or_default();
    BitReader::new(ByteReader::without_skip(payload))
}

fn h264_sps(unit: &[u8]) -> Option<SeqParameterSet> {
    SeqParameterSet::from_bits(bits(unit, 1))
        .or_else(|error| {
            // Encoders buffer more frames than the level that they name allows (ITU-T H.264, table
            // A-1); decoders show them. What is told of the level is the broadcast's own byte.
            let mut unit = unit.to_vec();
            *unit.get_mut(LEVEL_AT).ok_or(error)? = HIGHEST_LEVEL;
            SeqParameterSet::from_bits(bits(&unit, 1))
        })
        .ok()
}

/// general_ fields of profile_tier_level() (ISO/IEC 23008-2, 7.3.3).
#[derive(Debug, Clone, Copy)]
struct General {
    profile_space: u8,
    is_high_tier: bool,
    profile_idc: u8,
    compatibility: u32,
    /// 48 bits, of which the first four are about scans and packing.
    constraints: u64,
    is_interlaced: bool,
    level_idc: u8,
}

impl General {
    /// The codecs parameter (ISO/IEC 14496-15, annex E.3).
    fn codecs(self) -> String {
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
struct HevcSps {
    id: u32,
    general: General,
    max_sub_layers_minus1: u8,
    is_temporal_id_nested: bool,
    chroma_format_idc: u8,
    bit_depth_luma_minus8: u8,
    bit_depth_chroma_minus8: u8,
    width: u16,
    height: u16,
}

/// What a sequence parameter set of HEVC is refused for.
#[derive(Debug)]
struct Unreadable;

impl From<BitReaderError> for Unreadable {
    fn from(_: BitReaderError) -> Self {
        Self
    }
}

fn hevc_sps(unit: &[u8]) -> Result<HevcSps, Unreadable> {
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

fn visual(width: u16, height: u16) -> VisualSampleEntryFields {
    VisualSampleEntryFields {
        data_reference_index: NonZeroU16::MIN,
        width,
        height,
        horizresolution: VisualSampleEntryFields::DEFAULT_HORIZRESOLUTION,
        vertresolution: VisualSampleEntryFields::DEFAULT_VERTRESOLUTION,
        frame_count: VisualSampleEntryFields::DEFAULT_FRAME_COUNT,
        compressorname: VisualSampleEntryFields::NULL_COMPRESSORNAME,
        depth: VisualSampleEntryFields::DEFAULT_DEPTH,
    }
}

/// PixelAspectRatioBox (ISO/IEC 14496-12, 12.1.4).
fn pixel_aspect((horizontal, vertical): (u16, u16)) -> UnknownBox {
    let [horizontal, vertical] = [horizontal, vertical].map(|side| u32::from(side).to_be_bytes());
    UnknownBox {
        box_type: BoxType::Normal(*b"pasp"),
        box_size: BoxSize::U32(16),
        payload: [horizontal, vertical].concat(),
    }
}

#[cfg(test)]
mod tests;
