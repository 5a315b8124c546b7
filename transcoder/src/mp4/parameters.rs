//! Parameter sets: what a decoder needs before the first picture.
//!
//! ```text
//! H.264  SPS, PPS        ISO/IEC 14496-10, 7.3.2.1 and 7.3.2.2   -> avc1, avcC
//! HEVC   VPS, SPS, PPS   ISO/IEC 23008-2, 7.3.2.1 to 7.3.2.3     -> hvc1, hvcC
//! ```
//!
//! They leave the samples and stand in the initialisation segment (ISO/IEC 14496-15, 5.3.3 and
//! 8.3.3): players want `avc1` and `hvc1`, which have them nowhere else.

use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::rbsp::BitRead;
use std::collections::BTreeMap;

use super::h264_slice::SliceSyntax;
use super::hevc_sps::hevc_sps;
use super::nal_bits::bits;
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

impl Sets {
    /// Take a parameter set in; return whether it is new or differs from the one before with its
    /// identifier. What cannot be read is left out.
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

    pub(super) fn of(&self, kind: SetKind) -> impl Iterator<Item = &Vec<u8>> {
        let range = self.0.range((kind, 0)..=(kind, u32::MAX));
        range.map(|(_, unit)| unit)
    }

    /// Return how the headers of slices are written that refer to a PPS; none where a set is
    /// missing or cannot be read.
    pub(super) fn slice_syntax(&self, pps_id: u32) -> Option<SliceSyntax> {
        let pps = self.0.get(&(SetKind::Picture, pps_id))?;
        let mut bits = bits(pps, 1);
        bits.read_ue("pic_parameter_set_id").ok()?;
        let sps_id = bits.read_ue("seq_parameter_set_id").ok()?;
        let sps = h264_sps(self.0.get(&(SetKind::Sequence, sps_id))?)?;
        Some(SliceSyntax::new(&sps))
    }
}

/// Where level_idc stands in a sequence parameter set of H.264, the unit's header included.
const LEVEL_AT: usize = 3;
/// Level 6.2.
const HIGHEST_LEVEL: u8 = 62;

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

/// Return a sequence parameter set of H.264.
pub(super) fn h264_sps(unit: &[u8]) -> Option<SeqParameterSet> {
    SeqParameterSet::from_bits(bits(unit, 1))
        .or_else(|error| {
            // Encoders buffer more frames than the level that they name allows (ITU-T H.264, table
            // A-1); decoders show them. The level that is announced is the broadcast's own byte.
            let mut unit = unit.to_vec();
            *unit.get_mut(LEVEL_AT).ok_or(error)? = HIGHEST_LEVEL;
            SeqParameterSet::from_bits(bits(&unit, 1))
        })
        .ok()
}

#[cfg(test)]
mod tests;
