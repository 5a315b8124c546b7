//! Sample entries of video: what a decoder needs before the first picture, and the properties
//! of all pictures, from the parameter sets (ISO/IEC 14496-15, 5.3.3 and 8.3.3).

use std::num::NonZeroU16;

use h264_reader::nal::sps::{ChromaFormat, FrameMbsFlags};
use shiguredo_mp4::boxes::{
    Avc1Box, AvccBox, Hvc1Box, HvccBox, HvccNalUintArray, SampleEntry, UnknownBox,
    VisualSampleEntryFields,
};
use shiguredo_mp4::{BoxSize, BoxType, Uint};

use super::hevc_sps::hevc_sps;
use super::parameters::{LENGTH_BYTES, SetKind, Sets, h264_sps};
use crate::ts::video::VideoCodec;

/// What the sets say.
#[derive(Debug, Clone)]
pub(super) struct Description {
    pub(super) entry: SampleEntry,
    /// RFC 6381.
    pub(super) codecs: String,
    pub(super) width: u16,
    pub(super) height: u16,
    /// Width and height of a sample, if the stream has them and they differ.
    pub(super) aspect: Option<(u16, u16)>,
    /// Whether frames may consist of two fields of different time.
    pub(super) is_interlaced: bool,
}

/// Return the sample entry and the properties of its pictures; None if a parameter set is
/// missing or cannot be read.
pub(super) fn describe(sets: &Sets, codec: VideoCodec) -> Option<Description> {
    match codec {
        VideoCodec::H264 => describe_h264(sets),
        VideoCodec::Hevc => describe_hevc(sets),
        VideoCodec::Mpeg2 | VideoCodec::Other => None,
    }
}

fn describe_h264(sets: &Sets) -> Option<Description> {
    sets.of(SetKind::Picture).next()?;
    let sps_unit = sets.of(SetKind::Sequence).next()?;
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
        sps_list: sets.of(SetKind::Sequence).cloned().collect(),
        pps_list: sets.of(SetKind::Picture).cloned().collect(),
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

fn describe_hevc(sets: &Sets) -> Option<Description> {
    sets.of(SetKind::Picture).next()?;
    let sps = hevc_sps(sets.of(SetKind::Sequence).next()?).ok()?;
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
            nalus: sets.of(kind).cloned().collect(),
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
