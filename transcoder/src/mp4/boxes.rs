//! Initialisation segments and fragments of CMAF tracks (ISO/IEC 23000-19, 7.3 and 7.5).
//!
//! ```text
//! initialisation segment   ftyp | moov ( mvhd trak ( tkhd mdia ( mdhd hdlr minf ) ) mvex ( trex ) )
//! part                     moof ( mfhd traf ( tfhd tfdt trun ) ) | mdat
//! ```
//!
//! There are no edit lists: a sample's decode time is the broadcast's, continued over 33 bits.

use std::num::{NonZeroU16, NonZeroU32};

use shiguredo_mp4::boxes::{
    AudioSampleEntryFields, Brand, DinfBox, EsdsBox, FtypBox, HdlrBox, MdhdBox, MdiaBox, MfhdBox,
    MinfBox, MoofBox, MoovBox, Mp4aBox, MvexBox, MvhdBox, SampleEntry, SmhdBox, StblBox, StcoBox,
    StscBox, StsdBox, StszBox, SttsBox, TfdtBox, TfhdBox, TkhdBox, TrafBox, TrakBox, TrexBox,
    TrunBox, TrunSample, VmhdBox,
};
use shiguredo_mp4::descriptors::{
    DecoderConfigDescriptor, DecoderSpecificInfo, EsDescriptor, SlConfigDescriptor,
};
use shiguredo_mp4::{Either, Encode, FixedPointNumber, Mp4FileTime, SampleFlags, Uint, Utf8String};

use super::sample_entry::Description;

/// The one track of a rendition's files.
const TRACK_ID: u32 = 1;

/// sample_depends_on 2: a decoder can begin here. Otherwise 1, and no sync sample.
const SYNC: SampleFlags = SampleFlags::from_fields(0, 2, 0, 0, 0, false, 0);
const NOT_SYNC: SampleFlags = SampleFlags::from_fields(0, 1, 0, 0, 0, true, 0);

/// A sample as a fragment lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunSample {
    pub(super) duration: u32,
    pub(super) size: u32,
    pub(super) is_sync: bool,
    /// PTS less DTS.
    pub(super) composition_offset: i32,
}

/// What is in a sound track's initialisation segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SoundFormat {
    pub(super) sample_rate_hz: u32,
    pub(super) channels: u8,
    /// AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
    pub(super) config: [u8; 2],
}

/// Return the initialisation segment of a video track; none where it cannot be written.
pub(super) fn video_header(description: &Description, timescale: NonZeroU32) -> Option<Vec<u8>> {
    let (mut width, height) = (u32::from(description.width), description.height);
    if let Some((across, down)) = description.aspect {
        // In square samples.
        width = (width * u32::from(across)).div_ceil(u32::from(down));
    }
    let width = i16::try_from(width).ok()?;
    let tkhd = TkhdBox {
        width: FixedPointNumber::new(width, 0),
        height: FixedPointNumber::new(i16::try_from(height).ok()?, 0),
        ..track_header(TkhdBox::DEFAULT_VIDEO_VOLUME)
    };
    let brand = match description.entry {
        SampleEntry::Hvc1(_) => *b"chhd",
        _ => *b"cfhd",
    };
    header(Track {
        tkhd,
        timescale,
        language: MdhdBox::LANGUAGE_UNDEFINED,
        handler_type: HdlrBox::HANDLER_TYPE_VIDE,
        media_header: Either::B(VmhdBox::default()),
        entry: description.entry.clone(),
        brand: Brand::new(brand),
    })
}

/// Return the initialisation segment of a sound track; none where it cannot be written.
pub(super) fn sound_header(format: SoundFormat, language: Option<[u8; 3]>) -> Option<Vec<u8>> {
    let entry = SampleEntry::Mp4a(Mp4aBox {
        audio: AudioSampleEntryFields {
            data_reference_index: NonZeroU16::MIN,
            channelcount: u16::from(format.channels),
            samplesize: AudioSampleEntryFields::DEFAULT_SAMPLESIZE,
            // 16 bits; the config tells higher rates.
            samplerate: FixedPointNumber::new(
                u16::try_from(format.sample_rate_hz).unwrap_or_default(),
                0,
            ),
        },
        esds_box: EsdsBox {
            es: EsDescriptor {
                es_id: EsDescriptor::MIN_ES_ID,
                stream_priority: EsDescriptor::LOWEST_STREAM_PRIORITY,
                depends_on_es_id: None,
                url_string: None,
                ocr_es_id: None,
                dec_config_descr: DecoderConfigDescriptor {
                    object_type_indication:
                        DecoderConfigDescriptor::OBJECT_TYPE_INDICATION_AUDIO_ISO_IEC_14496_3,
                    stream_type: DecoderConfigDescriptor::STREAM_TYPE_AUDIO,
                    up_stream: DecoderConfigDescriptor::UP_STREAM_FALSE,
                    // 0: unknown.
                    buffer_size_db: Uint::new(0),
                    max_bitrate: 0,
                    avg_bitrate: 0,
                    dec_specific_info: Some(DecoderSpecificInfo {
                        payload: format.config.to_vec(),
                    }),
                },
                sl_config_descr: SlConfigDescriptor,
            },
        },
        unknown_boxes: Vec::new(),
    });
    header(Track {
        tkhd: track_header(TkhdBox::DEFAULT_AUDIO_VOLUME),
        timescale: NonZeroU32::new(format.sample_rate_hz)?,
        language: language
            .filter(|code| code.iter().all(u8::is_ascii_lowercase))
            .unwrap_or(MdhdBox::LANGUAGE_UNDEFINED),
        handler_type: HdlrBox::HANDLER_TYPE_SOUN,
        media_header: Either::A(SmhdBox::default()),
        entry,
        brand: Brand::new(*b"caac"),
    })
}

/// Return a part: the fragment of these samples, whose data lies in `data` one behind the other;
/// none where it cannot be written.
pub(super) fn part(
    sequence: u32,
    decode_time: u64,
    samples: &[RunSample],
    data: &[u8],
) -> Option<Vec<u8>> {
    let has_offsets = samples.iter().any(|sample| sample.composition_offset != 0);
    let run = samples.iter().map(|sample| TrunSample {
        duration: Some(sample.duration),
        size: Some(sample.size),
        flags: Some(if sample.is_sync { SYNC } else { NOT_SYNC }),
        composition_time_offset: has_offsets.then_some(sample.composition_offset),
    });
    let mut moof = MoofBox {
        mfhd_box: MfhdBox {
            sequence_number: sequence,
        },
        traf_boxes: vec![TrafBox {
            tfhd_box: TfhdBox {
                track_id: TRACK_ID,
                base_data_offset: None,
                sample_description_index: None,
                default_sample_duration: None,
                default_sample_size: None,
                default_sample_flags: None,
                duration_is_empty: false,
                default_base_is_moof: true,
            },
            tfdt_box: Some(TfdtBox {
                // 64 bits.
                version: 1,
                base_media_decode_time: decode_time,
            }),
            trun_boxes: vec![TrunBox {
                data_offset: Some(0),
                first_sample_flags: None,
                samples: run.collect(),
            }],
            unknown_boxes: Vec::new(),
        }],
        unknown_boxes: Vec::new(),
    };
    const MDAT_HEADER_BYTES: usize = 8;
    let bytes_ahead = moof.encode_to_vec().ok()?.len() + MDAT_HEADER_BYTES;
    let trun = moof.traf_boxes.first_mut()?.trun_boxes.first_mut()?;
    trun.data_offset = Some(i32::try_from(bytes_ahead).ok()?);
    let mut bytes = moof.encode_to_vec().ok()?;
    let mdat_bytes = u32::try_from(data.len() + MDAT_HEADER_BYTES).ok()?;
    bytes.reserve_exact(MDAT_HEADER_BYTES + data.len());
    bytes.extend_from_slice(&mdat_bytes.to_be_bytes());
    bytes.extend_from_slice(b"mdat");
    bytes.extend_from_slice(data);
    Some(bytes)
}

struct Track {
    tkhd: TkhdBox,
    timescale: NonZeroU32,
    language: [u8; 3],
    handler_type: [u8; 4],
    media_header: Either<SmhdBox, VmhdBox>,
    entry: SampleEntry,
    brand: Brand,
}

fn track_header(volume: FixedPointNumber<i8, u8>) -> TkhdBox {
    TkhdBox {
        flag_track_enabled: true,
        flag_track_in_movie: true,
        flag_track_in_preview: false,
        flag_track_size_is_aspect_ratio: false,
        creation_time: Mp4FileTime::default(),
        modification_time: Mp4FileTime::default(),
        track_id: TRACK_ID,
        duration: 0,
        layer: TkhdBox::DEFAULT_LAYER,
        alternate_group: TkhdBox::DEFAULT_ALTERNATE_GROUP,
        volume,
        matrix: TkhdBox::DEFAULT_MATRIX,
        width: FixedPointNumber::default(),
        height: FixedPointNumber::default(),
    }
}

fn header(track: Track) -> Option<Vec<u8>> {
    let ftyp = FtypBox {
        major_brand: Brand::new(*b"iso6"),
        minor_version: 0,
        compatible_brands: vec![Brand::new(*b"iso6"), Brand::new(*b"cmfc"), track.brand],
    };
    let minf_box = MinfBox {
        smhd_or_vmhd_box: Some(track.media_header),
        dinf_box: DinfBox::LOCAL_FILE,
        stbl_box: StblBox {
            stsd_box: StsdBox {
                entries: vec![track.entry],
            },
            // The samples are in the fragments.
            stts_box: SttsBox {
                entries: Vec::new(),
            },
            ctts_box: None,
            cslg_box: None,
            stsc_box: StscBox {
                entries: Vec::new(),
            },
            stsz_box: StszBox::Variable {
                entry_sizes: Vec::new(),
            },
            stco_or_co64_box: Either::A(StcoBox {
                chunk_offsets: Vec::new(),
            }),
            stss_box: None,
            sdtp_box: None,
            unknown_boxes: Vec::new(),
        },
        unknown_boxes: Vec::new(),
    };
    let mdia_box = MdiaBox {
        mdhd_box: MdhdBox {
            creation_time: Mp4FileTime::default(),
            modification_time: Mp4FileTime::default(),
            timescale: track.timescale,
            duration: 0,
            language: track.language,
        },
        hdlr_box: HdlrBox {
            handler_type: track.handler_type,
            name: Utf8String::EMPTY.into_null_terminated_bytes(),
        },
        minf_box,
        unknown_boxes: Vec::new(),
    };
    let moov = MoovBox {
        mvhd_box: MvhdBox {
            creation_time: Mp4FileTime::default(),
            modification_time: Mp4FileTime::default(),
            timescale: track.timescale,
            duration: 0,
            rate: MvhdBox::DEFAULT_RATE,
            volume: MvhdBox::DEFAULT_VOLUME,
            matrix: MvhdBox::DEFAULT_MATRIX,
            next_track_id: TRACK_ID + 1,
        },
        trak_boxes: vec![TrakBox {
            tkhd_box: track.tkhd,
            edts_box: None,
            mdia_box,
            unknown_boxes: Vec::new(),
        }],
        mvex_box: Some(MvexBox {
            mehd_box: None,
            trex_boxes: vec![TrexBox {
                track_id: TRACK_ID,
                default_sample_description_index: 1,
                default_sample_duration: 0,
                default_sample_size: 0,
                default_sample_flags: SampleFlags::empty(),
            }],
            unknown_boxes: Vec::new(),
        }),
        unknown_boxes: Vec::new(),
    };
    let mut bytes = ftyp.encode_to_vec().ok()?;
    bytes.extend(moov.encode_to_vec().ok()?);
    Some(bytes)
}
