//! An elementary stream of video to pictures, each a sample of an MP4 file.
//!
//! ```text
//! bytes -> start codes -> NAL units -+-> parameter sets -> Sets
//!                                    +-> delimiters, filler: left out
//!                                    '-> length + unit --> picture
//! picture, picture --(two fields of a frame)--> one sample
//! ```
//!
//! Where a picture begins: ISO/IEC 14496-10, 7.4.1.2.3; ISO/IEC 23008-2, 7.4.2.4.4. A sample
//! holds both fields of a frame (ISO/IEC 14496-15, 5.2.2).

use std::collections::VecDeque;

use memchr::memmem;

use super::h264_slice::{Field, field_of_slice, pps_of_slice};
use super::parameters::{LENGTH_BYTES, SetKind, Sets};
use crate::ts::clock::Timestamp;
use crate::ts::video::{Access, MAX_HEAD_BYTES, VideoCodec, access, is_leading_disposable};

/// Longest picture: the largest of level 5.1 at 4:2:0 and 8 bits are half of it, those of
/// broadcasts a tenth. A longer one is left out.
pub(super) const MAX_PICTURE_BYTES: usize = 8 * 1024 * 1024;

/// Maximum number of PES packets that begin in one NAL unit.
const MAX_MARKS: usize = 64;

/// Bytes of a slice that show whether it is a random access point.
const SLICE_HEAD_BYTES: usize = 64;

const START_CODE: [u8; 3] = [0, 0, 1];

/// A sample.
#[derive(Debug)]
pub(super) struct Picture {
    /// NAL units behind their lengths, without parameter sets.
    pub(super) data: Vec<u8>,
    /// Parameter sets that came with it and differ from those before, behind their lengths.
    pub(super) new_sets: Vec<u8>,
    pub(super) pts: Option<Timestamp>,
    pub(super) dts: Option<Timestamp>,
    pub(super) access: Access,
    /// Whether it can be left out where it is a leading picture behind the beginning: H.264,
    /// no other counts it among its references; HEVC, it is marked as to be skipped.
    pub(super) is_disposable: bool,
    /// The sets in force, where a decoder can begin with the picture.
    pub(super) sets: Option<Sets>,
    field: Option<Field>,
}

/// A splitter of the elementary stream of one PID.
#[derive(Debug)]
pub(super) struct Pictures {
    codec: VideoCodec,
    /// From the start code of the unit under way on; other bytes before the first one.
    bytes: Vec<u8>,
    /// How far `bytes` was searched for the next start code.
    searched: usize,
    /// Where `bytes` begins in the elementary stream.
    position: u64,
    /// Whether `bytes` begins with a start code.
    is_aligned: bool,
    marks: VecDeque<Mark>,
    sets: Sets,
    building: Option<Building>,
    /// What follows belongs to a picture of which something is missing.
    is_damaged: bool,
    first_field: Option<Picture>,
    ready: VecDeque<Picture>,
}

/// Where a PES packet begins in the elementary stream.
#[derive(Debug)]
struct Mark {
    position: u64,
    pts: Option<Timestamp>,
    dts: Option<Timestamp>,
}

/// The picture under way.
#[derive(Debug)]
struct Building {
    picture: Picture,
    has_slice: bool,
    /// Its first bytes, until they show whether it is a random access point.
    head: Vec<u8>,
}

/// What a NAL unit is to the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnitKind {
    Slice {
        is_first: bool,
    },
    Set(SetKind),
    /// Belongs to the next picture, and to the sample.
    Prefix,
    /// Belongs to the picture before it, and to the sample.
    Suffix,
    /// Begins a picture, and has no place in a sample.
    Delimiter,
    /// Has no place in a sample.
    Ignored,
}

impl Pictures {
    pub(super) fn new(codec: VideoCodec) -> Self {
        Self {
            codec,
            bytes: Vec::new(),
            searched: 0,
            position: 0,
            is_aligned: false,
            marks: VecDeque::new(),
            sets: Sets::default(),
            building: None,
            is_damaged: false,
            first_field: None,
            ready: VecDeque::new(),
        }
    }

    /// Note that a PES packet begins with the next bytes.
    pub(super) fn mark(&mut self, pts: Option<Timestamp>, dts: Option<Timestamp>) {
        if self.marks.len() == MAX_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back(Mark {
            position: self.position + self.bytes.len() as u64,
            pts,
            dts,
        });
    }

    /// Take the next bytes of the elementary stream.
    pub(super) fn push(&mut self, data: &[u8]) {
        self.bytes.extend_from_slice(data);
        while let Some(at) = memmem::find(&self.bytes[self.searched..], &START_CODE) {
            let end = self.searched + at;
            self.end_unit(end);
        }
        // A start code may lie across the end.
        self.searched = self
            .bytes
            .len()
            .saturating_sub(START_CODE.len() - 1)
            .max(self.searched);
        if !self.is_aligned {
            self.drop_bytes(self.searched.min(self.bytes.len()));
            self.searched = 0;
        } else if self.bytes.len() > MAX_PICTURE_BYTES {
            self.lose();
        }
    }

    /// Say that bytes are missing here: the picture under way is left out.
    pub(super) fn lose(&mut self) {
        self.drop_bytes(self.bytes.len());
        self.searched = 0;
        self.is_aligned = false;
        self.building = None;
        self.is_damaged = true;
        // Its second field may be what is missing, or be whole: then it follows alone.
        self.give_first_field();
    }

    /// Return the next sample, in decoding order.
    pub(super) fn next(&mut self) -> Option<Picture> {
        self.ready.pop_front()
    }

    /// Return how many bytes are held: the unit under way, the picture under way, and a
    /// first field.
    pub(super) fn held_bytes(&self) -> usize {
        let size = |picture: &Picture| picture.data.len() + picture.new_sets.len();
        let building = self.building.as_ref();
        let head = building.map_or(0, |b| size(&b.picture) + b.head.len());
        let field = self.first_field.as_ref().map_or(0, size);
        self.bytes.len() + head + field + self.ready.iter().map(size).sum::<usize>()
    }

    fn drop_bytes(&mut self, count: usize) {
        self.bytes.drain(..count);
        self.position += count as u64;
    }

    /// End the unit under way; the next start code stands at `end`.
    fn end_unit(&mut self, end: usize) {
        if self.is_aligned {
            let bytes = std::mem::take(&mut self.bytes);
            let unit = &bytes[START_CODE.len().min(end)..end];
            let zeros = unit.iter().rev().take_while(|&&byte| byte == 0).count();
            self.take_unit(&unit[..unit.len() - zeros]);
            self.bytes = bytes;
        }
        self.drop_bytes(end);
        self.is_aligned = true;
        self.searched = START_CODE.len().min(self.bytes.len());
    }

    fn take_unit(&mut self, unit: &[u8]) {
        let kind = match self.codec {
            VideoCodec::H264 => h264_kind(unit),
            VideoCodec::Hevc => hevc_kind(unit),
            VideoCodec::Mpeg2 | VideoCodec::Other => UnitKind::Ignored,
        };
        let begins = match kind {
            UnitKind::Slice { is_first } => is_first,
            UnitKind::Set(_) | UnitKind::Prefix | UnitKind::Delimiter => true,
            UnitKind::Suffix | UnitKind::Ignored => false,
        };
        let is_under_way = self
            .building
            .as_ref()
            .is_some_and(|building| !building.has_slice);
        if begins && !is_under_way {
            self.end_picture();
            self.begin_picture();
        }
        let Some(building) = &mut self.building else {
            return;
        };
        let size = building.picture.data.len() + unit.len() + LENGTH_BYTES;
        if size > MAX_PICTURE_BYTES {
            self.building = None;
            self.is_damaged = true;
            return;
        }
        if building.picture.access == Access::NeedMore {
            building.look(self.codec, kind, unit);
        }
        match kind {
            UnitKind::Set(set) => {
                if self.sets.insert(self.codec, set, unit) {
                    append(unit, &mut building.picture.new_sets);
                }
            }
            UnitKind::Slice { is_first } => {
                if is_first && !building.has_slice {
                    building.picture.field = (self.codec == VideoCodec::H264)
                        .then(|| field(&self.sets, unit))
                        .flatten();
                    building.picture.is_disposable = match self.codec {
                        VideoCodec::Hevc => is_skipped_leading(unit),
                        _ => is_leading_disposable(self.codec, &slice_start(unit)),
                    };
                }
                building.has_slice = true;
                append(unit, &mut building.picture.data);
            }
            UnitKind::Prefix | UnitKind::Suffix => append(unit, &mut building.picture.data),
            UnitKind::Delimiter | UnitKind::Ignored => {}
        }
    }

    fn begin_picture(&mut self) {
        self.is_damaged = false;
        let mut stamp = None;
        while self
            .marks
            .front()
            .is_some_and(|mark| mark.position <= self.position)
        {
            stamp = self.marks.pop_front();
        }
        self.building = Some(Building {
            picture: Picture {
                data: Vec::new(),
                new_sets: Vec::new(),
                pts: stamp.as_ref().and_then(|mark| mark.pts),
                dts: stamp.as_ref().and_then(|mark| mark.dts),
                access: Access::NeedMore,
                is_disposable: false,
                sets: None,
                field: None,
            },
            has_slice: false,
            head: Vec::new(),
        });
    }

    fn end_picture(&mut self) {
        let Some(Building {
            mut picture,
            has_slice,
            ..
        }) = self.building.take()
        else {
            return;
        };
        if !has_slice || self.is_damaged {
            return;
        }
        if matches!(picture.access, Access::Random { .. } | Access::Refresh) {
            picture.sets = Some(self.sets.clone());
        }
        let first = self.first_field.take();
        match (first, picture.field) {
            (Some(mut first), Some(second))
                if first
                    .field
                    .is_some_and(|field| field.is_completed_by(second)) =>
            {
                first.data.append(&mut picture.data);
                first.new_sets.append(&mut picture.new_sets);
                self.ready.push_back(first);
            }
            (first, field) => {
                self.ready.extend(first);
                if field.is_some() {
                    self.first_field = Some(picture);
                } else {
                    self.ready.push_back(picture);
                }
            }
        }
    }

    fn give_first_field(&mut self) {
        self.ready.extend(self.first_field.take());
    }
}

impl Building {
    fn look(&mut self, codec: VideoCodec, kind: UnitKind, unit: &[u8]) {
        let is_slice = matches!(kind, UnitKind::Slice { .. });
        let limit = if is_slice {
            SLICE_HEAD_BYTES
        } else {
            MAX_HEAD_BYTES
        };
        self.head.extend_from_slice(&START_CODE);
        self.head.extend_from_slice(&unit[..unit.len().min(limit)]);
        self.picture.access = access(codec, &self.head);
        if is_slice && self.picture.access == Access::NeedMore {
            self.picture.access = Access::Dependent;
        }
        if self.picture.access != Access::NeedMore {
            self.head = Vec::new();
        }
    }
}

fn append(unit: &[u8], data: &mut Vec<u8>) {
    // Units are shorter than MAX_PICTURE_BYTES.
    data.extend_from_slice(&(unit.len() as u32).to_be_bytes());
    data.extend_from_slice(unit);
}

fn field(sets: &Sets, slice: &[u8]) -> Option<Field> {
    field_of_slice(slice, sets.slice_syntax(pps_of_slice(slice)?)?)
}

/// nal_unit_type of H.264 (table 7-1).
fn h264_kind(unit: &[u8]) -> UnitKind {
    let Some(&header) = unit.first() else {
        return UnitKind::Ignored;
    };
    match header & 0x1F {
        // first_mb_in_slice 0 is one bit that is set. Partitions B and C have a slice_id there.
        1 | 2 | 5 => UnitKind::Slice {
            is_first: unit.get(1).is_some_and(|byte| byte & 0x80 != 0),
        },
        3 | 4 => UnitKind::Suffix,
        6 => UnitKind::Prefix,
        7 => UnitKind::Set(SetKind::Sequence),
        8 => UnitKind::Set(SetKind::Picture),
        9 => UnitKind::Delimiter,
        // The end of a sequence.
        10 => UnitKind::Suffix,
        // Auxiliary pictures, further views, filler.
        _ => UnitKind::Ignored,
    }
}

/// nal_unit_type of HEVC (table 7-1).
fn hevc_kind(unit: &[u8]) -> UnitKind {
    let &[first, second, ..] = unit else {
        return UnitKind::Ignored;
    };
    let layer = (first & 1) << 5 | second >> 3;
    match first >> 1 & 0x3F {
        _ if layer > 0 => UnitKind::Ignored,
        0..=31 => UnitKind::Slice {
            is_first: unit.get(2).is_some_and(|byte| byte & 0x80 != 0),
        },
        32 => UnitKind::Set(SetKind::Video),
        33 => UnitKind::Set(SetKind::Sequence),
        34 => UnitKind::Set(SetKind::Picture),
        35 => UnitKind::Delimiter,
        // The end of a sequence; messages.
        36 | 40 => UnitKind::Suffix,
        39 => UnitKind::Prefix,
        _ => UnitKind::Ignored,
    }
}

/// Return a start code and the header of a slice.
fn slice_start(slice: &[u8]) -> [u8; 4] {
    [0, 0, 1, slice.first().copied().unwrap_or_default()]
}

/// RASL_N and RASL_R: 8 and 9.
fn is_skipped_leading(slice: &[u8]) -> bool {
    matches!(slice.first().map(|first| first >> 1 & 0x3F), Some(8 | 9))
}
