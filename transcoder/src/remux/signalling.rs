//! The PMT's entries for audio, and their rewriting for AAC.
//!
//! Sources: ISO/IEC 13818-1 table 2-34 (stream_type), ETSI EN 300 468 clause 6 and
//! annex D (descriptors for AC-3, E-AC-3, DTS, AAC in DVB), ATSC A/52 annex A and
//! A/53 (0x81, 0x87), Blu-ray's use of 0x82 to 0x86 as it leaks into recordings.

use crate::DualMono;
use crate::audio::Codec;
use crate::ts::psi::{Descriptor, ElementaryStream, descriptors};

/// stream_type of AAC in ADTS.
pub(super) const STREAM_TYPE_ADTS: u8 = 0x0F;

const STREAM_TYPE_PRIVATE_PES: u8 = 0x06;

const AUDIO_STREAM: u8 = 0x03;
const REGISTRATION: u8 = 0x05;
const ISO_639_LANGUAGE: u8 = 0x0A;
const MAXIMUM_BITRATE: u8 = 0x0E;
const MPEG4_AUDIO: u8 = 0x1C;
const MPEG2_AAC_AUDIO: u8 = 0x2B;
const DVB_AC3: u8 = 0x6A;
const DVB_EAC3: u8 = 0x7A;
const DVB_DTS: u8 = 0x7B;
const DVB_AAC: u8 = 0x7C;
const DVB_EXTENSION: u8 = 0x7F;
const ATSC_AC3: u8 = 0x81;
const ATSC_EAC3: u8 = 0xCC;

/// Descriptors of entries that are no audio: video_stream, hierarchy, carousels (ISO/IEC
/// 13818-6), metadata; VBI data, VBI teletext, teletext, subtitling, data broadcast and its
/// id, application signalling (EN 300 468, table 12); ATSC captions; SCTE 35 cues.
const OTHER_DATA: [u8; 19] = [
    0x02, 0x04, 0x13, 0x14, 0x15, 0x16, 0x24, 0x25, 0x26, 0x28, 0x38, 0x45, 0x46, 0x56, 0x59, 0x64,
    0x66, 0x6F, 0x8A,
];

/// format_identifiers (SMPTE registration authority) of what is not audio, or not
/// recognised by sync words.
const OTHER_FORMATS: [&[u8; 4]; 14] = [
    b"CUEI", b"KLVA", b"ID3 ", b"VANC", b"HEVC", b"VC-1", b"drac", b"AV01", b"VVC ", b"TTML",
    b"BSSD", b"Opus", b"SCTE", b"GABS",
];

/// stream_types that HLS gives AC-3, E-AC-3 and AAC with encrypted samples, and broadcasters
/// anything ("MPEG-2 Stream Encryption Format for HTTP Live Streaming", 2.1).
const HLS_ENCRYPTED_AUDIO: [u8; 3] = [0xC1, 0xC2, 0xCF];

const EXTENSION_SUPPLEMENTARY_AUDIO: u8 = 0x06;
const EXTENSION_DTS_HD: u8 = 0x0E;
const EXTENSION_DTS_NEURAL: u8 = 0x0F;
const EXTENSION_AC4: u8 = 0x15;

const AUDIO_TYPE_VISUAL_IMPAIRED: u8 = 3;
/// A language and its audio_type in an ISO_639_language_descriptor (ISO/IEC 13818-1, 2.6.18).
const LANGUAGE_BYTES: usize = 4;

/// An entry of a PMT that is audio by what it declares, or may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeclaredAudio {
    /// Whether the entry says that it is audio. Otherwise only the elementary stream can.
    pub(crate) is_named: bool,
    /// Whether players take it for audio unseen, though it may be something else: what is
    /// announced as this they never take for AAC again.
    pub(crate) is_taken_for_audio: bool,
    /// The coding; none for one that is never decoded here (AC-4, TrueHD, LPCM), and where
    /// the entry does not say.
    pub(crate) codec: Option<Codec>,
    /// ISO 639-2 code.
    pub(crate) language: Option<[u8; 3]>,
    /// That of the right channel, where each has its own.
    pub(crate) other_language: Option<[u8; 3]>,
    /// Whether it is an audio description of the picture.
    pub(crate) is_description: bool,
}

/// Read an entry; none when it cannot be audio.
pub(crate) fn declared_audio(entry: &ElementaryStream) -> Option<DeclaredAudio> {
    let described = descriptors(&entry.descriptors).find_map(private_coding);
    let (is_named, codec) = match (entry.stream_type, described) {
        (0x03 | 0x04, _) => (true, Some(Codec::MpegLayer2)),
        (STREAM_TYPE_ADTS, _) => (true, Some(Codec::AacAdts)),
        (0x11, _) => (true, Some(Codec::AacLatm)),
        (0x81, _) => (true, Some(Codec::Ac3)),
        (0x84 | 0x87, _) => (true, Some(Codec::Eac3)),
        (0x85 | 0x8A, _) => (true, Some(Codec::Dts)),
        (0x83 | 0x1C, _) => (true, None),
        (stream_type, Some(codec)) if is_private(stream_type) => (true, codec),
        (stream_type, _) if !is_private(stream_type) || is_other_data(entry) => return None,
        // SCTE subtitles as well.
        (0x82, None) => (false, Some(Codec::Dts)),
        _ => (false, None),
    };
    let loop_ = || descriptors(&entry.descriptors);
    let language = loop_().find(|d| d.tag == ISO_639_LANGUAGE);
    let described_by_type =
        language.is_some_and(|d| d.body.get(3) == Some(&AUDIO_TYPE_VISUAL_IMPAIRED));
    Some(DeclaredAudio {
        is_named,
        is_taken_for_audio: !is_named && HLS_ENCRYPTED_AUDIO.contains(&entry.stream_type),
        codec,
        language: language.and_then(|d| d.body.first_chunk().copied()),
        other_language: language.and_then(|d| d.body.get(LANGUAGE_BYTES..)?.first_chunk().copied()),
        is_description: described_by_type || loop_().any(is_supplementary_description),
    })
}

/// Return whether a stream_type does not identify the content: private PES data, and the types
/// that the standard leaves to users or has not assigned.
fn is_private(stream_type: u8) -> bool {
    matches!(stream_type, 0x00 | STREAM_TYPE_PRIVATE_PES | 0x37..=0x7E | 0x80..=0xFF)
}

/// Return whether a descriptor says that the entry is something else than audio.
fn is_other_data(entry: &ElementaryStream) -> bool {
    descriptors(&entry.descriptors).any(|d| match d.tag {
        REGISTRATION => d
            .body
            .first_chunk()
            .is_some_and(|f| OTHER_FORMATS.contains(&f)),
        tag => OTHER_DATA.contains(&tag),
    })
}

/// Return the coding of private PES data by one descriptor. The outer None: the descriptor
/// names no coding. The inner None: an audio coding that is not decoded.
fn private_coding(descriptor: Descriptor<'_>) -> Option<Option<Codec>> {
    match (descriptor.tag, descriptor.body) {
        (DVB_AC3 | ATSC_AC3, _) => Some(Some(Codec::Ac3)),
        (DVB_EAC3 | ATSC_EAC3, _) => Some(Some(Codec::Eac3)),
        (DVB_DTS, _) => Some(Some(Codec::Dts)),
        (DVB_AAC, _) => Some(Some(Codec::AacLatm)),
        (REGISTRATION, body) => registered_coding(body).map(Some),
        (DVB_EXTENSION, [EXTENSION_DTS_HD, ..]) => Some(Some(Codec::Dts)),
        (DVB_EXTENSION, [EXTENSION_AC4, ..]) => Some(None),
        _ => None,
    }
}

fn registered_coding(body: &[u8]) -> Option<Codec> {
    match body.first_chunk::<4>()? {
        b"AC-3" => Some(Codec::Ac3),
        b"EAC3" => Some(Codec::Eac3),
        b"DTS1" | b"DTS2" | b"DTS3" | b"DTSH" => Some(Codec::Dts),
        _ => None,
    }
}

/// editorial_classification 1 of a supplementary_audio_descriptor (EN 300 468,
/// 6.4.11): audio description.
fn is_supplementary_description(descriptor: Descriptor<'_>) -> bool {
    descriptor.tag == DVB_EXTENSION
        && matches!(descriptor.body, [EXTENSION_SUPPLEMENTARY_AUDIO, flags, ..]
            if flags >> 2 & 0x1F == 1)
}

/// Return the entry of the AAC track that replaces `source`. Language, stream identifier and
/// other descriptors that do not describe the old coding stay.
pub(super) fn aac_entry(source: &ElementaryStream) -> ElementaryStream {
    let mut kept = Vec::with_capacity(source.descriptors.len());
    for descriptor in descriptors(&source.descriptors) {
        if !describes_coding(descriptor) {
            kept.extend_from_slice(&[descriptor.tag, descriptor.body.len() as u8]);
            kept.extend_from_slice(descriptor.body);
        }
    }
    ElementaryStream {
        stream_type: STREAM_TYPE_ADTS,
        pid: source.pid,
        descriptors: kept,
    }
}

/// Leave one of two languages in an entry whose track has a programme in either channel:
/// the one of the channel that is heard.
pub(super) fn keep_language(entry: &mut ElementaryStream, heard: DualMono) {
    let (gone, end) = match heard {
        DualMono::Both => return,
        DualMono::Left => (LANGUAGE_BYTES, 2 * LANGUAGE_BYTES),
        DualMono::Right => (0, LANGUAGE_BYTES),
    };
    let mut kept = Vec::with_capacity(entry.descriptors.len());
    for descriptor in descriptors(&entry.descriptors) {
        let mut body = descriptor.body.to_vec();
        if descriptor.tag == ISO_639_LANGUAGE && body.len() == 2 * LANGUAGE_BYTES {
            body.drain(gone..end);
        }
        kept.extend_from_slice(&[descriptor.tag, body.len() as u8]);
        kept.extend_from_slice(&body);
    }
    entry.descriptors = kept;
}

fn describes_coding(descriptor: Descriptor<'_>) -> bool {
    match descriptor.tag {
        AUDIO_STREAM | MAXIMUM_BITRATE | MPEG4_AUDIO | MPEG2_AAC_AUDIO | DVB_AC3 | DVB_EAC3
        | DVB_DTS | DVB_AAC | ATSC_AC3 | ATSC_EAC3 => true,
        REGISTRATION => registered_coding(descriptor.body).is_some(),
        DVB_EXTENSION => matches!(
            descriptor.body.first(),
            Some(&(EXTENSION_AC4 | EXTENSION_DTS_HD | EXTENSION_DTS_NEURAL))
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ts::packet::Pid;

    fn entry(stream_type: u8, descriptors: &[u8]) -> ElementaryStream {
        ElementaryStream {
            stream_type,
            pid: Pid::new(0x100),
            descriptors: descriptors.to_vec(),
        }
    }

    #[test]
    fn an_eac3_description_track_keeps_what_is_not_about_its_coding() {
        let language = [0x0A, 4, b'f', b'r', b'a', 3];
        let stream_identifier = [0x52, 1, 7];
        let supplementary = [0x7F, 5, 0x06, 0x85, b'f', b'r', b'a'];
        let eac3 = [0x7A, 2, 0x80, 0x44];
        let source = entry(
            0x06,
            &[&language[..], &stream_identifier, &eac3, &supplementary].concat(),
        );
        let declared = declared_audio(&source).expect("audio");
        assert_eq!(declared.codec, Some(Codec::Eac3));
        assert_eq!(declared.language, Some(*b"fra"));
        assert!(declared.is_description);
        let aac = aac_entry(&source);
        assert_eq!(aac.stream_type, 0x0F);
        assert_eq!(
            aac.descriptors,
            [&language[..], &stream_identifier, &supplementary].concat()
        );
    }

    #[test]
    fn teletext_subtitles_and_data_are_no_audio() {
        for source in [
            entry(0x06, &[0x56, 5, b'd', b'e', b'u', 9, 0]),
            entry(0x06, &[0x0A, 4, b'd', b'e', b'u', 0, 0x46, 0]),
            entry(0x06, &[0x45, 1, 0]),
            entry(0x06, &[0x59, 8, b'd', b'e', b'u', 0x10, 0, 1, 0, 1]),
            entry(0x06, &[0x6F, 0]),
            entry(0x06, &[0x05, 4, b'K', b'L', b'V', b'A']),
            entry(0x86, &[0x05, 4, b'C', b'U', b'E', b'I']),
            entry(0x82, &[0x05, 4, b'S', b'C', b'T', b'E']),
            entry(0x05, &[]),
            entry(0x0B, &[]),
            entry(0x15, &[]),
            entry(0x1B, &[]),
        ] {
            assert_eq!(declared_audio(&source), None, "{source:?}");
        }
    }

    #[test]
    fn private_types_without_a_descriptor_may_be_audio_and_are_not_named_so() {
        for stream_type in [0x00, 0x06, 0x80, 0x82, 0x88, 0x91, 0xC1, 0xFF] {
            for descriptors in [&[][..], &[0x52, 1, 7], &[0x0A, 4, b'd', b'e', b'u', 0]] {
                let declared = declared_audio(&entry(stream_type, descriptors));
                assert_eq!(
                    declared.map(|d| d.is_named),
                    Some(false),
                    "{stream_type:#x}"
                );
            }
        }
    }

    #[test]
    fn a_descriptor_names_the_coding_on_every_private_type() {
        for stream_type in [0x06, 0x80, 0x91, 0xC1] {
            let declared = declared_audio(&entry(stream_type, &[0x6A, 1, 0]));
            assert!(declared.is_some_and(|d| d.is_named && d.codec == Some(Codec::Ac3)));
        }
    }

    #[test]
    fn a_registration_alone_declares_ac3() {
        let source = entry(0x06, &[0x05, 4, b'A', b'C', b'-', b'3']);
        assert_eq!(
            declared_audio(&source).and_then(|d| d.codec),
            Some(Codec::Ac3)
        );
        assert!(aac_entry(&source).descriptors.is_empty());
    }
}
